"""The base for Kubernetes: whole, strictly by the published schemas, and its parts meet each other and the image."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli import vitrine
from tests.factories import EIGHT
from tests.platforms.emulation import KEY, PUBLIC, PlatformSite
from tests.platforms.files import DEPLOY, assert_no_secret, assert_settings, known_settings, kubernetes_faults, read
from tests.postgres import RunningPostgres
from tests.redis_server import RunningRedis
from tests.test_dockerfile import LAST, words_of

FOLDER = DEPLOY / "kubernetes"
LISTED = read("kubernetes/kustomization.yaml")
OBJECTS = {name: read(f"kubernetes/{name}") for name in LISTED["resources"]}
DEPLOYMENT, JOB = OBJECTS["deployment.yaml"], OBJECTS["upgrade-job.yaml"]
PODS = {name: OBJECTS[name]["spec"]["template"] for name in ("deployment.yaml", "upgrade-job.yaml")}


def container(name: str) -> Any:
    """Give the one container of a pod."""
    (only,) = PODS[name]["spec"]["containers"]
    return only


def settings() -> dict[str, str]:
    lines = (FOLDER / "settings.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def selects(wanted: dict[str, str], name: str) -> bool:
    return bool(wanted.items() <= PODS[name]["metadata"]["labels"].items())


def test_the_list_names_exactly_the_files_that_are_there() -> None:
    (generated,) = LISTED["configMapGenerator"]
    listed = [*LISTED["resources"], *generated["envs"], "kustomization.yaml"]
    assert sorted(listed) == sorted(path.name for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", OBJECTS)
def test_every_object_is_by_the_schema(name: str) -> None:
    assert kubernetes_faults(OBJECTS[name]) == []


@pytest.mark.parametrize("name", OBJECTS)
def test_a_field_that_nobody_knows_would_be_found(name: str) -> None:
    assert kubernetes_faults({**OBJECTS[name], "spec": {**OBJECTS[name]["spec"], "replica": 1}})


def test_every_object_is_of_its_own_kind() -> None:
    kinds = [thing["kind"] for thing in OBJECTS.values()]
    assert len(set(kinds)) == len(kinds) == 8


def test_the_settings_exist_and_none_is_a_secret() -> None:
    assert_settings(settings())
    assert_no_secret((FOLDER / "settings.env").read_text(encoding="utf-8"))
    assert container("deployment.yaml")["envFrom"] == [{"configMapRef": {"name": LISTED["configMapGenerator"][0]["name"]}}]


@pytest.mark.parametrize("name", PODS)
def test_what_is_secret_comes_from_the_secret_that_the_operator_makes(name: str) -> None:
    given = container(name)["env"]
    assert {one["name"] for one in given} <= known_settings()
    assert {one["valueFrom"]["secretKeyRef"]["name"] for one in given} == {"vitrine"}
    document = (DEPLOY.parent / "docs" / "deploy.md").read_text(encoding="utf-8")
    for one in given:
        assert f"--from-literal={one['valueFrom']['secretKeyRef']['key']}=" in document


@pytest.mark.parametrize("name", PODS)
def test_a_pod_may_do_as_little_as_the_image_needs(name: str) -> None:
    pod, inside = PODS[name]["spec"], container(name)["securityContext"]
    user, group = map(int, words_of("USER", LAST)[-1].split(":"))
    as_whom = pod["securityContext"]
    assert (as_whom["runAsUser"], as_whom["runAsGroup"], as_whom["fsGroup"]) == (user, group, group)
    assert as_whom["runAsNonRoot"] is True
    assert as_whom["seccompProfile"] == {"type": "RuntimeDefault"}
    assert inside["readOnlyRootFilesystem"] is True
    assert inside["allowPrivilegeEscalation"] is False
    assert inside["capabilities"] == {"drop": ["ALL"]}
    assert pod["automountServiceAccountToken"] is False


@pytest.mark.parametrize("name", PODS)
def test_no_service_puts_variables_into_a_pod_that_look_like_settings(name: str) -> None:
    # VITRINE_SERVICE_HOST is no setting, so the start would be refused.
    assert OBJECTS["service.yaml"]["metadata"]["name"] == "vitrine"
    assert PODS[name]["spec"]["enableServiceLinks"] is False


@pytest.mark.parametrize("name", PODS)
def test_the_folders_that_are_written_to_are_mounted(name: str) -> None:
    mounts = {one["mountPath"]: one["name"] for one in container(name)["volumeMounts"]}
    assert {*words_of("VOLUME", LAST), "/tmp"} <= mounts.keys()
    assert set(mounts.values()) == {one["name"] for one in PODS[name]["spec"]["volumes"]}


def test_what_all_pods_share_is_one_claim_that_many_can_mount() -> None:
    pod = PODS["deployment.yaml"]["spec"]
    (claim,) = [one["persistentVolumeClaim"]["claimName"] for one in pod["volumes"] if "persistentVolumeClaim" in one]
    assert claim == OBJECTS["storage.yaml"]["metadata"]["name"]
    assert OBJECTS["storage.yaml"]["spec"]["accessModes"] == ["ReadWriteMany"]
    mounts = container("deployment.yaml")["volumeMounts"]
    assert [one["mountPath"] for one in mounts if one["name"] == "shared"] == [settings()["VITRINE_STORE"]]


@pytest.mark.parametrize("name", PODS)
def test_the_command_is_one_of_vitrine_in_the_image_of_the_list(name: str) -> None:
    (image,) = LISTED["images"]
    assert container(name)["image"] == image["name"]
    (command,) = container(name)["args"]
    assert "command" not in container(name)
    assert vitrine.get_command(None, command) is not None  # type: ignore[arg-type]


def test_labels_selectors_and_ports_meet() -> None:
    assert DEPLOYMENT["spec"]["selector"]["matchLabels"] == PODS["deployment.yaml"]["metadata"]["labels"]
    (port,) = container("deployment.yaml")["ports"]
    assert port["containerPort"] == int(words_of("EXPOSE", LAST)[0])
    service, budget = OBJECTS["service.yaml"]["spec"], OBJECTS["disruption-budget.yaml"]["spec"]
    for wanted in (service["selector"], budget["selector"]["matchLabels"]):
        assert selects(wanted, "deployment.yaml")
        assert not selects(wanted, "upgrade-job.yaml")
    assert service["ports"][0]["targetPort"] == port["name"]
    (rule,) = OBJECTS["ingress.yaml"]["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": OBJECTS["service.yaml"]["metadata"]["name"], "port": {"name": service["ports"][0]["name"]}}
    assert settings()["VITRINE_PUBLIC_URL"] == f"https://{rule['host']}"
    assert OBJECTS["ingress.yaml"]["spec"]["tls"][0]["hosts"] == [rule["host"]]
    target = OBJECTS["autoscaler.yaml"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == (DEPLOYMENT["kind"], DEPLOYMENT["metadata"]["name"])
    assert "replicas" not in DEPLOYMENT["spec"]


def test_the_network_lets_in_the_proxy_alone_and_out_what_is_needed() -> None:
    policy = OBJECTS["network-policy.yaml"]["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert all(selects(policy["podSelector"]["matchLabels"], name) for name in PODS)
    (let_in,) = policy["ingress"]
    assert let_in["from"]
    assert [one["port"] for one in let_in["ports"]] == [container("deployment.yaml")["ports"][0]["name"]]
    assert {one["port"] for rule in policy["egress"] for one in rule["ports"]} == {53, 5432, 6379}


def test_probes_ask_addresses_that_ask_nobody_who_they_are() -> None:
    asked = container("deployment.yaml")
    probes = {name: asked[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startup": "/readyz",
        "liveness": "/livez",
        "readiness": "/readyz",
    }
    assert {probe["port"] for probe in probes.values()} == {asked["ports"][0]["name"]}


def test_a_pod_has_the_time_to_finish_what_has_begun() -> None:
    pause = container("deployment.yaml")["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert PODS["deployment.yaml"]["spec"]["terminationGracePeriodSeconds"] > pause + int(settings()["VITRINE_STOP_WITHIN"])


def test_the_processors_that_are_asked_for_are_those_that_workers_use() -> None:
    assert container("deployment.yaml")["resources"]["requests"]["cpu"] == settings()["VITRINE_WORKERS"]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Give the secret's values: a key, and a real PostgreSQL and Redis."""
    with RunningPostgres() as postgres, RunningRedis(tmp_path_factory.mktemp("redis")) as redis:
        yield {"VITRINE_SECRET_KEY": KEY, "VITRINE_DATABASE_URL": postgres.database(), "VITRINE_REDIS_URL": redis.url}


