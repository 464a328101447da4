import assert from "node:assert/strict";
import test from "node:test";
import { event, FakeApi, item, onStage, own, refused, settled, silence, slot, texts, theatre } from "./stage.js";

const RECORD = { key: "sk1.s1.x", session: "s1" };
const states = ({ conversation }) => conversation.state.entries.map((entry) => entry.state);

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

test("told that another tab took its place it waits to be called back", async () => {
  const scene = await onStage();
  scene.sockets.last().drops(4500);
  await settled();
  assert.equal(scene.conversation.state.link, "elsewhere");
  scene.conversation.chat.continueHere();
  await settled();
  assert.equal(scene.sockets.made.length, 2);
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

test("trouble behind the proxy is told apart from trouble before it", async () => {
  const scene = await onStage();
  const link = (state) => {
    scene.sockets.last().says({ topic: "chatproxy/session", content: { state } });
    return scene.conversation.state.link;
  };
  assert.deepEqual(["degraded", "reconnecting", "connected"].map(link), ["degraded", "degraded", "connected"]);
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

test("a file goes up with progress and becomes its item", async () => {
  const file = { name: "a.png", type: "image/png", size: 9 };
  const seen = [];
  const put = async (metadata, sent, progress) => {
    seen.push(metadata, sent);
    progress(0.5);
  };
  const scene = await onStage({ put });
  Object.assign(scene.api, {
    startUpload: async () => ({ AttachmentId: "a1", UploadMetadata: { Url: "https://up.test" } }),
    completeUpload: async () => ({}),
  });
  scene.conversation.chat.uploads.add(file);
  await settled();
  assert.deepEqual(seen, [{ Url: "https://up.test" }, file]);
  assert.deepEqual(scene.conversation.state.uploads.map(({ state }) => state), ["checking"]);
  const Attachments = [{ AttachmentId: "a1", AttachmentName: "a.png", ContentType: "image/png", Status: "APPROVED" }];
  scene.sockets.last().chat(own({ at: 3, Type: "ATTACHMENT", Content: undefined, Attachments }));
  assert.deepEqual(scene.conversation.state.uploads, []);
});

test("an item that is faster than the answer leaves no upload behind", async () => {
  const scene = await onStage({ put: async () => {} });
  const Attachments = [{ AttachmentId: "a1", AttachmentName: "a.png", ContentType: "image/png", Status: "IN_PROGRESS" }];
  Object.assign(scene.api, {
    startUpload: async () => ({ AttachmentId: "a1", UploadMetadata: {} }),
    completeUpload: async () => scene.sockets.last().chat(own({ at: 3, Type: "ATTACHMENT", Attachments })),
  });
  scene.conversation.chat.uploads.add({ name: "a.png", size: 9 });
  await settled();
  assert.deepEqual(scene.conversation.state.uploads, []);
});

test("a file that is refused says why and can be tried again", async () => {
  const scene = await onStage({ put: async () => {} });
  scene.api.startUpload = async () => {
    throw refused(400, { detail: "This type is not supported." });
  };
  scene.conversation.chat.uploads.add({ name: "a.exe", size: 9 });
  await settled();
  const [upload] = scene.conversation.state.uploads;
  assert.deepEqual([upload.state, upload.failure.detail], ["failed", "This type is not supported."]);
  scene.api.startUpload = () => new Promise(() => {});
  scene.conversation.chat.uploads.retry(upload.token);
  assert.deepEqual(scene.conversation.state.uploads.map(({ state }) => state), ["uploading"]);
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
