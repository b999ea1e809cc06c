from __future__ import annotations

import ctypes
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.config import TREE


@pytest.fixture
def told(tmp_path: Path) -> dict[str, Any]:
    """Give what a restricted process tells of two folders, of which it may read one, and of a port where somebody listens."""
    for name in ("shown", "hidden"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("text")
    (tmp_path / "single").write_text("text")
    (tmp_path / "shown" / "link").symlink_to(tmp_path / "hidden" / "file")
    (tmp_path / "shown" / "program").write_text("#!/bin/sh\n")
    (tmp_path / "shown" / "program").chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-m", "tests.intake.behind_landlock", str(tmp_path), str(server.getsockname()[1])]
        return dict(json.loads(subprocess.run(command, cwd=TREE, check=True, capture_output=True).stdout))


def test_only_reading_below_the_given_paths_is_left(told: dict[str, Any], tmp_path: Path) -> None:
    assert told["held"] is True
    files = {name: outcome for name, outcome in told["tried"].items() if name not in ("connect", "listen")}
    assert {name for name, outcome in files.items() if outcome == "done"} == {"read", "read one file", "list"}
    assert {outcome for outcome in files.values() if outcome != "done"} == {"PermissionError"}
    assert (tmp_path / "shown" / "file").read_text() == "text"


def test_no_connection_is_left_where_the_kernel_can_refuse_it(told: dict[str, Any]) -> None:
    version = ctypes.CDLL(None).syscall(444, None, 0, 1)
    expected = "PermissionError" if version >= 4 else "done"
    assert (told["tried"]["connect"], told["tried"]["listen"]) == (expected, expected)


def test_no_descriptor_is_left_open(told: dict[str, Any]) -> None:
    assert told["descriptors"] == []
