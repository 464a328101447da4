"""The reference page as people see it: light, dark, on a phone; axe looks too."""

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import OpenPage
from tests.processes import RunningDemo

DESKTOP = {"width": 1360, "height": 900}
PHONE = {"width": 360, "height": 780}


def fits(page: Page) -> bool:
    """Nothing sticks out sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("path", ["/api/docs", "/api/docs/problems"])
def test_it_reads_well_everywhere(
    demo: RunningDemo, open_page: OpenPage, viewport: dict[str, int], scheme: str, path: str
) -> None:
    page = open_page(viewport=viewport, color_scheme=scheme)
    page.goto(f"{demo.url}{path}")
    assert fits(page)
    assert_accessible(page)


def test_a_link_in_the_contents_shows_its_operation(demo: RunningDemo, page: Page) -> None:
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    page.goto(f"{demo.url}/api/docs")
    page.get_by_role("navigation").get_by_role("link", name="SendMessage").click()
    heading = page.get_by_role("heading", name="SendMessage")
    box = heading.bounding_box()
    assert box
    assert 0 < box["y"] < 300


def test_a_problems_type_shows_what_to_do(demo: RunningDemo, page: Page) -> None:
    page.goto(f"{demo.url}/api/docs/problems#rate-limited")
    article = page.locator("#rate-limited")
    assert "What to do" in article.inner_text()
    assert article.evaluate("each => each.matches(':target')")
