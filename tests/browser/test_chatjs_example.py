"""The ChatJS example of the documents, with the unmodified library, in a browser."""

from playwright.sync_api import Page, expect

from chatproxy.child import ROOT
from tests.examples import examples
from tests.processes import RunningDemo

LIBRARY = ROOT / "node_modules/amazon-connect-chatjs/dist/amazon-connect-chat.js"


def test_the_chatjs_example_holds_a_chat(page: Page, demo: RunningDemo) -> None:
    [example] = examples("chatjs")
    address = f"{demo.url}/a-page-of-a-site"
    page.route(address, lambda route: route.fulfill(content_type="text/html", body="<p id=said>"))
    page.goto(address)
    page.add_script_tag(path=LIBRARY)
    with page.expect_console_message(lambda message: "Hello from ChatJS" in message.text):
        page.evaluate(f"(async () => {{ {example.at(demo.url)} said.textContent = 'sent'; }})()")
    expect(page.locator("#said")).to_have_text("sent")
