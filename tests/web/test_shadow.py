"""The panel on a version's page: who is shown it, who may begin and end a shadow, and what it tells of whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.inference.pointer import Shadow
from app.inference.repository import Repository
from app.services.recorder import Owner, Recorder
from app.services.shadow_answers import ShadowAnswer, ShadowAnswers
from tests.api.asking import services_of
from tests.factories import make_prediction, publish
from tests.serving import EMAIL, RunningSite
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, grow_old, make_visitor

ADMIN = "grace@example.org"


@pytest.fixture(scope="module")
def admin(small_site: RunningSite) -> Visitor:
    """Give an administrator who has just logged in."""
    small_site.make_account(ADMIN, admin=True)
    return make_visitor(small_site, ADMIN)


@pytest.fixture(scope="module")
def member(small_site: RunningSite) -> Visitor:
    """Give an account without a role."""
    return make_visitor(small_site)


@pytest.fixture
def repository(small_site: RunningSite) -> Repository:
    return Repository(shipped=None, own=small_site.data / "models")


def fresh(repository: Repository, name: str, versions: int = 3) -> str:
    """Publish versions of a model of the test's own, the first active, and give the address of the second."""
    for _ in range(versions):
        publish(repository, name)
    return f"/models/{name}/versions/2"


def said(name: str, shadow_label: str | None, prediction: str | None = None) -> ShadowAnswer:
    """Give what version 2 said beside version 1; nothing where it failed."""
    answer = ShadowAnswer(name, "2", "1", prediction, "light", 0.75, datetime.now(UTC), passed_over=2)
    if shadow_label is None:
        return answer
    return replace(answer, shadow_label=shadow_label, shadow_probability=0.5, difference=0.25, ms=12.34)


def words(visitor: Visitor, path: str) -> str:
    page = Page(visitor.get(path))
    assert page.status == 200, page.words
    return page.words


def test_a_shadow_is_begun_changed_and_ended_and_each_time_written_down(admin: Visitor, repository: Repository) -> None:
    address = fresh(repository, "begun")
    assert "Let this version look at pictures that version 1 answers." in words(admin, address)
    assert_redirect(admin.submit(f"{address}/shadow", {"share": "12.5"}, page=address), address)
    assert repository.shadow("begun") == Shadow("2", 0.125)
    page = words(admin, address)
    assert "Version 2 runs in the shadow, on 12.5 % of the pictures." in page
    assert "This version looks at 12.5 % of the pictures that version 1 answers." in page
    assert "It has not looked at any yet." in page
    assert Page(admin.get(address)).field("share") == "12.5"
    assert_redirect(admin.submit(f"{address}/shadow", {"share": "50"}, page=address), address)
    assert repository.shadow("begun") == Shadow("2", 0.5)
    assert_redirect(admin.submit(f"{address}/shadow/end", page=address), address)
    page = words(admin, address)
    assert "Version 2 runs in the shadow no more." in page
    assert "Who did what shadow ended version 2 grace@example.org" in page
    assert "shadow begun version 2, on 50 % of the pictures" in page
    assert repository.shadow("begun") is None


def test_other_versions_tell_which_one_it_is(admin: Visitor, repository: Repository) -> None:
    address = fresh(repository, "told")
    repository.begin_shadow("told", "2", 1)
    page = Page(admin.get("/models/told/versions/1"))
    assert "Version 2 looks at some of the pictures that this one answers." in page.words
    assert page.targets(f"{address}#")
    assert not page.all("form", action="/models/told/versions/1/shadow")
    third = words(admin, "/models/told/versions/3")
    assert "Version 2 does so now; this one would take its place." in third
    admin.submit("/models/told/versions/3/shadow", {"share": "100"}, page="/models/told/versions/3")
    assert repository.shadow("told") == Shadow("3", 1.0)


@pytest.mark.parametrize("share", ["", "0", "-1", "101", "ten", "nan", "10%"])
def test_what_is_no_share_is_told_and_changes_nothing(admin: Visitor, repository: Repository, share: str) -> None:
    address = fresh(repository, "shared")
    assert_redirect(admin.submit(f"{address}/shadow", {"share": share}, page=address), address)
    assert "Give a share of more than 0 and at most 100 percent. Nothing was changed." in words(admin, address)
    assert repository.shadow("shared") is None


def test_what_cannot_be_is_refused(admin: Visitor, repository: Repository) -> None:
    address = fresh(repository, "refused")
    active = admin.submit("/models/refused/versions/1/shadow", {"share": "10"}, page=address)
    assert active.status == 400
    assert "cannot be its own shadow" in Page(active).words
    assert admin.submit(f"{address}/shadow/end", page=address).status == 400
    for path in ("/models/refused/versions/9/shadow", "/models/nothing/versions/1/shadow"):
        assert admin.submit(path, {"share": "10"}, page=address).status == 404
    assert repository.shadow("refused") is None


