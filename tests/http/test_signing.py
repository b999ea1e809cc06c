"""What was shown of a replay comes back as it was signed, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.factory import create_app
from app.http import signing
from app.http.signing import sign_figures, signed_figures
from app.services.replay import Figures
from tests.factories import make_settings

FIGURES = Figures("1", "2", 200, 7)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    app = create_app(make_settings(tmp_path))
    with app.app_context():
        yield app


@pytest.mark.usefixtures("app")
def test_what_was_signed_comes_back() -> None:
    assert signed_figures("shade", sign_figures("shade", FIGURES)) == FIGURES


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("change", [lambda _: "", lambda text: text[:-1], lambda text: "x" + text, lambda _: "W10.x.y"])
def test_what_was_not_signed_here_is_nothing(change: object) -> None:
    assert callable(change)
    assert signed_figures("shade", change(sign_figures("shade", FIGURES))) is None


@pytest.mark.usefixtures("app")
def test_it_is_good_for_its_own_model_alone() -> None:
    assert signed_figures("digits", sign_figures("shade", FIGURES)) is None


@pytest.mark.usefixtures("app")
def test_it_is_good_for_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    text = sign_figures("shade", FIGURES)
    monkeypatch.setattr(signing, "_SHOWN_SECONDS", -1)
    assert signed_figures("shade", text) is None


def test_another_sites_signature_is_nothing_here(app: Flask, tmp_path: Path) -> None:
    text = sign_figures("shade", FIGURES)
    with create_app(make_settings(tmp_path / "other")).app_context():
        assert signed_figures("shade", text) is None
