"""Second factors on the real site: set up, asked for, good once; half a login is none; lost ones are taken off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes, policy

import pytest

from tests.serving import PASSWORD, RunningSite
from tests.web.factors import FACTORS, STEP, age, assert_nobody, codes_on, deeds_of, half_in, offered, run_sql, set_up
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, forgiving, make_visitor

ROOT = "root@example.org"
WRONG = "That code is not good: it is mistyped, too old, or used already."
NEW_PASSWORD = "quite another long phrase"


@pytest.fixture(scope="module")
def factor_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("factors")
    with RunningSite(folder, workers="2", mail=str(folder / "letters")) as running:
        running.make_account(ROOT, PASSWORD, admin=True)
        yield running


@pytest.fixture
def site(factor_site: RunningSite) -> Iterator[RunningSite]:
    with forgiving(factor_site) as running:
        yield running


def test_an_app_is_asked_for_only_once_it_has_shown_a_code(site: RunningSite) -> None:
    email = "begins@example.org"
    ada = make_visitor(site, email)
    phone, fields = offered(ada)
    page = Page(ada.get(f"{FACTORS}/app"))
    assert page.all("svg", **{"class": "qr__code"})
    assert not page.all("svg", style="")
    reply = ada.send(f"{FACTORS}/app", {**fields, "code": phone.wrong})
    assert (reply.status, "That is not the code of this secret now" in Page(reply).words) == (422, True)
    assert phone.secret in Page(reply).targets("otpauth:")[0]  # the same secret: the app need not be set up again
    assert Visitor(site).log_in(email).status == 302
    reply = ada.send(f"{FACTORS}/app", {**fields, "code": phone.code})
    assert (reply.status, len(set(codes_on(reply)))) == (200, 10)
    assert "asked for a code of your app. 10 recovery codes are left." in Page(ada.get("/account")).words
    assert [action for _, action in deeds_of(site, email)] == ["second factor on", "recovery codes made"]


def test_no_secret_and_no_code_lies_in_the_database(site: RunningSite) -> None:
    ada = make_visitor(site, "sealed@example.org")
    phone, codes = set_up(ada)
    kept = b"".join(file.read_bytes() for file in site.data.glob("vitrine.db*"))
    for text in (phone.secret, *codes, *(code.replace("-", "") for code in codes)):
        assert text.encode() not in kept


def test_half_a_login_is_none_and_the_code_makes_it_whole(site: RunningSite) -> None:
    email = "halves@example.org"
    phone, _ = set_up(make_visitor(site, email))
    logins = run_sql(site, "SELECT count(*) FROM logins")
    ada = half_in(site, email, "/login?next=/history")
    assert_nobody(ada)
    assert run_sql(site, "SELECT count(*) FROM logins") == logins
    before = Visitor(site)
    before.cookies = dict(ada.cookies)
    assert_redirect(ada.submit(STEP, {"code": phone.next}), "/history")
    assert ada.get("/account").status == 200
    assert_nobody(before)
    assert Page(ada.get("/account")).words.count("this browser") == 1


def test_a_code_is_good_once(site: RunningSite) -> None:
    email = "replays@example.org"
    ada = make_visitor(site, email)
    phone, fields = offered(ada)
    code = phone.code
    assert ada.send(f"{FACTORS}/app", {**fields, "code": code}).status == 200
    first, second = half_in(site, email), half_in(site, email)
    assert (first.submit(STEP, {"code": code}).status, WRONG in Page(first.submit(STEP, {"code": code})).words) == (422, True)
    code = phone.next
    assert_redirect(first.submit(STEP, {"code": f"{code[:3]} {code[3:]}"}), "/")
    assert second.submit(STEP, {"code": code}).status == 422
    assert_nobody(second)


def test_whoever_logs_in_elsewhere_is_out_once_more_is_asked_for(site: RunningSite) -> None:
    email = "elsewhere@example.org"
    ada, other = make_visitor(site, email), make_visitor(site, email)
    set_up(ada)
    assert_redirect(other.get("/account"), "/login?next=/account")
    assert ada.get("/account").status == 200


def test_ten_wrong_codes_are_all(site: RunningSite) -> None:
    email = "guesses@example.org"
    phone, codes = set_up(make_visitor(site, email))
    eve = half_in(site, email)
    wrong = [{"code": phone.wrong}] * 5 + [{"recovery": "bbbb-cccc-dddd-ffff"}] * 5
    assert [eve.submit(STEP, fields).status for fields in wrong] == [422] * 10
    for fields in ({"code": phone.next}, {"recovery": codes[0]}):
        reply = eve.submit(STEP, fields)
        assert reply.status == 429
        assert 1 <= int(reply.headers["Retry-After"]) <= 300
    assert_nobody(eve)
    assert deeds_of(site, email)[-10:] == [("somebody", "login failed")] * 10
    run_sql(site, "DELETE FROM attempts")
    assert_redirect(eve.submit(STEP, {"code": phone.next}), "/")


def test_a_good_code_counts_for_nothing(site: RunningSite) -> None:
    email = "careful@example.org"
    phone, codes = set_up(make_visitor(site, email))
    for code in codes[:9]:
        assert_redirect(half_in(site, email).submit(STEP, {"recovery": code}), "/")
    ada = half_in(site, email)
    assert [ada.submit(STEP, {"code": phone.wrong}).status for _ in range(9)] == [422] * 9
    assert_redirect(ada.submit(STEP, {"recovery": codes[9]}), "/")


def test_a_recovery_code_is_good_once_however_it_is_typed(site: RunningSite) -> None:
    email = "recovers@example.org"
    _, codes = set_up(make_visitor(site, email))
    ada = half_in(site, email)
    assert_redirect(ada.submit(STEP, {"recovery": f" {codes[3].upper().replace('-', ' ')} "}), "/")
    page = Page(ada.get("/account")).words
    assert "That recovery code is used up; 9 are left." in page
    assert "9 recovery codes are left." in page
    assert half_in(site, email).submit(STEP, {"recovery": codes[3]}).status == 422
    assert deeds_of(site, email)[-2:] == [(email, "recovery code used"), ("somebody", "login failed")]


def test_nobody_gets_in_with_the_code_of_another(site: RunningSite) -> None:
    _, codes = set_up(make_visitor(site, "owner@example.org"))
    set_up(make_visitor(site, "thief@example.org"))
    assert half_in(site, "thief@example.org").submit(STEP, {"recovery": codes[0]}).status == 422
    assert_redirect(half_in(site, "owner@example.org").submit(STEP, {"recovery": codes[0]}), "/")


def test_new_recovery_codes_end_the_old_ones(site: RunningSite) -> None:
    email = "renews@example.org"
    ada = make_visitor(site, email)
    _, old = set_up(ada)
    new = codes_on(ada.submit(f"{FACTORS}/codes", page=FACTORS))
    assert not set(old) & set(new)
    assert half_in(site, email).submit(STEP, {"recovery": old[0]}).status == 422
    assert_redirect(half_in(site, email).submit(STEP, {"recovery": new[0]}), "/")


def test_without_a_factor_there_are_no_codes(site: RunningSite) -> None:
    ada = make_visitor(site, "nothing@example.org")
    assert_redirect(ada.submit(f"{FACTORS}/codes", page=f"{FACTORS}/app"), FACTORS)
    assert "Set up an app or a passkey first." in Page(ada.get(FACTORS)).words


def test_the_app_is_switched_off_and_its_codes_go_with_it(site: RunningSite) -> None:
    email = "stops@example.org"
    ada = make_visitor(site, email)
    set_up(ada)
    assert_redirect(ada.submit(f"{FACTORS}/app/remove", page=FACTORS), FACTORS)
    assert "The password alone lets you in." in Page(ada.get("/account")).words
    assert Visitor(site).log_in(email).status == 302
    query = "SELECT count(*) FROM recovery_codes JOIN users ON users.id = user_id WHERE email = ?"
    assert run_sql(site, query, email) == [(0,)]
    assert [action for _, action in deeds_of(site, email)][-1] == "second factor off"


def test_an_old_login_sees_and_changes_nothing_of_it_before_the_password(site: RunningSite) -> None:
    email = "stale@example.org"
    ada = make_visitor(site, email)
    set_up(ada)
    token = {"csrf_token": ada.token_of("/account")}
    age(ada, 16)
    for path in (FACTORS, f"{FACTORS}/app", f"{FACTORS}/passkeys/options"):
        assert_redirect(ada.get(path), f"/verify?next={FACTORS}")
    for path in ("app", "app/remove", "codes", "passkeys", "passkeys/1/remove"):
        assert_redirect(ada.send(f"{FACTORS}/{path}", token), f"/verify?next={FACTORS}")
    reply = ada.submit(f"/verify?next={FACTORS}", {"password": PASSWORD, "submit": "1"})
    assert_redirect(reply, FACTORS)
    assert "Asked for after the password since" in Page(ada.get(FACTORS)).words


def test_the_password_is_not_guessed_where_it_is_asked_for_again(site: RunningSite) -> None:
    ada = make_visitor(site, "guessed@example.org")
    guesses = [ada.submit("/verify", {"password": f"guess number {number}", "submit": "1"}) for number in range(11)]
    assert [reply.status for reply in guesses] == [200] * 10 + [429]
    assert 1 <= int(guesses[-1].headers["Retry-After"]) <= 300
    assert ada.submit("/verify", {"password": PASSWORD, "submit": "1"}).status == 429


def test_half_a_login_waits_for_ten_minutes(site: RunningSite) -> None:
    email = "waits@example.org"
    _, codes = set_up(make_visitor(site, email))
    ada = half_in(site, email)
    age(ada, 9)
    assert ada.get(STEP).status == 200
    age(ada, 2)
    assert_redirect(ada.get(STEP), "/login")
    assert_redirect(ada.submit(STEP, {"recovery": codes[0]}, page="/login"), "/login")
    assert_nobody(ada)


def test_half_a_login_dies_with_the_password_and_when_the_account_is_disabled(site: RunningSite) -> None:
    for email, change in (
        ("changes@example.org", "UPDATE users SET fs_uniquifier = 'another of changes' WHERE email = ?"),
        ("disabled@example.org", "UPDATE users SET active = 0 WHERE email = ?"),
    ):
        _, codes = set_up(make_visitor(site, email))
        ada = half_in(site, email)
        run_sql(site, change, email)
        assert_redirect(ada.submit(STEP, {"recovery": codes[0]}, page="/login"), "/login")
        assert_nobody(ada)


def test_without_half_a_login_there_is_no_second_step(site: RunningSite) -> None:
    stranger = Visitor(site)
    for path in (STEP, f"{STEP}/passkey"):
        assert_redirect(stranger.get(path), "/login")
        assert_redirect(stranger.submit(path, {"code": "123456"}, page="/login"), "/login")


def test_a_link_to_another_site_leads_home(site: RunningSite) -> None:
    email = "follows@example.org"
    phone, _ = set_up(make_visitor(site, email))
    ada = half_in(site, email, "/login?next=https://evil.example/")
    assert_redirect(ada.submit(STEP, {"code": phone.next}), "/")


def test_whoever_asked_to_stay_stays(site: RunningSite) -> None:
    email = "stays@example.org"
    phone, _ = set_up(make_visitor(site, email))
    ada = Visitor(site)
    assert_redirect(ada.submit("/login", {"email": email, "password": PASSWORD, "remember": "y"}), STEP)
    assert_redirect(ada.submit(STEP, {"code": phone.next}), "/")
    (line,) = (line for line in ada.set_cookies if line.startswith("vitrine="))
    assert "Expires=" in line


def test_the_secret_of_another_is_not_taken(site: RunningSite) -> None:
    eve, ada = make_visitor(site, "eve@example.org"), make_visitor(site, "victim@example.org")
    phone, fields = offered(eve)
    mine = {"sealed": fields["sealed"], "csrf_token": ada.token_of("/account")}
    assert ada.send(f"{FACTORS}/app", {**mine, "code": phone.code}).status == 422
    assert Visitor(site).log_in("victim@example.org").status == 302


def test_a_link_to_a_new_password_is_no_way_around(site: RunningSite) -> None:
    email = "forgets@example.org"
    _, codes = set_up(make_visitor(site, email))
    run_sql(site, "UPDATE users SET logged_in_at = '2026-01-01 00:00:00' WHERE email = ?", email)
    assert Visitor(site).submit("/recover", {"email": email, "submit": "1"}).status == 200
    path = ""
    while not path:
        letters = [
            message_from_bytes(file.read_bytes(), policy=policy.default)
            for file in (site.data.parent / "letters").glob("*.eml")
        ]
        found = [re.search(r"/recover/\S+", letter.get_content()) for letter in letters if letter["To"] == email]
        path = next((link.group() for link in found if link), "")
    eve = Visitor(site)
    reply = eve.submit(path, {"password": NEW_PASSWORD, "password_confirm": NEW_PASSWORD, "submit": "1"})
    assert_redirect(reply, "/login")
    assert_nobody(eve)
    assert_redirect(eve.log_in(email, NEW_PASSWORD), STEP)
    assert_nobody(eve)
    assert_redirect(eve.submit(STEP, {"recovery": codes[0]}), "/")


@pytest.mark.parametrize("answer", ["", "x", "{}", "[]", '{"rawId": "AAAA", "type": "public-key", "response": {}}'])
def test_on_a_numeric_address_there_are_no_passkeys(site: RunningSite, answer: str) -> None:
    stranger = Visitor(site)
    assert stranger.get("/login/passkey").status == 422
    assert "passkey" not in Page(stranger.get("/login")).words
    assert_redirect(stranger.submit("/login/passkey", {"credential": answer}, page="/login"), "/login")
    assert_nobody(stranger)


def test_an_administrator_lets_back_in_who_lost_it(site: RunningSite) -> None:
    email = "loses@example.org"
    ada = make_visitor(site, email)
    set_up(ada)
    root, member = make_visitor(site, ROOT), make_visitor(site, "member@example.org")
    ((number,),) = run_sql(site, "SELECT id FROM users WHERE email = ?", email)
    path = f"/people/{number}/second-factor-off"
    assert member.submit(path, page="/account").status == 403
    assert f"{email} Member active yes " in Page(root.get(f"/people?q={email}")).words
    assert_redirect(root.submit(path, page="/people"), "/people")
    assert f"{email} needs no second factor any more, and is logged out." in Page(root.get("/people")).words
    assert_redirect(ada.get("/account"), "/login?next=/account")
    assert Visitor(site).log_in(email).status == 302
    assert deeds_of(site, email)[-1] == (ROOT, "second factor off")


def test_the_command_line_lets_back_in_the_last_administrator(site: RunningSite) -> None:
    email = "lastadmin@example.org"
    set_up(make_visitor(site, email))
    done = site.run("users", "second-factor-off", email)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"{email} needs no second factor any more, and is logged out everywhere.\n"
    assert Visitor(site).log_in(email).status == 302
    assert deeds_of(site, email)[-1] == ("command line", "second factor off")
    assert site.run("users", "second-factor-off", "nobody@example.org").returncode == 1
