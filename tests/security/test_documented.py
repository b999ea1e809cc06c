"""What docs/security.md says was decided is what the code does, and nothing is left out of its lists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import TREE, Settings
from app.http import sessions
from app.inference.images import ACCEPTED, DEFAULT_LIMITS
from app.services import mail
from app.services.accounts import api_keys, attempts
from app.services.accounts.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD
from app.storage.tables import Base

DOCUMENT = (TREE / "docs" / "security.md").read_text(encoding="utf-8")
POLICY = (TREE / "SECURITY.md").read_text(encoding="utf-8")
SOURCES = sorted((TREE / "app").rglob("*.py"))
CRYPTOGRAPHY = {
    *("hashlib", "hmac", "secrets", "ssl", "zlib", "uuid", "random", "argon2", "itsdangerous", "ulid"),
    *("cryptography", "fido2", "passlib", "authlib", "joserfc", "jwt"),
}
CONNECTIONS = {
    *("socket", "smtplib", "imaplib", "poplib", "ftplib", "telnetlib", "xmlrpc", "requests", "httpx", "aiohttp", "urllib3"),
    *("redis", "authlib", "boto3", "obstore", "pymongo", "opentelemetry"),
}


def section(title: str) -> str:
    """Give a section of the document, from its heading to the next."""
    found = re.search(rf"^### {re.escape(title)}\n(.*?)(?=^##)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found, f"docs/security.md has no section {title}"
    return found.group(1)


def said(title: str) -> str:
    """Give a section as one line, however it is broken."""
    return " ".join(section(title).split())


def imports(path: Path) -> set[str]:
    """Give the packages that a module imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def using(packages: set[str]) -> Iterator[str]:
    """Give the modules of ours that import one of these."""
    for path in SOURCES:
        if {name.partition(".")[0] for name in imports(path)} & packages:
            yield path.relative_to(TREE).as_posix()


