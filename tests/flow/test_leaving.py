"""Who leaves has left: the chat ends for the agent too, even when the service refuses our token."""

from __future__ import annotations

import pytest
import requests

from tests.flow.client import ENDED, EVENT, Tab, Visitor, eventually
from tests.flow.problem import assert_problem
from tests.processes import RunningDemo, RunningSandbox

WAYS = ["DELETE", "DisconnectParticipant"]


class Customer(Visitor):
    """A visitor with one tab open, whose connection token the service may stop taking."""

    def __init__(self, demo: RunningDemo) -> None:
        super().__init__(demo.url)
        self.sandbox = demo.sandbox
        self.tab: Tab = self.open_tab()

    def lose_token(self) -> None:
        told = {"kind": "connection", "contact_id": self.contact_id}
        assert self.sandbox.control("POST", "expire", told)["expired"] >= 1

    def leave(self, way: str) -> requests.Response:
        if way == "DisconnectParticipant":
            return self.call("disconnect", {})
        headers = {"X-Amz-Bearer": self.key}
        return requests.delete(f"{self.url}/api/v1/session", headers=headers, timeout=30)

    @property
    def ended_by(self) -> str | None:
        """As the service has it; None while the chat goes on."""
        found = self.sandbox.control("GET", f"contacts/{self.contact_id}")["ended_by"]
        return str(found) if found else None

    def calls(self, operation: str) -> int:
        return int(self.sandbox.state()["requests"].get(operation, 0))


@pytest.fixture
def customer(demo: RunningDemo, sandbox: RunningSandbox) -> Customer:
    sandbox.change(bot=False, quotas="off")
    return Customer(demo)


@pytest.mark.parametrize("way", WAYS)
def test_a_refused_token_does_not_keep_a_customer_in_the_chat(customer: Customer, way: str) -> None:
    customer.lose_token()
    assert customer.leave(way).status_code == (204 if way == "DELETE" else 200)
    assert customer.ended_by == "api"
    customer.tab.wait_item(ENDED)
    eventually(lambda: customer.state() == "ended")
    assert customer.get("session").json()["endedBy"] == "customer"
    assert customer.leave("DELETE").status_code == 204
    assert customer.leave("DisconnectParticipant").status_code == 403
    assert customer.calls("StopContact") == 1


@pytest.mark.parametrize("way", WAYS)
def test_who_has_left_already_keeps_the_survey(customer: Customer, way: str) -> None:
    """The answer to the first try was lost on the way; the service has taken it all the same."""
    customer.sandbox.change(disconnect_flow_s=60)
    customer.sandbox.add_fault(operation="DisconnectParticipant", kind="lose_answer", count=1)
    assert not customer.leave(way).ok
    customer.tab.wait_item(EVENT + "participant.left")
    assert customer.leave(way).ok
    assert customer.state() == "leaving"
    assert customer.calls("StopContact") == 0
    assert customer.ended_by is None


def test_an_end_that_nobody_saw_is_found_out(customer: Customer) -> None:
    customer.sandbox.control("POST", f"contacts/{customer.contact_id}/end", {"unseen": True})
    assert customer.leave("DisconnectParticipant").status_code == 403
    customer.tab.wait_item(ENDED)
    eventually(lambda: customer.state() == "ended")
    assert customer.get("session").json()["incompleteSince"]


@pytest.mark.parametrize(
    ("fault", "kind", "statuses", "names"),
    [
        ({"kind": "throttle"}, "upstream-throttled", (503, 429), "ThrottlingException"),
        (
            {"kind": "error", "error": "AccessDeniedException"},
            "upstream-misconfigured",
            (502, 500),
            "InternalServerException",
        ),
    ],
)
def test_when_nothing_helps_it_says_so_and_the_chat_goes_on(
    customer: Customer,
    fault: dict[str, object],
    kind: str,
    statuses: tuple[int, int],
    names: str,
) -> None:
    customer.lose_token()
    customer.sandbox.add_fault(operation="StopContact", **fault)
    for way, status in zip(WAYS, statuses, strict=True):
        assert_problem(customer.leave(way), status, kind, names)
    assert customer.state() == "active"
    customer.sandbox.clear_faults()
    assert customer.leave("DELETE").status_code == 204
    assert customer.ended_by == "api"


def test_a_chat_nobody_has_connected_to_is_stopped(
    demo: RunningDemo, sandbox: RunningSandbox
) -> None:
    sandbox.change(bot=False, quotas="off")
    visitor = Visitor(demo.url)
    headers = {"X-Amz-Bearer": visitor.key}
    answer = requests.delete(f"{demo.url}/api/v1/session", headers=headers, timeout=30)
    assert answer.status_code == 204
    assert sandbox.control("GET", f"contacts/{visitor.contact_id}")["ended_by"] == "api"
    assert visitor.state() == "ended"
