"""A real browser for the widget's tests: Debian's Chromium, driven by Playwright.

``open_page()`` gives a page in a browser context of its own (a visitor); tabs of the same visitor
are ``page.context.new_page()``. A test fails when any of its pages logs an error, throws, or breaks
its content security policy, unless it adds a pattern for what it expects to ``expected_problems``.
Pages of a failed test are photographed into ``test-results/``.
"""

import re
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.desk import arrive, console  # noqa: F401 -- the console tests' fixtures
from tests.browser.widget import Widget
from tests.processes import RunningDemo

RESULTS = Path(__file__).resolve().parents[2] / "test-results"
PATIENCE_MS = 15_000
"""How long a locator or an expectation waits on a loaded machine before it gives up."""

# Chromium has pages of its own behind its address bar, and keeps a spare process for the next page:
# started anew for each visitor, they are half of what a test costs. The last --disable-features is
# the one that counts, so Playwright's own come along.
NEEDLESS = [
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "SpareRendererForSitePerProcess",
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "LocalNetworkAccessChecks",  # a page that a test fulfils itself counts as from elsewhere
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
]
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(NEEDLESS)}",
]

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.fail("No Chromium on this machine: apt-get install chromium", pytrace=False)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def expected_problems() -> list[str]:
    """Patterns (``re.search``) of console errors a test may bring about; it adds its own."""
    return []


@pytest.fixture
def open_page(
    browser: Browser, request: pytest.FixtureRequest, expected_problems: list[str]
) -> Iterator[OpenPage]:
    """``open_page(**options)``: a page of a new visitor; options as for ``browser.new_context``."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_page(**options: object) -> Page:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        _watch(context, problems)
        contexts.append(context)
        return context.new_page()

    yield open_page

    unexpected = [
        problem
        for problem in problems
        if not any(re.search(pattern, problem) for pattern in expected_problems)
    ]
    if request.node.stash.get(_failed, False) or unexpected:
        _photograph(contexts, request.node.nodeid)
    for context in contexts:
        context.close()
    if unexpected:
        pytest.fail("The pages complained:\n" + "\n".join(unexpected), pytrace=False)


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A blank page of a new visitor."""
    return open_page()


@pytest.fixture
def widget(page: Page, demo: RunningDemo) -> Widget:
    """A tab that is about to visit the demo's page; the bot over there answers at once."""
    demo.sandbox.change(bot_delay_s=0.05)
    return Widget(page, demo)


def _watch(context: BrowserContext, problems: list[str]) -> None:
    """Collect what the pages of a context complain about; CSP violations are console errors."""
    context.on(
        "console",
        lambda message: (
            problems.append(f"console: {message.text} ({message.location.get('url', '')})")
            if message.type == "error"
            else None
        ),
    )
    context.on("weberror", lambda error: problems.append(f"uncaught: {error.error}"))


def _photograph(contexts: list[BrowserContext], test: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    name = re.sub(r"[^\w.-]+", "-", test.rsplit("/", 1)[-1])
    pages = [page for context in contexts for page in context.pages if not page.is_closed()]
    for number, page in enumerate(pages, 1):
        page.screenshot(path=RESULTS / f"{name}-{number}.png")


_failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[_failed] = report.failed
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
