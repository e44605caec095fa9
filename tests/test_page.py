"""The page in a browser: Debian's Chromium, driven by Playwright.

Skipped where there is no Chromium, unless CLASSIFIER_BROWSER is "required", as it is in CI. Everything asked of the
network during the tests is looked at: nothing may go elsewhere, and nothing may hold a text in its address.
"""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from classifier import Classifier
from classifier.edges.service_limits import Limits, Settings
from classifier.edges.table import tag_table
from classifier.edges.tables.decode import Bytes
from classifier.edges.tables.delimited import DelimitedSource
from classifier.edges.tables.options import CALLER
from classifier.edges.tables.rows import as_json
from classifier.errors import InputError

from .conftest import ROOT
from .running import Running

CHROMIUM = os.environ.get("CLASSIFIER_CHROMIUM") or shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
AXE = (ROOT / "tests" / "vendor" / "axe.min.js").read_text(encoding="utf-8")
TEXT = "Calls from our customers are answered by a vendor in Manila."
SILENT = "Our own staff do the payroll in our office in Leeds."
TOKEN = "open-sesame"  # noqa: S105
PATIENCE = 300_000  # milliseconds: a slow machine is no failure
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        reason = "no chromium here: apt-get install chromium, or set CLASSIFIER_CHROMIUM to its path"
        if os.environ.get("CLASSIFIER_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def service(classifier: Classifier, browser: Browser) -> Iterator[Running]:
    found = Running(classifier, Settings())
    yield found
    found.end()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    found = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    found.set_default_timeout(PATIENCE)
    found.grant_permissions(["clipboard-read", "clipboard-write"])
    yield found
    found.close()


@pytest.fixture
def page(context: BrowserContext, service: Running) -> Iterator[Page]:
    found = context.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    _open(found, service.url)
    yield found
    assert [url for url in asked if not url.startswith((service.url, f"blob:{service.url}"))] == []
    assert [url for url in asked if "Manila" in url.partition("#")[0]] == []
    assert wrong == []


def _open(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator("#home option")).not_to_have_count(1)


def _ask(page: Page, text: str, home: str = "") -> None:
    page.fill("#description", text)
    page.select_option("#home", home)
    page.click("text=Find the terms")
    expect(page.locator("#marked-text")).to_have_text(text)
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "false")


def _shown(page: Page) -> list[str]:
    return page.locator(".chip").evaluate_all("chips => chips.map(chip => chip.dataset.term)")


def test_a_text_is_tagged_and_proved(page: Page, classifier: Classifier) -> None:
    _ask(page, TEXT, "US")
    tagging = classifier.tag(TEXT, home="US")
    assert tagging.terms
    assert sorted(_shown(page)) == sorted(tagging.ids)
    marked = "".join(page.locator("#marked-text mark").all_inner_texts())
    covered = {i for t in tagging.terms for s in t.evidence for i in range(s.start, s.end)}
    assert marked == "".join(TEXT[i] for i in sorted(covered))
    for term in tagging.terms:
        card = page.locator(".term", has=page.get_by_text(term.label, exact=True))
        definition = term.definitions[0]
        expect(card).to_contain_text(f"{term.probability:.2f}")
        expect(card).to_contain_text(definition.says)
        expect(card.locator("cite").first).to_have_text(definition.citation.title)
        expect(card).to_contain_text(f"{definition.citation.section} · paragraph {definition.citation.paragraph}")
        for span in term.evidence:
            expect(card.locator(".because")).to_contain_text(span.text)
    expect(page.locator("#status")).to_contain_text(f"{len(tagging.terms)} terms apply")


def test_a_chip_leaves_only_its_own_words_marked(page: Page, classifier: Classifier) -> None:
    _ask(page, TEXT, "US")
    term = next(t for t in classifier.tag(TEXT, home="US").terms if t.id == "outsourcing")
    page.click(".chip[data-term=outsourcing]")
    on = "".join(page.locator("mark:not(.off)").all_inner_texts())
    assert on == "".join(TEXT[i] for i in sorted({i for s in term.evidence for i in range(s.start, s.end)}))
    page.click(".chip[data-term=outsourcing]")
    expect(page.locator("mark.off")).to_have_count(0)


