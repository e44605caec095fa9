"""The log: one JSON object a line on standard error. Words of a description stand in it only when asked for."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

LOGGER = logging.getLogger("classifier.service")


class JsonLines(logging.Formatter):
    """Formats records as JSON.

    Args:
        texts: whether an error's own words may be told: they can quote a description.
    """

    def __init__(self, texts: bool = False) -> None:
        super().__init__()
        self._texts = texts

    def format(self, record: logging.LogRecord) -> str:
        """One record as one line of JSON."""
        row: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage().strip(),
        }
        if record.name != LOGGER.name:
            row["logger"] = record.name
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            row.update(fields)
        if record.exc_info and record.exc_info[1] is not None:
            row["exception"] = describe(record.exc_info[1], self._texts)
        return json.dumps(row, ensure_ascii=True, default=str)


def describe(error: BaseException, texts: bool) -> dict[str, Any]:
    """An exception's type and where it came about; its words only with ``texts``."""
    frames = traceback.extract_tb(error.__traceback__)
    found: dict[str, Any] = {
        "type": type(error).__qualname__,
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if texts:
        found["message"] = str(error)
    return found


def configure(texts: bool = False) -> None:
    """Send the service's log, and the HTTP server's, to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(texts))
    for name in (LOGGER.name, "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
    # The service writes a line for each request itself, without the path, which may hold what a client likes.
    logging.getLogger("uvicorn.access").disabled = True


def log(event: str, level: int = logging.INFO, error: BaseException | None = None, **fields: Any) -> None:
    """Write one line."""
    LOGGER.log(level, event, extra={"fields": fields}, exc_info=error)
