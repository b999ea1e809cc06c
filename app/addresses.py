"""How addresses are written: those that settings name, and what can be told of one without asking anybody."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*/?")
# As browsers write them: nothing behind the name but a port that is not the usual one.
_ORIGIN = re.compile(r"(http(?!.*:80$)|https(?!.*:443$))://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?")

_BUCKET = re.compile(r"(s3|gs|az)://[^/\s?#@:]+(/[^\s?#]*)?")


def listed(text: str) -> list[str]:
    """Give what stands between commas."""
    return [part for part in (piece.strip() for piece in text.split(",")) if part]


def web_address(url: str) -> str:
    """Give the address of a site, which may be below a path, without a slash at the end; raise ValueError where it is none."""
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
        raise ValueError("must be an address such as https://photos.example.org")
    if not _PLAIN_PATH.fullmatch(parts.path):  # it goes into a cookie and into servers' settings
        raise ValueError("may have a path of letters, digits, dots, dashes and underscores, such as /vitrine")
    return url.rstrip("/")


def issuer(url: str) -> str:
    """Give the address of a provider of logins, which nobody on the way may read; raise ValueError where it is none."""
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    if url and (not secure or not parts.hostname or parts.query or parts.fragment):
        raise ValueError("must be an address such as https://login.example.org, over http on this machine alone")
    return url.rstrip("/")


def names(text: str) -> str:
    """Give names of machines with commas between them as they are; raise ValueError where one is none."""
    if any(urlsplit(f"//{name}").hostname != name.lower() for name in listed(text)):
        raise ValueError("must be names such as photos.example.org, with commas between them")
    return text


def origins(text: str) -> str:
    """Give origins with commas between them as they are; raise ValueError where one is none."""
    if not all(map(_ORIGIN.fullmatch, listed(text.lower()))):
        raise ValueError("must be origins such as https://app.example.org, without a path, with commas between them")
    return text


def networks(text: str) -> str:
    """Give networks with commas between them as they are; raise ValueError where one is none."""
    try:
        list(map(ip_network, listed(text)))
    except ValueError as error:
        raise ValueError("must be addresses such as 10.0.0.0/8 or ::1, with commas between them") from error
    return text


def is_bucket(text: str) -> bool:
    """Tell whether this is the address of an object store and not a folder; raise ValueError for one that is none of ours."""
    if "://" in text and not _BUCKET.fullmatch(text):
        raise ValueError("must be a folder, or an address such as s3://bucket/prefix, gs:// or az://, without keys")
    return "://" in text


def is_numeric(host: str) -> bool:
    """Tell whether a machine is named by a number."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str | None) -> bool:
    """Tell whether a name or an address is this machine's own; parsed, since anybody may own one such as 127.example.org."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False
