"""A real OpenID Connect provider on this machine: whoever comes is logged in already, and its answers can be changed."""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode, UserInfo
from flask import Flask, Response, abort, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import Key, KeySet, RSAKey
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Response as WerkzeugResponse

from tests.serving import Reply

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CLIENT, SECRET = "vitrine", "a secret of the provider's, with /+ and : in it"
Claims = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """Who has just logged in at the provider."""

    sub: str
    email: str = ""
    email_verified: object = True

    def get_user_id(self) -> str:
        return self.sub


class Client(ClientMixin):  # type: ignore[misc] # the library is not typed
    """The site, as it is registered; `proven_by` are the ways in which it has sent its secret."""

    def __init__(self, return_to: str, proven_by: list[str]) -> None:
        self.return_to = return_to
        self.proven_by = proven_by

    def get_client_id(self) -> str:
        return CLIENT

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.return_to

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        self.proven_by.append(method)
        return True

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass(frozen=True)
class Code(AuthorizationCodeMixin):  # type: ignore[misc] # the library is not typed
    """A code and what it was asked for with."""

    asked: dict[str, str]
    person: Person
    at: int

    def get_redirect_uri(self) -> str:
        return self.asked["redirect_uri"]

    def get_scope(self) -> str:
        return self.asked["scope"]

    def get_nonce(self) -> str:
        return self.asked["nonce"]

    def get_auth_time(self) -> int:
        return self.at

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None

    @property
    def code_challenge(self) -> str:
        return self.asked["code_challenge"]

    @property
    def code_challenge_method(self) -> str:
        return self.asked["code_challenge_method"]


@dataclass
class Behaviour:
    """What the provider does otherwise than it should, until it is told to behave again."""

    forge: Callable[[str], str] = lambda token: token
    discovery: Callable[[Claims], Claims] = lambda said: said
    authenticated_at: int | None = None
    email_by_userinfo: bool = False
    userinfo: Callable[[Claims], Claims] = lambda told: told
    broken: frozenset[str] = field(default_factory=frozenset)


class Provider:
    """The provider, from entry to exit; `person` is who comes next, `asked` what browsers brought."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
        self.further_keys: list[Key] = []
        self.person = Person("1", "ada@example.org")
        self.behaviour = Behaviour()
        self.return_to = ""
        self.asked: list[dict[str, str]] = []
        self.proven_by: list[str] = []
        self.codes: dict[str, Code] = {}
        self._server: BaseWSGIServer = make_server("127.0.0.1", 0, _application(self), threaded=True, request_handler=_Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a site that lets people in through this provider."""
        return {"oidc_url": self.url, "oidc_client": CLIENT, "oidc_secret": SECRET, "oidc_name": "Example ID"}

    def visit(self, url: str) -> str:
        """Do as a browser does that is sent here, and give the address that it is sent back to."""
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}" == self.url
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        try:
            connection.request("GET", f"{parts.path}?{parts.query}")
            answer = connection.getresponse()
            reply = Reply(answer.status, dict(answer.headers), answer.read())
        finally:
            connection.close()
        assert reply.status == 302, reply.body
        return reply.headers["Location"]

    def sign(self, claims: Claims, key: Key | None = None, **header: str) -> str:
        """Give a token with these claims."""
        header = {"alg": "RS256", "kid": "1", **header}
        return jwt.encode(header, claims, key or self.key, [header["alg"]])

    def changed(self, **claims: object) -> Callable[[str], str]:
        """Give a forgery that is signed rightly but says something else."""
        return lambda token: self.sign({**claims_of(token), **claims})


def claims_of(token: str) -> Claims:
    """Give what a token says, unverified."""
    body = token.split(".")[1]
    claims: Claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


def unsigned(token: str) -> str:
    """Give the same claims with the algorithm that signs nothing."""
    return f"{_NONE}.{token.split('.')[1]}."


def symmetric(secret: str) -> Callable[[str], str]:
    """Give a forgery that is signed with what a client could take for a secret key; the library would not make it."""

    def forge(token: str) -> str:
        signed = f"{_HS256}.{token.split('.')[1]}"
        return f"{signed}.{_base64(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"

    return forge


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


