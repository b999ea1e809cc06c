"""The image of the Dockerfile, built and run for real: confined, on the loopback address, over a volume."""

from __future__ import annotations

import base64
import json
import os
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.deploy.containers import ContainerSite, Engine
from tests.serving import EMAIL, PASSWORD, TREE

OLD = TREE / "tests" / "storage" / "schemas" / "0005.sqlite.sql"
SAMPLES = TREE / "models" / "cats-vs-dogs" / "1" / "samples"


@pytest.fixture(scope="module")
def site(engine: Engine, image: str) -> Iterator[ContainerSite]:
    """Give a site whose account was made by a container of its own, before the first start."""
    engine.run("-v", "lived-in:/data", image, "users", "create", EMAIL, "--password-stdin", given=f"{PASSWORD}\n")
    with ContainerSite(engine, image, name="lived-in", volume="lived-in") as site:
        print(f"\ncold start: {site.started_within:.1f} s")
        yield site


def kept_in(database: sqlite3.Connection) -> set[tuple[str, str]]:
    """Give who has an account, and what was answered and done."""
    statements = ["'user', email FROM users", "'answer', id || label FROM predictions", "'deed', at || action FROM audit_log"]
    return {row for statement in statements for row in database.execute(f"SELECT {statement}")}


def assert_tells_cats_from_dogs(site: ContainerSite) -> None:
    for photo in sorted(SAMPLES.glob("*.jpg")):
        body = json.dumps({"image": base64.b64encode(photo.read_bytes()).decode()}).encode()
        reply = site.request("POST", "/api/v1/predict", body, {"Content-Type": "application/json"}, key=site.key)
        assert reply.status == 200, reply.body
        # The photos are named by breed, and their collection writes those of cats with a capital.
        assert reply.json["label"] == ("cat" if photo.name[0].isupper() else "dog"), photo.name


def inspect(engine: Engine, image: str, program: str) -> str:
    """Give what a Python program prints in the image as root, who may look everywhere."""
    return engine.run("--user", "0", "--entrypoint", "python", image, "-c", program).stdout


def test_holds_what_it_serves_and_nothing_else(engine: Engine, image: str) -> None:
    tree = inspect(engine, image, "import os; print(*sorted(os.listdir('/srv/vitrine')))").split()
    wanted = "LICENSE README.md __pycache__ app gunicorn.conf.py models pyproject.toml static templates wsgi.py"
    assert tree == wanted.split()


def test_holds_no_tests(engine: Engine, image: str) -> None:
    found = inspect(
        engine, image, "import pathlib; print(*pathlib.Path('/srv').rglob('test*'), *pathlib.Path('/opt').rglob('tests'))"
    )
    assert found.split() == []


def test_holds_no_tool_to_build_with_and_no_cache(engine: Engine, image: str) -> None:
    tools = ["gcc", "g++", "cc", "c++", "clang", "ld", "make", "git", "curl", "hatchling"]
    assert inspect(engine, image, f"import shutil; print(*filter(shutil.which, {tools}))").split() == []
    assert inspect(engine, image, "import os; print(os.path.exists('/root/.cache'))").strip() == "False"
    assert (
        inspect(engine, image, "import os; print(*(n for n in os.listdir('/opt/venv/bin') if n.startswith('pip')))").split()
        == []
    )


def test_tells_nobody_where_its_packages_came_from(engine: Engine, image: str) -> None:
    history = engine.call("ctr", "history", "--no-trunc", "--format", "{{.CreatedBy}}", image).stdout
    settings = engine.call("ctr", "image", "inspect", "-f", "{{json .Config.Env}}", image).stdout
    assert "index" not in history + settings
    # Where a build has pip's settings mounted, an empty file stays.
    assert inspect(
        engine, image, "import pathlib as p; f = p.Path('/etc/pip.conf'); print(f.exists() and f.read_text())"
    ).strip() in (
        "",
        "False",
    )


def test_is_nobody_who_can_change_or_gain_anything(site: ContainerSite) -> None:
    assert site.inside("id", "-u") == "10001"
    assert "NoNewPrivs:\t1" in site.inside("cat", "/proc/1/status")
    assert "CapEff:\t0000000000000000" in site.inside("cat", "/proc/1/status")
    assert site.inside("python", "-c", "import os; print(bool(os.statvfs('/').f_flag & os.ST_RDONLY))") == "True"


