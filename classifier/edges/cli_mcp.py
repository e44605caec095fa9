"""The command ``classify mcp``: a server for agents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("mcp")(mcp)


def mcp(
    model: Annotated[
        Path | None, typer.Option("--model", help="A model of your own, made by `classify train`.")
    ] = None,
) -> None:
    """Serve agents over standard input and output (Model Context Protocol)."""
    from .mcp_server import serve

    serve(model)
