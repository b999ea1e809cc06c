"""The letters of a site that puts them into the folder `letters` beside its data."""

from __future__ import annotations

import re
import time
from email import message_from_bytes, policy

from tests.serving import RunningSite


def letters(site: RunningSite, to: str) -> list[str]:
    """Give the texts of the letters to an address, in the order they were written."""
    files = sorted((site.data.parent / "letters").glob("*.eml"))
    found = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    return [letter.get_content() for letter in found if letter["To"] == to]


def wait_for_letter(site: RunningSite, to: str, count: int = 1) -> str:
    """Give the text of the letter to an address that is this many, when it is there."""
    deadline = time.monotonic() + 10
    while len(found := letters(site, to)) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found[count - 1]


def link_in(letter: str, path: str) -> str:
    """Give the address of the one link in a letter that begins with a path, without its host."""
    (found,) = re.findall(rf"^http://[^/]+({path}\S+)$", letter, re.MULTILINE)
    return str(found)
