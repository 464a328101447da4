/** The end, however it is learnt: read to the last word, and nothing asked that would be refused. */

import assert from "node:assert/strict";
import test from "node:test";
import { event, FakeApi, item, onStage, RECORD, refused, settled, silence, states, texts, theatre } from "./stage.js";

test("the end closes the socket, stops all timers and reads the whole chat", async () => {
  const api = new FakeApi();
  const scene = await onStage({ api });
  api.items = [item({ at: 1 }), event("chat.ended", { at: 2 })];
  api.info = { ...api.info, state: "ended", endedBy: "agent", endedAt: "2026-11-22T10:00:02.000Z" };
  scene.sockets.last().chat(event("chat.ended", { at: 2 }));
  await settled();
  const { phase, endedBy } = scene.conversation.state;
  assert.deepEqual([phase, endedBy], ["ended", "agent"]);
  assert.equal(texts(scene).length, 2);
  assert.equal(scene.sockets.last().closedWith, 1000);
  assert.equal(scene.clock.waiting, 0);
});

test("who ended it is asked again while the server has not written it down", async () => {
  const scene = await onStage();
  scene.sockets.last().chat(event("chat.ended", { at: 2 }));
  await scene.clock.pass(900);
  assert.equal(scene.conversation.state.endedBy, null);
  scene.api.info = { ...scene.api.info, state: "ended", endedBy: "agent", endedAt: "2026-11-22T10:00:02.000Z" };
  await scene.clock.pass(200);
  assert.equal(scene.conversation.state.endedBy, "agent");
  assert.equal(scene.clock.waiting, 0);
});

test("a chat that is over and not written down yet is not gone back to, and read when it is", async () => {
  const api = new FakeApi();
  api.info = { ...api.info, can: { ...api.info.can, resume: false } };
  const scene = theatre({ api, record: RECORD });
  scene.conversation.resume();
  await settled();
  assert.equal(scene.conversation.state.phase, "ended");
  assert.deepEqual(api.calls.map(({ name }) => name), ["session", "session"]);
  api.items = [item({ at: 1 })];
  api.info = { ...api.info, state: "ended", endedBy: "agent", endedAt: "2026-11-22T10:00:02.000Z" };
  await scene.clock.pass(1_000);
  assert.deepEqual(texts(scene), ["said at 1"]);
  assert.equal(scene.conversation.state.endedBy, "agent");
});

test("ending it asks the server and waits for the last words", async () => {
  const scene = await onStage();
  await scene.conversation.chat.end();
  assert.equal(scene.conversation.state.phase, "leaving");
  scene.sockets.last().chat(item({ at: 9, Content: "How was it?" }));
  scene.sockets.last().chat(event("chat.ended", { at: 10 }));
  assert.equal(scene.conversation.state.phase, "ended");
  assert.ok(texts(scene).includes("How was it?"));
});

test("an end that does not work leaves the chat as it is, and says so", async () => {
  const scene = await onStage();
  scene.api.end = async () => {
    throw silence();
  };
  await scene.conversation.chat.end();
  const { phase, failure } = scene.conversation.state;
  assert.deepEqual([phase, failure.reason], ["active", "timeout"]);
});

test("until the end is known the chat is held on to, and no other begins", async () => {
  const scene = await onStage();
  let answer;
  scene.api.end = () => new Promise((resolve, reject) => (answer = { resolve, reject }));
  const { chat } = scene.conversation;
  void chat.end();
  assert.equal(scene.conversation.state.phase, "ending");
  scene.conversation.begin({});
  await settled();
  assert.deepEqual([scene.conversation.chat === chat, scene.memory.record.key], [true, RECORD.key]);
  answer.reject(refused(503));
  await settled();
  assert.equal(scene.conversation.state.phase, "active");
  void chat.end();
  answer.resolve({});
  await settled();
  assert.equal(scene.conversation.state.phase, "leaving");
  scene.conversation.begin({});
  await settled();
  assert.equal(scene.api.named("start").length, 2);
});

test("an end that was learnt in another way is not taken back by a lost answer", async () => {
  const scene = await onStage();
  let fail;
  scene.api.end = () => new Promise((_resolve, reject) => (fail = reject));
  void scene.conversation.chat.end();
  scene.api.info = { ...scene.api.info, state: "leaving" };
  scene.sockets.last().chat(event("participant.left", { at: 3, ParticipantId: "me" }));
  await scene.clock.pass(300);
  fail(silence());
  await settled();
  const { phase, endedBy, failure } = scene.conversation.state;
  assert.deepEqual([phase, endedBy, failure], ["leaving", "customer", null]);
});

test("a new chat after the end has nothing of the old one", async () => {
  const scene = await onStage();
  scene.sockets.last().chat(item({ at: 1 }));
  scene.sockets.last().chat(event("chat.ended", { at: 2 }));
  scene.conversation.begin({});
  await settled();
  assert.equal(scene.conversation.state.phase, "active");
  assert.deepEqual(texts(scene), []);
  assert.equal(scene.api.named("start").length, 2);
});

