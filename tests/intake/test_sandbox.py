from __future__ import annotations

import gc
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import InvalidModel
from app.intake.sandbox import Sandbox
from app.intake.wire import Message
from tests.intake.processes import assert_none_left, confined_processes

CODE = (Path(__file__).parent,)
# What an answer may say instead of a list of names.
HELD = (b"null", b"5", b'"files"', b"[[]]", b"[{}]", b'{"files": 1}')
ESSENTIAL = ["files", "no new privileges", "system calls"]


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After every test: no process, no folder, no descriptor that was not there before."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gc.collect()  # what earlier tests have left to it holds descriptors, whose numbers would be given again
    before = set(Path("/proc/self/fd").iterdir())
    yield
    assert_none_left(os.getpid())
    assert list(tmp_path.glob("vitrine-empty-*")) == []
    assert set(Path("/proc/self/fd").iterdir()) <= before


def refusal(work: str, job: Message, sandbox: Sandbox) -> str:
    with pytest.raises(InvalidModel) as caught:
        sandbox.run(work, job)
    return str(caught.value)


def answer_of(head: object, rest: bytes = b"") -> bytes:
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack(">Q", len(text)) + text + rest


def test_a_job_is_done_and_its_answer_says_what_held() -> None:
    job = Message({"a": ["é", 1.5]}, {"picture": bytes(range(256)) * 40_000, "nothing": b""})
    answer = Sandbox(code=CODE).run("work:look", job)
    assert (answer.values["job"], answer.blobs) == (job.values, job.blobs)
    assert {*ESSENTIAL, "limits"} <= set(answer.values["confinement"])


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("crash", "The file crashed the process that opened it (SIGSEGV)."),
        ("abort", "The file crashed the process that opened it (SIG"),
        ("leave", "The process that opened the file ended without an answer."),
        ("exit", "The confined process gave no answer that can be read."),
        ("exit with a text", "The process that opened the file ended without an answer."),
        ("interrupt", "The process that opened the file ended without an answer."),
        ("raise something strange", "The process that opened the file ended without an answer."),
        ("balloon", "Opening the file took more memory than is allowed."),
        ("grow", "Opening the file took more memory than is allowed."),
        ("flood", "What came of the file is too large to be served."),
        ("drip", "The confined process gave no answer that can be read."),
    ],
)
def test_whatever_a_file_does_to_its_process_is_one_sentence(how: str, sentence: str) -> None:
    sandbox = Sandbox(memory_bytes=1_500_000_000, answer_bytes=10_000_000, code=CODE)
    assert refusal("misdeeds:misbehave", Message({"how": how}), sandbox).startswith(sentence)


@pytest.mark.parametrize("how", ["spin", "sleep", "close and stay"])
def test_what_never_ends_is_stopped(how: str) -> None:
    sentence = refusal("misdeeds:misbehave", Message({"how": how}), Sandbox(seconds=2, code=CODE))
    # Two clocks run: the processor's and the wall's.
    assert sentence in (
        "Opening the file took longer than 2 seconds and was stopped.",
        "Opening the file took more time or memory than is allowed, and was stopped.",
    )


def test_what_a_file_says_is_cut_and_cannot_steer_a_terminal() -> None:
    sentence = refusal("misdeeds:misbehave", Message({"how": "raise"}), Sandbox(code=CODE))
    assert sentence.startswith("The file cannot be used: LookupError:  [2Jnone of it xxx")
    assert len(sentence) == 2000


@pytest.mark.parametrize(
    "lie",
    [
        b"",
        b"garbage",
        b"garbage" * 1000,
        struct.pack(">Q", 2**64 - 1),
        answer_of(b"\xff\xfe"),
        answer_of(b"[" * 100_000),
        answer_of(b" " * 5_000_000),
        answer_of([]),
        answer_of({"values": {}}),
        answer_of({"sizes": {}}),
        answer_of({"values": [], "sizes": {}}),
        answer_of({"values": {}, "sizes": []}),
        *(answer_of({"values": {}, "sizes": {"a": size}}, b"x") for size in (-1, 2, 10**15, 10**30, 0.5, "1", True, None)),
        answer_of(b'{"values": {}, "sizes": {"a": Infinity}}'),
        answer_of({"values": {"confinement": ESSENTIAL, "refused": "\ud800"}, "sizes": {}}),
        answer_of({"values": {"confinement": ESSENTIAL}, "sizes": {}}, b"more"),
        *(answer_of(b'{"values": {"confinement": %s}, "sizes": {}}' % held) for held in HELD),
    ],
)
def test_no_lie_in_an_answer_is_more_than_a_refusal(lie: bytes) -> None:
    sentence = refusal("misdeeds:say", Message({}, {"answer": lie}), Sandbox(code=CODE))
    assert sentence.startswith(
        ("The confined process gave", "This system cannot confine what opens the file (missing: files, no")
    )


def test_an_answer_that_comes_in_the_smallest_parts_takes_no_more_memory_than_its_bytes() -> None:
    tracemalloc.start()
    try:
        refusal("misdeeds:misbehave", Message({"how": "drip"}), Sandbox(code=CODE))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6_000_000


@pytest.mark.parametrize("program", ["", "/usr/sbin/uwsgi", "/nowhere/python3"])
def test_a_server_with_python_built_in_still_finds_python(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", program)
    assert "confinement" in Sandbox(code=CODE).run("misdeeds:misbehave", Message({"how": "nothing"})).values


def test_where_there_is_no_python_to_start_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("executable", "prefix", "base_prefix"):
        monkeypatch.setattr(sys, name, "/nowhere")
    assert refusal("work:look", Message({}), Sandbox(code=CODE)).startswith("There is no Python here")


def test_the_confined_process_ends_with_the_one_that_asked(tmp_path_factory: pytest.TempPathFactory) -> None:
    asking = (
        "from pathlib import Path; from app.intake.sandbox import Sandbox; from app.intake.wire import Message; "
        f"Sandbox(code=(Path({str(CODE[0])!r}),)).run('misdeeds:misbehave', Message({{'how': 'sleep'}}))"
    )
    # Whoever is killed cannot take its empty folder away.
    environment = os.environ | {"TMPDIR": str(tmp_path_factory.mktemp("left"))}
    with subprocess.Popen([sys.executable, "-c", asking], cwd=CODE[0].parents[1], env=environment) as process:
        try:
            confined_processes(process.pid, at_least=1)
        finally:
            process.send_signal(signal.SIGKILL)
    assert_none_left(process.pid)