def test_keeps_its_data_from_other_users(site: ContainerSite) -> None:
    assert site.inside("stat", "-c", "%u %a", "/data") == "10001 700"


def test_tells_cats_from_dogs_and_leaves_nothing_lying_about(site: ContainerSite) -> None:
    assert_tells_cats_from_dogs(site)
    assert site.inside("ls", "-A", "/tmp") == ""


MAKE_A_MODEL = """
import pickle
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
digits = load_digits()
with open("/data/model.pkl", "wb") as file:
    pickle.dump(RandomForestClassifier(10, random_state=0).fit(digits.data / 16, digits.target), file)
"""


def test_imports_a_model_file_as_confined_as_anywhere(site: ContainerSite) -> None:
    site.inside("python", "-c", MAKE_A_MODEL)
    done = site.run("models", "import", "/data/model.pkl", "--name", "forest")
    assert done.returncode == 0, done.stderr
    assert "Served by forest" in done.stdout
    held = json.loads(site.inside("cat", "/data/models/forest/1/manifest.json"))["source"]["confinement"]
    assert {"no new privileges", "files", "system calls"} <= set(held)
    print(f"\nconfined in the container by: {', '.join(held)}")


def test_its_health_check_finds_it_well(site: ContainerSite) -> None:
    assert site.healthy()


def test_a_new_container_finds_the_data(site: ContainerSite) -> None:
    secret = site.inside("cat", "/data/secret_key")
    assert_tells_cats_from_dogs(site)
    assert site.stop() == 0
    site.start("serve")
    assert site.inside("cat", "/data/secret_key") == secret
    assert_tells_cats_from_dogs(site)


def test_finishes_what_has_begun_before_it_ends(engine: Engine, site: ContainerSite) -> None:
    picture = min(SAMPLES.glob("*.jpg")).read_bytes()
    head = (
        f"POST /api/v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {site.key}\r\n"
        f"Content-Length: {len(picture)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as line:
        line.sendall(head.encode())
        assert line.recv(1000).startswith(b"HTTP/1.1 100 ")
        line.sendall(picture[:1000])
        site.send(15)
        time.sleep(1)
        line.sendall(picture[1000:])
        with line.makefile("rb") as answer:
            assert answer.read().startswith(b"HTTP/1.1 200 ")
    assert site.ended() == 0
    site.start()


def test_an_upgrade_finds_the_data_in_place_and_brings_it_up_to_date(engine: Engine, image: str, tmp_path: Path) -> None:
    file = tmp_path / "vitrine.db"
    with closing(sqlite3.connect(file)) as database:
        database.executescript(OLD.read_text(encoding="utf-8"))
        before = kept_in(database)
    for path in (tmp_path, file):
        os.chown(path, 10001, 10001)
    keep = ["-e", "VITRINE_KEEP_DAYS=36500"]  # its answers are of years ago
    with ContainerSite(engine, image, name="upgraded", volume=str(tmp_path), options=keep) as site:
        assert "The database was brought up to date; as it was before, it is kept in /data/copies/vitrine-" in site.log
        assert_tells_cats_from_dogs(site)
        with closing(sqlite3.connect(file)) as database:
            assert kept_in(database) > before
    (copy,) = (tmp_path / "copies").iterdir()
    with closing(sqlite3.connect(copy)) as database:
        assert kept_in(database) == before


@pytest.mark.parametrize("words", [["serve"], ["users", "setup-link"]])
def test_says_in_one_sentence_that_its_data_cannot_be_written(engine: Engine, image: str, words: list[str]) -> None:
    done = engine.run("--tmpfs", "/data:ro", image, *words, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "vitrine: The data folder /data cannot be written to: mend its permissions, or name another in VITRINE_DATA."
    ]


def test_needs_no_home(engine: Engine, image: str) -> None:
    done = engine.run("-e", "HOME=", image, "users", "setup-link")
    assert "/setup/" in done.stdout
