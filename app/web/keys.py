"""The keys for programs: the form that makes one, and the chart that shows how much one is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, SelectField, StringField, SubmitField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from app.services.accounts.api_keys import MOST_DAILY, SCOPES
from app.services.accounts.key_usage import UsedDay

_LIVES = {"90": "90 days", "365": "one year", "": "no end"}
_SLOT, _BAR, _HEIGHT = 20, 14, 100


class KeyForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """What a new key is called, what it is good for, how long it lives, and how much it may send."""

    name = StringField(
        "Name",
        validators=[DataRequired("Give the key a name."), Length(max=80)],
        description="What will use it.",
    )
    predict = BooleanField("Classify pictures", default=True)
    history_read = BooleanField("Read your history")
    models_read = BooleanField("List the models", default=True)
    models_write = BooleanField("Change which version answers")
    metrics_read = BooleanField("Read what is counted (Prometheus)")
    admin = BooleanField("Read who has an account, and who did what")
    expires = SelectField("Valid for", choices=list(_LIVES.items()), default="365")
    daily = IntegerField(
        "Pictures a day",
        validators=[Optional(), NumberRange(1, MOST_DAILY, f"Give a whole number from 1 to {MOST_DAILY:,}, or nothing.")],
        description="At most so many, from midnight to midnight UTC. Leave it empty for any number.",
    )
    submit = SubmitField("Make a key")

    def validate(self, extra_validators: object = None) -> bool:
        """Tell whether a key can be made of it."""
        good = bool(super().validate(extra_validators))
        if good and not self.scopes:
            self.form_errors.append("Say what the key may do.")
        return good and bool(self.scopes)

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that are ticked."""
        return tuple(scope for scope in SCOPES if self[scope.replace(":", "_")].data)


@dataclass(frozen=True, slots=True)
class DayBar:
    """A day in the chart: its two bars stand on each other, in units of a drawing of `Chart`'s size."""

    used: UsedDay
    x: int
    answered: float
    refused: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Requests day by day, as high as its busiest day."""

    bars: tuple[DayBar, ...]
    most: int
    answered: int
    refused: int
    width: int
    height: int = _HEIGHT
    bar: int = _BAR

    @property
    def first(self) -> date:
        """The day it begins with."""
        return self.bars[0].used.day


def chart_of(days: tuple[UsedDay, ...]) -> Chart | None:
    """Give the chart of some days, or None where there are none."""
    if not days:
        return None
    most = max(day.answered + day.refused for day in days)
    bars = (DayBar(day, _SLOT * number, _tall(day.answered, most), _tall(day.refused, most)) for number, day in enumerate(days))
    answered, refused = sum(day.answered for day in days), sum(day.refused for day in days)
    return Chart(tuple(bars), most, answered, refused, width=_SLOT * len(days))


def _tall(requests: int, most: int) -> float:
    # One in a thousand is to be seen too.
    return max(1.5, requests * (_HEIGHT - 3) / most) if requests else 0
