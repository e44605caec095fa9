from __future__ import annotations

import numpy as np
import pytest

from classifier.net import CONTEXT, MOST_WORDS, Net, NetInput, shapes
from classifier.training.lessons import Lesson
from classifier.training.net import Learner, batch_of, fit_net, quote_error, structured_error

DIMS, LABELS, CUES, WORDS, QUOTES = 6, 5, 3, 7, 2
VECTORS = np.random.default_rng(1).integers(-127, 128, size=(11, DIMS)).astype(np.int8)


def text(rng: np.random.Generator, n: int) -> NetInput:
    return NetInput(
        rng.integers(-1, 11, n).astype(np.int32),
        rng.integers(0, WORDS + 1, n).astype(np.int32),
        rng.integers(0, 4, n).astype(np.int32),
        np.array(
            sorted((int(rng.integers(0, n)), int(rng.integers(0, CUES))) for _ in range(n // 2)), np.int32
        ).reshape(-1, 2),
        rng.integers(0, 2, len(CONTEXT)).astype(np.float32),
    )


def learner() -> Learner:
    made = Learner(WORDS, CUES, LABELS, DIMS, width=8, quoted=QUOTES)
    rng = np.random.default_rng(2)
    # Nothing at zero: every parameter shows in the scores.
    made.parameters = {n: v + rng.normal(0, 0.3, v.shape).astype(np.float32) for n, v in made.parameters.items()}
    made.parameters["own"][0] = 0
    return made


@pytest.mark.parametrize("name", sorted(shapes(1, 1, 1, 1, 1, 1, 1)))
def test_gradients_agree_with_finite_differences(name: str) -> None:
    rng = np.random.default_rng(3)
    made = learner()
    # In double precision, so that small differences can be seen.
    made.parameters = {n: v.astype(np.float64) for n, v in made.parameters.items()}  # type: ignore[misc]
    batch = batch_of([text(rng, 6), text(rng, 3)], VECTORS)
    error, by_word = rng.normal(size=(2, LABELS)), rng.normal(size=(2, 6, QUOTES)) * batch.mask
    _, kept = made.forward(batch, training=False)
    gradient = made.backward(batch, kept, error, by_word)[name]
    value = made.parameters[name]
    for at in [tuple(rng.integers(0, s) for s in value.shape) for _ in range(12)]:
        if name == "own" and at[0] == 0:
            continue
        old, step = value[at], 1e-5
        value[at] = old + step
        up = loss(made, batch, error, by_word)
        value[at] = old - step
        down = loss(made, batch, error, by_word)
        value[at] = old
        slope = (up - down) / (2 * step)
        assert gradient[at] == pytest.approx(slope, rel=2e-2, abs=2e-2)


def loss(made: Learner, batch, error, by_word) -> float:  # type: ignore[no-untyped-def]
    """A loss that has ``error`` and ``by_word`` as its gradients by the scores."""
    p = made.parameters
    _, kept = made.forward(batch, training=False)
    scores = kept["pooled"].astype(np.float64) @ p["out"] + p["out_bias"]
    return float((scores * error).sum() + (kept["quote"] * by_word).sum())


def test_answering_and_training_score_alike() -> None:
    rng = np.random.default_rng(4)
    made = learner()
    texts = [text(rng, n) for n in (5, 1, 12)]
    scores, kept = made.forward(batch_of(texts, VECTORS), training=False)
    net = Net([made.parameters], VECTORS)
    for row, quoted, t in zip(scores, kept["quote"], texts, strict=True):
        found = net.read(t)
        assert found[0] == pytest.approx(row, abs=1e-4)
        assert found[1] == pytest.approx(quoted[: len(t)], abs=1e-4)


def test_several_networks_answer_with_their_mean() -> None:
    rng = np.random.default_rng(9)
    made = [learner(), learner()]
    made[1].parameters = {n: v + np.float32(0.1) for n, v in made[1].parameters.items()}
    t = text(rng, 7)
    both = Net([one.parameters for one in made], VECTORS).read(t)
    alone = [Net([one.parameters], VECTORS).read(t) for one in made]
    for n in range(2):
        assert both[n] == pytest.approx((alone[0][n] + alone[1][n]) / 2, abs=1e-4)


def test_a_long_text_is_read_in_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    made = learner()
    net = Net([made.parameters], VECTORS)
    t = text(rng, 3 * MOST_WORDS + 1)
    whole = net.read(t)
    monkeypatch.setattr("classifier.net._STRETCH", MOST_WORDS)
    lengths = []
    read = net._stretch
    monkeypatch.setattr(Net, "_stretch", lambda self, t, a, b: lengths.append(b - a) or read(t, a, b))
    parts = net.read(t)
    assert parts[1].shape == whole[1].shape
    assert max(lengths) - min(lengths) <= 1, "a short end would be pooled like the rest"
    monkeypatch.undo()
    scores, quoted = net.read(text(rng, 3 * MOST_WORDS + 1))
    assert scores.shape == (LABELS,)
    assert quoted.shape == (3 * MOST_WORDS + 1, QUOTES)
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
    none = np.zeros((8, QUOTES), dtype=bool)
    lessons = [Lesson(t, y, np.ones_like(y), none, none) for t, y in zip(texts, Y, strict=True)]
    first = fit_net(lessons, VECTORS, WORDS, CUES, epochs=25)
    again = fit_net(lessons, VECTORS, WORDS, CUES, epochs=25)
    assert all((first[n] == again[n]).all() for n in first)
    net = Net([first], VECTORS)
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


def test_words_are_held_to_their_quotes_only_where_that_is_known_and_there_is_a_word() -> None:
    t = text(np.random.default_rng(7), 2)
    y = np.zeros(LABELS, dtype=bool)
    quoted = np.array([[True, False], [False, False]])
    sure = np.array([[True, True], [True, False]])
    mask = np.array([[[1.0], [1.0], [0.0]]], dtype=np.float32)
    error = quote_error(np.zeros((1, 3, 2), np.float32), [Lesson(t, y, y, quoted, sure)], mask)
    assert error[0].tolist() == [[-0.5, 0.5], [0.5, 0.0], [0.0, 0.0]]
