"""Settings that contradict each other, have no effect, or are dangerous together."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from app.addresses import is_loopback
from app.cli.checks.finding import Case, Finding, error, good, warning
from app.config import Settings
from app.errors import InvalidSettings
from app.services.mail import carrier


def agreement(case: Case) -> Iterator[Finding]:
    """Look for settings that do not go together."""
    settings = case.settings
    found = [*_network(settings), *_ways_in(settings), *_sizes(settings)]
    yield from found or [good("The settings agree with each other.")]


def letters(case: Case) -> Iterator[Finding]:
    """Look whether letters can be sent, and lead somewhere."""
    settings = case.settings
    where = settings.mail.get_secret_value()
    try:
        carrier(where)
    except InvalidSettings as wrong:
        yield error(str(wrong), "docs/settings.md tells what VITRINE_MAIL may be.")
        return
    if not where:
        if settings.mail_from:
            yield warning("VITRINE_MAIL_FROM has no effect, for no letters are sent.", "Set VITRINE_MAIL, too.")
        else:
            yield good("No letters are sent; who forgets a password asks an administrator.")
    elif where == "console" and _is_seen_elsewhere(settings):
        yield warning("Letters are only printed, so nobody gets the links in them.", "Let VITRINE_MAIL name a mail server.")
    elif where.startswith("smtp") and not settings.public_url:
        yield warning(f"Links in letters lead to {settings.address}.", "Set VITRINE_PUBLIC_URL to what people open.")
    else:
        yield good("Letters are sent.")


def _network(settings: Settings) -> Iterator[Finding]:
    if settings.plain_http and settings.https:
        yield warning("VITRINE_PLAIN_HTTP has no effect where the public address is https.", "Take it out.")
    elif settings.plain_http and _is_seen_elsewhere(settings):
        yield warning(
            "Passwords and cookies go over plain http beyond this machine (VITRINE_PLAIN_HTTP): anybody on the way reads them.",
            "Put https in front, and set VITRINE_PUBLIC_URL to it.",
        )
    elif not settings.https and not is_loopback(urlsplit(settings.address).hostname):
        yield error(
            f"Nobody can log in at {settings.address}: over plain http that is for this machine alone.",
            "Put https in front, and set VITRINE_PUBLIC_URL to it.",
        )
    if not settings.public_url and not is_loopback(settings.host):
        yield warning(
            f"The site listens on {settings.host} under any numeric address, and its links lead to {settings.address}.",
            "Set VITRINE_PUBLIC_URL to the address that people open.",
        )
    for origin in settings.allowed_origins:
        parts = urlsplit(origin)
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            yield warning(
                f"Pages of {origin} may use the API, and whoever is between them and their readers may change them.",
                "List its https address in VITRINE_CORS_ORIGINS instead.",
            )
    if settings.trusted_proxies and any(network.prefixlen == 0 for network in settings.proxy_networks):
        yield warning(
            "Everybody is believed to be a proxy, and may claim any address (VITRINE_PROXY_ADDRESSES).",
            "List the addresses of the proxies alone.",
        )


def _ways_in(settings: Settings) -> Iterator[Finding]:
    if settings.secret_key is not None and settings.secret_key_file is not None:
        yield warning("VITRINE_SECRET_KEY_FILE has no effect beside VITRINE_SECRET_KEY.", "Take one of them out.")
    if settings.model_uploads and settings.second_factor == "offered":
        yield warning(
            "A password alone lets somebody import models in the browser (VITRINE_MODEL_UPLOADS).",
            "Set VITRINE_SECOND_FACTOR=administrators.",
        )
    anybody = settings.access == "guests" or settings.registration == "open"
    if anybody and settings.visitor_limit == 0 and _is_seen_elsewhere(settings):
        yield warning("Strangers may send any number of pictures.", "Give VITRINE_VISITOR_LIMIT a number.")
    if settings.idle_hours > settings.login_days * 24:
        yield warning("VITRINE_IDLE_HOURS has no effect, for VITRINE_LOGIN_DAYS is less.", "Lower it, or take it out.")


def _sizes(settings: Settings) -> Iterator[Finding]:
    if settings.max_file_mb > settings.max_request_mb:
        yield warning(
            f"Pages take pictures of {settings.max_request_mb:g} MB at most (VITRINE_MAX_REQUEST_MB), "
            f"and the API of {settings.max_file_mb:g} MB (VITRINE_MAX_FILE_MB).",
            "Let VITRINE_MAX_REQUEST_MB be the larger one.",
        )


def _is_seen_elsewhere(settings: Settings) -> bool:
    """Tell whether other machines may reach the site, itself or by its public address."""
    return not (is_loopback(settings.host) and is_loopback(urlsplit(settings.address).hostname))
