import assert from "node:assert/strict";
import test from "node:test";
import { cardOf, choicesOf } from "../../../widget_static/src/cards/templates.js";

const card = (templateType, content) => cardOf(JSON.stringify({ templateType, version: "1.0", data: { content } }));
const offered = (...elements) => card("ListPicker", { title: "t", elements }).options;

test("a list picker offers its elements, and says their titles", () => {
  const found = card("ListPicker", { title: "What?", subtitle: "Tap", elements: [{ title: "A", subtitle: "first" }, { title: "B" }] });
  assert.equal(found.clickable, true);
  const told = found.options.map(({ title, subtitle, answer }) => [title, subtitle, answer]);
  assert.deepEqual(told, [["A", "first", "A"], ["B", "", "B"]]);
});

test("an element is answered by its whole title, as it was written", () => {
  const title = ` ${"x".repeat(500)}`;
  assert.deepEqual(offered({ title }).map(({ answer }) => answer), [title]);
});

test("templates nobody knows are read", () => {
  const clickable = (name) => card(name, { title: "t", elements: [] }).clickable;
  assert.deepEqual(["QuickReply", "Panel", "TimePicker", "Carousel", "Unknown"].map(clickable), [true, true, true, false, false]);
  assert.equal(card("Unknown", { title: "t", elements: [{ title: "A" }] }).options[0].title, "A");
  assert.deepEqual(card("ViewResource", { viewToken: "x" }).options, []);
});

test("a time is answered by its date as the flow wrote it", () => {
  const dates = ["2026-11-25T17:00+00:00", "2026-11-25T18:00+0000", "soon", undefined];
  const { options, place } = card("TimePicker", {
    ...{ title: "When?", location: { title: "Shop" } },
    timeslots: dates.map((date, at) => ({ date, duration: at ? "?" : 60 })),
  });
  assert.equal(place, "Shop");
  assert.deepEqual(options.map(({ answer }) => answer), dates.slice(0, 2));
  assert.deepEqual(options.map(({ at }) => new Date(at).toISOString().slice(11, 16)), ["17:00", "18:00"]);
  assert.deepEqual(options.map(({ minutes }) => minutes), [60, 0]);
});

test("what is chosen in a carousel says on which card", () => {
  const inner = (templateIdentifier, title) => ({
    ...{ templateIdentifier, templateType: "Panel" },
    data: { content: { title, elements: [{ title: "Buy" }] } },
  });
  const found = card("Carousel", { title: "t", elements: [inner("a", "One"), inner("b", "Two"), { title: "not one" }] });
  assert.deepEqual(found.cards.map(({ title }) => title), ["One", "Two"]);
  assert.deepEqual(found.options, []);
  assert.deepEqual(choicesOf(found).map(({ answer }) => JSON.parse(answer)), [
    { templateIdentifier: "a", listTitle: "One", selectionText: "Buy" },
    { templateIdentifier: "b", listTitle: "Two", selectionText: "Buy" },
  ]);
});

test("pictures come from the web, with what they show", () => {
  const picture = (imageData, imageType = "URL") => offered({ title: "A", imageType, imageData, imageDescription: " a shoe " })[0].picture;
  assert.deepEqual(picture("https://a.b/c.png"), { src: "https://a.b/c.png", alt: "a shoe" });
  for (const address of ["javascript:alert(1)", "data:image/svg+xml,<svg/>", "mailto:a@b.c", "/c.png", undefined]) assert.equal(picture(address), undefined);
  assert.equal(picture("https://a.b/c.png", "S3"), undefined);
});

test("a hyperlink is a link if it leads to the web, else a plain option", () => {
  const options = (url) => card("ListPicker", { title: "t", elements: [{ title: "A", type: "hyperlink", url }] }).options[0];
  assert.equal(options("https://a.b/").href, "https://a.b/");
  assert.equal(options("javascript:alert(1)").href, undefined);
});

test("titles are cut as the service's own clients cut them", () => {
  const long = "x".repeat(500);
  assert.equal(card("ListPicker", { title: long, elements: [] }).title.length, 403);
  assert.equal(card("QuickReply", { title: "t", elements: [{ title: long }] }).options[0].title.length, 203);
});

test("paging elements are no choices, but pages, with what brings them", () => {
  const places = { preIndex: 0, nextIndex: 10, listId: "l", referenceId: "r" };
  const elements = [{ title: "A" }, { title: "Back", actionDetail: "PREVIOUS_OPTIONS" }, { title: "More", actionDetail: "SHOW_MORE" }];
  const { options, pages } = card("ListPicker", { title: "t", ...places, elements });
  assert.deepEqual(options.map(({ title }) => title), ["A"]);
  assert.deepEqual(pages.map(({ title }) => title), ["Back", "More"]);
  const data = { actionName: "More", ...places, templateType: "ListPicker" };
  assert.deepEqual(JSON.parse(pages[1].answer), { version: "1.0", action: "SHOW_MORE", data });
});

test("nonsense is no card", () => {
  for (const content of ["", "{", "null", "7", "[]", '{"templateType":"ListPicker"}', '{"templateType":3,"data":{"content":{}}}'])
    assert.equal(cardOf(content), null);
  assert.deepEqual(card("ListPicker", { title: 3, elements: "x" }).options, []);
  assert.deepEqual(card("ListPicker", { elements: [null, 3, { title: { a: 1 } }] }).options, []);
});
