/** What comes: news, typing, receipts, unread; and that many changes are told once. */

import assert from "node:assert/strict";
import test from "node:test";
import { event, FakeApi, item, onStage, own, RECORD, settled } from "./stage.js";

test("what comes is news; a streamed answer when it is complete", async () => {
  const scene = await onStage();
  const chunk = (ChunkNumber, Content) =>
    item({ at: 5, Content, MessageMetadata: { MessageId: "id-5", MessageCompleted: false, ChunkNumber } });
  scene.sockets.last().chat(chunk(1, "The ref"));
  scene.sockets.last().chat(chunk(2, "und"));
  assert.deepEqual(scene.arrived, []);
  scene.sockets.last().chat(item({ at: 5, Content: "The refund", MessageMetadata: { MessageId: "id-5", MessageCompleted: true } }));
  scene.sockets.last().chat(item({ at: 5, Content: "The refund" }));
  assert.deepEqual(scene.arrived.map((line) => line.Content), ["The refund"]);
});

test("after a message the next keystroke tells of typing again at once", async () => {
  const scene = await onStage();
  const told = () => scene.api.named("sendEvent").length;
  scene.conversation.chat.typing();
  scene.conversation.send("Hello");
  scene.conversation.chat.typing();
  scene.conversation.chat.typing();
  await settled();
  assert.equal(told(), 2);
});

test("someone else's typing is shown for twelve seconds, our own never", async () => {
  const scene = await onStage();
  scene.sockets.last().chat(event("typing", { ParticipantId: "me" }));
  assert.equal(scene.conversation.state.transcript.typing.size, 0);
  scene.sockets.last().chat(event("typing"));
  scene.sockets.last().says({ topic: "aws/heartbeat" });
  await scene.clock.pass(9_000);
  assert.equal(scene.conversation.state.transcript.typing.size, 1);
  await scene.clock.pass(3_100);
  assert.equal(scene.conversation.state.transcript.typing.size, 0);
});

test("our typing is told at most once in ten seconds", async () => {
  const scene = await onStage();
  const told = () => scene.api.named("sendEvent").length;
  for (let key = 0; key < 20; key += 1) scene.conversation.chat.typing();
  await settled();
  assert.equal(told(), 1);
  scene.sockets.last().says({ topic: "aws/heartbeat" });
  await scene.clock.pass(10_000);
  scene.conversation.chat.typing();
  await settled();
  assert.equal(told(), 2);
});

const receipts = ({ api }) =>
  api.named("sendEvent").map(({ args }) => [args[1].ContentType.split(".").at(-1), JSON.parse(args[1].Content).messageId]);

test("receipts are for the newest message only, and seldom", async () => {
  const scene = await onStage();
  for (const at of [1, 2, 3]) scene.sockets.last().chat(item({ at }));
  await scene.clock.pass(300);
  assert.deepEqual(receipts(scene), [["delivered", "id-3"]]);
  scene.sockets.last().chat(item({ at: 4 }));
  scene.conversation.chat.seen();
  await scene.clock.pass(4_000);
  assert.equal(receipts(scene).length, 1);
  await scene.clock.pass(1_000);
  assert.deepEqual(receipts(scene).slice(1), [["read", "id-4"]]);
});

test("flows and bots get no receipts, and nothing is acknowledged twice", async () => {
  const api = new FakeApi();
  const Receipts = [{ ReadTimestamp: "2026-11-22T10:00:09.000Z", RecipientParticipantId: "me" }];
  api.items = [item({ at: 1, MessageMetadata: { MessageId: "id-1", Receipts } })];
  const scene = await onStage({ api, record: RECORD });
  scene.sockets.last().chat(item({ at: 2, ParticipantRole: "SYSTEM" }));
  scene.conversation.chat.seen();
  await scene.clock.pass(6_000);
  assert.deepEqual(receipts(scene), []);
});

test("unread is what came since the visitor last looked, on the next page too", async () => {
  const scene = await onStage();
  scene.sockets.last().chat(item({ at: 1 }));
  scene.conversation.chat.seen();
  scene.sockets.last().chat(item({ at: 2 }));
  scene.sockets.last().chat(own({ at: 3 }));
  assert.equal(scene.conversation.unread, 1);
  const api = new FakeApi();
  api.items = [item({ at: 1 }), item({ at: 2 }), own({ at: 3 })];
  const next = await onStage({ api, record: JSON.parse(scene.remembered.value) });
  assert.equal(next.conversation.unread, 1);
});

test("many changes of one moment are told once", async () => {
  const scene = await onStage();
  let changes = 0;
  scene.conversation.addEventListener("change", () => (changes += 1));
  for (const at of [1, 2, 3, 4]) scene.sockets.last().chat(item({ at }));
  await settled();
  assert.equal(changes, 1);
});

test("nothing that is remembered or told holds a key in the clear but the record itself", async () => {
  const scene = await onStage();
  const { transcript, entries } = scene.conversation.state;
  assert.ok(!JSON.stringify({ transcript, entries }).includes("sk1."));
});
