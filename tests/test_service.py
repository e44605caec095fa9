from __future__ import annotations

import json
import logging
import tomllib
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from classifier import Classifier
from classifier.edges.report import term_dict
from classifier.edges.service import create_app
from classifier.edges.service_limits import Limits, Settings
from classifier.edges.service_log import LOGGER, JsonLines
from classifier.edges.service_requests import TagRequest, WhyNotRequest
from classifier.errors import InputError

from .conftest import ROOT

TEXT = "Calls from our customers are answered by a vendor in Manila."
JSON = {"content-type": "application/json"}
NDJSON = {"content-type": "application/x-ndjson"}
LIMITS = Limits(body_bytes=4000, texts=5, text_chars=300, seconds=60, requests=3)
SECRET = "zanzibarquux"  # noqa: S105  # noqa: S105 - a token of the tests


def _cases() -> list[dict[str, Any]]:
    """A few texts of every term."""
    found = []
    for path in sorted((ROOT / "tests" / "cases").glob("*.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        found += [*data["must"][:2], *data["must_not"][:2]]
    return [{k: case[k] for k in ("text", "home", "vendor_contract") if k in case} for case in found]


CASES = _cases()


@pytest.fixture(scope="module")
def client(classifier: Classifier) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(), classifier)) as found:
        yield found


@pytest.fixture(scope="module")
def narrow(classifier: Classifier) -> Iterator[TestClient]:
    """A service with small limits."""
    with TestClient(create_app(Settings(limits=LIMITS), classifier)) as found:
        yield found


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, LOGGER.name):
        yield caplog


def _written(log: pytest.LogCaptureFixture, texts: bool = False) -> str:
    """The log as it would be written."""
    return "\n".join(JsonLines(texts).format(record) for record in log.records if record.name == LOGGER.name)


# ---------------------------------------------------------------- answers


def test_every_door_gives_the_answer_of_the_core(client: TestClient, classifier: Classifier) -> None:
    expected = [classifier.tag(**case).to_dict() for case in CASES]
    assert [client.post("/v1/tag", json=case).json() for case in CASES[:20]] == expected[:20]
    assert client.post("/v1/tag", json=CASES).json() == expected
    lines = "".join(json.dumps(case) + "\n" for case in CASES)
    answer = client.post("/v1/tag/stream", content=lines, headers=NDJSON)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in answer.text.splitlines()] == expected


def test_context_and_threshold_are_the_callers(client: TestClient, classifier: Classifier) -> None:
    asked = {"text": "Provision of payroll services", "home": "United Kingdom", "provider_country": "IN"}
    asked |= {"vendor_contract": True, "threshold": 0.2}
    assert client.post("/v1/tag", json=asked).json() == classifier.tag(**asked).to_dict()


@pytest.mark.parametrize(
    "text", ["", " ", "Les employés travaillent à la maison.", "🙂 a vendor\r\n\tin Manila \x00", "\ud800 vendor"]
)
def test_a_text_comes_back_as_it_was_given(client: TestClient, classifier: Classifier, text: str) -> None:
    assert (
        client.post("/v1/tag", content=json.dumps({"text": text}), headers=JSON).json()
        == classifier.tag(text).to_dict()
    )


def test_why_not_is_the_cores(client: TestClient, classifier: Classifier) -> None:
    for term in classifier.vocabulary.terms:
        found = client.post("/v1/why-not", json={"text": TEXT, "home": "US", "term": term}).json()
        assert found == classifier.why_not(term, TEXT, home="US").to_dict()
    assert client.post("/v1/why-not", json={"text": TEXT, "term": "Employer of Record"}).json()["term"] == "eor"


@pytest.mark.parametrize(
    "path", ["/", "/app.js", "/health/live", "/v1/terms/eor", "/metrics", "/openapi.json", "/nowhere"]
)
def test_head_answers_as_get_without_the_body(client: TestClient, path: str) -> None:
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    if path != "/metrics":  # which counts these requests, too
        assert head.headers["content-length"] == str(len(got.content))


def test_head_of_what_takes_post(client: TestClient) -> None:
    found = client.head("/v1/tag")
    assert (found.status_code, found.headers["allow"]) == (405, "POST")


