/**
 * The same job on Node, as it would be written there: `ws` for sockets, Express and undici for REST.
 *
 * Sockets: one hub per chat, however many tabs; it opens the chat's upstream socket for the first tab
 * and closes it after the last, parses each frame, and passes what belongs to the chat to every tab.
 * REST: finds the token behind the key, checks the fields, posts, answers. Compression and ETags are
 * off, connections to the upstream kept. Nothing is stored, no copy dropped, no slow tab bounded.
 *
 *     NODE_ENV=production node tests/bench/peers/node_bff.js PORT UPSTREAM_URL SOCKET_URL KEYS
 */
import { createServer } from "node:http";
import express from "express";
import { Pool } from "undici";
import { WebSocket, WebSocketServer } from "ws";

const [port, upstreamUrl, socketUrl, keys] = process.argv.slice(2);
const SUBSCRIBE = '{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}';
const ANSWERS = new Map([
  ["aws/subscribe", '{"topic":"aws/subscribe","content":{"status":"success","topics":["aws/chat"]}}'],
  ["aws/heartbeat", '{"topic":"aws/heartbeat"}'],
  ["aws/ping", '{"topic":"aws/ping","statusCode":200,"statusContent":"OK"}'],
]);

/** The topic of a frame, or undefined when it is no JSON object. @param {Buffer} data */
const topicOf = (data) => {
  try {
    return JSON.parse(data.toString())?.topic;
  } catch {
    return undefined;
  }
};

/** @type {Map<string, Hub>} the hubs of chats that have tabs, by chat */
const hubs = new Map();

/** One chat: its upstream socket and its tabs. */
class Hub {
  tabs = new Set();

  /** @param {string} chat */
  constructor(chat) {
    this.chat = chat;
    this.upstream = new WebSocket(`${socketUrl}${chat}`, { perMessageDeflate: false });
    this.upstream.on("open", () => this.upstream.send(SUBSCRIBE));
    this.upstream.on("message", (data) => {
      if (topicOf(data) !== "aws/chat") return;
      for (const tab of this.tabs) tab.send(data, { binary: false });
    });
    this.upstream.on("error", () => {}); // followed by a close
    this.upstream.on("close", () => {
      if (hubs.get(chat) === this) hubs.delete(chat);
      for (const tab of this.tabs) tab.close(1012);
    });
  }

  /** @param {WebSocket} tab */
  leave(tab) {
    this.tabs.delete(tab);
    if (this.tabs.size > 0) return;
    if (hubs.get(this.chat) === this) hubs.delete(this.chat);
    this.upstream.close();
  }
}

const hubOf = (chat) => {
  const hub = hubs.get(chat) ?? new Hub(chat);
  hubs.set(chat, hub);
  return hub;
};

const tokens = new Map(
  Array.from({ length: Number(keys) }, (_, n) => [`key-${n}`, "t".repeat(400)]),
);
const upstream = new Pool(upstreamUrl, { connections: 128, headersTimeout: 10_000 });
const app = express().disable("x-powered-by").disable("etag");

app.post("/participant/message", express.json(), async (request, response) => {
  const token = tokens.get(request.get("x-amz-bearer"));
  if (!token) return response.status(403).json({ message: "Access denied" });
  const { Content, ContentType } = request.body ?? {};
  if (!Content || !ContentType) {
    return response.status(400).json({ message: "Content and ContentType are required" });
  }
  const answer = await upstream.request({
    method: "POST",
    path: "/participant/message",
    headers: { "content-type": "application/json", "x-amz-bearer": token },
    body: JSON.stringify(request.body),
  });
  return response.status(answer.statusCode).json(await answer.body.json());
});

const server = createServer(app);
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on("connection", (tab, request) => {
  const hub = hubOf(request.url.slice(request.url.lastIndexOf("/") + 1));
  hub.tabs.add(tab);
  tab.on("message", (data) => {
    const answer = ANSWERS.get(topicOf(data));
    if (answer) tab.send(answer);
  });
  tab.on("error", () => {}); // followed by a close
  tab.on("close", () => hub.leave(tab));
});
server.listen({ port: Number(port), host: "127.0.0.1", backlog: 1024 });
