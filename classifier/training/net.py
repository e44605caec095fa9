"""Fitting the network of :mod:`classifier.net`: batches, and gradients by hand.

Beside the labels of the text the network learns which words state each fact: the quotes of the scenarios. That is the
evidence which an answer shows, and it teaches the layers that both share.

Plain numpy, so that training needs nothing beyond what answering needs, and gives the same bytes each time. The
gradients are checked against finite differences in the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..keys import Symbols
from ..lexicon import units
from ..net import HEADS, MOST_WORDS, Floats, NetInput, neighbours, normalise_rows, relu, shapes
from ..words import WORD
from .adam import Adam, rate_at
from .lessons import Lesson, lengthened
from .prepare import View
from .structured import compatible, softmax_in_place

WIDTH = 128
OWN = 48
MIN_COUNT = 5
EPOCHS = 12
BATCH = 64
DROPOUT = 0.25
# How often a word's own vector is forgotten in training: unseen words must do without.
FORGET = 0.15
PRIOR_POWER = 0.7
# How much the quotes count beside the labels.
QUOTE_SHARE = 0.3
# How often a text is set beside another that says nothing of the kind.
LENGTHEN = 0.2


def own_words(views: Sequence[View], symbols: Symbols) -> list[str]:
    """Words that occur often enough to have a vector of their own."""
    counts = np.bincount(np.concatenate([view.normal.symbols[WORD, view.at] for view in views]))
    return sorted(symbols.names[i] for i in np.flatnonzero(counts >= MIN_COUNT).tolist())


@dataclass(slots=True)
class Batch:
    """Texts padded to one length.

    Attributes:
        vectors: float32 array (texts, words, dims).
        own, marks: int arrays (texts, words).
        cues: int array (pairs, 3): text, word, cue.
        context: float32 array (texts, context).
        mask: float32 array (texts, words, 1), 1 where there is a word.
    """

    vectors: Floats
    own: NDArray[np.int32]
    marks: NDArray[np.int32]
    cues: NDArray[np.int32]
    context: Floats
    mask: Floats


def batch_of(texts: Sequence[NetInput], vectors: NDArray[np.int8]) -> Batch:
    """Pad texts to the longest of them, at most ``MOST_WORDS``."""
    n, longest = len(texts), max(1, min(MOST_WORDS, max(len(t) for t in texts)))
    own, marks = np.zeros((n, longest), np.int32), np.zeros((n, longest), np.int32)
    inputs = np.zeros((n, longest, vectors.shape[1]), np.float32)
    mask = np.zeros((n, longest, 1), np.float32)
    cues = []
    for b, t in enumerate(texts):
        k = min(longest, len(t))
        own[b, :k], marks[b, :k], mask[b, :k] = t.own[:k], t.marks[:k], 1.0
        inputs[b, :k] = units(vectors, t.rows[:k])
        inside = t.cues[t.cues[:, 0] < k]
        cues.append(np.column_stack([np.full(len(inside), b, np.int32), inside]))
    return Batch(inputs, own, marks, np.concatenate(cues), np.stack([t.context for t in texts]), mask)


class Learner:
    """Parameters with the forward and backward pass over a batch."""

    def __init__(
        self, words: int, cues: int, labels: int, dims: int, seed: int = 0, width: int = WIDTH, quoted: int = 0
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.parameters: dict[str, Floats] = {}
        wanted = shapes(words, cues, labels, dims, width, OWN, quoted)
        for name, shape in wanted.items():
            if name.startswith("gain"):
                value = np.ones(shape)
            elif name == "quote_bias":
                # A word seldom stands in a quote: start from there.
                value = np.full(shape, -3.0)
            elif name.startswith("shift") or name.endswith("bias") or name == "out":
                value = np.zeros(shape)
            elif name in ("own", "mark", "cue"):
                value = self.rng.normal(0.0, 0.1, shape)
            else:
                bound = np.sqrt(1.0 / shape[0])
                value = self.rng.uniform(-bound, bound, shape)
            self.parameters[name] = value.astype(np.float32)

    def _dropped(self, shape: tuple[int, ...], rate: float) -> Floats:
        """A mask that drops some and scales up the rest."""
        keep = self.rng.random(shape, dtype=np.float32) >= rate
        return (keep / np.float32(1.0 - rate)).astype(np.float32)

    def forward(self, batch: Batch, training: bool) -> tuple[Floats, dict[str, Any]]:
        """Label scores, float32 array (texts, labels), and what the backward pass needs."""
        p, mask = self.parameters, batch.mask
        kept: dict[str, Any] = {}
        own = batch.own
        if training:
            own = own * (self.rng.random(own.shape) >= FORGET)
        kept["own"] = own
        own_vectors = p["own"][own]
        inputs = batch.vectors
        if training:
            kept["drop_own"] = self._dropped(own_vectors.shape, DROPOUT)
            kept["drop_in"] = self._dropped(inputs.shape, DROPOUT)
            own_vectors, inputs = own_vectors * kept["drop_own"], inputs * kept["drop_in"]
        kept["own_vectors"], kept["inputs"] = own_vectors, inputs
        x = inputs @ p["in_vector"] + own_vectors @ p["in_own"] + p["mark"][batch.marks]
        np.add.at(x, (batch.cues[:, 0], batch.cues[:, 1]), p["cue"][batch.cues[:, 2]])
        x += (batch.context @ p["context"])[:, None, :] + p["in_bias"]
        kept["z0"] = x
        kept["hat0"], kept["inv0"] = normalise_rows(relu(x))
        x = (kept["hat0"] * p["gain0"] + p["shift0"]) * mask
        for layer, step in ((1, 1), (2, 2)):
            kept[f"wide{layer}"] = neighbours(x, step)
            z = kept[f"wide{layer}"] @ p[f"conv{layer}"] + p[f"conv{layer}_bias"]
            inner = relu(z)
            if training:
                kept[f"drop{layer}"] = self._dropped(inner.shape, DROPOUT)
                inner = inner * kept[f"drop{layer}"]
            kept[f"z{layer}"] = z
            kept[f"hat{layer}"], kept[f"inv{layer}"] = normalise_rows(x + inner)
            x = (kept[f"hat{layer}"] * p[f"gain{layer}"] + p[f"shift{layer}"]) * mask
        kept["x"] = x
        kept["quote"] = x @ p["quote"] + p["quote_bias"]
        hidden = np.where(mask > 0, 0.0, -1e4).astype(np.float32)
        weights = x @ p["attention"] + hidden
        weights = np.exp(weights - weights.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        kept["weights"] = weights
        attended = np.einsum("blk,blh->bkh", weights, x, optimize=True).reshape(len(x), -1)
        shown = x + hidden
        kept["best"] = shown.argmax(axis=1)
        most = np.take_along_axis(x, kept["best"][:, None, :], axis=1)[:, 0]
        mean = x.sum(axis=1) / mask.sum(axis=1)
        pooled = np.concatenate([attended, most, mean], axis=1)
        if training:
            kept["drop_out"] = self._dropped(pooled.shape, DROPOUT)
            pooled = pooled * kept["drop_out"]
        kept["pooled"] = pooled
        return np.asarray(pooled @ p["out"] + p["out_bias"], dtype=np.float32), kept

    def backward(
        self, batch: Batch, kept: dict[str, Any], error: Floats, quote_error: Floats | None = None
    ) -> dict[str, Floats]:
        """Gradients of the parameters.

        Args:
            batch, kept: as :meth:`forward` had and gave them.
            error: the loss's gradient by the label scores, array (texts, labels).
            quote_error: by the scores of each word, array (texts, words, kinds of quote).
        """
        p, mask = self.parameters, batch.mask
        g: dict[str, Floats] = {"out": kept["pooled"].T @ error, "out_bias": error.sum(axis=0)}
        back = error @ p["out"].T
        if "drop_out" in kept:
            back = back * kept["drop_out"]
        x, weights = kept["x"], kept["weights"]
        n, _, width = x.shape
        attended = back[:, : HEADS * width].reshape(n, HEADS, width)
        most, mean = back[:, HEADS * width : (HEADS + 1) * width], back[:, (HEADS + 1) * width :]
        dx = np.einsum("blk,bkh->blh", weights, attended, optimize=True)
        by_weight = np.einsum("bkh,blh->blk", attended, x, optimize=True)
        logits = weights * (by_weight - (weights * by_weight).sum(axis=1, keepdims=True))
        g["attention"] = _flat(x).T @ _flat(logits)
        dx += logits @ p["attention"].T
        dx += (mean / mask.sum(axis=1))[:, None, :]
        at_most = np.zeros_like(dx)
        np.put_along_axis(at_most, kept["best"][:, None, :], most[:, None, :], axis=1)
        dx += at_most
        if quote_error is not None:
            g["quote"] = _flat(x).T @ _flat(quote_error)
            g["quote_bias"] = _flat(quote_error).sum(axis=0)
            dx += quote_error @ p["quote"].T
        for layer, step in ((2, 2), (1, 1)):
            dx = self._through_norm(g, kept, layer, dx * mask)
            inner = dx * kept[f"drop{layer}"] if f"drop{layer}" in kept else dx
            dz = inner * (kept[f"z{layer}"] > 0)
            g[f"conv{layer}"] = _flat(kept[f"wide{layer}"]).T @ _flat(dz)
            g[f"conv{layer}_bias"] = _flat(dz).sum(axis=0)
            wide = dz @ p[f"conv{layer}"].T
            dx = dx + wide[..., width : 2 * width]
            dx[:, :-step] += wide[:, step:, :width]
            dx[:, step:] += wide[:, :-step, 2 * width :]
        dz = self._through_norm(g, kept, 0, dx * mask) * (kept["z0"] > 0)
        flat = _flat(dz)
        g["in_vector"] = _flat(kept["inputs"]).T @ flat
        g["in_own"] = _flat(kept["own_vectors"]).T @ flat
        own = dz @ p["in_own"].T
        if "drop_own" in kept:
            own = own * kept["drop_own"]
        g["own"] = _added(kept["own"].ravel(), _flat(own), len(p["own"]))
        g["own"][0] = 0.0
        g["mark"] = _added(batch.marks.ravel(), flat, len(p["mark"]))
        g["cue"] = _added(batch.cues[:, 2], dz[batch.cues[:, 0], batch.cues[:, 1]], len(p["cue"]))
        by_text = dz.sum(axis=1)
        g["context"] = batch.context.T @ by_text
        g["in_bias"] = by_text.sum(axis=0)
        return g

    def _through_norm(self, g: dict[str, Floats], kept: dict[str, Any], layer: int, dx: Floats) -> Floats:
        hat, inverse = kept[f"hat{layer}"], kept[f"inv{layer}"]
        g[f"gain{layer}"] = _flat(dx * hat).sum(axis=0)
        g[f"shift{layer}"] = _flat(dx).sum(axis=0)
        d = dx * self.parameters[f"gain{layer}"]
        return np.asarray(
            inverse * (d - d.mean(axis=-1, keepdims=True) - hat * (d * hat).mean(axis=-1, keepdims=True)),
            dtype=np.float32,
        )


def _flat(x: Floats) -> Floats:
    return x.reshape(-1, x.shape[-1])


def _added(rows: NDArray[np.int32], values: Floats, n: int) -> Floats:
    """Sums of the values of each row, array (n, width)."""
    from scipy import sparse

    at = sparse.csr_array((np.ones(len(rows), np.float32), (rows, np.arange(len(rows)))), shape=(n, len(rows)))
    return np.asarray(at @ values, dtype=np.float32)


def fit_net(
    lessons: Sequence[Lesson],
    vectors: NDArray[np.int8],
    words: int,
    cues: int,
    epochs: int = EPOCHS,
    seed: int = 0,
) -> dict[str, Floats]:
    """Fit the network so that its label scores make the right configurations likely.

    Args:
        lessons: texts with what is known of them.
        vectors: the lexicon's vectors.
        words, cues: how many words have vectors of their own, and how many kinds of cue there are.

    Returns:
        The parameters, float32 arrays by name.
    """
    Y, known = np.stack([one.Y for one in lessons]), np.stack([one.known for one in lessons])
    learner = Learner(words, cues, Y.shape[1], vectors.shape[1], seed, quoted=lessons[0].quoted.shape[1])
    configurations, inverse = np.unique(Y, axis=0, return_inverse=True)
    counts = np.bincount(inverse.ravel(), minlength=len(configurations)) + 0.5
    prior = (PRIOR_POWER * np.log(counts / counts.sum())).astype(np.float32)
    U = configurations.astype(np.float32)
    optimiser = Adam(learner.parameters)
    steps = epochs * -(-len(lessons) // BATCH)
    done = 0
    quiet = [one for one in lessons if one.quiet]
    for _ in range(epochs):
        for rows in _batches([len(one.text) for one in lessons], learner.rng):
            taken = lengthened([lessons[i] for i in rows], quiet, LENGTHEN, learner.rng)
            batch = batch_of([one.text for one in taken], vectors)
            found, kept = learner.forward(batch, training=True)
            share = np.float32(1.0 / len(rows))
            error = structured_error(found, Y[rows], known[rows], U, configurations, prior)
            by_word = quote_error(kept["quote"], taken, batch.mask)
            gradients = learner.backward(batch, kept, error * share, by_word * (share * np.float32(QUOTE_SHARE)))
            done += 1
            optimiser.step(gradients, rate_at(done / steps))
    return learner.parameters


def quote_error(scores: Floats, lessons: Sequence[Lesson], mask: Floats) -> Floats:
    """The gradient, by the scores of each word, of the log-loss of its standing in a quote of each kind.

    Args:
        scores: array (texts, words, kinds of quote).
        lessons: the texts.
        mask: array (texts, words, 1).
    """
    right, sure = np.zeros_like(scores), np.zeros_like(scores)
    for b, one in enumerate(lessons):
        right[b, : len(one.quoted)] = one.quoted[: scores.shape[1]]
        sure[b, : len(one.sure)] = one.sure[: scores.shape[1]]
    return np.asarray((1.0 / (1.0 + np.exp(-scores)) - right) * sure * mask, dtype=np.float32)


def structured_error(
    scores: Floats,
    Y: NDArray[np.bool_],
    known: NDArray[np.bool_],
    U: Floats,
    configurations: NDArray[np.bool_],
    prior: Floats,
) -> Floats:
    """The gradient of the negative log-likelihood of the right configurations by the label scores."""
    every = scores @ U.T + prior
    right = np.where(compatible(Y, known, configurations), every, -np.inf)
    softmax_in_place(every)
    softmax_in_place(right)
    return np.asarray((every - right) @ U, dtype=np.float32)


def _batches(lengths: Sequence[int], rng: np.random.Generator) -> list[list[int]]:
    """Texts of like length together, within random stretches; batches in random order."""
    order = rng.permutation(len(lengths)).tolist()
    stretch = BATCH * 20
    order = [i for a in range(0, len(order), stretch) for i in sorted(order[a : a + stretch], key=lambda j: lengths[j])]
    batches = [order[a : a + BATCH] for a in range(0, len(order), BATCH)]
    return [batches[i] for i in rng.permutation(len(batches)).tolist()]
