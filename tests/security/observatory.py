"""The score that the HTTP Observatory would give an answer: its published rules, written down again for one answer at a time.

The rules are those of mdn-http-observatory as of 2026 (developer.mozilla.org/en-US/observatory/docs/tests_and_scoring,
and pull request 498 of the project for the two newest): a site begins with 100 points; what is missing or wrong takes points
away; bonuses count only where at least 90 points are left without them; 100 points are an A+.

Twelve tests. The most one can have is 165: 100, and 10 each for a policy of content that begins with `default-src 'none'`, for
CORP, COOP and COEP, and 5 each for cookies, Referrer-Policy, framing, checksums of scripts (SRI), and for being on the list of
hosts that browsers ship (HSTS preload), which no site can be by its answers alone. Without that list and without cookies and
scripts, as an answer of the API, it is 150.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookies import SimpleCookie

_BROAD = {"*", "http:", "https:", "ftp:", "http://*", "https://*", "http://*.*", "https://*.*"}
_PRIVATE_REFERRERS = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}
_HALF_A_YEAR = 15_768_000
_ENOUGH_FOR_BONUSES = 90


@dataclass(frozen=True)
class Answer:
    """What is scored: headers, every Set-Cookie, the body, and whether plain http leads to https."""

    headers: Mapping[str, str]
    cookies: Sequence[str]
    body: str
    plain_http_answers: bool

    def header(self, name: str) -> str | None:
        """Give a header in small letters, or None."""
        value = self.headers.get(name)
        return None if value is None else value.strip().lower()


def score(answer: Answer) -> tuple[int, dict[str, int]]:
    """Give the points, and what each test added or took."""
    found = {name: test(answer) for name, test in _TESTS.items()}
    base = max(0, 100 + sum(points for points in found.values() if points < 0))
    bonus = sum(points for points in found.values() if points > 0)
    return base + (bonus if base >= _ENOUGH_FOR_BONUSES else 0), found


def grade(points: int) -> str:
    """Give the letter for so many points."""
    chart = ((100, "A+"), (90, "A"), (85, "A-"), (80, "B+"), (70, "B"), (65, "B-"), (60, "C+"), (50, "C"), (45, "C-"))
    return next((letter for least, letter in (*chart, (40, "D+"), (30, "D"), (25, "D-")) if points >= least), "F")


def directives(policy: str) -> dict[str, list[str]]:
    """Give the directives of a policy of content; of two of one name the first counts."""
    found: dict[str, list[str]] = {}
    for part in policy.split(";"):
        name, *sources = part.split() or [""]
        if name:
            found.setdefault(name.lower(), sources)
    return found


def _content_security_policy(answer: Answer) -> int:
    text = answer.header("Content-Security-Policy")
    if text is None:
        return -25
    policy = directives(text)
    default = policy.get("default-src", ["*"])
    script, styles, objects = (policy.get(name, default) for name in ("script-src", "style-src", "object-src"))
    if {*script} & {*_BROAD, "'unsafe-inline'", "data:"} or {*objects} & _BROAD:
        return -20
    passive = [source for name in ("img-src", "media-src") for source in policy.get(name, default)]
    active = [source for name, sources in policy.items() if name not in ("img-src", "media-src") for source in sources]
    if any(source.startswith(("http:", "ftp:")) for source in active):
        return -20
    if "'unsafe-eval'" in {*script, *styles} or any(source.startswith(("http:", "ftp:")) for source in passive):
        return -10
    if {*styles} & {*_BROAD, "'unsafe-inline'", "data:"}:
        return 0
    return 10 if default == ["'none'"] else 5


def _cookies(answer: Answer) -> int:
    if not answer.cookies:
        return 0
    points, hsts = 5, _hsts(answer) >= 0
    for line in answer.cookies:
        for name, morsel in SimpleCookie(line).items():
            session = any(word in name.lower() for word in ("login", "sess"))
            if not morsel["secure"]:
                points = min(points, (-10 if hsts else -40) if session else (-5 if hsts else -20))
            if session and not morsel["httponly"]:
                points = min(points, -30)
            if not morsel["samesite"]:
                points = min(points, -20 if "csrf" in name.lower() else 0)
            elif morsel["samesite"].lower() not in ("lax", "strict", "none"):
                points = min(points, -20)
    return points


def _cross_origin_sharing(answer: Answer) -> int:
    anybody = answer.header("Access-Control-Allow-Origin") not in (None, "*")
    return -50 if anybody and answer.header("Access-Control-Allow-Credentials") == "true" else 0


def _redirection(answer: Answer) -> int:
    return -20 if answer.plain_http_answers else 0


def _referrer(answer: Answer) -> int:
    text = answer.header("Referrer-Policy")
    if text is None:
        return 0
    return 5 if text.rpartition(",")[2].strip() in _PRIVATE_REFERRERS else -5


def _hsts(answer: Answer) -> int:
    found = re.match(r"max-age=\"?(\d+)", answer.header("Strict-Transport-Security") or "")
    if not found:
        return -20
    return 0 if int(found[1]) >= _HALF_A_YEAR else -10


def _scripts(answer: Answer) -> int:
    if not (answer.header("Content-Type") or "").startswith("text/html"):
        return 0
    reader = _Scripts()
    reader.feed(answer.body)
    foreign = [script for script in reader.found if re.match(r"\w+:|//", script["src"])]
    for script in foreign:
        if not script["src"].startswith("https://"):
            return -20 if script.get("integrity") else -50
        if not script.get("integrity"):
            return -5
    return 5 if foreign or any(script.get("integrity") for script in reader.found) else 0


def _sniffing(answer: Answer) -> int:
    return 0 if answer.header("X-Content-Type-Options") == "nosniff" else -5


def _framing(answer: Answer) -> int:
    ancestors = directives(answer.header("Content-Security-Policy") or "").get("frame-ancestors", ["*"])
    if not {*ancestors} & _BROAD:
        return 5
    return 5 if answer.header("X-Frame-Options") in ("deny", "sameorigin") else -20


def _corp(answer: Answer) -> int:
    return _one_of(answer.header("Cross-Origin-Resource-Policy"), {"same-origin", "same-site"}, {"cross-origin"})


def _coop(answer: Answer) -> int:
    good = {"same-origin", "same-origin-allow-popups", "noopener-allow-popups"}
    return _one_of(answer.header("Cross-Origin-Opener-Policy"), good, {"unsafe-none"})


def _coep(answer: Answer) -> int:
    return _one_of(answer.header("Cross-Origin-Embedder-Policy"), {"require-corp", "credentialless"}, {"unsafe-none"})


def _one_of(text: str | None, good: set[str], harmless: set[str]) -> int:
    if text is None or text in harmless:
        return 0
    return 10 if text in good else -5


class _Scripts(HTMLParser):
    """Finds the scripts of a page that have an address."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "script" and "src" in attributes:
            self.found.append(attributes)


_TESTS: dict[str, Callable[[Answer], int]] = {
    "content-security-policy": _content_security_policy,
    "cookies": _cookies,
    "cross-origin-resource-sharing": _cross_origin_sharing,
    "redirection": _redirection,
    "referrer-policy": _referrer,
    "strict-transport-security": _hsts,
    "subresource-integrity": _scripts,
    "x-content-type-options": _sniffing,
    "x-frame-options": _framing,
    "cross-origin-resource-policy": _corp,
    "cross-origin-opener-policy": _coop,
    "cross-origin-embedder-policy": _coep,
}
