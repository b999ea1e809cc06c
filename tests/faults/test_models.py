"""Model files that are damaged under running workers: these go on, new ones refuse, and no model answers for another."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from app.config import TREE
from tests.factories import CAT
from tests.faults.load import PHOTO
from tests.serving import RunningSite
from tests.waiting import wait_until


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
    "linked-elsewhere": link_elsewhere,
    "its-folder-linked-elsewhere": link_all_elsewhere,
    "its-folder-removed": remove_all,
}


def copy_digits(models: Path, name: str) -> Path:
    """Let the bundled model for digits stand beside itself under another name."""
    version = models / name / "1"
    shutil.copytree(models / "digits" / "1", version)
    manifest = version / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"digits"', f'"{name}"'))
    return version


def predict_of(name: str) -> str:
    return f"/api/v1/models/{name}/predict"


def broken(site: RunningSite) -> list[str]:
    """Give the models that readiness tells of, in the order of the faults."""
    told = {problem.partition(":")[0] for problem in site.request("GET", "/readyz").json["problems"]}
    return [name for name in FAULTS if name in told]


def start_anew(site: RunningSite) -> None:
    """Stop a site, and wait until it answers for the model that nobody touched."""
    site.stop()
    site.launch()
    wait_until(lambda: answers(site), seconds=60)


def answers(site: RunningSite) -> bool:
    try:
        return site.predict(PHOTO, predict_of("digits")).status == 200
    except OSError:
        return False


def test_running_workers_go_on_and_new_ones_refuse(tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(TREE / "models", models)
    versions = {name: copy_digits(models, name) for name in FAULTS}
    site = RunningSite(tmp_path, models=str(models), workers="2", key_limit="0")
    site.start()
    try:
        before = {name: site.predict(PHOTO, predict_of(name)).json for name in FAULTS}
        assert {(answer["label"], answer["model"]["name"]) for answer in before.values()} == {("8", name) for name in FAULTS}
        for name, damage in FAULTS.items():
            damage(versions[name])
        wait_until(lambda: broken(site) == list(FAULTS))
        for name in [*FAULTS] * 8:
            now = site.predict(PHOTO, predict_of(name)).json
            assert [now[part] for part in ("label", "predictions", "model")] == [
                before[name][part] for part in ("label", "predictions", "model")
            ]
        assert site.request("GET", "/readyz").status == 200
        start_anew(site)
        for name in FAULTS:
            # The loader tells what is wrong, or there is no such model any more.
            reply = site.predict(PHOTO, predict_of(name))
            assert (reply.status, reply.json["code"]) in ((503, "invalid_package"), (404, "model_not_found")), name
            assert (name in broken(site)) == (reply.status == 503)
        assert broken(site)
        assert site.request("GET", "/readyz").status == 503
        assert site.predict(CAT.read_bytes(), predict_of("cats-vs-dogs")).json["label"] == "cat"
    finally:
        site.stop()
