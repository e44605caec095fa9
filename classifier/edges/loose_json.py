"""JSON that another program wrote and that may have any shape: what is not as expected counts as nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def listed(value: Any) -> list[Any]:
    """The list, or an empty one."""
    return value if isinstance(value, list) else []


def mapped(value: Any) -> Mapping[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects among the entries of a list."""
    return [one for one in listed(value) if isinstance(one, dict)]


def words_of(value: Any) -> list[str]:
    """The entries of a list as text."""
    return [str(one) for one in listed(value)]


def spans_in(value: Any, text: str) -> list[tuple[int, int]]:
    """What of ``value`` are spans that lie within ``text``."""
    found = [(one.get("start"), one.get("end")) for one in objects(value)]
    return [
        (start, end)
        for start, end in found
        if isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)
    ]


def time_of(stamp: Any) -> str:
    """Seconds since 1970 as ISO 8601; nothing for what is no time."""
    try:
        return datetime.fromtimestamp(stamp, UTC).isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return ""
