"""The last step for outputs that cannot be written chunk by chunk: Parquet, Excel, one Zstandard frame."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ...errors import InputError
from .decode import Bytes, zstandard
from .excel import write_excel
from .formats import EXCEL, PARQUET, ZSTD
from .journal import State
from .parquet import write_parquet
from .plan import Plan
from .sources import Table

_BLOCK = 1 << 20


def converter(plan: Plan, table: Table, state: Callable[[], State]) -> Callable[[Path, Path], None] | None:
    """What makes the output of the unfinished file, given both paths; None when that is the output already."""

    def parquet(part: Path, made: Path) -> None:
        tags = _tags(part)
        kinds = state().kinds or (0,) * len(plan.header)
        write_parquet(made, table.sources, plan.keys, plan.added, kinds, tags)
        _exhausted(tags)

    def excel(part: Path, made: Path) -> None:
        tags = _tags(part)
        write_excel(made, table.sources, plan.keys, plan.names(), tags, moved=plan.long)
        _exhausted(tags)

    if plan.output == PARQUET:
        return parquet
    if plan.output == EXCEL:
        return excel
    return _one_frame if plan.compression == ZSTD else None


def _tags(part: Path) -> Iterator[list[list[Any]]]:
    with part.open("rb") as lines:
        for line in lines:
            yield json.loads(line)


def _exhausted(tags: Iterator[Any]) -> None:
    if next(tags, None) is not None:
        raise InputError("the input has changed since it was tagged: tag it again with --restart")


def _one_frame(part: Path, made: Path) -> None:
    """Many readers stop after the first frame, so the output has only one."""
    compressor = zstandard().ZstdCompressor(level=3)
    with (
        Bytes(part, str(part)).open() as frames,
        made.open("wb") as out,
        compressor.stream_writer(out, closefd=False) as writer,
    ):
        while block := frames.read(_BLOCK):
            writer.write(block)
