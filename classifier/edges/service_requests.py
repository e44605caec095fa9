"""What clients send: the fields of a request, and the errors that tell them what is not right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..engine import Classifier
from ..errors import InputError
from .service_errors import ServiceError
from .service_limits import Limits, text_too_long

JSON_TYPES = ("application/json",)
STREAM_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")

# home, provider_country, vendor_contract, threshold
Context = tuple[str | None, str | None, bool, float | None]
_Country = Annotated[str, Field(max_length=100)]


class TagRequest(BaseModel):
    """A description, and what the caller knows beside it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(description="The description, in English.")
    home: _Country | None = Field(None, description="The client's country: an ISO code or an English name.")
    provider_country: _Country | None = Field(None, description="The country where the provider does the work.")
    vendor_contract: bool = Field(
        False, description="Whether the text is a line from a list of contracts with outside vendors."
    )
    threshold: float | None = Field(
        None, gt=0, le=1, description="Least probability of a term, instead of the model's own."
    )


class WhyNotRequest(TagRequest):
    """A description and a term that it is not tagged with."""

    term: str = Field(description="The term, by its id, label or another name.", max_length=100)


@dataclass(frozen=True, slots=True)
class Question:
    """A request that was found good: a text and its context. ``term`` is set when asked why it does not apply."""

    text: str
    home: str | None
    provider_country: str | None
    vendor_contract: bool
    threshold: float | None
    term: str | None = None

    @property
    def context(self) -> Context:
        """What :meth:`classifier.Classifier.tag_many` takes beside texts."""
        return self.home, self.provider_country, self.vendor_contract, self.threshold


def check_content_type(headers: Mapping[str, str], known: tuple[str, ...]) -> None:
    """Refuse a body that is not said to be what it must be.

    A browser sends such a type for another site's page only after it has asked, and been refused.

    Raises:
        ServiceError: 415.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in known:
        raise ServiceError(415, "content-type", f"Send the body with the header Content-Type: {known[0]}")
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise ServiceError(
            415, "content-encoding", "The body is compressed: send it as it is, without Content-Encoding"
        )


def parse_json(body: bytes) -> Any:
    """A body as JSON.

    Raises:
        ServiceError: 400.
    """
    try:
        return json.loads(body)
    except UnicodeDecodeError as error:
        message = f"The body is not UTF-8, from byte {error.start} on."
    except json.JSONDecodeError as error:
        message = f"The body is not JSON: {error.msg}, line {error.lineno}, column {error.colno}."
    except (RecursionError, ValueError):
        # Nested too deep, or a number of thousands of digits.
        message = "The body is not JSON that can be read: it is nested too deep, or has a number that is too long."
    raise ServiceError(400, "not-json", message)


def questions(found: Any, classifier: Classifier, limits: Limits) -> list[Question]:
    """The questions of a list, all of them good.

    Raises:
        ServiceError: 413 or 422 for the first that is not.
    """
    if len(found) > limits.texts:
        raise ServiceError(
            413,
            "list-too-long",
            f"The list has {len(found)} texts, {limits.texts} are allowed: send several lists, or a stream.",
            limit=limits.texts,
        )
    return [question(row, classifier, limits, f"/{i}") for i, row in enumerate(found)]


def question(
    found: Any, classifier: Classifier, limits: Limits, where: str = "", model: type[TagRequest] = TagRequest
) -> Question:
    """One question. ``where`` is the JSON pointer to it.

    Raises:
        ServiceError: 413 or 422 when it is not good.
    """
    if not isinstance(found, dict):
        raise ServiceError(
            422, "not-valid", 'An object is needed here, such as {"text": "..."}.', where=where if where else None
        )
    try:
        asked = model.model_validate(found)
    except ValidationError as error:
        raise _not_valid(error, where, model) from None
    if len(asked.text) > limits.text_chars:
        raise text_too_long(limits.text_chars, f"{where}/text")
    term = None
    if isinstance(asked, WhyNotRequest):
        try:
            term = classifier.vocabulary.find_term(asked.term).id
        except InputError:
            raise ServiceError(
                422, "unknown-term", "There is no such term: GET /v1/terms lists them.", where=f"{where}/term"
            ) from None
    for name in ("home", "provider_country"):
        try:
            classifier.context(getattr(asked, name))
        except InputError:
            raise ServiceError(
                422,
                "unknown-country",
                "There is no such country: give an ISO code such as US, or an English name.",
                where=f"{where}/{name}",
            ) from None
    return Question(asked.text, asked.home, asked.provider_country, asked.vendor_contract, asked.threshold, term)


def _not_valid(error: ValidationError, where: str, model: type[TagRequest]) -> ServiceError:
    # Told without the value: it may be a description, or not fit into JSON.
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = "/".join(str(step) for step in first["loc"])
    messages = {
        "extra_forbidden": f"There is no such field: use {', '.join(model.model_fields)}.",
        "missing": f"The field {name} is missing.",
    }
    message = messages.get(first["type"], f"{first['msg']}.")
    if first["type"] == "extra_forbidden":
        # A name that the client made up may be anything.
        return ServiceError(422, "not-valid", message, where=where or None)
    return ServiceError(422, "not-valid", message, where=f"{where}/{name}")