def events() -> Iterator[str]:
    """Give the name of every event that our code writes to the log."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            if re.fullmatch(r"(self\._)?log\.(debug|info|warning|error|exception|critical)|write", ast.unparse(node.func)):
                yield str(node.args[0].value)


def test_the_rules_for_what_is_taken_are_those_of_the_code() -> None:
    rules = said("What is taken, and how it is checked")
    assert f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD:,} characters" in rules
    assert f"1 to {api_keys._LONGEST_DAYS:,} days" in rules
    assert "1 to 80 characters" in rules
    assert "`[a-z0-9][a-z0-9-]{0,62}`" in rules
    for together in ("typed twice", "must be there together", "What belongs together is checked together"):
        assert together in rules


def test_every_documented_limit_is_the_one_in_force() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", section("Limits"), re.MULTILINE))
    assert len(rows) >= 19
    for name, value in rows.items():
        if name.startswith("VITRINE_"):
            actual = Settings.model_fields[name.removeprefix("VITRINE_").lower()].default
        else:
            actual = getattr(DEFAULT_LIMITS, name)
        assert float(value) == actual, name
    fields = set(type(DEFAULT_LIMITS).__dataclass_fields__) - {"file_bytes", "pixels", "side", "pixel_scans"}
    assert fields <= rows.keys()


def test_the_formats_that_are_taken_are_named() -> None:
    assert f"{', '.join(ACCEPTED[:-1])} or {ACCEPTED[-1]}" in said("Files")
    assert "2 GB at most" in said("Files")


def test_the_limits_of_guessing_are_those_of_the_code() -> None:
    counters = dict(attempts._counters("ada@example.org", "192.0.2.1"))
    account, address, everybody = counters.values()
    minutes = attempts._WINDOW_SECONDS // 60
    words = said("Ways in")
    assert (
        f"{account} failures for an account, {address} from an address and {everybody:,} in all within {minutes} minutes"
        in words
    )
    assert f"keep another out can do so for {minutes} minutes at a time" in words


def test_every_way_in_is_named() -> None:
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| `([^`]+)` \|", section("Ways in"), re.MULTILINE)
    assert {"/login", "/setup/<token>", "/invitation/<token>", "/recover/<token>", "/api/v1/"} <= {place for _, place in rows}


def test_sessions_live_as_long_as_is_said() -> None:
    words = said("Sessions")
    days, hours = (Settings.model_fields[name].default for name in ("login_days", "idle_hours"))
    assert f"after {days} days at the latest" in words
    assert f"not seen for {hours} hours" in words
    assert f"within {sessions._FRESH.seconds // 60} minutes" in words
    assert "any number of browsers" in words


def test_sessions_with_a_provider_are_described() -> None:
    words = said("Sessions")
    for told in ("begins after the provider's answer", "lives as long as any other", "does not log out at the provider"):
        assert told in words


def test_the_words_that_make_no_password_are_named() -> None:
    words = said("Ways in")
    for told in ("(`Vitrine`)", "the account's own address", "passwords from breaches"):
        assert told in words


def test_every_module_with_cryptography_is_in_the_inventory() -> None:
    inventory = section("Keys and cryptography")
    missing = [module for module in using(CRYPTOGRAPHY) if f"`{module}`" not in inventory]
    assert not missing, "say in docs/security.md what their cryptography is for"


def test_every_module_that_connects_to_something_is_named() -> None:
    named = section("What it talks to")
    missing = [module for module in using(CONNECTIONS) if f"`{module}`" not in named]
    assert not missing, "say in docs/security.md with whom they talk"
    for path in SOURCES:
        assert not {name for name in imports(path) if name.startswith(("urllib.request", "http.client"))}, path


def test_letters_are_bounded_as_is_said() -> None:
    assert f"{mail._SMTP_SECONDS:.0f} s, one thread, {mail._MOST_WAITING} letters waiting" in said("What it talks to")


@pytest.mark.parametrize("table", sorted(Base.metadata.tables))
def test_every_column_has_a_level(table: str) -> None:
    rows = re.findall(rf"^\| `{table}` \| ([^|]*) \| ([^|]+) \| ([^|]+) \|", section("Data"), re.MULTILINE)
    named = {name for columns, _, _ in rows for name in re.findall(r"`(\w+)`", columns)}
    assert set(Base.metadata.tables[table].columns.keys()) <= named
    assert all(re.match("secret|personal|internal|public", level) for _, level, _ in rows)


def test_every_event_of_the_log_is_in_its_inventory() -> None:
    inventory = section("The log")
    assert not {event for event in events() if f"`{event}`" not in inventory}


def test_nothing_is_logged_anywhere_else() -> None:
    for path in SOURCES:
        assert not re.findall(
            r"FileHandler|SysLogHandler|SocketHandler|HTTPHandler|SMTPHandler", path.read_text(encoding="utf-8")
        )


def test_what_costs_much_is_named_with_its_bound() -> None:
    bounds = section("What costs much")
    for setting in re.findall(r"VITRINE_(\w+)", bounds):
        assert setting.lower() in Settings.model_fields
    for costly in ("decoding", "model", "hashing", "letters", "importing"):
        assert re.search(rf"^\| [^|]*{costly}[^|]*\| [^|]+\|", bounds, re.MULTILINE), costly


def test_whatever_may_be_done_to_each_thing_is_said_for_everybody() -> None:
    rows = re.findall(r"^\| (?!what|--)([^|]+) \|([^|]+)\|([^|]+)\|([^|]+)\|$", section("Who may do what"), re.MULTILINE)
    assert len(rows) >= 10
    assert all(cell.strip() for row in rows for cell in row)


def test_each_severity_is_repaired_within_a_number_of_days() -> None:
    days = [
        int(number) for number in re.findall(r"^\| (?:critical|high|medium|low)[^|]*\| (\d+) days \|", POLICY, re.MULTILINE)
    ]
    assert len(days) == 4
    assert days == sorted(days)
    assert "`make audit`" in POLICY
    assert "`make lock` every 90 days" in " ".join(POLICY.split())


def test_a_report_goes_to_the_maintainers_and_to_no_invented_address() -> None:
    assert "privately" in POLICY
    assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", POLICY)
