"""The backbone's weights are read without trust, and the shipped graph is what the script writes."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import pickle
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
BACKBONE = ROOT / "models" / "backbones" / "efficientnet-lite0.onnx"
CARD = BACKBONE.with_suffix(".json")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    loader = SourceFileLoader("build_backbone", str(ROOT / "scripts" / "build-backbone"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module  # dataclasses look their module up there
    loader.exec_module(module)
    return module


def weights(script: ModuleType, state: bytes, numbers: bytes = b"") -> io.BytesIO:
    """Write a file in torch's format before 1.6 around the pickle of a state dictionary."""
    front = b"".join(pickle.dumps(part, 2) for part in (script.MAGIC, 1001, {"little_endian": True}))
    return io.BytesIO(front + state + pickle.dumps(["0"] if numbers else [], 2) + numbers)


def matrix(*, offset: int = 0, stride: tuple[int, int] = (1, 2), numpy_name: bytes = b"torch\nFloatStorage") -> bytes:
    """Write, opcode by opcode, what torch pickles for a state of one 2 by 2 tensor `w` in a storage of four numbers."""
    storage = b"(S'storage'\nc" + numpy_name + b"\nS'0'\nS'cpu'\nI4\nNtQ"
    window = b"I%d\n(I2\nI2\nt(I%d\nI%d\ntI00\nN" % (offset, *stride)
    return b"(dS'w'\nctorch._utils\n_rebuild_tensor_v2\n(" + storage + window + b"tRs."


FOUR_NUMBERS = (4).to_bytes(8, "little") + np.arange(4, dtype="<f4").tobytes()


def test_reads_a_tensor_with_its_strides(script: ModuleType) -> None:
    state = script.read_state(weights(script, matrix(), FOUR_NUMBERS))
    assert state["w"].tolist() == [[0, 2], [1, 3]]


@pytest.mark.parametrize("window", [{"offset": 1}, {"offset": -1}, {"stride": (2, 3)}, {"stride": (-1, 2)}])
def test_refuses_a_tensor_outside_its_storage(script: ModuleType, window: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="outside its storage"):
        script.read_state(weights(script, matrix(**window), FOUR_NUMBERS))


class Hostile:
    """Unpickles by making a folder, where it is let."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_refuses_a_hostile_file_without_running_it(script: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    with pytest.raises(pickle.UnpicklingError, match="mkdir, which is not allowed"):
        script.read_state(weights(script, pickle.dumps({"w": Hostile(folder)}, 2)))
    assert not folder.exists()


@pytest.mark.parametrize("name", [b"torch\nHalfStorage", b"builtins\neval", b"collections\nOrderedDict.fromkeys"])
def test_refuses_every_other_name(script: ModuleType, name: bytes) -> None:
    with pytest.raises(pickle.UnpicklingError, match="not allowed"):
        script.read_state(weights(script, matrix(numpy_name=name), FOUR_NUMBERS))


def test_refuses_unknown_weights(script: ModuleType, tmp_path: Path) -> None:
    unknown = tmp_path / "other.pth"
    unknown.write_bytes(b"other weights")
    with pytest.raises(ValueError, match="does not hold the weights"):
        script.main([str(unknown), "--out", str(tmp_path)])
    assert list(tmp_path.iterdir()) == [unknown]


def state_of(model: onnx.ModelProto) -> dict[str, NDArray[Any]]:
    """Give a state dictionary that folds into the weights of a built graph: its batch norms change nothing but the bias."""
    norms = {
        "_conv_stem": "_bn0",
        "_expand_conv": "_bn0",
        "_depthwise_conv": "_bn1",
        "_conv_head": "_bn1",
        "_project_conv": "_bn2",
    }
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    state: dict[str, NDArray[Any]] = {}
    for layer in (name.removesuffix(".half") for name in stored if name.endswith(".half")):
        block, _, kind = layer.rpartition(".")
        norm = f"{block}.{norms[kind]}".removeprefix(".")
        bias, one = stored[f"{layer}.bias"], np.ones(len(stored[f"{layer}.bias"]))
        state[f"{layer}.weight"] = stored[f"{layer}.half"]
        state |= {f"{norm}.weight": one * np.sqrt(1.001), f"{norm}.bias": bias}
        state |= {f"{norm}.running_mean": one * 0, f"{norm}.running_var": one}
    return state


def test_the_shipped_graph_is_what_the_script_writes(script: ModuleType) -> None:
    assert script.build(state_of(onnx.load(BACKBONE))) == BACKBONE.read_bytes()


def test_the_shipped_graph_is_valid_and_small() -> None:
    onnx.checker.check_model(onnx.load(BACKBONE), full_check=True)
    assert BACKBONE.stat().st_size <= 8_000_000


def test_the_card_tells_the_truth(script: ModuleType) -> None:
    card = json.loads(CARD.read_text(encoding="utf-8"))
    data = BACKBONE.read_bytes()
    assert card == {**script.CARD, "file": BACKBONE.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def test_licence_and_notice_lie_beside_it() -> None:
    assert "Apache License" in (BACKBONE.parent / "LICENSE").read_text(encoding="utf-8")
    assert BACKBONE.name in (BACKBONE.parent / "NOTICE").read_text(encoding="utf-8")
