"""A model file that waits on one machine is seen, imported and thrown away on another: both share a bucket of an S3 server."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sklearn.tree import DecisionTreeClassifier

from app.composition import Services
from app.errors import ModelNotFound
from app.services.audit_log import Actor
from app.services.model_uploads import Sent
from app.services.waiting_uploads import WaitingUploads
from app.storage.bucket import Bucket
from tests.factories import make_services
from tests.intake.classifiers import digits
from tests.s3_server import RunningS3

ADA = Actor("ada@example.org")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with RunningS3(tmp_path_factory.mktemp("s3")) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield running.url


@pytest.fixture
def machines(tmp_path: Path, url: str) -> tuple[Services, Services]:
    shared = {"store": f"{url}/{uuid4().hex}", "models": tmp_path / "shipped"}
    return make_services(tmp_path / "one", **shared), make_services(tmp_path / "other", **shared)


def test_what_one_machine_was_sent_another_imports(machines: tuple[Services, Services], tmp_path: Path) -> None:
    one, other = machines
    rows, labels = digits()
    (tmp_path / "tree.pkl").write_bytes(pickle.dumps(DecisionTreeClassifier(random_state=0).fit(rows, labels)))
    sent = Sent("numbers", "tree.pkl", (), {"scale": "0-1"})
    seen = one.model_uploads.receive(sent, lambda target: shutil.copy(tmp_path / "tree.pkl", target), None)
    assert other.model_uploads.look(seen.token) == seen
    assert other.model_uploads.finish(seen.token, 0, ADA) == "1"
    for services in machines:
        with pytest.raises(ModelNotFound):
            services.model_uploads.look(seen.token)
        services.repository.refresh()
        assert services.repository.versions("numbers") == ["1"]


def test_a_folder_comes_as_it_was_and_goes_for_all(url: str, tmp_path: Path) -> None:
    waiting = WaitingUploads(Bucket(url))
    (tmp_path / "one" / "samples").mkdir(parents=True)
    (tmp_path / "one" / "model.bin").write_bytes(b"model")
    (tmp_path / "one" / "samples" / "a.png").write_bytes(b"picture")
    waiting.share("a" * 32, tmp_path / "one")
    for _ in range(2):
        waiting.bring("a" * 32, tmp_path / "other" / "place")
        brought = {file.name: file.read_bytes() for file in (tmp_path / "other").rglob("*") if file.is_file()}
        assert brought == {"model.bin": b"model", "a.png": b"picture"}
    waiting.sweep(3600)
    waiting.bring("a" * 32, tmp_path / "third")
    waiting.sweep(-60)
    with pytest.raises(FileNotFoundError):
        waiting.bring("a" * 32, tmp_path / "third")
    waiting.discard("a" * 32)
