"""App Service's settings: in the forms that its command line reads, and a site with them behind its front end."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.factories import EIGHT
from tests.platforms.emulation import KEY, PlatformSite, image_environment
from tests.platforms.files import assert_settings, known_settings, read
from tests.postgres import RunningPostgres
from tests.redis_server import RunningRedis
from tests.test_dockerfile import LAST, words_of
from tests.waiting import wait_until

ROWS = read("azure/settings.json")
GIVEN = {row["name"]: row["value"] for row in ROWS}
SECRET = {name for name, value in GIVEN.items() if value.startswith("@Microsoft.KeyVault(")}
SITE = read("azure/site.json")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformSite]:
    folder = tmp_path_factory.mktemp("azure")
    with RunningPostgres() as postgres, RunningRedis(folder) as redis:
        secrets = {"VITRINE_SECRET_KEY": KEY, "VITRINE_DATABASE_URL": postgres.database(), "VITRINE_REDIS_URL": redis.url}
        assert secrets.keys() == SECRET
        given = {**GIVEN, **secrets}
        # Each setting comes under a second name as well, and more of the platform's own.
        twice = {f"APPSETTING_{name}": value for name, value in given.items()}
        platform = {"WEBSITE_HOSTNAME": "vitrine.azurewebsites.net", "WEBSITE_SITE_NAME": "vitrine", "WEBSITE_INSTANCE_ID": "0"}
        with PlatformSite(folder, {**platform, **twice, **given}) as site:
            yield site


def test_the_rows_are_in_the_form_that_the_command_line_reads() -> None:
    assert all(row.keys() == {"name", "value", "slotSetting"} for row in ROWS)
    assert all(isinstance(row["value"], str) and isinstance(row["slotSetting"], bool) for row in ROWS)
    assert len(GIVEN) == len(ROWS)


def test_its_settings_exist_and_its_secrets_are_references_that_stay_with_their_slot() -> None:
    assert_settings({name: value for name, value in GIVEN.items() if name not in SECRET})
    assert SECRET == {"VITRINE_SECRET_KEY", "VITRINE_DATABASE_URL", "VITRINE_REDIS_URL"} <= known_settings()
    assert {row["slotSetting"] for row in ROWS if row["name"] in SECRET} == {True}


def test_the_platform_asks_the_port_on_which_the_image_listens() -> None:
    assert GIVEN["WEBSITES_PORT"] == image_environment()["PORT"] == words_of("EXPOSE", LAST)[0]
    assert not {"VITRINE_HOST", "VITRINE_PORT", "HOST", "PORT"} & GIVEN.keys()


def test_what_is_kept_is_in_the_folder_that_the_platform_keeps() -> None:
    assert GIVEN["WEBSITES_ENABLE_APP_SERVICE_STORAGE"] == "true"
    assert GIVEN["VITRINE_STORE"].startswith("/home/")
    assert "VITRINE_DATA" not in GIVEN, "what one instance counts is its own"


def test_the_platform_waits_for_longer_than_the_site_does() -> None:
    assert int(GIVEN["VITRINE_STOP_WITHIN"]) < int(GIVEN["WEBSITES_CONTAINER_STOP_TIME_LIMIT"]) <= 120


def test_health_and_warm_up_are_asked_for_under_any_name(site: PlatformSite) -> None:
    for path in (SITE["healthCheckPath"], GIVEN["WEBSITE_WARMUP_PATH"]):
        assert site.request("GET", path, headers={"Host": "10.0.0.7"}).status == int(GIVEN["WEBSITE_WARMUP_STATUSES"])


def test_a_picture_is_answered_and_pages_know_that_they_were_asked_for_by_tls(site: PlatformSite) -> None:
    assert site.visit("POST", "/api/v1/models/digits/predict", EIGHT.read_bytes()).status == 200
    page = site.visit("GET", "/login")
    assert page.status == 200
    assert "Strict-Transport-Security" in page.headers


def test_a_visitor_is_counted_by_the_address_although_the_platform_tells_a_port_that_changes(site: PlatformSite) -> None:
    for port in (51234, 51235):
        assert site.visit("GET", "/login", visitor=f"198.51.100.7:{port}").status == 200
    wait_until(lambda: site.log.count("198.51.100.7") == 2)
    logged = [json.loads(line) for line in site.log.splitlines() if "198.51.100.7" in line]
    assert [line["address"] for line in logged] == ["198.51.100.7"] * 2


def test_ends_before_the_platform_kills(site: PlatformSite) -> None:
    with site.half_sent() as line:
        site.tell_to_end()
        picture = EIGHT.read_bytes()
        line.sendall(picture[len(picture) // 2 :])
        with line.makefile("rb") as answer:
            assert answer.read().startswith(b"HTTP/1.1 200 ")
    assert site.killed_after(int(GIVEN["WEBSITES_CONTAINER_STOP_TIME_LIMIT"])) == 0
