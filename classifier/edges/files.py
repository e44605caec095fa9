"""Files that a command writes: never one of its inputs, and whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ..errors import InputError


def refuse_input(output: str | Path, inputs: Iterable[str | Path], option: str = "-o") -> None:
    """Refuse an output that is an input, also under another spelling or by a link. Devices and pipes may be both.

    Raises:
        InputError: naming ``option``, by which the output was given.
    """
    target = Path(os.path.realpath(output))
    if target.is_file() and any(Path(name).exists() and target.samefile(name) for name in inputs):
        raise InputError(f"{output} is an input, which is not overwritten: give another {option}")


@contextmanager
def replacing(path: Path, errors: str = "strict") -> Iterator[TextIO]:
    """A UTF-8 stream for the new content of ``path``, which gets it at the end, if all went well.

    Args:
        errors: what becomes of characters that UTF-8 cannot write, as for :func:`open`.

    Raises:
        OSError: when it cannot be written.
    """
    if path.exists() and not path.is_file():
        # A device or a pipe, which must not be replaced by a file.
        with path.open("w", encoding="utf-8", errors=errors) as out:
            yield out
        return
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", errors=errors) as out:
            yield out
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
