"""The provider of single sign-on: OpenID Connect, the authorization code flow with PKCE, and nothing else of it.

Imported only where a provider is set: Authlib brings requests and cryptography.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet, KeySetSerialization
from joserfc.jws import JWSRegistry

from app.errors import ProviderUnavailable, SignInRefused
from app.services.accounts.identities import Departure, Identity

_TIMEOUT = 5.0  # seconds for a connection, and for each piece of an answer
_KNOWN_FOR = 600.0  # seconds
_SILENT_FOR = 5.0  # seconds
_SILENT = "The provider does not answer as it should at the moment; please try again later."
_CLOCKS_DIFFER = 60  # seconds
# Signatures with keys that the provider alone has: no "none", and no HS256, whose key would be our secret or its public key.
_SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_JWS = JWSRegistry(algorithms=list(_SIGNATURES), strict_check_header=False)
_LONGEST_REASON = 200  # characters
_METHODS = ("client_secret_basic", "client_secret_post")
_ENDPOINTS, _OPTIONAL = ("authorization_endpoint", "token_endpoint", "jwks_uri"), {"userinfo_endpoint"}
_LATEST = 1e10  # seconds since 1970
_LONGEST_SUBJECT = 255  # characters, as the specification has it

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Provider:
    """What the provider says of itself."""

    said: dict[str, Any]
    keys: KeySet
    method: str
    until: float

    @property
    def issuer(self) -> str:
        return str(self.said["issuer"])


class IdentityProvider:
    """Sends people to an issuer, and learns who they are from the code that they bring back to `return_to`."""

    def __init__(
        self,
        *,
        issuer: str,
        client: str,
        secret: str,
        return_to: str,
        timeout: float = _TIMEOUT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._client = client
        self._secret = secret
        self._return_to = return_to
        self._timeout = timeout
        self._clock = clock
        self._known: _Provider | None = None
        self._silent_until = 0.0

    def departure(self, *, anew: bool = False) -> Departure:
        """Give where to send a browser; `anew` asks for the password there even where it is logged in. May raise."""
        provider = self._provider()
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        again = {"prompt": "login", "max_age": "0"} if anew else {}
        with self._session(provider) as session:
            url, state = session.create_authorization_url(
                provider.said["authorization_endpoint"], secrets.token_urlsafe(32), verifier, nonce=nonce, **again
            )
        return Departure(url, state, nonce, verifier)

    def identity(self, code: str, departure: Departure, *, issuer: str = "") -> Identity:
        """Give who has come back with a code, and with the issuer where its answer names one (RFC 9207).

        Raises ProviderUnavailable, or SignInRefused for an answer that proves nothing.
        """
        provider = self._provider()
        if issuer and issuer != provider.issuer:
            raise self._refused("issuer")
        try:
            with self._session(provider) as session:
                token = session.fetch_token(
                    provider.said["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=departure.verifier,
                    redirect_uri=self._return_to,
                    allow_redirects=False,
                )
                claims = self._claims(provider, token, departure.nonce)
                if "email" not in claims and "userinfo_endpoint" in provider.said:
                    claims = _told_of(session, provider, claims)
                return _identity(claims)
        except OSError as error:
            raise self._unavailable(error) from error
        except (AuthlibBaseError, JoseError, ValueError, TypeError, KeyError) as error:
            raise self._refused(f"{type(error).__name__}: {error}") from error

    def _claims(self, provider: _Provider, token: dict[str, Any], nonce: str) -> dict[str, Any]:
        text = token["id_token"]
        try:
            signed = jwt.decode(text, provider.keys, registry=_JWS)
        except InvalidKeyIdError:
            # It may have new keys since we asked.
            signed = jwt.decode(text, self._ask().keys, registry=_JWS)
        claims = CodeIDToken(
            signed.claims,
            signed.header,
            {
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": self._client},
                "sub": {"essential": True},
            },
            {"nonce": nonce, "client_id": self._client, "access_token": token.get("access_token")},
        )
        claims.validate(leeway=_CLOCKS_DIFFER)
        return dict(claims)

    def _provider(self) -> _Provider:
        known, now = self._known, self._clock()
        if known is not None and now < known.until:
            return known
        if now < self._silent_until:
            raise ProviderUnavailable(_SILENT)
        return self._ask()

    def _ask(self) -> _Provider:
        try:
            with self._session() as session:
                said = _json(session, f"{self._issuer}/.well-known/openid-configuration")
                _check(said, self._issuer)
                offered = list(said.get("token_endpoint_auth_methods_supported") or _METHODS)
                keys = KeySet.import_key_set(cast(KeySetSerialization, _json(session, said["jwks_uri"])))
        except (OSError, JoseError, ValueError, TypeError, KeyError) as error:
            # Whoever comes next is told at once: else all who press the button would wait, each in a thread of this worker.
            self._silent_until = self._clock() + _SILENT_FOR
            raise self._unavailable(error) from error
        method = next((way for way in _METHODS if way in offered), _METHODS[0])
        # A whole value at once: of two threads that ask at the same time, either may win.
        self._known = _Provider(said, keys, method, self._clock() + _KNOWN_FOR)
        return self._known

    def _session(self, provider: _Provider | None = None) -> OAuth2Session:
        return OAuth2Session(
            self._client,
            self._secret,
            token_endpoint_auth_method=None if provider is None else provider.method,
            scope="openid email",
            redirect_uri=self._return_to,
            # Authlib leaves PKCE out, without a word, where it isn't told the method.
            code_challenge_method="S256",
            default_timeout=self._timeout,
        )

    def _unavailable(self, error: Exception) -> ProviderUnavailable:
        log.error("provider_unavailable", issuer=self._issuer, reason=f"{type(error).__name__}: {error}"[:_LONGEST_REASON])
        return ProviderUnavailable(_SILENT)

    def _refused(self, reason: str) -> SignInRefused:
        log.warning("sign_in_refused", issuer=self._issuer, reason=reason[:_LONGEST_REASON])
        return SignInRefused("The provider's answer does not prove who you are; please try again.")


def _json(session: OAuth2Session, url: str) -> dict[str, Any]:
    answer = session.get(url, withhold_token=True, allow_redirects=False)
    answer.raise_for_status()
    said = answer.json()
    if not isinstance(said, dict):
        raise TypeError("not an object")
    return said


def _check(said: dict[str, Any], issuer: str) -> None:
    if str(said["issuer"]).rstrip("/") != issuer:
        raise ValueError("it calls itself another issuer")
    ours = urlsplit(issuer)
    for name in (*_ENDPOINTS, *(_OPTIONAL & said.keys())):
        parts = urlsplit(str(said[name]))
        # Plain http only where the settings have it: on this machine.
        if parts.scheme != "https" and (parts.scheme, parts.hostname) != (ours.scheme, ours.hostname):
            raise ValueError(f"its {name} is not https")


def _told_of(session: OAuth2Session, provider: _Provider, claims: dict[str, Any]) -> dict[str, Any]:
    """Give the claims with the address that the provider tells only when asked."""
    answer = session.get(provider.said["userinfo_endpoint"], allow_redirects=False)
    answer.raise_for_status()
    told = answer.json()
    if told["sub"] != claims["sub"]:
        raise ValueError("another subject")
    return {**claims, "email": told.get("email"), "email_verified": told.get("email_verified")}


def _identity(claims: dict[str, Any]) -> Identity:
    subject, verified, at = claims["sub"], claims.get("email_verified"), claims.get("auth_time") or 0
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise ValueError("no subject")
    return Identity(
        issuer=claims["iss"],
        subject=subject,
        email=str(claims.get("email") or ""),
        email_verified=verified is True or verified == "true",  # some providers tell it as a text
        authenticated_at=float(at) if 0 <= at <= _LATEST else 0.0,  # JSON knows numbers that are no moment
    )
