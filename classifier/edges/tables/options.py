"""What a batch is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError

ADDED = ("terms", "probabilities", "definitions", "evidence", "reason", "model")
# What stands in ``evidence`` for what the caller said beside the text; the brackets tell it from a quote.
CALLER = {
    "vendor_contract": "[caller: vendor contract]",
    "home": "[caller: home country]",
    "provider_country": "[caller: provider country]",
}
STANDARD = "-"  # standard input or output
CHUNK = 500


@dataclass(frozen=True, slots=True)
class TableOptions:
    """The options of a batch; ``classify batch --help`` explains each.

    Attributes:
        inputs: paths, glob patterns, or ``-`` for standard input.
        output: a path, or ``-`` for standard output.
        columns: which of :data:`ADDED` to write, in that order.
        chunk: rows that are tagged, written and entered in the journal together.
        jobs: processes; -1 for one a processor.
    """

    inputs: tuple[str, ...]
    output: str = STANDARD
    column: tuple[str, ...] = ()
    format: str | None = None
    output_format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    output_delimiter: str | None = None
    sheet: str | None = None
    home: str | None = None
    home_column: str | None = None
    provider_country: str | None = None
    provider_country_column: str | None = None
    vendor_contract: bool = False
    vendor_column: str | None = None
    threshold: float | None = None
    columns: tuple[str, ...] = ADDED
    prefix: str = ""
    wide: bool = False
    long: bool = False
    model: Path | None = None
    vocabulary: Path | None = None
    jobs: int = 1
    chunk: int = CHUNK
    resume: bool = False
    restart: bool = False

    def check(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            InputError: naming the option and the remedy.
        """
        if not self.inputs:
            raise InputError("no input: give a file, several, or - for standard input")
        if self.wide and self.long:
            raise InputError("--wide and --long exclude each other: give one of them")
        if self.resume and self.restart:
            raise InputError("--resume and --restart exclude each other: give one of them")
        unknown = [name for name in self.columns if name not in ADDED]
        if unknown:
            raise InputError(f"--columns has no {', '.join(map(repr, unknown))}: give some of {', '.join(ADDED)}")
        if len(set(self.columns)) < len(self.columns):
            raise InputError("--columns names a column twice: give each once")
        for name, value in (("--delimiter", self.delimiter), ("--output-delimiter", self.output_delimiter)):
            if value is not None and (len(value) != 1 or value in '"\r\n'):
                raise InputError(f"{name} {value!r}: give one character, such as ';', or 'tab'")
        if self.chunk < 1:
            raise InputError(f"--chunk {self.chunk}: give a number of rows from 1")
        if self.jobs == 0 or self.jobs < -1:
            raise InputError(f"--jobs {self.jobs}: give a number of processes from 1, or -1 for one a processor")
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise InputError(f"threshold {self.threshold} is out of range: give a number above 0 and up to 1")
        if STANDARD in self.inputs and len(self.inputs) > 1:
            raise InputError("standard input (-) cannot stand among files: give one or the other")
        if self.resume and STANDARD in self.inputs:
            raise InputError("standard input cannot be read again, so not resumed: save it to a file and give that")
        if self.resume and self.output == STANDARD:
            raise InputError("standard output cannot be resumed: give -o FILE, and --resume when it was interrupted")
