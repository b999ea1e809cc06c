"""Models from the command line: what is served is listed, a version is chosen, shown, verified, removed."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from app.composition import Services
from app.inference.package import Metric
from app.inference.provenance import Candidate
from app.services.audit_log import subject_of_model
from tests.cli.running import Ran, Run, output_of, refusal_of, rows_of
from tests.factories import make_classifier, make_manifest, make_picture, make_proof, make_source, publish
from tests.serving import RunningSite


def deeds_of(services: Services, name: str = "shade") -> list[tuple[str, str, str]]:
    """Give who did what to a model, newest first."""
    return [(deed.actor, deed.action, deed.detail) for deed in services.audit_log.about(subject_of_model(name))]


def told(vitrine: Run, *words: str) -> list[str]:
    """Give what is told of a model, line by line."""
    return output_of(vitrine("models", "show", *words)).splitlines()


def listed(vitrine: Run, name: str) -> list[list[str]]:
    return [row for row in rows_of(output_of(vitrine("models", "list"))) if row[0] == name]


def test_the_shipped_models_are_listed_with_their_accuracy(vitrine: Run) -> None:
    rows = rows_of(output_of(vitrine("models", "list")))
    assert [[*row[:4], row[-1]] for row in rows] == [
        ["cats-vs-dogs", "1", "active", "2", "good"],
        ["digits", "1", "active", "10", "good"],
    ]
    assert all(re.fullmatch(r"9\d\.\d%", row[4]) for row in rows), rows


def test_every_version_is_listed_and_the_active_one_is_marked(vitrine: Run, services: Services) -> None:
    for accuracy in (0.75, 0.5, 0.25):
        publish(services.repository, metrics=(Metric("accuracy", accuracy),))
    services.repository.activate("shade", "2")
    assert listed(vitrine, "shade") == [
        ["shade", "1", "", "2", "75.0%", "good"],
        ["shade", "2", "active", "2", "50.0%", "good"],
        ["shade", "3", "", "2", "25.0%", "good"],
    ]


def test_a_model_without_a_measured_accuracy_has_none(vitrine: Run, services: Services) -> None:
    publish(services.repository)
    assert listed(vitrine, "shade") == [["shade", "1", "active", "2", "", "good"]]


def test_a_damaged_package_is_told_in_its_row(vitrine: Run, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    (publish(services.repository).folder / "manifest.json").write_text("{")
    (row,) = listed(vitrine, "shade")
    assert row[:5] == ["shade", "1", "active", "", ""]
    assert "manifest" in row[5]
    assert listed(vitrine, "digits")[0][-1] == "good"


def test_another_version_answers_once_it_is_activated(vitrine: Run, services: Services) -> None:
    publish(services.repository)
    publish(services.repository)
    ran = vitrine("models", "activate", "shade", "2")
    assert (ran.code, ran.out) == (0, "")
    nothing, active = ran.err.splitlines()
    assert nothing.startswith(
        "Nothing was replayed, so nobody knows yet which answers change: neither version came with samples"
    )
    assert active.startswith("shade 2 is active;")
    assert [row[2] for row in listed(vitrine, "shade")] == ["", "active"]


def test_what_was_active_before_answers_again(vitrine: Run, services: Services) -> None:
    for _ in range(3):
        publish(services.repository)
    output_of(vitrine("models", "activate", "shade", "3"))
    ran = vitrine("models", "rollback", "shade")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "shade 1 is active again; running workers follow within seconds.\n"
    assert refusal_of(vitrine("models", "rollback", "shade")).startswith("No version of 'shade' was active before '1'")
    assert services.repository.active_version("shade") == "1"


@pytest.mark.parametrize(("words", "given"), [(("--yes",), b""), ((), b"y\n")], ids=["unasked", "asked"])
def test_a_version_is_removed_for_good(vitrine: Run, services: Services, words: tuple[str, ...], given: bytes) -> None:
    publish(services.repository)
    publish(services.repository)
    ran = vitrine("models", "remove", "shade", "2", *words, given=given)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.endswith("shade 2 is removed.\n")
    assert ("Remove shade 2 for good?" in ran.err) is (words == ())
    assert services.repository.versions("shade") == ["1"]


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b""])
def test_a_version_stays_unless_the_question_is_answered_with_yes(vitrine: Run, services: Services, answer: bytes) -> None:
    publish(services.repository)
    publish(services.repository)
    assert vitrine("models", "remove", "shade", "2", given=answer).code == 1
    assert services.repository.versions("shade") == ["1", "2"]
    assert deeds_of(services) == []


@pytest.mark.parametrize("name", ["shade", "digits"])
def test_the_active_version_and_what_came_along_stay(vitrine: Run, services: Services, name: str) -> None:
    publish(services.repository)
    assert "stays" in refusal_of(vitrine("models", "remove", name, "1", "--yes"))
    assert services.repository.versions(name) == ["1"]
    assert deeds_of(services, name) == []


def test_what_is_done_is_written_down(vitrine: Run, services: Services) -> None:
    for _ in range(3):
        publish(services.repository)
    for words in (("activate", "shade", "2"), ("rollback", "shade"), ("remove", "shade", "3", "--yes")):
        assert vitrine("models", *words).code == 0
    assert deeds_of(services) == [
        ("command line", "removed", "version 3"),
        ("command line", "rolled back", "from version 2 to 1"),
        ("command line", "activated", "version 2 in place of 1"),
    ]


def test_an_import_and_its_activation_are_written_down(vitrine: Run, services: Services, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(make_classifier()))
    for _ in range(2):
        ran = vitrine("models", "import", tmp_path / "model.pkl", "--name", "shade", "--size", "2x2", "--weak-sandbox")
        assert ran.code == 0, ran
    assert deeds_of(services) == [
        ("command line", "activated", "version 2 in place of 1"),
        ("command line", "imported", "version 2 from model.pkl"),
        ("command line", "imported", "version 1 from model.pkl"),
    ]


def test_a_command_whose_database_cannot_be_opened_does_its_work_and_says_so(
    vitrine: Run, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        publish(services.repository)
    (tmp_path / "broken.db").write_text("Dear diary, " * 100)
    for url in (f"sqlite:///{tmp_path}/no-such-folder/a.db", f"sqlite:///{tmp_path}/broken.db"):
        monkeypatch.setenv("VITRINE_DATABASE_URL", url)
        for words, active in ((("activate", "shade", "2"), "2"), (("rollback", "shade"), "1")):
            ran = vitrine("models", *words)
            assert (ran.code, ran.out) == (0, "")
            assert ran.err.endswith("It could not be recorded who did this: the database cannot be opened or written to.\n")
            assert services.repository.active_version("shade") == active
    assert "could not be recorded" in vitrine("models", "remove", "shade", "3", "--yes").err
    assert services.repository.versions("shade") == ["1", "2"]
    assert deeds_of(services) == []


def test_a_version_is_told_with_where_it_came_from(vitrine: Run, services: Services) -> None:
    given: dict[str, Any] = {
        "summary": "Tells dark from light.",
        "metrics": (Metric("accuracy", 0.9876),),
        "answers": "decision_function",
    }
    folder = publish(services.repository, source=make_source(), **given).folder
    publish(services.repository)
    (folder / "card.md").write_text("# shade\n")
    lines = told(vitrine, "shade")
    assert lines == told(vitrine, "shade", "1")
    assert [line.split(maxsplit=1) for line in lines[:2]] == [
        ["shade", "1, the active version"],
        ["summary", "Tells dark from light."],
    ]
    for line in (
        "origin        imported from a pickle, 2026-01-01T00:00:00+00:00",
        "classes       dark, light",
        "a picture is  stretched to 2 × 2 pixels; RGB; 0 to 1; one flat row",
        "served by     scikit-learn, from source.pkl",
        "figures       accuracy 0.9876",
        "holds         LogisticRegression",
        "written with  scikit-learn 1.3.2",
        "confined by   limits on memory and time, no network, few system calls",
        f"digest        sha256:{'5e' * 32}",
        f"card          {folder / 'card.md'}",
        "It gives scores, not probabilities: each figure is a softmax of the classifier's decision values.",
        "Written with scikit-learn 1.3.2, opened with 1.9.1.",
    ):
        assert line in lines
    assert told(vitrine, "shade", "2")[0] == "shade 2"


def test_the_proof_of_a_version_is_told_form_by_form(vitrine: Run, services: Services) -> None:
    publish(services.repository, proof=make_proof(weak=True, rarest=3), source=make_source(trusted=True))
    printed = output_of(vitrine("models", "show", "shade"))
    assert "Served as the pickle its owner vouched for." in printed.splitlines()
    assert "Proven on 256 pictures: every label equal, largest difference 2e-7." in printed.splitlines()
    assert "Weak proof: some class was only 3 times the answer among these pictures, so little is shown of it." in printed
    assert rows_of(printed) == [
        ["as given", "–", "–", "0.60", "12.3", ""],
        ["scikit-learn", "256/256", "2e-7", "0.41", "3.25", "serves"],
        ["ONNX", "255/256", "0.04", "0.20", "1.50", "refused: one label differs"],
        ["forest", "–", "–", "–", "–", "refused: it holds trees only"],
    ]


def test_what_was_not_proven_has_no_table(vitrine: Run, services: Services) -> None:
    publish(services.repository, origin="trained")
    printed = output_of(vitrine("models", "show", "shade"))
    assert "origin        trained" in printed
    assert "Proven" not in printed
    assert rows_of(printed) == []


def test_nothing_that_a_file_says_of_itself_moves_the_terminal(vitrine: Run, services: Services) -> None:
    bad = "\x1b[2J\x9b1m\n\r"
    proof = make_proof(candidates=(Candidate("onnx", refused=bad),))
    source = make_source(estimators=(bad,), libraries={bad: bad}, differences=(bad,), confinement=(bad,), sha256=bad)
    publish(services.repository, classes=(f"dark{bad}", "light"), summary=bad, source=source, proof=proof)
    printed = output_of(vitrine("models", "show", "shade"))
    assert "dark\N{REPLACEMENT CHARACTER}[2J" in printed
    assert not set(printed) & set("\x1b\x9b\r")


@pytest.mark.parametrize("words", [("nothing",), ("digits", "9"), ("nothing", "1")])
@pytest.mark.parametrize("command", ["show", "verify"])
def test_what_is_not_here_is_told(vitrine: Run, command: str, words: tuple[str, ...]) -> None:
    assert refusal_of(vitrine("models", command, *words)).startswith("There is no ")


def test_every_version_is_verified_on_a_line_of_its_own(vitrine: Run, services: Services) -> None:
    publish(services.repository)
    publish(services.repository)
    assert output_of(vitrine("models", "verify")).splitlines() == [
        "cats-vs-dogs 1: good",
        "digits 1: good",
        "shade 1: good",
        "shade 2: good",
    ]
    assert output_of(vitrine("models", "verify", "shade")) == "shade 1: good\nshade 2: good\n"
    assert output_of(vitrine("models", "verify", "shade", "2")) == "shade 2: good\n"


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("manifest.json", b"{", "The manifest.json of shade 2 cannot be read."),
        ("source.pkl", b"changed", "The file 'source.pkl' of shade 2 is not the one its manifest pins."),
        ("samples/a.png", b"changed", "The file 'samples/a.png' of shade 2 is not the one its manifest pins."),
        ("samples/a.png", None, "The file 'samples/a.png' of shade 2 cannot be read."),
    ],
)
def test_a_damaged_version_is_told_and_the_code_says_so(
    vitrine: Run, services: Services, file: str, content: bytes | None, problem: str
) -> None:
    publish(services.repository)
    files = {"source.pkl": pickle.dumps(make_classifier()), "samples/a.png": make_picture()}
    folder = services.repository.publish(make_manifest(), files).folder
    (folder / file).unlink() if content is None else (folder / file).write_bytes(content)
    ran = vitrine("models", "verify", "shade")
    assert (ran.code, ran.out, ran.err) == (1, f"shade 1: good\nshade 2: damaged: {problem}\n", "")
    assert vitrine("models", "verify", "shade", "1").code == 0


def test_whole_files_that_do_not_answer_are_damaged_too(vitrine: Run, services: Services) -> None:
    for content in (b"no pickle", pickle.dumps(make_classifier(features=7))):
        services.repository.publish(make_manifest(), {"source.pkl": content})
    ran = vitrine("models", "verify", "shade")
    assert ran.code == 1
    assert re.fullmatch(r"shade 1: damaged: [^\n]+\nshade 2: damaged: [^\n]+\n", ran.out)


def test_the_first_command_that_writes_makes_a_private_folder(vitrine: Run, data: Path) -> None:
    assert vitrine("models", "activate", "digits", "1").code == 0
    assert data.stat().st_mode & 0o777 == 0o700


def test_a_version_that_there_is_not_cannot_be_activated(tmp_path: Path) -> None:
    ran = RunningSite(tmp_path).run("models", "activate", "digits", "7")
    refusal = refusal_of(Ran(ran.returncode, ran.stdout, ran.stderr))
    assert refusal == "There is no version '7' of a model called 'digits'."
