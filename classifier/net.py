"""A small convolutional network over a text's words: the second opinion beside the linear model.

Each word comes in by its distilled vector, by a vector of its own where training saw it often, by the status of
its clause and by the cues that cover it. Two layers of convolution look at its neighbours; the text is what the words
say at most, on average, and where learned attention looks. The arithmetic is plain numpy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
# Longer texts are read in stretches of this many words, and the strongest stretch speaks.
MOST_WORDS = 160
HEADS = 4
_EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class NetInput:
    """A text as the network takes it.

    Attributes:
        rows: int array (words,), rows of the lexicon, -1 for an unknown word.
        own: int array (words,), rows of the network's own vectors, 0 for none.
        marks: int array (words,), positions in :data:`MARKS`.
        cues: int array (pairs, 2), word and cue.
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
    centred = x - x.mean(axis=-1, keepdims=True)
    inverse = 1.0 / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + _EPSILON)
    return centred * inverse, inverse


def neighbours(x: Floats, step: int) -> Floats:
    """Each word's row between those ``step`` before and after it, zero beyond the ends.

    Returns:
        float32 array (..., words, 3 * width).
    """
    before, after = np.zeros_like(x), np.zeros_like(x)
    before[..., step:, :] = x[..., :-step, :]
    after[..., :-step, :] = x[..., step:, :]
    return np.concatenate([before, x, after], axis=-1)


class Net:
    """The network with fitted parameters. Immutable.

    Args:
        parameters: float32 arrays by name, see :func:`shapes`.
        vectors: the lexicon's vectors, int8 array (words, dimensions).
    """

    def __init__(self, parameters: Mapping[str, Floats], vectors: NDArray[np.int8]) -> None:
        self.parameters = dict(parameters)
        self._vectors = vectors
        p = self.parameters
        # Looked up instead of multiplied, word by word.
        self._own = p["own"] @ p["in_own"]

    def scores(self, text: NetInput) -> Floats:
        """Label scores of one text, float32 array (labels,)."""
        if not len(text):
            return np.asarray(self.parameters["out_bias"], dtype=np.float32)
        parts = [self._stretch(text, a, min(len(text), a + MOST_WORDS)) for a in range(0, len(text), MOST_WORDS)]
        pooled = parts[0] if len(parts) == 1 else np.max(parts, axis=0)
        return np.asarray(pooled @ self.parameters["out"] + self.parameters["out_bias"], dtype=np.float32)

    def _stretch(self, text: NetInput, start: int, end: int) -> Floats:
        p = self.parameters
        x = units(self._vectors, text.rows[start:end]) @ p["in_vector"]
        x = x + self._own[text.own[start:end]] + p["mark"][text.marks[start:end]]
        inside = text.cues[(text.cues[:, 0] >= start) & (text.cues[:, 0] < end)]
        np.add.at(x, inside[:, 0] - start, p["cue"][inside[:, 1]])
        x += text.context @ p["context"] + p["in_bias"]
        x = normalise_rows(relu(x))[0] * p["gain0"] + p["shift0"]
        for layer, step in ((1, 1), (2, 2)):
            inner = relu(neighbours(x, step) @ p[f"conv{layer}"] + p[f"conv{layer}_bias"])
            x = normalise_rows(x + inner)[0] * p[f"gain{layer}"] + p[f"shift{layer}"]
        weights = x @ p["attention"]
        weights = np.exp(weights - weights.max(axis=0))
        weights /= weights.sum(axis=0)
        return np.concatenate([(weights.T @ x).ravel(), x.max(axis=0), x.mean(axis=0)])


class Ensemble:
    """Networks that were fitted from different starts: their mean score errs less than any one's. Immutable.

    Args:
        nets: the networks.
    """

    def __init__(self, nets: Sequence[Net]) -> None:
        self.nets = tuple(nets)

    def scores(self, text: NetInput) -> Floats:
        """Mean label scores of one text, float32 array (labels,)."""
        return np.asarray(np.mean([net.scores(text) for net in self.nets], axis=0), dtype=np.float32)


def shapes(words: int, cues: int, labels: int, dims: int, width: int, own: int) -> dict[str, tuple[int, ...]]:
    """The shape of each parameter."""
    return {
        "in_vector": (dims, width), "own": (words + 1, own), "in_own": (own, width), "mark": (len(MARKS), width),
        "cue": (cues, width), "context": (len(CONTEXT), width), "in_bias": (width,),
        "gain0": (width,), "shift0": (width,),
        "conv1": (3 * width, width), "conv1_bias": (width,), "gain1": (width,), "shift1": (width,),
        "conv2": (3 * width, width), "conv2_bias": (width,), "gain2": (width,), "shift2": (width,),
        "attention": (width, HEADS), "out": ((HEADS + 2) * width, labels), "out_bias": (labels,),
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
