"""The OpenAPI 3.1 document, written by the models that describe what is taken and given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from flask import Flask, current_app
from pydantic import BaseModel

from app import __version__
from app.api import once
from app.api.schemas import PredictBody, ProblemDetails

_DESCRIPTION = "Send a picture, get its class. Make a key on your account page and send it as a Bearer token."
_EVERY_REFUSAL = (400, 401, 403, 414, 429, 503)

_View = TypeVar("_View", bound=Callable[..., object])
_operations: dict[str, Operation] = {}


@dataclass(frozen=True, slots=True)
class Operation:
    """What the document tells of a view beside its docstring."""

    operation_id: str
    answer: type[BaseModel]
    tag: str
    query: type[BaseModel] | None = None
    refusals: tuple[int, ...] = ()


def documented(operation: Operation) -> Callable[[_View], _View]:
    """Tell the document of a view; the view stays as it is, and a request costs nothing more."""

    def note(view: _View) -> _View:
        _operations[f"{view.__module__}.{view.__qualname__}"] = operation
        return view

    return note


@cache
def document() -> dict[str, Any]:
    """Give the document; problems bear their own media type, and a picture may come in three ways."""
    content = _described(current_app)
    content["components"]["schemas"]["PredictBody"] = PredictBody.model_json_schema()
    for operations in content["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status != "200" and "content" in response:
                    response["content"] = {"application/problem+json": response["content"].pop("application/json")}
            if operation["operationId"].startswith("predict"):
                operation["requestBody"] = _PICTURE
                operation["parameters"] = [*operation.get("parameters", []), _ONCE]
                operation["responses"]["200"]["headers"] = {once.REPLAYED: _AGAIN}
    return content


def _described(app: Flask) -> dict[str, Any]:
    # Imported here because it takes a tenth of a second, for a document that few ask for.
    from spectree import Response, SecurityScheme, SpecTree
    from spectree.models import SecureType, SecuritySchemeData

    key = SecuritySchemeData(type=SecureType.HTTP, scheme="bearer", description="An API key, vtr_...")
    tree = SpecTree(
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
        security_schemes=[SecurityScheme(name="key", data=key)],
    )
    # The library finds what its decorator has marked. It marks copies, in an application that nobody ever asks.
    copy = Flask("document", static_folder=None)
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        operation = _operations.get(f"{view.__module__}.{view.__qualname__}")
        if operation is None:
            continue
        refusals = sorted({*_EVERY_REFUSAL, *operation.refusals})
        marked = tree.validate(
            operation_id=operation.operation_id,
            query=operation.query,
            resp=Response(HTTP_200=operation.answer, **{f"HTTP_{status}": ProblemDetails for status in refusals}),
            tags=[operation.tag],
            security={"key": []},
            skip_validation=True,
        )(view)
        copy.add_url_rule(rule.rule, rule.endpoint.replace(".", "_"), marked, methods=rule.methods)
    with copy.app_context():
        content: dict[str, Any] = tree.spec
    return content


_ONCE = {
    "name": once.HEADER,
    "in": "header",
    "required": False,
    "description": "A text of your own, such as a UUID, for a request that you may send again because you never saw its "
    "answer: for a day the same picture under the same text gets the first answer again, another request is refused (422), and "
    "one that comes while the first is being answered too (409).",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_AGAIN = {
    "description": "Sent with an answer that was given before.",
    "schema": {"type": "string", "const": "true"},
}
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
