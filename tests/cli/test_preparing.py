"""What other servers than Gunicorn need to find."""

from __future__ import annotations

import re
from pathlib import Path

from tests.cli.running import Run, output_of
from tests.serving import PASSWORD


def test_the_data_folder_is_made_and_the_link_for_the_first_administrator_printed(vitrine: Run, data: Path) -> None:
    links = {output_of(vitrine("prepare")) for _ in range(2)}
    assert len(links) == 2  # as with `vitrine serve`, only the latest is good
    assert all(re.fullmatch(r"http://127.0.0.1:8000/setup/\S+\n", link) for link in links)
    assert {"vitrine.db", "secret_key"} <= {path.name for path in data.iterdir()}


def test_where_there_is_an_account_nothing_is_printed(vitrine: Run) -> None:
    made = vitrine("users", "create", "ada@example.org", "--password-stdin", given=f"{PASSWORD}\n".encode())
    assert made.code == 0
    assert output_of(vitrine("prepare")) == ""
