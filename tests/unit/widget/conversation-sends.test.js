/** What is written goes out once, whatever becomes of answers, keys and networks. */

import assert from "node:assert/strict";
import test from "node:test";
import { onStage, own, RECORD, refused, settled, silence, states, texts } from "./stage.js";

test("a message is sent once, with a client token, and is a line when it is accepted", async () => {
  const scene = await onStage();
  scene.conversation.send("hello");
  await settled();
  const [{ args }] = scene.api.named("sendMessage");
  assert.equal(args[0], "ck-1");
  assert.match(args[1].ClientToken, /^[0-9a-f]{32}$/);
  assert.deepEqual([texts(scene), states(scene)], [["hello"], []]);
  assert.equal(scene.outboxes.value, null);
});

test("an echo before the answer does not show the message twice", async () => {
  const scene = await onStage();
  let answer;
  scene.api.sendMessage = () => new Promise((resolve) => (answer = resolve));
  scene.conversation.send("hello");
  await settled();
  scene.sockets.last().chat(own({ at: 5, Id: "m1", Content: "hello" }));
  const { entries, transcript } = scene.conversation.state;
  assert.equal(entries[0].echo, "m1");
  assert.equal(transcript.lines[0].clientToken, entries[0].token);
  answer({ Id: "m1", AbsoluteTime: "2026-11-22T10:00:05.000Z" });
  await settled();
  assert.deepEqual([texts(scene), states(scene)], [["hello"], []]);
});

test("the same words from another tab are not mistaken for ours in the end", async () => {
  const scene = await onStage();
  let answer;
  scene.api.sendMessage = () => new Promise((resolve) => (answer = resolve));
  scene.conversation.send("hello");
  await settled();
  scene.sockets.last().chat(own({ at: 5, Id: "other-tab", Content: "hello" }));
  answer({ Id: "m1", AbsoluteTime: "2026-11-22T10:00:06.000Z" });
  await settled();
  const lines = scene.conversation.state.transcript.lines;
  assert.deepEqual(lines.map(({ Id, clientToken }) => [Id, !!clientToken]), [["other-tab", false], ["m1", true]]);
});

test("silence is answered by the same message on the same key with the same token", async () => {
  const scene = await onStage();
  const tries = [];
  scene.api.sendMessage = async (key, body) => {
    tries.push([key, body.ClientToken]);
    if (tries.length < 3) throw silence();
    return scene.api.accept();
  };
  scene.conversation.send("hello");
  await settled();
  scene.sockets.last().drops();
  await scene.clock.pass(5_000);
  assert.equal(tries.length, 3);
  assert.equal(new Set(tries.map(String)).size, 1);
  assert.deepEqual(texts(scene), ["hello"]);
});

test("the next page repeats token and key too", async () => {
  const scene = await onStage();
  scene.api.sendMessage = () => new Promise(() => {});
  scene.conversation.send("hello");
  await settled();
  const { args } = { args: JSON.parse(scene.outboxes.value)[0] };
  const next = await onStage({ record: RECORD, outbox: JSON.parse(scene.outboxes.value) });
  const [sent] = next.api.named("sendMessage");
  assert.equal(sent.args[0], "ck-1");
  assert.equal(sent.args[1].ClientToken, args.token);
  assert.equal(next.outboxes.value, null);
});

test("a refused key is replaced, and the token kept", async () => {
  const scene = await onStage();
  const keys = [];
  scene.api.sendMessage = async (key) => {
    keys.push(key);
    if (key === "ck-1") throw refused(403);
    return scene.api.accept();
  };
  scene.conversation.send("hello");
  await settled();
  assert.deepEqual(keys, ["ck-1", "ck-2"]);
  assert.deepEqual(texts(scene), ["hello"]);
});

test("before a message with an unknown fate takes a new key, the transcript is read", async () => {
  const scene = await onStage();
  const keys = [];
  scene.api.sendMessage = async (key) => {
    keys.push(key);
    if (keys.length > 1) throw refused(403);
    scene.api.items = [own({ at: 1, Id: "m1", Content: "hello" })];
    throw silence();
  };
  scene.conversation.send("hello");
  await scene.clock.pass(2_000);
  assert.deepEqual(keys, ["ck-1", "ck-1"]);
  assert.deepEqual([texts(scene), states(scene)], [["hello"], []]);
});

test("what is refused is not repeated, and can be sent again or deleted", async () => {
  const scene = await onStage();
  const send = scene.api.sendMessage.bind(scene.api);
  scene.api.sendMessage = async () => {
    throw refused(400, { detail: "Too long." });
  };
  scene.conversation.send("one");
  scene.conversation.send("two");
  await scene.clock.pass(60_000);
  assert.deepEqual(states(scene), ["failed", "failed"]);
  assert.equal(scene.conversation.state.entries[0].failure.detail, "Too long.");
  const [one, two] = scene.conversation.state.entries;
  scene.api.sendMessage = send;
  scene.conversation.chat.retry(two.token);
  scene.conversation.discard(one.token);
  await settled();
  assert.deepEqual([texts(scene), states(scene)], [["two"], []]);
});

