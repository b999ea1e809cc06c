"""Tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click


def show_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table whose columns are as wide as what they hold."""
    lines = list(rows)
    widths = [max(len(line[column]) for line in (head, *lines)) for column in range(len(head))]

    def rule(left: str, dash: str, middle: str, right: str) -> str:
        return left + middle.join(dash * (width + 2) for width in widths) + right

    def row(cells: Sequence[str], side: str) -> str:
        return side + side.join(f" {cell:<{width}} " for cell, width in zip(cells, widths, strict=True)) + side

    click.echo(rule("┏", "━", "┳", "┓"))
    click.echo(row(head, "┃"))
    click.echo(rule("┡", "━", "╇", "┩"))
    for line in lines:
        click.echo(row(line, "│"))
    click.echo(rule("└", "─", "┴", "┘"))


def plain(text: str) -> str:
    """Give a text without what a terminal would obey: a stranger's file may name its classes so."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
