"""The public address and the proxies in front: as the settings have them and, where that is allowed, as they answer."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator

from app.cli.checks.asking import Answer, ask
from app.cli.checks.finding import Case, Finding, error, good, warning
from app.cli.tables import plain
from app.config import Settings

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask, not what to bind to
_RESTART = "Restart it with the settings that this command was given."


def public_address(case: Case) -> Iterator[Finding]:
    """Say where people go, and whether proxies on the way are known."""
    settings = case.settings
    if settings.https:
        yield good(f"People open {settings.address}, over https.")
    elif not settings.public_url:
        yield good(f"No public address is set: {settings.address} is for this machine.")
    if settings.https and not settings.trusted_proxies:
        yield warning(
            "No proxy is trusted, so the limits and the log take all visitors for the one that ends https in front.",
            "Set VITRINE_TRUSTED_PROXIES=1, or how many there are; none where this server ends https itself.",
        )
    elif settings.trusted_proxies and not settings.public_url:
        yield warning("Proxies are trusted, and no public address is set.", "Set VITRINE_PUBLIC_URL to what people open.")
    elif settings.trusted_proxies:
        yield good(f"{settings.trusted_proxies} proxies are trusted, from {settings.proxy_addresses}.")


def running_site(case: Case) -> Iterator[Finding]:
    """Ask the site on this machine whether it is ready, and whether it heeds proxies."""
    settings = case.settings
    if not case.online:
        yield good("Not asked; --online asks the site here and its public address.")
        return
    host = _EVERYWHERE.get(settings.host, settings.host)
    here = f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
    try:
        answer = ask(here, "/readyz")
        problems = [plain(str(problem)) for problem in json.loads(answer.body)["problems"]]
    except OSError as away:
        yield warning(
            f"No site answers at {here} ({_reason(away)}).", "`vitrine serve` starts it, where it is not under another port."
        )
        return
    except (ValueError, KeyError, TypeError):
        yield error(f"What answers at {here} is another program.", "Choose another port, or end that program.")
        return
    for problem in problems:
        yield warning(f"The running site says: {problem}", "The log says more.")
    if answer.status != 200:
        yield error(f"The running site is not ready ({answer.status}).", "The log says more.")
    elif not problems:
        yield good(f"The site at {here} is ready.")
    if settings.https:
        yield _heeding(settings, ask(here, f"{settings.prefix}/login", Host=_name(settings), X_Forwarded_Proto="http"))


def online_address(case: Case) -> Iterator[Finding]:
    """Ask the public address, as a visitor would, whether it leads to this site."""
    settings = case.settings
    if not case.online or not settings.public_url:
        return
    try:
        alive = ask(settings.origin, f"{settings.prefix}/livez")
        login = ask(settings.origin, f"{settings.prefix}/login")
    except OSError as away:
        yield error(
            f"{settings.address} does not answer ({_reason(away)}).", "Look at its name, its certificate and the proxy."
        )
        return
    except ValueError:
        yield error(f"What answers at {settings.address} speaks no HTTP.", "Look at the name and the proxy in front.")
        return
    found = list(_wrong_there(settings, alive, login))
    yield from found or [good(f"{settings.address} leads here.")]


def _wrong_there(settings: Settings, alive: Answer, login: Answer) -> Iterator[Finding]:
    if alive.status != 200 or b'"alive"' not in alive.body:
        yield error(
            f"{settings.address}/livez answers {alive.status}, and not as this site does.", "Look where the proxy leads."
        )
    elif login.status == 308 and login.headers.get("location", "").rstrip("/") == f"{settings.address}/login":
        yield error(
            "Visitors are led in a circle, for the proxy says that they come over plain http.",
            "Let it send X-Forwarded-Proto with the scheme that the visitor used (https).",
        )
    elif login.status == 421:
        yield error(f"The running site does not know the name {_name(settings)}.", _RESTART)
    elif settings.https and "strict-transport-security" not in login.headers:
        yield warning("The running site does not know that people come over https.", _RESTART)


def _heeding(settings: Settings, answer: Answer) -> Finding:
    """Tell whether the running site believed a proxy of this machine that said that a visitor came over plain http."""
    heeds = answer.status == 308
    if heeds == bool(settings.trusted_proxies):
        return good(f"The running site heeds {'what proxies on this machine say' if heeds else 'no proxy'}.")
    if heeds:
        return warning("The running site heeds proxies, though the settings name none.", _RESTART)
    return warning(
        "The running site does not heed a proxy on this machine.",
        f"{_RESTART} Where the proxy is on another machine VITRINE_PROXY_ADDRESSES may leave this one out.",
    )


def _name(settings: Settings) -> str:
    return settings.origin.partition("://")[2]


def _reason(fault: OSError) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return fault.verify_message
    return fault.strerror or str(fault) or type(fault).__name__
