/** The agent console's timeline: each item once, newest version, in order. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Timeline, isTyping } from "../../../chatproxy/sandbox/console/static/timeline.js";

const EVENT = "application/vnd.amazonaws.connect.event.";

const message = (id, second, content, metadata) => ({
  Id: id,
  Type: "MESSAGE",
  ContentType: "text/plain",
  Content: content,
  AbsoluteTime: `2026-11-22T22:00:0${second}.000Z`,
  ParticipantId: "agent",
  ...(metadata ? { MessageMetadata: metadata } : {}),
});
const chunk = (number, content) =>
  message("m", number, content, { MessageId: "m", MessageCompleted: false, ChunkNumber: number });
const receipt = (id, kind, recipient = "customer") => ({
  Id: id,
  Type: "MESSAGEMETADATA",
  ContentType: `${EVENT}message.metadata`,
  MessageMetadata: { MessageId: id, Receipts: [{ RecipientParticipantId: recipient, [kind]: "2026-11-22T22:01:00.000Z" }] },
});
const contents = (timeline) => timeline.items.map((item) => item.Content);

const timelineOf = (...items) => {
  const timeline = new Timeline();
  for (const item of items) timeline.add(item);
  return timeline;
};

test("items are shown once, in order of time, whatever order they came in", () => {
  const timeline = timelineOf(message("b", 2, "two"), message("a", 1, "one"), message("b", 2, "two"));
  assert.deepEqual(contents(timeline), ["one", "two"]);
});

test("a later version of an item replaces it where it was", () => {
  const timeline = timelineOf(message("a", 1, "one"), message("b", 2, "two"), message("a", 3, "[PII]"));
  assert.deepEqual(contents(timeline), ["[PII]", "two"]);
});

test("chunks add up, and the whole text replaces them", () => {
  const timeline = timelineOf(chunk(1, "The re"), chunk(2, "fund"));
  assert.deepEqual(contents(timeline), ["The refund"]);
  timeline.add(message("m", 9, "The refund is on its way.", { MessageId: "m", MessageCompleted: true }));
  assert.deepEqual(contents(timeline), ["The refund is on its way."]);
  assert.equal(timeline.items[0].AbsoluteTime, "2026-11-22T22:00:01.000Z");
});

test("a chunk out of order, twice, or after the end changes nothing", () => {
  const timeline = timelineOf(chunk(1, "a"), chunk(3, "c"), chunk(1, "a"));
  assert.deepEqual(contents(timeline), ["a"]);
  timeline.add(message("m", 5, "abc", { MessageId: "m", MessageCompleted: true }));
  timeline.add(chunk(2, "b"));
  assert.deepEqual(contents(timeline), ["abc"]);
});

test("receipts say how far a message got with others, whichever came first", () => {
  const timeline = timelineOf(message("a", 1, "one"));
  assert.equal(timeline.progress("a", "agent").state, "sent");
  timeline.add(receipt("a", "ReadTimestamp", "agent"));
  assert.equal(timeline.progress("a", "agent").state, "sent");
  timeline.add(receipt("a", "DeliveredTimestamp"));
  assert.equal(timeline.progress("a", "agent").state, "delivered");
  timeline.add(receipt("a", "ReadTimestamp"));
  timeline.add(receipt("a", "DeliveredTimestamp"));
  assert.equal(timeline.progress("a", "agent").state, "read");
});

test("receipts that the transcript has merged into a message count too", () => {
  const merged = { MessageId: "a", Receipts: [{ RecipientParticipantId: "customer", DeliveredTimestamp: "x" }] };
  assert.equal(timelineOf(message("a", 1, "one", merged)).progress("a", "agent").state, "delivered");
});

test("typing is told apart and not kept", () => {
  const typing = { Id: "t", Type: "EVENT", ContentType: `${EVENT}typing`, AbsoluteTime: "x" };
  assert.equal(isTyping(typing), true);
  assert.deepEqual(timelineOf(typing).items, []);
});
