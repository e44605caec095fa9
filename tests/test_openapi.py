"""Whatever fits the OpenAPI document, and what nearly does, is answered as the document says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from classifier import Classifier
from classifier.edges.service import create_app
from classifier.edges.service_limits import Limits, Settings

CHECKS = [
    schemathesis.checks.not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
ROUTES = 10


@schemathesis.serializer("application/x-ndjson")
def as_lines(context: object, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.fixture(scope="module")
def service(classifier: Classifier) -> Iterator[schemathesis.schemas.BaseSchema]:
    app = create_app(Settings(limits=Limits(text_chars=500, texts=10)), classifier)
    with TestClient(app):
        yield schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.mark.parametrize("number", range(ROUTES))
def test_a_route_keeps_to_the_document(service: schemathesis.schemas.BaseSchema, number: int) -> None:
    operation = list(service.get_all_operations())[number].ok()

    @given(case=operation.as_strategy())
    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS)

    check()


def test_no_route_was_left_out(service: schemathesis.schemas.BaseSchema) -> None:
    assert len(list(service.get_all_operations())) == ROUTES
