"""Settings that cannot be used are all told, and the others are read."""

from __future__ import annotations

import pytest

from app.cli.checks.finding import Level
from app.cli.checks.reading import read_settings


def test_good_ones_are_read_and_said_to_be_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_PORT", "9000")
    settings, found = read_settings()
    assert settings.port == 9000
    assert [finding.level for finding in found] == [Level.GOOD]


def test_each_wrong_one_is_told_and_the_others_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"VITRINE_PORT": "correct-horse", "VITRINE_MAX_FOTOS": "3", "VITRINE_ACCESS": "all", "VITRINE_OIDC_CLIENT": "a"}
    for name, value in {**wrong, "VITRINE_KEEP_DAYS": "7"}.items():
        monkeypatch.setenv(name, value)
    settings, found = read_settings()
    assert (settings.port, settings.access, settings.keep_days, settings.oidc_client) == (8000, "private", 7, "")
    told = [finding.what for finding in found]
    assert {finding.level for finding in found} == {Level.ERROR}
    assert len(told) == 4
    assert told[0] == "There is no setting VITRINE_MAX_FOTOS, which keeps the site from starting."
    assert sum(sentence.startswith(("VITRINE_PORT: ", "VITRINE_ACCESS: ")) for sentence in told) == 2
    assert told[3] == ("For logging in through a provider VITRINE_OIDC_URL and VITRINE_OIDC_SECRET must be set, too.")
    assert "correct-horse" not in " ".join(told)


def test_a_setting_that_needs_another_is_told_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_REGISTRATION", "open")
    settings, found = read_settings()
    assert settings.registration == "invited"
    assert [finding.what.endswith("set VITRINE_MAIL as well.") for finding in found] == [True]


def test_a_port_that_the_platform_gives_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "99999")
    settings, found = read_settings()
    assert (settings.port, len(found)) == (8000, 1)
