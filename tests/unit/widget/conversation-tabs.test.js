/** Two tabs of one browser, with one outbox and one lock. */

import assert from "node:assert/strict";
import test from "node:test";
import { FakeApi, onStage, RECORD, refused, settled, slot, states } from "./stage.js";

/** Two tabs of one browser, one outbox, one lock. */
const twoTabs = async () => {
  const outboxes = slot();
  let queue = Promise.resolve();
  const locks = { request: (name, task) => (queue = queue.then(task, task)) };
  const api = new FakeApi();
  const sent = [];
  const byToken = new Map();
  api.sendMessage = async (key, body) => {
    sent.push([key, body.ClientToken]);
    await settled();
    const id = `${key}:${body.ClientToken}`;
    if (!byToken.has(id)) byToken.set(id, api.accept());
    return byToken.get(id);
  };
  const one = await onStage({ api, outboxes, locks });
  const two = await onStage({ api, outboxes, locks, record: RECORD });
  return { one, two, sent };
};

test("what one tab could not send yet is sent once, whichever tab does it", async () => {
  const { one, two, sent } = await twoTabs();
  one.conversation.send("hello");
  two.conversation.chat.outboxChanged();
  assert.deepEqual(states(two), ["queued"]);
  for (let turn = 0; turn < 10; turn += 1) await settled();
  two.conversation.chat.outboxChanged();
  assert.equal(new Set(sent.map(String)).size, 1);
  assert.deepEqual([states(one), states(two)], [[], []]);
});

test("what one tab deletes is gone in the other", async () => {
  const { one, two } = await twoTabs();
  one.api.sendMessage = async () => {
    throw refused(400);
  };
  one.conversation.send("hello");
  await settled();
  two.conversation.chat.outboxChanged();
  assert.deepEqual(states(two), ["failed"]);
  one.conversation.discard(one.conversation.state.entries[0].token);
  two.conversation.chat.outboxChanged();
  assert.deepEqual(states(two), []);
});

test("told that another tab took its place it waits to be called back", async () => {
  const scene = await onStage();
  scene.sockets.last().drops(4500);
  await settled();
  assert.equal(scene.conversation.state.link, "elsewhere");
  scene.conversation.chat.continueHere();
  await settled();
  assert.equal(scene.sockets.made.length, 2);
});