def test_silence_its_reason_and_what_would_change_it(page: Page, classifier: Classifier) -> None:
    _ask(page, SILENT, "GB")
    tagging = classifier.tag(SILENT, home="GB")
    assert tagging.reason
    expect(page.locator("h2#answer-title")).to_have_text("No term applies")
    expect(page.locator(".reason")).to_have_text(tagging.reason.says)
    for miss in tagging.near_misses:
        expect(page.locator(".nearly")).to_contain_text(f"{miss.probability:.2f}")
    page.select_option("#other", "outsourcing")
    found = classifier.why_not("outsourcing", SILENT, home="GB")
    for fact in (*found.add, *found.remove):
        expect(page.locator(".needed")).to_contain_text(classifier.vocabulary.facts[fact].label)
    for term in found.then:
        expect(page.locator(".result")).to_contain_text(classifier.vocabulary.terms[term].label)


@pytest.mark.parametrize(
    "text",
    [
        "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'> A vendor in Manila answers our calls.",
        "🙂🏳️‍🌈 A “vendor” in Manila  answers\nour\tcalls & e-mails; <b>daily</b>. 𝔘𝔫𝔦",
    ],
)
def test_a_text_is_shown_as_text(page: Page, classifier: Classifier, text: str) -> None:
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.fill("#description", text)
    page.click("text=Find the terms")
    page.wait_for_selector("#marked-text")
    assert page.locator("#marked-text").evaluate("shown => shown.textContent") == text
    assert page.evaluate("window.hacked") is None
    assert page.locator("#marked-text :not(mark)").count() == 0
    covered = {i for t in classifier.tag(text).terms for s in t.evidence for i in range(s.start, s.end)}
    marked = page.locator("#marked-text mark").evaluate_all("marks => marks.map(mark => mark.textContent).join('')")
    assert marked == "".join(text[i] for i in sorted(covered))


