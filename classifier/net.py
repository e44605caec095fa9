"""A small convolutional network over a text's words: the second opinion beside the linear model.

Each word comes in by its distilled vector, by a vector of its own where training saw it often, by the status of
its clause and by the cues that cover it. Two layers of convolution look at its neighbours; the text is what the words
say at most, on average, and where learned attention looks. Beside the labels they say of each word which facts it
states: the evidence. The arithmetic is plain numpy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .keys import Ints, Symbols
from .lexicon import units
from .normal import Context, Normal, cue_pairs
from .places import FAR, MID, NEAR, SAME
from .reading import Reading
from .words import MARKS, WORD

Floats = NDArray[np.float32]

RELATIONS = (SAME, NEAR, MID, FAR)
# The caller's word, then how the places named stand to the client.
CONTEXT = ("vendor-contract", "home", *RELATIONS)
# Words of a text that the network learns from, at most.
MOST_WORDS = 160
# Longer texts are read in stretches of so many words at most, alike in length, and the strongest stretch speaks.
_STRETCH = 4000
HEADS = 4
_EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class NetInput:
    """A text as the network takes it.

    Attributes:
        rows: int array (words,), rows of the lexicon, -1 for an unknown word.
        own: int array (words,), rows of the network's own vectors, 0 for none.
        marks: int array (words,), positions in :data:`MARKS`.
        cues: int array (pairs, 2), word and cue, by word.
        context: float32 array (len(CONTEXT),).
    """

    rows: NDArray[np.int32]
    own: NDArray[np.int32]
    marks: Ints
    cues: Ints
    context: Floats

    def __len__(self) -> int:
        return len(self.rows)


class Encoder:
    """From normalised texts to the network's inputs."""

    def __init__(self, words: Sequence[str], cues: Sequence[str], symbols: Symbols) -> None:
        self.words = tuple(words)
        self.cues = tuple(cues)
        self._cue = {cue: i for i, cue in enumerate(self.cues)}
        # By symbol; the last is for words that have none.
        self._own = np.zeros(len(symbols.names) + 1, dtype=np.int32)
        self._own[[symbols.id(word) for word in words]] = np.arange(1, len(words) + 1)

    def encode(self, readings: Sequence[Reading], contexts: Sequence[Context], normal: Normal) -> list[NetInput]:
        """Encode texts."""
        own = self._own.take(normal.symbols[WORD], mode="clip")
        word, cue = cue_pairs(readings, normal, lambda kind: self._cue.get(kind, len(self.cues)))
        word, cue = word[cue < len(self.cues)], cue[cue < len(self.cues)]
        begins, ends = normal.begin.tolist(), normal.end.tolist()
        first, last = np.searchsorted(word, begins).tolist(), np.searchsorted(word, ends).tolist()
        found = []
        for context, view, a, b, c, d in zip(contexts, normal.views, begins, ends, first, last, strict=True):
            relations = view.relation.values()
            given = [context.vendor_contract, context.home is not None, *[r in relations for r in RELATIONS]]
            pairs = np.stack([word[c:d] - a, cue[c:d]], axis=1)
            found.append(
                NetInput(normal.vector[a:b], own[a:b], normal.mark[a:b], pairs, np.array(given, dtype=np.float32))
            )
        return found


def relu(x: Floats) -> Floats:
    return np.maximum(x, 0.0)


def normalise_rows(x: Floats) -> tuple[Floats, Floats]:
    """Rows at mean 0 and variance 1, and the inverse deviation of each."""
    width = x.shape[-1]
    centred: Floats = np.subtract(x, np.add.reduce(x, axis=-1, keepdims=True) / width)
    square = np.add.reduce(centred * centred, axis=-1, keepdims=True)
    inverse: Floats = np.divide(1.0, np.sqrt(square / width + _EPSILON))
    return np.multiply(centred, inverse, out=centred), inverse


def neighbours(x: Floats, step: int) -> Floats:
    """Each word's row between those ``step`` before and after it, zero beyond the ends.

    Returns:
        float32 array (..., words, 3 * width).
    """
    width = x.shape[-1]
    found = np.zeros((*x.shape[:-1], 3 * width), dtype=x.dtype)
    found[..., step:, :width] = x[..., :-step, :]
    found[..., width : 2 * width] = x
    found[..., :-step, 2 * width :] = x[..., step:, :]
    return found


