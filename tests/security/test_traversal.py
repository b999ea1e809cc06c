"""No name and no path leads out of its place: never a file from outside, and never an error of the server's."""

from __future__ import annotations

import socket

import pytest

from app.config import TREE
from tests.factories import make_picture
from tests.sampling import sample, sampled
from tests.security.cast import Address, key_of, person, services
from tests.serving import EMAIL, RunningSite
from tests.web.visiting import Visitor

_TARGETS = ["etc/passwd", "pyproject.toml", "secret_key", "vitrine.db", "manifest.json", "source.pkl"]
_UP = r"""
../ ..%2f %2e%2e/ %2e%2e%2f ..%252f %252e%252e%252f %25%32%65%25%32%65%25%32%66 ..\ ..%5c %2e%2e%5c ..%255c ....// ..../ ....\\
..;/ ..%00/ %00../ ..%0d/ ..%c0%af %c0%ae%c0%ae/ ..%c1%9c %e0%80%ae%e0%80%ae/ ..%e0%80%af ..%ef%bc%8f %ef%bc%8e%ef%bc%8e/
..%u2215 ..%c2%a5 ./../ /../ //../ %2f..%2f ..%2f%2f .%2e/ %2e./ ..%09/ ..%20/ x/../../ static/../../ samples/../../
"""
VECTORS = [
    *(
        f"{up * depth}{target}"
        for up in _UP.split()
        for depth, target in ((1, "secret_key"), (3, "pyproject.toml"), (9, "etc/passwd"))
    ),
    *(f"{begin}{target}" for target in _TARGETS for begin in ("/", "%2f", "file:///", "\\", "C:\\", "~/", "/proc/self/root/")),
    *(f"{target}{end}" for target in _TARGETS for end in ("%00", "%00.png", "::$DATA", "/", "%2f", ".", "%20", "?", "#")),
    *(
        "/proc/self/environ",
        "%00",
        "%ff",
        "%c0%80",
        ".",
        "..",
        "%2e",
        "%2e%2e",
        "con",
        "a" * 300,
        "%f0%9f%92%a9" * 60,
        "*",
        "{name}",
    ),
]
# What stands in a file that nobody should see, and nowhere on a page.
_SECRETS = [b"root:x:0:0", b"[build-system]", b"SQLite format 3", b'"digests"', b"sklearn.linear_model"]


@pytest.fixture
def secrets(fort: RunningSite) -> list[bytes]:
    return [*_SECRETS, (fort.data / "secret_key").read_bytes().strip(), str(TREE).encode(), str(fort.data).encode()]


def raw(site: RunningSite, method: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """Ask for exactly this path, which no library would send."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "localhost", "Connection": "close", **headers}.items())
    length = "Content-Length: 0\r\n" if method == "POST" else ""
    with socket.create_connection(("127.0.0.1", site.port), timeout=60) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\n{lines}{length}\r\n".encode())
        answer = b""
        while piece := connection.recv(262_144):
            answer += piece
    return int(answer.split(b" ", 2)[1]), answer


def cookie(visitor: Visitor) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())}


@sampled
def test_no_address_gives_a_file_from_outside(fort: RunningSite, everywhere: list[Address], secrets: list[bytes]) -> None:
    admin = person(fort, "root@example.org", admin=True)
    asked = [address for address in everywhere if address.parameters]
    assert len(asked) >= 10
    for address in asked:
        names = [name for kind, name in address.parameters if kind != "int"]
        method = "GET" if "GET" in address.methods else "POST"
        headers = {**cookie(admin), "Authorization": f"Bearer {key_of_once(fort)}"}
        vectors = sample(VECTORS, 7 if method == "GET" else 20)
        for name in names:
            for vector in vectors:
                status, answer = raw(fort, method, address.path({name: vector.replace(" ", "%20")}), headers)
                assert status < 500, (address.rule, vector)
                assert not [secret for secret in secrets if secret in answer], (address.rule, vector)


_KEYS: dict[str, str] = {}


def key_of_once(site: RunningSite) -> str:
    """Give one key of the usual account."""
    if site.url not in _KEYS:
        here = services(site)
        if not here.accounts.exists(EMAIL):
            site.make_account(EMAIL)
        _KEYS[site.url] = key_of(site, EMAIL)
    return _KEYS[site.url]


@sampled
@pytest.mark.parametrize("prefix", ["/", "/static/", "/static/bootstrap/", "/static/swagger-ui/", "/api/v1/", "/models/", "//"])
def test_nor_does_one_that_no_rule_has(fort: RunningSite, secrets: list[bytes], prefix: str) -> None:
    for vector in sample(VECTORS, 4):
        status, answer = raw(fort, "GET", f"{prefix}{vector.replace(' ', '%20')}", {})
        assert status < 500, vector
        assert not [secret for secret in secrets if secret in answer], vector


@sampled
@pytest.mark.parametrize("field", ["model", "sample"])
def test_nor_does_a_field_of_the_form(fort: RunningSite, secrets: list[bytes], field: str) -> None:
    ada = person(fort, "ada@example.org")
    token = ada.token_of("/account")
    for vector in [
        *sample(VECTORS, 4),
        "cats-vs-dogs/../../pyproject.toml",
        "cats-vs-dogs/manifest.json",
        "cats-vs-dogs/samples/../card.md",
    ]:
        files = [("images", "a.png", make_picture())] if field == "model" else []
        reply = ada.send("/", {"csrf_token": token, field: vector}, files)
        assert reply.status < 500, vector
        assert not [secret for secret in secrets if secret in reply.body.replace(vector.encode(), b"")], vector


@sampled
@pytest.mark.parametrize("word", ["version", "size", "page", "model", "q"])
def test_nor_does_a_word_of_a_query(fort: RunningSite, secrets: list[bytes], word: str) -> None:
    admin = person(fort, "root@example.org", admin=True)
    for vector in sample(VECTORS, 8):
        for path in ("/models/cats-vs-dogs/samples/samples/Maine_Coon_31.jpg", "/history", "/", "/people"):
            status, answer = raw(fort, "GET", f"{path}?{word}={vector.replace(' ', '%20').replace('#', '%23')}", cookie(admin))
            assert status < 500, (path, vector)
            assert not [secret for secret in secrets if secret in answer], (path, vector)


def test_the_name_of_a_file_is_a_text_and_no_place(fort: RunningSite) -> None:
    """Pictures are kept under the identifier of their answer, whatever they are called."""
    ada = person(fort, "ada@example.org")
    before = {path for path in fort.data.parent.rglob("*") if path.is_file()}
    for name in ("../../escaped.png", "..\\..\\escaped.png", "/tmp/escaped.png", "escaped.png\x00.jpg", "%2e%2e%2fescaped.png"):
        assert (
            ada.send("/", {"csrf_token": ada.token_of("/"), "model": "cats-vs-dogs"}, [("images", name, make_picture())]).status
            < 500
        )
    made = {path for path in fort.data.parent.rglob("*") if path.is_file()} - before
    assert made
    assert not [path for path in made if "escaped" in path.name or not path.is_relative_to(fort.data)]
