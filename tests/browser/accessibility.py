"""What axe says of a page."""

from playwright.sync_api import Page

from chatproxy.child import ROOT

LIBRARY = ROOT / "node_modules/axe-core/axe.min.js"


def assert_accessible(page: Page) -> None:
    """No violation of any of axe's rules, in what the page shows now, shadow roots included."""
    # Run by the browser's debugger, so the page's own policy does not stand in the way.
    page.evaluate(LIBRARY.read_text())
    # Preloading would add the page's styles again, inline, which the policy refuses.
    violations = page.evaluate(
        "() => axe.run({preload: false}).then((results) => results.violations)"
    )
    found = [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in violations
        for node in each["nodes"]
    ]
    assert not found, "\n".join(found)
