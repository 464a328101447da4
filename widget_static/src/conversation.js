/**
 * A visitor's chat without a page: whether there is one, which, starting it, finding it again,
 * forgetting it. Knows no DOM; the panel draws its `state` after each `change` and hears what
 * `arrived`. The chat itself lives in chat.
 *
 * @import { Api } from "./api.js"
 * @import { Surroundings } from "./chat.js"
 * @import { ChatState, Entry, Failure, Line, Phase, StartDetails } from "./types.js"
 */

import { ApiProblem, failureOf } from "./api.js";
import { Chat } from "./chat.js";
import { newToken } from "./clock.js";
import { newEntry, retryDelay } from "./outbox.js";
import { emptyTranscript } from "./transcript.js";

const START_TRIES = 3;
const RESUME_AGAIN_MS = 5_000;

/** Something was said while somebody could watch; a streamed text when it is complete. */
export class ArrivedEvent extends Event {
  /** @param {Line} line */
  constructor(line) {
    super("arrived");
    this.line = line;
  }
}

export class Conversation extends EventTarget {
  /** @type {Phase} while there is no chat at hand */
  #phase = "none";
  /** @type {Chat | null} */
  #chat = null;
  /** Written before the chat began. @type {readonly Entry[]} */
  #early = [];
  /** @type {Failure | null} */
  #failure = null;
  /** Of the last start, until it is known to have succeeded or to be refused. */
  #startToken = "";
  /** Goes up when we turn to something else; answers to what came before are thrown away. */
  #turn = 0;
  /** @type {ChatState | null} */
  #snapshot = null;
  #telling = false;
  /** @type {() => void} */
  #cancelResume = () => {};
  #around;
  #widget;

  /**
   * @param {Surroundings} around
   * @param {string} widget
   */
  constructor(around, widget) {
    super();
    this.#around = around;
    this.#widget = widget;
  }

  /** @returns {ChatState} the same object until something changes */
  get state() {
    this.#snapshot ??= this.#chat?.state ?? {
      phase: this.#phase,
      link: this.#phase === "opening" ? "connecting" : "idle",
      transcript: emptyTranscript(),
      entries: this.#early,
      uploads: [],
      participantId: "",
      endedBy: null,
      incompleteSince: null,
      can: { send: this.#phase !== "gone", attach: false, download: false },
      history: { more: false, loading: false },
      failure: this.#failure,
    };
    return this.#snapshot;
  }

  /** The chat at hand, for everything that needs one. */
  get chat() {
    return this.#chat;
  }

  get unread() {
    return this.#chat?.unread ?? 0;
  }

  /** Find the chat this browser has. @returns {boolean} whether there may be one */
  resume() {
    const { key, start } = this.#around.memory.record;
    if (key) void this.#find(key);
    else if (start) void this.start({});
    return !!(key ?? start);
  }

