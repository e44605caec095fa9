"""The HTTP service: tagging, the vocabulary, health and figures, and the page. ``create_app`` makes it.

What is around it: service_requests.py (what clients send), service_limits.py, service_pool.py (threads),
service_stream.py, service_guard.py (token, headers, log), service_metrics.py, service_docs.py (OpenAPI),
service_page.py, service_errors.py, service_run.py (processes).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from .. import __version__
from ..counterfactual import why_not
from ..engine import Classifier, load
from ..errors import InputError, MissingExtraError
from ..reading import load_reader
from ..tagging import Tagging
from .report import term_dict
from .service_errors import ServiceError
from .service_limits import Settings, read_body
from .service_log import log
from .service_metrics import Metrics
from .service_pool import TaggingPool

try:
    from fastapi import APIRouter, FastAPI, Request, Response
    from starlette.exceptions import HTTPException
except ImportError as error:
    raise MissingExtraError("fastapi", "service") from error

from . import service_docs as docs
from .service_guard import Guard
from .service_page import routes as page_routes
from .service_requests import (
    JSON_TYPES,
    STREAM_TYPES,
    Context,
    Question,
    WhyNotRequest,
    check_content_type,
    parse_json,
    question,
    questions,
)
from .service_stream import Line, Lines, StreamAnswer

_JSON = "application/json"
# A question, and the id of the request that asked it.
_Asked = tuple[Question, str]


def _size(asked: _Asked) -> int:
    return len(asked[0].text)


class Service:
    """What the routes share.

    Attributes:
        stopping: set from outside when the process is to end: what was taken is still answered.
    """

    classifier: Classifier
    pool: TaggingPool[_Asked, bytes]

    def __init__(self, settings: Settings, classifier: Classifier | None = None) -> None:
        self.settings = settings
        self.limits = settings.limits
        self.stopping = asyncio.Event()
        self.metrics: Metrics | None = None
        self._given = classifier

    def start(self) -> None:
        """Load the model, and make what depends on it."""
        self.classifier = self._given or load(self.settings.model)
        self.model = self.classifier.tag("").model
        self.examples = docs.examples(self.classifier)
        self.metrics = Metrics(self.model)
        limits = self.limits
        self.pool = TaggingPool(
            self._answers, _size, self.settings.threads, limits.seconds, limits.requests, self.metrics.in_hand
        )

    @property
    def ready(self) -> bool:
        """Whether requests are welcome."""
        return self.metrics is not None and not self.stopping.is_set()

    async def body(self, request: Request) -> Any:
        """The JSON of a request."""
        check_content_type(request.headers, JSON_TYPES)
        return parse_json(await read_body(request.receive, request.headers, self.limits))

    async def answers(self, asked: Sequence[Question], request: Request, streamed: bool = False) -> list[bytes]:
        """The answers to questions as JSON, in order."""
        told = request.scope["told"]
        told["texts"] = told.get("texts", 0) + len(asked)
        request_id = request.scope["request_id"]
        # A stream hears by itself when its client hangs up.
        gone = None if streamed else request.is_disconnected
        return await self.pool.each([(one, request_id) for one in asked], gone)

    def _answers(self, asked: Sequence[_Asked]) -> list[bytes]:
        """The answers to questions of any requests; those in the same context are tagged together."""
        alike: dict[Context, list[int]] = {}
        for at, (one, _) in enumerate(asked):
            alike.setdefault(one.context, []).append(at)
        found: dict[int, bytes] = {}
        for context, places in alike.items():
            taggings = self.classifier.tag_many([asked[at][0].text for at in places], *context)
            found.update((at, self._answer(*asked[at], tagging)) for at, tagging in zip(places, taggings, strict=True))
        return [found[at] for at in range(len(asked))]

    def _answer(self, asked: Question, request_id: str, tagging: Tagging) -> bytes:
        if self.metrics is not None:
            self.metrics.tagged(tagging)
        if self.settings.log_texts:
            log("text", request_id=request_id, text=asked.text, home=tagging.home, terms=tagging.ids)
        found = tagging.to_dict()
        if asked.term is not None:
            found = why_not(tagging, asked.term, self.classifier.vocabulary).to_dict()
        try:
            return json.dumps(found, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            # Half of a surrogate pair, which JSON can hold only as an escape.
            return json.dumps(found).encode()

    async def lines(self, some: Sequence[Line], request: Request) -> list[bytes]:
        """The answers to lines of a stream; one that is no good gets an error in its place."""
        found: list[Question | ServiceError] = []
        for number, line in some:
            try:
                if isinstance(line, ServiceError):
                    raise line
                found.append(question(parse_json(line), self.classifier, self.limits))
            except ServiceError as problem:
                problem.line = number
                found.append(problem)
        good = iter(await self.answers([q for q in found if isinstance(q, Question)], request, streamed=True))
        return [one.to_bytes() if isinstance(one, ServiceError) else next(good) for one in found]


def create_app(settings: Settings | None = None, classifier: Classifier | None = None) -> FastAPI:
    """The service as an ASGI application.

    Args:
        settings: limits, token and so on; the defaults when None.
        classifier: one that is loaded already; the settings' model is loaded when the application starts if None.

    The application's ``state.service`` is its :class:`Service`.
    """
    settings = settings or Settings()
    service = Service(settings, classifier)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(service.start)
        yield
        await asyncio.to_thread(service.pool.close)

    app = FastAPI(
        title="classifier", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None,
    )  # fmt: skip
    app.state.service = service
    app.add_exception_handler(ServiceError, _tell)
    app.add_exception_handler(HTTPException, _tell_routing)
    app.include_router(_tagging(service))
    app.include_router(_vocabulary(service))
    app.include_router(_upkeep(service, app))
    app.router.routes.extend(page_routes())
    app.add_middleware(
        Guard,
        token=settings.token,
        limits=settings.limits,
        stopping=service.stopping,
        metrics=lambda: service.metrics,
    )
    return app


def _tagging(service: Service) -> APIRouter:
    router = APIRouter(tags=["tagging"])

    @router.post("/v1/tag", **docs.TAG)
    async def tag(request: Request) -> Response:
        """Tag one description, or each of a list."""
        async with service.pool.place():
            found = await service.body(request)
            if not isinstance(found, list):
                asked = [question(found, service.classifier, service.limits)]
                return Response((await service.answers(asked, request))[0], media_type=_JSON)
            asked = questions(found, service.classifier, service.limits)
            return Response(b"[" + b",".join(await service.answers(asked, request)) + b"]", media_type=_JSON)

    @router.post("/v1/why-not", **docs.WHY_NOT)
    async def why_not(request: Request) -> Response:
        """Say why a term does not apply, and the smallest change of facts that would make it."""
        async with service.pool.place():
            found = await service.body(request)
            asked = question(found, service.classifier, service.limits, model=WhyNotRequest)
            return Response((await service.answers([asked], request))[0], media_type=_JSON)

    @router.post("/v1/tag/stream", **docs.STREAM)
    async def stream(request: Request) -> Response:
        """Tag descriptions line by line while they are being sent."""
        check_content_type(request.headers, STREAM_TYPES)
        return StreamAnswer(
            lambda: Lines(request.receive, service.limits, service.stopping),
            lambda some: service.lines(some, request),
            service.pool.place,
        )

    return router


def _vocabulary(service: Service) -> APIRouter:
    router = APIRouter(tags=["vocabulary"])

    @router.get("/v1/terms", **docs.TERMS)
    async def terms() -> Response:
        """All terms with their definitions and sources."""
        vocabulary = service.classifier.vocabulary
        return _json([term_dict(t, vocabulary) for t in vocabulary.terms.values()])

    @router.get("/v1/terms/{term}", **docs.TERM)
    async def term(term: str) -> Response:
        """One term, by its id, its label or another of its names."""
        vocabulary = service.classifier.vocabulary
        try:
            return _json(term_dict(vocabulary.find_term(term), vocabulary))
        except InputError:
            raise ServiceError(404, "unknown-term", "There is no such term: GET /v1/terms lists them.") from None

    @router.get("/v1/facts", **docs.FACTS)
    async def facts() -> Response:
        """The facts that definitions are made of, in words."""
        kinds = service.classifier.vocabulary.facts.values()
        return _json([{"id": f.id, "facet": f.facet, "label": f.label} for f in kinds])

    @router.get("/v1/countries", **docs.COUNTRIES)
    async def countries() -> Response:
        """The countries that can be given as home or as the provider's, by name."""
        known = sorted(load_reader().gazetteer.countries.values(), key=lambda c: c.name)
        return _json([{"code": c.code, "name": c.name} for c in known])

    return router


