"""What answers, counts and watches."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from app import __version__
from app.composition.given import image_limits
from app.config import Settings
from app.errors import InvalidSettings
from app.inference.batching import Gate
from app.services.accounts.api_keys import ApiKeys
from app.services.answer_cache import AnswerCache
from app.services.classification import ClassificationService
from app.services.model_loader import ModelLoader
from app.services.recorder import Recorder
from app.services.request_limits import RequestLimits
from app.services.shadow_runner import ShadowRunner
from app.services.telemetry.metrics import Metrics
from app.services.telemetry.traffic import Traffic
from app.services.telemetry.vital_signs import VitalSigns
from app.storage.counters import CounterFile, Counters
from app.storage.redis_counters import RedisCounters, WithFallback

if TYPE_CHECKING:
    from app.services.telemetry.tracing import Tracing


def classification_of(
    settings: Settings,
    engine: Engine,
    loader: ModelLoader,
    shadows: ShadowRunner,
    metrics: Metrics,
    traffic: Traffic,
    signs: VitalSigns,
) -> ClassificationService:
    """Give what every door answers with, whose caches and lines are watched from now on."""
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


def watching(signs: VitalSigns, shadows: ShadowRunner, api_keys: ApiKeys) -> VitalSigns:
    """Give the watch with what it looks at beside answers."""
    signs.lines["shadow"] = lambda: shadows.waiting
    signs.caches["keys"] = api_keys
    return signs


def counting(settings: Settings) -> Callable[[Counters], Counters]:
    """Give what turns counters of this machine into those of all of them, where a Redis is named."""
    url = settings.redis_url.get_secret_value()
    if not url:
        return lambda local: local
    shared = RedisCounters(url)
    return lambda local: WithFallback(shared, local)


def request_limits_of(settings: Settings, counted: Callable[[Counters], Counters]) -> RequestLimits:
    """Give the limits of pictures a minute."""
    counters = counted(CounterFile(settings.data / "counters.mdb"))
    return RequestLimits(counters=counters, a_key=settings.key_limit, a_visitor=settings.visitor_limit)


def tracing_of(settings: Settings) -> Tracing | None:
    """Give what sends traces, where a collector is named; raise InvalidSettings where the extra is missing."""
    if not settings.traces:
        return None
    try:
        from app.services.telemetry.tracing import Tracing
    except ModuleNotFoundError as error:
        raise InvalidSettings(
            "VITRINE_TRACES needs OpenTelemetry, which comes with the extra tracing: "
            "run .venv/bin/pip install -e '.[tracing]' first."
        ) from error
    return Tracing(collector=settings.traces.rstrip("/"), version=__version__)