def test_a_link_brings_everything_back(page: Page, context: BrowserContext) -> None:
    page.click("summary:has-text('More that you know')")
    page.select_option("#provider", "PH")
    page.check("#vendor")
    page.fill("#threshold", "0.3")
    _ask(page, f"{TEXT} # & + % “ü”", "US")
    page.click("text=Copy link")
    expect(page.locator("#status")).to_contain_text("copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert "#text=" in link
    other = context.new_page()
    _open(other, link)
    other.wait_for_selector(".term")
    for name in ("description", "home", "provider", "threshold"):
        assert other.input_value(f"#{name}") == page.input_value(f"#{name}")
    assert other.is_checked("#vendor")
    assert _shown(other) == _shown(page)
    # A second link in the same tab is followed, too.
    other.evaluate(f"location.hash = 'text=' + encodeURIComponent({json.dumps(SILENT)}) + '&home=GB'")
    expect(other.locator("#marked-text")).to_have_text(SILENT)
    assert not other.is_checked("#vendor")


def test_what_is_not_right_is_said(page: Page) -> None:
    page.click("text=Find the terms")
    expect(page.locator("#description-error")).to_have_text("Write a description first.")
    assert page.evaluate("document.activeElement.id") == "description"
    page.fill("#description", TEXT)
    page.click("summary:has-text('More that you know')")
    page.fill("#threshold", "7")
    page.click("text=Find the terms")
    expect(page.locator("#description-error")).to_contain_text("0.01 to 1")


# ---------------------------------------------------------------- a table

ROWS = [
    ["1", "A firm in Texas runs our help desk.", "Acme"],
    ["2", SILENT, 'The "Shop", Ltd'],
    ["3", "", "nothing\nhere"],
    ["4", f"=1+1; {TEXT}", "Müller"],
] * 60


def _csv(path: Path, rows: list[list[str]] = ROWS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(
            [["id", "description", "buyer"], *rows, ["5", "too few"], ["6", "too", "many", "cells"]]
        )
    return path


def test_a_table_is_tagged_as_the_batch_would(page: Page, classifier: Classifier, tmp_path: Path) -> None:
    path = _csv(tmp_path / "rows.csv")
    page.select_option("#home", "GB")
    data = page.evaluate_handle(
        """text => { const data = new DataTransfer();
        data.items.add(new File([text], 'rows.csv', { type: 'text/csv' })); return data; }""",
        path.read_bytes().decode(),
    )
    page.dispatch_event("#drop", "dragenter", {"dataTransfer": data})
    page.dispatch_event("#drop", "drop", {"dataTransfer": data})
    expect(page.locator("#column")).to_have_value("1")
    expect(page.locator("#table-status")).to_contain_text(f"{len(ROWS) + 2} rows")
    page.click("text=Tag the table")
    expect(page.locator("#table-status")).to_contain_text("Done")
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "rows-tagged.csv"
    made = Path(download.value.path()).read_bytes().decode()
    tag_table(path, tmp_path / "out.csv", "description", classifier, home="GB")
    expected = (tmp_path / "out.csv").read_bytes().decode()
    assert list(csv.reader(made.splitlines(keepends=True))) == list(csv.reader(expected.splitlines(keepends=True)))
    assert page.locator("#preview tbody tr").count() == 8


AS_THE_BATCH = {
    "blank rows of one column": f'text\n{TEXT}\n\nthird\n""\nfifth\n'.encode(),
    "blank rows of two columns": f'\nid,text\n1,{TEXT}\n\n"",""\n""\n\n'.encode(),
    "a mark that is not closed": f'id,text\n1,"24 inch monitors\n2,{TEXT}\n3,third\n'.encode(),
    "two stray marks": f'id,text\n1,"24 inch\n\n2,"{TEXT}\n3,"two\nlines"\n4,x\n'.encode(),
    "too many cells": f'id,text\n1,{TEXT},"three ""x""",four\n2,"a,b,c\n'.encode(),
    "commas in one column": f"text\ncleaning, windows\n{TEXT}\n".encode(),
    "a stray carriage return": f"id,text\r\n1,first\rhalf\r\n2,{TEXT}\r\n".encode(),
    "lines of a Macintosh": f"id,text\r1,{TEXT}\r\r2,third".encode(),
    "the mark of Excel": f"\ufeffid;text\r\n1;Müller: {TEXT}\r\n".encode(),
    "UTF-16 with its mark": f"id\ttext\r\n1\tMüller: {TEXT}\r\n".encode("utf-16"),
}


def _tagged(page: Page, name: str, data: bytes) -> bytes:
    """What the page gives for a file of this content."""
    page.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": data})
    page.click("text=Tag the table")
    expect(page.locator("#table-status")).to_contain_text("Done")
    with page.expect_download() as download:
        page.click("#download")
    return Path(download.value.path()).read_bytes()


def _cells(data: bytes, delimiter: str) -> list[list[str]]:
    return list(csv.reader(data.decode("utf-8-sig").splitlines(keepends=True), delimiter=delimiter))


@pytest.mark.parametrize("data", AS_THE_BATCH.values(), ids=AS_THE_BATCH)
def test_every_row_comes_back_as_from_the_batch(
    page: Page, classifier: Classifier, tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "in.csv").write_bytes(data)
    page.select_option("#home", "US")
    page.click("summary:has-text('More that you know')")
    page.check("#vendor")
    page.select_option("#provider", "PH")
    made = _tagged(page, "in.csv", data)
    context: Any = {"home": "US", "vendor_contract": True, "provider_country": "PH"}
    tag_table(tmp_path / "in.csv", tmp_path / "out.csv", "text", classifier, **context)
    delimiter = DelimitedSource(Bytes(tmp_path / "in.csv", "in.csv")).delimiter
    expected = _cells((tmp_path / "out.csv").read_bytes(), delimiter)
    assert _cells(made, delimiter) == expected
    assert "[caller: " in "".join(cell for row in expected for cell in row)
    # The mark by which Excel knows UTF-8 stays where there was one.
    marks = (b"\xef\xbb\xbf", b"\xff\xfe")
    assert made.startswith(marks[0]) == data.startswith(marks)


def test_any_file_is_read_as_the_batch_reads_it(page: Page, tmp_path: Path) -> None:
    chosen = random.Random(1)  # noqa: S311
    pieces = ["a", "b", " ", ",", ";", '"', '""', '"\n', '\n"', "\n", "\r\n", "\r"]
    texts = ["".join(chosen.choices(pieces, k=chosen.randint(1, 30))) for _ in range(700)]
    found = page.evaluate(
        """async (texts) => { const csv = await import('./csv.js');
        return texts.map((text) => { const delimiter = csv.guessDelimiter(text);
            const { header, rows } = csv.read(text, delimiter);
            return header.length ? [delimiter, header, rows.map((row) => [row.cells, row.problem, row.left])] : null;
        }); }""",
        texts,
    )
    for text, read in zip(texts, found, strict=True):
        (tmp_path / "in.csv").write_bytes(text.encode())
        try:
            source = DelimitedSource(Bytes(tmp_path / "in.csv", "in.csv"))
        except InputError:
            assert read is None, text
            continue
        rows = [[list(r.cells), r.problem, "" if r.left_over is None else as_json(r.left_over)] for r in source.rows()]
        assert read == [source.delimiter, source.header, rows], text


def test_what_the_caller_said_stands_in_the_order_of_the_batch(page: Page) -> None:
    cells = page.evaluate(
        """async () => { const csv = await import('./csv.js');
        const term = (given) => ({ id: 't', probability: 0.5625, definitions: [], given,
            evidence: [{ start: 0, end: 2, text: 'of\\n us' }] });
        const answer = { terms: [term(['provider_country', 'home']), term(['vendor_contract', 'home'])],
            reason: null, model: { version: '1', digest: 'd' } };
        return csv.added(answer, { problem: '', left: '' }); }"""
    )
    assert cells[3] == " | ".join(["of us", *CALLER.values()])


def test_probabilities_are_rounded_as_by_the_batch(page: Page) -> None:
    chosen = random.Random(2)  # noqa: S311
    numbers = [i / 16 for i in range(17)] + [i / 2000 for i in range(2001)] + [chosen.random() for _ in range(1000)]
    found = page.evaluate(
        "async (numbers) => { const csv = await import('./csv.js'); return numbers.map(csv.rounded); }", numbers
    )
    assert found == [f"{number:.3f}" for number in numbers]


def test_a_table_can_be_stopped_and_what_is_done_is_kept(page: Page, tmp_path: Path) -> None:
    page.set_input_files("#file", _csv(tmp_path / "rows.csv"))
    page.route("**/v1/tag/stream", lambda route: None if stop else route.continue_())
    stop: list[bool] = []
    page.on("response", lambda response: stop.append(True) if response.url.endswith("stream") else None)
    page.click("text=Tag the table")
    expect(page.locator("#progress")).to_have_js_property("value", 200)
    page.click("#stop")
    expect(page.locator("#table-status")).to_contain_text("Stopped: 200 rows")
    with page.expect_download() as download:
        page.click("text=Download what is tagged so far")
    with Path(download.value.path()).open(encoding="utf-8", newline="") as lines:
        assert len(list(csv.reader(lines))) == 201


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("empty.csv", b"", "no rows"),
        ("header.csv", b"a,b\n", "no rows"),
        ("tagged.csv", b"text,terms\nx,y\n", "already has the column terms"),
    ],
)
def test_a_table_that_cannot_be_tagged_is_refused(page: Page, name: str, data: bytes, words: str) -> None:
    page.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": data})
    expect(page.locator("#table-error")).to_contain_text(words)
    expect(page.locator("#start")).to_be_hidden()


