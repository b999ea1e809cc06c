"""What other servers than Gunicorn need to find."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.running import Ran, Run, output_of
from tests.s3_server import RunningS3
from tests.serving import PASSWORD

AWAY = "The store of the models does not answer; please try again in a moment."


def test_the_data_folder_is_made_and_the_link_for_the_first_administrator_printed(vitrine: Run, data: Path) -> None:
    links = {output_of(vitrine("prepare")) for _ in range(2)}
    assert len(links) == 2  # as with `vitrine serve`, only the latest is good
    assert all(re.fullmatch(r"http://127.0.0.1:8000/setup/\S+\n", link) for link in links)
    assert {"vitrine.db", "secret_key"} <= {path.name for path in data.iterdir()}


def test_where_there_is_an_account_nothing_is_printed(vitrine: Run) -> None:
    made = vitrine("users", "create", "ada@example.org", "--password-stdin", given=f"{PASSWORD}\n".encode())
    assert made.code == 0
    assert output_of(vitrine("prepare")) == ""


def last_line(ran: Ran) -> str:
    """Give what stands on standard error below what was logged."""
    return ran.err.splitlines()[-1]


def test_a_store_that_was_never_reached_stops_the_start_and_a_known_one_is_gone_on_without(
    vitrine: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_STORE", RunningS3.url)
    with RunningS3(tmp_path) as store:
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        store.freeze()
        ran = vitrine("prepare")
        assert (ran.code, last_line(ran)) == (1, f"vitrine: The models in the store cannot be fetched: {AWAY}")
        store.thaw()
        assert "/setup/" in output_of(vitrine("prepare"))
    ran = vitrine("prepare")
    assert last_line(ran) == f"{AWAY} This machine goes on with the models that it has."
    assert "/setup/" in output_of(ran)
    ran = vitrine("models", "activate", "digits", "1")
    assert (ran.code, last_line(ran)) == (1, f"vitrine: {AWAY}")


def test_a_shared_folder_is_made_and_holds_nothing_that_is_a_machines_own(
    vitrine: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_STORE", str(tmp_path / "shared"))
    vitrine("prepare")
    vitrine("models", "activate", "digits", "1")
    assert {path.name for path in (tmp_path / "shared").iterdir()} == {"models"}
    assert not (data / "models").exists()
