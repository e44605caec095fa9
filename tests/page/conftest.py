"""The page in a browser: Debian's Chromium, driven by Playwright.

Skipped where there is no Chromium, unless CLASSIFIER_BROWSER is "required", as it is in CI. Everything asked of the
network during the tests is looked at: nothing may go elsewhere, and nothing may hold a text in its address.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from classifier import Classifier
from classifier.edges.service_limits import Settings

from ..running import Running
from .driving import PATIENCE, open_at

CHROMIUM = os.environ.get("CLASSIFIER_CHROMIUM") or shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


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
    open_at(found, service.url)
    yield found
    assert [url for url in asked if not url.startswith((service.url, f"blob:{service.url}"))] == []
    assert [url for url in asked if "Manila" in url.partition("#")[0]] == []
    assert wrong == []
