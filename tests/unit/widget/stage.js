/**
 * What the tests of the widget share: a clock they move, a socket they speak through, a proxy in
 * memory, and items as the service writes them.
 */

import { Conversation } from "../../../widget_static/src/conversation.js";
import { ApiProblem } from "../../../widget_static/src/api.js";
import { Memory } from "../../../widget_static/src/memory.js";

export const EVENT = "application/vnd.amazonaws.connect.event.";
const EPOCH = Date.parse("2026-11-22T10:00:00.000Z");

/** Time that passes only when told to. */
export class FakeClock {
  #now = EPOCH;
  #tasks = [];

  now() {
    return this.#now;
  }

  /** The longest wait a jitter can give, so that tests know when. */
  random() {
    return 1;
  }

  later(task, ms) {
    const entry = { task, at: this.#now + ms };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((one) => one !== entry);
    };
  }

  async pass(ms) {
    const end = this.#now + ms;
    for (;;) {
      await settled();
      const next = this.#tasks.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#tasks = this.#tasks.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.at);
      next.task();
    }
    this.#now = end;
    await settled();
  }

  get waiting() {
    return this.#tasks.length;
  }
}

/** Everything that promises had to do is done. */
export const settled = async () => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

export const slot = (value = null) => ({
  value,
  read() {
    return this.value;
  },
  write(next) {
    this.value = next;
  },
});

/** A browser socket whose other end is the test. */
export const fakeSockets = () => {
  const made = [];
  class FakeSocket {
    readyState = 0;
    sent = [];
    closedWith = null;

    constructor(url) {
      this.url = url;
      made.push(this);
    }

    send(text) {
      this.sent.push(JSON.parse(text));
    }

    close(code) {
      this.readyState = 3;
      this.closedWith = code;
    }

    opens() {
      this.readyState = 1;
      this.onopen();
    }

    says(frame) {
      this.onmessage({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
    }

    acknowledges() {
      this.says({ topic: "aws/subscribe", content: { status: "success", topics: ["aws/chat"] } });
    }

    chat(item, position) {
      this.says({ topic: "aws/chat", content: JSON.stringify(item), ...(position ? { position } : {}) });
    }

    drops(code = 1006, reason = "") {
      this.readyState = 3;
      this.onclose({ code, reason });
    }
  }
  return { made, FakeSocket, last: () => made.at(-1) };
};

let count = 0;
/** An item as it travels; `at` in seconds after the fake clock's beginning. */
export const item = (given = {}) => {
  const { at = (count += 1), ...rest } = given;
  return {
    Id: `id-${at}`,
    AbsoluteTime: new Date(EPOCH + at * 1000).toISOString(),
    Type: "MESSAGE",
    ContentType: "text/plain",
    Content: `said at ${at}`,
    ParticipantId: "agent-1",
    DisplayName: "Ann",
    ParticipantRole: "AGENT",
    ...rest,
  };
};

export const own = (given) => item({ ParticipantId: "me", DisplayName: "Me", ParticipantRole: "CUSTOMER", ...given });

export const event = (name, given) => {
  const { Content, ...rest } = item(given);
  return { ...rest, Type: "EVENT", ContentType: EVENT + name };
};

export const refused = (status, extra = {}) => new ApiProblem({ reason: "refused", status, ...extra });
export const silence = () => new ApiProblem({ reason: "timeout" });

/** The proxy's doors in memory. Replace a door on the object to make it misbehave. */
export class FakeApi {
  calls = [];
  items = [];
  info = {
    ...{ session: "s1", widget: "demo", state: "active", participantId: "me", contactId: "c1" },
    ...{ endedAt: null, endedBy: null, incompleteSince: null, displayName: "Me" },
    can: { send: true, attach: true, rate: true, download: true, resume: true },
  };
  #connections = 0;
  #sends = 0;

  named(name) {
    return this.calls.filter((call) => call.name === name);
  }

  #note(name, ...args) {
    this.calls.push({ name, args });
  }

  async start(details) {
    this.#note("start", details);
    return { session: "s1", key: "sk1.s1.x", startChatResult: { ContactId: "c1", ParticipantId: "me", ParticipantToken: "sk1.s1.x" } };
  }

  async session(key) {
    this.#note("session", key);
    const { state, can } = this.info;
    return { ...this.info, can: { ...can, resume: can.resume && !["ended", "failed"].includes(state) } };
  }

  async end(key) {
    this.#note("end", key);
    return {};
  }

  async wholeTranscript(key) {
    this.#note("wholeTranscript", key);
    return { items: this.items, incompleteSince: null };
  }

  async connection(key) {
    this.#note("connection", key);
    this.#connections += 1;
    const number = this.#connections;
    return {
      Websocket: { Url: `wss://chat.test/ws/${number}`, ConnectionExpiry: "" },
      ConnectionCredentials: { ConnectionToken: `ck-${number}`, Expiry: "" },
    };
  }

  async sendMessage(key, body) {
    this.#note("sendMessage", key, body);
    return this.accept(body);
  }

  accept() {
    this.#sends += 1;
    return { Id: `sent-${this.#sends}`, AbsoluteTime: new Date(EPOCH + this.#sends * 1000).toISOString() };
  }

  async sendEvent(key, body) {
    this.#note("sendEvent", key, body);
    return {};
  }

  /** Backwards, `NextToken` counts from the end. */
  async transcript(key, { MaxResults, NextToken = "0", StartPosition }) {
    this.#note("transcript", key, { MaxResults, NextToken, StartPosition });
    const from = Number(NextToken);
    const end = this.items.length - from;
    const begin = Math.max(end - MaxResults, 0);
    const next = begin > 0 ? { NextToken: String(from + MaxResults) } : {};
    return { Transcript: this.items.slice(begin, end), ...next };
  }
}

/** A conversation with everything around it under the test's control. */
export const theatre = ({ record = null, outbox = null, api = new FakeApi(), put, outboxes = slot(outbox && JSON.stringify(outbox)), locks } = {}) => {
  const clock = new FakeClock();
  const sockets = fakeSockets();
  const remembered = slot(record && JSON.stringify(record));
  const memory = new Memory(remembered, slot(), () => clock.now());
  const around = { api, clock, memory, outboxFor: () => outboxes, locks, Socket: sockets.FakeSocket, put };
  const conversation = new Conversation(around, "demo");
  const arrived = [];
  conversation.addEventListener("arrived", ({ line }) => arrived.push(line));
  return { api, clock, sockets, remembered, outboxes, memory, conversation, arrived };
};

/** … already started and subscribed. */
export const onStage = async (given) => {
  const scene = theatre(given);
  if (!scene.conversation.resume()) void scene.conversation.start({});
  await settled();
  scene.sockets.last().opens();
  scene.sockets.last().acknowledges();
  await settled();
  return scene;
};

/** What a page keeps of the chat that `FakeApi` knows. */
export const RECORD = { key: "sk1.s1.x", session: "s1" };

/** What has become of each message that is not a line yet. */
export const states = ({ conversation }) => conversation.state.entries.map((entry) => entry.state);

export const texts = ({ conversation }) =>
  conversation.state.transcript.lines.map((line) => line.Content ?? line.ContentType);