TABLES: list[tuple[bytes, str, list[list[str]]]] = [
    (b"a,b\r\n1,2\r\n", ",", [["a", "b"], ["1", "2"]]),
    (b"a;b\n1;2", ";", [["a", "b"], ["1", "2"]]),
    (b"a\tb\n1\t\n\n3\t4\n", "\t", [["a", "b"], ["1", ""], ["", ""], ["3", "4"]]),
    (b'a,b\n"x ""y"", z","two\nlines"\n', ",", [["a", "b"], ['x "y", z', "two\nlines"]]),
    (b"\xef\xbb\xbfa,b\n\xc3\xa9,\xe2\x82\xac\n", ",", [["a", "b"], ["é", "€"]]),
    (b"a,b\n\xe9,\x80\n", ",", [["a", "b"], ["é", "€"]]),
    ("a,b\né,x\n".encode("utf-16"), ",", [["a", "b"], ["é", "x"]]),
    (b'a,b\n"open,2\n', ",", [["a", "b"], ['"open', "2"]]),
    (b"a|b|c\n1|2,5|3\n", "|", [["a", "b", "c"], ["1", "2,5", "3"]]),
]


@pytest.mark.parametrize(("data", "delimiter", "rows"), TABLES)
def test_tables_are_read(page: Page, data: bytes, delimiter: str, rows: list[list[str]]) -> None:
    found: Any = page.evaluate(
        """async (bytes) => { const csv = await import('./csv.js');
        const text = csv.decode(new Uint8Array(bytes)).replace(/^\\ufeff/, '');
        const delimiter = csv.guessDelimiter(text);
        const cells = (text) => { const { header, rows } = csv.read(text, delimiter);
            return [header, ...rows.map((row) => row.cells)]; };
        const rows = cells(text);
        return [delimiter, rows, cells(rows.map((row) => csv.line(row, delimiter)).join(''))]; }""",
        list(data),
    )
    assert found == [delimiter, rows, rows]


# ---------------------------------------------------------------- for everyone


