"""The shell command ``classify``. Bare text is the default command.

Answers go to stdout, everything else to stderr. Exit codes: 0 answered (also when no term applies),
2 usage or unusable input, 3 some rows were bad, 4 the model or the vocabulary was refused.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from .. import __version__
from ..errors import ClassifierError, InputError, ModelError, VocabularyError
from . import cli_batch, cli_mcp, cli_report, cli_review, cli_serve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..engine import Classifier

USAGE, REFUSED = 2, 4
_DEFAULT = "tag"
_GROUP_OPTIONS = {"--help", "-h", "--version", "--install-completion", "--show-completion"}


@contextmanager
def _until_the_reader_goes() -> Iterator[None]:
    """End well when the reader goes away, as `head` does: what was asked for has been given.

    Typer would make an exit code 1 of it, and so does Rich, which prints the help.
    """
    try:
        yield
    except (BrokenPipeError, SystemExit) as error:
        if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
            raise
        # What is still held back must not fail when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


class DefaultGroup(TyperGroup):
    """A group whose default command takes bare text."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if (args and args[0] not in _GROUP_OPTIONS and args[0] not in self.commands) or (
            not args and not sys.stdin.isatty() and not ctx.resilient_parsing
        ):
            args = [_DEFAULT, *args]
        return list(super().parse_args(ctx, args))

    # The reader may go away while help is shown, too, and that is before a command is invoked.
    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        with _until_the_reader_goes():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        with _until_the_reader_goes():
            return super().invoke(ctx)


class TermsFormat(StrEnum):
    """How the vocabulary is printed."""

    TEXT = "text"
    JSON = "json"
    SKOS = "skos"


app = typer.Typer(
    cls=DefaultGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help='Tag descriptions of business arrangements: classify "our accountant sends a bookkeeper on-site"',
    epilog="Exit codes: 0 answered, 2 usage, 3 some rows bad, 4 model refused.",
)

