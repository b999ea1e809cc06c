"""The 8-bit backbone is what the script writes from the whole one, answers nearly as it does, and saturates nowhere."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.inference.backbones import open_backbone

ROOT = Path(__file__).parents[2]
BACKBONES = ROOT / "models" / "backbones"
NAME = "efficientnet-lite0-q8"
PHOTOS = sorted((ROOT / "tests" / "data" / "photos").glob("*.jpg"))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    loader = SourceFileLoader("quantise_backbone", str(ROOT / "scripts" / "quantise-backbone"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module  # named tuples look their module up there
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pictures() -> NDArray[np.uint8]:
    return np.stack([np.asarray(Image.open(path).convert("RGB").resize((224, 224))) for path in PHOTOS])


def test_the_shipped_graph_and_card_are_what_the_script_writes(script: ModuleType) -> None:
    source = onnx.load(BACKBONES / "efficientnet-lite0.onnx")
    data = (BACKBONES / f"{NAME}.onnx").read_bytes()
    assert script.build(source, script.stored(BACKBONES / f"{NAME}.npz")) == data
    card = json.loads((BACKBONES / f"{NAME}.json").read_text(encoding="utf-8"))
    assert card == script.card(BACKBONES, data)
    assert card["sha256"] == hashlib.sha256(data).hexdigest()
    assert "modified" in card["weights"]
    assert len(data) <= 4_000_000


def test_the_notice_says_what_was_changed() -> None:
    _, _, told = (BACKBONES / "NOTICE").read_text(encoding="utf-8").partition(f"{NAME}.onnx")
    assert told.strip().startswith("Modified: quantised.")


def test_a_measurement_is_stored_and_read_again(script: ModuleType, pictures: NDArray[np.uint8], tmp_path: Path) -> None:
    measured = script.measure(onnx.load(BACKBONES / "efficientnet-lite0.onnx"), pictures[:2])
    assert measured["scaled"].mean == pytest.approx((pictures[:2].astype(float).mean((0, 1, 2)) - 127) / 128, abs=1e-5)
    script.store(tmp_path / "measured.npz", measured)
    again = script.stored(tmp_path / "measured.npz")
    assert again.keys() == measured.keys() == script.stored(BACKBONES / f"{NAME}.npz").keys()
    assert again["_blocks.2.sum"].low == pytest.approx(measured["_blocks.2.sum"].low)


def test_answers_nearly_as_the_whole_network(pictures: NDArray[np.uint8]) -> None:
    whole, eight = (open_backbone(name).embed(pictures) for name in ("efficientnet-lite0", NAME))
    cosine = (whole * eight).sum(1) / np.linalg.norm(whole, axis=1) / np.linalg.norm(eight, axis=1)
    # Sums that saturate, as they do without the limit on neighbouring weights, give 0.5 to 0.95.
    assert cosine.min() > 0.98


def test_no_two_neighbouring_weights_can_saturate_sixteen_bits(script: ModuleType) -> None:
    model = onnx.load(BACKBONES / f"{NAME}.onnx")
    kernels = [onnx.numpy_helper.to_array(t) for t in model.graph.initializer if t.name.endswith(".weight.levels")]
    side_by_side = [kernel.astype(float) for kernel in kernels if kernel.shape[1] > 1]
    assert len(side_by_side) == 33
    assert max(script.most_of_neighbours(kernel).max() for kernel in side_by_side) == 128


def test_a_picture_has_the_same_embedding_in_any_company(pictures: NDArray[np.uint8]) -> None:
    backbone = open_backbone(NAME)
    alone = np.concatenate([backbone.embed(picture[np.newaxis]) for picture in pictures])
    assert np.array_equal(backbone.embed(pictures), alone)
