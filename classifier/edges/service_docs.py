"""The OpenAPI document: what each route takes and gives. Its examples of answers are answers of the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from ..engine import Classifier
from .report import term_dict
from .schema import components
from .service_limits import Settings
from .service_requests import STREAM_TYPES, TagRequest, WhyNotRequest

if TYPE_CHECKING:
    from fastapi import FastAPI

_PREFIX = "#/components/schemas/"
_NDJSON = STREAM_TYPES[0]
_OURS: dict[str, Any] = {"text": "Calls from our customers are answered by a vendor in Manila.", "home": "US"}
_SILENT: dict[str, Any] = {"text": "Our own staff do the payroll in our office in Leeds.", "home": "GB"}
_CONTRACT: dict[str, Any] = {
    "text": "Provision of payroll services",
    "home": "GB",
    "vendor_contract": True,
    "threshold": 0.5,
}
_TERM = "outsourcing"

_TROUBLES = {
    400: "The body is not JSON.",
    401: "The token is missing or wrong.",
    404: "There is no such thing.",
    408: "The time limit was passed.",
    413: "A limit on size, number or length was passed; `limit` says which value it has.",
    415: "The content type is not the one that is needed.",
    422: "A field is missing, unknown or out of range; `where` points at it.",
    503: "Too many requests are in hand, or the service is starting or ending.",
}
_ERROR = {
    "type": "object",
    "description": "Why there is no answer, and what to do.",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string", "description": "For programs."},
                "message": {"type": "string", "description": "For people."},
                "limit": {"type": "number", "description": "The limit that was passed."},
                "where": {"type": "string", "description": "JSON pointer into the body."},
                "line": {"type": "integer", "minimum": 1, "description": "The line of the stream."},
            },
            "required": ["code", "message"],
            "additionalProperties": False,
        }
    },
    "required": ["error"],
    "additionalProperties": False,
}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _PREFIX + name}


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_TEXT = {"type": "string"}
_TEXTS = _list(_TEXT)
_OTHERS: dict[str, dict[str, Any]] = {
    "Error": _ERROR,
    "Term": _object(
        id=_TEXT,
        label=_TEXT,
        also=_TEXTS,
        implies=_TEXTS,
        excludes=_TEXTS,
        definitions=_list(_ref("TermDefinition")),
    ),
    "TermDefinition": _object(
        id=_TEXT, says=_TEXT, all=_TEXTS, any=_list(_TEXTS), none=_TEXTS, citation=_ref("Citation")
    ),
    "FactKind": _object(id=_TEXT, facet=_TEXT, label=_TEXT),
    "Country": _object(code={"type": "string", "pattern": "^[A-Z]{2}$"}, name=_TEXT),
    "Ready": _object(status={"const": "ready"}, version=_TEXT, model=_ref("ModelInfo")),
    "Live": _object(status={"const": "live"}),
}


def _route(
    schema: Any, *troubles: int, kind: str = "application/json", example: str | None = None, body: Any = None
) -> dict[str, Any]:
    """What a route's decorator is told. ``example`` names one of :func:`examples`."""
    content: dict[str, Any] = {"schema": schema}
    if example is not None:
        content["x-example"] = example
    found: dict[int, Any] = {200: {"description": "The answer.", "content": {kind: content}}}
    for status in sorted(troubles):
        found[status] = {
            "description": _TROUBLES[status],
            "content": {"application/json": {"schema": _ref("Error")}},
        }
    route: dict[str, Any] = {"responses": found}
    if kind != "application/json":
        # Only looked at for the content type.
        route["response_class"] = type("Answer", (Response,), {"media_type": kind})
    if body is not None:
        route["openapi_extra"] = {"requestBody": {"required": True, "content": body}}
    return route


