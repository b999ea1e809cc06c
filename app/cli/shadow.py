"""`vitrine models shadow`: a version beside the active one, which looks at pictures and answers nobody."""

from __future__ import annotations

import click

from app.cli.house import catch_up, open_house, open_models, tell_unrecorded
from app.cli.tables import plain
from app.composition import Services
from app.services.audit_log import COMMAND_LINE
from app.services.shadow_answers import Agreement
from app.services.shadows import share_in_words, share_of


@click.command()
@click.argument("name")
@click.argument("version", required=False)
@click.option("--share", default="100%", show_default=True, help="On how many of the pictures: 10% or 0.1.")
@click.option("--off", is_flag=True, help="Let nothing run in the shadow any more.")
def shadow(name: str, version: str | None, share: str, off: bool) -> None:
    """Let VERSION of the model NAME run in the shadow of the active one; without it, tell what runs there and how it agrees."""
    if off:
        if version is not None:
            raise click.UsageError("Name no version where none is to run any more.")
        recorded = open_models().shadows.end(name, COMMAND_LINE)
        click.echo(f"Nothing runs in the shadow of {name}; running workers follow within seconds.", err=True)
        tell_unrecorded(recorded)
    elif version is not None:
        part = share_of(share)
        recorded = open_models().shadows.begin(name, version, part, COMMAND_LINE)
        on = f"on {share_in_words(part)} of the pictures"
        click.echo(f"{name} {version} runs in the shadow, {on}; running workers follow within seconds.", err=True)
        tell_unrecorded(recorded)
    else:
        services = open_house()
        catch_up(services.repository)
        _tell(services, name)


def _tell(services: Services, name: str) -> None:
    active, state = services.repository.active_version(name), services.shadows.state(name)
    if state is None:
        click.echo(f"Nothing runs in the shadow of {name} {active}.")
        return
    click.echo(
        f"{name} {state.version} runs in the shadow of version {active}, on {share_in_words(state.share)} of the pictures."
    )
    for line in _lines(services.shadows.agreement(name, state.version)):
        click.echo(line)


def _lines(found: Agreement) -> list[str]:
    lines = [f"answered    {found.answered}, of which {found.same} as version {found.against} did and {found.other} otherwise"]
    lines.append(f"failed      {found.failed}")
    lines.append(f"passed over {found.passed_over}")
    if found.difference is not None and found.ms is not None:
        lines.append(f"difference  {found.difference:.4f} on average, between the probabilities of the class that was answered")
        lines.append(f"time        {found.ms:.1f} ms a picture, decoding included")
    lines += [plain(f"{pair.count:>6} times {pair.label} became {pair.shadow_label}") for pair in found.pairs]
    return lines
