"""The settings: read once from the environment, strictly, with defaults that are safe on a desk."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from app.config import TREE, Settings, load_settings
from app.errors import InvalidSettings

ADDRESS = "https://photos.example.org"
READ = {
    "VITRINE_HOST": ("0.0.0.0", "host", "0.0.0.0"),
    "VITRINE_DATABASE_URL": ("sqlite://", "database_url", "sqlite://"),
    "VITRINE_STORE": ("s3://photos/vitrine", "bucket", "s3://photos/vitrine"),
    "VITRINE_SECRET_KEY_FILE": ("/run/key", "secret_key_file", Path("/run/key")),
    "VITRINE_PLAIN_HTTP": ("yes", "plain_http", True),
    "VITRINE_TRUSTED_PROXIES": ("5", "trusted_proxies", 5),
    "VITRINE_HOSTS": ("Photos.example.org, b", "host_names", frozenset({"photos.example.org", "b"})),
    "VITRINE_CORS_ORIGINS": (
        *("https://App.example.org, http://[::1]:3000,", "allowed_origins"),
        ("https://app.example.org", "http://[::1]:3000"),
    ),
    "VITRINE_PROXY_ADDRESSES": ("10.0.0.0/8,::1", "proxy_networks", (ip_network("10.0.0.0/8"), ip_network("::1"))),
    "VITRINE_COOKIE": ("vitrine-2", "cookie", "vitrine-2"),
    "VITRINE_LOGIN_DAYS": ("7", "login_days", 7),
    "VITRINE_MAIL": ("console", "mail", SecretStr("console")),
    "VITRINE_MAIL_FROM": ("a@example.org", "sender", "a@example.org"),
    "VITRINE_IDLE_HOURS": ("1", "idle_hours", 1),
    "VITRINE_OIDC_NAME": ("Example ID", "oidc_name", "Example ID"),
    "VITRINE_OIDC_ACCOUNTS": ("anybody", "oidc_accounts", "anybody"),
    "VITRINE_ACCESS": ("guests", "access", "guests"),
    "VITRINE_REGISTRATION": ("off", "registration", "off"),
    "VITRINE_SECOND_FACTOR": ("everybody", "second_factor", "everybody"),
    "VITRINE_MODEL_UPLOADS": ("on", "model_uploads", True),
    "VITRINE_KEEP_DAYS": ("36500", "keep_days", 36_500),
    "VITRINE_ANSWER_WITHIN": ("0.5", "answer_within", 0.5),
    "VITRINE_STOP_WITHIN": ("3600", "stop_within", 3600),
    "VITRINE_MAX_FILE_MB": ("0.25", "max_file_mb", 0.25),
    "VITRINE_MAX_PHOTOS": ("1", "max_photos", 1),
    "VITRINE_WORKERS": ("64", "workers", 64),
    "VITRINE_METRICS": ("public", "metrics", "public"),
    "VITRINE_TRACES": ("http://otel.example.org:4318", "traces", "http://otel.example.org:4318"),
    "VITRINE_LOG_FORMAT": ("text", "log_format", "text"),
    "vitrine_port": ("9000", "port", 9000),
}
WRONG = {
    "VITRINE_PORT": ("0", "65536", "eighty"),
    "VITRINE_PLAIN_HTTP": ("perhaps",),
    "VITRINE_TRUSTED_PROXIES": ("-1", "6", "all"),
    "VITRINE_HOSTS": ("photos.example.org:80", "https://photos.example.org", "a/b", "a b@c"),
    "VITRINE_CORS_ORIGINS": (
        *("*", "null", "app.example.org", "https://*.example.org", "https://app.example.org/", "https://app.example.org/page"),
        *("ftp://app.example.org", "https://a@app.example.org", "https://app.example.org:443", "http://app.example.org:80"),
        *(
            "https://app.example.org:123456",
            "https://",
            "https://.example.org",
            "https://[::1",
            "https://[::g]",
            "https://é.org",
        ),
        "https://a.example https://b.example",
    ),
    "VITRINE_PROXY_ADDRESSES": ("proxy", "10.0.0.1/8", "10.0.0.0/33"),
    "VITRINE_STORE": (
        *(
            "http://127.0.0.1/a",
            "file:///srv/a",
            "s3://",
            "s3:///a",
            "s3://key:secret@bucket/a",
            "gs://bucket/a?b=c",
            "az://a b",
        ),
        *("gs://bucket/a?b=c", "az://a b", "/", "data", "data/.."),
    ),
    "VITRINE_COOKIE": ("a=b", "a;b", "x" * 41, "vitrine\n"),
    "VITRINE_LOGIN_DAYS": ("0", "366"),
    "VITRINE_IDLE_HOURS": ("0", "8761"),
    "VITRINE_OIDC_URL": (
        *("login.example.org", "http://login.example.org", "http://10.0.0.1", "http://127.0.0.1.example.org", "https://"),
        *("https://login.example.org/?tenant=1", "https://login.example.org/#a", "file:///etc/passwd"),
    ),
    "VITRINE_OIDC_NAME": ("x" * 41,),
    "VITRINE_OIDC_ACCOUNTS": ("all",),
    "VITRINE_ACCESS": ("public", "Guests"),
    "VITRINE_REGISTRATION": ("on", "Open"),
    "VITRINE_SECOND_FACTOR": ("yes", "admins", "Everybody"),
    "VITRINE_MODEL_UPLOADS": ("perhaps",),
    "VITRINE_KEEP_DAYS": ("0", "36501", "1.5"),
    "VITRINE_ANSWER_WITHIN": ("0", "3601", "nan"),
    "VITRINE_STOP_WITHIN": ("0", "3601", "soon"),
    "VITRINE_MAX_FILE_MB": ("0", "-1", "inf"),
    "VITRINE_MAX_REQUEST_MB": ("0", "inf"),
    "VITRINE_MAX_PHOTOS": ("0", "101"),
    "VITRINE_MAX_MEGAPIXELS": ("0", "nan"),
    "VITRINE_MAX_SIDE": ("0",),
    "VITRINE_MAX_PIXEL_SCANS": ("0",),
    "VITRINE_WORKERS": ("-1", "65"),
    "VITRINE_THREADS": ("0", "65"),
    "VITRINE_METRICS": ("on", "Key"),
    "VITRINE_TRACES": (
        "otel:4318",
        "127.0.0.1:4318",
        "http://",
        "http://otel.example.org/?a=1",
        "file:///traces",
        "http://a b",
        "http://a@b",
    ),
    "VITRINE_LOG_FORMAT": ("xml",),
    "VITRINE_PUBLIC_URL": (
        *("photos.example.org", "ftp://photos.example.org", "https://", "https:photos.example.org", "//photos.example.org"),
        *("https://photos.example.org/?a=1", "https://photos.example.org/#top", "https://[::1", "javascript:alert(1)"),
    ),
}


def test_without_any_setting_the_site_is_private_and_for_this_machine() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.access) == ("127.0.0.1", 8000, "private")
    assert (settings.plain_http, settings.trusted_proxies, settings.secret_key) == (False, 0, None)
    assert (settings.address, settings.https) == ("http://127.0.0.1:8000", False)
    assert settings.models == TREE / "models"


@pytest.mark.parametrize("name", READ)
def test_a_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    text, field, value = READ[name]
    assert getattr(load_settings(), field) != value
    monkeypatch.setenv(name, text)
    assert getattr(load_settings(), field) == value


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_value_that_cannot_be_meant_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings, match=rf"^{name}: .+\.$"):
        load_settings()


def test_a_wrong_value_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_TRUSTED_PROXIES", "correct-horse")
    with pytest.raises(InvalidSettings) as caught:
        load_settings()
    assert "correct-horse" not in str(caught.value)


@pytest.mark.parametrize("name", ["VITRINE_PROT", "VITRINE_", "VITRINE_SECRET", "VITRINE_HOST_"])
def test_a_name_that_is_no_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(InvalidSettings, match=rf"^There is no setting {name}; docs/settings.md lists them all\.$"):
        load_settings()


def test_a_given_name_that_is_no_setting_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="VITRINE_PROT"):
        load_settings(prot=8001)


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_settings()
    for name in Settings.model_fields:
        monkeypatch.setenv(f"VITRINE_{name.upper()}", "")
    monkeypatch.setenv("HOST", "")
    monkeypatch.setenv("PORT", "")
    assert load_settings() == before


@pytest.mark.parametrize(
    ("given", "ours", "common", "port"),
    [
        ({}, None, None, 8000),
        ({}, None, "8001", 8001),
        ({}, "8002", "8001", 8002),
        ({}, "", "8001", 8001),
        ({"port": 8003}, "8002", "8001", 8003),
        ({"port": 8003}, None, "8001", 8003),
    ],
)
def test_the_nearest_port_wins(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, int], ours: str | None, common: str | None, port: int
) -> None:
    for name, value in (("VITRINE_PORT", ours), ("PORT", common)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert load_settings(**given).port == port


def test_the_nearest_host_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "127.0.0.2")
    assert load_settings().host == "127.0.0.2"
    monkeypatch.setenv("VITRINE_HOST", "127.0.0.3")
    assert load_settings().host == "127.0.0.3"
    assert load_settings(host="127.0.0.4").host == "127.0.0.4"


def test_a_port_that_the_platform_gives_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "99999")
    with pytest.raises(InvalidSettings, match="PORT"):
        load_settings()


def test_the_public_address_decides_what_links_and_cookies_are_made_of() -> None:
    assert load_settings(port=8123).address == "http://127.0.0.1:8123"
    over_tls = load_settings(public_url=f"{ADDRESS}/")
    assert (over_tls.address, over_tls.https) == (ADDRESS, True)
    shared = load_settings(public_url=f"{ADDRESS}/photos/vitrine/")
    assert (over_tls.prefix, shared.prefix, shared.origin) == ("", "/photos/vitrine", ADDRESS)
    plain = load_settings(public_url="http://photos.example.org:8080")
    assert (plain.address, plain.https) == ("http://photos.example.org:8080", False)


@pytest.mark.parametrize("path", ["//vitrine", "/a//b", "/../b", "/a;Domain=b", "/a b", "/é", "/%41"])
def test_the_path_of_the_public_address_is_plain(path: str) -> None:
    with pytest.raises(InvalidSettings, match=r"VITRINE_PUBLIC_URL: .*such as /vitrine"):
        load_settings(public_url=f"{ADDRESS}{path}")


@pytest.mark.parametrize(
    ("public_url", "plain_http", "host", "allowed"),
    [
        ("", False, "127.0.0.1:8000", True),
        ("", False, "127.8.8.8", True),
        ("", False, "LOCALHOST:8000", True),
        ("", False, "[::1]:8000", True),
        ("", False, "192.168.1.20:8000", False),
        ("", False, "photos.example.org", False),
        ("", False, "127.example.org", False),
        ("", False, "127.0.0.1.example.org:8000", False),
        ("", False, "localhost.example.org", False),
        ("", False, "127.0.0.1@example.org", False),
        ("", False, "", False),
        ("", True, "192.168.1.20:8000", True),
        ("http://photos.example.org", False, "127.0.0.1:8000", False),
        ("http://photos.example.org", False, "photos.example.org", False),
        ("http://photos.example.org", True, "photos.example.org", True),
        ("http://localhost:9000", False, "localhost:9000", True),
        (ADDRESS, False, "photos.example.org", True),
        (ADDRESS, False, "10.0.0.1", True),
    ],
)
def test_a_password_is_taken_over_tls_or_on_this_machine(public_url: str, plain_http: bool, host: str, allowed: bool) -> None:
    assert load_settings(public_url=public_url, plain_http=plain_http).login_allowed(host) is allowed


def test_open_registration_needs_letters() -> None:
    with pytest.raises(InvalidSettings, match=r"VITRINE_REGISTRATION: .* set VITRINE_MAIL as well\.$"):
        load_settings(registration="open")
    assert load_settings(registration="open", mail="console").registration == "open"


def test_folders_are_absolute_wherever_the_process_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    settings = load_settings(models="~/models")
    assert (settings.data, settings.models) == (tmp_path / "data", tmp_path / "home" / "models")
    assert settings.database == f"sqlite:///{tmp_path / 'data' / 'vitrine.db'}"
    assert load_settings(database_url="sqlite://").database == "sqlite://"


def test_settings_stay_as_they_were_read(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings()
    monkeypatch.setenv("VITRINE_PORT", "9000")
    assert settings.port == 8000
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 9000  # type: ignore[misc]


def test_the_secret_is_not_shown_with_the_settings() -> None:
    settings = load_settings(secret_key="abcdefghijklmnopqrstuvwxyz0123456789")
    assert "abcdefgh" not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize("url", ["https://login.example.org/realms/photos/", "http://127.0.0.1:9000", "http://localhost/oidc"])
def test_a_provider_is_asked_over_tls_or_on_this_machine(url: str) -> None:
    settings = load_settings(oidc_url=url, oidc_client="vitrine", oidc_secret="abc")
    assert settings.oidc_url == url.rstrip("/")
    assert "abc" not in repr(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"oidc_url": "https://login.example.org"}, "VITRINE_OIDC_CLIENT and VITRINE_OIDC_SECRET"),
        ({"oidc_client": "a", "oidc_secret": "b"}, "VITRINE_OIDC_URL"),
        ({"oidc_url": "https://login.example.org", "oidc_client": "a"}, "VITRINE_OIDC_SECRET"),
        ({"oidc_secret": "b"}, "VITRINE_OIDC_URL and VITRINE_OIDC_CLIENT"),
    ],
)
def test_half_a_provider_stops_the_start(given: dict[str, str], missing: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        load_settings(**given)
    assert str(caught.value) == f"For logging in through a provider {missing} must be set, too."


@pytest.mark.parametrize(
    ("public_url", "domain", "origin"),
    [
        ("https://Photos.example.org", "photos.example.org", "https://photos.example.org"),
        ("https://photos.example.org:8443/vitrine/", "photos.example.org", "https://photos.example.org:8443"),
        ("http://localhost:8000", "localhost", "http://localhost:8000"),
        ("http://photos.example.org", None, "http://photos.example.org"),
        ("https://192.0.2.7", None, "https://192.0.2.7"),
        ("https://[2001:db8::1]:8443", None, "https://[2001:db8::1]:8443"),
        ("", None, "http://127.0.0.1:8000"),
    ],
)
def test_passkeys_are_for_a_name_that_browsers_trust(public_url: str, domain: str | None, origin: str) -> None:
    settings = Settings(public_url=public_url)
    assert (settings.passkey_domain, settings.origin) == (domain, origin)
