"""The agent console as its tests use it: open it, find a chat in it, take it, write in it.

Its fixtures are made known in ``conftest``.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.customer import Customer
from tests.processes import RunningSandbox

OpenCustomer = Callable[..., Customer]


def opened(page: Page, sandbox: RunningSandbox) -> Page:
    page.goto(f"{sandbox.url}/console/")
    expect(page.get_by_text("Ready", exact=True)).to_be_visible()
    return page


def row(console: Page, customer: Customer) -> Locator:
    return console.locator(f'[data-chat="{customer.contact_id}"]')


def bubbles(console: Page) -> Locator:
    return console.get_by_role("log").locator(".bubble")


def take(console: Page, customer: Customer) -> None:
    """Ask for a person as the customer, and be that person."""
    customer.say("agent")
    console.get_by_role("button", name=f"Take the chat with {customer.name}").click()
    expect(console.get_by_role("heading", name=customer.name)).to_be_visible()
    expect(console.get_by_label("Message", exact=True)).to_be_focused()


def write(console: Page, text: str) -> None:
    console.get_by_label("Message", exact=True).fill(text)
    console.keyboard.press("Enter")


@pytest.fixture
def arrive(sandbox: RunningSandbox) -> Iterator[OpenCustomer]:
    """``arrive("Jane")``: a customer in a chat with the bot."""
    sandbox.change(bot_delay_s=0.0)
    customers: list[Customer] = []

    def open_customer(name: str = "Jane Doe", **wanted: object) -> Customer:
        customers.append(Customer(sandbox.url, name, **wanted))
        return customers[-1]

    yield open_customer
    for customer in customers:
        customer.close()


@pytest.fixture
def console(page: Page, sandbox: RunningSandbox) -> Page:
    """The console, connected."""
    return opened(page, sandbox)
