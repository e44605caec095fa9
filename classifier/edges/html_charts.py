"""Charts as inline SVG. Sizes follow the page without scaling the letters; a table stands beside each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .html_parts import cut, esc

_ROW = 38
_CELL = 26
_LABEL = 204


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: a label, its parts from 0 up, and the figure at its end."""

    label: str
    parts: Sequence[float]
    figure: str


def told(items: Sequence[Bar]) -> str:
    """Bars as words, for those who do not see them."""
    return "; ".join(f"{item.label}: {item.figure}" for item in items)


def bars(name: str, title: str, description: str, items: Sequence[Bar], label_size: int = 34) -> str:
    """Horizontal bars, each under its label; the longest fills the width."""
    most = max((sum(max(p, 0.0) for p in item.parts) for item in items), default=0.0) or 1.0
    shapes = []
    for n, item in enumerate(items):
        y = n * _ROW
        shapes.append(_text("label", "0", y + 14, cut(item.label, label_size)))
        shapes.append(_text("figure", "100%", y + 14, item.figure, "end"))
        shapes.append(f'<rect class="track" x="0" y="{y + 20}" width="100%" height="9" rx="2"/>')
        at = 0.0
        for kind, part in enumerate(item.parts):
            width = 100 * max(part, 0.0) / most
            if width:
                shapes.append(_rect(f"part{kind}", at, y + 20, width, 9))
                at += width
    return _svg(name, title, description, "".join(shapes), len(items) * _ROW - 6)


def split(name: str, title: str, description: str, parts: Sequence[tuple[str, float]]) -> str:
    """One bar in parts that fill the width, with a legend."""
    whole = sum(part for _, part in parts) or 1.0
    shapes, at = [], 0.0
    for kind, (_, part) in enumerate(parts):
        width = 100 * part / whole
        if width:
            shapes.append(_rect(f"part{kind}", at, 0, width, 26))
            at += width
    return _svg(name, title, description, "".join(shapes), 26) + legend([label for label, _ in parts])


def legend(labels: Sequence[str]) -> str:
    """What the parts of a bar are, in their colours."""
    swatch = '<svg aria-hidden="true" width="12" height="12"><rect class="part{}" width="12" height="12" rx="2"/></svg>'
    items = "".join(f"<li>{swatch.format(kind)} {esc(label)}</li>" for kind, label in enumerate(labels))
    return f'<ul class="legend">{items}</ul>'


def matrix(
    name: str, title: str, description: str, labels: Sequence[str], cells: Sequence[Sequence[int | None]]
) -> str:
    """How often each two of ``labels`` stand together: the lower half; None marks pairs that are not counted."""
    most = max((c for row in cells for c in row if c), default=1)
    shapes = []
    for i, label in enumerate(labels):
        y = i * _CELL
        shapes.append(_text("label", str(_LABEL - 6), y + 17, f"{cut(label, 28)} {i + 1}", "end"))
        for j in range(i):
            value, x = cells[i][j], _LABEL + j * _CELL
            # Five steps by the square root, so that small figures are told apart, too.
            step = 1 + min(4, int(5 * (value / most) ** 0.5)) if value else 0
            side = _CELL - 2
            shapes.append(f'<rect class="heat{step}" x="{x}" y="{y}" width="{side}" height="{side}" rx="2"/>')
            figure = "–" if value is None else _brief(value)
            shapes.append(_text(f"on{step}", _middle(j), y + 16, figure, "middle"))
        shapes.append(_text("label", _middle(i), y + 17, str(i + 1), "middle"))
    side = len(labels) * _CELL
    return _svg(
        name, title, description, "".join(shapes), side, f'viewBox="0 0 {_LABEL + side} {side}" class="chart matrix"'
    )


def _middle(column: int) -> str:
    return f"{_LABEL + column * _CELL + _CELL / 2 - 1:g}"


def _brief(value: int) -> str:
    if value < 1000:
        return str(value)
    return f"{value / 1000:.0f}k" if value < 1_000_000 else f"{value / 1_000_000:.0f}m"


def _text(kind: str, x: str, y: int, text: str, side: str = "start") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{side}">{esc(text)}</text>'


def _rect(kind: str, x: float, y: int, width: float, height: int) -> str:
    return f'<rect class="{kind}" x="{x:.2f}%" y="{y}" width="{width:.2f}%" height="{height}" rx="2"/>'


def _svg(name: str, title: str, description: str, shapes: str, height: int, how: str = "") -> str:
    size = how or f'class="chart" width="100%" height="{max(height, 1)}"'
    return (
        f'<svg {size} role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{esc(title)}</title><desc id="{name}-d">{esc(description)}</desc>{shapes}</svg>'
    )
