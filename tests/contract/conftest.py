"""The grounds the contract suite runs on, one parameter each."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.contract.ground import ALL_TYPES, REGION, Ground, Started
from tests.processes import RunningSandbox

INSTANCE_ID = "11111111-1111-4111-8111-111111111111"
FLOW_ID = "22222222-2222-4222-8222-222222222222"
GROUNDS = ["sandbox"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "differs(ground, reason): deliberately another behaviour on that ground"
    )


@pytest.fixture
def connect_service(sandbox: RunningSandbox) -> Any:
    """The Connect service of the sandbox, as boto3 calls it."""
    return boto3.client(
        "connect",
        endpoint_url=sandbox.url,
        region_name=REGION,
        aws_access_key_id="made-up",
        aws_secret_access_key="made-up",
    )


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
