/**
 * Everything that comes over the socket, and what the socket may have missed: frames go to the inbox,
 * gaps are replayed by the server or read by history, changes of the connection are told.
 *
 * @import { History } from "./history.js"
 * @import { Inbox } from "./inbox.js"
 * @import { Clock, Frame, LinkState } from "./types.js"
 */

import { ApiProblem } from "./api.js";
import { ChatSocket } from "./socket.js";

const REPLAY_PATIENCE_MS = 4_000;
const AGAIN_MS = 3_000;
const BEHIND_MS = 1_000;
const MOST_BEHIND = 5;

/**
 * @typedef {object} FeedHooks
 * @property {() => Promise<string>} address a fresh websocket address
 * @property {(state: LinkState) => void} link
 * @property {() => void} subscribed
 * @property {() => void} ended
 * @property {(code: number) => void} dismissed the server said not to come back; 0: no socket was to be had
 * @property {() => void} refused the past could not be read, and asking again will not help
 */

export class Feed {
  #inbox;
  #history;
  #hooks;
  #clock;
  #socket;
  #open = false;
  /** All that comes is news, the first page too: the chat began here. */
  #begunHere = false;
  /** @type {string[]} the newest items when the socket was subscribed; another process may lack some yet */
  #newest = [];
  #behind = 0;
  /** What there was has been read since the socket was subscribed. */
  #caughtUp = false;
  /** @type {() => void} */
  #cancelCatchUp = () => {};

  /**
   * @param {Inbox} inbox
   * @param {History} history
   * @param {FeedHooks} hooks
   * @param {Clock} clock
   * @param {typeof WebSocket} [Socket]
   */
  constructor(inbox, history, hooks, clock, Socket) {
    this.#inbox = inbox;
    this.#history = history;
    this.#hooks = hooks;
    this.#clock = clock;
    const listener = {
      ...hooks,
      state: hooks.link,
      frame: (/** @type {Frame} */ frame) => this.#frame(frame),
      subscribed: (/** @type {boolean} */ resuming) => this.#subscribed(resuming),
    };
    this.#socket = new ChatSocket(listener, clock, Socket);
  }

  /** @param {boolean} begunHere */
  open(begunHere) {
    this.#open = true;
    this.#begunHere = begunHere;
    this.#socket.open();
  }

  close() {
    this.#open = false;
    this.#cancelCatchUp();
    this.#socket.close();
  }

  wake() {
    this.#socket.hurry();
  }

  /** The server has answered another way. */
  answered() {
    this.#socket.soon();
  }

  sleep() {
    this.#socket.offline();
  }

  /** @param {Frame} frame */
  #frame({ topic, content }) {
    if (topic === "aws/chat") return this.#chatFrame(content);
    if (topic !== "chatproxy/session") return;
    const { state, replayed, reset, newest } = /** @type {Record<string, unknown>} */ (content ?? {});
    if (Array.isArray(newest)) this.#newest = newest;
    if (reset || replayed !== undefined) this.#cancelCatchUp();
    if (reset) void this.#catchUp();
    else if (newest && this.#caughtUp) this.#readAgainIfBehind();
    if (state === "connected") this.#hooks.link("connected");
    if (state === "degraded" || state === "reconnecting") this.#hooks.link("degraded");
    if (state === "ended") this.#hooks.ended();
  }

  /** @param {unknown} content */
  #chatFrame(content) {
    let item;
    try {
      item = typeof content === "string" ? JSON.parse(content) : content;
    } catch {
      return; // Not an item: nothing to show.
    }
    if (item && typeof item === "object") this.#inbox.take([item], true);
  }

  /** @param {boolean} resuming what was missed has been asked for */
  #subscribed(resuming) {
    this.#hooks.subscribed();
    this.#cancelCatchUp();
    this.#newest = [];
    this.#behind = 0;
    this.#caughtUp = false;
    if (!resuming) return void this.#catchUp();
    // A service that knows no positions stays silent; then we read what we may have missed.
    this.#catchUpIn(REPLAY_PATIENCE_MS);
  }

  async #catchUp() {
    try {
      await this.#history.catchUp(this.#begunHere);
      this.#caughtUp = true;
      this.#readAgainIfBehind();
    } catch (error) {
      if (!this.#open || !(error instanceof ApiProblem)) return;
      if (error.repeatable) this.#catchUpIn(error.retryAfterMs || AGAIN_MS);
      else this.#hooks.refused();
    }
  }

  /** What was read may come from a process that is some frames behind the one of our socket. */
  #readAgainIfBehind() {
    if (!this.#open || this.#newest.every((id) => this.#inbox.knows(id))) return;
    this.#behind += 1;
    if (this.#behind <= MOST_BEHIND) this.#catchUpIn(BEHIND_MS);
  }

  /** @param {number} ms */
  #catchUpIn(ms) {
    this.#cancelCatchUp = this.#clock.later(() => void this.#catchUp(), ms);
  }
}
