from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from classifier import Classifier
from classifier.edges.tables import tags
from classifier.edges.tables.options import ADDED
from classifier.edges.tables.rows import JsonValue, Row
from classifier.edges.tables.tags import Context, Tagger, answer
from classifier.tagging import Tagging

MANILA = "Calls from our customers are answered by a vendor in Manila."
CLEAN = "Window cleaning, two buildings"


class Counting:
    """A classifier that writes down what it is asked, and fails on one text."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self.vocabulary, self.context = classifier.vocabulary, classifier.context
        self.asked: list[tuple[str, Any, Any, Any]] = []

    def tag(self, text: str, **context: Any) -> Tagging:
        if text == "fail":
            raise RuntimeError("no\nway")
        self.asked.append((text, context["home"], context["provider_country"], context["vendor_contract"]))
        return self._classifier.tag(text, **context)

    def tag_many(self, texts: Iterable[str], **context: Any) -> Iterator[Tagging]:
        return (self.tag(text, **context) for text in texts)


@pytest.fixture
def counting(classifier: Classifier) -> Counting:
    return Counting(classifier)


def rows(*cells: list[Any], problem: str = "", left_over: Any = None) -> list[Row]:
    return [Row(i, c, problem, left_over) for i, c in enumerate(cells, start=2)]


def tagger(classifier: Any, context: Context = Context((0,)), **more: Any) -> Tagger:  # noqa: B008
    return Tagger(classifier, context, more.pop("columns", ADDED), **more)


def test_a_text_that_comes_again_is_tagged_once(counting: Counting) -> None:
    mine = tagger(counting)
    first = mine.tag(rows([MANILA], [CLEAN], [MANILA]))
    assert first[0] == first[2]
    assert mine.tag(rows([CLEAN])) == [first[1]]
    assert [text for text, *_ in counting.asked] == [MANILA, CLEAN]


def test_memory_of_texts_is_bounded(counting: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "_REMEMBERED", 3)
    mine = tagger(counting)
    for i in [*range(5), 4, 0]:
        mine.tag(rows([f"cleaning {i}"]))
    assert len(mine._known) == 3
    assert [text[-1] for text, *_ in counting.asked] == list("012340")


def test_context_comes_from_columns_and_else_from_the_call(counting: Counting) -> None:
    context = Context((0,), "GB", 1, "IN", 2, False, 3)
    mine = tagger(counting, context)
    found = mine.tag(rows(["a"] * 4, ["b", "", " ", " "], ["c", "France", "pl", ""], ["d", "Narnia", "", "Acme"]))
    assert counting.asked == [
        ("a", None, None, True),
        ("b", "GB", "IN", False),
        ("c", "France", "pl", False),
        ("d", None, "IN", True),
    ]
    assert [t.problem for t in found] == [
        "unknown home country 'a': tagged without it; unknown provider country 'a': tagged without it",
        "",
        "",
        "unknown home country 'Narnia': tagged without it",
    ]
    assert context.positions() == {0, 1, 2, 3}


def test_several_columns_and_other_types_are_joined_as_text(counting: Counting) -> None:
    tagger(counting, Context((1, 0))).tag(rows([JsonValue("[1]", [1]), "x"], [None, 5]))
    assert [text for text, *_ in counting.asked] == ["x\n[1]", "5\n"]


def test_one_text_that_fails_does_not_harm_the_others(counting: Counting) -> None:
    good, bad, same = tagger(counting).tag(rows([MANILA], ["fail"], ["fail"]))
    assert good.has_term
    assert good.problem == ""
    assert bad == same
    assert bad.problem == "could not be tagged: RuntimeError: no\nway"
    assert bad.lines[0][4] == f"bad row: {bad.problem}"


def test_a_bad_row_says_why_and_keeps_what_fits_no_column(classifier: Classifier) -> None:
    (found,) = tagger(classifier).tag(rows([MANILA], problem="3 fields where the header has 1", left_over=["a", '"b']))  # fmt: skip
    reason = found.lines[0][ADDED.index("reason")]
    assert reason.startswith("bad row: 3 fields where the header has 1; left over: ")
    assert json.loads(reason.split("left over: ")[1]) == ["a", '"b']
    assert found.lines[0][0] == "|".join(classifier.tag(MANILA).ids)
    (without,) = tagger(classifier, columns=("terms",)).tag(rows([MANILA], problem="x"))
    assert without.lines == (("|".join(classifier.tag(MANILA).ids),),)


def test_very_long_texts_are_read_in_part_and_say_so(counting: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "LONGEST_TEXT", 100)
    (found,) = tagger(counting).tag(rows([MANILA * 9]))
    assert counting.asked[0][0] == (MANILA * 9)[:100]
    assert "of a text of 540 characters the first 100 were read" in found.problem


def test_wide_adds_a_flag_for_each_term(classifier: Classifier) -> None:
    terms = list(classifier.vocabulary.terms)
    (found,) = tagger(classifier, columns=("reason",), wide=True).tag(rows([MANILA]))
    ids = classifier.tag(MANILA).ids
    assert list(found.lines[0][1:]) == [int(term in ids) for term in terms]


def test_long_gives_a_line_for_each_tag(classifier: Classifier) -> None:
    tagged, silent = tagger(classifier, long=True).tag(rows([MANILA], [""]))
    tagging = classifier.tag(MANILA)
    assert [line[0] for line in tagged.lines] == list(tagging.ids)
    for line, term in zip(tagged.lines, tagging.terms, strict=True):
        assert line[1] == f"{term.probability:.3f}"
        assert line[2] == "|".join(d.id for d in term.definitions)
    assert [line[4] for line in silent.lines] == ["empty"]


def test_an_answer_is_what_the_tagging_says(classifier: Classifier) -> None:
    tagging = classifier.tag(MANILA, home="US")
    found = answer(tagging, range(len(tagging.terms)))
    assert list(found) == list(ADDED)
    assert found["terms"] == "|".join(tagging.ids)
    assert "Manila" in found["evidence"]
    assert found["reason"] == ""
    assert found["model"].startswith(tagging.model.version)
    silent = classifier.tag("", home="US")
    assert answer(silent, ())["reason"] == "empty"


def test_what_the_caller_said_is_cited_as_evidence(classifier: Classifier) -> None:
    said = classifier.tag(CLEAN, vendor_contract=True)
    found = answer(said, range(len(said.terms)))
    assert found["evidence"].endswith("[caller: vendor contract]")
    assert "caller" not in answer(classifier.tag(MANILA), range(1))["evidence"]
    there = classifier.tag("A vendor answers our calls.", home="US", provider_country="IN")
    for i, term in enumerate(there.terms):
        quoted = answer(there, (i,))["evidence"]
        assert ("[caller: home country] | [caller: provider country]" in quoted) == ("home" in term.given)
    assert "offshoring" in there.ids