def _upkeep(service: Service, app: FastAPI) -> APIRouter:
    router = APIRouter(tags=["upkeep"])

    @router.get("/health/live", **docs.LIVE)
    async def live() -> Response:
        """The process answers."""
        return _json({"status": "live"})

    @router.get("/health/ready", **docs.READY)
    async def ready() -> Response:
        """The model is loaded, and the service is not about to end."""
        if not service.ready:
            raise ServiceError(
                503, "not-ready", "The service is starting or ending: ask again.", headers={"Retry-After": "1"}
            )
        return _json({"status": "ready", "version": __version__, "model": service.model.to_dict()})

    @router.get("/metrics", **docs.METRICS)
    async def metrics() -> Response:
        """Figures for Prometheus."""
        if service.metrics is None:
            raise ServiceError(503, "not-ready", "The service is starting: ask again.", headers={"Retry-After": "1"})
        body, kind = service.metrics.render()
        return Response(body, headers={"content-type": kind})

    @router.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return _json(docs.document(app, service.examples, service.settings))

    return router


def _json(found: Any) -> Response:
    return Response(json.dumps(found, ensure_ascii=False).encode(), media_type=_JSON)


async def _tell(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, ServiceError)  # noqa: S101 (registered for this class)
    return Response(problem.to_bytes(), problem.status, media_type=_JSON, headers=problem.headers)


async def _tell_routing(request: Request, found: Exception) -> Response:
    assert isinstance(found, HTTPException)  # noqa: S101 (registered for this class)
    code, message = {
        404: ("not-found", "There is nothing here: /openapi.json lists what there is."),
        405: ("method-not-allowed", "This address takes another method: see /openapi.json."),
    }.get(found.status_code, ("http", str(found.detail)))
    return await _tell(request, ServiceError(found.status_code, code, message, headers=found.headers))
