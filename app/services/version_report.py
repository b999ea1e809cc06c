"""What is told of a version, on its page and on the command line: where it came from, and what shows that it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

from app.inference.libraries import differences
from app.inference.package import Manifest
from app.inference.provenance import Answers, Candidate, Proof, Source
from app.inference.recipe import Recipe

NOTHING = "–"
_FORMATS = {"pickle": "a pickle", "joblib": "a joblib file", "skops": "a skops archive", "onnx": "an ONNX graph"}
RUNTIMES = {"sklearn": "scikit-learn", "onnx": "ONNX", "forest": "forest"}
_ANSWERS: dict[Answers, str] = {
    "predict_proba": "",
    "decision_function": "It gives scores, not probabilities: each figure is a softmax of the classifier's decision values.",
    "logits": "The network gives logits; what is shown is their softmax.",
    "predict": "It gives a label only: the class it answers with has 100 %, every other one 0 %.",
}
_FITS = {"stretch": "stretched", "crop": "cropped", "pad": "padded"}
_SCALES = {
    "0-255": "0 to 255",
    "0-1": "0 to 1",
    "0-16": "0 to 16",
    "-1-1": "-1 to 1",
    "imagenet": "by ImageNet's mean and deviation",
    "standardised": "by its own mean and deviation",
}
_COLOURS = {"rgb": "RGB", "bgr": "BGR", "grey": "grey"}
# As the confined process names what held while it opened the file; a name that is not here is told as it is.
_PROTECTIONS = {
    "limits": "limits on memory and time",
    "own users": "users of its own",
    "own network": "no network",
    "own processes": "no sight of other processes",
    "no new privileges": "no way to gain rights",
    "files": "no files but those it needs",
    "system calls": "few system calls",
}
_LAYOUTS = {
    "flat": "one flat row",
    "flat-channels-first": "one flat row, colour by colour",
    "height-width-channels": "rows, columns, colours",
    "channels-height-width": "colours, rows, columns",
}


@dataclass(frozen=True, slots=True)
class CandidateReport:
    """One form beside the source, in words; `refused` is empty where the form may serve."""

    form: str
    serves: bool
    labels: str
    difference: str
    one_ms: str
    batch_ms: str
    refused: str


@dataclass(frozen=True, slots=True)
class ProofReport:
    """What the proof came to: a sentence, what it leaves open, and every form that was compared, the source's times first."""

    sentence: str
    weakness: str
    rows: tuple[CandidateReport, ...]


@dataclass(frozen=True, slots=True)
class VersionReport:
    """Everything that is told; a text is empty where there is nothing to tell."""

    origin: str
    recipe: str
    runtime: str
    answers: str
    trusted: str
    differences: tuple[str, ...]
    confinement: str
    holds: str
    written_with: str
    source: Source | None
    proof: ProofReport | None


def report_on(manifest: Manifest) -> VersionReport:
    """Give what is told of a version."""
    source = manifest.source
    return VersionReport(
        origin=_origin(manifest),
        recipe=describe_recipe(manifest.recipe),
        runtime=RUNTIMES[manifest.runtime],
        answers=_ANSWERS[manifest.answers],
        trusted="Served as the pickle its owner vouched for." if source and source.trusted else "",
        differences=(*(source.differences if source else ()), *differences(manifest.libraries)),
        confinement=_confinement(source),
        holds=_holds(source),
        written_with=", ".join(f"{name} {was}" for name, was in source.libraries.items()) if source else "",
        source=source,
        proof=None if manifest.proof is None else _proof(manifest.proof, manifest.runtime),
    )


def describe_recipe(recipe: Recipe) -> str:
    """Give how a picture becomes the model's input."""
    words = [
        f"{_FITS[recipe.fit]} to {recipe.width} × {recipe.height} pixels",
        _COLOURS[recipe.colour],
        _SCALES[recipe.scale],
        *(["inverted"] if recipe.invert else []),
        _LAYOUTS[recipe.layout],
    ]
    return "; ".join(words)


def _origin(manifest: Manifest) -> str:
    if manifest.origin == "trained":
        return "trained"
    return f"imported from {_FORMATS[manifest.source.format]}" if manifest.source else "imported"


def _holds(source: Source | None) -> str:
    # A forest names its trees one by one.
    return ", ".join(dict.fromkeys(name.rpartition(".")[2] for name in source.estimators)) if source else ""


def _confinement(source: Source | None) -> str:
    if source is None:
        return ""
    return ", ".join(_PROTECTIONS.get(name, name) for name in source.confinement) or "nothing"


def _proof(proof: Proof, runtime: str) -> ProofReport:
    serving = next((form for form in proof.candidates if form.runtime == runtime and not form.refused), None)
    given = CandidateReport("as given", False, NOTHING, NOTHING, _ms(proof.source_one_ms), _ms(proof.source_batch_ms), "")
    rows = (given, *(_candidate(form, proof.pictures, serves=form is serving) for form in proof.candidates))
    return ProofReport(_sentence(proof, serving), _weakness(proof), rows)


def _candidate(form: Candidate, pictures: int, *, serves: bool) -> CandidateReport:
    difference = NOTHING if form.largest_difference is None else _small(form.largest_difference)
    # Where a form was refused before it was compared, there is nothing that could be equal.
    compared = form.labels_equal or form.largest_difference is not None
    labels = f"{form.labels_equal}/{pictures}" if compared else NOTHING
    return CandidateReport(
        RUNTIMES[form.runtime], serves, labels, difference, _ms(form.one_ms), _ms(form.batch_ms), form.refused
    )


def _sentence(proof: Proof, serving: Candidate | None) -> str:
    pictures = "1 picture" if proof.pictures == 1 else f"{proof.pictures} pictures"
    if serving is None:
        return f"Compared on {pictures}; no other form answered as the source does."
    equal = "every label equal" if serving.labels_equal == proof.pictures else f"{serving.labels_equal} labels equal"
    if serving.largest_difference is None:
        return f"Proven on {pictures}: {equal}."
    found = f"largest difference {_small(serving.largest_difference)}" if serving.largest_difference else "no difference"
    return f"Proven on {pictures}: {equal}, {found}."


def _weakness(proof: Proof) -> str:
    if not proof.weak:
        return ""
    often = {0: "never", 1: "only once"}.get(proof.rarest, f"only {proof.rarest} times")
    return f"Weak proof: some class was {often} the answer among these pictures, so little is shown of it."


def _small(difference: float) -> str:
    if difference == 0 or difference >= 0.001:
        return f"{difference:.1g}"
    digits, _, power = f"{difference:.0e}".partition("e")
    return f"{digits}e{int(power)}"


def _ms(milliseconds: float | None) -> str:
    if milliseconds is None:
        return NOTHING
    return f"{milliseconds:.{2 if milliseconds < 10 else 1 if milliseconds < 100 else 0}f}"
