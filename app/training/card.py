"""The model card: what was learned from what, how good it is, and what it cannot do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from app.inference.package import Metric
from app.training.experiment import Experiment
from app.training.measures import calibration_table, confusions

_WORST = 12
_LEFT_OUT = 20
_WIDEST_MATRIX = 20
# What Markdown would read as its own; an underscore inside a word is none.
_MARKS = re.compile(r"[\\`*\[\]<>&|~]|(?<![^\W_])_|_(?![^\W_])")
_BACKBONE = (
    "The pictures are described by EfficientNet-Lite0, a network trained by Google on ImageNet (Apache-2.0) and frozen here. "
    "ImageNet's thousand classes hold many breeds of cats and dogs and a great many everyday things, so on those it starts "
    "from having seen their like; on drawings, X-rays, satellite pictures and other things unlike ImageNet expect less."
)
_EIGHT_BITS = (
    "Modified: its weights are quantised to 8 bits, and the ranges of what flows through it were measured on photos of cats "
    "and dogs."
)


def write_card(name: str, experiment: Experiment, *, summary: str, limits: str = "") -> str:
    """Give the card of an experiment as Markdown."""
    sections = (
        f"# {name}\n\n{plain(summary)}",
        _data(experiment),
        _learning(experiment),
        measured(experiment.metrics, len(experiment.truth)) + "\n\n" + _compared(experiment),
        _confusion(experiment),
        _calibration(experiment),
        _mistakes(experiment),
        _cannot(experiment, limits),
    )
    return "\n\n".join(sections) + "\n"


def plain(text: str) -> str:
    """Give text, a file's name say, so that Markdown shows it as it is; what cannot be printed is replaced."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return _MARKS.sub(r"\\\g<0>", shown)


def table(head: Sequence[str], body: Sequence[Sequence[object]]) -> str:
    """Give a Markdown table whose cells are plain text."""
    lines = ["| " + " | ".join(plain(str(cell)) for cell in row) + " |" for row in (head, *body)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def measured(metrics: Sequence[Metric], photos: int) -> str:
    """Give the section of the figures, with their intervals."""
    body = [(metric.name, _figure(metric, metric.value), _interval(metric)) for metric in metrics]
    return (
        f"## How good it is\n\nMeasured once, on {photos:,} held-out photos that nothing was learned or chosen from. "
        "Intervals are 95 % percentiles of a bootstrap over these photos.\n\n"
        + table(("figure", "measured", "95 % interval"), body)
    )


def _figure(metric: Metric, value: float) -> str:
    return f"{value:.1%}" if "accuracy" in metric.name else f"{value:.4f}"


def _interval(metric: Metric) -> str:
    if metric.low is None or metric.high is None:
        return "too few photos"
    return f"{_figure(metric, metric.low)} to {_figure(metric, metric.high)}"


def _data(experiment: Experiment) -> str:
    dataset, split = experiment.dataset, experiment.split
    train = Counter(dataset.photos[i].label for i in split.train)
    test = Counter(dataset.photos[i].label for i in split.test)
    body = [(label, train[label], test[label]) for label in dataset.classes]
    text = "## Data\n\n" + table(("class", "learned from", "held out"), body)
    if dataset.left_out:
        listed = [(entry.file, entry.reason) for entry in dataset.left_out[:_LEFT_OUT]]
        more = len(dataset.left_out) - len(listed)
        text += f"\n\nLeft out ({len(dataset.left_out)}):\n\n" + table(("file", "why"), listed)
        text += f"\n\nAnd {more} more." if more else ""
    return text + f"\n\n{dataset.attribution or 'No licence or attribution was given with the photos.'}"


def _learning(experiment: Experiment) -> str:
    recipe, design = experiment.design.recipe, experiment.design
    text = (
        f"## How it learns\n\n{design.title}. Photos are stretched to {recipe.width} by {recipe.height} pixels. The strength "
        f"C = {experiment.strength:g} was chosen from {', '.join(f'{c:g}' for c in design.strengths)} by the log loss of a "
        "cross-validation on the photos learned from, near copies kept together."
    )
    if design.name.startswith("embedding"):
        text += f"\n\n{_BACKBONE}"
    return f"{text} {_EIGHT_BITS}" if design.name == "embedding-q8" else text


def _compared(experiment: Experiment) -> str:
    body = [(baseline.title, f"{baseline.accuracy:.1%}") for baseline in experiment.baselines]
    return "On the same photos:\n\n" + table(("another way", "accuracy"), body)


def _confusion(experiment: Experiment) -> str:
    classes, counts = experiment.dataset.classes, confusions(experiment.truth, experiment.probabilities)
    if len(classes) > _WIDEST_MATRIX:
        pairs = [
            (int(counts[i, j]), classes[i], classes[j]) for i in range(len(classes)) for j in range(len(classes)) if i != j
        ]
        body = [(truth, answer, n) for n, truth, answer in sorted(pairs, reverse=True)[:_WIDEST_MATRIX] if n]
        return "## Confusions\n\n" + table(("it was", "answered", "photos"), body)
    body = [(label, *counts[i].tolist()) for i, label in enumerate(classes)]
    return "## Confusions\n\n" + table(("it was, answered as", *classes), body)


def _calibration(experiment: Experiment) -> str:
    body = [
        (f"{said:.1%}", f"{right:.1%}", photos)
        for said, right, photos in calibration_table(experiment.truth, experiment.probabilities)
    ]
    return (
        "## Calibration\n\nHow probable the model finds its answer, beside how often it is right (15 bins of equal width).\n\n"
        + table(("it says", "it is right", "photos"), body)
    )


def _mistakes(experiment: Experiment) -> str:
    answers = experiment.probabilities.argmax(axis=1)
    wrong = [i for i in range(len(answers)) if answers[i] != experiment.truth[i]]
    if not wrong:
        return "## Mistakes\n\nNone on the held-out photos."
    wrong.sort(key=lambda i: -experiment.probabilities[i].max())
    classes, photos = experiment.dataset.classes, experiment.test_photos
    body = [
        (photos[i].file, classes[experiment.truth[i]], classes[answers[i]], f"{experiment.probabilities[i].max():.1%}")
        for i in wrong[:_WORST]
    ]
    return f"## Mistakes\n\n{len(wrong)} in all; the surest first.\n\n" + table(
        ("photo", "it was", "answered", "probability"), body
    )


def _cannot(experiment: Experiment, limits: str) -> str:
    known = ", ".join(plain(label) for label in experiment.dataset.classes[:_WIDEST_MATRIX])
    text = (
        f"## What it cannot do\n\nIt knows these classes only: {known}. Whatever it is shown, it answers with one of them; "
        "a picture of something else gets a wrong answer, sometimes a sure one. One answer is given for the "
        "whole picture. The figures hold for photos like the ones above, and for others they may be lower."
    )
    return f"{text} {limits}" if limits else text
