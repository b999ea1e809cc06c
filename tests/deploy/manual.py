"""The commands of docs/deploy.md, run as they stand there but for ports and folders."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.serving import TREE


def commands(heading: str) -> str:
    """Give the first commands below a heading."""
    text = (TREE / "docs" / "deploy.md").read_text(encoding="utf-8")
    _, _, below = text.partition(f"\n## {heading}\n")
    assert below, heading
    found = re.search(r"^```sh\n(.*?)^```$", below.partition("\n## ")[0], re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def adapted(text: str, changes: Mapping[str, str]) -> str:
    """Give a text with other ports and folders; each must be there."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def carry_out(script: str, environment: Mapping[str, str]) -> None:
    """Run commands in the tree until one fails, and see that none does."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin:/sbin"
    done = subprocess.run(
        ["sh", "-euc", script],
        cwd=TREE,
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
