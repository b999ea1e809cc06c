"""Under which names the site answers: no name of somebody else's that leads here may lend us its visitors' trust."""

from __future__ import annotations

import os
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, request

from app.config import Settings
from app.errors import UnknownHost

# Probes of platforms ask by address, and learn nothing that is worth a trick.
_ANY_HOST = ("/livez", "/readyz")


def keep_to_known_hosts(app: Flask, settings: Settings) -> None:
    """Answer under the public address, the names in the settings and this machine's own, and under no other.

    Where no public address is set, any numeric address does: a name of somebody else's is what a trick would need.
    """
    names = {*settings.host_names, "localhost"}
    anonymous = not settings.public_url
    if anonymous:
        machine = os.uname().nodename.lower()
        names |= {machine, f"{machine}.local"}

    def check() -> None:
        if request.path not in _ANY_HOST and not _known(request.host, names, any_address=anonymous):
            raise UnknownHost("This site is not served under that name; its operator may add it to VITRINE_HOSTS.")

    app.before_request(check)


def _known(host: str, names: set[str], *, any_address: bool) -> bool:
    if "@" in host:  # what stands before it would be taken for a user's name
        return False
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if name in names:
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    return any_address or address.is_loopback
