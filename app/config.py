"""The configuration: typed, read once, frozen."""

from __future__ import annotations

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.addresses import is_bucket, is_loopback, is_numeric, issuer, listed, names, networks, origins, web_address
from app.errors import InvalidSettings

TREE = Path(__file__).resolve().parent.parent
_PREFIX = "VITRINE_"


class Settings(BaseSettings):
    """Every setting with its default; each is read from the environment variable `VITRINE_<NAME>`."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, frozen=True, extra="forbid", env_ignore_empty=True, allow_inf_nan=False
    )

    host: str = Field("127.0.0.1", description="Address to listen on; also read from HOST.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on; also read from PORT.")
    data: Path = Field(Path("data"), description="The one folder that changes at run time; made with mode 0700.")
    models: Path = Field(TREE / "models", description="The models shipped with the project; never written to.")
    database_url: str = Field("", description="Where accounts and history are kept; a SQLite file by default.")
    store: str = Field(
        "",
        description="Where imported models and pictures are kept for several machines: a folder, or s3://BUCKET/PREFIX, gs://, az://.",
    )
    redis_url: SecretStr = Field(
        SecretStr(""),
        description="A Redis in which limits, quotas and login attempts are counted for several machines, redis://HOST:PORT/0.",
    )
    secret_key: SecretStr | None = Field(
        None, description="Signs the cookies; at least 32 characters. Made at the first start."
    )
    secret_key_file: Path | None = Field(None, description="A file that holds the secret key and that only its owner may read.")
    public_url: Annotated[str, AfterValidator(web_address)] = Field(
        "", description="The address people open, with a path or without; by default http://127.0.0.1:PORT."
    )
    plain_http: bool = Field(False, description="Say yes to allow logging in over plain http beyond this machine.")
    hosts: Annotated[str, AfterValidator(names)] = Field(
        "", description="Further names, with commas between them, under which the site is served."
    )
    cors_origins: Annotated[str, AfterValidator(origins)] = Field(
        "", description="Origins whose pages may use the API with a key, https://NAME, with commas between them; or nothing."
    )
    trusted_proxies: int = Field(0, ge=0, le=5, description="How many proxies in front tell the visitor's address and scheme.")
    proxy_addresses: Annotated[str, AfterValidator(networks)] = Field(
        "127.0.0.0/8, ::1, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7",
        description="From which addresses these proxies ask; what anybody else says in their headers is ignored.",
    )
    mail: SecretStr = Field(
        SecretStr(""),
        description="What carries letters: smtp://USER:PASSWORD@HOST, smtps://..., a folder's path, or console; or nothing.",
    )
    mail_from: str = Field("", description="The sender of letters; vitrine@ and the name of the public address by default.")
    cookie: str = Field(
        "vitrine",
        pattern=r"^[A-Za-z0-9_-]{1,40}$",
        description="What the cookie is called: another name for each of several sites at one address, under different ports.",
    )
    login_days: int = Field(30, ge=1, le=365, description="After how many days one has to log in again at the latest.")
    idle_hours: int = Field(72, ge=1, le=8760, description="After how many hours without a visit one has to log in again.")
    oidc_url: Annotated[str, AfterValidator(issuer)] = Field(
        "", description="The issuer of an OpenID Connect provider through which people log in, or nothing."
    )
    oidc_client: str = Field("", description="The client ID that this site has at the provider.")
    oidc_secret: SecretStr = Field(SecretStr(""), description="The client secret that goes with it.")
    oidc_name: str = Field("single sign-on", max_length=40, description="What the button says after Log in with.")
    oidc_accounts: Literal["known", "anybody"] = Field(
        "known", description="known: whoever has an account already; anybody: an account is made at the first login."
    )
    access: Literal["private", "guests"] = Field(
        "private", description="private: a login is needed; guests: anyone may classify."
    )
    registration: Literal["off", "invited", "open"] = Field(
        "invited",
        description="Who makes an account: off: the command line alone; invited: whoever has an invitation; open: everybody.",
    )
    second_factor: Literal["offered", "administrators", "everybody"] = Field(
        "offered", description="Who must have a second factor to see more than the page that sets one up; all may have one."
    )
    default_model: str = Field("", description="The model that answers when none is named; cats-vs-dogs where it is there.")
    model_uploads: bool = Field(
        False, description="on: administrators may import models in the browser; else the command line alone imports them."
    )
    keep_days: int = Field(
        365, ge=1, le=36_500, description="After how many days answers and their small pictures are deleted."
    )
    history: bool = Field(True, description="Say no to store no more answers; those stored before stay until they are too old.")
    durable: Literal["normal", "full"] = Field(
        "normal", description="normal: stored answers survive a killed process; full: a power cut too, for a wait each."
    )
    key_limit: int = Field(6000, ge=0, description="Pictures a minute that one API key may send; 0 means any number.")
    visitor_limit: int = Field(
        120, ge=0, description="Pictures a minute that one account, or one guest's address, may send; 0 means any number."
    )
    answer_cache: int = Field(
        0, ge=0, le=1_000_000, description="How many answers each worker remembers and gives again to the very same pixels."
    )
    answer_within: float = Field(
        30.0, gt=0, le=3600, description="Seconds after which a waiting picture is given up with status 503."
    )
    stop_within: int = Field(
        25, ge=1, le=3600, description="Seconds that requests which have begun are given to finish when the site is ended."
    )
    max_file_mb: float = Field(20.0, gt=0, description="Largest picture file, in megabytes.")
    max_request_mb: float = Field(100.0, gt=0, description="Largest request of a page, in megabytes.")
    max_photos: int = Field(10, ge=1, le=100, description="Most photos in one request of a page.")
    max_megapixels: float = Field(50.0, gt=0, description="Largest picture, in million pixels.")
    max_side: int = Field(16_384, ge=1, description="Longest side of a picture, in pixels.")
    max_pixel_scans: int = Field(500_000_000, ge=1, description="Pixels times scans of a progressive JPEG.")
    workers: int = Field(0, ge=0, le=64, description="Worker processes; 0 means one a core.")
    threads: int = Field(4, ge=1, le=64, description="Requests at once in each worker.")
    metrics: Literal["key", "public", "off"] = Field(
        "key", description="Who may read /metrics: key: an administrator's with metrics:read; public: everybody; off: nobody."
    )
    traces: str = Field(
        "",
        pattern=r"^(https?://[^/?#@\s]+(/[^?#\s]*)?)?$",
        description="The OpenTelemetry collector that gets traces, such as http://127.0.0.1:4318, or nothing.",
    )
    log_requests: bool = Field(True, description="Say no to log only requests that failed, where a proxy logs all of them.")
    log_format: Literal["auto", "json", "text"] = Field("auto", description="auto: readable on a terminal, else JSON lines.")

    @field_validator("data", "models", mode="after")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().resolve()

    @model_validator(mode="before")
    @classmethod
    def _host_and_port(cls, values: dict[str, Any]) -> dict[str, Any]:
        # HOST and PORT without the prefix are what platforms and people set.
        for name in ("host", "port"):
            given = os.environ.get(name.upper())
            if given and name not in values:
                values[name] = given
        return values

    @model_validator(mode="after")
    def _whole_provider(self) -> Settings:
        given = {"URL": self.oidc_url, "CLIENT": self.oidc_client, "SECRET": self.oidc_secret.get_secret_value()}
        missing = [f"{_PREFIX}OIDC_{name}" for name, value in given.items() if not value]
        if missing and len(missing) < len(given):
            raise InvalidSettings(f"For logging in through a provider {' and '.join(missing)} must be set, too.")
        return self

    @field_validator("store", mode="after")
    @classmethod
    def _beside_the_data(cls, store: str, info: ValidationInfo) -> str:
        if not store or is_bucket(store):
            return store
        folder = Path(store).expanduser().resolve()
        if "data" in info.data and (folder == info.data["data"] or folder in info.data["data"].parents):
            raise ValueError("must be beside the data folder, which each machine has for itself, or inside it")
        return str(folder)

    @field_validator("registration", mode="after")
    @classmethod
    def _confirmed_by_letter(cls, registration: str, info: ValidationInfo) -> str:
        if registration == "open" and not info.data["mail"].get_secret_value():
            raise ValueError("open needs letters, for addresses are confirmed by them: set VITRINE_MAIL as well")
        return registration

    @property
    def host_names(self) -> frozenset[str]:
        """The names under which the site is served, in small letters: the public address's and those given beside it."""
        public = urlsplit(self.public_url).hostname
        return frozenset(name.lower() for name in (*listed(self.hosts), *([public] if public else [])))

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The origins whose pages may read the API's answers, in small letters."""
        return tuple(listed(self.cors_origins.lower()))

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks from which the proxies in front ask."""
        return tuple(map(ip_network, listed(self.proxy_addresses)))

    @property
    def address(self) -> str:
        """The public address, without a slash at the end."""
        return self.public_url or f"http://127.0.0.1:{self.port}"

    @property
    def prefix(self) -> str:
        """The path of the public address, such as /vitrine; empty where the site has the whole name to itself."""
        return urlsplit(self.address).path

    @property
    def https(self) -> bool:
        """Whether people reach the site over TLS."""
        return self.address.startswith("https://")

    @property
    def origin(self) -> str:
        """The public address as browsers name the site to itself: scheme, name and port, without a path."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}".lower()

    @property
    def passkey_domain(self) -> str | None:
        """The name that passkeys are for; None where browsers offer none: at a numeric address, or over plain http."""
        name = urlsplit(self.address).hostname or ""
        return name if name == "localhost" or (self.https and not is_numeric(name)) else None

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.data / 'vitrine.db'}"

    @property
    def bucket(self) -> str:
        """The address of the object store in which imported models and pictures are kept; empty where it is a folder."""
        return self.store if is_bucket(self.store) else ""

    @property
    def kept(self) -> Path:
        """The folder in which imported models and pictures are kept, where it is one."""
        return Path(self.store) if self.store and not self.bucket else self.data

    @property
    def sender(self) -> str:
        """The address that letters come from."""
        return self.mail_from or f"vitrine@{urlsplit(self.address).hostname}"

    def login_allowed(self, host: str) -> bool:
        """Tell whether a password may be typed on a page that was reached under `host`."""
        if self.https or self.plain_http:
            return True
        return is_loopback(urlsplit(self.address).hostname) and is_loopback(urlsplit(f"//{host}").hostname)


def load_settings(**given: Any) -> Settings:
    """Read the settings from the environment, or raise InvalidSettings with one sentence that names the first wrong one."""
    for name in unknown_settings():
        raise InvalidSettings(f"There is no setting {name}; docs/settings.md lists them all.")
    try:
        return Settings(**given)
    except ValidationError as error:
        raise InvalidSettings(next(iter(wrong_settings(error).values()))) from error


def unknown_settings() -> list[str]:
    """Give the variables of the environment that are called like settings and are none."""
    named = (name for name in sorted(os.environ) if name.startswith(_PREFIX))
    return [name for name in named if name.removeprefix(_PREFIX).lower() not in Settings.model_fields]


def wrong_settings(error: ValidationError) -> dict[str, str]:
    """Give a sentence for each setting that is wrong, by its name; what was given is not repeated."""
    names = ("_".join(str(part) for part in each["loc"]) or "settings" for each in error.errors())
    return {name: f"{_PREFIX}{name.upper()}: {each['msg']}." for name, each in zip(names, error.errors(), strict=True)}
