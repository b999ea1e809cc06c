"""What a command tells before it lets another version answer: what was replayed, and which answers flip."""

from __future__ import annotations

import click

from app.cli.house import tell_unrecorded
from app.cli.tables import plain, show_table
from app.composition import Services
from app.errors import AnswersFlip
from app.inference.naming import percent
from app.inference.prediction import ClassScore
from app.services.audit_log import COMMAND_LINE
from app.services.replay import Compared, Replay, SamplePicture
from app.services.replay_report import report_replay
from app.services.versions import Change

_LISTED = 40


def let_answer(house: Services, name: str, version: str, *, yes: bool = False) -> Change:
    """Tell what a version would change and let it answer, or raise AnswersFlip with how to let it all the same."""
    replay = house.versions.rehearse(name, version)
    if replay is not None:
        _tell(replay)
    figures = None if replay is None else replay.figures
    try:
        return house.versions.activate(name, version, COMMAND_LINE, figures=figures, confirmed=yes)
    except AnswersFlip as error:
        raise AnswersFlip(f"{error} To let it answer all the same: vitrine models activate {name} {version} --yes") from error


def let_imported_answer(house: Services, name: str, version: str) -> None:
    """Do the same for what was just imported; what would change too much waits, and the command has done its work."""
    try:
        change = let_answer(house, name, version)
    except AnswersFlip as error:
        click.echo(f"{name} {version} is imported and not active. {error}", err=True)
        return
    click.echo(f"{name} {change.active} is imported and active; running workers follow within seconds.", err=True)
    tell_unrecorded(change.recorded)


def _tell(replay: Replay) -> None:
    told = report_replay(replay)
    if replay.compared:
        click.echo(f"Answered by version {replay.old} and by version {replay.new}:")
        _figures(replay)
        _flips(replay)
    for sentence in told:
        click.echo(sentence, err=not replay.compared)


def _figures(replay: Replay) -> None:
    figures, right = replay.figures, replay.right
    head = ["replayed", "same", "flipped"]
    row = [str(figures.replayed), str(figures.replayed - figures.flipped), str(figures.flipped)]
    if right is not None:
        before, after, known = right
        head += [f"right by version {replay.old}", f"right by version {replay.new}"]
        row += [f"{before} of {known}", f"{after} of {known}"]
    show_table(head, [row])


def _flips(replay: Replay) -> None:
    for flip in replay.flips[:_LISTED]:
        click.echo(plain(f"{_named(flip)}: {_said(flip.before)} -> {_said(flip.after)}"))
    if len(replay.flips) > _LISTED:
        click.echo(f"and {len(replay.flips) - _LISTED} more")


def _named(flip: Compared) -> str:
    picture = flip.picture
    return f"{picture.file} of version {picture.version}" if isinstance(picture, SamplePicture) else picture.prediction_id


def _said(answer: ClassScore) -> str:
    return f"{answer.label} ({percent(answer.probability)})"
