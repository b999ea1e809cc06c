"""Rows for every table, with values at the edges of what a column takes: what is lost or bent on the way shows in them.

`scripts/dump-schema` writes them into the dumps of `tests/storage/schemas`, as far as a revision has their tables and columns.
A new table gets its rows here, and a new column a value in a row, or no dump is made.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

PASSWORD = "correct horse battery"
KEY = f"vtr_a1b2c3d4e5f6_{'5e' * 32}_2b6961f9"
# Of the site that the rows are from, as it were: second factors are sealed with it.
SECRET_KEY = "no secret: the key of the rows in tests/storage"
AUTHENTICATOR = "JBSWY3DPEHPK3PXP"

_HASH = "$argon2id$v=19$m=65536,t=3,p=4$FpwKui3dA+ItmkjwWKAe2g$l/jVvE2ecSA9MHNuqmf9UN3auHUV4FNRVujCHk6Gdk4"
_SEALED = (
    "gAAAAABrC-3HIB10BeRBSgdeEpuYHcgNeYW1WFRUZh6eEWy96kFK0oHHlINouF3_n7nxwpycXSXGvIwM5TOj9HZJp_84IhioQu_gialy-SWIz7zv5SZL1aY="
)
_EARLY, _LATE = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)
_THEN, _LATER = datetime(2024, 2, 29, 23, 59, 59, 1), datetime(2026, 7, 1, 12)
# Quotes of all kinds, a backslash, a marker of parameters, a line's end, a comment, and letters beyond every one-byte set.
_ODD = 'it\'s "odd"; -- \\n %s :name ? {0}\n\t\u00e9\u00df\u4e2d\U0001f63a\u202e'
_ADA, _BOB, _EVE, _LAST = 1, 2, 7, 2_000_000_000
_PICTURE = {"format": "PNG", "width": 32, "height": 24, "sha256": "0" * 64, "steps": ["grey to RGB", "\u00e9"]}
_TIMINGS = {"decode": 1.5, "queue": 0.0, "model": 1e-07, "total": 123456.789, "store": 0.1}


def _prediction(number: int, **given: Any) -> dict[str, Any]:
    usual = {
        "id": f"01J{number:023}",
        "user_id": _ADA,
        "guest": None,
        "model": "cats-vs-dogs",
        "version": "1",
        "label": "cat",
        "probability": 0.1 + 0.2,
        "scores": [["cat", 0.1 + 0.2], ["dog", 0.7]],
        "picture": _PICTURE,
        "timings": _TIMINGS,
        "file_name": "cat.png",
        "created_at": _THEN,
    }
    return {**usual, **given}


ROWS: dict[str, list[dict[str, Any]]] = {
    "attempts": [
        {"key": "login:ada@example.org", "amount": 10, "expires_at": 1781000000.123456},
        {"key": _ODD, "amount": 0, "expires_at": -0.0},
        {"key": "k" * 255, "amount": 2**31 - 1, "expires_at": 1.7976931348623157e308},
    ],
    "roles": [
        {"id": 1, "name": "admin", "description": None, "permissions": None},
        {"id": 2, "name": _ODD, "description": "d" * 255, "permissions": "read,write"},
    ],
    "users": [
        {
            **{"id": _ADA, "email": "ada@example.org", "password": _HASH, "active": True, "fs_uniquifier": "a" * 32},
            **{"created_at": _THEN, "logged_in_at": _LATER},
        },
        {
            **{"id": _BOB, "email": "O'Bob+x@ex\u00e4mple.org", "password": None, "active": False, "fs_uniquifier": "b" * 64},
            **{"created_at": _EARLY, "logged_in_at": None},
        },
        {
            **{"id": _EVE, "email": "eve@example.org", "password": "", "active": True, "fs_uniquifier": ""},
            **{"created_at": _LATE, "logged_in_at": _LATE},
        },
        {
            **{"id": _LAST, "email": f"{'l' * 243}@example.org", "password": "p" * 255, "active": True},
            **{"fs_uniquifier": _ODD, "created_at": _LATER, "logged_in_at": _EARLY},
        },
    ],
    "roles_users": [{"user_id": _ADA, "role_id": 1}, {"user_id": _ADA, "role_id": 2}, {"user_id": _LAST, "role_id": 1}],
    "api_keys": [
        {
            **{"id": "a1b2c3d4e5f6", "user_id": _ADA, "name": "laptop"},
            **{"digest": "8414cd6b08e92be7f34132d9f8fabaa0cf0f072bab807b434e7ff02efc918a1e", "created_at": _THEN},
            **{"scopes": ["predict", "history:read", "models:read", "models:write", "admin"]},
            **{"last_used_at": _LATER, "expires_at": None, "revoked_at": None, "daily": None},
        },
        {
            **{"id": "f" * 16, "user_id": _BOB, "name": _ODD, "digest": "0" * 64, "scopes": [], "created_at": _EARLY},
            **{"last_used_at": None, "expires_at": _EARLY, "revoked_at": _LATE, "daily": 1_000_000_000},
        },
    ],
    "predictions": [
        _prediction(1),
        _prediction(2, user_id=None, guest="9" * 32, label=_ODD, file_name=_ODD, scores=[[_ODD, 1.0]], probability=1.0),
        _prediction(3, user_id=_LAST, probability=5e-324, scores=[], timings={}, file_name=None, created_at=_LATE),
        _prediction(4, user_id=None, model="m" * 63, version="9" * 16, label="l" * 255, file_name="f" * 255, probability=0.0),
        _prediction(5, label="", file_name="", created_at=_EARLY, picture={**_PICTURE, "width": 16384, "steps": []}),
        _prediction(6, file_name="NULL", label="null", version="007", scores=[["null", 1e22], ["true", 2**53]]),
    ],
    "audit_log": [
        {
            **{"id": 1, "at": _THEN, "actor": "command line", "account_id": None, "action": "made", "address": None},
            **{"subject": "account ada@example.org", "detail": ""},
        },
        {
            **{"id": 2, "at": _LATE, "actor": _ODD, "account_id": _ADA, "action": "a" * 40, "address": "2001:db8::1"},
            **{"subject": "s" * 255, "detail": "d" * 1000},
        },
        {
            **{"id": 40, "at": _EARLY, "actor": "gone@example.org", "account_id": _LAST, "action": "imported"},
            **{"subject": "model cats-vs-dogs", "detail": _ODD, "address": "192.0.2.1"},
        },
    ],
    "idempotent_requests": [
        {
            **{"key_id": "a1b2c3d4e5f6", "name": "once", "fingerprint": "1" * 64, "prediction_id": "01J" + "0" * 22 + "1"},
            **{"answer": {"label": "cat", "scores": [0.1, 1e-300], "odd": _ODD, "none": None}},
            **{"held_until": _THEN, "expires_at": _LATER},
        },
        {
            **{"key_id": "a1b2c3d4e5f6", "name": _ODD, "fingerprint": "", "prediction_id": "z" * 26, "answer": None},
            **{"held_until": _EARLY, "expires_at": _LATE},
        },
    ],
    "logins": [
        {
            **{"id": 3, "user_id": _ADA, "digest": "3" * 64, "browser": "Firefox on Linux", "address": "127.0.0.1"},
            **{"began_at": _THEN, "seen_at": _LATER},
        },
        {
            **{"id": 9, "user_id": _BOB, "digest": "9" * 64, "browser": _ODD, "address": ":".join(["ffff"] * 6)},
            **{"began_at": _EARLY, "seen_at": _LATE},
        },
    ],
    "invitations": [
        {
            **{"id": 1, "digest": "i" * 64, "email": "new@example.org", "admin": True, "invited_by": "ada@example.org"},
            **{"expires_at": _LATER},
        },
        {"id": 5, "digest": "j" * 64, "email": "x'y@example.org", "admin": False, "invited_by": "", "expires_at": _LATE},
    ],
    "identities": [
        {"id": 1, "user_id": _ADA, "issuer": "https://login.example.org", "subject": "00u1", "linked_at": _THEN},
        {"id": 2, "user_id": _BOB, "issuer": "https://login.example.org", "subject": _ODD, "linked_at": _LATE},
        {"id": 3, "user_id": _ADA, "issuer": "i" * 255, "subject": "s" * 255, "linked_at": _EARLY},
    ],
    "address_changes": [
        {"user_id": _BOB, "digest": "c" * 64, "email": "bob@example.net", "expires_at": _LATER},
        {"user_id": _EVE, "digest": "d" * 64, "email": f"{'e' * 243}@example.net", "expires_at": _EARLY},
    ],
    "authenticators": [
        {"user_id": _ADA, "secret": _SEALED, "last_counter": 2**62, "added_at": _THEN},
        {"user_id": _EVE, "secret": "s" * 255, "last_counter": -1, "added_at": _LATE},
    ],
    "recovery_codes": [
        {"id": 1, "user_id": _ADA, "digest": "r" * 64},
        {"id": 2, "user_id": _ADA, "digest": "r" * 64},
        {"id": 11, "user_id": _EVE, "digest": "t" * 64},
    ],
    "passkeys": [
        {
            **{"id": 1, "user_id": _ADA, "name": "security key", "handle": bytes(range(32)), "credential_id": "YWJj"},
            **{"credential": bytes(range(256)), "sign_count": 2**32 - 1, "added_at": _THEN, "used_at": _LATER},
        },
        {
            **{"id": 4, "user_id": _EVE, "name": _ODD, "handle": b"\x00" * 64, "credential_id": "c" * 2046},
            **{"credential": b"", "sign_count": 0, "added_at": _LATE, "used_at": None},
        },
    ],
    "shadow_answers": [
        {
            **{"id": 1, "model": "cats-vs-dogs", "version": "2", "against": "1", "prediction_id": "01J" + "0" * 22 + "1"},
            **{"label": "cat", "probability": 0.1 + 0.2, "shadow_label": "dog", "shadow_probability": 0.7},
            **{"difference": 0.39999999999999997, "ms": 1e-07, "passed_over": 0, "created_at": _THEN},
        },
        {
            **{"id": 8, "model": "m" * 63, "version": "9" * 16, "against": "", "prediction_id": None, "label": _ODD},
            **{"probability": 5e-324, "shadow_label": None, "shadow_probability": None, "difference": None, "ms": None},
            **{"passed_over": 2**31 - 1, "created_at": _LATE},
        },
    ],
    "sums": [
        {
            "span": 60,
            "measure": "total",
            "begins_at": 0,
            "model": "m",
            "version": "1",
            "detail": "",
            "amount": 1,
            "total": 1e-07,
        },
        {
            **{"span": 3600, "measure": "classes", "begins_at": 2**40, "model": "m" * 63, "version": "9" * 16, "detail": _ODD},
            **{"amount": 2**62, "total": 0.1 + 0.2},
        },
    ],
}
