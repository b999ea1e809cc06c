"""Whose word counts on where a request came from."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app.http.proxies import TrustedProxies

NETWORKS = tuple(map(ip_network, ("10.0.0.0/8", "127.0.0.0/8", "fd00::/8", "::1")))


def seen_from(peer: str, forwarded: str = "203.0.113.9", hops: int = 1) -> str:
    """Give the address that the application sees of a request from a peer."""
    seen: list[Any] = []

    def application(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(environ["REMOTE_ADDR"])
        start_response("200 OK", [])
        return [b""]

    environ = EnvironBuilder(environ_base={"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}).get_environ()
    run_wsgi_app(TrustedProxies(application, hops=hops, networks=NETWORKS), environ)
    return str(seen[0])


@pytest.mark.parametrize("peer", ["10.1.2.3", "127.0.0.1", "fd12::1", "::1", "::ffff:10.1.2.3", ""])
def test_a_proxy_of_ours_is_believed(peer: str) -> None:
    assert seen_from(peer) == "203.0.113.9"


@pytest.mark.parametrize("peer", ["11.1.2.3", "203.0.113.1", "fe80::1", "::ffff:11.1.2.3", "unix:", "10.1.2.3.4"])
def test_nobody_else_is(peer: str) -> None:
    assert seen_from(peer) == peer


def test_what_a_visitor_wrote_before_the_proxy_did_is_ignored() -> None:
    assert seen_from("10.1.2.3", "198.51.100.1, 203.0.113.9") == "203.0.113.9"
    assert seen_from("10.1.2.3", "198.51.100.1, 203.0.113.9, 10.0.0.7", hops=2) == "203.0.113.9"


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("203.0.113.9:51234", "203.0.113.9"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        *(
            (same, same)
            for same in ("2001:db8::7", "2001:db8::443", "::1", "unknown", "proxy:8000", "[2001:db8::7", "203.0.113.9:")
        ),
    ],
)
def test_the_port_that_some_proxies_tell_is_no_part_of_who_asks(told: str, address: str) -> None:
    assert seen_from("10.1.2.3", told) == address
