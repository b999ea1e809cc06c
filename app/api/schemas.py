"""What the JSON API takes and gives: strict models, which also write its OpenAPI document."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class PredictBody(_Strict):
    """A picture inside JSON."""

    image: str = Field(description="The picture file as base64, or as a data URL.", min_length=1)


class PredictQuery(_Strict):
    """How much of the answer is wanted."""

    # A query is text: strictness would refuse every number in it.
    top_k: int | None = Field(None, ge=1, le=10_000, description="Give only the most probable classes.", strict=False)


class ModelReference(_Strict):
    """The version that answered."""

    name: str = Field(examples=["cats-vs-dogs"])
    version: str = Field(examples=["1"])


class ClassProbability(_Strict):
    """One class and how probable the model finds it."""

    label: str = Field(examples=["cat"])
    probability: float = Field(
        ge=0,
        le=1,
        description="Where the model gives scores or logits, their softmax: the page of the version says so.",
        examples=[0.97],
    )


class ImageFacts(_Strict):
    """What was seen of the upload, and what was done to it before the model saw it."""

    format: str = Field(examples=["JPEG"])
    width: int = Field(examples=[4032])
    height: int = Field(examples=[3024])
    sha256: str
    steps: list[str] = Field(examples=[["turned 90 degrees"]])


class TimingsMs(_Strict):
    """Where the time went, in milliseconds."""

    decode: float
    queue: float
    model: float
    store: float
    total: float


class PredictionAnswer(_Strict):
    """The model's answer for one picture."""

    id: str = Field(description="A ULID; predictions sort by time.", examples=["01K9Z3N2V6Q8R4T7W1X5Y0B3CD"])
    model: ModelReference
    label: str = Field(examples=["cat"])
    probability: float = Field(ge=0, le=1, examples=[0.97])
    predictions: list[ClassProbability]
    image: ImageFacts
    stored: bool = Field(description="Whether the prediction is in the history of the key's owner.")
    timings_ms: TimingsMs


class StoredAnswer(PredictionAnswer):
    """An answer out of the history."""

    file_name: str | None = Field(description="The name that the picture's file had on a page.", examples=["cat.jpg"])
    created_at: str = Field(examples=["2026-01-31T12:00:00.000+00:00"])


class HistoryQuery(_Strict):
    """Which part of the history is wanted."""

    # A query is text: strictness would refuse every number in it.
    limit: int = Field(24, ge=1, le=100, description="At most so many predictions.", strict=False)
    before: str | None = Field(
        None,
        pattern="^[0-7][0-9A-HJKMNP-TV-Z]{25}$",
        description="Only predictions before this one: `next` of the answer before.",
    )


class PredictionList(_Strict):
    """Some predictions, newest first."""

    predictions: list[StoredAnswer]
    next: str | None = Field(description="What `before` must be to get those that follow; null where there are none.")


class NumberedQuery(_Strict):
    """Which part of a list is wanted."""

    limit: int = Field(50, ge=1, le=100, description="At most so many.", strict=False)
    before: int | None = Field(
        None, ge=1, le=2**31 - 1, description="Only those before this one: `next` of the answer before.", strict=False
    )


class Account(_Strict):
    """Somebody who may log in."""

    id: int
    email: str = Field(examples=["ada@example.org"])
    admin: bool = Field(description="Whether the account may administer the site.")
    active: bool = Field(description="Whether the account is let in.")
    created_at: str = Field(examples=["2026-01-31T12:00:00.000+00:00"])
    logged_in_at: str | None = Field(description="When the account last logged in on a page.")


class AccountList(_Strict):
    """Some of the accounts, the newest first."""

    people: list[Account]
    next: int | None = Field(description="What `before` must be to get those that follow; null where there are none.")


