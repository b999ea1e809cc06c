"""How long a failed login and a request for a link take, for whoever has an account, whoever has none, and whoever is disabled.

`python -m tests.security.timing` asks by turns and prints medians: of the time on a clock, at a real site, and of the work
done, in this process. It fails where both are apart by more than 2 ms and 2 %: a clock alone goes wrong on a busy machine, and
work that nobody can see does not matter, as where an answer waits for an even moment. It is no test of the suite: on a busy
machine it would prove nothing.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from app.composition import Services
from app.factory import create_app
from app.services.audit_log import Actor
from tests.factories import make_services
from tests.security.cast import number_of, person
from tests.serving import PASSWORD, RunningSite
from tests.web.visiting import Visitor, forgiving

ROUNDS, UNCOUNTED = 40, 4
WITHIN_MS, WITHIN_PART = 2.0, 0.02
KNOWN, DISABLED, UNKNOWN = "known-one@example.org", "closed-one@example.org", "nobody-one@example.org"
ASKED: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "login, wrong password": ("/login", {"password": "wrong but long enough"}, (KNOWN, UNKNOWN, DISABLED)),
    "login, right password": ("/login", {"password": PASSWORD}, (UNKNOWN, DISABLED)),
    "link to a new password": ("/recover", {"submit": "1"}, (KNOWN, UNKNOWN, DISABLED)),
}
Send = Callable[[str, dict[str, str]], int]


def medians(send: Send, clock: Callable[[], float], around: Callable[[], Any]) -> dict[str, dict[str, float]]:
    """Give the median of milliseconds of each request for each account, by turns: a busy moment meets all of them."""
    found = {}
    for what, (path, fields, emails) in ASKED.items():
        taken: dict[str, list[float]] = {email: [] for email in emails}
        for number in range(ROUNDS):
            first = number % len(emails)
            for email in emails[first:] + emails[:first]:
                with around():
                    began = clock()
                    assert send(path, {"email": email, **fields}) == 200
                    taken[email].append((clock() - began) * 1000)
        found[what] = {email: statistics.median(times[UNCOUNTED:]) for email, times in taken.items()}
    return found


def of_a_site(folder: Path) -> dict[str, dict[str, float]]:
    """Measure with a clock, at a real site."""
    with RunningSite(folder, workers="1", mail=str(folder / "letters")) as site:
        for email in (KNOWN, DISABLED):
            person(site, email)
        root = person(site, "root@example.org", admin=True)
        assert root.submit(f"/people/{number_of(site, DISABLED)}/disable", page="/people").status == 303
        visitor = Visitor(site)
        token = {"csrf_token": visitor.token_of("/login")}
        return medians(
            lambda path, fields: visitor.send(path, {**fields, **token}).status, time.perf_counter, lambda: forgiving(site)
        )


def of_the_work(folder: Path) -> dict[str, dict[str, float]]:
    """Measure the processor's time, all threads together, in this process."""
    here = make_services(folder, mail=str(folder / "letters"), log_format="json", log_requests=False)
    for email in (KNOWN, DISABLED):
        here.accounts.create(email, PASSWORD)
    here.people.disable(here.accounts.number_of(DISABLED), Actor("timing"))
    client = create_app(here.settings).test_client()
    token = {"csrf_token": client.get("/login").text.partition('name="csrf_token" type="hidden" value="')[2].partition('"')[0]}

    def send(path: str, fields: dict[str, str]) -> int:
        forget(here, client)
        return client.post(path, data={**fields, **token}).status_code

    return medians(send, time.process_time, nullcontext)


def forget(here: Services, _client: FlaskClient) -> None:
    """Forget all attempts."""
    with here.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM attempts")


def main() -> int:
    """Measure, print and judge."""
    folder = Path(tempfile.mkdtemp(prefix="vitrine-timing-"))
    (folder / "site").mkdir()
    apart: dict[str, list[bool]] = {}
    for kind, measured in (("clock", of_a_site(folder / "site")), ("work", of_the_work(folder / "here"))):
        for what, times in measured.items():
            most = max(times.values()) - min(times.values())
            bad = most > max(WITHIN_MS, WITHIN_PART * times[UNKNOWN])
            apart.setdefault(what, []).append(bad)
            shown = ", ".join(f"{email.partition('-')[0]} {median:.1f}" for email, median in times.items())
            print(f"{kind:5} {what:22} ms: {shown}; apart {most:.1f}{' (more than 2 ms and 2 %)' if bad else ''}")
    return 1 if any(map(all, apart.values())) else 0


if __name__ == "__main__":
    sys.exit(main())
