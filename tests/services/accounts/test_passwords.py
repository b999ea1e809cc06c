"""Which passwords may be chosen; and how many hashes are made at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher

from app.errors import InvalidPassword, Overloaded
from app.services.accounts.passwords import Passwords, check_password

EMAIL = "ada.lovelace@example.org"
GOOD = [
    "correct horse battery",
    "correcthorsebatterystaple",
    "jfKd8s#kL2pq",
    "ein Schlüssel für Ähren",
    "我的照片在窗户后面的墙上挂着吧",
    " with spaces around ",
    "correct horse battery".ljust(1024, "x"),
]
COMMON = [
    "password1234",
    "Password123!",
    "P4ssw0rd2024!",
    "passwordpassword",
    "123456789012",
    "112233445566",
    "qwertyuiop12",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "qwertyuiop[]",
    "iloveyou1234",
    "letmeinletmein",
    "administrator1",
    "changeme1234",
    "aaaaaaaaaaaa",
    "abcdefghijkl",
    "lovelace1234",
    "x" * 1024,
]


@pytest.mark.parametrize("password", GOOD)
def test_a_password_of_ones_own_is_taken_without_rules(password: str) -> None:
    check_password(password, EMAIL)


@pytest.mark.parametrize("password", COMMON)
def test_a_common_one_is_refused(password: str) -> None:
    with pytest.raises(InvalidPassword, match="soon guessed"):
        check_password(password, EMAIL)


@pytest.mark.parametrize("length", [0, 11, 1025])
def test_its_length_is_bounded(length: int) -> None:
    with pytest.raises(InvalidPassword, match="12 to 1024 characters"):
        check_password(("correct horse battery" * 50)[:length], EMAIL)


@pytest.mark.parametrize("password", ["my own vitrine of glass", "VITRINE, correct horse"])
def test_the_name_of_the_site_is_not_in_it(password: str) -> None:
    with pytest.raises(InvalidPassword, match="without the name Vitrine"):
        check_password(password, EMAIL)


@pytest.mark.parametrize("password", [EMAIL, EMAIL.upper(), "Ada.Lovelace", " ada.lovelace@example.org "])
def test_it_is_not_the_address(password: str) -> None:
    with pytest.raises(InvalidPassword, match="not your e-mail address"):
        check_password(password, EMAIL)


def test_a_hash_is_argon2id_of_the_password_as_it_was_typed() -> None:
    passwords = Passwords()
    kept = passwords.hash(" Ähren ")
    assert kept.startswith("$argon2id$")
    assert PasswordHasher().verify(kept, " Ähren ")
    assert passwords.verify(" Ähren ", kept) is True
    assert passwords.verify("Ähren", kept) is False
    assert passwords.needs_update(kept) is False
    assert passwords.needs_update(PasswordHasher(time_cost=1).hash("x")) is True


@pytest.mark.parametrize("kept", [None, "", "x", "$argon2id$v=19$broken"])
def test_no_password_goes_with_what_is_no_hash(kept: str | None) -> None:
    assert Passwords().verify("correct horse battery", kept) is False


class SlowHasher(PasswordHasher):
    """Counts how many of its hashes are made at once, and goes on when it is told to."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.go_on = threading.Event()
        self.both = threading.Semaphore(0)
        self.now, self.most = 0, 0
        self._lock = threading.Lock()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.both.release()
        assert self.go_on.wait(10)
        with self._lock:
            self.now -= 1
        return super().hash(password, salt=salt)


def test_two_are_worked_at_and_who_waits_too_long_is_told() -> None:
    hasher = SlowHasher()
    passwords, patient = Passwords(hasher=hasher, wait_seconds=0.05), Passwords(hasher=hasher)
    with ThreadPoolExecutor(8) as pool:
        first = [pool.submit(passwords.hash, "x") for _ in range(2)]
        assert all(hasher.both.acquire(timeout=10) for _ in range(2))
        with pytest.raises(Overloaded, match="More passwords are being checked"):
            passwords.verify("x", "a hash")
        hasher.go_on.set()
        assert all(one.result().startswith("$argon2id$") for one in first)
        assert all(pool.map(patient.hash, "x" * 8))
    assert hasher.most == 2
    assert passwords.hash("x").startswith("$argon2id$")