def test_an_empty_list_has_no_answers(client: TestClient) -> None:
    assert client.post("/v1/tag", json=[]).json() == []
    assert client.post("/v1/tag/stream", content=b"", headers=NDJSON).text == ""


def test_the_vocabulary_is_told(client: TestClient, classifier: Classifier) -> None:
    vocabulary = classifier.vocabulary
    terms = client.get("/v1/terms").json()
    assert terms == [term_dict(t, vocabulary) for t in vocabulary.terms.values()]
    assert client.get("/v1/terms/nearshoring").json() in terms
    assert client.get("/v1/terms/Employer%20of%20record").json()["id"] == "eor"
    assert {f["id"] for f in client.get("/v1/facts").json()} == set(vocabulary.facts)
    countries = client.get("/v1/countries").json()
    assert {"code": "PH", "name": "Philippines"} in countries
    assert countries == sorted(countries, key=lambda c: c["name"])


def test_health_names_the_model(client: TestClient, classifier: Classifier) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").json()["model"] == classifier.tag("").model.to_dict()


# ---------------------------------------------------------------- refusals

REFUSED = [
    ("GET", "/v1/tag", b"", {}, 405, "method-not-allowed"),
    ("GET", "/nowhere", b"", {}, 404, "not-found"),
    ("GET", "/v1/terms/nowhere", b"", {}, 404, "unknown-term"),
    ("POST", "/v1/tag", b'{"text": "x"}', {}, 415, "content-type"),
    ("POST", "/v1/tag", b'{"text": "x"}', {"content-type": "text/plain"}, 415, "content-type"),
    ("POST", "/v1/tag/stream", b'{"text": "x"}', JSON, 415, "content-type"),
    ("POST", "/v1/tag", b"\x1f\x8b", {**JSON, "content-encoding": "gzip"}, 415, "content-encoding"),
    ("POST", "/v1/tag", b"", JSON, 400, "not-json"),
    ("POST", "/v1/tag", b'{"text": ', JSON, 400, "not-json"),
    ("POST", "/v1/tag", b'{"text": "\xff"}', JSON, 400, "not-json"),
    ("POST", "/v1/tag", b"[" * 3900, JSON, 400, "not-json"),
    ("POST", "/v1/tag", b"1" * 3900, JSON, 422, "not-valid"),
    ("POST", "/v1/tag", b"null", JSON, 422, "not-valid"),
    ("POST", "/v1/tag", b"{}", JSON, 422, "not-valid"),
    ("POST", "/v1/tag", b"[[]]", JSON, 422, "not-valid"),
    ("POST", "/v1/tag", b'{"text": 7}', JSON, 422, "not-valid"),
    ("POST", "/v1/tag", b'{"text": "x", "colour": 1}', JSON, 422, "not-valid"),
    ("POST", "/v1/tag", b'{"text": "x", "vendor_contract": "yes"}', JSON, 422, "not-valid"),
    ("POST", "/v1/tag", b'{"text": "x", "threshold": 0}', JSON, 422, "not-valid"),
    ("POST", "/v1/tag", b'{"text": "x", "threshold": NaN}', JSON, 422, "not-valid"),
    ("POST", "/v1/tag", b'{"text": "x", "threshold": 1e999}', JSON, 422, "not-valid"),
    ("POST", "/v1/tag", b'{"text": "x", "home": "Narnia"}', JSON, 422, "unknown-country"),
    ("POST", "/v1/tag", b'{"text": "x", "provider_country": "\\ud800"}', JSON, 422, "not-valid"),
    ("POST", "/v1/why-not", b'{"text": "x"}', JSON, 422, "not-valid"),
    ("POST", "/v1/why-not", b'{"text": "x", "term": "magic"}', JSON, 422, "unknown-term"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "headers", "status", "code"), REFUSED)
