"""A version in the shadow of the active one, as administrators are shown it on the version's page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from app.http.context import acting_administrator, services
from app.inference.naming import name_of
from app.inference.package import Manifest
from app.services.shadow_answers import Agreement
from app.services.shadows import share_in_words


@dataclass(frozen=True, slots=True)
class ShownDisagreement:
    """One picture that two versions gave different classes; it has an address for whoever it belongs to."""

    at: datetime
    active: str
    active_probability: float
    shadow: str
    shadow_probability: float
    url: str | None


@dataclass(frozen=True, slots=True)
class ShownShadow:
    """What `components/shadow.html` is given: whether this version runs in the shadow, and how it agreed there.

    The share is in words, and in percent as the field holds it. `beside` is another version that runs in the shadow.
    """

    active: str
    share: str
    percent: str
    beside: str
    agreement: Agreement | None
    agreed: float
    pairs: tuple[tuple[str, str, int], ...]
    disagreements: tuple[ShownDisagreement, ...]


def shown_shadow(manifest: Manifest, active: str) -> ShownShadow:
    """Give what an administrator is shown of a version of a model; of the active one no more than who runs in its shadow."""
    here, name, version = services().shadows, manifest.name, manifest.version
    state = here.state(name)
    mine = state if state is not None and state.version == version else None
    found = here.agreement(name, version) if version != active else None
    known = found if found is not None and found.answered + found.failed else None

    def noun(label: str) -> str:
        return name_of(label, manifest.titles).noun

    return ShownShadow(
        active=active,
        share=share_in_words(mine.share) if mine else "",
        percent=f"{mine.share * 100:.4g}" if mine else "10",
        beside=state.version if state is not None and mine is None else "",
        agreement=known,
        agreed=known.same / known.answered if known and known.answered else 0.0,
        pairs=tuple((noun(pair.label), noun(pair.shadow_label), pair.count) for pair in known.pairs) if known else (),
        disagreements=_disagreements(name, version, noun) if known and known.other else (),
    )


def _disagreements(name: str, version: str, noun: Callable[[str], str]) -> tuple[ShownDisagreement, ...]:
    # Other people's pictures are theirs: who administers the site is led to their own answers alone.
    return tuple(
        ShownDisagreement(
            at=found.at,
            active=noun(found.label),
            active_probability=found.probability,
            shadow=noun(found.shadow_label),
            shadow_probability=found.shadow_probability,
            url=url_for("history.show", prediction_id=found.prediction_id) if found.prediction_id else None,
        )
        for found in services().shadows.disagreements(name, version, acting_administrator().account)
    )
