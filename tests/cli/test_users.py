"""Accounts from the command line: the password is never on it, and only a link goes to standard output."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner
from sqlalchemy import select

from app.cli.users import users
from app.composition import Services
from app.services.audit_log import Actor, subject_of_account
from app.storage.tables import User
from tests.cli.running import Ran, Run, output_of, refusal_of, rows_of
from tests.serving import EMAIL, PASSWORD


def create(vitrine: Run, *words: str, given: bytes = PASSWORD.encode() + b"\n") -> Ran:
    return vitrine("users", "create", *words, "--password-stdin", given=given)


def roles_by_email(services: Services) -> dict[str, list[str]]:
    with services.sessions() as session:
        return {user.email: [role.name for role in user.roles] for user in session.scalars(select(User))}


def assert_password(services: Services, password: str, email: str = EMAIL) -> None:
    with services.sessions() as session:
        user = session.scalars(select(User).where(User.email == email)).one()
        assert PasswordHasher().verify(user.password or "", password)


def test_an_account_is_made_with_the_password_from_standard_input(vitrine: Run, services: Services) -> None:
    made = create(vitrine, EMAIL)
    assert made == Ran(0, "", f"The account {EMAIL} is made.\n")
    assert roles_by_email(services) == {EMAIL: []}
    assert_password(services, PASSWORD)


def test_an_account_is_an_administrators_only_where_that_is_said(vitrine: Run, services: Services) -> None:
    create(vitrine, EMAIL, "--admin")
    create(vitrine, "grace@example.org")
    assert roles_by_email(services) == {EMAIL: ["admin"], "grace@example.org": []}


@pytest.mark.parametrize(
    ("given", "password"),
    [
        (b" with spaces around \r\n", " with spaces around "),
        (b"without an end of line", "without an end of line"),
        ("ein Schlüssel für Ähren\nand more\n".encode(), "ein Schlüssel für Ähren"),
    ],
    ids=["spaces", "no-end", "umlauts"],
)
def test_the_password_is_the_first_line_as_it_stands(vitrine: Run, services: Services, given: bytes, password: str) -> None:
    output_of(create(vitrine, EMAIL, given=given))
    assert_password(services, password)


def test_the_password_is_asked_for_twice_and_never_shown(data: Path, services: Services) -> None:
    other = "another horse battery"
    typed = "\n".join([PASSWORD, other, other, other])
    result = CliRunner().invoke(users, ["create", EMAIL], input=typed)
    assert result.exit_code == 0, result.output
    assert result.output.count("Repeat for confirmation") == 2
    assert PASSWORD not in result.output
    assert other not in result.output
    assert_password(services, other)


@pytest.mark.parametrize("given", [b"", b"\n", b"short\n", b"x" * 1025])
def test_a_password_that_cannot_be_used_makes_no_account(vitrine: Run, services: Services, given: bytes) -> None:
    assert refusal_of(create(vitrine, EMAIL, given=given)) == "Choose a password of 12 to 1024 characters."
    assert roles_by_email(services) == {}


def test_a_password_that_is_no_text_is_refused_in_one_line(vitrine: Run, services: Services) -> None:
    assert "UTF-8" in refusal_of(create(vitrine, EMAIL, given=b"correct horse \xff battery\n"))
    assert roles_by_email(services) == {}


def test_a_second_account_of_one_address_is_refused(vitrine: Run, services: Services) -> None:
    create(vitrine, EMAIL)
    assert "already" in refusal_of(create(vitrine, EMAIL.upper(), given=b"another horse battery\n"))
    assert_password(services, PASSWORD)


def test_what_is_no_address_is_refused(vitrine: Run, services: Services) -> None:
    assert refusal_of(create(vitrine, "ada")) == "ada is not an e-mail address."
    assert roles_by_email(services) == {}


def test_accounts_are_listed_with_what_they_may_do(vitrine: Run, services: Services) -> None:
    create(vitrine, "root@example.org", "--admin")
    create(vitrine, EMAIL)
    vitrine("users", "disable", EMAIL)
    services.logins.begin(services.accounts.number_of("root@example.org"), browser="", address="")
    ada, root = rows_of(output_of(vitrine("users", "list")))
    assert (ada[:3], ada[4]) == ([EMAIL, "member", "disabled"], "never")
    assert root[:3] == ["root@example.org", "administrator", "good"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", root[4])


def test_all_of_many_accounts_are_listed(vitrine: Run, services: Services) -> None:
    with services.sessions.begin() as session:
        session.add_all(User(email=f"{n:03}@example.org", active=True, fs_uniquifier=str(n)) for n in range(101))
    assert [row[0] for row in rows_of(output_of(vitrine("users", "list")))] == [f"{n:03}@example.org" for n in range(101)]


def test_an_account_is_disabled_and_enabled(vitrine: Run, services: Services, account: int) -> None:
    for command, active in (("disable", False), ("enable", True)):
        assert output_of(vitrine("users", command, EMAIL.upper())) == ""
        (person,) = services.people.page(1).people
        assert (person.id, person.active) == (account, active)
    deeds = services.audit_log.about(subject_of_account(EMAIL))
    assert [(deed.actor, deed.action) for deed in deeds] == [("command line", "enabled"), ("command line", "disabled")]


def test_an_account_is_deleted_after_a_question(services: Services, account: int) -> None:
    kept = CliRunner().invoke(users, ["delete", EMAIL], input="n\n")
    assert (kept.exit_code, services.accounts.exists(EMAIL)) == (1, True)
    gone = CliRunner().invoke(users, ["delete", EMAIL], input="y\n")
    assert (gone.exit_code, services.accounts.exists(EMAIL)) == (0, False)
    (deed,) = services.audit_log.about(subject_of_account(EMAIL))
    assert (deed.actor, deed.action) == ("command line", "deleted")


def test_an_account_is_deleted_without_a_question_where_that_is_said(vitrine: Run, services: Services, account: int) -> None:
    assert vitrine("users", "delete", EMAIL, "--yes") == Ran(0, "", f"{EMAIL} is deleted.\n")
    assert not services.accounts.exists(EMAIL)


@pytest.mark.parametrize("words", [["disable"], ["enable"], ["delete", "--yes"]])
def test_an_account_that_is_not_there_is_told(vitrine: Run, services: Services, words: list[str]) -> None:
    assert refusal_of(vitrine("users", *words, "nobody@example.org")) == "There is no account for nobody@example.org."


def test_the_link_for_the_first_administrator_is_all_that_is_printed(
    vitrine: Run, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_PUBLIC_URL", "https://photos.example.org")
    printed = vitrine("users", "setup-link")
    assert printed.err == ""
    link = re.fullmatch(r"https://photos\.example\.org/setup/(\S+)\n", output_of(printed))
    assert link
    services.accounts.check_setup_token(link[1])


def test_the_link_stays_the_same_when_it_is_asked_for_again(vitrine: Run) -> None:
    assert output_of(vitrine("users", "setup-link")) == output_of(vitrine("users", "setup-link"))


def test_there_is_no_link_once_anybody_has_an_account(vitrine: Run, data: Path) -> None:
    vitrine("users", "setup-link")
    create(vitrine, EMAIL)
    assert "vitrine users create" in refusal_of(vitrine("users", "setup-link"))
    assert not (data / "setup_token").exists()


def test_whoever_lost_a_second_factor_is_let_back_in(vitrine: Run, services: Services) -> None:
    create(vitrine, EMAIL)
    actor = Actor(EMAIL, services.accounts.number_of(EMAIL))
    services.recovery_codes.make(actor)
    done = vitrine("users", "second-factor-off", EMAIL.upper())
    assert done == Ran(0, "", f"{EMAIL} needs no second factor any more, and is logged out everywhere.\n")
    assert services.recovery_codes.left(services.accounts.number_of(EMAIL)) == 0
    deed = services.audit_log.about(subject_of_account(EMAIL))[0]
    assert (deed.actor, deed.action) == ("command line", "second factor off")


def test_of_an_account_that_is_not_there_nothing_is_taken_off(vitrine: Run, services: Services) -> None:
    assert refusal_of(vitrine("users", "second-factor-off", EMAIL)) == f"There is no account for {EMAIL}."
