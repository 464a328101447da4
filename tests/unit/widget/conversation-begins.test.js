/** A chat begins, is found again after a reload, or is told to be over. */

import assert from "node:assert/strict";
import test from "node:test";
import { event, FakeApi, item, onStage, own, RECORD, refused, settled, silence, states, texts, theatre } from "./stage.js";

test("without a record there is no chat, and nothing is asked", () => {
  const { conversation, api, remembered } = theatre();
  assert.equal(conversation.resume(), false);
  assert.deepEqual(api.calls, []);
  assert.equal(remembered.value, null);
});

test("a chat that starts is remembered, connected and read", async () => {
  const scene = await onStage();
  assert.equal(scene.conversation.state.phase, "active");
  assert.equal(scene.conversation.state.link, "connected");
  assert.deepEqual(JSON.parse(scene.remembered.value), { key: "sk1.s1.x", session: "s1" });
  assert.equal(scene.api.named("transcript").length, 1);
});

test("a start that was not answered is tried again with the same client token", async () => {
  const api = new FakeApi();
  const start = api.start.bind(api);
  let left = 3;
  api.start = async (details) => {
    const answer = await start(details);
    if (left-- > 0) throw silence();
    return answer;
  };
  const scene = theatre({ api });
  void scene.conversation.start({});
  await scene.clock.pass(5_000);
  assert.equal(scene.conversation.state.phase, "failed");
  assert.equal(scene.remembered.value, null);
  void scene.conversation.start({});
  await settled();
  assert.equal(scene.conversation.state.phase, "active");
  const tokens = api.named("start").map(({ args }) => args[0].clientToken);
  assert.equal(tokens.length, 4);
  assert.equal(new Set(tokens).size, 1);
});

test("a page that was left while the chat began finds it by the same client token", async () => {
  const api = new FakeApi();
  const scene = theatre({ api });
  void scene.conversation.start({});
  const next = theatre({ api, record: JSON.parse(scene.remembered.value) });
  assert.equal(next.conversation.resume(), true);
  await settled();
  const tokens = api.named("start").map(({ args }) => args[0].clientToken);
  assert.equal(tokens.length, 2);
  assert.equal(new Set(tokens).size, 1);
});

test("a chat another tab has just begun is joined, not doubled", async () => {
  const scene = theatre();
  scene.remembered.write(JSON.stringify(RECORD));
  void scene.conversation.start({});
  await settled();
  assert.equal(scene.conversation.state.phase, "active");
  assert.equal(scene.api.named("start").length, 0);
});

test("a key that was replaced by another tab's is no reason to forget the chat", async () => {
  const scene = await onStage();
  const session = scene.api.session.bind(scene.api);
  scene.api.session = async (key) => {
    if (key === "sk1.s1.x") throw refused(401);
    return session(key);
  };
  scene.remembered.write(JSON.stringify({ key: "sk1.s1.fresh", session: "s1" }));
  scene.sockets.last().drops(4502);
  await settled();
  assert.equal(scene.conversation.state.phase, "active");
  assert.equal(scene.conversation.chat.key, "sk1.s1.fresh");
});

test("a start that is refused says why and leaves nothing behind", async () => {
  const api = new FakeApi();
  api.start = async () => {
    throw refused(422, { detail: "The widget takes no more chats today." });
  };
  const scene = theatre({ api });
  await scene.conversation.start({});
  const { phase, failure } = scene.conversation.state;
  assert.equal(phase, "failed");
  assert.equal(failure.detail, "The widget takes no more chats today.");
  assert.equal(scene.remembered.value, null);
});

test("what was written before the chat began is sent when it has", async () => {
  const scene = theatre();
  scene.conversation.send("first words");
  void scene.conversation.start({});
  assert.equal(scene.conversation.state.entries[0].content, "first words");
  await settled();
  assert.equal(scene.api.named("sendMessage")[0].args[1].Content, "first words");
});

test("what was written for a chat that did not begin is not said to be on its way", async () => {
  const scene = theatre();
  const { start } = scene.api;
  scene.api.start = async () => {
    throw refused(422);
  };
  scene.conversation.send("hello");
  void scene.conversation.start({});
  assert.deepEqual(states(scene), ["queued"]);
  await settled();
  assert.deepEqual([scene.conversation.state.phase, states(scene)], ["failed", ["failed"]]);
  scene.api.start = start;
  scene.conversation.begin({});
  assert.deepEqual(states(scene), ["queued"]);
  await settled();
  assert.deepEqual([texts(scene), states(scene)], [["hello"], []]);
});

