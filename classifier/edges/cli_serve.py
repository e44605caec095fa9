"""The commands ``classify serve`` and ``classify schema``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

TOKEN = "CLASSIFIER_TOKEN"  # noqa: S105 (the variable's name)
_PLACE, _LIMITS = "Where", "Limits"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("serve")(serve)
    app.command("schema")(schema)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.", rich_help_panel=_PLACE)] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; 0 takes any that is free.", rich_help_panel=_PLACE)
    ] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes; about one a core.", rich_help_panel=_PLACE)] = 1,
    threads: Annotated[
        int, typer.Option(min=1, help="Threads that tag in each process; more are slower.", rich_help_panel=_PLACE)
    ] = 1,
    max_body: Annotated[int, typer.Option(min=1, help="Bytes of a body.", rich_help_panel=_LIMITS)] = 1 << 20,
    max_list: Annotated[int, typer.Option(min=1, help="Texts in a list.", rich_help_panel=_LIMITS)] = 256,
    max_text: Annotated[int, typer.Option(min=1, help="Characters of a text.", rich_help_panel=_LIMITS)] = 20_000,
    max_seconds: Annotated[
        float, typer.Option(min=0.1, help="Time to send a request, and time to tag it.", rich_help_panel=_LIMITS)
    ] = 60.0,
    max_requests: Annotated[
        int, typer.Option(min=1, help="Requests in hand in each process; one more gets 503.", rich_help_panel=_LIMITS)
    ] = 256,
    log_texts: Annotated[bool, typer.Option("--log-texts", help="Let descriptions stand in the log.")] = False,
    model: Annotated[
        Path | None, typer.Option("--model", help="A model of your own, made by `classify train`.")
    ] = None,
) -> None:
    """Serve tagging and a page over HTTP. The environment's CLASSIFIER_TOKEN, if set, is asked of every client."""
    from .service_limits import Limits, Settings
    from .service_run import run

    settings = Settings(
        limits=Limits(max_body, max_list, max_text, max_seconds, max_requests),
        token=os.environ.get(TOKEN),
        log_texts=log_texts,
        model=model,
        threads=threads,
    )
    run(settings, host, port, workers)


def schema() -> None:
    """Print the JSON Schema of an answer, as --json, --jsonl and the service give it."""
    from .schema import tagging_schema

    typer.echo(json.dumps(tagging_schema(), indent=2))
