"""The page at ``/`` and its files, read once and served as they are."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

PAGES = Path(__file__).parent / "pages"
_FILES = {
    "/": "index.html",
    "/app.js": "app.js",
    "/answer.js": "answer.js",
    "/table.js": "table.js",
    "/csv.js": "csv.js",
    "/api.js": "api.js",
    "/dom.js": "dom.js",
    "/style.css": "style.css",
    "/icon.svg": "icon.svg",
}
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Nothing from elsewhere, nothing inline, and no text turned into markup by script.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)


class _PageRoute(Route):
    """A route that leaves itself in the scope, as those of FastAPI do: metrics and the log name requests by it."""

    def matches(self, scope: Any) -> tuple[Match, Any]:
        match, found = super().matches(scope)
        return match, found if match is Match.NONE else {**found, "route": self}


def routes() -> list[Route]:
    """A route for each file."""
    return [_route(path, PAGES / name) for path, name in _FILES.items()]


def _route(path: str, file: Path) -> Route:
    data = file.read_bytes()
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {
        "content-security-policy": POLICY,
        "cache-control": "no-cache",
        "etag": tag,
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
    }

    async def serve(request: Request) -> Response:
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(data, headers={**headers, "content-type": _KINDS[file.suffix]})

    return _PageRoute(path, serve, methods=["GET"])
