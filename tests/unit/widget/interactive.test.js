import assert from "node:assert/strict";
import test from "node:test";
import { cardOf, referenceOf } from "../../../widget_static/src/interactive.js";
import { Words } from "../../../widget_static/src/words.js";

const WORDS = new Words({ locale: "de" });
const card = (templateType, content) => cardOf(JSON.stringify({ templateType, version: "1.0", data: { content } }), WORDS);

test("a list picker offers its elements", () => {
  const found = card("ListPicker", { title: "What?", subtitle: "Tap", elements: [{ title: "A", subtitle: "first" }, { title: "B" }] });
  assert.equal(found.clickable, true);
  assert.deepEqual(found.options, [{ title: "A", subtitle: "first" }, { title: "B", subtitle: "" }]);
});

test("quick replies and panels can be clicked, other templates are read", () => {
  const clickable = (name) => card(name, { title: "t", elements: [] }).clickable;
  assert.deepEqual(["QuickReply", "Panel", "TimePicker", "Carousel", "Unknown"].map(clickable), [true, true, false, false, false]);
});

test("every template has a title and its options as text", () => {
  assert.match(card("TimePicker", { title: "When?", timeslots: [{ date: "2026-11-25T17:00+0000", duration: 60 }] }).options[0].title, /2026/);
  const inner = { templateType: "Panel", data: { content: { title: "Inner" } } };
  assert.equal(card("Carousel", { title: "t", elements: [inner] }).options[0].title, "Inner");
  assert.deepEqual(card("ViewResource", { viewToken: "x" }).options, []);
});

test("a time slot is written in the widget's language", () => {
  const slot = card("TimePicker", { title: "Wann?", timeslots: [{ date: "2026-11-25T12:00+00:00", duration: 60 }] });
  assert.match(slot.options[0].title, /^Mittwoch, 25\. November 2026 um /);
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

test("pages of one list are known by their reference, which no text can bring about", () => {
  assert.equal(referenceOf('{"data":{"content":{"referenceId" : "r-1"}}}'), "r-1");
  assert.equal(referenceOf(JSON.stringify({ data: { content: { title: '"referenceId":"x"' } } })), undefined);
});

test("nonsense is no card", () => {
  for (const content of ["", "{", "null", "7", "[]", '{"templateType":"ListPicker"}', '{"templateType":3,"data":{"content":{}}}'])
    assert.equal(cardOf(content, WORDS), null);
  assert.deepEqual(card("ListPicker", { title: 3, elements: "x" }).options, []);
  assert.deepEqual(card("ListPicker", { elements: [null, 3, { title: { a: 1 } }] }).options, []);
});
