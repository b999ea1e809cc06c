"""Alive and ready, on a real site; and what a damaged model does to the others."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

from app.config import TREE
from tests.factories import CAT, EIGHT
from tests.serving import Reply, RunningSite
from tests.web.visiting import Visitor


def ask_until(site: RunningSite, status: int) -> Reply:
    """Ask for readiness until the status comes, and give that answer."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            reply = site.request("GET", "/readyz")
        except OSError:
            reply = None
        if reply is not None and reply.status == status:
            return reply
        time.sleep(0.05)
    raise AssertionError(f"readiness never answered {status}:\n{site.log}")


def test_a_site_is_alive_and_ready(site: RunningSite) -> None:
    assert (site.request("GET", "/livez").status, site.request("GET", "/livez").json) == (200, {"status": "alive"})
    reply = site.request("GET", "/readyz")
    assert (reply.status, reply.json) == (200, {"status": "ready", "problems": []})


def test_a_damaged_model_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(TREE / "models", models)
    damaged = models / "digits" / "1" / "model.onnx"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    site = RunningSite(tmp_path, models=str(models), workers="1", access="guests")
    start = threading.Thread(target=site.start)  # returns once the site is ready
    start.start()
    try:
        reply = ask_until(site, 503)
        assert reply.json["status"] == "not ready"
        assert [problem.partition(":")[0] for problem in reply.json["problems"]] == ["digits"]
        assert str(tmp_path) not in reply.body.decode()
        assert site.request("GET", "/livez").status == 200
        assert classify(site, CAT, "cats-vs-dogs").json["sentence"] == "This image is a Cat"
        refused = classify(site, EIGHT, "digits")
        assert (refused.status, refused.json["code"]) == (503, "invalid_package")
        assert refused.headers["Retry-After"]

        damaged.write_bytes(whole)
        start.join(60)
        assert classify(site, EIGHT, "digits").json["sentence"] == "This image is an 8"

        damaged.write_bytes(b"no model")
        time.sleep(2)
        assert classify(site, EIGHT, "digits").json["sentence"] == "This image is an 8"
        reply = site.request("GET", "/readyz")
        assert (reply.status, reply.json["status"]) == (200, "ready"), "it answers, so nobody is to be turned away"
        (told,) = reply.json["problems"]
        assert told.startswith("digits: The file 'model.onnx' of digits 1 is not the one its manifest pins.")
        assert told.endswith("it answers from memory, and would not after a restart.")
    finally:
        damaged.write_bytes(whole)
        start.join(60)
        site.stop()


def classify(site: RunningSite, photo: Path, model: str) -> Reply:
    """Send a photo as our own script does."""
    return Visitor(site).classify(photo.read_bytes(), model=model, headers={"Accept": "application/json"})
