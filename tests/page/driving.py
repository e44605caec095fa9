"""What the tests of the page share: texts, a table, and how to ask."""

from __future__ import annotations

import csv
from pathlib import Path

from playwright.sync_api import Page, expect

TEXT = "Calls from our customers are answered by a vendor in Manila."
SILENT = "Our own staff do the payroll in our office in Leeds."
PATIENCE = 300_000  # milliseconds: a slow machine is no failure
expect.set_options(timeout=PATIENCE)

ROWS = [
    ["1", "A firm in Texas runs our help desk.", "Acme"],
    ["2", SILENT, 'The "Shop", Ltd'],
    ["3", "", "nothing\nhere"],
    ["4", f"=1+1; {TEXT}", "Müller"],
] * 60


def csv_file(path: Path, rows: list[list[str]] = ROWS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(
            [["id", "description", "buyer"], *rows, ["5", "too few"], ["6", "too", "many", "cells"]]
        )
    return path


def open_at(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator("#home option")).not_to_have_count(1)


def ask(page: Page, text: str, home: str = "") -> None:
    page.fill("#description", text)
    page.select_option("#home", home)
    page.click("text=Find the terms")
    expect(page.locator("#marked-text")).to_have_text(text)
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "false")


def shown(page: Page) -> list[str]:
    return page.locator(".chip").evaluate_all("chips => chips.map(chip => chip.dataset.term)")
