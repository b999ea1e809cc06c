from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.config import TREE
from app.errors import InvalidModel
from app.intake.sandbox import Sandbox
from app.intake.wire import Message
from tests.intake.processes import confined_processes, status
from tests.intake.work import attempts

CODE = (Path(__file__).parent,)
NOBODY = 65534
WHOLE = {"limits", "no new privileges", "files", "system calls"}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Let a confined process try everything; give how each attempt went, and see that nothing came of any."""
    folder = tmp_path_factory.mktemp("data")
    victim = folder / "secret"
    victim.write_text("secret")
    victim.chmod(0o600)
    before = victim.stat()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(folder / "socket"))
        unix.listen()
        job = {"port": server.getsockname()[1], "unix": str(folder / "socket"), "victim": str(victim), "pid": os.getpid()}
        yield dict(Sandbox(code=CODE).run("work:attempt", Message(job)).values)
    assert sorted(path.name for path in folder.iterdir()) == ["secret", "socket"]
    after = victim.stat()
    assert (victim.read_text(), after.st_mode, after.st_uid, after.st_mtime_ns, after.st_nlink) == (
        "secret",
        before.st_mode,
        before.st_uid,
        before.st_mtime_ns,
        1,
    )
    assert not Path("/tmp/vitrine-escaped").exists()
    assert not (CODE[0] / "escaped").exists()


@pytest.mark.parametrize("name", attempts(port=0, unix="/", victim="/", pid=0))
def test_a_confined_process_cannot(name: str, outcomes: dict[str, str]) -> None:
    # The list of calls refuses first what is not reading; reading is refused by Landlock.
    assert outcomes[name] in ("EPERM", "EACCES")


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    """Give what a confined process sees, started by one that has an inheritable descriptor and a secret in its environment."""
    ends = os.pipe()
    os.set_inheritable(ends[0], True)
    os.environ["VITRINE_SECRET_KEY"] = "secret"
    try:
        return dict(Sandbox(code=CODE).run("work:look", Message({})).values)
    finally:
        del os.environ["VITRINE_SECRET_KEY"]
        for end in ends:
            os.close(end)


def test_its_environment_holds_nothing_but_what_sets_its_libraries(seen: dict[str, Any]) -> None:
    passed_on = {name: os.environ[name] for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE") if name in os.environ}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    assert seen["environment"] == {"LANG": "C.UTF-8", "ORT_DISABLE_TELEMETRY": "1", **threads, **passed_on}


def test_it_inherits_no_descriptor_and_stands_in_a_folder_of_its_own(seen: dict[str, Any]) -> None:
    assert seen["descriptors"] == [0, 1, 2, 3]
    assert Path(seen["folder"]).name.startswith("vitrine-empty-")


def test_its_threads_and_libraries_work(seen: dict[str, Any]) -> None:
    assert seen["squares"] == [0, 1, 4, 9]
    assert seen["library"]
    assert seen["source"] > 1000


def test_it_has_namespaces_of_its_own_where_they_are_said_to_hold(seen: dict[str, Any]) -> None:
    own = {kind for kind, link in seen["namespaces"].items() if link != str(Path(f"/proc/self/ns/{kind}").readlink())}
    held = {"own users", "own network", "own processes"} <= set(seen["confinement"])
    assert own == ({"user", "net", "pid", "ipc"} if held else set())
    assert (seen["pid"] == 1) is held


def test_from_outside_it_is_without_any_privilege_and_dies_with_its_other_half() -> None:
    with ThreadPoolExecutor() as pool:
        running = pool.submit(Sandbox(code=CODE).run, "misdeeds:misbehave", Message({"how": "sleep"}))
        found = confined_processes(os.getpid(), at_least=1)
        inner = next(pid for pid in found if status(pid)["Seccomp"] == "2")
        told = status(inner)
        os.kill(min(found), signal.SIGKILL)
        assert isinstance(running.exception(), InvalidModel)
    assert {told[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    assert (told["NoNewPrivs"], told["Threads"]) == ("1", "1")
    confined_processes(os.getpid())


def lacking(*features: str) -> dict[str, Any]:
    """Import where the system really refuses some features, as containers do."""
    command = [sys.executable, "-m", "tests.intake.lacking", *features]
    return dict(json.loads(subprocess.run(command, cwd=TREE, check=True, capture_output=True).stdout))


@pytest.mark.parametrize(
    ("feature", "gone"),
    [
        ("files", {"files"}),
        ("system calls", {"system calls"}),
        ("privileges", {"no new privileges", "files", "system calls"}),
    ],
)
def test_where_an_essential_protection_is_missing_the_import_stops_unless_told_otherwise(feature: str, gone: set[str]) -> None:
    told = lacking(feature)
    assert told["strict"] == (
        f"This system cannot confine what opens the file (missing: {', '.join(sorted(gone))}). "
        "If you trust the file, say --weak-sandbox."
    )
    assert WHOLE & set(told["weak"]) == WHOLE - gone


def test_where_there_are_no_namespaces_what_is_essential_still_holds_and_the_record_says_so() -> None:
    assert lacking("namespaces") == {"strict": sorted(WHOLE), "weak": sorted(WHOLE)}


def test_an_unprivileged_user_is_confined_as_root_is() -> None:
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name)
        tree.chmod(0o755)
        for file in ("__init__.py", "errors.py", *(f"intake/{path.name}" for path in (TREE / "app" / "intake").glob("*.py"))):
            copied = tree / "app" / file
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TREE / "app" / file, copied)
        shutil.copy(CODE[0] / "work.py", tree)
        asking = (
            "import json; from pathlib import Path; from app.intake.sandbox import Sandbox; "
            "from app.intake.wire import Message; sandbox = Sandbox(code=(Path.cwd(),)); "
            "print(json.dumps(dict(sandbox.run('work:look', Message({})).values)))"
        )
        # A user has no way to change to another, and need not.
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        run = subprocess.run([readable_python(), "-c", asking], cwd=tree, check=True, capture_output=True, **user)  # type: ignore[call-overload]
    told = json.loads(run.stdout)
    assert set(told["confinement"]) >= WHOLE
    assert told["squares"] == [0, 1, 4, 9]


def readable_python() -> str:
    """Give a Python that everybody may run: this one, unless it lies in a folder of root's own."""
    found = Path(sys.executable).resolve()
    private = any(not folder.stat().st_mode & 0o001 for folder in found.parents)
    return "/usr/bin/python3" if private and os.getuid() == 0 else sys.executable