_POSTED = (400, 401, 408, 413, 415, 422, 503)
TAG = _route(
    {"oneOf": [_ref("Tagging"), _list(_ref("Tagging"))]},
    *_POSTED,
    example="tag",
    body={
        "application/json": {
            "schema": {"oneOf": [_ref("TagRequest"), _list(_ref("TagRequest"))]},
            "examples": {
                "one": {"summary": "One description", "value": _OURS},
                "list": {"summary": "Several", "value": [_OURS, _SILENT]},
                "contract": {"summary": "A line from a list of contracts", "value": _CONTRACT},
            },
        }
    },
)
WHY_NOT = _route(
    _ref("Counterfactual"),
    *_POSTED,
    example="why-not",
    body={
        "application/json": {
            "schema": _ref("WhyNotRequest"),
            "examples": {"one": {"summary": "Why is this not outsourcing?", "value": {**_SILENT, "term": _TERM}}},
        }
    },
)
STREAM = _route(
    {
        "type": "string",
        "description": "For each line of the request that is not blank one line, in order: a Tagging, or an Error.",
    },
    401,
    408,
    415,
    503,
    kind=_NDJSON,
    example="stream",
    body={
        _NDJSON: {
            "schema": {"type": "string", "description": "A TagRequest a line."},
            "examples": {
                "two": {
                    "summary": "Two descriptions",
                    "value": f"{json.dumps(_OURS)}\n{json.dumps(_SILENT)}\n",
                }
            },
        }
    },
)
TERMS = _route(_list(_ref("Term")), 401)
TERM = _route(_ref("Term"), 401, 404, example="term")
FACTS = _route(_list(_ref("FactKind")), 401)
COUNTRIES = _route(_list(_ref("Country")), 401)
LIVE = _route(_ref("Live"))
READY = _route(_ref("Ready"), 503)
METRICS = _route({"type": "string"}, 401, 503, kind="text/plain")


def examples(classifier: Classifier) -> dict[str, Any]:
    """Answers to the examples of requests, by route."""
    ours = classifier.tag(**_OURS)
    silent = classifier.tag(**_SILENT)
    lines = (json.dumps(t.to_dict(), ensure_ascii=False) for t in (ours, silent))
    vocabulary = classifier.vocabulary
    term = vocabulary.terms.get(_TERM) or next(iter(vocabulary.terms.values()))
    return {
        "tag": ours.to_dict(),
        "why-not": classifier.why_not(term.id, **_SILENT).to_dict(),
        "stream": "".join(f"{line}\n" for line in lines),
        "term": term_dict(term, vocabulary),
    }


def document(app: FastAPI, answers: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The OpenAPI document of the service with its examples and limits."""
    from fastapi.openapi.utils import get_openapi

    found = get_openapi(
        title=app.title,
        version=app.version,
        summary="Tags descriptions of business arrangements with outsourcing terms, and proves each tag.",
        description=_limits(settings),
        routes=app.routes,
    )
    schemas = {**components(_PREFIX), **_OTHERS}
    for model in (TagRequest, WhyNotRequest):
        schemas[model.__name__] = _request(model.model_json_schema(), settings)
    parts = found.setdefault("components", {})
    parts["schemas"] = {**parts.get("schemas", {}), **schemas}
    parts.get("schemas", {}).pop("HTTPValidationError", None)
    parts.get("schemas", {}).pop("ValidationError", None)
    for path, methods in found["paths"].items():
        for operation in methods.values():
            _finish(operation, answers)
            if settings.token is not None and path.startswith(("/v1/", "/metrics")):
                operation["security"] = [{"token": []}]
            else:
                operation["responses"].pop("401", None)
    if settings.token is not None:
        parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return found


def _finish(operation: dict[str, Any], answers: Mapping[str, Any]) -> None:
    responses = operation["responses"]
    if "422" in responses and _ref("Error") != responses["422"]["content"]["application/json"]["schema"]:
        # FastAPI documents its own validation of a path, which cannot fail here.
        del responses["422"]
    for content in responses["200"]["content"].values():
        name = content.pop("x-example", None)
        if name is not None:
            content["example"] = answers[name]


def _request(schema: dict[str, Any], settings: Settings) -> dict[str, Any]:
    schema["properties"]["text"]["maxLength"] = settings.limits.text_chars
    return schema


def _limits(settings: Settings) -> str:
    limits = settings.limits
    return (
        f"Limits: a body of {limits.body_bytes} bytes, a list of {limits.texts} texts, a text of {limits.text_chars} "
        f"characters, {limits.seconds:g} seconds to send and as long to tag, {limits.requests} requests in hand. "
        "Errors have the schema Error."
    )
