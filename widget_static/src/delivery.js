/**
 * Sends what is in the outbox: one message at a time, in order, until it is known or shown as not
 * sent. Each message is tried with the client token and the connection key of its first try; another
 * key is taken only after a certain 403, and then only if the message is not there already.
 *
 * @import { Clock, Entry, Failure, Slot } from "./types.js"
 */

import { ApiProblem } from "./api.js";
import { newToken } from "./clock.js";
import * as outbox from "./outbox.js";

const MAX_KEYS = 3;

/**
 * @typedef {object} Hooks
 * @property {(key: string, body: { Content: string, ContentType: string, ClientToken: string }) => Promise<{ Id: string, AbsoluteTime: string }>} send
 * @property {() => Promise<string>} key the connection key at hand, or a first one
 * @property {(refused: string) => Promise<string>} newKey another one than `refused`; rejects when the chat is over
 * @property {(entry: Entry, accepted: { Id: string, AbsoluteTime: string }) => void} sent
 * @property {() => Promise<void>} lookAgain read the newest part of the transcript, so that echoes are found
 * @property {() => void} changed
 */

export class Delivery {
  /** @type {readonly Entry[]} */
  #entries = [];
  /** @type {Slot | null} */
  #slot = null;
  #hooks;
  #clock;
  #running = false;
  #open = false;
  #wake = () => {};
  /** Token → how many keys were refused for it. */
  #refusals = new Map();

  /**
   * @param {Hooks} hooks
   * @param {Clock} clock
   */
  constructor(hooks, clock) {
    this.#hooks = hooks;
    this.#clock = clock;
  }

  get entries() {
    return this.#entries;
  }

  /**
   * @param {Slot} slot where this session's entries are kept; those written before come first
   * @param {readonly Entry[]} more written before there was a session
   */
  start(slot, more) {
    const stored = outbox.storedEntries(slot);
    const known = new Set(stored.map((entry) => entry.token));
    this.#slot = slot;
    this.#open = true;
    this.#replace([...stored, ...more.filter((entry) => !known.has(entry.token))]);
    this.#run();
  }

  /** Nothing is sent any more. @param {Failure | null} reason shown beside what did not go out */
  stop(reason) {
    this.#open = false;
    this.#wake();
    if (!reason) return;
    const kept = this.#entries.filter((entry) => !entry.echo);
    this.#replace(kept.map((entry) => ({ ...entry, state: "failed", failure: reason })));
  }

  /**
   * @param {string} content
   * @param {string} contentType
   */
  add(content, contentType) {
    const entry = outbox.newEntry(content, contentType, newToken(), this.#clock.now());
    this.#replace([...this.#entries, entry]);
    this.#run();
  }

  /** @param {string} token */
  retry(token) {
    this.#replace(outbox.requeued(this.#entries, token));
    this.#run();
  }

  /** @param {string} token */
  discard(token) {
    this.#replace(outbox.withoutEntry(this.#entries, token));
    this.#wake();
  }

  /** We are connected again: wait no longer, and take up again what only the network had stopped. */
  hurry() {
    for (const entry of this.#entries)
      if (entry.failure?.repeatable) this.#replace(outbox.requeued(this.#entries, entry.token));
    this.#wake();
    this.#run();
  }

  /**
   * An own message came by whose id nobody knows: it may be one that is in the air.
   *
   * @param {{ Id: string, Content?: string, at: number }} item
   * @returns {string} token of the entry it is taken for, or ""
   */
  claim({ Id, Content, at }) {
    const entry = this.#entries.find(
      (one) => one.tries > 0 && !one.echo && one.content === Content && at > one.at - 30_000,
    );
    if (entry?.state === "failed") this.discard(entry.token);
    else if (entry) this.#change(entry.token, { echo: Id });
    return entry?.token ?? "";
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    let entry;
    while (this.#open && (entry = outbox.nextToSend(this.#entries))) await this.#attempt(entry);
    this.#running = false;
  }

  /** @param {Entry} entry */
  async #attempt(entry) {
    const { token, content, contentType, tries } = entry;
    try {
      const connectionKey = entry.connectionKey ?? (await this.#hooks.key());
      if (!this.#entries.some((one) => one.token === token)) return;
      this.#change(token, { state: "sending", tries: tries + 1, connectionKey });
      const body = { Content: content, ContentType: contentType, ClientToken: token };
      const accepted = await this.#hooks.send(connectionKey, body);
      this.#done(token, accepted);
    } catch (error) {
      await this.#failed(token, asProblem(error));
    }
  }

  /**
   * @param {string} token
   * @param {{ Id: string, AbsoluteTime: string }} accepted
   */
  #done(token, accepted) {
    const entry = this.#entries.find((one) => one.token === token);
    this.#replace(outbox.withoutEntry(this.#entries, token));
    if (entry) this.#hooks.sent(entry, accepted);
  }

  /**
   * @param {string} token
   * @param {ApiProblem} problem
   */
  async #failed(token, problem) {
    const entry = this.#entries.find((one) => one.token === token);
    if (!entry || !this.#open) return;
    if (problem.status === 403 && entry.connectionKey) return this.#refused(entry, problem);
    const delay = outbox.retryDelay(problem, Math.max(entry.tries, 1), this.#clock.random());
    if (delay === null) return this.#giveUp(token, problem);
    this.#change(token, { state: "queued", tries: Math.max(entry.tries, 1) });
    await this.#pause(delay);
  }

  /**
   * The key is dead for certain. What was tried before without an answer may have arrived, so the
   * transcript is looked at first: a new key makes the message a new one for the service.
   *
   * @param {Entry} entry
   * @param {ApiProblem} problem
   */
  async #refused(entry, problem) {
    const { token, connectionKey = "" } = entry;
    const refusals = (this.#refusals.get(token) ?? 0) + 1;
    this.#refusals.set(token, refusals);
    try {
      const fresh = await this.#hooks.newKey(connectionKey);
      if (entry.tries > 1) await this.#hooks.lookAgain();
      const now = this.#entries.find((one) => one.token === token);
      if (!now) return;
      if (now.echo) return this.#replace(outbox.withoutEntry(this.#entries, token));
      if (refusals >= MAX_KEYS) return this.#giveUp(token, problem);
      this.#change(token, { state: "queued", connectionKey: fresh });
    } catch (error) {
      const cause = asProblem(error);
      if (cause.repeatable) await this.#pause(1_000 + this.#clock.random() * 4_000);
      else this.#giveUp(token, cause);
    }
  }

  /**
   * @param {string} token
   * @param {ApiProblem} problem
   */
  #giveUp(token, problem) {
    const entries = this.#entries.map((entry) => {
      if (entry.token !== token) return entry;
      const { echo: _guess, ...rest } = entry;
      return { ...rest, state: /** @type {const} */ ("failed"), failure: problem.asFailure() };
    });
    this.#replace(entries);
  }

  /** @type {(ms: number) => Promise<void>} shorter when something wakes us */
  #pause(ms) {
    return new Promise((resolve) => {
      const cancel = this.#clock.later(resolve, ms);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  /**
   * @param {string} token
   * @param {Partial<Entry>} change
   */
  #change(token, change) {
    this.#replace(outbox.withChange(this.#entries, token, change));
  }

  /** @param {readonly Entry[]} entries */
  #replace(entries) {
    this.#entries = entries;
    if (this.#slot) outbox.storeEntries(this.#slot, entries);
    this.#hooks.changed();
  }
}

/** @type {(error: unknown) => ApiProblem} */
const asProblem = (error) =>
  error instanceof ApiProblem ? error : new ApiProblem({ reason: "serverFailed", status: 400 });
