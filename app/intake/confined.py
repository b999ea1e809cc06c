"""The confined process: gives up what it does not need, reads one job, does it and answers."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from app.errors import VitrineError
from app.intake.confinement import ESSENTIAL, confine
from app.intake.wire import Message, pack, read


def main(*, memory_bytes: int, seconds: int, work: str) -> None:
    """Confine this process, do the work on the job that comes on standard input, and answer on standard output."""
    # What libraries print must not get between the answer's bytes.
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    held = confine(memory_bytes=memory_bytes, seconds=seconds)
    result = _answer(work, whole=set(held) >= ESSENTIAL or "VITRINE_WEAK" in os.environ)
    with answer:
        answer.write(pack(Message({**result.values, "confinement": held}, result.blobs)))
        answer.flush()
    # Not by the interpreter's own way out: what a file left behind need not be taken down with care.
    os._exit(0)


def _answer(work: str, *, whole: bool) -> Message:
    if not whole:
        return Message({})
    module, _, function = work.partition(":")
    try:
        result = getattr(import_module(module), function)(read(sys.stdin.buffer))
    except VitrineError as error:
        return Message({"refused": str(error)})
    except MemoryError:
        return Message({"refused": "Opening the file took more memory than is allowed."})
    except Exception as error:  # whatever a stranger's file brings about is a refusal
        return Message({"refused": f"The file cannot be used: {type(error).__name__}: {error}"})
    if not isinstance(result, Message):
        raise TypeError(f"{work} gave no message")
    return result