test("messages that did not get out before the end are shown as not sent", async () => {
  const scene = await onStage();
  scene.api.sendMessage = () => new Promise(() => {});
  scene.conversation.send("too late");
  await settled();
  scene.sockets.last().chat(event("chat.ended", { at: 2 }));
  assert.deepEqual(states(scene), ["failed"]);
  assert.equal(scene.conversation.state.entries[0].failure.reason, "chatOver");
});

test("a refusal the server cannot explain yet is asked about until it can", async () => {
  const scene = await onStage();
  scene.api.connection = async () => {
    throw refused(403);
  };
  scene.sockets.last().drops();
  await scene.clock.pass(600);
  assert.equal(scene.conversation.state.phase, "active");
  scene.api.info = { ...scene.api.info, state: "ended", endedAt: "2026-11-22T10:00:02.000Z" };
  await scene.clock.pass(3_000);
  assert.equal(scene.conversation.state.phase, "ended");
  assert.equal(scene.clock.waiting, 0);
});

const OVER = { state: "ended", endedBy: "agent", endedAt: "2026-11-22T10:00:02.000Z" };
/** The chat has ended, and nothing told us; the doors answer as they do then. */
const endUnheard = ({ api }) => {
  api.info = { ...api.info, ...OVER };
  for (const door of ["connection", "sendMessage", "sendEvent", "transcript"])
    api[door] = async (...args) => {
      api.calls.push({ name: `refused ${door}`, args });
      throw refused(403);
    };
  return (door) => api.named(`refused ${door}`).length;
};

test("a page that comes back to a chat that is over asks nothing it would be refused", async () => {
  const scene = await onStage();
  scene.conversation.chat.sleep();
  scene.conversation.send("written in a tunnel");
  const refusals = endUnheard(scene);
  const before = scene.api.calls.length;
  scene.conversation.chat.wake();
  await settled();
  const { phase, entries } = scene.conversation.state;
  assert.deepEqual([phase, entries[0].failure.reason], ["ended", "chatOver"]);
  assert.deepEqual(scene.api.calls.slice(before).map(({ name }) => name), ["session", "wholeTranscript"]);
  assert.equal(refusals("connection"), 0);
});

test("while nobody can say whether the chat goes on, nothing else is asked", async () => {
  const scene = await onStage();
  const connections = scene.api.named("connection").length;
  const { session } = scene.api;
  let asked = 0;
  scene.api.session = async () => {
    asked += 1;
    throw silence();
  };
  scene.sockets.last().drops();
  await scene.clock.pass(500 + 1_000);
  assert.equal(asked, 2);
  assert.equal(scene.api.named("connection").length, connections);
  scene.api.session = session;
  await scene.clock.pass(2_000);
  assert.equal(scene.api.named("connection").length, connections + 1);
});

test("a refused call looks at the chat once and asks for no other key when it is over", async () => {
  const scene = await onStage();
  const refusals = endUnheard(scene);
  const { chat } = scene.conversation;
  chat.typing();
  chat.send("too late");
  await settled();
  assert.equal(scene.conversation.state.phase, "ended");
  assert.deepEqual([refusals("sendMessage"), refusals("sendEvent"), refusals("connection")], [1, 1, 0]);
  assert.equal(scene.api.named("session").length, 1);
});

test("closed because the chat is over it asks for no new connection", async () => {
  const scene = await onStage();
  const refusals = endUnheard(scene);
  scene.sockets.last().drops(4501);
  await settled();
  assert.deepEqual([scene.conversation.state.phase, scene.conversation.state.endedBy], ["ended", "agent"]);
  assert.equal(refusals("connection"), 0);
  assert.equal(scene.clock.waiting, 0);
});

test("a chat that was left in another tab is left here, and its last words still come", async () => {
  const scene = await onStage();
  scene.api.sendMessage = () => new Promise(() => {});
  scene.conversation.send("in the air");
  scene.api.info = { ...scene.api.info, state: "leaving" };
  scene.sockets.last().chat(event("participant.left", { at: 3, ParticipantId: "me" }));
  await scene.clock.pass(300);
  assert.equal(scene.conversation.state.phase, "leaving");
  assert.deepEqual(states(scene), ["failed"]);
  scene.sockets.last().chat(item({ at: 4, Content: "How was it?" }));
  scene.sockets.last().chat(event("chat.ended", { at: 5 }));
  assert.equal(scene.conversation.state.phase, "ended");
  assert.equal(scene.conversation.state.endedBy, "customer");
  assert.ok(texts(scene).includes("How was it?"));
});

test("a connection refused because the chat is over shows the end", async () => {
  const scene = await onStage();
  scene.api.connection = async () => {
    throw refused(403);
  };
  scene.api.info = { ...scene.api.info, state: "ended", endedAt: "2026-11-22T10:00:02.000Z" };
  scene.sockets.last().drops();
  await scene.clock.pass(500);
  assert.equal(scene.conversation.state.phase, "ended");
});
