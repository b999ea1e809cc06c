"""API keys from the command line: made, listed and revoked, each for its owner alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from app.composition import Services
from app.errors import InvalidKey
from app.services.accounts.api_keys import SCOPES, USUAL_SCOPES
from app.storage.tables import ApiKey
from tests.cli.running import Ran, Run, output_of, refusal_of, rows_of
from tests.serving import EMAIL, PASSWORD, RunningSite


def create(vitrine: Run, *words: str, name: str = "tests") -> str:
    return output_of(vitrine("keys", "create", "--user", EMAIL, "--name", name, *words)).rstrip("\n")


def listed(vitrine: Run) -> list[list[str]]:
    return rows_of(output_of(vitrine("keys", "list", "--user", EMAIL)))


def states(vitrine: Run) -> dict[str, str]:
    return {row[1]: row[-1] for row in listed(vitrine)}


def test_only_the_key_goes_to_standard_output(tmp_path: Path, account: int) -> None:
    made = RunningSite(tmp_path).run("keys", "create", "--user", EMAIL, "--name", "tests")
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.startswith("vtr_")
    assert made.stdout.split() == [made.stdout.removesuffix("\n")]


def test_a_key_is_good_for_the_usual_scopes_where_none_is_named(vitrine: Run, services: Services, account: int) -> None:
    holder = services.api_keys.check(create(vitrine))
    assert (holder.account, holder.scopes) == (account, frozenset(USUAL_SCOPES))


@pytest.mark.parametrize("scopes", [("predict",), ("models:read", "predict"), ("history:read",)])
def test_a_key_is_good_for_the_named_scopes_alone(
    vitrine: Run, services: Services, account: int, scopes: tuple[str, ...]
) -> None:
    key = create(vitrine, *(word for scope in scopes for word in ("--scope", scope)))
    assert services.api_keys.check(key).scopes == set(scopes)


def test_a_key_lives_as_many_days_as_are_given(vitrine: Run, services: Services, account: int) -> None:
    create(vitrine, "--days", "3")
    (row,) = services.api_keys.list(account)
    assert row.expires_at is not None
    assert round((row.expires_at - row.created_at) / timedelta(days=1)) == 3
    create(vitrine, name="for ever")
    assert services.api_keys.list(account)[0].expires_at is None


def test_an_administrators_scopes_are_for_administrators(vitrine: Run, services: Services, account: int) -> None:
    words = [word for scope in SCOPES for word in ("--scope", scope)]
    refusal = refusal_of(vitrine("keys", "create", "--user", EMAIL, "--name", "tests", *words))
    assert refusal == "Only an administrator's key may have the scopes models:write, metrics:read and admin."
    services.accounts.create("root@example.org", PASSWORD, admin=True)
    key = output_of(vitrine("keys", "create", "--user", "root@example.org", "--name", "tests", *words)).rstrip("\n")
    assert services.api_keys.check(key).scopes == set(SCOPES)


def test_a_key_may_have_a_daily_quota(vitrine: Run, services: Services, account: int) -> None:
    assert services.api_keys.check(create(vitrine, "--daily", "250")).daily == 250
    assert services.api_keys.check(create(vitrine)).daily is None


@pytest.mark.parametrize("words", [("--scope", "everything"), ("--days", "0"), ("--days", "soon"), ("--daily", "0")])
def test_options_that_mean_nothing_make_no_key(vitrine: Run, services: Services, account: int, words: tuple[str, ...]) -> None:
    ran = vitrine("keys", "create", "--user", EMAIL, "--name", "tests", *words)
    assert (ran.code, ran.out) == (2, "")
    assert f"Invalid value for '{words[0]}'" in ran.err
    assert services.api_keys.list(account) == ()


def test_a_name_that_is_none_is_refused(vitrine: Run, services: Services, account: int) -> None:
    assert "1 to 80 characters" in refusal_of(vitrine("keys", "create", "--user", EMAIL, "--name", " "))
    assert "UTF-8" in refusal_of(vitrine("keys", "create", "--user", EMAIL, "--name", "x\udcff"))
    assert services.api_keys.list(account) == ()


@pytest.mark.parametrize("words", [("create", "--name", "tests"), ("list",), ("revoke", "0123")], ids=lambda words: words[0])
def test_without_an_account_there_are_no_keys(vitrine: Run, words: tuple[str, ...]) -> None:
    assert refusal_of(vitrine("keys", *words, "--user", "eve@example.org")) == "There is no account for eve@example.org."


def test_a_list_tells_all_but_the_secret(vitrine: Run, services: Services, account: int) -> None:
    key = create(vitrine, "--scope", "predict", name="[bold]lab[/bold] :cat:")
    _, key_id, secret, checksum = key.split("_")
    printed = output_of(vitrine("keys", "list", "--user", EMAIL))
    today = f"{services.api_keys.list(account)[0].created_at:%Y-%m-%d}"
    assert rows_of(printed) == [[key_id, "[bold]lab[/bold] :cat:", "predict", today, "never", "good"]]
    assert secret not in printed
    assert checksum not in printed


def test_a_list_holds_ones_own_keys_with_their_last_use(vitrine: Run, services: Services, account: int) -> None:
    services.api_keys.create(services.accounts.create("grace@example.org", PASSWORD), "not mine")
    services.api_keys.check(create(vitrine, name="used"))
    create(vitrine, name="fresh")
    used_at = {row.name: row.last_used_at for row in services.api_keys.list(account)}["used"]
    assert used_at is not None
    assert {row[1]: row[4] for row in listed(vitrine)} == {"used": f"{used_at:%Y-%m-%d %H:%M}", "fresh": "never"}


def test_a_narrow_list_keeps_what_a_key_is_revoked_by(vitrine: Run, account: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    key = create(vitrine, name="n" * 80)
    assert key.split("_")[1] in {row[0] for row in listed(vitrine)}


def test_a_list_tells_which_keys_are_of_no_use_any_more(vitrine: Run, services: Services, account: int) -> None:
    for name in ("revoked", "expired", "good"):
        key = create(vitrine, "--days", "1", name=name)
        if name == "revoked":
            vitrine("keys", "revoke", key.split("_")[1], "--user", EMAIL)
    with services.sessions.begin() as session:
        session.execute(update(ApiKey).where(ApiKey.name == "expired").values(expires_at=datetime.now(UTC)))
    assert states(vitrine) == {"revoked": "revoked", "expired": "expired", "good": "good"}


def test_a_revoked_key_is_refused_from_then_on(vitrine: Run, services: Services, account: int) -> None:
    key, other = create(vitrine), create(vitrine)
    key_id = key.split("_")[1]
    assert vitrine("keys", "revoke", key_id, "--user", EMAIL) == Ran(0, "", f"The key {key_id} is revoked.\n")
    with pytest.raises(InvalidKey):
        services.api_keys.check(key)
    assert services.api_keys.check(other).account == account


def test_another_users_key_cannot_be_revoked(vitrine: Run, services: Services, account: int) -> None:
    services.accounts.create("eve@example.org", PASSWORD)
    key = create(vitrine)
    key_id = key.split("_")[1]
    ran = vitrine("keys", "revoke", key_id, "--user", "eve@example.org")
    assert refusal_of(ran) == f"eve@example.org has no key '{key_id}'."
    assert services.api_keys.check(key).account == account
