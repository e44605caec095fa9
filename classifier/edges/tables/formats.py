"""Which format and compression a file has, by its name or its first bytes; which files a pattern means."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from pathlib import Path

from ...errors import InputError
from .options import STANDARD

CSV, TSV, JSONL, PARQUET, EXCEL = "csv", "tsv", "jsonl", "parquet", "excel"
FORMATS = (CSV, TSV, JSONL, PARQUET, EXCEL)
BINARY = (PARQUET, EXCEL)
GZIP, ZSTD = "gzip", "zstd"
_BY_SUFFIX = {
    ".csv": CSV, ".tsv": TSV, ".tab": TSV, ".jsonl": JSONL, ".ndjson": JSONL,
    ".parquet": PARQUET, ".pq": PARQUET, ".xlsx": EXCEL, ".xlsm": EXCEL,
}  # fmt: skip
_COMPRESSED = {".gz": GZIP, ".zst": ZSTD, ".zstd": ZSTD}
_MAGIC = ((b"PAR1", PARQUET), (b"PK\x03\x04", EXCEL))
_MAGIC_COMPRESSED = ((b"\x1f\x8b", GZIP), (b"\x28\xb5\x2f\xfd", ZSTD))
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_PAGE = (b"<!doctype", b"<html", b"<table", b"<?xml")
_ARRAY = re.compile(rb"\[\s*[{\[]")


def expand(inputs: Sequence[str]) -> list[str]:
    """The files that ``inputs`` name; a pattern gives its matches in order of name.

    Raises:
        InputError: when a pattern matches nothing, or a file is not there.
    """
    found: list[str] = []
    for name in inputs:
        if name == STANDARD or Path(name).exists():
            found.append(name)
        elif glob.has_magic(name):
            matches = sorted(p for p in glob.glob(name, recursive=True) if Path(p).is_file())
            if not matches:
                raise InputError(f"no file matches {name!r}: check the pattern, or name the files")
            found += matches
        else:
            raise InputError(f"{name}: No such file. Check the path.")
    return found


def by_name(name: str) -> tuple[str | None, str | None]:
    """Format and compression as the suffixes of ``name`` say; None where they do not."""
    path = Path(name)
    compression = _COMPRESSED.get(path.suffix.lower())
    suffix = (Path(path.stem) if compression else path).suffix.lower()
    return _BY_SUFFIX.get(suffix), compression


def compression_of(head: bytes) -> str | None:
    """The compression that the first bytes of a file show."""
    return next((name for magic, name in _MAGIC_COMPRESSED if head.startswith(magic)), None)


def format_of(head: bytes, name: str) -> str:
    """The format that the first bytes of the (uncompressed) content show; CSV when nothing speaks against it.

    Raises:
        InputError: for formats that are not read.
    """
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    if head.startswith(_OLD_EXCEL):
        raise InputError(f"{name} is an old or encrypted Excel file: save it as .xlsx without a password")
    text = head[:4096].removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"").lstrip(b"\xff\xfe \t\r\n")
    if text[:9].lower().startswith(_PAGE):
        raise InputError(f"{name} is a page of HTML or XML: open it in a spreadsheet and save it as .xlsx or .csv")
    return JSONL if text.startswith(b"{") or _ARRAY.match(text) else CSV


def check_named(named: str, head: bytes, name: str) -> None:
    """Refuse a file whose name says text and whose first bytes say a workbook or Parquet.

    Raises:
        InputError: with the remedy.
    """
    if named in BINARY:
        return  # their readers say what is wrong
    for magic, found in _MAGIC:
        if head.startswith(magic):
            raise InputError(f"{name} is named as {named} but holds {found}: give --format {found}, or rename it")
    if head.startswith(_OLD_EXCEL):
        format_of(head, name)


def output_of(output: str, wanted: str | None, source: str) -> tuple[str, str | None]:
    """Format and compression of the output.

    Args:
        output: a path, or ``-`` for standard output.
        wanted: the format asked for, if any.
        source: the format of the input, which a name without suffix takes over.

    Raises:
        InputError: when the name does not tell, or compression does not fit.
    """
    named, compression = (None, None) if output == STANDARD else by_name(output)
    found = wanted or named
    if found is None:
        if output != STANDARD and Path(output).suffix and not compression:
            raise InputError(
                f"{output}: the suffix names no known format; give --output-format {'|'.join(FORMATS)}, "
                "or a name that ends in .csv, .tsv, .jsonl (also with .gz or .zst), .parquet or .xlsx"
            )
        found = CSV if output == STANDARD and source in BINARY else source
    if found in BINARY and compression:
        raise InputError(f"{output}: {found} compresses by itself; give a name without {Path(output).suffix}")
    return found, compression
