"""Is a server right? Every label must be the model's own, also when several pictures come at once."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.load.wires import plain_body, read_answer
from benchmarks.servers.running import RunningServer, ServerFailed

_AT_ONCE = 8
_TIMES = 3
_SMALL_BYTES = 1_000_000  # whatever is larger is asked for once
_PATIENCE_SECONDS = 60.0


def check(server: RunningServer, files: Sequence[tuple[str, bytes]], expected: Mapping[str, Mapping[str, float]]) -> float:
    """Ask for pictures, mixed and several at once; raise ServerFailed at a wrong label.

    Gives the largest distance of any probability from the expected one.
    """
    asked = [item for item in files for _ in range(_TIMES if len(item[1]) <= _SMALL_BYTES else 1)]
    random.Random(len(asked)).shuffle(asked)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return max(pool.map(lambda item: _distance(server, item[0], item[1], expected[item[0]]), asked))


def _distance(server: RunningServer, name: str, file: bytes, expected: Mapping[str, float]) -> float:
    wire = server.launch.wire
    try:
        status, answer = server.ask(*plain_body(wire, file, name), _PATIENCE_SECONDS)
        if status != 200:
            raise ServerFailed(f"{name}: status {status}: {answer[:120]!r}")
        told = read_answer(wire, answer)
    except (OSError, ValueError) as error:
        raise ServerFailed(f"{name}: {error}") from error
    label = max(expected, key=expected.__getitem__)
    if told.label != label:
        raise ServerFailed(f"{name}: answered {told.label!r}, the model says {label!r}")
    return max(abs(told.probabilities[name] - value) for name, value in expected.items())
