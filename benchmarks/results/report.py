"""The generated part of docs/performance.md; what people wrote around it stays as it is."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from benchmarks.results.ratios import Figures
from benchmarks.results.tables import (
    cells_table,
    latencies_table,
    ratios_table,
    starts_table,
    table,
    verdicts_table,
)
from benchmarks.results.targets import verdicts
from benchmarks.results.values import Results

BEGIN = "<!-- Written by `make bench`, from here -->"
END = "<!-- to here -->"
_DISTURBED_CORES = 0.15


def report(results: Results) -> str:
    """Give everything that a run found, in Markdown."""
    figures = Figures(results)
    judged = verdicts(figures)
    reached = sum(verdict.reached for verdict in judged)
    parts = [
        _circumstances(figures),
        f"### Targets\n\n{reached} of {len(judged)} reached.\n\n{verdicts_table(judged)}" if judged else "",
        *_plain(figures),
        *_drafts(figures),
        "### Processor time of the server, ms a request\n\n"
        + cells_table(figures, ("vitrine", "plain", "draft"), lambda measured: measured.cpu_ms),
        "### Memory and start\n\n" + starts_table(figures),
        _floors(results),
        _failures(figures),
    ]
    return "\n\n".join(part for part in parts if part)


def write_report(results: Results, document: Path) -> None:
    """Put the report into a document, or raise ValueError where it has no place for it."""
    write_between(BEGIN, END, report(results), document)


def write_between(first: str, last: str, text: str, document: Path) -> None:
    """Put text between the marks of a document, or raise ValueError where it has none."""
    before, begin, rest = document.read_text(encoding="utf-8").partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"{document.name} has no place for the report: {first} and {last}.")
    document.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def _circumstances(figures: Figures) -> str:
    results, machine = figures.results, figures.results.machine
    others = [measured.others_cores for turn in figures.turns for measured in turn.measured]
    lines = [
        f"{results.date}; {machine.cores_used} cores of {machine.cores} ({machine.processor}), {machine.memory_gb:.0f} GB, "
        f"Linux {machine.kernel}, Python {machine.python}; {results.pictures}; {results.rounds} rounds; cells of "
        f"{results.seconds:g} seconds, longer ones for picture 3."
    ]
    if others:
        loud = " **They disturbed: take the ratios as rough.**" if median(others) > _DISTURBED_CORES else ""
        lines.append(f"Others kept {median(others):.2f} cores busy (median over cells; at most {max(others):.2f}).{loud}")
    versions = [
        [server.name, server.title, ", ".join(f"{name} {version}" for name, version in server.versions.items())]
        for server in results.servers
        if server.kind != "draft"
    ]
    return "\n".join(lines) + "\n\n" + table(["name", "server", "versions"], versions)


def _plain(figures: Figures) -> list[str]:
    speeds = cells_table(figures, ("vitrine", "plain"), lambda measured: measured.per_second)
    ratios = ratios_table(figures, "plain", judged=True)
    return [
        f"### Against peers as people write them\n\nAnswers a second:\n\n{speeds}",
        f"By the best peer of a cell, median of the rounds (lowest–highest):\n\n{ratios}" if figures.servers("plain") else "",
        f"Latency, ms, p50 / p99:\n\n{latencies_table(figures, ('vitrine', 'plain'))}",
    ]


def _drafts(figures: Figures) -> list[str]:
    if not figures.servers("draft"):
        return []
    speeds = cells_table(figures, ("draft",), lambda measured: measured.per_second)
    ratios = ratios_table(figures, "draft", judged=False)
    return [
        "### Against peers that were given `draft` too\n\nAnswers a second, where a picture is large enough for it to matter:"
        f"\n\n{speeds}",
        f"Vitrine by the best of these peers, median of the rounds (lowest–highest):\n\n{ratios}",
        f"Latency, ms, p50 / p99:\n\n{latencies_table(figures, ('draft',))}",
    ]


def _floors(results: Results) -> str:
    rows = []
    for case in sorted({floor.case for floor in results.floors}):
        seen = [floor for floor in results.floors if floor.case == case]
        decode, predict = median(floor.decode_ms for floor in seen), median(floor.predict_ms for floor in seen)
        rows.append([case, f"{decode:.2f}", f"{predict:.2f}", f"{decode + predict:.2f}"])
    if not rows:
        return ""
    head = ["case", "decode and prepare", "model", "both"]
    return "### The same work in one process, ms of processor time a picture\n\n" + table(head, rows)


def _failures(figures: Figures) -> str:
    lines = [
        f"- {failure.server} with model {failure.model}, round {failure.round}: {failure.reason}"
        for failure in figures.results.failures
    ]
    for turn in figures.results.turns:
        for measured in turn.measured:
            if measured.errors or not measured.answers:
                status = f", the latest with status {measured.wrong_status}" if measured.wrong_status else ""
                told = f"{measured.errors or 'no'} errors beside {measured.answers or 'no'} answers{status}"
                lines.append(f"- {turn.server}, {measured.cell}, round {turn.round}: {told}")
    return "### Errors\n\n" + ("\n".join(lines) if lines else "None, of any server.")
