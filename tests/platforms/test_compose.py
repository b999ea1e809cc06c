"""Compose's file: by the specification's schema, closed but for Nginx, and a site with the secrets that the documents make."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from app.services.private_files import secret_key
from tests.factories import EIGHT
from tests.platforms.composed import SERVICES, VITRINE, make_secrets, settings_over
from tests.platforms.emulation import PlatformSite
from tests.platforms.files import DEPLOY, assert_settings, compose_faults, read
from tests.postgres import RunningPostgres
from tests.redis_server import RunningRedis
from tests.serving import TREE
from tests.test_dockerfile import LAST, words_of

COMPOSED = read("compose/compose.yaml")
NGINX = (DEPLOY / "compose" / "nginx.conf").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_secrets(tmp_path_factory.mktemp("composed"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[PlatformSite]:
    """Give a site with the settings of the file, its servers' names led to servers of the test."""
    with RunningPostgres() as postgres, RunningRedis(tmp_path) as redis:
        secrets = make_secrets(tmp_path / "made")
        settings = settings_over(postgres, redis, secrets, seen_at=secrets)
        with PlatformSite(tmp_path, settings, read_only=VITRINE["read_only"]) as site:
            yield site


def test_it_is_by_the_schema() -> None:
    assert compose_faults(COMPOSED) == []


@pytest.mark.parametrize("wrong", [{"read-only": True}, {"cap_drop": "ALL"}, {"restart": False}])
def test_a_mistake_would_be_found(wrong: dict[str, object]) -> None:
    assert compose_faults({**COMPOSED, "services": {**SERVICES, "vitrine": {**VITRINE, **wrong}}})


def test_nothing_is_published_but_nginx() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"nginx"}
    assert not any("network_mode" in service for service in SERVICES.values())
    assert COMPOSED["networks"]["back"] == {"internal": True}
    assert {name: service["networks"] for name, service in SERVICES.items()} == {
        "vitrine": ["front", "back"],
        "postgres": ["back"],
        "redis": ["back"],
        "nginx": ["front"],
    }


def test_settings_exist_and_no_secret_stands_in_the_file() -> None:
    assert_settings(VITRINE["environment"])
    assert "VITRINE_SECRET_KEY" not in VITRINE["environment"]
    assert urlsplit(VITRINE["environment"]["VITRINE_DATABASE_URL"]).password is None
    assert SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/postgres_password"
    assert not any("PASSWORD" in name and not name.endswith("_FILE") for name in SERVICES["postgres"]["environment"])


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_that_a_service_reads_are_given_to_it_and_exist(name: str) -> None:
    service = SERVICES[name]
    text = str(service.get("environment", "")) + str(service.get("command", "")) + (NGINX if name == "nginx" else "")
    assert set(re.findall(r"/run/secrets/(\w+)", text)) == set(service.get("secrets", [])) <= COMPOSED["secrets"].keys()


def test_volumes_and_networks_that_are_named_exist() -> None:
    for service in SERVICES.values():
        sources = [volume.partition(":")[0] for volume in service.get("volumes", [])]
        assert all((DEPLOY / "compose" / source).exists() for source in sources if source.startswith("."))
        assert {source for source in sources if not source.startswith(".")} <= COMPOSED["volumes"].keys()
        assert set(service["networks"]) <= COMPOSED["networks"].keys()


def test_the_image_is_built_here_with_what_it_needs_and_runs_confined() -> None:
    built = VITRINE["build"]
    assert (DEPLOY / "compose" / built["context"]).resolve() == TREE
    assert built["args"] == {"LIBRARIES": "extras"}
    assert f"data:{words_of('VOLUME', LAST)[0]}" in VITRINE["volumes"]
    assert (VITRINE["read_only"], VITRINE["tmpfs"], VITRINE["cap_drop"]) == (True, ["/tmp"], ["ALL"])
    assert all(service["security_opt"] == ["no-new-privileges:true"] for service in SERVICES.values())


def test_nginx_leads_to_the_image_and_says_itself_who_asks() -> None:
    assert f"http://vitrine:{words_of('EXPOSE', LAST)[0]};" in NGINX
    assert "client_max_body_size 100m;" in NGINX
    for name, value in {"X-Forwarded-For": "$remote_addr", "X-Forwarded-Proto": "$scheme", "Host": "$host"}.items():
        assert f"proxy_set_header {name} {value};" in NGINX
    assert NGINX.count("{") == NGINX.count("}")


def test_what_the_documents_make_are_the_secrets_that_are_read(secrets: Path) -> None:
    files = {name: secrets / Path(secret["file"]).name for name, secret in COMPOSED["secrets"].items()}
    made = {name: file for name, file in files.items() if not name.startswith("tls_")}
    assert all(file.stat().st_mode & 0o777 == 0o400 for file in made.values())
    assert secret_key(given=None, given_file=made["secret_key"], own_file=secrets / "none")
    password = made["postgres_password"].read_text()
    database = urlsplit(VITRINE["environment"]["VITRINE_DATABASE_URL"])
    assert parse_qs(database.query)["passfile"] == ["/run/secrets/passfile"]
    server = SERVICES["postgres"]["environment"]
    whom = (database.hostname, "5432", server["POSTGRES_DB"], database.username, password)
    assert made["passfile"].read_text() == ":".join(map(str, whom)) + "\n"
    assert (database.path.strip("/"), database.username) == (server["POSTGRES_DB"], server["POSTGRES_USER"])


def test_a_site_with_these_settings_and_secrets_answers_and_is_ready(site: PlatformSite) -> None:
    assert site.visit("GET", "/login").status == 200
    assert site.visit("POST", "/api/v1/models/digits/predict", EIGHT.read_bytes()).status == 200
    assert site.visit("GET", "/readyz").json["problems"] == []
    # The key was given, so none was made; who asks is told by the proxy alone.
    assert not (site.data / "secret_key").exists()
    assert not (site.data / "vitrine.db").exists()
    site.tell_to_end()
    assert site.killed_after(int(VITRINE["stop_grace_period"].rstrip("s"))) == 0
