"""The grounds the contract suite runs on, one parameter each."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.contract.ground import ALL_TYPES, Ground, Started, connect_client
from tests.processes import RunningDemo, RunningSandbox

INSTANCE_ID = "11111111-1111-4111-8111-111111111111"
FLOW_ID = "22222222-2222-4222-8222-222222222222"
GROUNDS = ["sandbox", "proxy"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "differs(ground, reason): deliberately another behaviour on that ground"
    )


@pytest.fixture
def connect_service(sandbox: RunningSandbox) -> Any:
    """The Connect service of the sandbox, as boto3 calls it."""
    return connect_client(sandbox.url)


@pytest.fixture(params=GROUNDS)
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """Where this test runs: fresh, without the bot, not throttled."""
    for mark in request.node.iter_markers("differs"):
        if mark.args[0] == request.param:
            pytest.skip(mark.kwargs["reason"])
    made: Ground = request.getfixturevalue(f"{request.param}_ground")
    made.sandbox.change(bot=False, quotas="off")
    yield made
    made.close()


@pytest.fixture
def sandbox_ground(sandbox: RunningSandbox, connect_service: Any) -> Ground:
    """The sandbox itself."""

    def begin(
        display_name: str = "Customer",
        initial_message: str | None = None,
        attributes: dict[str, str] | None = None,
        **wanted: Any,
    ) -> Started:
        first = {"ContentType": "text/plain", "Content": initial_message}
        answer = connect_service.start_chat_contact(
            **{
                "InstanceId": INSTANCE_ID,
                "ContactFlowId": FLOW_ID,
                "ParticipantDetails": {"DisplayName": display_name},
                "Attributes": attributes or {},
                "SupportedMessagingContentTypes": ALL_TYPES,
            }
            | ({"InitialMessage": first} if initial_message else {})
            | wanted
        )
        return Started(answer["ContactId"], answer["ParticipantId"], answer["ParticipantToken"])

    return Ground("sandbox", sandbox.url, sandbox, begin)


@pytest.fixture(scope="session")
def contract_widget(running_demo: RunningDemo) -> str:
    """A widget that allows what the suite uses; its key."""
    running_demo.manage("shell", "-c", _MAKE_WIDGET.replace("PORT", str(running_demo.port)))
    return "contract"


_MAKE_WIDGET = """
from chatproxy.widgets.models import Widget
Widget.objects.update_or_create(key="contract", defaults={
    "name": "Contract suite", "accepts_no_origin": True, "live_chats": 100000,
    "starts_per_day": 100000, "attribute_names": ["colour", "size"],
    "allowed_origins": ["http://localhost:PORT"],
    "content_types": ["text/plain", "text/markdown", "application/json",
        "application/vnd.amazonaws.connect.message.interactive.response"]})
"""


@pytest.fixture
def proxy_ground(demo: RunningDemo, contract_widget: str) -> Ground:
    """The proxy, in front of the sandbox."""

    def begin(
        display_name: str = "Customer",
        initial_message: str | None = None,
        attributes: dict[str, str] | None = None,
        **_: Any,
    ) -> Started:
        body: dict[str, Any] = {"widget": contract_widget, "displayName": display_name}
        if initial_message:
            body["initialMessage"] = initial_message
        if attributes:
            body["attributes"] = attributes
        answer = requests.post(f"{demo.url}/api/v1/sessions", json=body, timeout=10)
        assert answer.status_code == 201, answer.text
        result = answer.json()["startChatResult"]
        return Started(result["ContactId"], result["ParticipantId"], result["ParticipantToken"])

    return Ground("proxy", demo.url, demo.sandbox, begin)
