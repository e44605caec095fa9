"""The JSON Schema of the wire format, derived from the dataclasses that make it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from ..counterfactual import Counterfactual
from ..cues import ASSERTED, DENIED, DISCUSSED, ENDED, PLANNED
from ..errors import InputError
from ..tagging import SCHEMA, Tagging

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}
_PROBABILITY = {"minimum": 0, "maximum": 1}
_HEX = {"pattern": "^[0-9a-f]{64}$"}
# A vocabulary of one's own may leave the digest of a passage out.
_HEX_OR_EMPTY = {"pattern": "^([0-9a-f]{64})?$"}

# What the types do not say.
_NARROWER: dict[tuple[str, str], dict[str, Any]] = {
    ("Citation", "paragraph"): {"minimum": 1},
    ("Citation", "sha256"): _HEX_OR_EMPTY,
    ("Counterfactual", "probability"): _PROBABILITY,
    ("Fact", "probability"): _PROBABILITY,
    ("Fact", "status"): {"enum": [ASSERTED, PLANNED, DENIED, ENDED, DISCUSSED]},
    ("ModelInfo", "digest"): _HEX,
    ("NearMiss", "probability"): _PROBABILITY,
    ("Span", "end"): {"minimum": 0},
    ("Span", "start"): {"minimum": 0},
    ("TermTag", "probability"): _PROBABILITY,
}


def tagging_schema() -> dict[str, Any]:
    """The schema of ``Tagging.to_dict()``, as a document of its own."""
    parts = components("#/$defs/", (Tagging,))
    root = parts.pop("Tagging")
    return {"$schema": DIALECT, "title": f"Tagging, schema {SCHEMA}", **root, "$defs": parts}


def components(prefix: str, roots: Sequence[type] = (Tagging, Counterfactual)) -> dict[str, dict[str, Any]]:
    """The schemas of dataclasses and all that they hold, by class name.

    Args:
        prefix: where references point, such as ``#/components/schemas/``.
        roots: the dataclasses to begin with.
    """
    found: dict[str, dict[str, Any]] = {}
    for root in roots:
        _add(root, prefix, found)
    if "Tagging" in found:
        # The wire format says which it is; the dataclass need not.
        tagging = found["Tagging"]
        tagging["properties"] = {"schema": {"const": SCHEMA}, **tagging["properties"]}
        tagging["required"] = ["schema", *tagging["required"]]
    return found


def _add(kind: type, prefix: str, found: dict[str, dict[str, Any]]) -> None:
    if kind.__name__ in found:
        return
    hints = get_type_hints(kind)
    schema: dict[str, Any] = {"type": "object", "description": " ".join((kind.__doc__ or "").split())}
    found[kind.__name__] = schema
    schema["properties"] = {
        f.name: _of(hints[f.name], prefix, found) | _NARROWER.get((kind.__name__, f.name), {})
        for f in fields(kind)
        if f.compare  # others stand beside the result and do not go out
    }
    schema["required"] = list(schema["properties"])
    schema["additionalProperties"] = False


def _of(hint: Any, prefix: str, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if isinstance(hint, type) and is_dataclass(hint):
        _add(hint, prefix, found)
        return {"$ref": prefix + hint.__name__}
    arguments = get_args(hint)
    if get_origin(hint) is tuple and len(arguments) == 2 and arguments[1] is ...:
        return {"type": "array", "items": _of(arguments[0], prefix, found)}
    if get_origin(hint) in (UnionType, Union):
        return {"anyOf": [_of(a, prefix, found) for a in arguments]}
    raise InputError(f"no JSON Schema for {hint!r}: teach classifier/edges/schema.py that type")
