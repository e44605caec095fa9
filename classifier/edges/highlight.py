"""Finding quoted evidence in its text again, and cutting a long text around it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_AROUND = 70


def locate(text: str, quotes: Iterable[str]) -> list[tuple[int, int]]:
    """Where each quote stands in ``text``: start and end as string offsets, in order, each place once.

    Quotes have their white space folded and come in the order of the text; the same words twice are two
    places. A quote that is not there (the text was edited since) is left out.
    """
    found: list[tuple[int, int]] = []
    after = 0
    for quote in quotes:
        place = _find(text, quote, after) or _find(text, quote, 0)
        if place is not None:
            after = place[0] + 1
            if place not in found:
                found.append(place)
    return sorted(found)


def _find(text: str, quote: str, after: int) -> tuple[int, int] | None:
    """Whole words first: "as" is not to be found in "was"."""
    words = quote.split()
    if not words:
        return None
    pattern = r"\s+".join(map(re.escape, words))
    for form in (rf"(?<!\w){pattern}(?!\w)", pattern):
        match = re.compile(form).search(text, after)
        if match:
            return match.span()
    return None


def excerpt(text: str, spans: Sequence[tuple[int, int]], limit: int = 600) -> list[tuple[str, bool]]:
    """``text`` in pieces with whether each is evidence; what a long text has between is ``…``.

    The beginning is kept, and the surroundings of evidence further on while ``limit`` lasts.
    """
    kept = [(0, len(text))]
    if len(text) > limit:
        kept = [(0, _word_end(text, limit // 2))]
        left = limit - kept[0][1]
        for start, end in spans:
            if end <= kept[-1][1]:
                continue
            begin, stop = max(_word_start(text, start - _AROUND), kept[-1][1]), _word_end(text, end + _AROUND)
            if stop - begin > left:
                break
            left -= stop - begin
            if begin <= kept[-1][1] + 3:
                kept[-1] = (kept[-1][0], stop)
            else:
                kept.append((begin, stop))
        if len(kept) == 1 and left > 0:
            kept = [(0, _word_end(text, kept[0][1] + left))]
    pieces: list[tuple[str, bool]] = []
    for n, (begin, stop) in enumerate(kept):
        if n:
            pieces.append((" … ", False))
        at = begin
        for start, end in _merged(spans):
            start, end = max(start, at), min(end, stop)
            if start < end:
                pieces += [(text[at:start], False), (text[start:end], True)]
                at = end
        pieces.append((text[at:stop], False))
    if kept[-1][1] < len(text):
        pieces.append((" …", False))
    return [piece for piece in pieces if piece[0]]


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _word_end(text: str, at: int) -> int:
    """The end of the word that ``at`` falls into, unless it is endless."""
    end = at
    while end < len(text) and end - at < 30 and not text[end].isspace():
        end += 1
    return min(end, len(text))


def _word_start(text: str, at: int) -> int:
    start = max(at, 0)
    while start > 0 and at - start < 30 and not text[start - 1].isspace():
        start -= 1
    return start
