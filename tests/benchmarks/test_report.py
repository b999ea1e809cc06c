"""The report goes between its marks; runs are written, read and joined."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.results.report import BEGIN, END, report, write_report
from benchmarks.results.values import Failure, Results, join, read_results, write_results
from tests.benchmarks.runs import make_measured, make_results, make_turn


@pytest.fixture
def results() -> Results:
    speeds = {"vitrine": 80.0, "vitrine-bare": 90.0, "flask": 20.0, "flask+draft": 40.0}
    turns = [
        make_turn(name, number, make_measured("A2 c=8", speed * number)) for number in (1, 2) for name, speed in speeds.items()
    ]
    return make_results(*turns, failures=(Failure("mlserver", "A", 1, "it ended with status 1"),))


def test_prose_around_the_marks_stays(tmp_path: Path, results: Results) -> None:
    document = tmp_path / "performance.md"
    document.write_text(f"# Speed\n\nBefore.\n\n{BEGIN}\nstale words\n{END}\n\nAfter.\n", encoding="utf-8")
    write_report(results, document)
    written = document.read_text(encoding="utf-8")
    assert written.startswith(f"# Speed\n\nBefore.\n\n{BEGIN}\n")
    assert written.endswith(f"\n{END}\n\nAfter.\n")
    assert "stale words" not in written
    write_report(results, document)
    assert document.read_text(encoding="utf-8") == written


def test_a_document_without_marks_is_left_alone(tmp_path: Path, results: Results) -> None:
    document = tmp_path / "performance.md"
    document.write_text("# Speed\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no place for the report"):
        write_report(results, document)
    assert document.read_text(encoding="utf-8") == "# Speed\n"


def test_the_report_tells_both_comparisons_the_targets_and_what_failed(results: Results) -> None:
    lines = report(results).splitlines()
    assert "| A2 c=8 | flask | 4.00 (4.00–4.00) | 4.50 (4.50–4.50) | all on 4 | reached |" in lines
    assert "| A2 c=8 | flask+draft | 2.00 (2.00–2.00) | 2.25 (2.25–2.25) |" in lines
    assert "| A2 c=8 | 120 | 135 | 30.0 |" in lines
    assert "- mlserver with model A, round 1: it ended with status 1" in lines


def test_a_run_without_peers_is_reported_too() -> None:
    assert "vitrine" in report(make_results(make_turn("vitrine", 1, make_measured("A1 c=1"))))


def test_a_busy_machine_is_told() -> None:
    quiet, busy = (make_turn("vitrine", 1, make_measured("A1 c=1", others_cores=cores)) for cores in (0.02, 0.8))
    assert "disturbed" not in report(make_results(quiet))
    assert "They disturbed: take the ratios as rough." in report(make_results(busy))


def test_results_come_back_as_they_were_written(tmp_path: Path, results: Results) -> None:
    write_results(results, tmp_path / "new" / "results.json")
    assert read_results(tmp_path / "new" / "results.json") == results


def test_rounds_of_joined_runs_count_on(results: Results) -> None:
    joined = join(results, make_results(make_turn("fastapi", 1, make_measured("A1 c=1"))))
    assert [turn.round for turn in joined.turns if turn.server == "fastapi"] == [3]
    assert [server.name for server in joined.servers] == ["vitrine", "vitrine-bare", "flask", "flask+draft", "fastapi"]
