"""The page at ``/`` and its files, read once and served as they are."""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

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

    return Route(path, serve, methods=["GET"])