Home = Annotated[str | None, typer.Option(help="The client's country: an ISO code such as US, or an English name.")]
ProviderCountry = Annotated[str | None, typer.Option(help="The country where the provider does the work.")]
VendorContract = Annotated[
    bool, typer.Option("--vendor-contract", help="Each text is a line from a list of contracts with outside vendors.")
]
Threshold = Annotated[
    float | None, typer.Option(min=0.01, max=1.0, help="Least probability of a term, instead of the model's own.")
]
ModelPath = Annotated[Path | None, typer.Option("--model", help="A model of your own, made by `classify train`.")]
VocabularyPath = Annotated[
    Path | None, typer.Option("--vocabulary", help="A vocabulary of your own, in TOML, instead of the model's.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"classify {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command(_DEFAULT)
def tag(
    texts: Annotated[
        list[str] | None, typer.Argument(help="Descriptions; - reads them from standard input, one a line.")
    ] = None,
    home: Home = None,
    provider_country: ProviderCountry = None,
    vendor_contract: VendorContract = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a description, indented.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object a description, a line each.")] = False,
    threshold: Threshold = None,
    model: ModelPath = None,
    vocabulary: VocabularyPath = None,
) -> None:
    """Tag descriptions. This is the default: classify "..." is the same."""
    from . import report

    classifier = _load(model, vocabulary)
    style = report.Style(_color())
    first = True
    for text in _descriptions(texts):
        tagging = classifier.tag(text, home, provider_country, vendor_contract, threshold)
        if jsonl:
            _print(json.dumps(tagging.to_dict(), ensure_ascii=False))
        elif as_json:
            _print(json.dumps(tagging.to_dict(), ensure_ascii=False, indent=2))
        else:
            if not first:
                _print("-" * report.WIDTH)
            _print(report.tagging_text(tagging, classifier.vocabulary, style), end="")
        first = False


@app.command()
def terms(
    term: Annotated[str | None, typer.Argument(help="One term, by its id.")] = None,
    form: Annotated[TermsFormat, typer.Option("--format", help="skos is a concept scheme in Turtle.")] = (
        TermsFormat.TEXT
    ),
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    path: VocabularyPath = None,
) -> None:
    """Show the vocabulary: all terms, or one whole with its definitions and sources."""
    from ..vocabulary import load_vocabulary
    from . import report

    vocabulary = load_vocabulary(path)
    found = None if term is None else vocabulary.find_term(term)
    if form is TermsFormat.SKOS and not as_json:
        from .skos import turtle

        _print(turtle(vocabulary, found.id if found else None), end="")
    elif form is TermsFormat.JSON or as_json:
        shown = [report.term_dict(t, vocabulary) for t in ([found] if found else vocabulary.terms.values())]
        _print(json.dumps(shown[0] if found else shown, ensure_ascii=False, indent=2))
    elif found:
        _print(report.term_text(found, vocabulary, report.Style(_color())), end="")
    else:
        _print(report.term_list(vocabulary), end="")


@app.command("why-not")
def why_not(
    term: Annotated[str, typer.Argument(help="A term, by its id, label or another name.")],
    text: Annotated[str, typer.Argument(help="The description.")],
    home: Home = None,
    provider_country: ProviderCountry = None,
    vendor_contract: VendorContract = False,
    model: ModelPath = None,
    vocabulary: VocabularyPath = None,
    as_json: AsJson = False,
) -> None:
    """Say why a term does not apply, and the smallest change of facts that would make it."""
    from . import report

    classifier = _load(model, vocabulary)
    found = classifier.why_not(
        term, text, home=home, provider_country=provider_country, vendor_contract=vendor_contract
    )
    if as_json:
        _print(json.dumps(found.to_dict(), ensure_ascii=False, indent=2))
    else:
        _print(report.counterfactual_text(found, classifier.vocabulary, report.Style(_color())), end="")


app.command("batch", help=cli_batch.HELP)(cli_batch.batch)


@app.command()
def evaluate(
    files: Annotated[list[Path], typer.Argument(help="JSONL with `text`, `must` and `may` (or training scenarios).")],
    model: ModelPath = None,
    vocabulary: VocabularyPath = None,
    as_json: AsJson = False,
    wrong: Annotated[bool, typer.Option("--wrong", help="List the texts whose answer is not right.")] = False,
) -> None:
    """Measure the model on labelled descriptions."""
    from ..training.evaluate import evaluate as run
    from ..training.metrics import HEADER, line, term_table

    found = run(_load(model, vocabulary), files)
    if as_json:
        rows = {name: scores.to_dict() for name, scores in found.files.items()}
        _print(json.dumps({"files": rows, "total": found.total.to_dict()}, indent=2))
        return
    _print(HEADER)
    for name, scores in found.files.items():
        _print(line(name, scores))
    _print(line("all", found.total))
    _print("")
    _print(term_table(found.total))
    if wrong:
        for row, answer in found.answers:
            if not answer.exact:
                extra = " ".join(f"+{t}" for t in sorted(answer.given - answer.must - answer.may))
                missed = " ".join(f"-{t}" for t in sorted(answer.must - answer.given))
                _print(f"\n{row['text'][:300]}\n  {extra} {missed}")


@app.command()
def train(
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder that the model goes into.")],
    data: Annotated[
        list[Path], typer.Option(help="Scenarios: a JSONL file, or a folder of them; repeat it for several.")
    ],
    vocabulary: Annotated[Path | None, typer.Option(help="A vocabulary of your own, in TOML.")] = None,
    corrections: Annotated[
        list[Path] | None,
        typer.Option(
            help="Corrections in JSONL, from `classify review`, besides the scenarios; repeat it for several."
        ),
    ] = None,
) -> None:
    """Train a model of your own on labelled scenarios."""
    files: list[Path] = []
    for path in data:
        found = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        files += found
        if not found:
            raise InputError(f"{path} has no file *.jsonl: give --data a JSONL file of scenarios, or a folder of them")
    from ..training.fit import train as run
    from ..training.metrics import HEADER, line

    validation = run(
        files,
        out,
        __version__,
        vocabulary,
        say=lambda text: typer.echo(text, err=True),
        corrections=corrections or (),
    )
    _print(HEADER)
    _print(line("out of fold", validation.scores))


app.command("report")(cli_report.report)
cli_review.register(app)
cli_serve.register(app)
cli_mcp.register(app)


def _load(path: Path | None, vocabulary: Path | None) -> Classifier:
    from .loading import load_to_stay

    return load_to_stay(path, vocabulary)


def _descriptions(texts: Iterable[str] | None) -> Iterator[str]:
    given = list(texts or ["-"])
    for text in given:
        if text == "-":
            if sys.stdin.isatty():
                typer.echo("Reading descriptions from the terminal, one a line; end with Ctrl-D.", err=True)
            # Undecodable bytes must not stop the rest.
            sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
            for line in sys.stdin:
                if line.strip():
                    yield line.rstrip("\r\n")
        else:
            yield text


def _color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _print(text: str, end: str = "\n") -> None:
    # A lone surrogate (from undecodable arguments) is shown escaped rather than fatal.
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode("utf-8") + end)


def main() -> None:
    """Run the command; errors raised on purpose become a message and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    # One text's arithmetic is too small to share: more threads cost more than they save. To be said before numpy loads.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    try:
        app()
    except (ModelError, VocabularyError) as error:
        typer.echo(f"classify: {error}", err=True)
        raise SystemExit(REFUSED) from None
    except ClassifierError as error:
        typer.echo(f"classify: {error}", err=True)
        raise SystemExit(USAGE) from None
    finally:
        # A short answer is still held back here, and the reader may be gone.
        with _until_the_reader_goes():
            sys.stdout.flush()


if __name__ == "__main__":
    main()
