from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifier.cues import ASSERTED, DENIED, ENDED, PLANNED, STATUSES, Match, find_cues, load_cues
from classifier.errors import VocabularyError
from classifier.forms import CLAUSE_END
from classifier.reading import load_reader
from classifier.vocabulary import Vocabulary

# text, cue phrase, its status
STATUS = [
    ("The help desk is run by a vendor.", "vendor", "asserted"),
    ("The help desk is not run by an outside firm.", "outside firm", "denied"),
    ("No vendor is involved.", "vendor", "denied"),
    ("We ended the contract with our call centre in May.", "call centre", "ended"),
    ("Payroll was brought back in house.", "payroll", "ended"),
    ("We are considering a call centre in Manila.", "call centre", "discussed"),
    ("Should we hire a freelancer?", "freelancer", "discussed"),
    ("From next year payroll will go to a bureau.", "bureau", "planned"),
    ("We refused the vendor, but a bureau keeps the ledger.", "bureau", "asserted"),
    ("We refused the vendor, but a bureau keeps the ledger.", "vendor", "denied"),
]  # fmt: skip

FACT, NO, BUT = Match("fact", "it"), Match("forward", DENIED), Match("end", "")


@pytest.mark.parametrize(("text", "phrase", "status"), STATUS)
def test_a_cue_has_the_status_that_its_clause_gives_it(text: str, phrase: str, status: str) -> None:
    cues = [c for c in load_reader().read(text).cues if text[c.start : c.end].lower() == phrase]
    assert cues
    assert {c.status for c in cues} == {status}


def found(
    matches: list[tuple[Match, int, int]], sentence: list[int], stops: tuple[int, ...] = (), reach: int = 3
) -> tuple[list[str], list[str]]:
    """The statuses of the cues and of the tokens; tokens are one character each."""
    n = len(sentence)
    status, flags = np.zeros(n, dtype=np.int8), np.zeros(n, dtype=np.int32)
    flags[list(stops)] = CLAUSE_END
    begin = np.arange(n, dtype=np.int32)
    cues = find_cues(matches, begin, begin + 1, np.array(sentence, dtype=np.int32), flags, status, reach)
    assert all((c.start, c.end) == (c.first, c.last + 1) for c in cues)
    return [c.status for c in cues], [STATUSES[s] for s in status.tolist()]


@pytest.mark.parametrize(
    ("matches", "sentence", "stops", "silenced"),
    [
        pytest.param([(NO, 1, 1)], [0] * 8, (), {1, 2, 3, 4}, id="reach"),
        pytest.param([(NO, 1, 1)], [0, 0, 0, 1, 1], (), {1, 2}, id="sentence-ends"),
        pytest.param([(NO, 1, 1)], [0] * 8, (3,), {1, 2}, id="clause-ends"),
        pytest.param([(NO, 1, 1), (BUT, 3, 3)], [0] * 8, (), {1, 2}, id="terminator"),
        pytest.param([(NO, 6, 7)], [0] * 8, (), {6, 7}, id="end-of-text"),
        pytest.param([(Match("backward", DENIED), 5, 6)], [0] * 8, (), {2, 3, 4, 5, 6}, id="backward"),
        pytest.param([(Match("backward", DENIED), 5, 6)], [0] * 8, (3,), {4, 5, 6}, id="backward-clause"),
        pytest.param([(Match("backward", DENIED), 1, 1)], [0] * 3, (), {0, 1}, id="start-of-text"),
        pytest.param(
            [(Match("sentence", DENIED), 4, 4)], [0, 1, 1, 1, 1, 1, 1, 2], (3,), {1, 2, 3, 4, 5, 6}, id="whole"
        ),
    ],
)
def test_a_scope_reaches_to_its_bounds(
    matches: list[tuple[Match, int, int]], sentence: list[int], stops: tuple[int, ...], silenced: set[int]
) -> None:
    _, status = found(matches, sentence, stops)
    assert {i for i, s in enumerate(status) if s == DENIED} == silenced
    assert set(status) <= {ASSERTED, DENIED}


def test_the_weightier_status_wins_whatever_the_order() -> None:
    scopes = [(Match("forward", status), 0, 0) for status in (PLANNED, DENIED, ENDED)]
    for matches in (scopes, scopes[::-1]):
        assert found([*matches, (FACT, 1, 2)], [0] * 5) == ([DENIED], [DENIED] * 4 + [ASSERTED])


def test_a_cue_is_silenced_if_any_of_its_words_is() -> None:
    statuses, _ = found([(NO, 0, 0), (FACT, 3, 4), (FACT, 5, 5)], [0] * 6)
    assert statuses == [DENIED, ASSERTED]


def test_cues_stand_in_order_and_the_longer_first() -> None:
    begin = np.arange(6, dtype=np.int32)
    other = Match("fact", "finance")
    matches = [(other, 3, 3), (FACT, 0, 0), (FACT, 0, 2), (other, 0, 0)]
    status = np.zeros(6, dtype=np.int8)
    cues = find_cues(matches, begin, begin + 1, begin * 0, begin * 0, status, 3)
    assert [(c.kind, c.first, c.last) for c in cues] == [
        ("it", 0, 2),
        ("finance", 0, 0),
        ("it", 0, 0),
        ("finance", 3, 3),
    ]


def test_broken_cue_data_is_refused(tmp_path: Path) -> None:
    facts, status = tmp_path / "facts.toml", tmp_path / "status.toml"
    facts.write_text("[it]\nphrases = ['x']\n")
    for text, message in (
        ("reach = 3\nterminators = []\n[bogus]\nforward = ['no']\n", "bogus"),
        ("terminators = []\n", "reach"),
        ("reach = 3\n", "terminators"),
        ("reach = ", "end of document"),
    ):
        status.write_text(text)
        with pytest.raises(VocabularyError, match=message):
            load_cues(tmp_path)
    status.unlink()
    with pytest.raises(VocabularyError, match=str(tmp_path)):
        load_cues(tmp_path)


def test_every_cue_of_a_fact_names_a_fact_or_goods(vocabulary: Vocabulary) -> None:
    assert set(load_reader().fact_kinds) <= set(vocabulary.facts) | {"goods"}
