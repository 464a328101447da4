/** After a loss nothing is missing and nothing doubled; the past comes page by page. */

import assert from "node:assert/strict";
import test from "node:test";
import { FakeApi, item, onStage, RECORD, refused, settled, texts } from "./stage.js";

test("after a loss the server replays, and nothing is read again", async () => {
  const scene = await onStage();
  scene.sockets.last().chat(item({ at: 1 }), "p1");
  scene.sockets.last().drops();
  await scene.clock.pass(500);
  scene.sockets.last().opens();
  scene.sockets.last().acknowledges();
  scene.sockets.last().chat(item({ at: 2 }), "p2");
  scene.sockets.last().says({ topic: "chatproxy/session", content: { replayed: 1, position: "p2" } });
  scene.sockets.last().says({ topic: "aws/heartbeat" });
  await scene.clock.pass(8_000);
  assert.equal(scene.api.named("transcript").length, 1);
  assert.deepEqual(texts(scene), ["said at 1", "said at 2"]);
});

test("a server that cannot replay is read back to what we know", async () => {
  const scene = await onStage();
  scene.sockets.last().chat(item({ at: 1 }), "p1");
  scene.api.items = Array.from({ length: 250 }, (_, index) => item({ at: index + 1 }));
  scene.sockets.last().drops();
  await scene.clock.pass(500);
  scene.sockets.last().opens();
  scene.sockets.last().acknowledges();
  scene.sockets.last().says({ topic: "chatproxy/session", content: { reset: true } });
  await settled();
  assert.equal(texts(scene).length, 250);
});

test("a service without positions is read after a while", async () => {
  const scene = await onStage();
  scene.sockets.last().chat(item({ at: 1 }), "p1");
  scene.sockets.last().drops();
  await scene.clock.pass(500);
  scene.sockets.last().opens();
  scene.sockets.last().acknowledges();
  scene.api.items = [item({ at: 1 }), item({ at: 2 })];
  await scene.clock.pass(4_000);
  assert.deepEqual(texts(scene), ["said at 1", "said at 2"]);
});

test("a transcript from a process that is behind is read again", async () => {
  const scene = await onStage();
  const before = scene.api.named("transcript").length;
  scene.api.items = [item({ at: 1 })];
  scene.sockets.last().says({
    topic: "chatproxy/session",
    content: { reset: true, newest: [item({ at: 1 }).Id, item({ at: 2 }).Id] },
  });
  await settled();
  assert.deepEqual(texts(scene), ["said at 1"]);
  scene.api.items = [item({ at: 1 }), item({ at: 2 })];
  await scene.clock.pass(1_000);
  assert.deepEqual(texts(scene), ["said at 1", "said at 2"]);
  await scene.clock.pass(60_000);
  assert.equal(scene.api.named("transcript").length, before + 2);
});

test("it is noticed too when the transcript was read first", async () => {
  const scene = await onStage();
  await settled();
  scene.api.items = [item({ at: 1 })];
  scene.sockets.last().says({
    topic: "chatproxy/session",
    content: { state: "connected", newest: [item({ at: 1 }).Id] },
  });
  await scene.clock.pass(1_000);
  assert.deepEqual(texts(scene), ["said at 1"]);
});

test("an item that is in no transcript is not waited for without end", async () => {
  const scene = await onStage();
  const before = scene.api.named("transcript").length;
  scene.sockets.last().says({ topic: "chatproxy/session", content: { reset: true, newest: ["?"] } });
  await scene.clock.pass(60_000);
  assert.equal(scene.api.named("transcript").length, before + 6);
});

test("a gap nobody can bridge is not papered over", async () => {
  const scene = await onStage();
  scene.sockets.last().chat(item({ at: 1 }));
  scene.api.items = Array.from({ length: 1200 }, (_, index) => item({ at: index + 100 }));
  scene.sockets.last().drops();
  await scene.clock.pass(500);
  scene.sockets.last().opens();
  scene.sockets.last().acknowledges();
  await settled();
  assert.equal(texts(scene)[0], "said at 300");
  assert.equal(scene.conversation.state.history.more, true);
});

test("history comes page by page", async () => {
  const api = new FakeApi();
  api.items = Array.from({ length: 70 }, (_, index) => item({ at: index + 1 }));
  const scene = await onStage({ api, record: RECORD });
  assert.equal(texts(scene).length, 30);
  await scene.conversation.chat.loadOlder();
  await scene.conversation.chat.loadOlder();
  assert.equal(texts(scene).length, 70);
  assert.equal(texts(scene)[0], "said at 1");
  assert.equal(scene.conversation.state.history.more, false);
});

test("an old page token is replaced by the oldest line we have", async () => {
  const api = new FakeApi();
  api.items = Array.from({ length: 40 }, (_, index) => item({ at: index + 1 }));
  const scene = await onStage({ api, record: RECORD });
  const page = api.transcript.bind(api);
  api.transcript = async (key, request) => {
    if (request.NextToken) throw refused(400);
    return page(key, request.StartPosition ? { ...request, MaxResults: 40 } : request);
  };
  await scene.conversation.chat.loadOlder();
  assert.deepEqual(api.named("transcript").at(-1).args[1].StartPosition, { Id: "id-11" });
  assert.equal(texts(scene).length, 40);
});

test("trouble behind the proxy is told apart from trouble before it", async () => {
  const scene = await onStage();
  const link = (state) => {
    scene.sockets.last().says({ topic: "chatproxy/session", content: { state } });
    return scene.conversation.state.link;
  };
  assert.deepEqual(["degraded", "reconnecting", "connected"].map(link), ["degraded", "degraded", "connected"]);
});
