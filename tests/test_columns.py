from __future__ import annotations

from collections.abc import Sequence

import pytest

from classifier.edges.tables.columns import added_columns, check_clash, position, text_column
from classifier.edges.tables.options import TableOptions
from classifier.errors import InputError

LONG = "A firm in Leeds keeps the books of our shop"


def test_columns_are_found_by_name_and_by_number() -> None:
    header = ["id", "", "what", "#1"]
    assert position(header, "what", "--column", "t") == 2
    assert position(header, "#2", "--column", "t") == 1
    assert position(header, "#1", "--column", "t") == 3
    assert position(header, "", "--column", "t") == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wha", "did you mean 'what'"),
        ("zzz", r"give --column with one of 'id', '#2', 'what', 'what'"),
        ("what", "2 columns 'what': give --column '#3' or --column '#4'"),
        ("#9", "no column '#9'"),
    ],
)
def test_columns_that_are_not_there(name: str, message: str) -> None:
    header = ["id", "", "what"] if "mean" in message else ["id", "", "what", "what"]
    with pytest.raises(InputError, match=message):
        position(header, name, "--column", "t")


@pytest.mark.parametrize(
    ("header", "row", "found"),
    [
        (["x"], ["1"], 0),
        (["id", "what"], ["1", LONG], 1),
        (["id", "CONTRACT_TITLE", "CONTRACT_DESC"], ["1", LONG, LONG], 2),
        (["id", "workDescription", "category_desc"], ["1", LONG, ""], 1),
        (["buyer", "notes", "Text"], ["The Royal Borough of Kensington and Chelsea", "x", LONG], 2),
        (["id", "description"], ["1", "cleaning"], 1),
        (["context", "note"], [LONG, "a few words"], 0),
    ],
)
def test_the_text_is_found_when_only_one_column_can_be_it(header: list[str], row: Sequence[str], found: int) -> None:
    assert text_column(header, [row] * 3, "t") == found


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (["id", "sum"], ["1", "2"], "cannot be told: give --column with one .* of 'id', 'sum'"),
        (["a", "b"], [LONG, LONG], "can be any of 'a', 'b'"),
        (["id", "description", "scope_of_work"], ["1", LONG, LONG], "can be any of 'description', 'scope_of_work'"),
    ],
)
def test_a_doubtful_text_column_is_asked_for(header: list[str], row: Sequence[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        text_column(header, [row] * 3, "t")


def test_added_columns_have_a_prefix_and_never_begin_like_a_formula() -> None:
    options = TableOptions(("x",), columns=("reason", "terms"), prefix="=", wide=True)
    added = added_columns(options, ["eor"])
    assert added == [("'=reason", False), ("'=terms", False), ("'=eor", True)]
    with pytest.raises(InputError, match="--prefix"):
        check_clash(["id", "'=eor"], added, "t")
