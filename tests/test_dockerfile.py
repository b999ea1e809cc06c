"""What the Dockerfile promises, read from it; `make test-deploy` builds it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.serving import TREE, free_port


@dataclass(frozen=True)
class Instruction:
    """One instruction, on one line, and which FROM it stands under (0: before the first)."""

    stage: int
    name: str
    words: str


def read_instructions() -> list[Instruction]:
    lines = [line for line in (TREE / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    instructions: list[Instruction] = []
    stage = 0
    for line in re.sub(r"\\\n", "", "\n".join(lines)).splitlines():
        if line.strip():
            name, _, words = line.partition(" ")
            stage += name == "FROM"
            instructions.append(Instruction(stage, name, words.strip()))
    return instructions


INSTRUCTIONS = read_instructions()
LAST = max(one.stage for one in INSTRUCTIONS)


def words_of(name: str, stage: int | None = None) -> list[str]:
    return [one.words for one in INSTRUCTIONS if one.name == name and stage in (None, one.stage)]


def copied() -> list[str]:
    """Give the paths that are copied from the tree."""
    return [path for words in words_of("COPY") if not words.startswith("--from=") for path in words.split()[:-1]]


def place(name: str) -> list[int]:
    """Give where in the last stage an instruction stands."""
    return [at for at, one in enumerate(INSTRUCTIONS) if one.stage == LAST and one.name == name]


def sent(path: str) -> bool:
    """Tell whether a file of the tree goes to the build: the last pattern that fits it or a folder above it decides."""
    decision = True
    parts = path.split("/")
    above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    for line in (TREE / ".dockerignore").read_text().splitlines():
        pattern = line.strip().removeprefix("!")
        if not pattern or pattern.startswith("#"):
            continue
        regex = re.escape(pattern).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
        if any(re.fullmatch(regex, folder) for folder in above):
            decision = line.startswith("!")
    return decision


@contextmanager
def answering(status: int) -> Iterator[int]:
    """Give the port of a server that answers /readyz, and only that, with a status."""

    class Ready(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Ready) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join(timeout=10)


def check_health(**environment: str) -> bool:
    """Run the health check here, as it stands in the Dockerfile."""
    (words,) = words_of("HEALTHCHECK", LAST)
    python, *arguments = json.loads(words.partition(" CMD ")[2])
    assert python == "python"
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        [sys.executable, *arguments], env={**kept, **environment}, capture_output=True, timeout=60, check=False
    )
    return done.returncode == 0


@pytest.mark.parametrize("path", copied())
def test_every_source_exists_and_is_sent_to_the_build(path: str) -> None:
    assert (TREE / path).exists()
    assert sent(path)


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        ".env",
        "data/vitrine.db",
        "data/secret_key",
        "docs/settings.md",
        "requirements/test.txt",
        "tests/conftest.py",
        "app/__pycache__/config.cpython-311.pyc",
        "app/.env",
        "models/.lock",
    ],
)
def test_nothing_else_is_sent_to_the_build(path: str) -> None:
    assert not sent(path)


def test_the_base_is_a_build_argument() -> None:
    (argument,) = words_of("ARG", 0)
    assert argument.startswith("BASE=docker.io/library/python:3.11-slim")
    assert all(words.split()[0] == "${BASE}" for words in words_of("FROM"))


def test_libraries_come_from_the_lock_with_their_digests() -> None:
    installs = [step for words in words_of("RUN") for step in words.split("&&") if " install " in step and "pip" in step]
    locked, tree = installs
    assert "--require-hashes -r requirements/${LIBRARIES}.txt" in locked
    assert words_of("ARG", 1) == ["LIBRARIES=default"]
    assert "--no-deps --no-build-isolation --editable ." in tree


def test_nothing_is_installed_in_the_last_stage() -> None:
    assert not [words for words in words_of("RUN", LAST) if re.search(r"\b(pip|apt|apt-get)\b", words)]


def test_it_runs_as_a_user_that_has_a_number_and_is_not_root() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", words_of("USER", LAST)[-1])
    assert place("USER")[-1] > max(place("RUN") + place("COPY"))


def test_the_volume_comes_after_its_owner() -> None:
    assert words_of("VOLUME", LAST) == ["/data"]
    assert place("VOLUME")[0] > max(place("RUN"))


def test_it_starts_without_a_shell() -> None:
    assert json.loads(words_of("ENTRYPOINT", LAST)[0]) == ["vitrine"]
    assert json.loads(words_of("CMD", LAST)[0]) == ["serve"]


def test_no_setting_is_a_secret_or_an_address_of_packages() -> None:
    settings = " ".join(words_of("ENV") + words_of("ARG"))
    assert not re.search(r"SECRET|PASSWORD|TOKEN|KEY|CREDENTIAL|INDEX|FIND_LINKS|://", settings, re.IGNORECASE)


def test_the_health_check_asks_where_the_site_listens() -> None:
    with answering(200) as port:
        assert check_health(HOST="0.0.0.0", PORT=str(port))
        assert check_health(HOST="127.0.0.1", PORT="1", VITRINE_PORT=str(port))
        assert not check_health(HOST="127.0.0.1", PORT=str(free_port()))


def test_the_health_check_asks_no_proxy() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with answering(200) as port:
        assert check_health(HOST="0.0.0.0", PORT=str(port), HTTP_PROXY=nobody, http_proxy=nobody)


def test_the_health_check_tells_that_the_site_is_not_ready() -> None:
    with answering(503) as port:
        assert not check_health(HOST="0.0.0.0", PORT=str(port))


def test_the_extras_are_more_of_the_same_libraries() -> None:
    default, extras = (
        dict(re.findall(r"^([\w.-]+)(?:\[\w+\])?==(\S+)", (TREE / "requirements" / name).read_text(), re.MULTILINE))
        for name in ("default.txt", "extras.txt")
    )
    assert default.items() <= extras.items()
    assert {"psycopg", "redis", "authlib", "obstore"} <= extras.keys() - default.keys()
