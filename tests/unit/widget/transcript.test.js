import assert from "node:assert/strict";
import test from "node:test";
import * as told from "../../../widget_static/src/transcript.js";
import { event, item, own } from "./stage.js";

const of = (...items) => told.withItems(told.emptyTranscript(), items);
const contents = (transcript) => transcript.lines.map((line) => line.Content);
const chunk = (number, text, given = {}) =>
  item({ at: 5, Content: text, MessageMetadata: { MessageId: "id-5", MessageCompleted: false, ChunkNumber: number }, ...given });
const final = (text, given = {}) =>
  item({ at: 5, Content: text, MessageMetadata: { MessageId: "id-5", MessageCompleted: true }, ...given });
const receipt = (id, kind, recipient = "agent-1") => ({
  ...item({ at: 90 }),
  Type: "MESSAGEMETADATA",
  MessageMetadata: { MessageId: id, Receipts: [{ [`${kind}Timestamp`]: "2026-11-22T10:00:09.000Z", RecipientParticipantId: recipient }] },
});

test("items are sorted by time, ties as they came", () => {
  const tie = item({ at: 2, Id: "tie", Content: "tie" });
  const transcript = of(item({ at: 3 }), item({ at: 1 }), item({ at: 2 }), tie);
  assert.deepEqual(contents(transcript), ["said at 1", "said at 2", "tie", "said at 3"]);
});

test("an item that comes twice is there once, and nothing has changed", () => {
  const once = of(item({ at: 1 }));
  assert.equal(told.withItem(once, item({ at: 1 })), once);
});

test("a later version takes the place of the earlier one", () => {
  const transcript = of(item({ at: 1, Content: "my card is 4111" }), item({ at: 2 }), item({ at: 1, Content: "my card is ****" }));
  assert.deepEqual(contents(transcript), ["my card is ****", "said at 2"]);
});

test("the given transcript is left as it is", () => {
  const before = of(item({ at: 1 }));
  told.withItem(before, item({ at: 2 }));
  assert.equal(before.lines.length, 1);
});

test("chunks are put together as they come", () => {
  const transcript = of(chunk(1, "The ref"), chunk(2, "und is "), chunk(3, "on"));
  assert.deepEqual(contents(transcript), ["The refund is on"]);
  assert.equal(transcript.lines[0].chunk, 3);
});

test("the final text replaces the chunks and ends the stream", () => {
  const transcript = of(chunk(1, "The ref"), final("The refund is on its way."));
  assert.deepEqual(contents(transcript), ["The refund is on its way."]);
  assert.equal(transcript.lines[0].chunk, undefined);
});

test("a chunk that repeats, skips or comes after the final text is dropped", () => {
  assert.deepEqual(contents(of(chunk(1, "a"), chunk(1, "a"), chunk(3, "c"))), ["a"]);
  assert.deepEqual(contents(of(final("whole"), chunk(1, "a"), chunk(2, "b"))), ["whole"]);
});

test("a stream whose beginning was missed waits for its final text", () => {
  assert.deepEqual(contents(of(chunk(2, "und is"))), []);
  assert.deepEqual(contents(of(chunk(2, "und is"), final("The refund is here"))), ["The refund is here"]);
});

test("a streamed text keeps the time of its first chunk", () => {
  const late = final("done", { AbsoluteTime: item({ at: 50 }).AbsoluteTime });
  assert.deepEqual(contents(of(chunk(1, "a"), item({ at: 7 }), late)), ["done", "said at 7"]);
});

test("a decided attachment is never in progress again", () => {
  const file = (Status) => item({ at: 1, Type: "ATTACHMENT", Attachments: [{ AttachmentId: "a", AttachmentName: "a.png", ContentType: "image/png", Status }] });
  const status = (...versions) => of(...versions.map(file)).lines[0].Attachments[0].Status;
  assert.equal(status("IN_PROGRESS", "APPROVED"), "APPROVED");
  assert.equal(status("APPROVED", "IN_PROGRESS"), "APPROVED");
  assert.equal(status("REJECTED", "IN_PROGRESS"), "REJECTED");
});

test("receipts merge, and may come before their message", () => {
  const early = of(receipt("id-1", "Delivered"), own({ at: 1 }));
  assert.equal(told.statusAt(early, 0, "me"), "delivered");
  assert.equal(told.statusAt(told.withItem(early, receipt("id-1", "Read")), 0, "me"), "read");
});

test("receipts of a transcript page count too", () => {
  const Receipts = [{ ReadTimestamp: "2026-11-22T10:00:09.000Z", RecipientParticipantId: "agent-1" }];
  assert.equal(told.statusAt(of(own({ at: 1, MessageMetadata: { MessageId: "id-1", Receipts } })), 0, "me"), "read");
});

test("a message that was read makes those before it read", () => {
  const transcript = of(own({ at: 1 }), own({ at: 2 }), own({ at: 3 }), receipt("id-2", "Read"));
  assert.deepEqual([0, 1, 2].map((at) => told.statusAt(transcript, at, "me")), ["read", "read", "sent"]);
});

test("our own receipts say nothing about our messages", () => {
  assert.equal(told.statusAt(of(own({ at: 1 }), receipt("id-1", "Read", "me")), 0, "me"), "sent");
});

test("the outcome of processing is kept beside the message", () => {
  const outcome = { ...item({ at: 9 }), Type: "MESSAGEMETADATA", MessageMetadata: { MessageId: "id-1", MessageProcessingStatus: "REJECTED" } };
  assert.equal(of(own({ at: 1 }), outcome).lines[0].MessageMetadata.MessageProcessingStatus, "REJECTED");
});

test("typing is believed for twelve seconds", () => {
  const transcript = told.withTyping(told.emptyTranscript(), event("typing"), 1000);
  assert.equal(told.withoutStaleTyping(transcript, 12_999).typing.size, 1);
  assert.equal(told.withoutStaleTyping(transcript, 13_000).typing.size, 0);
});

test("who has said something is not typing any more", () => {
  const transcript = told.withTyping(told.emptyTranscript(), event("typing"), 1000);
  assert.equal(told.withItem(transcript, item({ at: 2, ParticipantId: "other" })).typing.size, 1);
  assert.equal(told.withItem(transcript, item({ at: 2 })).typing.size, 0);
});