test("what only the network stopped goes out by itself when it is back", async () => {
  const scene = await onStage();
  const send = scene.api.sendMessage.bind(scene.api);
  scene.api.sendMessage = async () => {
    throw silence();
  };
  scene.conversation.send("hello");
  await scene.clock.pass(60_000);
  assert.deepEqual(states(scene), ["failed"]);
  scene.api.sendMessage = send;
  scene.conversation.chat.wake();
  await settled();
  assert.deepEqual([texts(scene), states(scene)], [["hello"], []]);
});

/** Time passes, and the socket goes on beating: only sending does not work. */
const passConnected = async ({ clock, sockets }, ms) => {
  for (let passed = 0; passed < ms; passed += 1_000) {
    sockets.last().says({ topic: "aws/heartbeat" });
    await clock.pass(1_000);
  }
};

test("a message that comes through takes along what the network had stopped, in the order written", async () => {
  const scene = await onStage();
  const send = scene.api.sendMessage.bind(scene.api);
  scene.api.sendMessage = async () => {
    throw silence();
  };
  scene.conversation.send("one");
  scene.conversation.send("two");
  await passConnected(scene, 120_000);
  assert.deepEqual(states(scene), ["failed", "failed"]);
  scene.api.sendMessage = send;
  scene.conversation.send("three");
  await settled();
  assert.deepEqual([texts(scene), states(scene)], [["one", "two", "three"], []]);
});

test("what was given up goes first when the network comes back while a later one is tried", async () => {
  const scene = await onStage();
  const send = scene.api.sendMessage.bind(scene.api);
  scene.api.sendMessage = async () => {
    throw silence();
  };
  scene.conversation.send("one");
  scene.conversation.send("two");
  await passConnected(scene, 17_000);
  assert.deepEqual(states(scene), ["failed", "queued"]);
  scene.api.sendMessage = send;
  await passConnected(scene, 9_000);
  assert.deepEqual([texts(scene), states(scene)], [["one", "two"], []]);
});

test("any call that comes through is a sign that the network is back", async () => {
  const scene = await onStage();
  const send = scene.api.sendMessage.bind(scene.api);
  scene.api.sendMessage = async () => {
    throw silence();
  };
  scene.conversation.send("hello");
  await passConnected(scene, 60_000);
  scene.api.sendMessage = send;
  scene.conversation.chat.typing();
  await settled();
  assert.deepEqual([texts(scene), states(scene)], [["hello"], []]);
});

test("a message that never comes through does not hold up the others", async () => {
  const scene = await onStage();
  const send = scene.api.sendMessage.bind(scene.api);
  const tried = [];
  scene.api.sendMessage = async (key, body) => {
    tried.push(body.Content);
    if (body.Content === "never") throw silence();
    return send(key, body);
  };
  scene.conversation.send("never");
  await passConnected(scene, 60_000);
  assert.equal(tried.length, 6);
  scene.conversation.send("one");
  scene.conversation.send("two");
  await settled();
  assert.deepEqual([texts(scene), states(scene)], [["one", "two"], ["failed"]]);
  await passConnected(scene, 60_000);
  assert.ok(tried.length < 12, `${tried}`);
});

test("a message that comes through ends the wait for a new socket", async () => {
  const scene = await onStage();
  for (const wait of [500, 1_000, 2_000]) {
    scene.sockets.last().drops();
    await scene.clock.pass(wait);
  }
  scene.sockets.last().drops();
  const before = scene.sockets.made.length;
  scene.conversation.send("hello");
  await settled();
  assert.deepEqual([texts(scene), scene.sockets.made.length], [["hello"], before + 1]);
});

test("without a network nothing is tried, and it goes out when the chat is seen to go on", async () => {
  const scene = await onStage();
  const before = scene.api.calls.length;
  scene.conversation.chat.sleep();
  scene.conversation.chat.sleep();
  scene.conversation.send("written in a tunnel");
  await scene.clock.pass(60_000);
  assert.deepEqual([scene.api.calls.length - before, states(scene)], [0, ["queued"]]);
  scene.conversation.chat.wake();
  await settled();
  assert.deepEqual(texts(scene), ["written in a tunnel"]);
});

test("what is pressed goes out beside the outbox, and is told when it does not", async () => {
  const scene = await onStage();
  const { chat } = scene.conversation;
  await chat.press("{}", "x/response");
  const [{ args }] = scene.api.named("sendMessage");
  assert.deepEqual([args[0], args[1].Content, args[1].ContentType], ["ck-1", "{}", "x/response"]);
  assert.deepEqual([texts(scene), states(scene), scene.conversation.state.failure], [[], [], null]);
  scene.api.sendMessage = async () => {
    throw silence();
  };
  await chat.press("{}", "x/response");
  assert.deepEqual([states(scene), scene.conversation.state.failure.reason], [[], "timeout"]);
});

test("messages go out one after the other", async () => {
  const scene = await onStage();
  const answers = [];
  scene.api.sendMessage = (key, body) => new Promise((resolve) => answers.push({ body, resolve }));
  scene.conversation.send("one");
  scene.conversation.send("two");
  await settled();
  assert.equal(answers.length, 1);
  answers[0].resolve(scene.api.accept());
  await settled();
  assert.deepEqual(answers.map(({ body }) => body.Content), ["one", "two"]);
});
