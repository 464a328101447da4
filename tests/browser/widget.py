"""The widget on the demo's page, as a visitor meets it: what tests click, write and look for."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.processes import RunningDemo, RunningSandbox

TAG = "chatproxy-widget"


class Widget:
    """One tab with the demo page. ``sandbox`` speaks for the other side."""

    def __init__(self, page: Page, demo: RunningDemo) -> None:
        self.page = page
        self.demo = demo
        self.sandbox: RunningSandbox = demo.sandbox
        self.requests: list[Request] = []
        page.on("request", lambda request: self.requests.append(request))

    def visit(self, query: str = "") -> "Widget":
        self.page.goto(f"{self.demo.url}/demo/{query}")
        expect(self.launcher).to_be_visible()
        return self

    def start(self) -> "Widget":
        """Open the panel on a fresh page; the bot has greeted."""
        self.visit()
        self.launcher.click()
        expect(self.said("Hello")).to_be_visible()
        return self

    def meet_agent(self) -> "Widget":
        """… and a person, Ann, has joined."""
        self.start()
        self.act("join")
        expect(self.log).to_contain_text("Ann joined the chat")
        return self

    def second_tab(self) -> "Widget":
        return Widget(self.page.context.new_page(), self.demo)

    @property
    def launcher(self) -> Locator:
        return self.page.locator(f"{TAG} [part=launcher]")

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("dialog", name="Chat with us")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log", name="Messages")

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Write a message")

    @property
    def bubbles(self) -> Locator:
        return self.log.locator(".bubble")

    def button(self, name: str) -> Locator:
        return self.panel.get_by_role("button", name=name, exact=True)

    def said(self, text: str) -> Locator:
        """The bubbles that hold ``text``."""
        return self.bubbles.filter(has_text=text)

    def own(self, text: str) -> Locator:
        """Rows of the visitor that hold ``text``."""
        return self.log.locator(".message.own").filter(has_text=text)

    def say(self, text: str) -> None:
        self.box.fill(text)
        self.box.press("Enter")

    def end(self) -> None:
        self.button("More").click()
        self.button("End chat").click()
        self.panel.get_by_role("alertdialog").get_by_role("button", name="End chat").click()

    @property
    def contact_id(self) -> str:
        """The newest chat the sandbox has."""
        return str(self.sandbox.state()["contacts"][-1]["contact_id"])

    def contact(self) -> Any:
        return self.sandbox.control("GET", f"contacts/{self.contact_id}")

    def act(self, action: str, **body: object) -> Any:
        """Do something to the chat over the sandbox's control API (``puppets.py``)."""
        return self.sandbox.control("POST", f"contacts/{self.contact_id}/{action}", body)

    def hear(self, text: str, **body: object) -> None:
        """The agent says ``text``."""
        self.act("say", content=text, **body)

    def stored(self) -> dict[str, str]:
        """What the page keeps in its local storage."""
        stored: dict[str, str] = self.page.evaluate("() => ({...localStorage})")
        return stored


def until(page: Page, is_so: Callable[[], bool], within_s: float = 15.0) -> None:
    """Wait for something the page does not show."""
    for _ in range(int(within_s * 10)):
        if is_so():
            return
        page.wait_for_timeout(100)
    pytest.fail("It did not come about in time.")
