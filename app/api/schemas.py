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
    probability: float = Field(ge=0, le=1, examples=[0.97])


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


class ModelSummary(_Strict):
    """A model and its versions."""

    name: str
    active_version: str
    versions: list[str]
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