def test_refusals_have_a_code_and_say_what_to_do(
    narrow: TestClient, method: str, path: str, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = narrow.request(method, path, content=body, headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert len(answer.json()["error"]["message"]) > 20


@pytest.mark.parametrize(("path", "model"), [("/v1/tag", TagRequest), ("/v1/why-not", WhyNotRequest)])
def test_a_field_too_many_is_answered_with_those_there_are(
    narrow: TestClient, path: str, model: type[TagRequest]
) -> None:
    asked = {"text": "x", "colour": 1} | ({"term": "eor"} if path == "/v1/why-not" else {})
    message = narrow.post(path, json=asked).json()["error"]["message"]
    assert message.partition(": use ")[2] == ", ".join(model.model_fields) + "."
    assert ("term" in message.rstrip(".").split(", ")) is (path == "/v1/why-not")


def test_a_refusal_points_at_the_field(narrow: TestClient) -> None:
    rows = [{"text": "x"}, {"text": "x", "home": "Narnia"}]
    assert narrow.post("/v1/tag", json=rows).json()["error"]["where"] == "/1/home"
    assert narrow.post("/v1/tag", json=[{"text": "x"}, {"text": 7}]).json()["error"]["where"] == "/1/text"


@pytest.mark.parametrize(
    ("body", "limit", "code"),
    [
        (json.dumps([{"text": "x"}] * 6), 5, "list-too-long"),
        (json.dumps({"text": "x" * 301}), 300, "text-too-long"),
        (json.dumps({"text": "x" * 4001}), 4000, "body-too-large"),
        (json.dumps({"text": "x" * 200_000}), 4000, "body-too-large"),
    ],
)
def test_limits_are_told(narrow: TestClient, body: str, limit: int, code: str) -> None:
    for content in (body.encode(), iter([body[:2000].encode(), body[2000:].encode()])):
        answer = narrow.post("/v1/tag", content=content, headers=JSON)
        assert answer.status_code == 413
        error = answer.json()["error"]
        assert (error["code"], error["limit"]) == (code, limit)
        assert str(limit) in error["message"]


def test_what_is_at_the_limit_is_answered(narrow: TestClient) -> None:
    assert narrow.post("/v1/tag", json=[{"text": "x" * 300}] * 5).status_code == 200


@pytest.mark.parametrize("name", ["body_bytes", "texts", "text_chars", "seconds", "requests"])
def test_limits_that_make_no_sense_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=name):
        Limits(**{name: 0})


def test_one_request_too_many_is_sent_away(classifier: Classifier) -> None:
    app = create_app(Settings(limits=LIMITS), classifier)
    with TestClient(app) as client:
        pool = app.state.service.pool
        pool.in_hand = LIMITS.requests  # as many as there may be
        for path, headers in (("/v1/tag", JSON), ("/v1/why-not", JSON), ("/v1/tag/stream", NDJSON)):
            answer = client.post(path, content=b"{}", headers=headers)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert answer.json()["error"]["limit"] == LIMITS.requests
        assert client.get("/health/ready").status_code == 200
        pool.in_hand = LIMITS.requests - 1
        assert client.post("/v1/tag", json={"text": "x"}).status_code == 200
        assert pool.in_hand == LIMITS.requests - 1


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["text", "home", "threshold", "term", "x"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(body=values | st.binary(max_size=60), path=st.sampled_from(["/v1/tag", "/v1/why-not", "/v1/tag/stream"]))
def test_whatever_is_sent_gets_an_answer(narrow: TestClient, body: Any, path: str) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = narrow.post(path, content=content, headers=NDJSON if path.endswith("stream") else JSON)
    assert answer.status_code in (200, 400, 413, 422)
    for line in answer.text.split("\n")[:-1] if path.endswith("stream") else [answer.text]:
        json.loads(line)


# ---------------------------------------------------------------- who may ask


@pytest.fixture(scope="module")
def locked(classifier: Classifier) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(token="open-sesame"), classifier)) as found:  # noqa: S106
        yield found


@pytest.mark.parametrize("path", ["/v1/terms", "/v1/facts", "/v1/countries", "/metrics", "/nowhere"])
def test_the_token_is_asked(locked: TestClient, path: str) -> None:
    for given_ in (None, "Bearer", "Bearer wrong", "Basic open-sesame", "open-sesame", "Bearer open-sesamé"):
        answer = locked.get(path, headers={"Authorization": given_.encode("latin-1")} if given_ else {})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    assert locked.get(path, headers={"Authorization": "bearer open-sesame"}).status_code in (200, 404)


