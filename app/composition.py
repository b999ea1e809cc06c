"""Builds what lives as long as the process, without Flask: for the factory, the command line and workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from app import __version__
from app.config import Settings
from app.errors import InvalidSettings
from app.inference.batching import Gate
from app.inference.images import ImageLimits
from app.inference.repository import Repository
from app.services.accounts import Accounts
from app.services.address_changes import AddressChanges
from app.services.answer_cache import AnswerCache
from app.services.api_keys import ApiKeys
from app.services.attempts import DatabaseCounters, LoginAttempts
from app.services.audit_log import AuditLog
from app.services.authenticators import Authenticators
from app.services.classification import ClassificationService
from app.services.history import History
from app.services.idempotency import Idempotency
from app.services.identities import Identities
from app.services.invitations import Invitations
from app.services.kept_pictures import KeptPictures
from app.services.key_usage import KeyUsage
from app.services.listings.lists import Lists, lists_of
from app.services.logins import Logins
from app.services.mail import Post, carrier
from app.services.metrics import Metrics
from app.services.model_loader import ModelLoader
from app.services.model_uploads import ModelUploads
from app.services.passkeys import Passkeys
from app.services.passwords import Passwords
from app.services.people import People
from app.services.personal_data import PersonalData
from app.services.pictures import Folder, PictureStore
from app.services.private_files import secret_key
from app.services.recorded_keys import RecordedKeys
from app.services.recorder import Recorder
from app.services.recovery_codes import RecoveryCodes
from app.services.replay import Replays
from app.services.request_limits import RequestLimits
from app.services.second_factors import SecondFactors
from app.services.shadow_answers import ShadowAnswers
from app.services.shadow_runner import ShadowRunner
from app.services.shadows import Shadows
from app.services.traffic import Traffic
from app.services.vault import Vault
from app.services.versions import Versions
from app.services.vital_signs import VitalSigns
from app.storage.counters import CounterFile, Counters
from app.storage.database import open_database
from app.storage.redis_counters import RedisCounters, WithFallback
from app.storage.sums import Sums

if TYPE_CHECKING:
    from app.services.identity_provider import IdentityProvider
    from app.services.tracing import Tracing
    from app.storage.objects import Objects


@dataclass(frozen=True)
class AccountServices:
    """What a door may call for people: who they are, what lets them in, and what is kept of them."""

    accounts: Accounts
    passwords: Passwords
    invitations: Invitations
    address_changes: AddressChanges
    people: People
    identities: Identities
    identity_provider: IdentityProvider | None
    personal_data: PersonalData
    api_keys: ApiKeys
    recorded_keys: RecordedKeys
    logins: Logins
    second_factors: SecondFactors
    authenticators: Authenticators
    passkeys: Passkeys
    recovery_codes: RecoveryCodes
    audit_log: AuditLog


@dataclass(frozen=True)
class Services(AccountServices):
    """Everything a door may call."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    repository: Repository
    loader: ModelLoader
    metrics: Metrics
    tracing: Tracing | None
    traffic: Traffic
    vital_signs: VitalSigns
    classification: ClassificationService
    request_limits: RequestLimits
    key_usage: KeyUsage
    attempts: LoginAttempts
    pictures: PictureStore
    history: History
    idempotency: Idempotency
    post: Post
    lists: Lists
    versions: Versions
    model_uploads: ModelUploads
    shadows: Shadows
    shadow_runner: ShadowRunner

    def warm_up(self) -> None:
        """Do once, in this process, what the first visitor would otherwise wait for."""
        self.metrics.warm_up()
        if self.tracing is not None:
            self.tracing.warm_up()
        self.loader.warm_up()

    def session_of(self, scope: Callable[[], Hashable]) -> scoped_session[Session]:
        """Give a database session that is opened on first use in each scope; whoever ends the scope removes it."""
        return scoped_session(self.sessions, scopefunc=scope)


