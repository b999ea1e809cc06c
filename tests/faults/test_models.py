"""Model files that are damaged under running workers: these go on, new ones refuse, and no model answers for another."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.config import TREE
from tests.factories import CAT
from tests.faults.load import DIGITS, PHOTO
from tests.serving import Reply, RunningSite


def truncate(version: Path) -> None:
    model = version / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1000])


def replace(version: Path) -> None:
    # In place, and by something that is a model too.
    shutil.copyfile(other_model(version), version / "model.onnx")


def remove(version: Path) -> None:
    (version / "model.onnx").unlink()


def link_elsewhere(version: Path) -> None:
    model = version / "model.onnx"
    model.unlink()
    model.symlink_to(other_model(version))


def link_all_elsewhere(version: Path) -> None:
    shutil.rmtree(version)
    version.symlink_to(version.parent.parent / "cats-vs-dogs" / "1")


def remove_all(version: Path) -> None:
    shutil.rmtree(version)


def other_model(version: Path) -> Path:
    return next(iter(sorted((version.parent.parent / "cats-vs-dogs").glob("*/model.onnx"))))


FAULTS: dict[str, Callable[[Path], None]] = {
    "truncated": truncate,
    "replaced": replace,
    "removed": remove,
    "linked elsewhere": link_elsewhere,
    "its folder linked elsewhere": link_all_elsewhere,
    "its folder removed": remove_all,
}


def ready(site: RunningSite, status: int) -> Reply:
    """Ask until readiness tells of a problem with this status."""
    deadline = time.monotonic() + 60
    while True:
        assert time.monotonic() < deadline, site.log
        try:
            reply = site.request("GET", "/readyz")
        except OSError:
            time.sleep(0.1)
            continue
        if reply.status == status and reply.json["problems"]:
            return reply
        time.sleep(0.1)


@pytest.mark.parametrize("fault", FAULTS)
def test_running_workers_go_on_and_new_ones_refuse(tmp_path: Path, fault: str) -> None:
    models = tmp_path / "models"
    shutil.copytree(TREE / "models", models)
    site = RunningSite(tmp_path, models=str(models), workers="2", key_limit="0")
    site.start()
    try:
        before = site.predict(PHOTO, DIGITS).json
        FAULTS[fault](models / "digits" / "1")
        told = ready(site, 200).json["problems"]
        assert [problem.partition(":")[0] for problem in told] == ["digits"]
        for _ in range(8):
            now = site.predict(PHOTO, DIGITS).json
            assert (now["label"], now["predictions"], now["model"]) == (before["label"], before["predictions"], before["model"])
        site.stop()
        site.launch()
        # The loader tells what is wrong, or there is no such model any more.
        reply = site_answers(site)
        assert reply.status in (404, 503), reply.body
        assert reply.json["code"] in ("invalid_package", "model_not_found")
        if reply.status == 503:
            assert [problem.partition(":")[0] for problem in ready(site, 503).json["problems"]] == ["digits"]
        assert site.predict(CAT.read_bytes(), "/api/v1/models/cats-vs-dogs/predict").json["label"] == "cat"
    finally:
        site.stop()


def site_answers(site: RunningSite) -> Reply:
    """Give what a site says of a digit as soon as it says anything."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return site.predict(PHOTO, DIGITS)
        except OSError:
            assert time.monotonic() < deadline, site.log
            time.sleep(0.1)
