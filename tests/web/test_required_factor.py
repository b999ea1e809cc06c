"""Where a second factor must be had: nothing else is open before one is set up, but for programs with keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.factories import CAT
from tests.serving import PASSWORD, RunningSite
from tests.web.factors import FACTORS, set_up
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, make_visitor

ROOT = "root@example.org"


@pytest.fixture(scope="module")
def strict_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with RunningSite(tmp_path_factory.mktemp("strict"), workers="1", second_factor="everybody") as running:
        yield running


@pytest.fixture(scope="module")
def careful_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with RunningSite(tmp_path_factory.mktemp("careful"), workers="1", second_factor="administrators") as running:
        running.make_account(ROOT, PASSWORD, admin=True)
        yield running


def test_whoever_has_none_is_led_to_set_one_up_and_comes_no_further(strict_site: RunningSite) -> None:
    ada = make_visitor(strict_site, "ada@example.org")
    token = {"csrf_token": ada.token_of(f"{FACTORS}/app")}
    for path in ("/", "/history", "/models", "/account", "/account/password", "/login", "/people"):
        assert_redirect(ada.get(path), FACTORS)
    for path in ("/", "/account/keys", "/account/password", "/account/logins/end-others"):
        assert_redirect(ada.send(path, {**token, "name": "a key", "expires": "90"}), FACTORS)
    assert "This site asks for a second factor. Set up one of these to go on." in Page(ada.get(FACTORS)).words
    assert ada.get("/verify").status == 200
    assert ada.get("/nothing-here").status == 404
    photo = [("images", "cat.jpg", CAT.read_bytes())]
    assert ada.send("/", token, photo, headers={"Accept": "application/json"}).status == 403
    set_up(ada)
    for path in ("/", "/history", "/account"):
        assert ada.get(path).status == 200
    assert "This site asks for" not in Page(ada.get(FACTORS)).words


def test_one_can_leave_without_setting_one_up(strict_site: RunningSite) -> None:
    ada = make_visitor(strict_site, "leaves@example.org")
    assert_redirect(ada.submit("/logout", page=f"{FACTORS}/app"), "/login")
    assert_redirect(ada.get("/account"), "/login?next=/account")


def test_whoever_switches_it_off_is_asked_again(strict_site: RunningSite) -> None:
    ada = make_visitor(strict_site, "again@example.org")
    set_up(ada)
    assert_redirect(ada.submit(f"{FACTORS}/app/remove", page=FACTORS), FACTORS)
    assert_redirect(ada.get("/"), FACTORS)


def test_programs_with_keys_go_on(strict_site: RunningSite) -> None:
    assert strict_site.predict(CAT.read_bytes()).status == 200
    assert strict_site.request("GET", "/livez").status == 200


def test_strangers_see_the_login(strict_site: RunningSite) -> None:
    stranger = Visitor(strict_site)
    assert stranger.get("/login").status == 200
    assert_redirect(stranger.get("/history"), "/login?next=/history")


def test_of_administrators_alone_it_is_asked_where_that_is_said(careful_site: RunningSite) -> None:
    root, member = make_visitor(careful_site, ROOT), make_visitor(careful_site, "member@example.org")
    assert member.get("/history").status == 200
    assert "This site asks for" not in Page(member.get(FACTORS)).words
    assert_redirect(root.get("/people"), FACTORS)
    set_up(root)
    assert root.get("/people").status == 200
