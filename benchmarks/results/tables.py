"""The report's tables, in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median

from benchmarks.results.ratios import Figures, peak_mb
from benchmarks.results.targets import ALL_ON, BARE, Verdict, wanted_speed
from benchmarks.results.values import Cell, Kind, Measured

_NOTHING = "–"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float) -> str:
    """Write a number with three digits that count."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cells_table(figures: Figures, kinds: tuple[Kind, ...], value: Callable[[Measured], float]) -> str:
    """Give one number of every server in every cell: the median of the rounds."""
    servers = figures.servers(*kinds)
    rows = []
    for cell in figures.cells:
        seen = [figures.rounds(server, cell, value).values() for server in servers]
        if any(seen):
            rows.append([str(cell), *(number(median(values)) if values else _NOTHING for values in seen)])
    return table(["", *servers], rows)


def ratios_table(figures: Figures, kind: Kind, *, judged: bool) -> str:
    """Give both set-ups of Vitrine by the best peer of a kind in every cell, with the targets where they are for it."""
    rows = []
    for cell in figures.cells:
        ratios = {server: figures.speed_ratio(server, cell, kind) for server in (ALL_ON, BARE)}
        best = next((ratio.peer for ratio in ratios.values() if ratio is not None), None)
        if best is None:
            continue
        row = [str(cell), best, *(str(ratio) if ratio else _NOTHING for ratio in ratios.values())]
        if judged:
            row += _judged(cell, {server: ratio.middle for server, ratio in ratios.items() if ratio})
        rows.append(row)
    return table(["", "best peer", "all on", "bare", *(["target", ""] if judged else [])], rows)


def _judged(cell: Cell, middles: dict[str, float]) -> list[str]:
    """Give the targets of a cell and whether they were reached."""
    wanted, words = [], []
    for server, title in ((ALL_ON, "all on"), (BARE, "bare")):
        least = wanted_speed(server, cell)
        if least is not None:
            wanted.append(f"{title} {least:g}")
            if server in middles:
                words.append("reached" if middles[server] >= least else "not reached")
    return [", ".join(wanted) or _NOTHING, ", ".join(words) or _NOTHING]


def latencies_table(figures: Figures, kinds: tuple[Kind, ...]) -> str:
    """Give the medians of p50 and p99 of every server in every cell."""
    servers = figures.servers(*kinds)
    rows = []
    for cell in figures.cells:
        row = [str(cell)]
        for server in servers:
            seen = figures.measured(server, cell).values()
            shown = (median(m.p50_ms for m in seen), median(m.p99_ms for m in seen)) if seen else None
            row.append(f"{number(shown[0])} / {number(shown[1])}" if shown else _NOTHING)
        if any(shown != _NOTHING for shown in row[1:]):
            rows.append(row)
    return table(["", *servers], rows)


def starts_table(figures: Figures) -> str:
    """Give memory, cold start and the distance of the probabilities of every server with every model."""
    rows = []
    for model in sorted({turn.model for turn in figures.turns}):
        for server in figures.servers("vitrine", "plain", "draft"):
            turns = [turn for turn in figures.turns if (turn.server, turn.model) == (server, model)]
            if turns:
                starts = [turn.cold_start_s for turn in turns]
                shown = f"{median(starts):.2f} ({min(starts):.2f}–{max(starts):.2f})"
                distance = max(turn.distance for turn in turns)
                rows.append([model, server, f"{max(map(peak_mb, turns)):.0f}", shown, f"{distance:.4f}"])
    return table(["model", "server", "memory, MB", "cold start, s", "probabilities differ by"], rows)


def verdicts_table(found: Iterable[Verdict]) -> str:
    """Give every target, what was found, and whether that is enough."""
    return table(
        ["", "target", "found", ""], [[verdict.subject, verdict.wanted, verdict.found, verdict.word] for verdict in found]
    )