def _focused(page: Page) -> str:
    return page.evaluate(
        "document.activeElement.id || document.activeElement.className || document.activeElement.tagName"
    )


def _tab_to(page: Page, name: str) -> list[str]:
    passed: list[str] = []
    while _focused(page) != name:
        page.keyboard.press("Tab")
        passed.append(_focused(page))
        assert len(passed) < 80, passed
    return passed


def test_the_keyboard_is_enough(page: Page, tmp_path: Path) -> None:
    page.keyboard.press("Tab")
    assert _focused(page) == "skip"
    page.keyboard.press("Enter")
    _tab_to(page, "description")
    page.keyboard.type(TEXT)
    page.keyboard.press("Tab")
    page.keyboard.type("United States")
    assert page.input_value("#home") == "US"
    _tab_to(page, "primary")
    page.keyboard.press("Enter")
    page.wait_for_selector(".term")
    page.keyboard.press("Tab")
    assert _focused(page) == "share"
    _tab_to(page, "chip")
    page.keyboard.press("Space")
    expect(page.locator(".chip[aria-pressed=true]")).to_have_count(1)
    passed = _tab_to(page, "other")
    assert "SUMMARY" in passed  # the definitions that are folded up can be reached
    page.keyboard.type("Nearshoring")
    expect(page.locator(".result")).to_contain_text("nearby")
    _tab_to(page, "file")
    outline = page.locator("#drop").evaluate("drop => getComputedStyle(drop).outlineStyle")
    assert outline != "none"
    page.set_input_files("#file", _csv(tmp_path / "rows.csv", ROWS[:10]))
    _tab_to(page, "start")
    page.keyboard.press("Enter")
    expect(page.locator("#table-status")).to_contain_text("Done")
    assert _focused(page) == "start"
    _tab_to(page, "download")
    # From the description Control and Enter ask.
    page.focus("#description")
    page.keyboard.press("Control+A")
    page.keyboard.type(SILENT)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#marked-text")).to_have_text(SILENT)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_has_no_barriers(
    browser: Browser, service: Running, tmp_path: Path, width: int, scheme: Any
) -> None:
    # The policy would keep the checker itself out.
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme, bypass_csp=True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    _open(page, service.url)
    _sound(page, width)
    page.click("summary:has-text('More that you know')")
    _ask(page, TEXT, "US")
    page.wait_for_selector(".result p")
    for summary in page.locator(".answer summary").all():
        summary.click()
    page.click(".chip")
    _sound(page, width)
    _ask(page, SILENT, "GB")
    page.fill("#description", "")
    page.click("text=Find the terms")
    page.set_input_files("#file", _csv(tmp_path / "rows.csv", ROWS[:10]))
    page.click("text=Tag the table")
    expect(page.locator("#table-status")).to_contain_text("Done")
    _sound(page, width)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) < 200) == (scheme == "dark")
    context.close()


def _sound(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in found["violations"]] == []
    assert len(found["passes"]) > 20


# ---------------------------------------------------------------- services that are not as usual


def test_the_token_is_asked_for_and_kept(context: BrowserContext, classifier: Classifier) -> None:
    running = Running(classifier, Settings(token=TOKEN))
    try:
        page = context.new_page()
        page.goto(f"{running.url}#text={TEXT}&home=US")
        for given in ("wrong", TOKEN):
            page.wait_for_selector("#access:not([hidden])")
            page.fill("#token", given)
            page.keyboard.press("Enter")
        page.wait_for_selector(".term")
        expect(page.locator("#access")).to_be_hidden()
        page.reload()
        page.wait_for_selector(".term")
    finally:
        running.end()


def test_refusals_reach_the_reader(context: BrowserContext, classifier: Classifier) -> None:
    running = Running(classifier, Settings(limits=Limits(text_chars=30)))
    try:
        page = context.new_page()
        _open(page, running.url)
        page.fill("#description", TEXT)
        page.click("text=Find the terms")
        expect(page.locator("#description-error")).to_contain_text("30 characters")
        page.set_input_files(
            "#file", {"name": "x.csv", "mimeType": "text/csv", "buffer": f"text\n{TEXT}\nshort\n".encode()}
        )
        page.click("text=Tag the table")
        expect(page.locator("#table-status")).to_contain_text("2 rows, 0 with a term, 1 bad")
        expect(page.locator("#preview")).to_contain_text("30 characters")
    finally:
        running.end()
    page.click("text=Find the terms")
    expect(page.locator("#description-error")).to_contain_text("cannot be reached")
