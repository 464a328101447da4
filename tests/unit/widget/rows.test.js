import assert from "node:assert/strict";
import test from "node:test";
import { INTERACTIVE, RESPONSE, rowsOf } from "../../../widget_static/src/rows.js";
import { emptyTranscript, withItems } from "../../../widget_static/src/transcript.js";
import { event, item, own } from "./stage.js";

const state = (items, given = {}) => ({
  transcript: withItems(emptyTranscript(), items),
  ...{ participantId: "me", entries: [], uploads: [], can: { send: true } },
  ...given,
});
const messages = (...given) => rowsOf(state(...given)).filter(({ kind }) => kind === "message");
const card = (given) => item({ ContentType: INTERACTIVE, ParticipantRole: "SYSTEM", ...given });
const entry = { token: "t1", content: "Yes", contentType: "text/plain", at: 0, tries: 0, state: "queued" };

test("each day begins with a separator", () => {
  const kinds = rowsOf(state([item({ at: 1 }), item({ at: 2 }), item({ at: 90_000 })])).map(({ kind }) => kind);
  assert.deepEqual(kinds, ["day", "message", "message", "day", "message"]);
});

test("what one party says in one breath is a group", () => {
  const rows = messages([item({ at: 1 }), item({ at: 2 }), own({ at: 3 }), item({ at: 4 }), item({ at: 400 })]);
  assert.deepEqual(rows.map(({ first, last }) => `${+first}${+last}`), ["10", "01", "11", "11", "11"]);
});

test("an event between two messages parts them", () => {
  const rows = messages([item({ at: 1 }), event("participant.joined", { at: 2 }), item({ at: 3 })]);
  assert.deepEqual(rows.map(({ first }) => first), [true, true]);
});

test("only events people care about get a line", () => {
  const shown = (name, given) => rowsOf(state([event(name, { at: 1, ...given })])).some(({ kind }) => kind === "event");
  for (const name of ["participant.joined", "participant.left", "chat.ended", "transfer.succeeded", "participant.idle", "authentication.initiated"])
    assert.ok(shown(name), name);
  for (const name of ["participant.invited", "chat.rehydrated", "participant.active", "unheard.of"]) assert.ok(!shown(name), name);
  assert.ok(!shown("participant.joined", { ParticipantId: "me", ParticipantRole: "CUSTOMER" }));
});

test("an event that is told again is told once, where it was told last", () => {
  const idle = (at, ParticipantId = "me") => event("participant.idle", { at, ParticipantId });
  const events = (...items) => rowsOf(state(items)).filter(({ kind }) => kind === "event").map(({ line }) => line.at / 1000 % 100);
  const last = events(idle(3));
  assert.deepEqual(events(idle(1), event("participant.returned", { at: 2, ParticipantId: "me" }), idle(3)), last);
  assert.equal(events(idle(1), item({ at: 2 }), idle(3)).length, 2);
  assert.equal(events(idle(1), idle(3, "agent-1")).length, 2);
});

test("answers to guides are not shown", () => {
  assert.deepEqual(messages([own({ at: 1, ContentType: `${INTERACTIVE}.response` })]), []);
});

test("a newer page of a list takes the place of the older, and asking for it is no answer", () => {
  const page = (at, title) => card({ at, Content: JSON.stringify({ data: { content: { title, referenceId: "r" } } }) });
  const asked = own({ at: 2, ContentType: RESPONSE });
  const before = messages([page(1, "one"), asked]);
  const rows = messages([page(1, "one"), asked, page(3, "two"), item({ at: 4 })]);
  assert.equal(rows.length, 2);
  assert.match(rows[0].line.Content, /two/);
  assert.deepEqual([rows[0].key, rows[0].answered, rows[0].answer], [before[0].key, false, null]);
  const said = messages([page(1, "one"), asked, own({ at: 3, Content: "this one" })])[0];
  assert.deepEqual([said.answered, said.answer], [true, "this one"]);
});

test("only the last own message tells how far it has come", () => {
  const rows = messages([own({ at: 1 }), item({ at: 2 }), own({ at: 3 }), item({ at: 4 })]);
  assert.deepEqual(rows.map(({ status }) => status), [null, null, "sent", null]);
});

test("a card is open until the visitor says something", () => {
  const asked = card({ at: 1 });
  const open = (...given) => !messages(...given)[0].answered;
  assert.ok(open([asked]));
  assert.ok(open([asked, item({ at: 2 })]));
  assert.ok(!open([asked, own({ at: 2 })]));
  assert.ok(!open([asked], { entries: [entry] }));
  assert.ok(!open([asked], { can: { send: false } }));
});

test("a card knows its answer, which is the first thing said after it", () => {
  const rows = messages([own({ at: 1, Content: "before" }), card({ at: 2 }), own({ at: 3, Content: "Yes" }), own({ at: 4, Content: "No" })]);
  assert.equal(rows[1].answer, "Yes");
  assert.equal(messages([card({ at: 1 })], { entries: [entry] })[0].answer, "Yes");
});

test("a message on its way stands at the end, and keeps its key when it is in", () => {
  const before = rowsOf(state([item({ at: 1 })], { entries: [entry] })).at(-1);
  assert.deepEqual([before.kind, before.key], ["entry", "t1"]);
  const after = rowsOf(state([item({ at: 1 }), { ...own({ at: 2 }), clientToken: "t1" }])).at(-1);
  assert.deepEqual([after.kind, after.key], ["message", "t1"]);
});

test("a message whose echo is there is not shown twice", () => {
  const rows = rowsOf(state([own({ at: 1, Id: "m1" })], { entries: [{ ...entry, echo: "m1" }] }));
  assert.deepEqual(rows.map(({ kind }) => kind), ["day", "message"]);
});

test("pages of one list are known by their reference, which no text can bring about", () => {
  const content = (given) => JSON.stringify({ data: { content: given } });
  const cards = (...contents) => messages(contents.map((Content, at) => card({ at, Content }))).length;
  assert.equal(cards('{"data":{"content":{"referenceId" : "r-1"}}}', '{"referenceId":"r-1"}'), 1);
  assert.equal(cards(content({ title: '"referenceId":"x"' }), content({ title: '"referenceId":"x"' })), 2);
});

test("the first words after a card answer it, also while they are on their way", () => {
  const said = [card({ at: 1, Content: "A" }), item({ at: 2 }), own({ at: 3 }), own({ at: 4 }), card({ at: 5, Content: "B" })];
  const rows = rowsOf(state(said, { entries: [entry, { ...entry, token: "t2" }] })).filter(({ kind }) => kind !== "day");
  assert.deepEqual(rows.map(({ asked }) => asked), [undefined, undefined, "A", undefined, undefined, "B", undefined]);
});

test("a view is answered by what was filled in, and words after it are just words", () => {
  const view = card({ at: 1, Content: '{"templateType":"ViewResource"}' });
  const filled = (Content) => own({ at: 2, ContentType: RESPONSE, Content });
  assert.deepEqual(messages([view]).map(({ answered }) => answered), [false]);
  assert.deepEqual(messages([view, filled('{"action":"SHOW_MORE"}')]).map(({ answered }) => answered), [false]);
  assert.deepEqual(messages([view, filled('{"templateType":"ViewResource"}')]).map(({ answered }) => answered), [true]);
  assert.deepEqual(messages([view, own({ at: 2 })]).map(({ answered, asked }) => [answered, asked]), [[true, undefined], [false, undefined]]);
});