def compose(settings: Settings) -> Services:
    """Wire the services; nothing is opened, connected or started yet, so a server may fork afterwards."""
    engine = open_database(settings.database, durable=settings.durable)
    sessions = sessionmaker(engine, expire_on_commit=False)
    repository = repository_of(settings)
    loader = ModelLoader(repository=repository, default_model=settings.default_model)
    tracing, answers = _tracing(settings), ShadowAnswers(sessions=sessions)
    metrics = Metrics() if tracing is None else tracing.metrics
    runner = ShadowRunner(repository=repository, answers=answers, metrics=metrics, limits=image_limits(settings))
    counted, traffic = _counting(settings), Traffic(sums=Sums(engine), keep_days=settings.keep_days)
    signs = VitalSigns(loader=loader, data=settings.data, version=__version__)
    pictures = PictureStore(objects=_objects(settings), limits=image_limits(settings))
    people = _account_services(settings, sessions, pictures)
    return Services(
        **{part.name: getattr(people, part.name) for part in fields(people)},
        settings=settings,
        engine=engine,
        sessions=sessions,
        repository=repository,
        loader=loader,
        metrics=metrics,
        tracing=tracing,
        traffic=traffic,
        vital_signs=_watching(signs, runner, people.api_keys),
        classification=_classification(settings, engine, loader, runner, metrics, traffic, signs),
        request_limits=_request_limits(settings, counted),
        key_usage=KeyUsage(counters=counted(CounterFile(settings.data / "usage.mdb"))),
        attempts=LoginAttempts(counters=counted(DatabaseCounters(engine)), limited=metrics.login_limited),
        pictures=pictures,
        history=History(sessions=sessions, pictures=pictures, keep_days=settings.keep_days),
        idempotency=Idempotency(sessions=sessions, answer_within=settings.answer_within),
        post=Post(carry=carrier(settings.mail.get_secret_value()), sender=settings.sender),
        lists=lists_of(sessions, models=repository.names),
        versions=_versions(settings, sessions, loader, pictures, people.audit_log),
        model_uploads=_model_uploads(settings, repository, people.audit_log),
        shadows=Shadows(repository=repository, answers=answers, audit_log=people.audit_log),
        shadow_runner=runner,
    )


def repository_of(settings: Settings) -> Repository:
    """Give the models as the settings have them: those of a folder, which machines may share, or copies of a bucket's."""
    if not settings.bucket:
        return Repository(shipped=settings.models, own=settings.kept / "models")
    from app.services.in_a_bucket import models_in

    return models_in(settings.bucket, shipped=settings.models, data=settings.data)


def _objects(settings: Settings) -> Objects:
    if not settings.bucket:
        return Folder(settings.kept)
    from app.services.in_a_bucket import pictures_in

    return pictures_in(settings.bucket)


def _model_uploads(settings: Settings, repository: Repository, audit_log: AuditLog) -> ModelUploads:
    if not settings.bucket:
        return ModelUploads(folder=settings.kept / "uploads", repository=repository, audit_log=audit_log)
    from app.services.in_a_bucket import uploads_in

    machines = uploads_in(settings.bucket)
    return ModelUploads(folder=settings.data / "uploads", repository=repository, audit_log=audit_log, machines=machines)


def _account_services(settings: Settings, sessions: sessionmaker[Session], pictures: PictureStore) -> AccountServices:
    audit_log = AuditLog(sessions=sessions)
    passwords = Passwords()
    vault = Vault(key=lambda: signing_key(settings))
    machines = vault if settings.database_url else None
    accounts = Accounts(sessions=sessions, setup_file=settings.data / "setup_token", passwords=passwords, machines=machines)
    api_keys = ApiKeys(sessions=sessions)
    return AccountServices(
        accounts=accounts,
        passwords=passwords,
        invitations=Invitations(sessions=sessions, accounts=accounts, audit_log=audit_log, registration=settings.registration),
        address_changes=AddressChanges(sessions=sessions, audit_log=audit_log),
        people=People(sessions=sessions, audit_log=audit_log),
        identities=Identities(sessions=sessions, audit_log=audit_log, make_accounts=settings.oidc_accounts == "anybody"),
        identity_provider=_identity_provider(settings),
        personal_data=PersonalData(sessions=sessions, pictures=pictures, audit_log=audit_log),
        api_keys=api_keys,
        recorded_keys=RecordedKeys(api_keys=api_keys, audit_log=audit_log),
        logins=Logins(sessions=sessions, days=settings.login_days, idle_hours=settings.idle_hours),
        second_factors=SecondFactors(sessions=sessions, required=settings.second_factor),
        authenticators=Authenticators(sessions=sessions, vault=vault, audit_log=audit_log),
        passkeys=Passkeys(sessions=sessions, audit_log=audit_log, domain=settings.passkey_domain, origin=settings.origin),
        recovery_codes=RecoveryCodes(sessions=sessions, audit_log=audit_log),
        audit_log=audit_log,
    )


