from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import pickle
import zlib
from io import BytesIO
from pathlib import Path

import joblib
import pytest
import skops.io

from app.errors import InvalidModel, InvalidRequest
from app.intake.source import read_source, recognise
from tests.factories import make_classifier

PICKLE = pickle.dumps(make_classifier())
COMPRESSIONS = {
    "zlib": zlib.compress(PICKLE),
    "gzip": gzip.compress(PICKLE),
    "bz2": bz2.compress(PICKLE),
    "xz": lzma.compress(PICKLE),
    "lzma": lzma.compress(PICKLE, lzma.FORMAT_ALONE),
}


def mlflow(folder: Path, text: str) -> Path:
    (folder / "MLmodel").write_text(text)
    (folder / "model.pkl").write_bytes(PICKLE)
    return folder


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_of_every_protocol_is_told_by_its_content(protocol: int) -> None:
    content = pickle.dumps(make_classifier(), protocol=protocol)
    source = recognise("model.txt", content)
    assert (source.format, source.body) == ("pickle", content)
    assert source.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("held", [[1], {"a": 1}, (1, 2)], ids=["list", "dict", "tuple"])
def test_an_old_pickle_of_a_container_is_told_too(held: object) -> None:
    assert {recognise("model", pickle.dumps(held, protocol=protocol)).format for protocol in (0, 1)} == {"pickle"}


@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_compression_is_undone_and_the_digest_is_of_the_file_as_given(kind: str) -> None:
    source = recognise("model.onnx", COMPRESSIONS[kind])
    assert (source.format, source.body, source.content) == ("pickle", PICKLE, COMPRESSIONS[kind])
    assert source.sha256 == hashlib.sha256(COMPRESSIONS[kind]).hexdigest()


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)], ids=str)
def test_a_joblib_file_is_a_pickle_whichever_way_it_is_compressed(compress: object) -> None:
    plain, file = BytesIO(), BytesIO()
    joblib.dump(make_classifier(), plain)
    joblib.dump(make_classifier(), file, compress=compress)
    source = recognise("model.joblib", file.getvalue())
    assert source.format == "pickle"
    assert len(source.body) > len(plain.getvalue()) - 600  # without compression the arrays are aligned, with it not


def test_a_skops_archive_and_a_graph_are_told_by_their_first_bytes() -> None:
    assert recognise("model.pkl", skops.io.dumps(make_classifier())).format == "skops"
    assert recognise("model.pkl", b"\x08\x08\x12\x08skl2onnx").format == "onnx"


@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_a_compressed_file_that_is_cut_or_damaged_is_refused(kind: str) -> None:
    whole = COMPRESSIONS[kind]
    for content in (whole[: len(whole) // 2], whole[:-12], whole[:30] + b"\xff" * 30 + whole[60:]):
        with pytest.raises(InvalidModel):
            recognise("model", content)


@pytest.mark.parametrize("content", [b"", b"\n", b"hello", b"\x89PNG\r\n", b"c", b"os.system", b"PAR1", b"\x08", b"\x08\xff"])
def test_what_is_no_model_file_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidModel, match=r"model\.pkl is no model file that we know"):
        recognise("model.pkl", content)


def test_lz4_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidModel, match="compressed with LZ4: save it again"):
        recognise("model", b"\x04\x22\x4d\x18abc")


def test_a_file_is_read_under_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "cats.sav").write_bytes(PICKLE)
    source = read_source(tmp_path / "cats.sav")
    assert (source.name, source.content) == ("cats.sav", PICKLE)


def test_an_mlflow_folder_gives_the_model_that_it_names(tmp_path: Path) -> None:
    text = "artifact_path: model\nflavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    env: conda.yaml\n"
    folder = mlflow(tmp_path, text + "  sklearn:\n    pickled_model: model.pkl\n    sklearn_version: 1.9.0\n")
    assert read_source(folder).content == PICKLE


@pytest.mark.parametrize("name", ["../model.pkl", "/etc/passwd", "..", ".", "", "inner/model.pkl", '"model.pkl\\0"'])
def test_an_mlflow_folder_that_names_another_place_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="names a model outside the folder"):
        read_source(mlflow(tmp_path, f"flavors:\n  sklearn:\n    pickled_model: {name or repr('')}\n"))


@pytest.mark.parametrize(
    "text", ["", "a: [", "[" * 5000, "flavors: 3", "flavors: [a]", "when: 2001-99-99", "!!python/object/apply:os.system [true]"]
)
def test_an_mlflow_file_that_describes_no_such_model_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="describes no scikit-learn model"):
        read_source(mlflow(tmp_path, text))


def test_an_mlflow_file_of_a_million_bytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"MLmodel has 1,000,001 bytes; it may have 1,000,000"):
        read_source(mlflow(tmp_path, " " * 1_000_001))


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be opened"):
        read_source(tmp_path / "missing.pkl")
    with pytest.raises(InvalidRequest, match="without an MLmodel file"):
        read_source(tmp_path)


def test_a_device_and_a_pipe_are_no_model_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zeros").symlink_to("/dev/zero")
    for name in ("pipe", "zeros"):
        with pytest.raises(InvalidRequest, match="is no file"):
            read_source(tmp_path / name)


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2_000_000_001)
    with pytest.raises(InvalidRequest, match=r"large has 2,000,000,001 bytes"):
        read_source(tmp_path / "large")
