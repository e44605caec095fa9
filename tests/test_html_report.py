from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import Classifier
from classifier.edges.html_parts import share, short_amount
from classifier.edges.html_report import write_report
from classifier.errors import InputError
from classifier.vocabulary import Vocabulary, load_vocabulary

from .conftest import SHARED
from .test_cli import classify

VOID = {"meta", "br", "wbr", "img", "input", "hr", "link", "rect"}
HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>]]>--><!-- \x00\x1b[31m \ud800 {{x}}"


class Page(HTMLParser):
    """A page whose elements are checked to be well nested, ids unique and links within the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.marked: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))
        assert set(self.links) <= {f"#{i}" for i in self.ids}

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [v or "" for k, v in attrs if k == "id"]
        self.links += [v or "" for k, v in attrs if k == "href"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        assert tag in VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)
        if "mark" in self.open:
            self.marked.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def report(rows: Sequence[Mapping[str, str]], **options: object) -> Page:
    out = io.StringIO()
    write_report(rows, out, text_columns=["what"], vocabulary=load_vocabulary(), title="T", **options)  # type: ignore[arg-type]
    page = Page(out.getvalue())
    assert "script" not in page.tags
    for name, value in page.attributes:
        assert not name.startswith("on")
        assert name not in ("src", "style", "srcset", "action")
        assert "://" not in (value or "")
    assert "url(" not in out.getvalue()
    return page


def row(text: str, terms: str = "", probabilities: str = "", **more: str) -> dict[str, str]:
    return {"what": text, "terms": terms, "probabilities": probabilities, **more}


FEW = [
    row("A vendor in Cebu answers", "outsourcing|offshoring", "0.9|0.5", definitions="outsourcing/D0|offshoring/D4",
        evidence="vendor | Cebu", model="1 abc", who="A", sum="£1,000"),
    row("Pens", reason="goods", model="1 abc", who="B", sum="n/a"),
]  # fmt: skip


def test_the_figures_definitions_and_evidence_are_on_the_page(vocabulary: Vocabulary) -> None:
    page = report(FEW, value_column="sum", group_columns=["who"])
    assert "2 rows, tagged by model 1 abc" in page.text
    assert "1 50.0% of rows" in page.text
    assert vocabulary.silences["goods"] in page.text
    assert {"vendor", "Cebu"} <= set(page.marked)
    definition = vocabulary.definitions["offshoring/D4"]
    assert definition.says in page.text
    assert definition.source.document.title in page.text
    assert f"section “{definition.source.section}”, paragraph {definition.source.paragraph}" in page.text
    assert vocabulary.definitions["offshoring/D1"].says not in page.text
    assert {"#term-outsourcing", "#reason-goods", "#def-offshoring-D4", "#row-1", "#row-2"} <= set(page.links)
    assert "Amount (GBP)" in page.text
    assert "1 row with an amount, 1 blank" in page.text


def test_what_the_caller_said_stands_beside_the_row() -> None:
    given = "vendor | [caller: vendor contract] | [caller: home country]"
    page = report([row("A vendor in Cebu", "eor", "0.9", evidence=given)])
    assert "told with the table: a contract with an outside vendor and the client’s country" in page.text
    assert set(page.marked) == {"vendor"}
    assert "[caller" not in page.text


def test_charts_are_told_in_words_and_have_a_table(vocabulary: Vocabulary) -> None:
    out = io.StringIO()
    write_report(FEW, out, text_columns=["what"], vocabulary=vocabulary, title="T", group_columns=["who"])
    charts = re.findall(
        r'<svg [^>]*role="img" aria-labelledby="([^ "]+) ([^ "]+)">(.*?)</svg>', out.getvalue(), re.DOTALL
    )
    assert len(charts) == 4
    for title, description, inner in charts:
        assert f'<title id="{title}">' in inner
        assert f'<desc id="{description}">' in inner
    assert out.getvalue().count("<table>") == 4


def test_the_policy_forbids_everything_but_the_one_style_sheet() -> None:
    out = io.StringIO()
    write_report([], out, text_columns=[], vocabulary=load_vocabulary(), title="T")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', out.getvalue())
    style = re.search(r"<style>(.*?)</style>", out.getvalue(), re.DOTALL)
    assert policy is not None
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1].startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert "@import" not in style[1]


def test_hostile_cells_are_shown_as_text() -> None:
    rows = [
        row(HOSTILE, "eor|<b>", "0.9|0.5", evidence=HOSTILE, definitions="eor/D1|eor/<x>|../D1", who=HOSTILE, sum=HOSTILE, model=HOSTILE),
        row(HOSTILE, reason=HOSTILE, who='"><svg onload=alert(1)>', sum="1"),
    ]  # fmt: skip
    page = report(rows, value_column="sum", group_columns=["who"])
    assert "<script>alert(1)</script>" in page.text
    assert "img" not in page.tags
    out = io.StringIO()
    write_report([], out, text_columns=[HOSTILE], vocabulary=load_vocabulary(), title=HOSTILE)
    assert Page(out.getvalue()).tags.count("script") == 0
    assert "\x00" not in out.getvalue()


def test_an_empty_table_says_so() -> None:
    page = report([])
    assert "The table has no rows" in page.text
    assert "0 rows" in page.text


@pytest.mark.parametrize("one", FEW, ids=["tagged", "silent"])
def test_one_row_makes_a_page(one: dict[str, str]) -> None:
    page = report([one], value_column="sum", group_columns=["who"])
    assert "1 row, tagged by" in page.text
    assert "#row-1" in page.links or "row-1" in page.ids


def test_without_a_value_column_no_money_is_spoken_of() -> None:
    assert "mount" not in report(FEW).text


def test_money_is_added_in_one_currency_and_the_rest_is_told() -> None:
    sums = ["£1,234.50", "1.234,50 €", "£1e6", "£-34.50", "", "many", "£10-£20", "£2.000"]
    page = report([row(f"text {i}", "eor", "0.9", sum=s) for i, s in enumerate(sums)], value_column="sum")
    assert "Amount (GBP)" in page.text
    assert "1,003,215" in page.text  # 1,234.50 + 1,000,000 - 34.50 + 15 + 2,000
    for words in ("6 rows with an amount, 1 blank, 1 that cannot be read as an amount (such as “many”)",
                  "Negative amounts (1 row)", "Ranges (1 row)", "“1.234” (1 row)", "left out: EUR 1,234 in 1 row"):  # fmt: skip
        assert words in page.text


def test_amounts_may_name_their_currency_in_another_column() -> None:
    rows = [row("a", "eor", "0.9", sum="5", cur="gbp"), row("b", "eor", "0.9", sum="7", cur="USD")]
    page = report([*rows, rows[0]], value_column="sum", currency_column="cur")
    assert "Amount (GBP)" in page.text
    assert "USD 7 in 1 row" in page.text


def test_every_row_is_counted() -> None:
    rows = [row(f"text {i % 70}", "eor" if i % 3 else "", "0.9" if i % 3 else "", who=str(i % 40)) for i in range(1234)]
    page = report(rows, group_columns=["who"])
    assert "1,234 rows, tagged by" in page.text
    assert "822" in page.text
    assert "412" in page.text
    assert "Others (28 values)" in page.text
    assert "1,164 rows repeat the text" in page.text


CELL = st.text(max_size=40)


@given(st.lists(st.fixed_dictionaries({
    "what": CELL, "terms": st.one_of(CELL, st.sampled_from(["eor", "outsourcing|bpo", "ito|nearshoring|eor"])),
    "probabilities": st.one_of(CELL, st.sampled_from(["0.4", "0.5|0.6"])), "definitions": CELL, "evidence": CELL,
    "reason": CELL, "model": CELL, "who": CELL, "sum": CELL,
}), max_size=5))  # fmt: skip
@settings(max_examples=80)
def test_any_cells_make_a_sound_page(rows: list[dict[str, str]]) -> None:
    page = report(rows, value_column="sum", group_columns=["who"])
    assert "About this report" in page.text


def test_the_page_is_the_same_each_time_and_goes_to_a_file(tmp_path: Path, vocabulary: Vocabulary) -> None:
    for name in ("a.html", "b.html"):
        found = write_report(FEW, tmp_path / name, text_columns=["what"], vocabulary=vocabulary, title="T")
        assert found.all.rows == 2
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "b.html"]
    (tmp_path / "link.html").symlink_to("a.html")
    write_report([], tmp_path / "link.html", text_columns=["what"], vocabulary=vocabulary, title="T")
    assert (tmp_path / "link.html").is_symlink()
    assert "no rows" in (tmp_path / "a.html").read_text(encoding="utf-8")
    with pytest.raises(InputError, match="No such file"):
        write_report(FEW, tmp_path / "no" / "a.html", text_columns=["what"], vocabulary=vocabulary, title="T")
    with pytest.raises(InputError, match="no column 'what'"):
        write_report([{"terms": "x"}], tmp_path / "c.html", text_columns=["what"], vocabulary=vocabulary, title="T")
    with pytest.raises(InputError, match="no column 'terms'"):
        write_report([{"what": "x"}], tmp_path / "c.html", text_columns=["what"], vocabulary=vocabulary, title="T")


def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path: Path, vocabulary: Vocabulary) -> None:
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as reader:
        text = reader.submit((tmp_path / "pipe").read_text, encoding="utf-8")
        write_report(FEW, tmp_path / "pipe", text_columns=["what"], vocabulary=vocabulary, title="T")
        assert text.result().endswith("</html>\n")
    assert [p.name for p in tmp_path.iterdir()] == ["pipe"]
    assert (tmp_path / "pipe").is_fifo()


def test_thresholds_are_those_of_the_model_that_the_table_names(classifier: Classifier, vocabulary: Vocabulary) -> None:
    manifest = classifier.model.manifest
    name = f"{manifest.version} {manifest.digest[:12]}"
    known, other = io.StringIO(), io.StringIO()
    for out, model in ((known, name), (other, "9 abc")):
        rows = [row("text", "eor", "0.9", model=model)]
        found = write_report(rows, out, text_columns=["what"], vocabulary=vocabulary, title="T")
        assert found.threshold("eor") == (manifest.thresholds["eor"] if out is known else 0.5)


@pytest.mark.parametrize(
    ("part", "whole", "told"), [(0, 0, "–"), (0, 5, "0%"), (5, 5, "100%"), (1, 3, "33.3%"), (1, 100_000, "~0%")]
)
def test_shares_are_told_plainly(part: int, whole: int, told: str) -> None:
    assert share(part, whole) == told


def test_large_amounts_are_shortened() -> None:
    from decimal import Decimal

    told = [short_amount(Decimal(n)) for n in ("61234567890", "1234567", "999", "-2500000", "123456", "0", "12.5")]
    assert told == ["61.2 bn", "1.23 m", "999", "-2.50 m", "123 k", "0", "12.50"]


def test_the_command_reads_a_tagged_table(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("id,what,sum\n1,Calls are answered by a vendor in Manila.,5\n", encoding="utf-8")
    batch = classify("batch", str(source), "--column", "what", "--home", "US", "-o", str(tmp_path / "tagged.csv"))
    assert batch.returncode == 0, batch.stderr
    done = classify("report", str(tmp_path / "tagged.csv"), "-o", str(tmp_path / "r.html"), "--value-column", "sum")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "text column: what" in done.stderr
    assert "vendor" in Page((tmp_path / "r.html").read_text(encoding="utf-8")).text
    wrong = classify("report", str(tmp_path / "tagged.csv"), "-o", str(tmp_path / "r.html"), "--group-column", "who")
    assert wrong.returncode == 2
    assert "no column 'who'" in wrong.stderr
    assert classify("report", str(source), "-o", str(tmp_path / "r.html")).returncode == 2
    before = (tmp_path / "tagged.csv").read_bytes()
    for table in (str(tmp_path / "tagged.csv"), str(tmp_path / "tagg*.csv")):
        own = classify("report", table, "-o", str(tmp_path / "tagged.csv"))
        assert own.returncode == 2
        assert "is an input" in own.stderr
    assert (tmp_path / "tagged.csv").read_bytes() == before


@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the contract files are not here")
def test_a_real_contract_file_makes_a_page(classifier: Classifier) -> None:
    with (SHARED / "data" / "contracts_uk.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(islice(csv.DictReader(lines), 120))
    for found in rows:
        tagging = classifier.tag(found["CONTRACT_DESC"], home="GB", vendor_contract=True)
        found |= row(
            found["CONTRACT_DESC"],
            "|".join(tagging.ids),
            "|".join(f"{t.probability:.3f}" for t in tagging.terms),
            definitions="|".join(d.id for t in tagging.terms for d in t.definitions),
            evidence=" | ".join(s.text for t in tagging.terms for s in t.evidence),
            reason=tagging.reason.id if tagging.reason else "",
        )
    page = report(rows, value_column="CONTRACT_VALUE", group_columns=["CONTRACT_BUYER", "SUPPLIER_COUNTRY"])
    assert "120 rows" in page.text
    assert page.marked
