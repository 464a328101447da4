"""The center as bot and console use it: acting, watching, and refusing once a chat is over."""

import pytest

from chatproxy.sandbox.center import Center, ContactOver, Observer
from chatproxy.sandbox.clock import Clock
from chatproxy.sandbox.contacts import Contact, Item, Participant, Wire
from chatproxy.sandbox.options import Options
from chatproxy.upstream.vocabulary import EventType, ParticipantRole, ResponseMode


class Watcher(Observer):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.frames: list[Wire] = []
        self.items: list[Item] = []
        self.ended = 0

    def on_frame(self, contact: Contact, frame: Wire) -> None:
        self.frames.append(frame)

    def on_item(self, contact: Contact, item: Item) -> None:
        self.items.append(item)

    def on_contact_ended(self, contact: Contact) -> None:
        self.ended += 1


class Failing(Observer):
    """Fails at everything it is told."""

    def on_item(self, contact: Contact, item: Item) -> None:
        raise RuntimeError("not today")


@pytest.fixture
def center() -> Center:
    return Center(Options(), Clock(wall=lambda: 1_700_000_000.0))


@pytest.fixture
def watcher(center: Center) -> Watcher:
    watcher = Watcher()
    center.observe(watcher)
    return watcher


def begun(center: Center, **more: object) -> Contact:
    now = center.clock.now()
    customer = Participant(ParticipantRole.CUSTOMER, "Jane")
    contact = Contact("i", "f", customer, now, now + 3600, **more)  # type: ignore[arg-type]
    center.start(contact)
    center.customer_connected(contact)
    return contact


def test_everything_said_is_seen_and_kept(center: Center, watcher: Watcher) -> None:
    contact = begun(center)
    agent = center.join(contact, ParticipantRole.AGENT, "Ann")
    item = center.post_message(contact, agent, "hello")
    center.typing(contact, agent)
    center.end(contact)
    kinds = [each.content_type for each in contact.items]
    assert kinds[-2:] == ["text/plain", EventType.CHAT_ENDED]
    assert watcher.frames[-3]["Id"] == item.id
    assert watcher.ended == 1


def test_an_ended_chat_takes_nothing_more(center: Center) -> None:
    contact = begun(center)
    center.end(contact)
    center.end(contact)
    for act in (
        lambda: center.post_message(contact, contact.customer, "x"),
        lambda: center.join(contact, ParticipantRole.AGENT, "Ann"),
        lambda: center.typing(contact, contact.customer),
        lambda: center.leave(contact, contact.customer),
    ):
        with pytest.raises(ContactOver):
            act()


def test_an_observer_that_fails_disturbs_nobody(center: Center) -> None:
    center.observe(Failing())
    watcher = Watcher()
    center.observe(watcher)
    contact = begun(center)
    item = center.post_message(contact, contact.customer, "x")
    assert watcher.items[-1] is item


@pytest.mark.parametrize(("mode", "seen"), [("INCREMENTAL", 3), ("COMPLETE", 1)])
def test_a_stream_is_one_item(center: Center, watcher: Watcher, mode: str, seen: int) -> None:
    contact = begun(center, response_mode=ResponseMode(mode))
    before = len(watcher.frames)
    stream = center.stream(
        contact, center.join(contact, ParticipantRole.SYSTEM, "BOT", announce=False)
    )
    stream.chunk("a")
    stream.chunk("b")
    item = stream.finish()
    assert len(watcher.frames) - before == seen
    assert {each["Id"] for each in watcher.frames[before:]} == {item.id}
    assert contact.items[-1].content == "ab"


def test_a_chat_nobody_connects_to_ends_by_itself(center: Center) -> None:
    now = center.clock.now()
    contact = Contact("i", "f", Participant(ParticipantRole.CUSTOMER, "x"), now, now + 3600)
    center.start(contact)
    center.clock.advance(301)
    assert (contact.is_over, contact.ended_by) == (True, "unconnected")


def test_the_oldest_ended_chats_are_forgotten_with_their_tokens(center: Center) -> None:
    center.options.update({"ended_chats_kept": 1})
    first, second = begun(center), begun(center)
    token = center.tokens.issue_participant(first, first.customer)
    center.end(first)
    assert first.contact_id in center.contacts
    center.end(second)
    assert list(center.contacts.values()) == [second]
    assert center.tokens.participant(token) is None
    assert center.live_contacts() == []
