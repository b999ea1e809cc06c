"""Builds what lives as long as the process, without Flask: for the factory, the command line and workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from app.config import Settings
from app.inference.batching import Gate
from app.inference.images import ImageLimits
from app.inference.repository import Repository
from app.services.accounts import Accounts
from app.services.answer_cache import AnswerCache
from app.services.api_keys import ApiKeys
from app.services.attempts import LoginAttempts
from app.services.audit_log import AuditLog
from app.services.classification import ClassificationService
from app.services.history import History
from app.services.idempotency import Idempotency
from app.services.invitations import Invitations
from app.services.listings.lists import Lists, lists_of
from app.services.logins import Logins
from app.services.mail import Post, carrier
from app.services.metrics import Metrics
from app.services.model_loader import ModelLoader
from app.services.people import People
from app.services.pictures import PictureStore
from app.services.private_files import secret_key
from app.services.recorded_keys import RecordedKeys
from app.services.recorder import Recorder
from app.services.request_limits import RequestLimits
from app.services.versions import Versions
from app.storage.counters import CounterFile
from app.storage.database import open_database


@dataclass(frozen=True)
class Services:
    """Everything a door may call."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    repository: Repository
    loader: ModelLoader
    metrics: Metrics
    classification: ClassificationService
    request_limits: RequestLimits
    pictures: PictureStore
    history: History
    idempotency: Idempotency
    accounts: Accounts
    invitations: Invitations
    people: People
    api_keys: ApiKeys
    recorded_keys: RecordedKeys
    attempts: LoginAttempts
    logins: Logins
    post: Post
    audit_log: AuditLog
    lists: Lists
    versions: Versions

    def warm_up(self) -> None:
        """Do once, in this process, what the first visitor would otherwise wait for."""
        self.metrics.warm_up()
        self.loader.warm_up()

    def session_of(self, scope: Callable[[], Hashable]) -> scoped_session[Session]:
        """Give a database session that is opened on first use in each scope; whoever ends the scope removes it."""
        return scoped_session(self.sessions, scopefunc=scope)


def compose(settings: Settings) -> Services:
    """Wire the services; nothing is opened, connected or started yet, so a server may fork afterwards."""
    engine = open_database(settings.database, durable=settings.durable)
    sessions = sessionmaker(engine, expire_on_commit=False)
    repository = Repository(shipped=settings.models, own=settings.data / "models")
    loader = ModelLoader(repository=repository, default_model=settings.default_model)
    audit_log = AuditLog(sessions=sessions)
    accounts = Accounts(sessions=sessions, setup_file=settings.data / "setup_token")
    api_keys = ApiKeys(sessions=sessions)
    metrics = Metrics()
    counters = CounterFile(settings.data / "counters.mdb")
    pictures = PictureStore(folder=settings.data / "pictures", limits=image_limits(settings))
    return Services(
        settings=settings,
        engine=engine,
        sessions=sessions,
        repository=repository,
        loader=loader,
        metrics=metrics,
        classification=_classification(settings, engine, loader, metrics),
        request_limits=RequestLimits(counters=counters, a_key=settings.key_limit, a_visitor=settings.visitor_limit),
        pictures=pictures,
        history=History(sessions=sessions, pictures=pictures, keep_days=settings.keep_days),
        idempotency=Idempotency(sessions=sessions, answer_within=settings.answer_within),
        accounts=accounts,
        invitations=Invitations(sessions=sessions, accounts=accounts, audit_log=audit_log),
        people=People(sessions=sessions, audit_log=audit_log),
        api_keys=api_keys,
        recorded_keys=RecordedKeys(api_keys=api_keys, audit_log=audit_log),
        attempts=LoginAttempts(engine=engine),
        logins=Logins(sessions=sessions, days=settings.login_days, idle_hours=settings.idle_hours),
        post=Post(carry=carrier(settings.mail.get_secret_value()), sender=settings.sender),
        audit_log=audit_log,
        lists=lists_of(sessions, models=repository.names),
        versions=Versions(repository=repository, audit_log=audit_log),
    )


def _classification(settings: Settings, engine: Engine, loader: ModelLoader, metrics: Metrics) -> ClassificationService:
    return ClassificationService(
        loader=loader,
        recorder=Recorder(engine=engine, enabled=settings.history),
        metrics=metrics,
        answers=AnswerCache(size=settings.answer_cache),
        # A decode in C cannot be interrupted: more at once than cores only add memory.
        decoding=Gate(max(2, os.cpu_count() or 2)),
        limits=image_limits(settings),
        answer_within=settings.answer_within,
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
