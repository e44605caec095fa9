"""A Model Context Protocol server over standard input and output: ``tag_arrangement`` and ``lookup_term`` for agents.

Both publish a schema of their answer: the wire format's own, and for a term the one that the SDK makes of
:class:`TermOut`, which is what ``classify terms ID --json`` prints.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, cast

from .. import __version__
from ..engine import Classifier, load
from ..errors import ClassifierError, MissingExtraError
from .report import term_dict
from .schema import tagging_schema

try:
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.server.mcpserver.tools import Tool
    from mcp.types import CallToolResult, TextContent, ToolAnnotations
    from pydantic import Field
    from typing_extensions import TypedDict  # pydantic reads the one in typing only from Python 3.12 on
except ImportError as error:
    raise MissingExtraError("mcp", "mcp") from error

INSTRUCTIONS = (
    "Classifies English descriptions of business arrangements by outsourcing terms (offshoring, BPO, employer of "
    "record and so on). Every tag comes with the words that made it so and the definition that matched, with its "
    "source. Documents differ in their definitions: say whose definition you rely on. When no term applies, the "
    "answer gives the reason."
)


class CitationOut(TypedDict):
    """Where a definition stands: document, section heading, paragraph from 1."""

    document: str
    title: str
    section: str
    paragraph: int
    sha256: str


class DefinitionOut(TypedDict):
    """A definition: its conditions over facts (``all``, one of each of ``any``, ``none``) and its source."""

    id: str
    says: str
    all: list[str]
    any: list[list[str]]
    none: list[str]
    citation: CitationOut


class TermOut(TypedDict):
    """A term with its other names, what it implies and excludes, and each document's definition."""

    id: str
    label: str
    also: list[str]
    implies: list[str]
    excludes: list[str]
    definitions: list[DefinitionOut]


def build(classifier: Classifier) -> MCPServer[Any]:
    """A server that answers with ``classifier``, not yet running."""
    harmless = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)

    def tag_arrangement(
        text: Annotated[str, Field(description="The description, in English, as it stands.")],
        home: Annotated[
            str | None, Field(description="The client's country, if known: an ISO code such as US, or an English name.")
        ] = None,
        provider_country: Annotated[
            str | None, Field(description="The country where the provider does the work, if known.")
        ] = None,
        vendor_contract: Annotated[
            bool, Field(description="Whether the text is a line from a list of contracts with outside vendors.")
        ] = False,
        threshold: Annotated[
            float | None, Field(description="Least probability of a term, above 0 and up to 1; leave out as a rule.")
        ] = None,
    ) -> CallToolResult:
        """Tag a description of a business arrangement with every outsourcing term that applies.

        Each term has its probability, the words of the text that made it so (or what the caller said, in `given`), and
        the definitions that matched with document, section and paragraph. `near_misses` says what other terms lacked;
        `reason` says why no term applies.
        """
        with _told():
            found = classifier.tag(text, home, provider_country, vendor_contract, threshold).to_dict()
        words = json.dumps(found, ensure_ascii=False)
        return CallToolResult(content=[TextContent(type="text", text=words)], structured_content=found)

    def lookup_term(
        term: Annotated[str, Field(description="A term's id, label or other name, such as eor or Employer of record.")],
    ) -> TermOut:
        """Look up what an outsourcing term means: each document's definition, its conditions and its source."""
        with _told(f" The terms: {', '.join(classifier.vocabulary.terms)}."):
            found = classifier.vocabulary.find_term(term)
        return cast(TermOut, term_dict(found, classifier.vocabulary))

    tag = Tool.from_function(tag_arrangement, annotations=harmless)
    tag.fn_metadata.output_schema = tagging_schema()
    return MCPServer(
        "arrangement-classifier",
        title="Outsourcing terms",
        instructions=INSTRUCTIONS,
        version=__version__,
        tools=[tag, Tool.from_function(lookup_term, annotations=harmless, structured_output=True)],
        # Standard error is the log of whoever started the server: only what went wrong belongs there.
        log_level="WARNING",
    )


@contextmanager
def _told(more: str = "") -> Iterator[None]:
    """Errors raised on purpose reach the agent with their message."""
    try:
        yield
    except ClassifierError as error:
        raise ToolError(f"{str(error).rstrip('.')}.{more}") from error


def serve(model: Path | None = None) -> None:
    """Serve over standard input and output until the input ends.

    Raises:
        ModelError: when the model is refused.
    """
    build(load(model)).run("stdio")
