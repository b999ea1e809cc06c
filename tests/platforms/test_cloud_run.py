"""The service of Cloud Run: by the schemas whose form it has, and a site that keeps the platform's contract."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.factories import EIGHT
from tests.platforms.emulation import KEY, PlatformSite, image_environment
from tests.platforms.files import assert_settings, kubernetes_part_faults, read
from tests.postgres import RunningPostgres
from tests.waiting import wait_until

SERVICE = read("cloud-run/service.yaml")
REVISION = SERVICE["spec"]["template"]["spec"]
(CONTAINER,) = REVISION["containers"]
VALUES = {one["name"]: one["value"] for one in CONTAINER["env"] if "value" in one}
SECRETS = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in CONTAINER["env"] if "valueFrom" in one}
# What the platform waits between SIGTERM and SIGKILL.
PATIENCE = 10


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with RunningPostgres() as server:
        yield server.database()


@pytest.fixture
def site(tmp_path: Path, database: str) -> Iterator[PlatformSite]:
    platform = {"K_SERVICE": "vitrine", "K_REVISION": "vitrine-1", "K_CONFIGURATION": "vitrine"}
    secrets = {"VITRINE_SECRET_KEY": KEY, "VITRINE_DATABASE_URL": database}
    assert secrets.keys() == SECRETS.keys()
    with PlatformSite(tmp_path, {**platform, **VALUES, **secrets}, read_only=True) as site:
        yield site


def all_workers(site: PlatformSite) -> list[int]:
    """Wait until all have been started, for pictures are answered from the first on."""
    wait_until(lambda: len(site.workers) == int(VALUES["VITRINE_WORKERS"]))
    return site.workers


def assert_gone(workers: list[int]) -> None:
    """See that none of these processes goes on; one that was killed last may still be on its way out."""
    wait_until(lambda: not any(_runs(pid) for pid in workers), seconds=2)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(
    ("kind", "thing"),
    [("core.v1.Container", {"name": "vitrine", **CONTAINER}), ("core.v1.Volume", REVISION["volumes"][0])],
    ids=["container", "volume"],
)
def test_its_parts_are_by_the_schema(kind: str, thing: dict[str, Any]) -> None:
    assert kubernetes_part_faults(kind, thing) == []
    assert kubernetes_part_faults(kind, {**thing, "unknown": 1})


def test_it_is_a_service_with_one_revision_and_nothing_else_in_it() -> None:
    assert (SERVICE["apiVersion"], SERVICE["kind"]) == ("serving.knative.dev/v1", "Service")
    assert REVISION.keys() == {"containerConcurrency", "timeoutSeconds", "containers", "volumes"}
    notes = {**SERVICE["metadata"]["annotations"], **SERVICE["spec"]["template"]["metadata"]["annotations"]}
    assert all(isinstance(value, str) for value in notes.values())


def test_its_settings_exist_and_its_secrets_are_references() -> None:
    assert_settings(VALUES)
    assert SECRETS.keys() == {"VITRINE_SECRET_KEY", "VITRINE_DATABASE_URL"}
    assert {tuple(reference) for reference in SECRETS.values()} == {("name", "key")}


def test_the_image_listens_for_everybody_on_the_port_that_the_platform_names() -> None:
    image = image_environment()
    assert image["HOST"] == "0.0.0.0"
    # PORT is set over the image's own; the setting that would win over it is not.
    assert "PORT" in image
    assert not {"VITRINE_HOST", "VITRINE_PORT"} & {*image, *VALUES}
    (port,) = CONTAINER["ports"]
    assert {CONTAINER[probe]["httpGet"]["port"] for probe in ("startupProbe", "livenessProbe")} == {port["containerPort"]}


def test_its_startup_probe_is_within_what_the_platform_allows() -> None:
    probe = CONTAINER["startupProbe"]
    assert probe["timeoutSeconds"] <= probe["periodSeconds"]
    assert probe["periodSeconds"] * probe["failureThreshold"] <= 240


def test_it_uses_its_processors_and_leaves_time_to_end_in() -> None:
    assert int(VALUES["VITRINE_WORKERS"]) == int(CONTAINER["resources"]["limits"]["cpu"])
    assert int(VALUES["VITRINE_STOP_WITHIN"]) < PATIENCE


def test_answers_with_a_disk_that_may_only_be_read(site: PlatformSite) -> None:
    assert site.may_write == {str(site.data), str(site.data.parent / "tmp")}
    for probe in ("startupProbe", "livenessProbe"):
        assert site.visit("GET", CONTAINER[probe]["httpGet"]["path"], host="10.0.0.1:8080").status == 200
    assert site.visit("GET", "/login").status == 200
    assert site.visit("GET", "/login", host="elsewhere.example.org").status == 421
    reply = site.visit("POST", "/api/v1/models/digits/predict", EIGHT.read_bytes())
    assert (reply.status, reply.json["label"]) == (200, "8")


def test_what_has_begun_is_answered_and_all_has_ended_before_the_platform_kills(site: PlatformSite) -> None:
    picture, workers = EIGHT.read_bytes(), all_workers(site)
    with site.half_sent() as line:
        site.tell_to_end()
        time.sleep(1)
        line.sendall(picture[len(picture) // 2 :])
        with line.makefile("rb") as answer:
            assert answer.read().startswith(b"HTTP/1.1 200 ")
    assert site.killed_after(PATIENCE) == 0
    assert_gone(workers)


def test_a_request_that_never_comes_whole_keeps_nothing_from_ending(site: PlatformSite) -> None:
    workers = all_workers(site)
    with site.half_sent():
        site.tell_to_end()
        assert site.killed_after(PATIENCE) == 0
    assert_gone(workers)
