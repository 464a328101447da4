"""The ChatJS example of the documents, with the unmodified library, in a browser."""

from chatproxy.child import ROOT
from tests.browser.conftest import OpenPage
from tests.examples import examples
from tests.processes import RunningDemo

LIBRARY = ROOT / "node_modules/amazon-connect-chatjs/dist/amazon-connect-chat.js"


def test_the_chatjs_example_holds_a_chat(
    open_page: OpenPage, demo: RunningDemo, expected_problems: list[str]
) -> None:
    [example] = examples("chatjs")
    expected_problems.append("favicon.ico")  # browsers ask for one; a plain answer has none
    page = open_page(bypass_csp=True)  # any page of an allowed origin would do; this one is there
    page.goto(f"{demo.url}/healthz")
    page.add_script_tag(path=LIBRARY)
    with page.expect_console_message(lambda message: "Hello from ChatJS" in message.text):
        page.evaluate(f"(async () => {{ {example.at(demo.url)} }})()")
