from __future__ import annotations

import numpy as np
import pytest

from classifier.net import CONTEXT, HEADS, MOST_WORDS, Net, NetInput, shapes
from classifier.training.net import Learner, batch_of, fit_net, rate_at, structured_error

DIMS, LABELS, CUES, WORDS = 6, 5, 3, 7
VECTORS = np.random.default_rng(1).normal(size=(11, DIMS)).astype(np.float32)


def text(rng: np.random.Generator, n: int) -> NetInput:
    return NetInput(
        rng.integers(-1, 11, n).astype(np.int32),
        rng.integers(0, WORDS + 1, n).astype(np.int32),
        rng.integers(0, 4, n).astype(np.int32),
        np.array([(int(rng.integers(0, n)), int(rng.integers(0, CUES))) for _ in range(n // 2)], np.int32).reshape(
            -1, 2
        ),
        rng.integers(0, 2, len(CONTEXT)).astype(np.float32),
    )


def learner() -> Learner:
    made = Learner(WORDS, CUES, LABELS, DIMS, width=8)
    rng = np.random.default_rng(2)
    # Nothing at zero: every parameter shows in the scores.
    made.parameters = {n: v + rng.normal(0, 0.3, v.shape).astype(np.float32) for n, v in made.parameters.items()}
    made.parameters["own"][0] = 0
    return made


@pytest.mark.parametrize("name", sorted(shapes(1, 1, 1, 1, 1, 1)))
def test_gradients_agree_with_finite_differences(name: str) -> None:
    rng = np.random.default_rng(3)
    made = learner()
    # In double precision, so that small differences can be seen.
    made.parameters = {n: v.astype(np.float64) for n, v in made.parameters.items()}  # type: ignore[misc]
    batch = batch_of([text(rng, 6), text(rng, 3)], VECTORS)
    error = rng.normal(size=(2, LABELS))
    _, kept = made.forward(batch, training=False)
    gradient = made.backward(batch, kept, error)[name]
    value = made.parameters[name]
    for at in [tuple(rng.integers(0, s) for s in value.shape) for _ in range(12)]:
        if name == "own" and at[0] == 0:
            continue
        old, step = value[at], 1e-5
        value[at] = old + step
        up = kept_scores(made, batch)
        value[at] = old - step
        down = kept_scores(made, batch)
        value[at] = old
        slope = float(((up - down) * error).sum() / (2 * step))
        assert gradient[at] == pytest.approx(slope, rel=2e-2, abs=2e-2)


def kept_scores(made: Learner, batch):  # type: ignore[no-untyped-def]
    p, made_up = made.parameters, made
    _, kept = made_up.forward(batch, training=False)
    return kept["pooled"].astype(np.float64) @ p["out"] + p["out_bias"]


def test_answering_and_training_score_alike() -> None:
    rng = np.random.default_rng(4)
    made = learner()
    texts = [text(rng, n) for n in (5, 1, 12)]
    scores, _ = made.forward(batch_of(texts, VECTORS), training=False)
    net = Net(made.parameters, VECTORS)
    for row, t in zip(scores, texts, strict=True):
        assert net.scores(t) == pytest.approx(row, abs=1e-4)


def test_a_long_text_is_read_in_stretches() -> None:
    rng = np.random.default_rng(5)
    made = learner()
    net = Net(made.parameters, VECTORS)
    assert net.scores(text(rng, 3 * MOST_WORDS + 1)).shape == (LABELS,)
    assert net.scores(text(rng, 0)) == pytest.approx(made.parameters["out_bias"])


def test_it_learns_what_a_word_and_its_neighbour_say_and_does_so_alike_each_time() -> None:
    rng = np.random.default_rng(6)
    texts, labels = [], []
    for _ in range(160):
        t = text(rng, 8)
        texts.append(t)
        own = t.own.tolist()
        # True when word 3 stands right before word 5, wherever that is.
        if rng.random() < 0.5:
            k = int(rng.integers(0, 7))
            t.own[k], t.own[k + 1] = 3, 5
            own = t.own.tolist()
        labels.append([any(a == 3 and b == 5 for a, b in zip(own, own[1:], strict=False))])
    Y = np.array(labels)
    known = np.ones_like(Y)
    first = fit_net(texts, Y, known, VECTORS, WORDS, CUES, epochs=25)
    again = fit_net(texts, Y, known, VECTORS, WORDS, CUES, epochs=25)
    assert all((first[n] == again[n]).all() for n in first)
    net = Net(first, VECTORS)
    right = np.mean([(net.scores(t)[0] > 0) == y[0] for t, y in zip(texts, Y, strict=True)])
    assert right > 0.9


def test_the_error_is_nothing_where_the_right_configuration_is_certain() -> None:
    configurations = np.array([[True, False], [False, True]])
    U = configurations.astype(np.float32)
    prior = np.zeros(2, np.float32)
    scores = np.array([[50.0, -50.0]], np.float32)
    Y = np.array([[True, False]])
    assert structured_error(scores, Y, np.ones_like(Y), U, configurations, prior) == pytest.approx(np.zeros((1, 2)))
    # What is not known is not held against an answer.
    unknown = np.zeros_like(Y)
    assert structured_error(-scores, Y, unknown, U, configurations, prior) == pytest.approx(np.zeros((1, 2)))


def test_the_rate_rises_and_falls() -> None:
    assert rate_at(0.01) < rate_at(0.1) > rate_at(0.5) > rate_at(0.99) > 0
    assert HEADS > 1