@pytest.mark.parametrize("deed", ["shadow", "shadow/end"])
def test_nobody_else_is_shown_it_or_changes_it(
    guest: Visitor, member: Visitor, admin: Visitor, repository: Repository, deed: str
) -> None:
    name = f"kept-{deed.replace('/', '-')}"
    address = fresh(repository, name)
    repository.begin_shadow(name, "2", 0.5)
    for visitor, seen in ((guest, False), (member, False), (admin, True)):
        assert ("In the shadow" in words(visitor, address)) == seen
        assert ("looks at some of" in words(visitor, f"/models/{name}/versions/1")) == seen
    assert_redirect(guest.send(f"{address}/{deed}"), f"/login?next={address}/{deed}")
    assert member.submit(f"{address}/{deed}", {"share": "1"}, page="/account").status == 403
    assert admin.send(f"{address}/{deed}", {"share": "1"}).status == 400, "without its token"
    assert admin.get(f"{address}/{deed}").status == 405
    assert repository.shadow(name) == Shadow("2", 0.5)


def test_an_old_login_is_asked_for_its_password(small_site: RunningSite, repository: Repository) -> None:
    small_site.make_account(ADMIN, admin=True)
    old = make_visitor(small_site, ADMIN)
    address = fresh(repository, "old-shadow")
    grow_old(old, minutes=16)
    for deed in ("shadow", "shadow/end"):
        assert_redirect(old.submit(f"{address}/{deed}", {"share": "10"}, page=address), f"/verify?next={address}")
    assert repository.shadow("old-shadow") is None


def test_the_figures_the_classes_and_the_last_pictures_are_told(
    small_site: RunningSite, admin: Visitor, repository: Repository
) -> None:
    address = fresh(repository, "figured")
    repository.begin_shadow("figured", "2", 1)
    answers = ShadowAnswers(sessions=services_of(small_site).sessions)
    answers.record([said("figured", "light")] * 6 + [said("figured", "dark")] * 2 + [said("figured", None)])
    text = words(admin, address)
    assert "same class 75.0 % 6 of 8" in text
    assert "mean difference 0.250" in text
    assert "a picture takes 12.3 ms" in text
    assert "passed over 18" in text
    assert "failed 1" in text
    assert "Version 1 This version Pictures Light Dark 2" in text
    assert text.count("Light, 75.0 %; here Dark, 50.0 %") == 2
    repository.activate("figured", "3")
    assert "same class" not in words(admin, address), "nothing was said beside the version that is active now"


def test_two_that_agree_are_said_to(small_site: RunningSite, admin: Visitor, repository: Repository) -> None:
    address = fresh(repository, "agreed")
    ShadowAnswers(sessions=services_of(small_site).sessions).record([said("agreed", "light")])
    text = words(admin, address)
    assert "same class 100.0 % 1 of 1" in text
    assert "Both gave every picture the same class." in text
    assert "Where they differ" not in text


def test_an_administrator_is_led_to_their_own_photos_alone(
    small_site: RunningSite, admin: Visitor, member: Visitor, repository: Repository
) -> None:
    address, here = fresh(repository, "owned"), services_of(small_site)
    owners = [Owner(account=here.accounts.number_of(email)) for email in (ADMIN, EMAIL)]
    mine, theirs = (make_prediction(model="owned") for _ in owners)
    for prediction, owner in zip((mine, theirs), owners, strict=True):
        assert Recorder(engine=here.engine).record(prediction, owner, "cat.png")
    answers = ShadowAnswers(sessions=here.sessions)
    answers.record([said("owned", "dark", prediction.id) for prediction in (mine, theirs)])
    page = Page(admin.get(address))
    assert page.targets("/predictions/") == [f"/predictions/{mine.id}"]
    assert page.words.count("here Dark") == 2
    assert theirs.id not in page.words
    assert admin.get(f"/predictions/{mine.id}").status == 200
    member.submit(f"/predictions/{theirs.id}/delete", page=f"/predictions/{theirs.id}")
    assert words(admin, address).count("here Dark") == 1


def test_names_of_classes_are_shown_as_text(small_site: RunningSite, admin: Visitor, repository: Repository) -> None:
    address = fresh(repository, "tagged")
    bad = "<script>alert(1)</script>"
    ShadowAnswers(sessions=services_of(small_site).sessions).record([said("tagged", bad)])
    page = Page(admin.get(address))
    assert page.words.count(bad) == 2
    assert not [script for script in page.all("script") if "src" not in script]
