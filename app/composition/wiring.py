"""Everything, wired together."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy.orm import sessionmaker

from app import __version__
from app.composition.accounts import account_services
from app.composition.answers import classification_of, counting, request_limits_of, tracing_of, watching
from app.composition.given import image_limits
from app.composition.models import model_uploads_of, objects_of, repository_of, versions_of
from app.composition.services import Services
from app.config import Settings
from app.services.accounts.attempts import DatabaseCounters, LoginAttempts
from app.services.accounts.key_usage import KeyUsage
from app.services.accounts.passwords import Passwords
from app.services.history import History
from app.services.idempotency import Idempotency
from app.services.listings.lists import lists_of
from app.services.mail import Post, carrier
from app.services.model_loader import ModelLoader
from app.services.pictures import PictureStore
from app.services.shadow_answers import ShadowAnswers
from app.services.shadow_runner import ShadowRunner
from app.services.shadows import Shadows
from app.services.telemetry.metrics import Metrics
from app.services.telemetry.traffic import Traffic
from app.services.telemetry.vital_signs import VitalSigns
from app.storage.counters import CounterFile
from app.storage.database import open_database
from app.storage.sums import Sums


def compose(settings: Settings, *, passwords: Passwords | None = None) -> Services:
    """Wire the services; nothing is opened, connected or started yet, so a server may fork afterwards."""
    engine = open_database(settings.database, durable=settings.durable)
    sessions = sessionmaker(engine, expire_on_commit=False)
    repository = repository_of(settings)
    loader = ModelLoader(repository=repository, default_model=settings.default_model)
    tracing, answers = tracing_of(settings), ShadowAnswers(sessions=sessions)
    metrics = Metrics() if tracing is None else tracing.metrics
    runner = ShadowRunner(repository=repository, answers=answers, metrics=metrics, limits=image_limits(settings))
    counted, traffic = counting(settings), Traffic(sums=Sums(engine), keep_days=settings.keep_days)
    signs = VitalSigns(loader=loader, data=settings.data, version=__version__)
    pictures = PictureStore(objects=objects_of(settings), limits=image_limits(settings))
    people = account_services(settings, sessions, pictures, passwords or Passwords())
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
        vital_signs=watching(signs, runner, people.api_keys),
        classification=classification_of(settings, engine, loader, runner, metrics, traffic, signs),
        request_limits=request_limits_of(settings, counted),
        key_usage=KeyUsage(counters=counted(CounterFile(settings.data / "usage.mdb"))),
        attempts=LoginAttempts(counters=counted(DatabaseCounters(engine)), limited=metrics.login_limited),
        pictures=pictures,
        history=History(sessions=sessions, pictures=pictures, keep_days=settings.keep_days),
        idempotency=Idempotency(sessions=sessions, answer_within=settings.answer_within),
        post=Post(carry=carrier(settings.mail.get_secret_value()), sender=settings.sender),
        lists=lists_of(sessions, models=repository.names),
        versions=versions_of(settings, sessions, loader, pictures, people.audit_log),
        model_uploads=model_uploads_of(settings, repository, people.audit_log),
        shadows=Shadows(repository=repository, answers=answers, audit_log=people.audit_log),
        shadow_runner=runner,
    )
