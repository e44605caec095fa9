from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.edges import tally as module
from classifier.edges.tagged_rows import tags_of
from classifier.edges.tally import Best, Example, Groups, Tally, fold, tally
from classifier.vocabulary import Vocabulary, load_vocabulary


def example(number: int) -> Example:
    return Example(number, "text", tags_of({}), ())


def row(text: str, terms: str = "", probabilities: str = "", reason: str = "", **more: str) -> dict[str, str]:
    return {"what": text, "terms": terms, "probabilities": probabilities, "reason": reason, **more}


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=60))
def test_the_best_rows_are_kept_one_a_text(offers: list[tuple[int, int]]) -> None:
    # One text has one score.
    offers = [(hash(text) % 7, text) for _, text in offers]
    best = Best(4)
    for number, (score, text) in enumerate(offers):
        best.offer(float(score), bytes([text]), number, lambda n=number: example(n))
    first = {text: number for number, (_, text) in reversed(list(enumerate(offers)))}
    expected = sorted(first, key=lambda text: (-(hash(text) % 7), first[text]))[:4]
    times = Counter(text for _, text in offers)
    assert [(e.number, n) for _, n, e in best.ranked()] == [(first[t], times[t]) for t in expected]


@given(st.lists(st.sampled_from("aaaabbbcdefghijklmnopqrstuvwxyz"), max_size=300))
def test_groups_are_bounded_and_honest(names: list[str]) -> None:
    groups = Groups("who", kept=5)
    for name in names:
        groups[name].sums.add(None, "")
        assert len(groups.found) <= 10
    top, rest, values = groups.top(3)
    assert sum(g.sums.rows for _, g in top) + rest.sums.rows == len(names)
    truth = Counter(names)
    for name, group in groups.found.items():
        assert group.sums.rows <= truth[name] <= group.sums.rows + groups.short
    assert len(top) + values <= len(truth)


def test_every_row_counts_once_with_its_reason_or_terms(vocabulary: Vocabulary) -> None:
    rows = [
        row("one", "outsourcing|bpo", "0.9|0.45", who="A", sum="£10"),
        row("two", "outsourcing", "0.6", "bad row: unknown country", who="A", sum="20"),
        row("two", "outsourcing", "0.6", who="B", sum="20"),
        row("three", reason="goods", who="B", sum="€5"),
        row("four", reason="bad row: 3 fields", who="", sum="much"),
        row("", reason="empty", who="", sum=""),
        row("five", "magic", "0.9", who="C", sum="-1"),
    ]
    found = tally(rows, Tally(vocabulary, ["what"], "sum", ["who"], None, {"bpo": 0.4}))
    assert found.all.rows == 7
    assert found.tagged.rows == 3
    assert {r: s.rows for r, s in found.reasons.items()} == {"goods": 1, "bad row": 1, "empty": 1, "": 1}
    assert found.terms["outsourcing"].sums.rows == 3
    assert found.terms["bpo"].close == 1
    assert found.unknown_terms == 1
    assert found.troubled == 1
    assert found.pairs["outsourcing", "bpo"][0].rows == 1
    assert (found.blank, found.unreadable, found.negative) == (1, 1, 1)
    assert found.unreadable_samples == ["much"]
    assert found.all.money == {"GBP": Decimal(10), "": Decimal(39), "EUR": Decimal(5)}
    assert found.repeated.rows == 1
    assert found.repeated.money == {"": Decimal(20)}
    assert found.texts == 6
    assert {n: (g.sums.rows, g.tagged) for n, g in found.groups[0].found.items()} == {
        "A": (2, 2), "B": (2, 1), "": (2, 0), "C": (1, 0),
    }  # fmt: skip
    nearest = [(round(-score, 3), repeats, e.number) for score, repeats, e in found.review.ranked()]
    assert nearest == [(0.05, 1, 1), (0.1, 2, 2)]


def test_memory_is_bounded(vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TEXTS_KEPT", 5)
    rows = (row(str(i), reason=f"reason {i}", who=str(i), sum=f"{i} USD", cur=f"C{i}") for i in range(200))
    found = tally(rows, Tally(vocabulary, ["what"], "sum", ["who"], "cur"))
    assert found.texts == 5
    assert found.texts_full
    assert len(found.reasons) == 13
    assert sum(s.rows for s in found.reasons.values()) == 200
    assert len(found.currencies) == 13
    assert sum(found.currencies.values()) == 200


def test_examples_are_short_and_plain() -> None:
    found = tally([row("a\x00b " * 5000, "eor", "0.9")], Tally(load_vocabulary(), ["what"]))
    ((_, _, shown),) = found.review.ranked()
    assert len(shown.text) == 5000
    text = "".join(piece for piece, _ in shown.pieces())
    assert len(text) < 700
    assert text.startswith("a b a b")
    assert fold(" a\n\t\ud800b ") == "a b"
