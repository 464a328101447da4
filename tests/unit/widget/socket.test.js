import assert from "node:assert/strict";
import test from "node:test";
import { ChatSocket, StayAway } from "../../../widget_static/src/socket.js";
import { FakeClock, fakeSockets, settled } from "./stage.js";

const set = ({ address } = {}) => {
  const clock = new FakeClock();
  const sockets = fakeSockets();
  const log = { states: [], frames: [], subscribed: [], dismissed: [], asked: 0 };
  const listener = {
    address: async () => {
      log.asked += 1;
      return address ? address(log.asked) : `wss://chat.test/${log.asked}`;
    },
    frame: (frame) => log.frames.push(frame),
    subscribed: (resuming) => log.subscribed.push(resuming),
    state: (state) => log.states.push(state),
    dismissed: (code) => log.dismissed.push(code),
  };
  const socket = new ChatSocket(listener, clock, sockets.FakeSocket);
  return { clock, sockets, log, socket };
};

const connected = async (given) => {
  const scene = set(given);
  scene.socket.open();
  await settled();
  scene.sockets.last().opens();
  scene.sockets.last().acknowledges();
  return scene;
};

test("it subscribes to the chat and to news of the session, and is connected when told so", async () => {
  const { sockets, log } = await connected();
  assert.deepEqual(sockets.last().sent[0], { topic: "aws/subscribe", content: { topics: ["aws/chat", "chatproxy/session"] } });
  assert.deepEqual(log.states, ["connecting", "connected"]);
  assert.deepEqual(log.subscribed, [false]);
});

test("it beats every ten seconds while it is answered", async () => {
  const { clock, sockets } = await connected();
  const beats = () => sockets.last().sent.filter(({ topic }) => topic === "aws/heartbeat").length;
  for (const expected of [1, 2, 3]) {
    assert.equal(beats(), expected);
    sockets.last().says({ topic: "aws/heartbeat" });
    await clock.pass(10_000);
  }
  assert.equal(sockets.made.length, 1);
});

test("a silent server is left, and a fresh address is asked for", async () => {
  const { clock, sockets, log } = await connected();
  await clock.pass(10_000);
  assert.equal(sockets.made[0].readyState, 3);
  await clock.pass(500);
  assert.equal(sockets.made[1].url, "wss://chat.test/2");
  assert.equal(log.states.at(-1), "reconnecting");
});

test("after a loss it asks for everything after its place", async () => {
  const { clock, sockets, log } = await connected();
  sockets.last().says({ topic: "aws/chat", content: "{}", position: "p7" });
  sockets.last().drops();
  await clock.pass(500);
  sockets.last().opens();
  assert.equal(sockets.last().sent[0].content.after, "p7");
  sockets.last().acknowledges();
  assert.deepEqual(log.subscribed, [false, true]);
});

test("a place may come with news of the session", async () => {
  const { clock, sockets } = await connected();
  sockets.last().says({ topic: "chatproxy/session", content: { replayed: 0, position: "p9" } });
  sockets.last().drops();
  await clock.pass(500);
  sockets.last().opens();
  assert.equal(sockets.last().sent[0].content.after, "p9");
});

test("a sign of life from the server ends the wait, not the patience it asked for", async () => {
  const { clock, sockets, socket, log } = await connected();
  socket.soon();
  sockets.last().drops();
  socket.soon();
  await settled();
  assert.equal(log.asked, 2);
  socket.soon(); // dialing already
  sockets.last().drops(1012, '{"retryAfterMs": 3000}');
  await clock.pass(2_900);
  socket.soon();
  await settled();
  assert.equal(log.asked, 2);
  await clock.pass(200);
  socket.soon();
  await settled();
  assert.equal(log.asked, 3);
});

test("waits grow with every try and begin anew after success", async () => {
  const { clock, sockets } = await connected({ address: (asked) => (asked > 1 && asked < 5 ? Promise.reject(new Error("no")) : "wss://x") });
  sockets.last().drops();
  for (const wait of [500, 1000, 2000, 4000]) {
    assert.equal(sockets.made.length, 1);
    await clock.pass(wait);
  }
  assert.equal(sockets.made.length, 2);
  sockets.last().opens();
  sockets.last().acknowledges();
  sockets.last().drops();
  await clock.pass(500);
  assert.equal(sockets.made.length, 3);
});

test("a server that restarts says how long to stay away", async () => {
  const { clock, sockets } = await connected();
  sockets.last().drops(1012, '{"retryAfterMs": 7000}');
  await clock.pass(7_400);
  assert.equal(sockets.made.length, 1);
  await clock.pass(100);
  assert.equal(sockets.made.length, 2);
});

test("close codes below 4500 come back, those from 4500 do not", async () => {
  for (const code of [1000, 1001, 1006, 1011, 4000, 4100, 4400, 4499]) {
    const { clock, sockets, log } = await connected();
    sockets.last().drops(code);
    await clock.pass(500);
    assert.equal(sockets.made.length, 2, `${code}`);
    assert.deepEqual(log.dismissed, []);
  }
  for (const code of [4500, 4503, 4999]) {
    const { clock, sockets, log } = await connected();
    sockets.last().drops(code);
    await clock.pass(100_000);
    assert.equal(sockets.made.length, 1, `${code}`);
    assert.deepEqual(log.dismissed, [code]);
  }
});

test("an address that is refused for good ends it", async () => {
  const { clock, sockets, log, socket } = set({ address: () => Promise.reject(new StayAway()) });
  socket.open();
  await clock.pass(100_000);
  assert.equal(sockets.made.length, 0);
  assert.deepEqual(log.dismissed, [0]);
});

test("a handshake or a subscription without end is tried again", async () => {
  const { clock, sockets, socket } = set();
  socket.open();
  await settled();
  await clock.pass(15_500);
  assert.equal(sockets.made.length, 2);
  sockets.last().opens();
  sockets.last().says({ topic: "aws/subscribe", content: { status: "failure" } });
  await clock.pass(1_000);
  assert.equal(sockets.made.length, 3);
});

test("offline it rests; back online it does not wait", async () => {
  const { clock, sockets, log, socket } = await connected();
  socket.offline();
  assert.equal(log.states.at(-1), "offline");
  await clock.pass(100_000);
  assert.equal(sockets.made.length, 1);
  socket.hurry();
  await settled();
  assert.equal(sockets.made.length, 2);
});

test("asked to hurry while connected it makes sure within five seconds", async () => {
  const { clock, sockets, socket } = await connected();
  sockets.last().says({ topic: "aws/heartbeat" });
  socket.hurry();
  await clock.pass(5_500);
  assert.equal(sockets.made.length, 2);
});

test("asked to hurry while dialing it does not dial twice", async () => {
  const { log, socket } = set();
  socket.open();
  socket.hurry();
  await settled();
  socket.hurry();
  await settled();
  assert.equal(log.asked, 1);
});

test("a closed one leaves no timer, and hears nothing any more", async () => {
  const { clock, sockets, log, socket } = await connected();
  socket.close();
  sockets.last().says({ topic: "aws/chat", content: "{}" });
  sockets.last().drops();
  assert.equal(clock.waiting, 0);
  assert.deepEqual(log.frames, []);
});

test("frames that are no frames are ignored", async () => {
  const { sockets, log } = await connected();
  for (const nonsense of ["", "{", "7", "null", '"x"', "[]", '{"message":"Forbidden"}']) sockets.last().says(nonsense);
  assert.deepEqual(log.frames, []);
});
