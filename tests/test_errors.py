"""What can go wrong, as nouns: codes that programs rely on, and sentences for whoever caused it."""

from __future__ import annotations

import inspect
import re
from http import HTTPStatus

import pytest

import app.errors
from app.config import TREE
from app.errors import (
    DatabaseUnavailable,
    InvalidImage,
    InvalidSettings,
    Overloaded,
    StillRunning,
    TooManyAttempts,
    TooManyRequests,
    VitrineError,
)
from app.http.errors import problem_of
from app.server.refusals import TOO_SLOW

ERRORS = {
    kind.__name__: kind
    for _, kind in inspect.getmembers(app.errors, inspect.isclass)
    if issubclass(kind, VitrineError) and kind is not VitrineError
}
# The door is not reached by the first; the others are raised by pages and commands only.
NOT_OF_THE_API = {
    "InvalidSettings",
    "AccountNotFound",
    "InvalidAccount",
    "InvalidAddressLink",
    "InvalidBackup",
    "InvalidCode",
    "InvalidPasskey",
    "InvalidDataset",
    "InvalidInvitation",
    "InvalidPassword",
    "InvalidSetupLink",
    "ProviderUnavailable",
    "SignInRefused",
    "KeyNotFound",
    "UnsafeModel",
    "RecipeUndecided",
    "VersionKept",
}


def made(kind: type[VitrineError]) -> VitrineError:
    if issubclass(kind, TooManyRequests):
        return kind("A sentence.", 7, {"RateLimit": '"key";r=0;t=7'})
    return kind("A sentence.", 7) if issubclass(kind, Overloaded | StillRunning | TooManyAttempts) else kind("A sentence.")


@pytest.mark.parametrize("name", ERRORS)
def test_the_code_of_an_error_is_its_noun(name: str) -> None:
    assert ERRORS[name].code == re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    assert "code" in vars(ERRORS[name]), "a code of its own, not its parent's"


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_explained_and_speaks_its_sentence(name: str) -> None:
    assert (ERRORS[name].__doc__ or "").endswith(".")
    assert str(made(ERRORS[name])) == "A sentence."


def test_one_who_catches_the_root_catches_every_refusal() -> None:
    assert ERRORS
    for kind in ERRORS.values():
        with pytest.raises(VitrineError):
            raise made(kind)


def test_whatever_is_wrong_with_a_picture_is_an_invalid_image() -> None:
    assert {kind.__name__ for kind in ERRORS.values() if issubclass(kind, InvalidImage)} == {
        "InvalidImage",
        "UnsupportedImage",
        "ImageTooLarge",
        "ImageTooComplex",
    }


def test_whoever_must_wait_is_told_how_long() -> None:
    assert (Overloaded("Busy.").retry_after, Overloaded("Busy.", 3).retry_after) == (1, 3)
    assert TooManyAttempts("Wait.", 240).retry_after == 240
    assert StillRunning("Wait.", 2).retry_after == 2
    assert TooManyRequests("Wait.", 30, {}).retry_after == 30
    assert DatabaseUnavailable().retry_after > 0
    assert str(DatabaseUnavailable()) == "The database does not answer; please try again in a moment."


def test_every_refusal_leaves_with_a_status_that_says_whose_fault_it_is() -> None:
    by_fault = {name: problem_of(made(kind)).status // 100 for name, kind in ERRORS.items() if kind is not InvalidSettings}
    ours = {"InvalidPackage", "InvalidModel", "UnsafeModel", "DatabaseUnavailable", "Overloaded", "ProviderUnavailable"}
    ours |= {"StoreUnavailable"}
    assert {name for name, hundreds in by_fault.items() if hundreds == 5} == ours
    assert {name for name, hundreds in by_fault.items() if hundreds == 4} == by_fault.keys() - ours


def test_the_documented_codes_are_those_the_api_answers() -> None:
    text = " ".join((TREE / "docs" / "addresses.md").read_text(encoding="utf-8").split()).partition("Errors of the API are")[2]
    documented: dict[str, int] = {}
    for codes, status in re.findall(r"((?:`\w+`(?:, | and )?)+) \((\d{3})", text):
        documented |= dict.fromkeys(re.findall(r"`(\w+)`", codes), int(status))
    answered = {kind.code: problem_of(made(kind)).status for name, kind in ERRORS.items() if name not in NOT_OF_THE_API}
    # And what the framework and the server say themselves.
    assert documented == {**answered, "request_too_large": HTTPStatus(413).value, TOO_SLOW.code: TOO_SLOW.status}
