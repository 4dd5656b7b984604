"""The documentation page of the tasks API in a browser: nothing from elsewhere, no inline script, and it works."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.cli.serving.world import Served, served

ROOT = Path(__file__).parents[2]
POLICY = str(ROOT / "examples/tasks/garrison.toml")
CHROMIUM = ("/usr/lib/chromium/chromium", "chromium", "chromium-browser", "google-chrome")
"""As `tools/chromium` looks for it."""

PAPERS: dict[Literal["light", "dark"], str] = {"light": "rgba(0, 0, 0, 0)", "dark": "rgb(28, 32, 34)"}
"""What the page is written on."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The tasks API in development, in an empty folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("docs"))
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)])))
        with served("examples.tasks.main:app", "--policy", POLICY) as server:
            yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert found is not None, "no Chromium found: run tools/chromium"
    with sync_playwright() as playwright:
        # As root, where CI runs, Chromium has no sandbox.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


def _opened(page: Page, server: Served) -> list[str]:
    """Open the page on a machine that is closed: whatever it wants of another origin, or complains of, is told."""
    told: list[str] = []
    own = server.told["url"]
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith((own, "data:")) else told.append(request.url))
    page.goto(server.told["docs"])
    page.wait_for_selector(".opblock")
    return told


def test_it_is_whole_without_the_internet(browser: Browser, server: Served) -> None:
    """Operations open, no policy of the page is broken, nothing runs out of a window, and it is dark at night."""
    page = browser.new_page()
    told = _opened(page, server)
    operations = page.locator(".opblock-summary-control")
    operations.evaluate_all("all => all.slice(0, 4).forEach(each => each.click())")
    page.locator(".opblock-body").nth(3).wait_for()

    assert operations.count() > 15
    for scheme, paper in PAPERS.items():
        page.emulate_media(color_scheme=scheme)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == paper
    assert told == []
    page.close()


def test_a_key_is_tried_out_on_it(browser: Browser, server: Served) -> None:
    demo = next(person for person in server.told["people"] if person["username"] == "demo")
    page = browser.new_page()
    told = _opened(page, server)

    page.click(".btn.authorize")
    key = page.locator(".auth-container", has_text="x-api-key")
    key.locator("input").fill(demo["key"])
    key.locator("button.authorize").click()
    page.click(".btn-done")
    tasks = page.locator(".opblock", has=page.locator('[data-path="/api/tasks"]')).first
    tasks.locator(".opblock-summary-control").click()
    tasks.locator(".try-out__btn").click()
    tasks.locator(".execute").click()

    assert tasks.locator(".live-responses-table .response-col_status").last.inner_text().startswith("200")
    assert told == []
    page.close()


def test_no_answer_lets_a_script_run_that_is_no_file_of_this_origin(server: Served) -> None:
    for path in ("/docs", "/docs/page.js", "/docs/swagger-ui-bundle.js", "/docs/nowhere"):
        policy = server.ask("GET", path).headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "https:" not in policy