test("a chat found again is read, without being news", async () => {
  const api = new FakeApi();
  api.items = [item({ at: 1 }), item({ at: 2 })];
  const scene = await onStage({ api, record: RECORD });
  assert.deepEqual(texts(scene), ["said at 1", "said at 2"]);
  assert.deepEqual(scene.arrived, []);
});

test("a chat the server has forgotten is gone, and so is its record", async () => {
  for (const status of [401, 404]) {
    const api = new FakeApi();
    api.session = async () => {
      throw refused(status);
    };
    const scene = theatre({ api, record: RECORD });
    scene.conversation.resume();
    await settled();
    assert.equal(scene.conversation.state.phase, "gone");
    assert.equal(scene.remembered.value, null);
  }
});

test("a server that cannot be reached is asked again; the chat is not given up", async () => {
  const api = new FakeApi();
  const session = api.session.bind(api);
  let left = 2;
  api.session = async (key) => {
    if (left-- > 0) throw silence();
    return session(key);
  };
  const scene = theatre({ api, record: RECORD });
  scene.conversation.resume();
  await scene.clock.pass(16_000);
  assert.equal(scene.conversation.state.phase, "active");
});

test("a chat that ended meanwhile is there, complete", async () => {
  const api = new FakeApi();
  api.info = { ...api.info, state: "ended", endedAt: "2026-11-22T11:00:00.000Z", endedBy: "agent" };
  api.items = [item({ at: 1 }), own({ at: 2 }), event("chat.ended", { at: 3 })];
  const scene = theatre({ api, record: RECORD });
  scene.conversation.resume();
  await settled();
  const { phase, endedBy, can } = scene.conversation.state;
  assert.deepEqual([phase, endedBy, can.send], ["ended", "agent", false]);
  assert.equal(texts(scene).length, 3);
  assert.equal(scene.sockets.made.length, 0);
});

test("another tab's new chat is taken up here", async () => {
  const scene = await onStage();
  scene.api.info = { ...scene.api.info, session: "s2" };
  scene.remembered.write(JSON.stringify({ key: "sk1.s2.y", session: "s2" }));
  scene.conversation.recordChanged();
  await settled();
  assert.equal(scene.conversation.chat.session, "s2");
  assert.equal(scene.sockets.made[0].closedWith, 1000);
});

test("what another tab has seen is no reason to begin anew", async () => {
  const scene = await onStage();
  const { chat } = scene.conversation;
  scene.memory.patch({ seen: 5 });
  scene.conversation.recordChanged();
  assert.equal(scene.conversation.chat, chat);
});

test("the chat that another tab has begun is joined, not forgotten", async () => {
  const scene = await onStage();
  scene.api.info = { ...scene.api.info, session: "s2" };
  scene.remembered.write(JSON.stringify({ key: "sk1.s2.y", session: "s2" }));
  scene.conversation.chat.seen();
  scene.conversation.begin({});
  await settled();
  assert.equal(scene.conversation.chat.session, "s2");
  assert.equal(scene.memory.record.key, "sk1.s2.y");
});

test("what is written while the chat is looked for goes out when it is found", async () => {
  const scene = theatre({ record: RECORD });
  const sent = [];
  scene.api.sendMessage = async (_, body) => (sent.push(body.Content), scene.api.accept());
  scene.conversation.resume();
  scene.conversation.send("are you there?");
  await scene.clock.pass(100);
  assert.deepEqual(sent, ["are you there?"]);
});

test("what is written while a chat is looked for that is over goes into the next", async () => {
  const scene = theatre({ record: RECORD });
  scene.api.info = { ...scene.api.info, state: "ended" };
  scene.conversation.resume();
  scene.conversation.send("one more thing");
  await scene.clock.pass(100);
  const sent = [];
  scene.api.sendMessage = async (_, body) => (sent.push(body.Content), scene.api.accept());
  scene.conversation.begin({});
  await scene.clock.pass(100);
  assert.deepEqual(sent, ["one more thing"]);
});
