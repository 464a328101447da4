"""Our own upstream client in front of the sandbox, in a chat."""

from collections.abc import Iterator

import boto3
import pytest
from websockets.sync.client import connect

from chatproxy.upstream.contacts import ContactClient
from chatproxy.upstream.participant import ParticipantClient
from chatproxy.upstream.shapes import StartedChat
from chatproxy.upstream.starting import ChatStart
from chatproxy.upstream.tokens import ConnectionToken
from tests.contract.client.talk import EVERY_TYPE, FLOW, INSTANCE, Socket
from tests.processes import RunningSandbox


@pytest.fixture
def bot() -> bool:
    """Whether the sandbox's bot takes part; WITH_BOT says yes."""
    return False


@pytest.fixture(scope="module")
def contact_client(running_sandbox: RunningSandbox) -> Iterator[ContactClient]:
    """One for all: boto3 takes half a second to make it."""
    session = boto3.session.Session(aws_access_key_id="made-up", aws_secret_access_key="made-up")
    client = ContactClient("us-west-2", endpoint_url=running_sandbox.url, session=session)
    yield client
    client.shutdown()


@pytest.fixture
def contacts(sandbox: RunningSandbox, contact_client: ContactClient, bot: bool) -> ContactClient:
    sandbox.change(bot=bot, bot_delay_s=0, quotas="off")
    return contact_client


@pytest.fixture
def client(sandbox: RunningSandbox) -> Iterator[ParticipantClient]:
    with ParticipantClient(sandbox.url, read_timeout_s=20.0) as made:
        yield made


@pytest.fixture
def chat(contacts: ContactClient) -> StartedChat:
    """A chat that has been started; nobody is connected."""
    return contacts.start_chat_contact(
        ChatStart(INSTANCE, FLOW, "Ann", supported_content_types=EVERY_TYPE)
    )


@pytest.fixture
def token(chat: StartedChat, client: ParticipantClient) -> ConnectionToken:
    return client.create_participant_connection(chat.participant_token).token


@pytest.fixture
def socket(chat: StartedChat, client: ParticipantClient) -> Iterator[Socket]:
    url = client.create_participant_connection(chat.participant_token).url
    with connect(url.reveal(), compression=None, proxy=None) as connection:
        yield Socket(connection)