def test_posting_needs_the_token_before_the_body_is_read(locked: TestClient) -> None:
    for path in ("/v1/tag", "/v1/tag/stream", "/v1/why-not"):
        assert locked.post(path, content=b"{").status_code == 401
    answer = locked.post("/v1/tag", json={"text": TEXT}, headers={"Authorization": "Bearer open-sesame"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/app.js", "/style.css", "/icon.svg", "/health/live", "/health/ready", "/openapi.json"]
)
def test_the_page_and_health_need_no_token(locked: TestClient, path: str) -> None:
    assert locked.get(path).status_code == 200


def test_white_space_around_the_token_does_not_belong_to_it(classifier: Classifier) -> None:
    settings = Settings(token=" open-sesame\r\n")  # noqa: S106
    assert settings.token == "open-sesame"  # noqa: S105
    with TestClient(create_app(settings, classifier)) as client:
        for given_, status in (("open-sesame", 200), ("open-sesame ", 200), ("sesame", 401)):
            assert client.get("/v1/facts", headers={"Authorization": f"Bearer {given_}"}).status_code == status


@pytest.mark.parametrize("token", ["", "  ", "\n", "schlüssel", "open\nsesame"])
def test_a_token_that_cannot_be_sent_is_refused(token: str) -> None:
    with pytest.raises(InputError, match="CLASSIFIER_TOKEN"):
        Settings(token=token)


# ---------------------------------------------------------------- log, metrics, headers


def test_no_text_stands_in_the_log(client: TestClient, log: pytest.LogCaptureFixture) -> None:
    client.post("/v1/tag", json={"text": f"a vendor called {SECRET}"})
    client.post("/v1/tag", json={"text": "x", "home": SECRET})
    client.post("/v1/tag", json={"text": "x", SECRET: 1})
    client.post("/v1/tag", content=f'{{"{SECRET}', headers=JSON)
    client.post("/v1/tag/stream", content=f'{SECRET}\n{{"text": "{SECRET}"}}', headers=NDJSON)
    client.get(f"/{SECRET}?{SECRET}", headers={"x-request-id": f"{SECRET} "})
    client.request(SECRET, "/v1/tag")
    rows = [json.loads(line) for line in _written(log).splitlines()]
    assert [row["status"] for row in rows] == [200, 422, 422, 400, 200, 404, 405]
    assert [row["route"] for row in rows[-2:]] == ["unmatched", "/v1/tag"]
    assert [row.get("texts") for row in rows] == [1, None, None, None, 1, None, None]
    assert SECRET not in _written(log).lower()


def test_texts_stand_in_the_log_when_asked_for(classifier: Classifier, log: pytest.LogCaptureFixture) -> None:
    with TestClient(create_app(Settings(log_texts=True), classifier)) as client:
        client.post("/v1/tag", json={"text": TEXT}, headers={"x-request-id": "mine"})
    row = next(json.loads(line) for line in _written(log).splitlines() if '"text"' in line)
    assert (row["event"], row["text"], row["request_id"]) == ("text", TEXT, "mine")


@pytest.mark.parametrize("texts", [False, True])
def test_a_failure_is_answered_and_told_without_its_words(
    classifier: Classifier, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, texts: bool
) -> None:
    def fail(self: Classifier, texts: list[str], *context: Any) -> Any:
        raise RuntimeError(f"cannot read {texts}")

    app = create_app(Settings(), classifier)
    with TestClient(app) as client:
        monkeypatch.setattr(Classifier, "tag_many", fail)
        answer = client.post("/v1/tag", json={"text": SECRET}, headers={"x-request-id": "mine"})
        assert (answer.status_code, answer.headers["x-request-id"]) == (500, "mine")
        assert app.state.service.pool.in_hand == 0
    row = next(json.loads(line) for line in _written(log, texts).splitlines() if "exception" in line)
    assert (row["request_id"], row["level"], row["exception"]["type"]) == ("mine", "error", "RuntimeError")
    assert (SECRET in _written(log, texts)) is texts


def _sample(text: str, name: str) -> float:
    found = [line for line in text.splitlines() if line.startswith(name + " ") or line.startswith(name + "{")]
    return sum(float(line.rpartition(" ")[2]) for line in found)


def test_metrics_count(classifier: Classifier) -> None:
    with TestClient(create_app(Settings(), classifier)) as client:
        ids = client.post("/v1/tag", json=[{"text": TEXT, "home": "US"}, {"text": "in-house payroll"}]).json()[0][
            "terms"
        ]
        client.post("/v1/tag/stream", content=json.dumps({"text": TEXT}), headers=NDJSON)
        client.post("/v1/tag", json={})
        client.get("/nowhere")
        for _ in range(2):
            client.get("/app.js")
        client.get("/")
        client.post("/")
        text = client.get("/metrics").text
    assert _sample(text, 'classifier_requests_total{method="POST",route="/v1/tag",status="200"}') == 1
    assert _sample(text, 'classifier_requests_total{method="POST",route="/v1/tag",status="422"}') == 1
    assert _sample(text, 'classifier_requests_total{method="GET",route="unmatched",status="404"}') == 1
    assert _sample(text, 'classifier_requests_total{method="GET",route="/app.js",status="200"}') == 2
    assert _sample(text, 'classifier_requests_total{method="GET",route="/",status="200"}') == 1
    assert _sample(text, 'classifier_requests_total{method="POST",route="/",status="405"}') == 1
    assert _sample(text, 'classifier_request_seconds_count{route="unmatched"}') == 1
    assert _sample(text, 'classifier_request_seconds_count{route="/v1/tag"}') == 2
    assert _sample(text, "classifier_texts_total") == 3
    assert _sample(text, "classifier_texts_without_term_total") == 1
    assert _sample(text, "classifier_requests_in_hand") == 0
    for term in ids:
        assert _sample(text, f'classifier_tags_total{{term="{term["id"]}"}}') >= 1
    assert classifier.tag("").model.digest in text


def test_answers_are_not_kept_nor_shown_as_pages(client: TestClient) -> None:
    headers = client.get("/v1/terms").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "access-control-allow-origin" not in headers


def test_the_page_has_a_strict_policy(client: TestClient) -> None:
    answer = client.get("/")
    policy = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {policy[f"{kind}-src"] for kind in ("script", "style", "connect", "img")} == {"'self'"}
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "<style" not in answer.text
    assert " style=" not in answer.text
    assert "://" not in answer.text
    assert client.get("/", headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    assert client.head("/").status_code == 200
    assert client.get("/report.css").status_code == 404
    assert client.get("/../cli.py").status_code == 404


# ---------------------------------------------------------------- OpenAPI


def test_the_document_has_examples_that_are_answers(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    checked = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answer = operation["responses"]["200"]["content"]
            (kind, told), *_ = answer.items()
            for asked in operation.get("requestBody", {}).get("content", {}).items():
                for example in asked[1]["examples"].values():
                    body = example["value"] if isinstance(example["value"], str) else json.dumps(example["value"])
                    got = client.request(method, path, content=body, headers={"content-type": asked[0]})
                    assert got.status_code == 200
                    assert got.headers["content-type"] == kind
                    if kind == "application/json":
                        _valid(got.json(), told["schema"], document)
                    checked += 1
            if "example" in told and kind == "application/json":
                _valid(told["example"], told["schema"], document)
            if method == "get" and "{" not in path and kind == "application/json":
                _valid(client.get(path).json(), told["schema"], document)
    assert checked == 5
    assert "maxLength" in document["components"]["schemas"]["TagRequest"]["properties"]["text"]


def _valid(found: Any, schema: Any, document: Any) -> None:
    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(found)


def test_refusals_have_the_documented_form(narrow: TestClient) -> None:
    document = narrow.get("/openapi.json").json()
    for method, path, body, headers, status, _ in REFUSED:
        answer = narrow.request(method, path, content=body, headers=headers)
        _valid(answer.json(), {"$ref": "#/components/schemas/Error"}, document)
        if path in document["paths"] and method.lower() in document["paths"][path]:
            assert str(status) in document["paths"][path][method.lower()]["responses"]


def test_the_document_asks_for_a_token_only_when_there_is_one(locked: TestClient, client: TestClient) -> None:
    assert locked.get("/openapi.json").json()["paths"]["/v1/tag"]["post"]["security"] == [{"token": []}]
    assert "security" not in client.get("/openapi.json").json()["paths"]["/v1/tag"]["post"]
