"""The wiring: nothing is opened by it, and every setting reaches whoever it is meant for."""

from __future__ import annotations

import stat
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.composition import compose, image_limits, signing_key
from app.config import TREE
from app.errors import ImageTooLarge, InvalidSettings
from app.services.recorder import Owner, Recorder
from app.storage.redis_counters import RedisCounters
from tests.factories import make_picture, make_prediction, make_services, make_settings, publish
from tests.redis_server import RunningRedis

GUEST = Owner(guest="a" * 32)
GIVEN = "kW3-vT9_qLx7ZbN2mRf8sYc4HdJ6gPa0"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_composing_opens_connects_and_starts_nothing(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    services = compose(make_settings(tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert set(threading.enumerate()) <= before  # one of before may have ended
    assert services.repository.names() == ["cats-vs-dogs", "digits"]


def test_a_database_that_is_away_does_not_stop_the_wiring(tmp_path: Path) -> None:
    services = compose(make_settings(tmp_path, database_url=f"sqlite:///{tmp_path / 'away' / 'vitrine.db'}"))
    assert services.engine.url.database == str(tmp_path / "away" / "vitrine.db")


def test_what_changes_is_kept_in_the_data_folder_alone(tmp_path: Path) -> None:
    shipped = tmp_path / "shipped"
    services = make_services(tmp_path, models=shipped)
    publish(services.repository)
    answer = services.classification.classify(make_picture(), owner=GUEST)
    assert services.pictures.keep(answer.prediction.id, make_picture())
    assert services.accounts.setup_token()
    assert not shipped.exists()
    assert {"models", "pictures", "setup_token", "vitrine.db"} <= {path.name for path in services.settings.data.iterdir()}


def test_what_machines_share_is_in_the_folder_of_the_store(tmp_path: Path) -> None:
    shared = {"store": str(tmp_path / "shared"), "models": tmp_path / "shipped"}
    one, other = make_services(tmp_path / "one", **shared), make_services(tmp_path / "other", **shared)
    publish(one.repository)
    number = make_prediction().id
    assert one.pictures.keep(number, make_picture())
    assert (other.repository.versions("shade"), other.pictures.has(number)) == (["1"], True)
    other.pictures.drop(number)
    other.repository.remove("shade", publish(other.repository).manifest.version)
    assert (one.repository.versions("shade"), one.pictures.has(number)) == (["1"], False)
    assert {path.name for path in (tmp_path / "shared").iterdir()} == {"models", "pictures"}
    assert not any((here.settings.data / name).exists() for here in (one, other) for name in ("models", "pictures"))


def test_composing_over_a_bucket_asks_it_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    before = set(Path("/proc/self/task").iterdir())
    services = compose(make_settings(tmp_path, store="s3://bucket/prefix"))
    assert services.repository.names() == ["cats-vs-dogs", "digits"]
    assert set(Path("/proc/self/task").iterdir()) <= before, "threads would not come through a fork"
    assert list(tmp_path.iterdir()) == []


def test_an_object_store_without_its_extra_stops_the_start_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(InvalidSettings, match=r"^VITRINE_STORE needs obstore: install Vitrine's extra 'objects'\.$"):
        compose(make_settings(tmp_path, store="s3://bucket/prefix"))


def test_the_shipped_models_and_our_own_share_their_names(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    publish(services.repository, "digits")
    publish(services.repository, "shade")
    assert services.repository.names() == ["cats-vs-dogs", "digits", "shade"]
    assert services.repository.versions("digits") == ["1", "2"]
    assert not (TREE / "models" / "digits" / "2").exists()


def test_the_default_model_is_the_one_of_the_setting(tmp_path: Path) -> None:
    assert compose(make_settings(tmp_path)).loader.default_name() == "cats-vs-dogs"
    assert compose(make_settings(tmp_path, default_model="digits")).loader.default_name() == "digits"


def test_the_limits_of_pictures_are_those_of_the_settings(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, max_file_mb=0.5, max_megapixels=1.25, max_side=300, max_pixel_scans=7000)
    limits = image_limits(settings)
    assert (limits.file_bytes, limits.pixels, limits.side, limits.pixel_scans) == (500_000, 1_250_000, 300, 7000)


def test_a_picture_over_the_limit_is_neither_answered_nor_kept(tmp_path: Path) -> None:
    services = make_services(tmp_path, models=tmp_path / "shipped", max_file_mb=0.0001)
    publish(services.repository)
    big = make_picture(form="BMP")
    with pytest.raises(ImageTooLarge):
        services.classification.classify(big, owner=GUEST)
    with pytest.raises(ImageTooLarge):
        services.pictures.keep(make_prediction().id, big)


def test_answers_are_deleted_after_the_days_of_the_setting(tmp_path: Path) -> None:
    services = make_services(tmp_path, keep_days=2)
    recorder = Recorder(engine=services.engine)
    for days in (1, 3):
        assert recorder.record(make_prediction(created_at=datetime.now(UTC) - timedelta(days=days)), GUEST, None)
    assert services.history.sweep() == 1
    assert services.history.page(GUEST, 1).total == 1


def test_each_scope_has_a_database_session_of_its_own_until_it_ends(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    scope = ["a request"]
    session = services.session_of(lambda: scope[0])
    first = session()
    assert session() is first
    scope[0] = "another request"
    assert session() is not first
    session.remove()
    scope[0] = "a request"
    assert session() is first
    session.remove()
    assert session() is not first
    session.remove()


def test_the_first_start_makes_a_private_folder_and_a_private_key(tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "deep")
    key = signing_key(settings)
    assert len(key) >= 32
    assert (mode(settings.data), mode(settings.data / "secret_key")) == (0o700, 0o600)
    assert signing_key(settings) == key
    assert signing_key(make_settings(tmp_path / "other")) != key


def test_a_given_key_goes_before_a_file_and_a_file_before_our_own(tmp_path: Path) -> None:
    own = signing_key(make_settings(tmp_path))
    file = tmp_path / "key"
    file.write_text(GIVEN[::-1])
    file.chmod(0o600)
    assert signing_key(make_settings(tmp_path, secret_key_file=file)) == GIVEN[::-1] != own
    assert signing_key(make_settings(tmp_path, secret_key_file=file, secret_key=GIVEN)) == GIVEN


def test_a_given_key_that_can_be_guessed_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="VITRINE_SECRET_KEY") as caught:
        signing_key(make_settings(tmp_path, secret_key="changeme"))
    assert "changeme" not in str(caught.value)
    assert not (tmp_path / "data" / "secret_key").exists()


def test_a_provider_without_its_extra_stops_the_start_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make_settings(tmp_path, oidc_url="https://login.example.org", oidc_client="a", oidc_secret="b")
    monkeypatch.delitem(sys.modules, "app.services.accounts.identity_provider", raising=False)
    monkeypatch.setitem(sys.modules, "authlib.integrations.requests_client", None)
    with pytest.raises(InvalidSettings, match=r"^VITRINE_OIDC_URL needs authlib, which comes with the extra oidc: run "):
        compose(settings)


def test_a_start_asks_no_provider_anything(tmp_path: Path) -> None:
    settings = {"oidc_url": "https://login.example.org", "oidc_client": "a", "oidc_secret": "b"}
    assert compose(make_settings(tmp_path, **settings)).identity_provider is not None
    assert compose(make_settings(tmp_path)).identity_provider is None


def test_a_collector_without_its_extra_stops_the_start_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(tmp_path, traces="http://127.0.0.1:4318")
    monkeypatch.delitem(sys.modules, "app.services.telemetry.tracing", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(InvalidSettings, match=r"^VITRINE_TRACES needs OpenTelemetry, which comes with the extra tracing: run "):
        compose(settings)


def test_traces_are_made_only_where_a_collector_is_set(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    made = compose(make_settings(tmp_path, traces="http://127.0.0.1:4318"))
    assert made.tracing is not None
    assert made.metrics is made.tracing.metrics
    assert compose(make_settings(tmp_path)).tracing is None
    assert set(threading.enumerate()) <= before  # one of before may have ended


def test_limits_uses_and_attempts_are_counted_in_redis_where_one_is_named(tmp_path: Path) -> None:
    with RunningRedis(tmp_path) as redis:
        services = make_services(tmp_path, redis_url=redis.url, key_limit=3)
        services.request_limits.count_key("a", 5)
        services.key_usage.count("a", refused=False)
        services.attempts.begin("ada@example.org", "192.0.2.1")
        names = ("pictures/key/a", "login/account/ada@example.org", "login/address/192.0.2.1", "login/everyone")
        assert RedisCounters(redis.url).look(names) == (1, 1, 1, 1)
        assert services.request_limits.used_today("a") == 1
        assert sum(day.answered for day in services.key_usage.days("a")) == 1
    assert services.request_limits.count("key", "a") is not None  # counted here now


def test_an_address_that_is_no_redis_stops_the_start_without_telling_its_password(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings) as caught:
        compose(make_settings(tmp_path, redis_url="http://:secret-word@127.0.0.1/0"))
    assert "secret-word" not in str(caught.value)
