"""JSON lines: one object a line. Written back, an object keeps its every character; ours are added at its end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ...errors import InputError
from .decode import UNDECODABLE, Bytes, Text
from .rows import JsonValue, Row, as_json, together

_DECODER = json.JSONDecoder()
_SPACE = " \t\n\r"
_MANY = 10_000
_SAMPLED = 1000


class JsonlSource:
    """A file of JSON lines. Blank lines are no rows.

    Args:
        whole: look through the whole file for keys, as an output with fixed columns needs.

    Attributes:
        header: the keys in order of appearance: of the whole file, or of its first thousand lines.
    """

    typed = True
    delimiter = ","

    def __init__(self, data: Bytes, encoding: str | None = None, whole: bool = False) -> None:
        self.data = data
        self.name = data.name
        self.text = Text(data, encoding)
        self.notices = [self.text.notice] if self.text.notice else []
        start = self.text.sample.lstrip(_SPACE)
        if start.startswith("["):
            raise InputError(f"{self.name} is one JSON array: give one object a line (jq -c '.[]' makes it so)")
        self.header = self._keys(whole)
        self.text.forget()

    def _keys(self, whole: bool) -> list[str]:
        keys: dict[str, None] = {}
        lines = (line for line, _ in self.text.lines()) if whole else iter(self.text.sample.split(self.text.line_end))
        for number, line in enumerate(lines):
            if (not whole and number >= _SAMPLED) or len(keys) >= _MANY:
                break
            try:
                pairs = parse_object(line)
            except (ValueError, RecursionError):
                continue
            keys.update(dict.fromkeys(pairs))
        return list(keys)

    def share(self) -> float | None:
        return self.data.share()

    def rows(self, wanted: frozenset[int] | None = None) -> Iterator[Row]:
        """Every row; a key that it lacks is None, keys beyond the header are left over."""
        known = set(self.header)
        for number, (line, damaged) in enumerate(self.text.lines(), start=1):
            raw = line.strip(_SPACE)
            if not raw:
                continue
            problem = UNDECODABLE if damaged else ""
            try:
                pairs = parse_object(raw)
            except (ValueError, RecursionError) as error:
                reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
                problem = together(problem, f"not a JSON object: {reason}")
                yield Row(number, [None] * len(self.header), problem, raw)
                continue
            cells = [pairs.get(key) for key in self.header]
            more = {k: v.value if isinstance(v, JsonValue) else v for k, v in pairs.items() if k not in known}
            yield Row(number, cells, problem, more or None, raw)


def parse_object(line: str) -> dict[str, Any]:
    """The members of the JSON object in ``line``: strings as such, others as :class:`JsonValue`.

    Raises:
        ValueError: when it is not one JSON object.
        RecursionError: when it is nested too deeply.
    """
    line = line.strip(_SPACE)
    if not line.startswith("{"):
        raise ValueError("it does not begin with {")
    found: dict[str, Any] = {}
    at = _skip(line, 1)
    if line[at : at + 1] == "}":
        at += 1
    else:
        while True:
            if line[at : at + 1] != '"':
                raise ValueError(f"a key in quotation marks is missing at character {at}")
            key, at = _DECODER.raw_decode(line, at)
            at = _skip(line, at)
            if line[at : at + 1] != ":":
                raise ValueError(f"a colon is missing at character {at}")
            start = _skip(line, at + 1)
            value, at = _DECODER.raw_decode(line, start)
            while key in found:  # a key said twice is two cells
                key += "_2"
            found[key] = value if isinstance(value, str) else JsonValue(line[start:at], value)
            at = _skip(line, at)
            mark = line[at : at + 1]
            at = _skip(line, at + 1)
            if mark == "}":
                break
            if mark != ",":
                raise ValueError(f"a comma or }} is missing at character {at - 1}")
    if at < len(line):
        raise ValueError(f"there is more after the object, at character {at}")
    return found


def _skip(line: str, at: int) -> int:
    while line[at : at + 1] and line[at] in _SPACE:
        at += 1
    return at


class JsonlEncoder:
    """Rows as JSON lines.

    Args:
        names: a key for each column, distinct.
        added: keys of the added columns.
    """

    def __init__(self, names: Sequence[str], added: Sequence[str]) -> None:
        self._names = [as_json(n) for n in names]
        self._added = [as_json(n) for n in added]

    def encode(self, rows: Sequence[tuple[Sequence[Any], Sequence[Any], str | None]]) -> str:
        """Each row is given as its cells, the added ones, and its object as it was written, if it had one."""
        lines = []
        for cells, added, raw in rows:
            ours = [f"{k}: {as_json(v)}" for k, v in zip(self._added, added, strict=True)]
            if raw is not None:
                body = raw[1:-1].strip(_SPACE)
                lines.append("{" + ", ".join([*([body] if body else []), *ours]) + "}\n")
            else:
                own = [f"{k}: {as_json(v)}" for k, v in zip(self._names, cells, strict=True)]
                lines.append("{" + ", ".join([*own, *ours]) + "}\n")
        return "".join(lines)


def without_keys(raw: str, keys: frozenset[str]) -> str:
    """The object ``raw`` without some of its members."""
    kept = [f"{as_json(k)}: {as_json(v)}" for k, v in parse_object(raw).items() if k not in keys]
    return "{" + ", ".join(kept) + "}"