def _counting(settings: Settings) -> Callable[[Counters], Counters]:
    """Give what turns counters of this machine into those of all of them, where a Redis is named."""
    url = settings.redis_url.get_secret_value()
    if not url:
        return lambda local: local
    shared = RedisCounters(url)
    return lambda local: WithFallback(shared, local)


def _request_limits(settings: Settings, counted: Callable[[Counters], Counters]) -> RequestLimits:
    counters = counted(CounterFile(settings.data / "counters.mdb"))
    return RequestLimits(counters=counters, a_key=settings.key_limit, a_visitor=settings.visitor_limit)


def _watching(signs: VitalSigns, shadows: ShadowRunner, api_keys: ApiKeys) -> VitalSigns:
    signs.lines["shadow"] = lambda: shadows.waiting
    signs.caches["keys"] = api_keys
    return signs


def _classification(
    settings: Settings,
    engine: Engine,
    loader: ModelLoader,
    shadows: ShadowRunner,
    metrics: Metrics,
    traffic: Traffic,
    signs: VitalSigns,
) -> ClassificationService:
    recorder = Recorder(engine=engine, enabled=settings.history)
    answers = signs.caches["answers"] = AnswerCache(size=settings.answer_cache)
    signs.lines["history"], signs.failures = (lambda: recorder.waiting), (lambda: recorder.failures)
    return ClassificationService(
        loader=loader,
        recorder=recorder,
        metrics=metrics,
        traffic=traffic,
        shadows=shadows,
        answers=answers,
        # A decode in C cannot be interrupted: more at once than cores only add memory.
        decoding=Gate(max(2, os.cpu_count() or 2)),
        limits=image_limits(settings),
        answer_within=settings.answer_within,
    )


def _versions(
    settings: Settings, sessions: sessionmaker[Session], loader: ModelLoader, pictures: PictureStore, audit_log: AuditLog
) -> Versions:
    kept = KeptPictures(sessions=sessions, pictures=pictures)
    replays = Replays(loader=loader, kept=kept, limits=image_limits(settings))
    return Versions(repository=loader.repository, audit_log=audit_log, replays=replays)


def _tracing(settings: Settings) -> Tracing | None:
    if not settings.traces:
        return None
    try:
        from app.services.tracing import Tracing
    except ModuleNotFoundError as error:
        raise InvalidSettings(
            "VITRINE_TRACES needs OpenTelemetry, which comes with the extra tracing: "
            "run .venv/bin/pip install -e '.[tracing]' first."
        ) from error
    return Tracing(collector=settings.traces.rstrip("/"), version=__version__)


def _identity_provider(settings: Settings) -> IdentityProvider | None:
    if not settings.oidc_url:
        return None
    try:
        from app.services.identity_provider import IdentityProvider
    except ModuleNotFoundError as error:
        raise InvalidSettings(
            f"VITRINE_OIDC_URL needs {str(error.name).partition('.')[0]}, which comes with the extra oidc: "
            "run .venv/bin/pip install -e '.[oidc]' first."
        ) from error
    return IdentityProvider(
        issuer=settings.oidc_url,
        client=settings.oidc_client,
        secret=settings.oidc_secret.get_secret_value(),
        return_to=f"{settings.address}/login/oidc/callback",
    )


def image_limits(settings: Settings) -> ImageLimits:
    """Give the limits of pictures as the settings have them."""
    return ImageLimits(
        file_bytes=int(settings.max_file_mb * 1_000_000),
        pixels=int(settings.max_megapixels * 1_000_000),
        side=settings.max_side,
        pixel_scans=settings.max_pixel_scans,
    )


def signing_key(settings: Settings) -> str:
    """Give the key that signs cookies; the first call makes it in the data folder."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    given = None if settings.secret_key is None else settings.secret_key.get_secret_value()
    return secret_key(given=given, given_file=settings.secret_key_file, own_file=settings.data / "secret_key")
