"""Who asks, where proxies stand in front: taken from their headers, and from nobody else's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Network = IPv4Network | IPv6Network


class TrustedProxies:
    """Takes the visitor's address, the scheme and the host from the last `hops` values of `X-Forwarded-For` and its like.

    Only where the peer is a proxy of ours: whoever reaches the server past it could claim to be anybody.
    """

    def __init__(self, application: WSGIApplication, *, hops: int, networks: Sequence[Network]) -> None:
        self._direct = application
        self._behind = ProxyFix(_without_port(application), x_for=hops, x_proto=hops, x_host=hops)
        self._networks = networks

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        application = self._behind if self._trusts(environ.get("REMOTE_ADDR", "")) else self._direct
        return application(environ, start_response)

    def _trusts(self, peer: str) -> bool:
        if not peer:  # a Unix socket: who may write to it is decided by the file system
            return True
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def _without_port(application: WSGIApplication) -> WSGIApplication:
    # Some platforms' proxies tell the visitor's port as well, which differs each time: nobody could be counted by it.
    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with suppress(ValueError):
            told = urlsplit(f"//{environ.get('REMOTE_ADDR', '')}")
            if told.port is not None and told.hostname:
                environ["REMOTE_ADDR"] = str(ip_address(told.hostname))
        return application(environ, start_response)

    return serve