  /**
   * Start a chat. One client token is used until we know that it began, also across pages, so that
   * nobody waits in the queue twice.
   *
   * @param {{ displayName?: string, attributes?: Record<string, string> }} details
   */
  async start(details) {
    if (this.#chat || this.#phase === "opening") return;
    const { memory, clock } = this.#around;
    // Another tab was faster.
    if (memory.record.key) return void this.resume();
    const clientToken = memory.record.start ?? (this.#startToken || newToken());
    this.#startToken = clientToken;
    memory.patch({ start: clientToken, startedAt: clock.now() });
    this.#early = inState("queued", this.#early);
    const turn = this.#enter("opening");
    try {
      const started = await this.#tryStart({ widget: this.#widget, clientToken, ...details });
      if (turn !== this.#turn) return;
      const { session, key, startChatResult } = started;
      this.#startToken = "";
      memory.begin({ key, session });
      const chat = this.#take({ session, key, participantId: startChatResult.ParticipantId });
      chat.begin({ entries: this.#early, begunHere: true });
      this.#early = [];
      this.dispatchEvent(new Event("started"));
    } catch (error) {
      if (turn !== this.#turn) return;
      // The visitor has been told; the next page is not to start one behind their back.
      memory.forget();
      const failure = failureOf(error);
      if (!failure.repeatable) this.#startToken = "";
      this.#early = inState("failed", this.#early);
      this.#enter("failed", failure);
    }
  }

  /** Say something; before there is a chat it waits for one. @param {string} text */
  send(text) {
    if (this.#chat) return this.#chat.send(text);
    this.#early = [...this.#early, newEntry(text, "text/plain", newToken(), this.#around.clock.now())];
    this.#changed();
  }

  /** @param {string} token */
  discard(token) {
    this.#chat?.discard(token);
    this.#early = this.#early.filter((entry) => entry.token !== token);
    this.#changed();
  }

  /**
   * Begin a chat, another one if one is over; while it is not known whether one is, none. What was
   * written meanwhile goes into it.
   *
   * @param {{ displayName?: string, attributes?: Record<string, string> }} details
   */
  begin(details) {
    if (this.#chat?.state.phase === "ending") return;
    const early = this.#early;
    if (this.#chat) this.reset();
    this.#early = early;
    void this.start(details);
  }

  /** Forget this chat; the next `start` begins another, or goes on with the one another tab has begun. */
  reset() {
    const { memory } = this.#around;
    this.#chat?.outbox.write(null);
    if (!memory.record.key || memory.record.key === this.#chat?.key) memory.forget();
    this.#early = [];
    this.#enter("none");
  }

  /** Another tab of this browser has changed what is remembered. */
  recordChanged() {
    const { key } = this.#around.memory.record;
    if (!key || key === this.#chat?.key) return;
    this.#enter("none");
    this.resume();
  }

  /** Stop everything; what is remembered stays. */
  close() {
    this.#enter("none");
  }

  /** @param {string} key */
  async #find(key) {
    const { api, memory, clock } = this.#around;
    const turn = this.#enter("opening");
    try {
      const info = await api.session(key);
      if (turn !== this.#turn) return;
      memory.patchChat(key, { session: info.session });
      const chat = this.#take({ session: info.session, key, participantId: info.participantId });
      // What was written while it was looked for; into a chat that is over it cannot go.
      if (chat.adopt(info, this.#early)) this.#early = [];
    } catch (error) {
      if (turn !== this.#turn) return;
      const failure = failureOf(error);
      if (!failure.repeatable) return this.#vanish(key);
      this.#failure = failure;
      this.#changed();
      const wait = RESUME_AGAIN_MS * (0.5 + clock.random());
      this.#cancelResume = clock.later(() => void this.#find(key), wait);
    }
  }

  /** @param {{ session: string, key: string, participantId: string }} identity */
  #take(identity) {
    const chat = new Chat(this.#around, identity, {
      changed: () => chat === this.#chat && this.#changed(),
      arrived: (line) => chat === this.#chat && this.dispatchEvent(new ArrivedEvent(line)),
      ended: () => chat === this.#chat && this.dispatchEvent(new Event("ended")),
      vanished: () => chat === this.#chat && this.#vanish(identity.key),
    });
    this.#chat = chat;
    this.#changed();
    return chat;
  }

  /** @param {string} refused the key that opens nothing any more */
  #vanish(refused) {
    const { memory, outboxFor } = this.#around;
    const { key, session } = memory.record;
    // Another tab has a newer key, for this chat or the next.
    if (key && key !== refused) return this.recordChanged();
    if (session) outboxFor(session).write(null);
    memory.forget();
    this.#enter("gone");
  }

  /** @param {StartDetails} details */
  async #tryStart(details) {
    const { api, clock } = this.#around;
    for (let tries = 1; ; tries += 1) {
      try {
        return await api.start(details);
      } catch (error) {
        const mayRepeat = error instanceof ApiProblem && tries < START_TRIES;
        const delay = mayRepeat ? retryDelay(error, tries, clock.random()) : null;
        if (delay === null) throw error;
        await new Promise((resolve) => clock.later(() => resolve(null), delay));
      }
    }
  }

  /**
   * Turn to something else than the chat at hand.
   *
   * @param {Phase} phase
   * @param {Failure | null} [failure]
   * @returns {number} the turn; an answer that comes in a later one is too late
   */
  #enter(phase, failure = null) {
    this.#turn += 1;
    this.#cancelResume();
    this.#chat?.close();
    this.#chat = null;
    this.#phase = phase;
    this.#failure = failure;
    this.#changed();
    return this.#turn;
  }

  /** Many changes of one moment are told once. */
  #changed() {
    this.#snapshot = null;
    if (this.#telling) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      this.dispatchEvent(new Event("change"));
    });
  }
}

/** @type {(state: Entry["state"], entries: readonly Entry[]) => Entry[]} */
const inState = (state, entries) => entries.map((entry) => ({ ...entry, state }));
