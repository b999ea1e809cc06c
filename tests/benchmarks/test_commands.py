"""The benchmark's page tells of every option and peer, and the commands take what it shows."""

from __future__ import annotations

import re
from pathlib import Path

import click
from click.testing import CliRunner

from benchmarks.__main__ import DOCUMENT, benchmarks, compare
from benchmarks.results.report import BEGIN, END
from benchmarks.results.values import write_results
from benchmarks.servers.peers import PEERS
from tests.benchmarks.runs import make_measured, make_results, make_turn

PAGE = DOCUMENT.read_text(encoding="utf-8")


def test_every_option_and_every_peer_is_on_the_page() -> None:
    options = {
        name for option in compare.params if isinstance(option, click.Option) for name in [*option.opts, *option.secondary_opts]
    }
    shown = set(re.findall(r"--[a-z][a-z-]*", PAGE)) - {"--help"}
    assert shown == options - {"--plain", "--draft"}
    assert all(f"`{name}`" in PAGE for name in PEERS)


def test_the_page_has_a_place_for_the_report() -> None:
    assert PAGE.index(BEGIN) < PAGE.index(END)


def test_a_word_that_is_on_no_list_is_refused_with_the_list() -> None:
    refused = CliRunner().invoke(benchmarks, ["compare", "--peers", "flask,apache"])
    assert refused.exit_code == 2
    assert "'apache' is none of fastapi, flask," in refused.output


def test_the_report_is_written_again_from_several_results(tmp_path: Path) -> None:
    files = [tmp_path / "monday.json", tmp_path / "tuesday.json"]
    for file in files:
        write_results(make_results(make_turn("vitrine", 1, make_measured("A1 c=1"))), file)
    document = tmp_path / "page.md"
    document.write_text(f"{BEGIN}\n{END}\n", encoding="utf-8")
    done = CliRunner().invoke(benchmarks, ["report", *map(str, files), "--document", str(document)])
    assert done.exit_code == 0, done.output
    assert "9 photos; 2 rounds;" in document.read_text(encoding="utf-8")
