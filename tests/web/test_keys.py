"""Making a key for what it is to do, and seeing how much it is used; each for its owner alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from app.composition import Services
from app.services.accounts.key_usage import UsedDay
from app.services.audit_log import COMMAND_LINE
from app.web.keys import chart_of
from tests.api.asking import services_of
from tests.factories import EIGHT
from tests.serving import EMAIL, PASSWORD, Reply, RunningSite
from tests.waiting import wait_until
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, grow_old, make_visitor

KEY = re.compile(r"vtr_[0-9a-f]{12}_[0-9a-f]{64}_[0-9a-f]{8}")
ROOT = "root-of-keys@example.org"
DIGITS = "/api/v1/models/digits/predict"


@pytest.fixture(scope="module")
def here(site: RunningSite, ada: Visitor) -> Services:
    return services_of(site)


@pytest.fixture
def root(site: RunningSite, here: Services) -> Visitor:
    """Give an administrator who has just logged in."""
    if not here.accounts.exists(ROOT):
        here.accounts.create(ROOT, PASSWORD, admin=True)
    visitor = Visitor(site)
    assert visitor.log_in(ROOT).status == 302
    return visitor


def make(visitor: Visitor, *scopes: str, name: str = "robot", daily: str = "") -> Reply:
    fields = {"name": name, "expires": "90", "daily": daily, **dict.fromkeys(scopes, "y")}
    return visitor.submit("/account/keys", fields, page="/account")


def key_in(reply: Reply) -> str:
    (key,) = set(KEY.findall(Page(reply).words))
    return str(key)


def new_key(here: Services, email: str = EMAIL, **given: object) -> tuple[str, str]:
    """Give a key of an account, and the address of its page."""
    key = here.api_keys.create(here.accounts.number_of(email), "camera <b>7</b>", **given)  # type: ignore[arg-type]
    return key, f"/account/keys/{key.split('_')[1]}"


def test_a_key_may_do_what_is_ticked(ada: Visitor, here: Services) -> None:
    assert here.api_keys.check(key_in(make(ada, "history_read", "models_read"))).scopes == {"history:read", "models:read"}
    assert here.api_keys.check(key_in(make(ada, "predict"))).scopes == {"predict"}


def test_the_usual_scopes_are_ticked_already(ada: Visitor) -> None:
    ticks = Page(ada.get("/account")).all("input", type="checkbox")
    assert {tick["name"]: "checked" in tick for tick in ticks} == {"predict": True, "history_read": False, "models_read": True}


def test_a_key_that_may_do_nothing_is_not_made(ada: Visitor, here: Services) -> None:
    before = len(here.api_keys.list(here.accounts.number_of(EMAIL)))
    reply = make(ada)
    assert (reply.status, "Say what the key may do." in Page(reply).words) == (422, True)
    assert len(here.api_keys.list(here.accounts.number_of(EMAIL))) == before


@pytest.mark.parametrize("scope", ["models_write", "metrics_read", "admin"])
def test_nobody_takes_an_administrators_scope(ada: Visitor, here: Services, scope: str) -> None:
    before = len(here.api_keys.list(here.accounts.number_of(EMAIL)))
    assert make(ada, "predict", scope).status == 400
    assert len(here.api_keys.list(here.accounts.number_of(EMAIL))) == before


def test_an_administrator_gives_a_key_all_scopes(root: Visitor, here: Services, site: RunningSite) -> None:
    key = key_in(make(root, "predict", "history_read", "models_read", "models_write", "metrics_read", "admin"))
    assert here.api_keys.check(key).scopes == {
        "predict",
        "history:read",
        "models:read",
        "models:write",
        "metrics:read",
        "admin",
    }
    assert site.request("GET", "/api/v1/people", key=key).status == 200


def test_an_administrators_scope_asks_for_the_password_where_the_login_is_old(root: Visitor, here: Services) -> None:
    number = here.accounts.number_of(ROOT)
    grow_old(root, 16)
    before = len(here.api_keys.list(number))
    for scope in ("models_write", "metrics_read", "admin"):
        assert_redirect(make(root, "predict", scope), "/verify?next=/account")
    assert len(here.api_keys.list(number)) == before
    assert make(root, "predict", "history_read").status == 200


def test_a_key_may_have_a_daily_quota(ada: Visitor, here: Services) -> None:
    reply = make(ada, "predict", name="doorbell", daily="1500")
    assert here.api_keys.check(key_in(reply)).daily == 1500
    assert "may predict, 1,500 pictures a day" in Page(reply).words


@pytest.mark.parametrize("daily", ["0", "-3", "1.5", "many", "1000000001"])
def test_a_quota_that_means_nothing_is_refused(ada: Visitor, daily: str) -> None:
    reply = make(ada, "predict", daily=daily)
    assert reply.status == 422
    assert not KEY.search(Page(reply).words)
    assert Page(reply).all("input", name="daily")[0]["aria-invalid"] == "true"


def test_the_page_of_a_key_tells_what_it_is_and_how_it_is_used(site: RunningSite, ada: Visitor, here: Services) -> None:
    key, address = new_key(here, daily=5)
    fresh = Page(ada.get(address)).words
    assert "camera <b>7</b>" in fresh
    assert "May do predict, models:read State good, without an end Made " in fresh
    assert "Last used never Pictures a day 5 of 5 left until midnight UTC" in fresh
    assert "Requests in the last 30 days There were none." in fresh
    for body in (EIGHT.read_bytes(), EIGHT.read_bytes(), b"I am a cat."):
        site.request("POST", DIGITS, body, key=key)
    wait_until(lambda: "2 answered 1 refused" in Page(ada.get(address)).words)
    used = Page(ada.get(address))
    assert "2 of 5 left until midnight UTC" in used.words
    assert "2 answered 1 refused" in used.words
    rows = re.findall(r"(\d+ \w+ \d{4}) (\d+) (\d+)", used.words.partition("Day Answered Refused ")[2])
    today = datetime.now(UTC)
    assert len(rows) == 30
    assert rows[0] in [(f"{day:%-d %B %Y}", "2", "1") for day in (today, today - timedelta(minutes=5))]
    assert {row[1:] for row in rows[1:]} == {("0", "0")}
    assert len(used.all("rect")) == 2
    assert not used.all("b")


def test_a_key_without_a_quota_may_send_any_number(ada: Visitor, here: Services) -> None:
    assert "Pictures a day any number" in Page(ada.get(new_key(here)[1])).words


def test_a_revoked_key_keeps_its_page(ada: Visitor, here: Services) -> None:
    _, address = new_key(here)
    assert Page(ada.get(address)).all("form", action=f"{address}/revoke")
    assert_redirect(ada.submit(f"{address}/revoke", page="/account"), "/account")
    page = Page(ada.get(address))
    assert "State revoked" in page.words
    assert not page.all("form", action=f"{address}/revoke")


def test_a_former_administrator_is_told_what_is_without_effect(site: RunningSite, here: Services) -> None:
    former = here.accounts.create("former-of-keys@example.org", PASSWORD, admin=True)
    _, address = new_key(here, "former-of-keys@example.org", scopes=("predict", "models:write", "admin"))
    here.people.demote(former, COMMAND_LINE)
    visitor = Visitor(site)
    visitor.log_in("former-of-keys@example.org")
    assert "Without effect, since you are no administrator: models:write, admin" in Page(visitor.get(address)).words


def test_another_accounts_key_is_not_there(site: RunningSite, ada: Visitor, here: Services, root: Visitor) -> None:
    key, address = new_key(here)
    eve = make_visitor(site, "eve@example.org")
    for visitor in (eve, root):
        reply = visitor.get(address)
        assert (reply.status, "There is no such key" in Page(reply).words) == (404, True)
    assert eve.get("/account/keys/000000000000").status == 404
    # A key itself opens no page.
    assert site.request("GET", address, key=key).status == 302


def test_the_highest_bar_reaches_the_top_and_a_single_request_is_seen() -> None:
    days = tuple(UsedDay(datetime(2026, 3, day, tzinfo=UTC).date(), 1000 if day == 2 else 1, 0) for day in (1, 2, 3))
    chart = chart_of((*days, UsedDay(datetime(2026, 3, 4, tzinfo=UTC).date(), 0, 0)))
    assert chart is not None
    assert (chart.most, chart.answered, chart.first, chart.width) == (1000, 1002, days[0].day, 80)
    low, high, _, none = [bar.answered for bar in chart.bars]
    assert 0.9 * chart.height < high <= chart.height
    assert (low >= 1, none) == (True, 0)
    assert all(bar.x + chart.bar <= chart.width for bar in chart.bars)


def test_a_busy_day_stays_within_the_chart_whatever_was_refused() -> None:
    chart = chart_of((UsedDay(datetime(2026, 3, 1, tzinfo=UTC).date(), 100_000, 1),))
    assert chart is not None
    assert chart.bars[0].answered + chart.bars[0].refused <= chart.height
    assert chart.bars[0].refused >= 1


def test_of_no_days_there_is_no_chart() -> None:
    assert chart_of(()) is None
