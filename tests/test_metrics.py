from __future__ import annotations

import pytest

from classifier.training.metrics import Answer, Tally, line, score, term_table

TERMS = ("a", "b", "c")


def answer(given: str, must: str, may: str = "", group: str | None = None) -> Answer:
    return Answer(frozenset(given), frozenset(must), frozenset(may), group)


def test_may_counts_neither_way() -> None:
    scores = score([answer("ab", "a", "b"), answer("a", "a", "b")], TERMS)
    assert (scores.total.right, scores.total.wrong, scores.total.missed) == (2, 0, 0)
    assert scores.exact == 2


def test_figures() -> None:
    scores = score([answer("ab", "ac"), answer("", ""), answer("b", "", "a"), answer("a", "", "a")], TERMS)
    assert (scores.total.right, scores.total.wrong, scores.total.missed) == (1, 2, 1)
    assert scores.total.precision == pytest.approx(1 / 3)
    assert scores.total.recall == pytest.approx(1 / 2)
    assert scores.micro_f1 == pytest.approx(2 / 5)
    assert scores.macro_f1 == pytest.approx((1 + 0 + 0) / 3)
    assert scores.exact_match == pytest.approx(2 / 4)
    assert scores.clean_share == pytest.approx(2 / 3)
    assert scores.group_share is None


def test_a_group_is_right_only_when_all_of_it_is() -> None:
    answers = [answer("a", "a", group="g"), answer("b", "a", group="g"), answer("a", "a", group="h")]
    assert score(answers, TERMS).group_share == pytest.approx(1 / 2)


def test_nothing_to_count() -> None:
    scores = score([], TERMS)
    assert scores.micro_f1 == 1.0
    assert Tally().f1 == 1.0
    assert "-" in line("none", scores)
    assert term_table(scores).count("\n") == len(TERMS)
    assert scores.to_dict()["no_term_clean"] is None