class Net:
    """Networks of one shape that were fitted from different starts: their mean score errs less than any one's.

    Immutable. All networks take each step together.

    Args:
        nets: for each network its parameters, float32 arrays by name, see :func:`shapes`.
        vectors: the lexicon's vectors, int8 array (words, dimensions).
    """

    def __init__(self, nets: Sequence[Mapping[str, Floats]], vectors: NDArray[np.int8]) -> None:
        p = {name: np.stack([net[name] for net in nets]) for name in nets[0]}
        self._vectors = vectors
        self._p = p
        self._n, self._width = p["in_bias"].shape
        # Looked up instead of multiplied, word by word; a word's rows of all networks stand together.
        self._own, self._mark, self._cue = (
            np.ascontiguousarray(found.swapaxes(0, 1)).reshape(found.shape[1], -1)
            for found in (p["own"] @ p["in_own"], p["mark"], p["cue"])
        )
        self._in, self._context = (np.concatenate(list(p[name]), axis=1) for name in ("in_vector", "context"))
        self._in_bias = p["in_bias"].ravel()
        self._out, self._out_bias = np.concatenate(list(p["out"])) / self._n, p["out_bias"].mean(axis=0)
        self._quote, self._quote_bias = p["quote"] / self._n, p["quote_bias"].mean(axis=0)
        self._norms = [[p[f"{name}{layer}"][:, None, :] for name in ("gain", "shift")] for layer in range(3)]
        self._biases = [p[f"conv{layer}_bias"][:, None, :] for layer in (1, 2)]

    def scores(self, text: NetInput) -> Floats:
        """Mean label scores of one text, float32 array (labels,)."""
        return self.read(text)[0]

    def read(self, text: NetInput) -> tuple[Floats, Floats]:
        """Mean label scores of one text, and for each word the mean log-odds that it states each kind of thing.

        Returns:
            float32 arrays (labels,) and (words, kinds).
        """
        if not len(text):
            return np.asarray(self._out_bias, dtype=np.float32), np.zeros((0, len(self._quote_bias)), dtype=np.float32)
        n = -(-len(text) // _STRETCH)
        cuts = [len(text) * i // n for i in range(n + 1)]
        parts = [self._stretch(text, a, b) for a, b in pairwise(cuts)]
        pooled, quoted = parts[0]
        if len(parts) > 1:
            pooled = np.maximum.reduce([part[0] for part in parts])
            quoted = np.concatenate([part[1] for part in parts])
        return np.asarray(pooled.ravel() @ self._out + self._out_bias, dtype=np.float32), quoted

    def _stretch(self, text: NetInput, start: int, end: int) -> tuple[Floats, Floats]:
        """What each network makes of some words, float32 array (networks, pooled), and what they state."""
        p = self._p
        x = units(self._vectors, text.rows[start:end]) @ self._in
        x += self._own.take(text.own[start:end], axis=0)
        x += self._mark.take(text.marks[start:end], axis=0)
        a, b = np.searchsorted(text.cues[:, 0], (start, end)).tolist()
        for word, cue in text.cues[a:b].tolist():
            x[word - start] += self._cue[cue]
        x += text.context @ self._context + self._in_bias
        x = x.reshape(end - start, self._n, self._width).swapaxes(0, 1)
        x = self._normal(relu(x), 0)
        for layer, step in ((1, 1), (2, 2)):
            inner = neighbours(x, step) @ p[f"conv{layer}"]
            inner += self._biases[layer - 1]
            np.maximum(inner, 0.0, out=inner)
            inner += x
            x = self._normal(inner, layer)
        weights = x @ p["attention"]
        weights -= np.maximum.reduce(weights, axis=1, keepdims=True)
        np.exp(weights, out=weights)
        weights /= np.add.reduce(weights, axis=1, keepdims=True)
        seen = (weights.swapaxes(1, 2) @ x).reshape(self._n, -1)
        mean = np.add.reduce(x, axis=1)
        mean /= np.float32(end - start)
        quoted = np.add.reduce(x @ self._quote, axis=0)
        quoted += self._quote_bias
        return np.concatenate([seen, np.maximum.reduce(x, axis=1), mean], axis=1), quoted

    def _normal(self, x: Floats, layer: int) -> Floats:
        gain, shift = self._norms[layer]
        x = normalise_rows(x)[0]
        x *= gain
        x += shift
        return x


def shapes(
    words: int, cues: int, labels: int, dims: int, width: int, own: int, quoted: int
) -> dict[str, tuple[int, ...]]:
    """The shape of each parameter."""
    return {
        "in_vector": (dims, width), "own": (words + 1, own), "in_own": (own, width), "mark": (len(MARKS), width),
        "cue": (cues, width), "context": (len(CONTEXT), width), "in_bias": (width,),
        "gain0": (width,), "shift0": (width,),
        "conv1": (3 * width, width), "conv1_bias": (width,), "gain1": (width,), "shift1": (width,),
        "conv2": (3 * width, width), "conv2_bias": (width,), "gain2": (width,), "shift2": (width,),
        "attention": (width, HEADS), "out": ((HEADS + 2) * width, labels), "out_bias": (labels,),
        "quote": (width, quoted), "quote_bias": (quoted,),
    }  # fmt: skip


def unpack(flat: NDArray[np.float16], wanted: Mapping[str, tuple[int, ...]]) -> dict[str, Floats]:
    """Parameters from one flat array, in the order of ``wanted``.

    Raises:
        ValueError: when the array is of another length.
    """
    sizes = [math.prod(shape) for shape in wanted.values()]
    if flat.shape != (sum(sizes),):
        raise ValueError(f"{flat.shape} numbers where {sum(sizes)} are wanted")
    parts = np.split(flat.astype(np.float32), np.cumsum(sizes)[:-1])
    return {name: part.reshape(shape) for (name, shape), part in zip(wanted.items(), parts, strict=True)}


def pack(parameters: Mapping[str, Floats]) -> NDArray[np.float16]:
    """All parameters as one flat array, half as long in bytes; see :func:`unpack`."""
    return np.concatenate([value.ravel() for value in parameters.values()]).astype(np.float16)
