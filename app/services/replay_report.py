"""What is told of a replay, on a page and on the command line: what was replayed, and what was not."""

from __future__ import annotations

from app.services.replay import Replay

_SMALLER = (
    "Kept pictures are small copies of what was sent, of at most 1,024 pixels a side: "
    "for the photo itself each version may answer otherwise."
)


def report_replay(replay: Replay) -> tuple[str, ...]:
    """Give what was replayed in sentences; where nothing was, why, and that nothing is known of what changes."""
    lines = [_replayed(replay)]
    if len(replay.compared) > replay.samples:
        lines.append(_SMALLER)
    if replay.passed_over:
        lines.append(f"{_pictures(replay.passed_over)} could not be answered again: gone, or not to be read.")
    if replay.left:
        lines.append(f"For {replay.left} more there was no time.")
    if replay.trouble:
        lines.append(replay.trouble)
    return tuple(lines)


def _replayed(replay: Replay) -> str:
    kept = len(replay.compared) - replay.samples
    samples = f"{replay.samples} sample {'picture' if replay.samples == 1 else 'pictures'}"
    newest = "newest picture that is" if kept == 1 else f"{kept} newest pictures that are"
    of_answers = f"the {newest} kept of this model's answers"
    if replay.samples and kept:
        return f"Replayed: {samples}, and {of_answers}."
    if replay.compared:
        return f"Replayed: {of_answers if kept else samples}."
    if replay.passed_over or replay.trouble:
        return "Nothing was replayed, so nobody knows yet which answers change."
    return (
        "Nothing was replayed, so nobody knows yet which answers change: "
        "neither version came with samples, and no picture is kept of this model's answers."
    )


def _pictures(number: int) -> str:
    return "1 picture" if number == 1 else f"{number} pictures"
