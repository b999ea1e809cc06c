"""The OpenAPI 3.1 document, written by the models that validate the requests."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel
from spectree import Response, SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData

from app import __version__
from app.api.schemas import PredictBody, ProblemDetails

BEARER: dict[str, list[str]] = {"key": []}
_DESCRIPTION = "Send a picture, get its class. Make a key on your account page and send it as a Bearer token."

openapi = SpecTree(
    "flask",
    mode="strict",
    annotations=False,
    title="Vitrine",
    version=__version__,
    description=_DESCRIPTION,
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _parent, child: child,
    validation_error_status=400,
    validation_error_model=ProblemDetails,
    security_schemes=[
        SecurityScheme(
            name="key", data=SecuritySchemeData(type=SecureType.HTTP, scheme="bearer", description="An API key, vtr_...")
        ),
    ],
)


def answers(answer: type[BaseModel], *refusals: int) -> Response:
    """Give what an operation may answer: its model with 200, and problems with every other status it can have."""
    statuses = (400, 401, 403, 429, 503, *refusals)
    return Response(HTTP_200=answer, **{f"HTTP_{status}": ProblemDetails for status in sorted(set(statuses))})


@cache
def document() -> dict[str, Any]:
    """Give the document; problems bear their own media type, and a picture may come in three ways."""
    content: dict[str, Any] = openapi.spec
    content["components"]["schemas"]["PredictBody"] = PredictBody.model_json_schema()
    for operations in content["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status != "200" and "content" in response:
                    response["content"] = {"application/problem+json": response["content"].pop("application/json")}
            if operation["operationId"].startswith("predict"):
                operation["requestBody"] = _PICTURE
    return content


_PICTURE = {
    "required": True,
    "description": "One picture: as the file of a form, as the raw bytes, or as base64 in JSON.",
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["image"],
                "properties": {"image": {"type": "string", "contentMediaType": "application/octet-stream", "format": "binary"}},
            }
        },
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        "application/json": {"schema": {"$ref": "#/components/schemas/PredictBody"}},
    },
}
