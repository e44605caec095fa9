from __future__ import annotations

import json

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from classifier import Classifier
from classifier.edges.service_limits import Limits, Settings

from ..running import Running
from .driving import SILENT, TEXT, ask, open_at, shown

TOKEN = "open-sesame"  # noqa: S105


def test_a_text_is_tagged_and_proved(page: Page, classifier: Classifier) -> None:
    ask(page, TEXT, "US")
    tagging = classifier.tag(TEXT, home="US")
    assert tagging.terms
    assert sorted(shown(page)) == sorted(tagging.ids)
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
    ask(page, TEXT, "US")
    term = next(t for t in classifier.tag(TEXT, home="US").terms if t.id == "outsourcing")
    page.click(".chip[data-term=outsourcing]")
    on = "".join(page.locator("mark:not(.off)").all_inner_texts())
    assert on == "".join(TEXT[i] for i in sorted({i for s in term.evidence for i in range(s.start, s.end)}))
    page.click(".chip[data-term=outsourcing]")
    expect(page.locator("mark.off")).to_have_count(0)


def test_silence_its_reason_and_what_would_change_it(page: Page, classifier: Classifier) -> None:
    ask(page, SILENT, "GB")
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
    ask(page, f"{TEXT} # & + % “ü”", "US")
    page.click("text=Copy link")
    expect(page.locator("#status")).to_contain_text("copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert "#text=" in link
    other = context.new_page()
    open_at(other, link)
    other.wait_for_selector(".term")
    for name in ("description", "home", "provider", "threshold"):
        assert other.input_value(f"#{name}") == page.input_value(f"#{name}")
    assert other.is_checked("#vendor")
    assert shown(other) == shown(page)
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
        open_at(page, running.url)
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