_NONE, _HS256 = (_base64(json.dumps({"alg": name, "kid": "1"}).encode()) for name in ("none", "HS256"))


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Print nothing."""


class _IdTokens(OpenIDCode):  # type: ignore[misc] # the library is not typed
    def __init__(self, provider: Provider) -> None:
        super().__init__(require_nonce=True)
        self.provider = provider

    def exists_nonce(self, nonce: str, _request: object) -> bool:
        return any(code.asked["nonce"] == nonce for code in self.provider.codes.values())

    def resolve_client_private_key(self, _client: Client) -> Key:
        return self.provider.key

    def get_client_claims(self, _client: Client) -> Claims:
        return {"iss": self.provider.url, "aud": [CLIENT]}

    def get_client_algorithm(self, _client: Client) -> str:
        return "RS256"

    def get_encode_header(self, _client: Client) -> dict[str, str]:
        return {"alg": "RS256", "kid": "1"}

    def generate_user_info(self, user: Person, _scope: str) -> UserInfo:
        told = {"sub": user.sub}
        return UserInfo(told if self.provider.behaviour.email_by_userinfo else told | _email_of(user))

    def encode_id_token(self, token: Claims, asked: object) -> str:
        return self.provider.behaviour.forge(super().encode_id_token(token, asked))


class _Grant(AuthorizationCodeGrant):  # type: ignore[misc] # the library is not typed
    @property
    def provider(self) -> Provider:
        provider: Provider = self.server.provider
        return provider

    def save_authorization_code(self, code: str, asked: Any) -> None:
        at = self.provider.behaviour.authenticated_at
        self.provider.codes[code] = Code(dict(asked.payload.data), asked.user, int(time.time()) if at is None else at)

    def query_authorization_code(self, code: str, _client: Client) -> Code | None:
        return self.provider.codes.get(code)

    def delete_authorization_code(self, code: Code) -> None:
        self.provider.codes = {name: value for name, value in self.provider.codes.items() if value is not code}

    def authenticate_user(self, code: Code) -> Person:
        return code.person


def _application(provider: Provider) -> Flask:
    app = Flask("provider")
    plain = app.wsgi_app

    def as_if_over_tls(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # The library's server refuses plain http even on this machine.
        return plain({**environ, "wsgi.url_scheme": "https"}, start_response)

    app.wsgi_app = as_if_over_tls  # type: ignore[method-assign] # Flask's documented way to wrap an app
    tokens: dict[str, Person] = {}
    server = AuthorizationServer(
        app,
        query_client=lambda name: Client(provider.return_to, provider.proven_by) if name == CLIENT else None,
        save_token=lambda token, asked: tokens.update({token["access_token"]: asked.user}),
    )
    server.provider = provider
    server.register_grant(_Grant, [CodeChallenge(required=True), _IdTokens(provider)])

    @app.before_request
    def break_down() -> None:
        if request.path in provider.behaviour.broken:
            abort(503)

    @app.get("/.well-known/openid-configuration")
    def discovery() -> Response:
        endpoints = {"authorization_endpoint": "authorize", "token_endpoint": "token", "userinfo_endpoint": "me"}
        said = {name: f"{provider.url}/{path}" for name, path in {**endpoints, "jwks_uri": "keys"}.items()}
        return jsonify(provider.behaviour.discovery({"issuer": provider.url, **said}))

    @app.get("/moved/.well-known/openid-configuration")
    def moved() -> WerkzeugResponse:
        return redirect("/.well-known/openid-configuration")

    @app.get("/keys")
    def keys() -> Response:
        return jsonify(KeySet([provider.key, *provider.further_keys]).as_dict(private=False))

    @app.get("/authorize")
    def authorize() -> Response:
        provider.asked.append(dict(parse_qsl(request.query_string.decode())))
        grant = server.get_consent_grant(end_user=provider.person)
        answer: Response = server.create_authorization_response(grant=grant, grant_user=provider.person)
        return answer

    @app.post("/token")
    def token() -> Response:
        answer: Response = server.create_token_response()
        return answer

    @app.get("/me")
    def userinfo() -> Response:
        person = tokens[request.headers["Authorization"].removeprefix("Bearer ")]
        return jsonify(provider.behaviour.userinfo({"sub": person.sub, **_email_of(person)}))

    return app


def _email_of(person: Person) -> Claims:
    return {"email": person.email, "email_verified": person.email_verified} if person.email else {}
