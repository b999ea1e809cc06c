"""What can be told of an address without asking anybody; how settings take them is told in test_config."""

from __future__ import annotations

import pytest

from app.addresses import is_loopback, is_numeric, listed


def test_a_list_has_commas_and_whatever_space() -> None:
    assert listed(" a.example.org,b.example.org , ,c ") == ["a.example.org", "b.example.org", "c"]
    assert listed("") == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1"])
def test_this_machine_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", [None, "", "127.example.org", "localhost.example.org", "10.0.0.1", "::2"])
def test_nobody_else_is_taken_for_this_machine(host: str | None) -> None:
    assert not is_loopback(host)


def test_numbers_are_told_from_names() -> None:
    assert [is_numeric(host) for host in ("192.0.2.1", "::1", "example.org", "192.0.2", "")] == [
        True,
        True,
        False,
        False,
        False,
    ]
