"""Backbones: the shipped one answers as the original network does, and only checked bytes are opened."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.errors import InvalidPackage
from app.inference.backbones import BACKBONES, digest, open_backbone

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
NAME = "efficientnet-lite0"


@pytest.fixture(scope="module")
def recording() -> Mapping[str, NDArray[np.generic]]:
    with np.load(DATA / f"{NAME}-reference.npz", allow_pickle=False) as file:
        return dict(file)


def recorded_pixels(recording: Mapping[str, NDArray[np.generic]], size: int) -> NDArray[np.uint8]:
    """Read the photos at a size and check that Pillow gives the very pixels that the original network saw."""
    pictures = []
    for name, sha256 in zip(recording["photos"], recording[f"pixels_sha256_{size}"], strict=True):
        with Image.open(DATA / "photos" / str(name)) as photo:
            pixels = np.asarray(photo.convert("RGB").resize((size, size), Image.Resampling.BICUBIC))
        assert hashlib.sha256(pixels.tobytes()).hexdigest() == sha256, "Pillow decodes or resizes differently: record again"
        pictures.append(pixels)
    return np.stack(pictures)


def noise(count: int, height: int = 32, width: int = 32) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [224, 160])
def test_answers_as_the_original_network_in_torch(recording: Mapping[str, NDArray[np.generic]], size: int) -> None:
    original = np.asarray(recording[f"embeddings_{size}"], np.float64)
    ours = open_backbone(NAME).embed(recorded_pixels(recording, size)).astype(np.float64)

    lengths = np.linalg.norm(original, axis=1)
    cosine = (ours * original).sum(axis=1) / np.linalg.norm(ours, axis=1) / lengths
    # Half-precision weights have 11 significant bits: each is off by up to 1 part in 2,048, which adds up to half a per cent
    # over fifty layers. Padding on the wrong side or ImageNet's mean and deviation give 25 % and more, 127.5 for 127 and 128
    # gives 0.8 %.
    assert cosine.min() > 0.9999
    assert (np.linalg.norm(ours - original, axis=1) / lengths).max() < 0.006
    assert (np.abs(ours - original).max(axis=1) / original.max(axis=1)).max() < 0.01


def test_a_picture_has_the_same_embedding_in_any_company() -> None:
    backbone, pictures = open_backbone(NAME), noise(9)
    alone = np.concatenate([backbone.embed(pictures[i : i + 1]) for i in range(9)])
    assert np.array_equal(backbone.embed(pictures), alone)


def test_takes_pictures_of_any_shape_and_none() -> None:
    backbone = open_backbone(NAME)
    assert backbone.embed(noise(1, 45, 70)).shape == (1, backbone.features)
    assert backbone.embed(noise(0)).shape == (0, 1280)


@pytest.mark.parametrize("pixels", [noise(1).astype(np.float32), noise(1)[0], noise(1)[..., :1]])
def test_refuses_other_arrays(pixels: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="uint8"):
        open_backbone(NAME).embed(pixels)


def test_gives_the_digest_of_the_file() -> None:
    assert digest(NAME) == hashlib.sha256((BACKBONES / f"{NAME}.onnx").read_bytes()).hexdigest()
    assert open_backbone(NAME).sha256 == digest(NAME)


def test_all_threads_share_one_session(tmp_path: Path) -> None:
    shutil.copy(BACKBONES / f"{NAME}.onnx", tmp_path / "shared.onnx")
    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(lambda _: open_backbone("shared", folder=tmp_path), range(16)))
    assert len({id(backbone.session) for backbone in opened}) == 1


def test_an_open_backbone_needs_its_file_no_more(tmp_path: Path) -> None:
    path = Path(shutil.copy(BACKBONES / f"{NAME}.onnx", tmp_path / "fleeting.onnx"))
    opened = open_backbone("fleeting", folder=tmp_path)
    path.unlink()
    assert open_backbone("fleeting", opened.sha256, tmp_path) is opened


@pytest.mark.parametrize("name", ["absent", "../backbones/efficientnet-lite0", ""])
def test_a_missing_backbone_is_an_invalid_package(name: str) -> None:
    with pytest.raises(InvalidPackage, match="backbone"):
        open_backbone(name)
    with pytest.raises(InvalidPackage, match="backbone"):
        digest(name)


def test_another_digest_is_refused_before_the_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "changed.onnx").write_bytes(b"something else")
    with pytest.raises(InvalidPackage, match="not the one asked for"):
        open_backbone("changed", "0" * 64, tmp_path)


def test_a_damaged_graph_is_an_invalid_package(tmp_path: Path) -> None:
    (tmp_path / "damaged.onnx").write_bytes(b"not a graph")
    with pytest.raises(InvalidPackage, match="cannot be opened"):
        open_backbone("damaged", folder=tmp_path)


QUIET = """
import os, sys
from app.inference.backbones import open_backbone
assert "onnxruntime" not in sys.modules, "imported too early"
before = len(os.listdir("/proc/self/task"))
open_backbone("efficientnet-lite0")
assert len(os.listdir("/proc/self/task")) == before, "a thread was started"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_opening_starts_no_thread_and_leaves_nothing_at_home(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("ORT_", "XDG_"))}
    subprocess.run([sys.executable, "-c", QUIET], check=True, cwd=ROOT, env={**environment, "HOME": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []
