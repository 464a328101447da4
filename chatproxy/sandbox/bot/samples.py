"""One ready-made interactive message of every template, for the bot and for the agent console.

Each function returns the message as a dict, in the shape the service documents (``templateType``,
``version``, ``data.content``, ``data.replyMessage``); it travels as a JSON string in ``Content``.
Counts and lengths stay inside what the service accepts. Who sends them, and what follows, is told
elsewhere.

Source: Administrator Guide, "Add interactive messages to chat".
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chatproxy.sandbox.center import Center

Template = dict[str, Any]
"""One interactive message, not yet JSON."""

CATALOGUE = (
    "Trail runner", "City sneaker", "Winter boot", "Sandal", "Climbing shoe", "Wellington",
    "Loafer", "Hiking boot", "Slipper", "Ballet flat", "Clog", "Football boot",
)  # fmt: skip
"""What the paged list leafs through, in its order."""

PAGE_SIZE = 4
"""Products on one page: with both paging buttons that makes the six a ListPicker may hold."""

PAGED_LIST_ID = "catalogue"

_SHOP = "https://shop.example"


@dataclass(frozen=True)
class Context:
    """What a sample needs to know of the place it is shown in.

    Attributes:
        pictures: URL of the folder with the sample pictures, without the last slash.
        now: The present (aware, UTC), so that offered times lie ahead.
        view_token: Token of a view that DescribeView knows, or empty where views are not shown.
    """

    pictures: str
    now: datetime
    view_token: str = ""

    def picture(self, name: str, description: str) -> Template:
        """The three members that put a picture on a title or an element."""
        return {
            "imageType": "URL",
            "imageData": f"{self.pictures}/{name}.png",
            "imageDescription": description,
        }


def context(center: Center, view_token: str = "") -> Context:
    """The surroundings of a sandbox, as they are now."""
    return Context(
        pictures=f"{center.files.base_url}/console/static/pictures",
        now=datetime.fromtimestamp(center.clock.now(), UTC),
        view_token=view_token,
    )


def list_picker(context: Context) -> Template:
    """A ListPicker: up to six choices, each with a subtitle and a picture of its own."""
    return _template(
        "ListPicker",
        {
            "title": "What is it about?",
            "subtitle": "Tap one, or just write.",
            **context.picture("desk", "A counter with a parcel on it"),
            "elements": [
                {
                    "title": "Where is my order?",
                    "subtitle": "Track a parcel",
                    **context.picture("parcel", "A parcel"),
                },
                {
                    "title": "Send something back",
                    "subtitle": "Free within 30 days",
                    **context.picture("return", "A box with an arrow"),
                },
                {
                    "title": "Opening hours",
                    "subtitle": "Shops near you",
                    **context.picture("clock", "A clock"),
                },
                {"title": "Something else", "subtitle": "A person will read it"},
            ],
        },
        reply={"title": "Thank you", "subtitle": "One moment, please."},
    )


def time_picker(context: Context) -> Template:
    """A TimePicker: slots of the next three days, at a place."""
    return _template(
        "TimePicker",
        {
            "title": "When shall we fit your shoes?",
            "subtitle": "All times are the shop's own.",
            "timeZoneOffset": 60,
            "location": {
                "latitude": 52.3702,
                "longitude": 4.8952,
                "title": "Shop at the canal",
                "radius": 1,
            },
            "timeslots": [{"date": date, "duration": 60} for date in _slots(context.now)],
        },
        reply={"title": "Noted", "subtitle": "See you then."},
    )


def panel(context: Context) -> Template:
    """A Panel: up to ten short choices under one picture."""
    sizes = ("36", "37", "38", "39", "40", "41", "42", "43")
    return _template(
        "Panel",
        {
            "title": "Which size do you wear?",
            "subtitle": "European sizes",
            **context.picture("shoe", "A running shoe"),
            "elements": [{"title": size} for size in sizes],
        },
        reply={"title": "Good choice"},
    )


def quick_reply(context: Context) -> Template:
    """A QuickReply: two to five choices in a row, without pictures."""
    del context
    answers = ("Yes, thank you", "Not yet", "I would like to talk to a person")
    return _template(
        "QuickReply",
        {
            "title": "Did that solve it?",
            "elements": [{"title": answer} for answer in answers],
        },
    )


def carousel(context: Context) -> Template:
    """A Carousel: two to five cards, each a ListPicker or Panel of its own, with a link."""
    return _template(
        "Carousel",
        {
            "title": "Seen lately",
            "elements": [
                _card(context, "trail", "Trail runner", "€ 129", "shoe"),
                _card(context, "boot", "Winter boot", "€ 159", "boot"),
                _card(context, "sandal", "Sandal", "€ 59", "sandal"),
            ],
        },
    )


def view(context: Context) -> Template:
    """A ViewResource: names a view (``VIEW``); the client asks DescribeView what to draw."""
    return {
        "templateType": "ViewResource",
        "version": "1.0",
        "data": {
            "content": {
                "viewId": "sandbox-form:$LATEST",
                "viewToken": context.view_token,
                "viewData": json.dumps({"Heading": "Your delivery", "Submit": "Send"}),
            }
        },
    }


def _component(kind: str, name: str, **props: object) -> Template:
    return {"_id": name, "Type": kind, "Props": {"Name": name, **props}, "Content": []}


def _button(action: str, label: str) -> Template:
    return {"_id": action, "Type": "Button", "Props": {"Action": action}, "Content": [label]}


VIEW: Template = {
    "Head": {"Title": "$.Heading", "Configuration": {"Layout": {"Columns": ["12"]}}},
    "Body": [
        {
            "_id": "address",
            "Type": "Form",
            "Props": {},
            "Content": [
                _component("FormInput", "name", Label="Name", Required=True),
                _component("FormInput", "street", Label="Street"),
                _component("FormInput", "city", Label="City"),
                _component(
                    "Dropdown",
                    "floor",
                    Label="Floor",
                    Options=[{"Label": one, "Value": one.lower()} for one in ("Ground", "Upper")],
                ),
                _component(
                    "RadioGroup",
                    "when",
                    Label="When",
                    Options=[{"Label": one, "Value": one} for one in ("Morning", "Evening")],
                    DefaultValue="Evening",
                ),
                _component("DatePicker", "day", Label="First day", HelperText="Not before Monday"),
                _component("TextArea", "note", Label="For the driver"),
                _component("Checkbox", "neighbour", Label="Or to a neighbour"),
            ],
        },
        _button("Submit", "$.Submit"),
        _button("Back", "Not now"),
    ],
}
"""What the view draws: a form of eight fields, and two buttons."""

VIEW_INPUT: Template = {
    "type": "object",
    "properties": {"Heading": {"type": "string"}, "Submit": {"type": "string"}},
}
VIEW_ACTIONS = ["Submit", "Back"]


def new_view(center: Center) -> Template:
    """A ViewResource message whose view DescribeView knows from now on."""
    token = center.views.add(VIEW, name="address", input_schema=VIEW_INPUT, actions=VIEW_ACTIONS)
    return view(context(center, token))


def paged_list(context: Context, reference_id: str, start: int = 0) -> Template:
    """One page of a ListPicker that is longer than a page, from item ``start`` on.

    The paging elements carry ``actionDetail``; choosing one sends ``interactive.response``, and the
    page that follows has the same ``referenceId``, so that it takes the place of this one.
    """
    del context
    start = max(0, min(start, len(CATALOGUE) - 1))
    end = min(start + PAGE_SIZE, len(CATALOGUE))
    elements: list[Template] = [{"title": name, "type": "button"} for name in CATALOGUE[start:end]]
    if start > 0:
        elements.append(_paging("Previous", "PREVIOUS_OPTIONS"))
    if end < len(CATALOGUE):
        elements.append(_paging("Show more", "SHOW_MORE"))
    return _template(
        "ListPicker",
        {
            "title": "Our shoes",
            "subtitle": f"{start + 1} to {end} of {len(CATALOGUE)}",
            "referenceId": reference_id,
            "listId": PAGED_LIST_ID,
            "preIndex": max(0, start - PAGE_SIZE),
            "nextIndex": end,
            "elements": elements,
        },
    )


def choices(template: Template) -> Iterable[str]:
    """The texts a client may send back for ``template``: titles of elements, or dates of slots."""
    content = template["data"]["content"]
    for slot in content.get("timeslots", ()):
        yield slot["date"]
    for element in content.get("elements", ()):
        if "templateType" in element:
            yield from choices(element)
        elif element.get("type") != "hyperlink" and "actionDetail" not in element:
            yield element["title"]


def _template(kind: str, content: Template, reply: Template | None = None) -> Template:
    data: Template = {"content": content}
    if reply is not None:
        data["replyMessage"] = reply
    return {"templateType": kind, "version": "1.0", "data": data}


def _card(context: Context, identifier: str, title: str, price: str, picture: str) -> Template:
    card = _template(
        "ListPicker",
        {
            "title": title,
            "subtitle": price,
            **context.picture(picture, title),
            "elements": [
                {"title": "Is it in stock?"},
                {"title": "Reserve it"},
                {
                    "title": "See it",
                    "type": "hyperlink",
                    "url": f"https://shop.example/{identifier}",
                },
            ],
        },
    )
    return {"templateIdentifier": identifier, **card}


def _paging(title: str, action: str) -> Template:
    return {"title": title, "type": "button", "actionDetail": action}


def _slots(now: datetime) -> list[str]:
    """Nine slots, three on each of the next three days, as the service writes them (no seconds)."""
    tomorrow = now.astimezone(UTC).replace(hour=0, minute=0) + timedelta(days=1)
    hours = (tomorrow + timedelta(days=day, hours=hour) for day in range(3) for hour in (9, 13, 16))
    return [f"{slot:%Y-%m-%dT%H:%M}+00:00" for slot in hours]
