"""Answers of the service that are errors. Each has a status, a code for programs, and words that say what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import ClassifierError


class ServiceError(ClassifierError):
    """An error as the service tells it.

    Args:
        status: the HTTP status; within a stream, where the status has been sent, only the body is told.
        code: a short name that does not change, for programs.
        message: what is wrong and what to do next, for people. Never holds words of a description.
        limit: the limit that was passed, when it was one.
        where: a JSON pointer into the request's body, such as ``/3/text``.
        headers: HTTP headers that belong to the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        limit: float | None = None,
        where: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.limit = limit
        self.where = where
        self.headers = dict(headers or {})
        self.line: int | None = None  # of a stream, from 1

    def to_dict(self) -> dict[str, Any]:
        """The body: ``error`` with ``code``, ``message``, and what is known of ``limit``, ``where``, ``line``."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.limit is not None:
            error["limit"] = self.limit
        if self.where is not None:
            error["where"] = self.where
        if self.line is not None:
            error["line"] = self.line
        return {"error": error}

    def to_bytes(self) -> bytes:
        """The body as JSON."""
        return json.dumps(self.to_dict()).encode()


class ClientGoneError(ClassifierError):
    """The client hung up, or stopped reading: there is nobody left to answer."""
