"""What is believed of a provider, asked of a real one on this machine; forged tokens are tried on the whole site."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey, RSAKey
from structlog.testing import capture_logs

from app.errors import ProviderUnavailable, SignInRefused
from app.services.accounts.identities import Departure, Identity
from app.services.accounts.identity_provider import IdentityProvider
from tests.factories import Clock
from tests.oidc_provider import CLIENT, SECRET, Claims, Person, Provider, claims_of

RETURN_TO = "http://127.0.0.1:9/login/oidc/callback"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        running.return_to = RETURN_TO
        yield running


def client_of(url: str, clock: Callable[[], float] = time.time, secret: str = SECRET) -> IdentityProvider:
    return IdentityProvider(issuer=url, client=CLIENT, secret=secret, return_to=RETURN_TO, timeout=2, clock=clock)


def code_of(provider: Provider, departure: Departure) -> str:
    (code,) = parse_qs(urlsplit(provider.visit(departure.url)).query)["code"]
    return code


def there_and_back(provider: Provider, client: IdentityProvider) -> Identity:
    departure = client.departure()
    return client.identity(code_of(provider, departure), departure)


def test_whoever_comes_back_is_known(provider: Provider) -> None:
    provider.person = Person("7", "ada@example.org")
    provider.behaviour.authenticated_at = 1_700_000_000
    assert there_and_back(provider, client_of(provider.url)) == Identity(
        provider.url, "7", "ada@example.org", email_verified=True, authenticated_at=1_700_000_000
    )


def test_some_tell_in_a_text_that_an_address_is_verified(provider: Provider) -> None:
    provider.person = Person("7", "ada@example.org", "true")
    assert there_and_back(provider, client_of(provider.url)).email_verified


def test_a_code_is_worth_nothing_without_the_verifier_that_it_was_asked_for_with(provider: Provider) -> None:
    client = client_of(provider.url)
    departure = client.departure()
    code = code_of(provider, departure)
    with pytest.raises(SignInRefused):
        client.identity(code, Departure("", departure.state, departure.nonce, "v" * 64))


@pytest.mark.parametrize(
    ("offered", "way"),
    [
        (None, "client_secret_basic"),
        (["client_secret_post", "client_secret_basic"], "client_secret_basic"),
        (["private_key_jwt", "client_secret_post"], "client_secret_post"),
        (["private_key_jwt"], "client_secret_basic"),
    ],
)
def test_the_secret_is_sent_in_a_way_that_the_provider_takes(provider: Provider, offered: list[str] | None, way: str) -> None:
    provider.behaviour.discovery = with_(token_endpoint_auth_methods_supported=offered)
    assert there_and_back(provider, client_of(provider.url)).subject == "1"
    assert set(provider.proven_by) == {way}


def test_a_wrong_secret_is_told_of_in_the_log(provider: Provider) -> None:
    client = client_of(provider.url, secret="wrong")
    with capture_logs() as logs, pytest.raises(SignInRefused):
        there_and_back(provider, client)
    assert [(line["event"], "invalid_client" in line["reason"]) for line in logs] == [("sign_in_refused", True)]


def test_an_answer_that_names_another_issuer_is_not_looked_at(provider: Provider) -> None:
    client = client_of(provider.url)
    departure = client.departure()
    code = code_of(provider, departure)
    with pytest.raises(SignInRefused):
        client.identity(code, departure, issuer="https://other.example.org")
    assert code in provider.codes
    assert client.identity(code, departure, issuer=provider.url).subject == "1"


def test_new_keys_are_asked_for_when_a_token_names_one(provider: Provider) -> None:
    client = client_of(provider.url)
    assert there_and_back(provider, client).subject == "1"
    key = RSAKey.generate_key(2048, {"kid": "2", "use": "sig"})
    provider.further_keys = [key]
    provider.behaviour.forge = lambda token: provider.sign(claims_of(token), key, kid="2")
    assert there_and_back(provider, client).subject == "1"


def test_elliptic_curves_sign_as_well(provider: Provider) -> None:
    key = ECKey.generate_key("P-256", {"kid": "2", "use": "sig"})
    provider.further_keys = [key]
    provider.behaviour.forge = lambda token: provider.sign(claims_of(token), key, kid="2", alg="ES256")
    assert there_and_back(provider, client_of(provider.url)).subject == "1"


def test_what_the_provider_says_of_itself_is_known_for_ten_minutes(provider: Provider) -> None:
    clock = Clock()
    client = client_of(provider.url, clock)
    client.departure()
    provider.behaviour.broken = frozenset({"/.well-known/openid-configuration"})
    clock.seconds += 599
    client.departure()
    clock.seconds += 1
    with pytest.raises(ProviderUnavailable):
        client.departure()
    provider.behaviour.broken = frozenset()
    with pytest.raises(ProviderUnavailable):  # not asked again so soon
        client.departure()
    clock.seconds += 5
    client.departure()


@pytest.mark.parametrize("told", [float("nan"), float("inf"), float("-inf"), 1e300, 10**400, -1, 0, None])
def test_a_moment_that_is_none_is_unknown(provider: Provider, told: object) -> None:
    provider.behaviour.forge = provider.changed(auth_time=told)
    assert there_and_back(provider, client_of(provider.url)).authenticated_at == 0


@pytest.mark.parametrize("email", ["", "eve@example.org"])
def test_what_another_subject_is_called_is_not_believed(provider: Provider, email: str) -> None:
    provider.behaviour.email_by_userinfo = True
    provider.behaviour.userinfo = lambda _: {"sub": "another", "email": email, "email_verified": True}
    with pytest.raises(SignInRefused):
        there_and_back(provider, client_of(provider.url))


def with_(**changed: object) -> Callable[[Claims], Claims]:
    return lambda said: {**said, **changed}


WRONG: dict[str, Callable[[Claims], Claims]] = {
    "another issuer": with_(issuer="https://other.example.org"),
    "no issuer": lambda said: {name: value for name, value in said.items() if name != "issuer"},
    "an issuer that is no text": with_(issuer=7),
    "plain http elsewhere": with_(token_endpoint="http://192.0.2.1/token"),
    "keys over plain http": with_(jwks_uri="http://keys.example.org/"),
    "a script": with_(authorization_endpoint="javascript:alert(1)"),
    "ways that are none": with_(token_endpoint_auth_methods_supported=7),
    "no keys": with_(jwks_uri=None),
    "no way there": lambda said: {name: value for name, value in said.items() if name != "authorization_endpoint"},
    "nothing": lambda _: {},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_provider_that_says_something_else_of_itself_is_not_used(provider: Provider, wrong: str) -> None:
    provider.behaviour.discovery = WRONG[wrong]
    with pytest.raises(ProviderUnavailable, match="does not answer as it should"):
        client_of(provider.url).departure()


def test_a_slash_at_the_end_of_an_issuer_makes_no_other(provider: Provider) -> None:
    provider.behaviour.discovery = with_(issuer=f"{provider.url}/")
    provider.behaviour.forge = provider.changed(iss=f"{provider.url}/")
    assert there_and_back(provider, client_of(provider.url)).issuer == f"{provider.url}/"


def test_a_provider_that_only_listens_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, pytest.raises(ProviderUnavailable):
        client_of(f"http://127.0.0.1:{listening.getsockname()[1]}").departure()


def test_a_redirect_is_not_followed(provider: Provider) -> None:
    provider.behaviour.discovery = with_(issuer=f"{provider.url}/moved")
    with pytest.raises(ProviderUnavailable):
        client_of(f"{provider.url}/moved").departure()