def test_the_job_and_two_pods_share_a_database_and_answer_as_probes_and_the_proxy_ask(
    tmp_path: Path, servers: dict[str, str]
) -> None:
    given = {**settings(), **servers}
    assert {one["name"] for one in container("deployment.yaml")["env"]} == servers.keys()
    for name in ("job", "one", "two"):
        (tmp_path / name).mkdir()
    # Its database alone, and nothing that the map holds.
    job = PlatformSite(tmp_path / "job", {"VITRINE_DATABASE_URL": servers["VITRINE_DATABASE_URL"]})
    done = job.run(*container("upgrade-job.yaml")["args"])
    assert (done.returncode, done.stdout) == (0, "The database is up to date.\n"), done.stderr
    with (
        PlatformSite(tmp_path / "one", given, read_only=True) as one,
        PlatformSite(tmp_path / "two", given, read_only=True) as two,
    ):
        # The other pod knows the key, and how often it was used.
        behind = {"Host": PUBLIC, "X-Forwarded-Proto": "https", "Content-Type": "application/octet-stream"}
        replies = [
            pod.request("POST", "/api/v1/models/digits/predict", EIGHT.read_bytes(), behind, key=one.key) for pod in (one, two)
        ]
        assert [(reply.status, reply.json["label"]) for reply in replies] == [(200, "8")] * 2
        first, second = (int(re.findall(r"r=(\d+)", reply.headers["RateLimit"])[0]) for reply in replies)
        assert second == first - 1
        for pod in (one, two):
            for probe in ("startup", "liveness", "readiness"):
                path = container("deployment.yaml")[f"{probe}Probe"]["httpGet"]["path"]
                # As the kubelet asks: under the pod's address, and past every proxy.
                assert pod.request("GET", path, headers={"Host": "10.42.0.7:8000"}).status == 200
            assert pod.visit("GET", "/readyz").json["problems"] == []


@pytest.mark.parametrize("name", ["VITRINE_SERVICE_HOST", "VITRINE_PORT_80_TCP"])
def test_what_a_service_would_put_there_is_refused_indeed(tmp_path: Path, name: str) -> None:
    done = PlatformSite(tmp_path, {name: "10.43.0.9"}).run("upgrade")
    assert done.stderr.splitlines() == [f"vitrine: There is no setting {name}; docs/settings.md lists them all."]
