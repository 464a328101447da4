"""What somebody may write who hopes that it becomes HTML, and what must not come of it."""

import re

from playwright.sync_api import Locator, Page

ATTACKS = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "[x](javascript:window.hacked=1)",
    "<svg/onload=window.hacked=1>",
    '"><iframe srcdoc="<script>parent.hacked=1</script>">',
    "![x](https://example.invalid/track.png)",
    "[x](data:text/html,<script>window.hacked=1</script>)",
]
FOREIGN = "script, img, iframe, svg:not(.icon), [onerror], [onload], [style]"


def assert_harmless(page: Page, log: Locator) -> None:
    """Nothing of it has become an element, an address that runs, or code that ran."""
    assert log.locator(FOREIGN).count() == 0
    hrefs = log.locator("a").evaluate_all("all => all.map((a) => a.href)")
    assert all(re.match("https?:|mailto:", href) for href in hrefs)
    assert page.evaluate("window.hacked") is None
