import assert from "node:assert/strict";
import test from "node:test";
import { piecesOf } from "../../../widget_static/src/views/pieces.js";

const pieces = (Body, data = {}, actions = []) => piecesOf(JSON.stringify({ Head: { Title: "T" }, Body }), actions, JSON.stringify(data)).slice(1);
const field = (Type, Props) => pieces([{ Type, Props: { Name: "n", ...Props }, Content: [] }])[0];

test("a view begins with its heading: what the flow has given, else the template's own", () => {
  const heading = (title, data) => piecesOf({ Head: { Title: title } }, [], data)[0]?.text;
  assert.equal(heading("Own", "{}"), "Own");
  assert.equal(heading("$.Name", { Name: "Given" }), "Given");
  assert.equal(heading("Own", JSON.stringify({ Heading: "Given" })), "Given");
  assert.equal(heading("$.Nothing", {}), undefined);
});

test("fields are known by what their type says", () => {
  const kinds = ["FormInput", "TextArea", "TextAreaInput", "DatePicker", "TimeInput", "Dropdown", "RadioGroup", "CheckboxGroup", "Checkbox"];
  assert.deepEqual(kinds.map((kind) => field(kind).kind), ["text", "area", "area", "date", "time", "choice", "radio", "checks", "check"]);
  assert.equal(field("FormInput", { InputType: "Email" }).kind, "email");
  assert.equal(field("FormInput", { InputType: "hidden" }).kind, "text");
});

test("a field has its label, help, choices and beginning", () => {
  const found = field("Dropdown", { Label: "L", HelperText: "H", Required: true, DefaultValue: "b", Options: [{ Label: "A", Value: "a" }, "b", {}] });
  assert.deepEqual(found, {
    ...{ piece: "field", kind: "choice", name: "n", label: "L", help: "H", required: true, value: "b" },
    choices: [{ value: "a", label: "A" }, { value: "b", label: "b" }],
  });
  assert.equal(field("FormInput").label, "n");
});

test("what has an action is a button; a card says more than its name", () => {
  const body = [
    { Type: "Card", Props: { Heading: "Cafe", Description: "Round the corner", Action: "CardSelected" }, Content: [] },
    { Type: "Button", Props: { Action: "Skip" }, Content: ["$.Skip"] },
  ];
  const button = { piece: "button" };
  assert.deepEqual(pieces(body, { Skip: "Not now" }), [
    { ...button, action: "CardSelected", label: "Cafe", text: "Round the corner" },
    { ...button, action: "Skip", label: "Not now", text: "" },
  ]);
});

test("where nothing leads on, what the view can do is offered", () => {
  const labels = (...given) => pieces(...given).map(({ label, text }) => label || text);
  assert.deepEqual(labels(["Words"], {}, ["Next", "Back"]), ["Words", "Next", "Back"]);
  assert.deepEqual(labels([{ Type: "Button", Props: { Action: "Go", Label: "On" } }], {}, ["Go", "Next"]), ["On"]);
});

test("sections, items and columns are walked through, and details are pairs", () => {
  const items = [{ LeftColumn: { Label: "Order", Value: "1042" }, RightColumn: { Label: "Sum", Value: 12 } }];
  const sections = { Sections: [{ Heading: "Details", Items: items }, { Heading: "T" }] };
  assert.deepEqual(pieces([{ Type: "Detail", Props: { Sections: "$.Sections" } }], sections), [
    { piece: "heading", text: "Details" },
    { piece: "pair", label: "Order", text: "1042" },
    { piece: "pair", label: "Sum", text: "12" },
  ]);
});

test("nonsense is nothing, and does not go on for ever", () => {
  for (const template of ["", "{", "null", "7", [], undefined]) assert.deepEqual(piecesOf(template, "x", "{"), []);
  assert.deepEqual(pieces({ Type: "Form", Content: { Content: { Content: null } } }), []);
  const deep = Array.from({ length: 100 }).reduce((inner) => ({ Content: [inner] }), "deep");
  assert.deepEqual(pieces([deep]), []);
  assert.ok(pieces(Array.from({ length: 5_000 }, () => "a")).length <= 200);
  assert.deepEqual(pieces(["$.constructor.name", { Heading: "$.__proto__.x" }]), []);
});