class AuditLogEntry(_Strict):
    """One thing that was done."""

    id: int
    at: str = Field(examples=["2026-01-31T12:00:00.000+00:00"])
    actor: str = Field(description="An e-mail address, or the command line.", examples=["ada@example.org"])
    action: str = Field(examples=["activated"])
    subject: str = Field(description="What it was done to.", examples=["model:cats-vs-dogs"])
    detail: str = Field(examples=["version 2 in place of 1, by key vtr_0123456789ab"])
    address: str | None = Field(description="From where, unless on the command line.", examples=["192.0.2.7"])


class AuditLogPage(_Strict):
    """Some of what was done, newest first."""

    entries: list[AuditLogEntry]
    next: int | None = Field(description="What `before` must be to get those that follow; null where there are none.")


class ActivateQuery(_Strict):
    """What an activation may be told."""

    # A query is text: strictness would refuse every word in it.
    confirm_flips: bool = Field(
        False,
        description="Activate also where so many replayed pictures get another answer that it is refused otherwise (409).",
        strict=False,
    )


class VersionChange(_Strict):
    """What answers now."""

    name: str = Field(examples=["cats-vs-dogs"])
    active_version: str = Field(examples=["2"])
    recorded: bool = Field(description="Whether it could be written down who did this.")
    replayed: int = Field(description="How many pictures both versions answered before; a roll-back replays none.")
    flipped: int = Field(description="How many of these get another answer now.")


class ShadowQuery(_Strict):
    """On how many of the pictures a version is to run in the shadow."""

    share: float = Field(1.0, gt=0, le=1, description="Of the pictures that the active version answers.", strict=False)


class RunningShadow(_Strict):
    """A version that looks at pictures beside the active one, and whose answers nobody is given."""

    version: str = Field(examples=["2"])
    share: float = Field(gt=0, le=1, examples=[0.1])


class ShadowChange(_Strict):
    """What runs in the shadow now."""

    name: str = Field(examples=["cats-vs-dogs"])
    shadow: RunningShadow | None
    recorded: bool = Field(description="Whether it could be written down who did this.")


class ClassPair(_Strict):
    """A class that was answered, the one that the version in the shadow gave instead, and how often."""

    active: str = Field(examples=["cat"])
    shadow: str = Field(examples=["dog"])
    count: int


class ShadowAgreement(_Strict):
    """How a version in the shadow stands to the active one, over the answers that are kept of both."""

    name: str = Field(examples=["cats-vs-dogs"])
    version: str = Field(examples=["2"])
    active_version: str = Field(examples=["1"])
    share: float | None = Field(description="On how many of the pictures it runs; null where it does not.", examples=[0.1])
    answered: int = Field(description="Pictures that both have answered.")
    same: int = Field(description="Of these, those of which both gave the same class.")
    failed: int = Field(description="Pictures that the version in the shadow could not answer.")
    passed_over: int = Field(description="Pictures for which there was no time.")
    mean_difference: float | None = Field(
        description="Between the probabilities that both gave to the class that was answered."
    )
    mean_ms: float | None = Field(description="What a picture took the version in the shadow, decoding included.")
    differing: list[ClassPair] = Field(description="The pairs of classes that they differ in, the most frequent first.")


class ModelSummary(_Strict):
    """A model and its versions."""

    name: str
    active_version: str
    versions: list[str]
    shadow: RunningShadow | None = Field(None, description="The version that runs in the shadow of the active one, or null.")
    default: bool = Field(description="Whether it answers when no model is named.")
    labels: list[str]
    expects: str = Field(description="What the model expects to be shown.")


class ModelList(_Strict):
    """All models."""

    models: list[ModelSummary]


class ProblemDetails(BaseModel):
    """An error as RFC 9457 has it; `code` is stable, `detail` is one sentence for a person."""

    model_config = ConfigDict(extra="forbid")

    type: str = "about:blank"
    title: str = Field(examples=["Unsupported Media Type"])
    status: int = Field(examples=[415])
    detail: str
    code: str = Field(examples=["unsupported_image"])
    request_id: str
