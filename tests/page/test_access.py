"""The page by keyboard, on a phone, in the dark, and for a screen reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from ..conftest import ROOT
from ..running import Running
from .driving import PATIENCE, ROWS, SILENT, TEXT, ask, csv_file, open_at

AXE = (ROOT / "tests" / "vendor" / "axe.min.js").read_text(encoding="utf-8")


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
    page.set_input_files("#file", csv_file(tmp_path / "rows.csv", ROWS[:10]))
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
    open_at(page, service.url)
    _sound(page, width)
    page.click("summary:has-text('More that you know')")
    ask(page, TEXT, "US")
    page.wait_for_selector(".result p")
    for summary in page.locator(".answer summary").all():
        summary.click()
    page.click(".chip")
    _sound(page, width)
    ask(page, SILENT, "GB")
    page.fill("#description", "")
    page.click("text=Find the terms")
    page.set_input_files("#file", csv_file(tmp_path / "rows.csv", ROWS[:10]))
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
