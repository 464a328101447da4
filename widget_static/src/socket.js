/**
 * One browser socket that stays: it subscribes, beats, notices when nobody answers, comes back with
 * full jitter and asks for everything after the last position. What frames mean is not known here.
 *
 * @import { Clock, Frame, LinkState } from "./types.js"
 */

const BEAT_MS = 10_000;
const OPEN_TIMEOUT_MS = 15_000;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
const TOPICS = ["aws/chat", "chatproxy/session"];

/** Thrown by `address` when there is no sense in asking again. */
export class StayAway extends Error {}

/**
 * @typedef {object} Listener
 * @property {() => Promise<string>} address a fresh websocket address for each try; rejects with
 *   StayAway when it is over
 * @property {(frame: Frame) => void} frame
 * @property {(resuming: boolean) => void} subscribed frames flow from now on; `resuming`: what was
 *   missed has been asked for
 * @property {(state: LinkState) => void} state
 * @property {(code: number) => void} dismissed the server said not to come back, or StayAway (0)
 */

export class ChatSocket {
  /** @type {WebSocket | null} */
  #socket = null;
  #listener;
  #clock;
  #Socket;
  #tries = 0;
  /** Before that time no try: the server has asked for patience. */
  #earliest = 0;
  #wanted = false;
  /** @type {"idle" | "waiting" | "dialing" | "subscribed"} */
  #stage = "idle";
  #attempt = 0;
  /** Place in the stream after which the next subscription wants everything. */
  #position = "";
  #answered = true;
  /** @type {() => void} */
  #cancelTimer = () => {};

  /**
   * @param {Listener} listener
   * @param {Clock} clock
   * @param {typeof WebSocket} [Socket]
   */
  constructor(listener, clock, Socket = globalThis.WebSocket) {
    this.#listener = listener;
    this.#clock = clock;
    this.#Socket = Socket;
  }

  open() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#tries = 0;
    this.#connect();
  }

  /** Leave for good; `open` comes back. */
  close() {
    this.#wanted = false;
    this.#drop();
    this.#listener.state("idle");
  }

  /** The network is gone: nothing is tried until `hurry`. */
  offline() {
    if (!this.#wanted) return;
    this.#drop();
    this.#listener.state("offline");
  }

  /** The network is back, or someone looks at the page again: connect now, or find out whether we still are. */
  hurry() {
    if (!this.#wanted) return;
    if (this.#stage === "subscribed") {
      this.#beat(BEAT_MS / 2);
    } else if (this.#stage !== "dialing") {
      this.#tries = 0;
      this.#connect();
    }
  }

  /** The server seems to be back: a try that waits need not, but counts. */
  soon() {
    if (this.#stage === "waiting" && this.#clock.now() >= this.#earliest) void this.#connect();
  }

  async #connect() {
    this.#drop();
    this.#stage = "dialing";
    const attempt = this.#attempt;
    this.#listener.state(this.#tries || this.#position ? "reconnecting" : "connecting");
    let url;
    try {
      url = await this.#listener.address();
    } catch (error) {
      if (attempt !== this.#attempt) return;
      if (error instanceof StayAway) return this.#dismiss(0);
      const { retryAfterMs = 0 } = /** @type {{ retryAfterMs?: number }} */ (error ?? {});
      return this.#retry(retryAfterMs);
    }
    if (attempt === this.#attempt) this.#dial(url);
  }

  /** @param {string} url */
  #dial(url) {
    const socket = new this.#Socket(url);
    this.#socket = socket;
    this.#after(OPEN_TIMEOUT_MS, () => this.#retry());
    socket.onopen = () => this.#subscribe();
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#receive(data);
    };
    socket.onclose = ({ code, reason }) => {
      if (socket === this.#socket) this.#closed(code, reason);
    };
  }

  #subscribe() {
    const after = this.#position ? { after: this.#position } : {};
    this.#send({ topic: "aws/subscribe", content: { topics: TOPICS, ...after } });
  }

  /** @param {unknown} data */
  #receive(data) {
    const frame = parsed(data);
    if (!frame) return;
    if (frame.topic === "aws/heartbeat") this.#answered = true;
    else if (frame.topic === "aws/subscribe") this.#acknowledged(frame);
    else {
      const { position } = /** @type {{ position?: unknown }} */ (frame.content ?? {});
      const place = frame.position ?? position;
      this.#listener.frame(frame);
      // Only now: a frame that could not be taken in is asked for again.
      if (typeof place === "string" && place) this.#position = place;
    }
  }

  /** @param {Frame} frame */
  #acknowledged(frame) {
    const { status } = /** @type {{ status?: string }} */ (frame.content ?? {});
    if (status !== "success") return this.#retry();
    this.#stage = "subscribed";
    this.#tries = 0;
    this.#beat(BEAT_MS);
    this.#listener.state("connected");
    this.#listener.subscribed(this.#position !== "");
  }

  /** @param {number} patienceMs how long the answer may take */
  #beat(patienceMs) {
    this.#answered = false;
    this.#send({ topic: "aws/heartbeat" });
    this.#after(patienceMs, () => {
      if (this.#answered) this.#beat(BEAT_MS);
      else this.#retry();
    });
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #closed(code, reason) {
    if (code >= 4500 && code < 5000) return this.#dismiss(code);
    const wait = code === 1012 ? Number(/retryAfterMs\D*(\d+)/.exec(reason)?.[1] ?? 0) : 0;
    this.#retry(wait);
  }

  /** @param {number} [leastMs] the server asked for at least this much patience */
  #retry(leastMs = 0) {
    this.#drop();
    this.#listener.state("reconnecting");
    const bound = Math.min(FIRST_DELAY_MS * 2 ** this.#tries, LONGEST_DELAY_MS);
    this.#tries += 1;
    this.#stage = "waiting";
    this.#earliest = this.#clock.now() + leastMs;
    this.#after(leastMs + this.#clock.random() * bound, () => this.#connect());
  }

  /** @param {number} code */
  #dismiss(code) {
    this.#wanted = false;
    this.#drop();
    this.#listener.dismissed(code);
  }

  /** What the old socket may still say is not heard any more. */
  #drop() {
    const socket = this.#socket;
    this.#attempt += 1;
    this.#socket = null;
    this.#stage = "idle";
    this.#cancelTimer();
    if (socket && socket.readyState < 2) socket.close(1000);
  }

  /** @param {Frame} frame */
  #send(frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  /**
   * One timer at a time: for opening, for the next beat, or for the next try.
   *
   * @param {number} ms
   * @param {() => void} task
   */
  #after(ms, task) {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.later(task, ms);
  }
}

/** @type {(data: unknown) => Frame | null} */
const parsed = (data) => {
  try {
    const frame = JSON.parse(String(data));
    return typeof frame?.topic === "string" ? frame : null;
  } catch {
    return null;
  }
};
