"""From an error to what a door says: one table for all of them; each door registers its own renderer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

import structlog
from flask import Blueprint, Flask, Response, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from app.errors import (
    AccountNotFound,
    AnswersFlip,
    DatabaseUnavailable,
    IdempotencyKeyReused,
    ImageTooComplex,
    ImageTooLarge,
    InvalidAccount,
    InvalidAddressLink,
    InvalidBackup,
    InvalidCode,
    InvalidDataset,
    InvalidImage,
    InvalidInvitation,
    InvalidKey,
    InvalidModel,
    InvalidPackage,
    InvalidPasskey,
    InvalidRequest,
    InvalidSetupLink,
    KeyNotFound,
    MissingScope,
    ModelNotFound,
    ModelRequired,
    Overloaded,
    PredictionNotFound,
    ProviderUnavailable,
    SignInRefused,
    StillRunning,
    StoreUnavailable,
    TooManyAttempts,
    TooManyRequests,
    UnknownHost,
    UnsupportedImage,
    VersionKept,
    VitrineError,
)
from app.http.context import known_account

_STATUS: dict[type[VitrineError], HTTPStatus] = {
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    InvalidKey: HTTPStatus.UNAUTHORIZED,
    MissingScope: HTTPStatus.FORBIDDEN,
    SignInRefused: HTTPStatus.FORBIDDEN,
    UnknownHost: HTTPStatus.MISDIRECTED_REQUEST,
    ModelNotFound: HTTPStatus.NOT_FOUND,
    PredictionNotFound: HTTPStatus.NOT_FOUND,
    InvalidSetupLink: HTTPStatus.NOT_FOUND,
    InvalidInvitation: HTTPStatus.NOT_FOUND,
    InvalidAddressLink: HTTPStatus.NOT_FOUND,
    AccountNotFound: HTTPStatus.NOT_FOUND,
    KeyNotFound: HTTPStatus.NOT_FOUND,
    ModelRequired: HTTPStatus.CONFLICT,
    StillRunning: HTTPStatus.CONFLICT,
    VersionKept: HTTPStatus.CONFLICT,
    AnswersFlip: HTTPStatus.CONFLICT,
    ImageTooLarge: HTTPStatus(413),
    UnsupportedImage: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ImageTooComplex: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidImage: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidAccount: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidBackup: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidCode: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidPasskey: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidDataset: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooManyAttempts: HTTPStatus.TOO_MANY_REQUESTS,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    InvalidPackage: HTTPStatus.SERVICE_UNAVAILABLE,
    InvalidModel: HTTPStatus.SERVICE_UNAVAILABLE,
    ProviderUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    DatabaseUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    Overloaded: HTTPStatus.SERVICE_UNAVAILABLE,
}
_SENTENCES = {
    400: "The request could not be understood.",
    401: "You are no longer logged in. Load the page again.",
    403: "You may not do this.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The request is larger than this site takes.",
    500: "Something went wrong on our side; it has been written down.",
}

# Python's own name of 413 is another since 3.13, and programs rely on ours.
_CODES = {413: "request_too_large"}
# What others answer with these statuses is a mistake; these may be an attack. An address that is not there is every scanner's.
_TOLD = frozenset({400, 401, 403, 413, 421, 422, 429})
# Of a key only its public part, and only where it looks like one of ours: what stands in a header may be anything.
_KEY = re.compile(r"vtr_([0-9a-f]{12})_")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a door tells of an error: a status, a stable code, one sentence, and headers that belong to it."""

    status: int
    code: str
    detail: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The status in its standard words."""
        return HTTPStatus(self.status).phrase


Renderer = Callable[[Problem], Response]


def problem_of(error: Exception) -> Problem:
    """Give what may be told of any error: never a trace, a path or a query."""
    if isinstance(error, VitrineError):
        status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)
        return Problem(status.value, error.code, str(error), _headers(error, status))
    if isinstance(error, CSRFError):
        return Problem(400, "form_refused", "This form is out of date. Load the page again and send it once more.")
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.code or 500)
        detail = _SENTENCES.get(status.value, error.description or status.phrase)
        headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
        return Problem(status.value, _CODES.get(status.value, status.name.lower()), detail, headers)
    log.error("unexpected_error", exc_info=error)
    return Problem(500, "internal_error", _SENTENCES[500])


def render_errors(door: Flask | Blueprint, renderer: Renderer) -> None:
    """Let every error of a door leave by that door."""

    def answer(error: Exception) -> Response:
        problem = problem_of(error)
        _tell(problem)
        response = renderer(problem)
        response.status_code = problem.status
        response.headers.update(problem.headers)
        return response

    door.register_error_handler(Exception, answer)


def _tell(problem: Problem) -> None:
    if problem.status in _TOLD:
        named = _KEY.search(request.headers.get("Authorization", ""))
        key = {"key": named.group(1)} if named else {}
        log.warning("refused", status=problem.status, code=problem.code, account=known_account(), **key)


def _headers(error: VitrineError, status: HTTPStatus) -> dict[str, str]:
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    headers = dict(error.headers) if isinstance(error, TooManyRequests) else {}
    retry_after = getattr(error, "retry_after", None)
    if retry_after is None and status == HTTPStatus.SERVICE_UNAVAILABLE:
        retry_after = 5
    return headers if retry_after is None else headers | {"Retry-After": str(retry_after)}
