"""The accounts library's own pages make and check their hashes where ours are made, two at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask_security import hash_password, verify_password

from app.errors import Overloaded
from app.factory import create_app
from app.http.context import services
from app.services.accounts.passwords import Passwords
from tests.factories import make_settings

PASSWORD = "correct horse battery"


class Refusing(Passwords):
    """Has no place for anybody."""

    def hash(self, password: str) -> str:
        raise Overloaded("No place.")

    def verify(self, password: str, kept: str | None) -> bool:
        raise Overloaded("No place.")


def test_the_library_makes_its_hashes_where_ours_are_made(tmp_path: Path) -> None:
    app = create_app(make_settings(tmp_path))
    with app.test_request_context():
        ours = services().passwords
        assert ours.verify(PASSWORD, hash_password(PASSWORD))
        assert verify_password(PASSWORD, ours.hash(PASSWORD))
        assert app.extensions["security"].pwd_context is ours


def test_whoever_finds_no_place_is_told_so_and_may_come_back(tmp_path: Path) -> None:
    app = create_app(make_settings(tmp_path))
    app.extensions["security"].pwd_context = Refusing()
    app.add_url_rule("/hash", view_func=lambda: hash_password(PASSWORD))
    with pytest.raises(Overloaded), app.test_request_context():
        verify_password(PASSWORD, "a hash")
    answer = app.test_client().get("/hash")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
