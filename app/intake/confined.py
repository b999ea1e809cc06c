"""The confined process: gives up what it does not need, reads one job, does it and answers."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from app.errors import VitrineError
from app.intake.confinement import ESSENTIAL, Limits, confine
from app.intake.wire import Message, pack, read

_LONGEST_REFUSAL = 2000


def main(*, work: str, memory_bytes: int, seconds: int, weak: bool, code: Sequence[str], parent: int) -> None:
    """Confine this process, do the work on the job that comes on standard input, and answer on standard output.

    `code` are more folders to import from; `parent` is the process without which this one ends.
    """
    # What libraries print must not get between the answer's bytes.
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.path.extend(code)
    held = confine(Limits(memory_bytes, seconds), readable=[Path(path) for path in code], parent=parent)
    result = _answer(work) if weak or set(held) >= ESSENTIAL else Message({})
    with answer:
        answer.write(pack(Message({**result.values, "confinement": held}, result.blobs)))
        answer.flush()
    # Not by the interpreter's own way out: what a file left behind need not be taken down with care.
    os._exit(0)


def _answer(work: str) -> Message:
    module, _, function = work.partition(":")
    try:
        result = getattr(import_module(module), function)(read(sys.stdin.buffer))
    except VitrineError as error:
        return _refusal(str(error))
    except MemoryError:
        return _refusal("Opening the file took more memory than is allowed.")
    except Exception as error:  # whatever a stranger's file brings about is a refusal
        return _refusal(f"The file cannot be used: {type(error).__name__}: {error}")
    if not isinstance(result, Message):
        raise TypeError(f"{work} gave no message")
    return result


def _refusal(text: str) -> Message:
    return Message({"refused": text[:_LONGEST_REFUSAL]})


def nothing(_job: Message) -> Message:
    """Do nothing, for whoever wants to know only what the confinement holds."""
    return Message({})
