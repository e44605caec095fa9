"""The server for agents, spoken to by the SDK's own client over standard input and output."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from classifier import Classifier, __version__, load
from classifier.edges import report
from classifier.edges.mcp_server import build
from classifier.edges.schema import tagging_schema

from .conftest import ROOT

DOC = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
(CONFIGURATION,) = (json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", DOC, re.M | re.S))
CASES: list[dict[str, Any]] = [
    {"text": "A firm in Texas runs the help desk of our New York company."},
    {"text": "Calls from our customers are answered by a vendor in Manila.", "home": "US"},
    {"text": "A firm does our bookkeeping.", "home": "United States", "provider_country": "MX"},
    {"text": "Window cleaning, two buildings, 36 months", "vendor_contract": True},
    {"text": "in-house payroll", "threshold": 0.5},
    {"text": ""},
    {"text": "a 🙂 vendor\u0000 in\u2028Manila \\ \" \n answers our calls"},
]  # fmt: skip
Talk = Callable[[Client], Awaitable[Any]]


def over_stdio(talk: Talk) -> Any:
    """Start the server as the documentation says, and talk to it."""
    (server,) = CONFIGURATION["mcpServers"].values()
    assert server["command"] == "classify"
    parameters = StdioServerParameters(command=sys.executable, args=["-m", "classifier.edges.cli", *server["args"]])

    async def run() -> Any:
        async with Client(stdio_client(parameters)) as client:
            return await talk(client)

    return asyncio.run(run())


def in_process(classifier: Classifier, talk: Talk) -> Any:
    async def run() -> Any:
        async with Client(build(classifier)) as client:
            return await talk(client)

    return asyncio.run(run())


def words(result: Any) -> str:
    return "".join(block.text for block in result.content)


def test_both_tools_answer_over_stdio(classifier: Classifier) -> None:
    async def talk(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"tag_arrangement", "lookup_term"}
        assert client.server_info.version == __version__
        for case in CASES:
            result = await client.call_tool("tag_arrangement", case)
            assert not result.is_error
            expected = classifier.tag(**case).to_dict()
            # The structured answer is the wire format, and so is the text for clients that know no structure.
            assert result.structured_content == expected
            assert json.loads(words(result)) == expected
            jsonschema.validate(result.structured_content, tools["tag_arrangement"].output_schema)
        for name in ("eor", "Employer of Record", "EOR"):
            found = await client.call_tool("lookup_term", {"term": name})
            assert found.structured_content == report.term_dict(
                classifier.vocabulary.terms["eor"], classifier.vocabulary
            )
            jsonschema.validate(found.structured_content, tools["lookup_term"].output_schema)

    over_stdio(talk)


def test_the_tools_say_what_they_take_and_that_they_do_no_harm(classifier: Classifier) -> None:
    tools = {tool.name: tool for tool in in_process(classifier, lambda client: client.list_tools()).tools}
    assert tools["tag_arrangement"].output_schema == tagging_schema()
    for tool in tools.values():
        assert tool.description
        assert tool.annotations.read_only_hint
        for field in tool.input_schema["properties"].values():
            assert field["description"]
    assert tools["tag_arrangement"].input_schema["required"] == ["text"]


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("tag_arrangement", {"text": "x", "home": "Narnia"}, "ISO code"),
        ("tag_arrangement", {"text": "x", "threshold": 7}, "threshold"),
        ("tag_arrangement", {}, "text"),
        ("tag_arrangement", {"text": 3}, "text"),
        ("lookup_term", {"term": "nearshore-ing"}, "did you mean nearshoring"),
        ("lookup_term", {"term": ""}, "staff-leasing"),
    ],
)
def test_what_cannot_be_used_is_a_tool_error_that_helps(
    classifier: Classifier, tool: str, arguments: dict[str, Any], message: str
) -> None:
    result = in_process(classifier, lambda client: client.call_tool(tool, arguments))
    assert result.is_error
    assert message in words(result)


def test_every_term_fits_the_published_schema(classifier: Classifier) -> None:
    async def talk(client: Client) -> None:
        (schema,) = (t.output_schema for t in (await client.list_tools()).tools if t.name == "lookup_term")
        for term in classifier.vocabulary.terms:
            found = await client.call_tool("lookup_term", {"term": term})
            assert found.structured_content["id"] == term
            jsonschema.validate(found.structured_content, schema)

    in_process(classifier, talk)


def test_answers_by_a_vocabulary_without_digests_are_taken() -> None:
    own = load(vocabulary=ROOT / "examples" / "own-terms" / "nearshoring.toml")
    asked = {"text": "A firm in Mexico does our bookkeeping.", "home": "US"}

    async def talk(client: Client) -> None:
        result = await client.call_tool("tag_arrangement", asked)
        assert result.structured_content == own.tag(**asked).to_dict()
        assert '"sha256": ""' in words(result)
        found = await client.call_tool("lookup_term", {"term": "nearshoring"})
        assert {d["citation"]["sha256"] for d in found.structured_content["definitions"]} == {""}

    in_process(own, talk)


def test_a_refused_model_ends_the_server_before_it_begins(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "classifier.edges.cli", "mcp", "--model", str(tmp_path)],
        input=b"", capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 4
    assert b"no model in" in done.stderr
    assert done.stdout == b""


def test_without_the_sdk_the_extra_is_named() -> None:
    code = "import sys; sys.modules['mcp'] = None; sys.argv = ['classify', 'mcp']; from classifier.edges.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'pip install "arrangement-classifier[mcp]"' in done.stderr
    assert "Traceback" not in done.stderr
