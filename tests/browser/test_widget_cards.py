"""Interactive messages in the widget: what each shows, what a choice sends, what stays of it."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.attacks import ATTACKS, assert_harmless
from tests.browser.conftest import OpenPage
from tests.browser.widget import Widget, until
from tests.processes import RunningDemo

INTERACTIVE = "application/vnd.amazonaws.connect.message.interactive"
CARDS = re.compile(r"/widget/v1/(cards\.|manifest)")
PICTURES = re.compile(r"/console/static/pictures/")


def show(widget: Widget, template: str, **content: object) -> None:
    """The other side sends an interactive message."""
    message = {"templateType": template, "version": "1.0", "data": {"content": content}}
    widget.act("say", content=json.dumps(message), content_type=INTERACTIVE, role="SYSTEM")


def sent(widget: Widget) -> list[Any]:
    """Contents of what the visitor has sent, as the service got them."""
    items = widget.contact()["transcript"]
    said = [one for one in items if one["Type"] == "MESSAGE"]
    return [one["Content"] for one in said if one["ParticipantRole"] == "CUSTOMER"]


def group(widget: Widget, name: str) -> Locator:
    return widget.panel.get_by_role("group", name=name, exact=True)


@pytest.fixture
def far_away(open_page: OpenPage, demo: RunningDemo) -> Widget:
    """A visitor in Auckland, whose page is in German."""
    demo.sandbox.change(bot_delay_s=0.05)
    return Widget(open_page(locale="de-DE", timezone_id="Pacific/Auckland"), demo)


# --- times ----------------------------------------------------------------------------------------


def test_times_are_offered_by_day_where_the_visitor_is_and_sent_as_the_flow_wrote_them(
    widget: Widget,
) -> None:
    widget.start()
    dates = [f"2031-06-0{day}T{hour}:00+00:00" for day in (1, 2) for hour in ("09", "13")]
    slots = [{"date": date, "duration": 90} for date in reversed(dates)]
    place = {"latitude": 0, "longitude": 0, "title": "Shop at the canal"}
    show(widget, "TimePicker", title="When?", location=place, timeslots=slots)
    expect(widget.said("When?")).to_contain_text("Shop at the canal")
    expect(widget.said("When?")).to_contain_text("Time zone: ")
    first = group(widget, "Sunday, June 1").get_by_role("button")
    expect(first).to_have_count(2)
    expect(first.first).to_contain_text("9:00")
    expect(first.first).to_contain_text("90 min")
    expect(first.first).to_have_accessible_name(re.compile(r"^9:00.AM 90 min$"))
    group(widget, "Monday, June 2").get_by_role("button").last.click()
    expect(widget.own("Monday, June 2, 2031 at 1:00")).to_have_count(1)
    chosen = group(widget, "Monday, June 2").locator(".chosen")
    expect(chosen).to_have_accessible_name(re.compile(r"^1:00.PM 90 min, chosen$"))
    expect(first.first).to_be_disabled()
    until(widget.page, lambda: sent(widget) == [dates[3]])
    widget.page.reload()
    expect(widget.own("Monday, June 2, 2031 at 1:00")).to_have_count(1)


def test_a_visitor_on_the_other_side_of_the_world_reads_their_own_day(far_away: Widget) -> None:
    far_away.visit()
    far_away.page.locator("chatproxy-widget").evaluate("e => { e.dataset.locale = 'de' }")
    far_away.launcher.click()
    log = far_away.page.get_by_role("log")
    expect(log).to_contain_text("Hello")
    slot = {"date": "2031-06-01T21:30+00:00", "duration": 60}
    show(far_away, "TimePicker", title="Wann?", timeslots=[slot])
    time = log.get_by_role("group", name="Montag, 2. Juni").get_by_role("button")
    expect(time).to_have_text("09:3060 Min.")
    expect(log).to_contain_text("Zeitzone: Neuseeland-Zeit.")
    time.click()
    expect(log.locator(".own")).to_contain_text("Montag, 2. Juni 2031 um 09:30")
    until(far_away.page, lambda: sent(far_away) == [slot["date"]])


def test_of_many_days_the_first_are_shown_and_the_others_on_request(widget: Widget) -> None:
    widget.start()
    slots = [{"date": f"2031-06-0{day}T09:00+00:00", "duration": 30} for day in range(1, 7)]
    show(widget, "TimePicker", title="When?", timeslots=slots)
    expect(group(widget, "Tuesday, June 3")).to_be_visible()
    expect(group(widget, "Wednesday, June 4")).to_be_hidden()
    widget.button("More times").press("Enter")
    expect(group(widget, "Friday, June 6")).to_be_visible()
    expect(group(widget, "Wednesday, June 4").get_by_role("button")).to_be_focused()
    group(widget, "Friday, June 6").get_by_role("button").click()
    expect(widget.own("Friday, June 6")).to_have_count(1)
    expect(group(widget, "Friday, June 6").locator(".chosen")).to_be_visible()


# --- carousels ------------------------------------------------------------------------------------


def test_what_is_chosen_on_a_card_of_a_carousel_says_on_which(widget: Widget) -> None:
    widget.start()
    widget.say("carousel")
    cards = widget.panel.get_by_role("list", name="Seen lately")
    expect(cards.locator("> li")).to_have_count(3)
    link = cards.get_by_role("link", name="See it").first
    expect(link).to_have_attribute("href", "https://shop.example/trail")
    boot = cards.locator("> li").filter(has_text="Winter boot")
    boot.get_by_role("button", name="Reserve it").click()
    expect(widget.own("Reserve it")).to_have_count(1)
    expect(widget.own("templateIdentifier")).to_have_count(0)
    expect(widget.said("You picked “Reserve it” for Winter boot.")).to_be_visible()
    expect(widget.button("Reserve it, chosen")).to_have_count(1)
    expect(boot.get_by_role("button", name="Reserve it, chosen")).to_be_disabled()
    choice = {"templateIdentifier": "boot", "listTitle": "Winter boot"}
    assert json.loads(sent(widget)[-1]) == {**choice, "selectionText": "Reserve it"}


def test_a_carousel_is_scrolled_by_the_keyboard_and_keeps_inside_the_panel(widget: Widget) -> None:
    widget.start()
    widget.say("carousel")
    cards = widget.panel.get_by_role("list", name="Seen lately")
    expect(cards).to_be_visible()
    last = cards.locator("> li").last
    expect(last).not_to_be_in_viewport(ratio=0.9)
    last.get_by_role("button").first.focus()
    expect(last).to_be_in_viewport(ratio=0.9)
    inside = "e => e.scrollWidth <= e.clientWidth"
    assert widget.log.evaluate(inside)


# --- pictures -------------------------------------------------------------------------------------


def test_pictures_are_shown_with_what_they_show_said(widget: Widget) -> None:
    widget.start()
    widget.say("list")
    picture = widget.log.get_by_role("img", name="A counter with a parcel on it")
    expect(picture).to_be_visible()
    loaded = "img => img.complete && img.naturalWidth > 0"
    widget.page.wait_for_function(loaded, arg=picture.element_handle())
    expect(
        widget.panel.get_by_role("button", name="Where is my order?").locator("img")
    ).to_be_visible()
    asked = [request for request in widget.requests if PICTURES.search(request.url)]
    assert asked
    assert not [request for request in asked if "referer" in request.all_headers()]


def test_a_picture_that_cannot_be_had_is_said_instead(
    widget: Widget, expected_problems: list[str]
) -> None:
    expected_problems.append("ERR_FAILED")
    widget.page.route(PICTURES, lambda route: route.abort())
    widget.start()
    widget.say("list")
    expect(widget.said("What is it about?")).to_contain_text("A counter with a parcel on it")
    expect(widget.log.locator("img")).to_have_count(0)
    expect(widget.panel.get_by_role("button", name="Where is my order?")).to_be_visible()


# --- views ----------------------------------------------------------------------------------------


def test_a_form_is_filled_in_sent_and_rests(widget: Widget) -> None:
    widget.start()
    widget.say("view")
    expect(widget.said("Your delivery")).to_be_visible()
    form = widget.log.locator("form.view")
    send = form.get_by_role("button", name="Send", exact=True)
    send.click()
    name = form.get_by_role("textbox", name="Name")
    assert name.evaluate("input => input.validity.valueMissing")
    assert [one for one in sent(widget) if "Submit" in one] == []
    name.fill("Ada")
    # What was begun outlives every new drawing.
    widget.act("say", content="Are you still there?", role="SYSTEM")
    expect(widget.said("Are you still there?")).to_be_visible()
    expect(name).to_have_value("Ada")
    form.get_by_role("textbox", name="Street").fill("Analytical Road 1")
    form.get_by_role("combobox", name="Floor").select_option(label="Upper")
    form.get_by_role("radio", name="Morning").check()
    form.get_by_label("First day").fill("2031-06-02")
    form.get_by_role("checkbox", name="Or to a neighbour").check()
    send.press("Enter")
    expect(widget.said("You sent “Submit” with name: Ada")).to_be_visible()
    expect(send).to_be_disabled()
    expect(widget.box).to_be_focused()
    (answer,) = (json.loads(one) for one in sent(widget) if "Submit" in one)
    assert answer == {
        "action": "Submit",
        "data": {
            "name": "Ada",
            "street": "Analytical Road 1",
            "city": "",
            "floor": "upper",
            "when": "Morning",
            "day": "2031-06-02",
            "note": "",
            "neighbour": True,
        },
        "templateType": "ViewResource",
        "version": "1.0",
    }
    widget.page.reload()
    expect(widget.said("Your delivery")).to_be_visible()
    expect(form).to_have_count(0)


def test_a_form_can_be_left_without_filling_it_in(widget: Widget) -> None:
    widget.start()
    widget.say("view")
    widget.button("Not now").click()
    expect(widget.said("You chose “Back”.")).to_be_visible()
    expect(widget.button("Not now")).to_be_disabled()


def test_a_view_nobody_can_describe_is_said_to_be_one(
    widget: Widget, expected_problems: list[str]
) -> None:
    expected_problems.append("status of 404")
    widget.start()
    show(widget, "ViewResource", viewToken="gone", viewId="v", viewData={"Heading": "Hidden"})
    expect(widget.said("This window cannot show what was sent.")).to_be_visible()


def test_nothing_in_a_view_becomes_html(widget: Widget) -> None:
    texts = dict.fromkeys(("Heading", "Description", "Label", "HelperText"), ATTACKS[0])
    options = [{"Label": attack, "Value": attack} for attack in ATTACKS]
    body = [
        *ATTACKS,
        *({"Type": attack, "Props": {**texts, "Value": attack}} for attack in ATTACKS),
        *(
            {"Type": kind, "Props": {**texts, "Name": attack, "Options": options}}
            for kind, attack in zip(
                ["FormInput", "TextArea", "Dropdown", "RadioGroup", "CheckboxGroup", "Checkbox"],
                ATTACKS,
                strict=False,
            )
        ),
        {"Type": "Card", "Props": {**texts, "Action": ATTACKS[1]}},
    ]
    template = json.dumps({"Head": {"Title": ATTACKS[2]}, "Body": body})
    view = {"View": {"Content": {"Template": template, "Actions": ATTACKS}}}
    widget.page.route("**/participant/views/**", lambda route: route.fulfill(json=view))
    widget.start()
    show(widget, "ViewResource", viewToken="v", viewData={"Heading": ATTACKS[3]})
    expect(widget.log.locator("form.view fieldset .field")).to_have_count(6)
    expect(widget.said(ATTACKS[3])).to_be_visible()
    assert_harmless(widget.page, widget.log)


def test_a_template_nobody_knows_is_read(widget: Widget) -> None:
    widget.start()
    show(widget, "Unheard", title="Of late", elements=[{"title": "One"}, {"title": "Two"}])
    expect(widget.said("Of late").locator("li")).to_have_text(["One", "Two"])


def test_a_view_that_could_not_be_had_is_asked_for_again_when_the_network_is_back(
    widget: Widget, expected_problems: list[str]
) -> None:
    expected_problems.append("ERR_FAILED")
    widget.page.clock.install()
    widget.page.route("**/participant/views/**", lambda route: route.abort())
    widget.start()
    widget.say("view")
    expect(widget.said("This window cannot show what was sent.")).to_be_visible()
    widget.page.unroute("**/participant/views/**")
    widget.page.clock.fast_forward(6_000)
    widget.page.evaluate("() => dispatchEvent(new Event('online'))")
    expect(widget.said("Your delivery")).to_be_visible()


# --- the part that knows them ---------------------------------------------------------------------


def test_nobody_who_meets_no_card_fetches_what_draws_them(widget: Widget) -> None:
    widget.start()
    assert not [request for request in widget.requests if CARDS.search(request.url)]
    widget.say("quick")
    expect(widget.button("Not yet")).to_be_visible()
    asked = [request for request in widget.requests if CARDS.search(request.url)]
    assert len(asked) == 1
    script = widget.page.locator("script[src*='/cards.']")
    assert (script.get_attribute("integrity") or "").startswith("sha256-")


def test_a_card_waits_while_its_part_cannot_be_had_and_is_there_once_it_can(
    widget: Widget, expected_problems: list[str]
) -> None:
    expected_problems.append("ERR_FAILED")
    widget.page.clock.install()
    widget.page.route(CARDS, lambda route: route.abort())
    widget.start()
    widget.say("quick")
    waiting = widget.log.locator(".awaits")
    expect(waiting).to_have_count(1)
    for _ in range(8):
        widget.page.clock.fast_forward(5_000)
        widget.page.wait_for_timeout(100)
    expect(widget.said("This window cannot show what was sent.")).to_be_visible()
    widget.page.unroute(CARDS)
    widget.page.evaluate("() => dispatchEvent(new Event('online'))")
    expect(widget.button("Not yet")).to_be_visible()
    expect(widget.said("This window cannot show")).to_have_count(0)


def test_the_part_of_a_newer_deploy_takes_the_place_of_one_that_is_gone(
    widget: Widget, expected_problems: list[str]
) -> None:
    expected_problems.append("404")
    gone: list[str] = []

    def answer(route: Route) -> None:
        """The first name is gone; the manifest's is what it always was."""
        if gone:
            return route.fallback()
        gone.append(route.request.url)
        return route.fulfill(status=404, headers={"Access-Control-Allow-Origin": "*"})

    widget.page.route(re.compile(r"/widget/v1/cards\."), answer)
    widget.start()
    widget.say("quick")
    expect(widget.button("Not yet")).to_be_visible()
    assert len(gone) == 1


# --- all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_card(open_page: OpenPage, demo: RunningDemo, scheme: str) -> None:
    demo.sandbox.change(bot_delay_s=0.05)
    widget = Widget(open_page(color_scheme=scheme, reduced_motion="reduce"), demo)
    widget.start()
    for word, seen in [
        ("list", "What is it about?"),
        ("panel", "Which size do you wear?"),
        ("quick", "Did that solve it?"),
        ("time", "When shall we fit your shoes?"),
        ("carousel", "Seen lately"),
        ("view", "Your delivery"),
    ]:
        widget.say(word)
        expect(widget.said(seen)).to_be_visible()
        assert_accessible(widget.page)


def test_a_card_is_read_aloud_once_with_the_number_of_its_choices(widget: Widget) -> None:
    widget.start()
    widget.say("carousel")
    expect(widget.panel.get_by_role("list", name="Seen lately")).to_be_visible()
    speech = widget.page.locator("chatproxy-widget [role=log].sr, chatproxy-widget [aria-live].sr")
    expect(speech.filter(has_text="Seen lately 9 options.")).to_have_count(1)
