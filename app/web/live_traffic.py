"""The last hour as a page shows it, and as its script asks for it every few seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.services.telemetry.traffic_report import LATELY, MINUTES, Live
from app.web.charts import Chart, Drawn, Key, Mark, Scale, Table, duration, places, stacked, whole

_MINUTE = 60
_MARKS = (Mark(0, "60 min ago", "start"), Mark(50, "30 min ago"), Mark(100, "now", "end"))


@dataclass(frozen=True, slots=True)
class LiveFigure:
    """One figure of the last minutes, and by which name the script finds it."""

    key: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ShownLive:
    """The last hour, and figures of the last minutes."""

    figures: tuple[LiveFigure, ...]
    drawn: Drawn
    lately: int = LATELY


def shown_live(live: Live) -> ShownLive:
    """Give the last hour as the page shows it at first; its columns have a piece for each kind, so that they can grow."""
    scale = _scale(live)
    columns, rows = [], []
    for number, (answered, refused, (x, width)) in enumerate(zip(live.answered, live.refused, places(MINUTES), strict=True)):
        minute = f"{datetime.fromtimestamp(live.begins_at + number * _MINUTE, UTC):%H:%M}"
        words = f"{minute}: {whole(answered)} answered, {whole(refused)} refused"
        columns.append(stacked(x, width, words, scale, [("1", answered), ("refused", refused)]))
        rows.append((minute, whole(answered), whole(refused)))
    keys = (Key("1", "answered"), Key("refused", "refused"))
    chart = Chart("pictures a minute", scale.ticks(whole), _MARKS, tuple(columns), keys)
    table = Table("Pictures minute by minute, in UTC", ("From", "Answered", "Refused"), tuple(reversed(rows)))
    return ShownLive(_figures(live), Drawn(chart, table))


def live_values(live: Live) -> dict[str, Any]:
    """Give the same as values for the script, which draws as the page does."""
    scale = _scale(live)
    return {
        "begins_at": live.begins_at,
        "answered": live.answered,
        "refused": live.refused,
        "top": scale.top,
        "ticks": [tick.words for tick in scale.ticks(whole)],
        "figures": {figure.key: figure.value for figure in _figures(live)},
    }


def _figures(live: Live) -> tuple[LiveFigure, ...]:
    latency, answered, refused = live.latency, sum(live.answered[-LATELY:]), sum(live.refused[-LATELY:])
    return (
        LiveFigure("answered", "answers", whole(answered)),
        LiveFigure("median", "median", "–" if latency is None else duration(latency.median)),
        LiveFigure("p95", "95th percentile", "–" if latency is None else duration(latency.p95)),
        LiveFigure("refused", "pictures refused", whole(refused)),
        LiveFigure("failed", "requests failed", whole(sum(count for code, count in live.statuses.items() if code >= "500"))),
    )


def _scale(live: Live) -> Scale:
    return Scale(max(map(sum, zip(live.answered, live.refused, strict=True))), whole=True, halves=True)
