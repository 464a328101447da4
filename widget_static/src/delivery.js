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
/** How far the service's clock may be behind the visitor's. */
const SKEW_MS = 30_000;

/**
 * @typedef {object} Hooks
 * @property {(key: string, body: { Content: string, ContentType: string, ClientToken: string }) => Promise<{ Id: string, AbsoluteTime: string }>} send
 * @property {() => Promise<string>} key the connection key at hand, or a first one
 * @property {(refused: string) => Promise<string>} newKey another one than `refused`; rejects when the chat is over
 * @property {(entry: Entry, accepted: { Id: string, AbsoluteTime: string }) => void} sent
 * @property {() => Promise<void>} lookAgain read the newest part of the transcript, so that echoes are found
 * @property {(task: () => Promise<void>) => Promise<void>} exclusively run it while no other tab runs its own
 * @property {() => void} changed
 */

export class Delivery {
  /** As the slot has them: tabs of one browser share it, and it is read anew before each change. */
  #entries = /** @type {readonly Entry[]} */ ([]);
  #slot;
  #hooks;
  #clock;
  #running = false;
  #open = false;
  #held = false;
  #wake = () => {};
  /** Token → how many keys were refused for it. */
  #refusals = new Map();

  /**
   * @param {Slot} slot where this session's entries are kept
   * @param {Hooks} hooks
   * @param {Clock} clock
   */
  constructor(slot, hooks, clock) {
    this.#slot = slot;
    this.#hooks = hooks;
    this.#clock = clock;
  }

  get entries() {
    return this.#entries;
  }

  /** @param {readonly Entry[]} more written before there was a session; those kept in the slot come first */
  start(more) {
    this.#open = true;
    this.#update((entries) => {
      const known = new Set(entries.map((entry) => entry.token));
      return [...entries, ...more.filter((entry) => !known.has(entry.token))];
    });
    void this.#run();
  }

  /** Another tab has written something, sent it, or given it up. */
  sync() {
    this.#update((entries) => entries);
    void this.#run();
  }

  /** Nothing is tried until `hurry`: there is no network. */
  hold() {
    this.#held ||= this.#open;
    this.#open = false;
    this.#wake();
  }

  /** Nothing is sent any more. @param {Failure | null} reason shown beside what did not go out */
  stop(reason) {
    this.#held = this.#open = false;
    this.#wake();
    if (!reason) return;
    this.#update((entries) =>
      entries
        .filter((entry) => !entry.echo)
        .map((entry) => ({ ...entry, state: "failed", failure: reason })),
    );
  }

  /**
   * @param {string} content
   * @param {string} contentType
   */
  add(content, contentType) {
    this.revive();
    const entry = outbox.newEntry(content, contentType, newToken(), this.#clock.now());
    this.#update((entries) => [...entries, entry]);
    void this.#run();
  }

  /** @param {string} token */
  retry(token) {
    this.revive();
    this.#update((entries) => outbox.requeued(entries, token));
    void this.#run();
  }

  /** @param {string} token */
  discard(token) {
    this.#update((entries) => outbox.withoutEntry(entries, token));
    this.#wake();
  }

  /** We are connected again: wait no longer, and take up again what only the network had stopped. */
  hurry() {
    this.#open ||= this.#held;
    this.#held = false;
    for (const entry of this.#entries) if (entry.failure?.repeatable) this.retry(entry.token);
    this.#wake();
    void this.#run();
  }

  /** The server answers: what only the network had stopped is tried once more, before what was written after it. */
  revive() {
    if (!this.#open || !this.#entries.some(({ failure }) => failure?.repeatable)) return;
    this.#update(outbox.revived);
    void this.#run();
  }

  /**
   * An own message came by whose id nobody knows: it may be one that is in the air.
   *
   * @param {{ Id: string, Content?: string, at: number }} item
   * @returns {string} token of the entry it is taken for, or ""
   */
  claim({ Id, Content, at }) {
    const entry = this.#entries.find(
      (one) => one.tries > 0 && !one.echo && one.content === Content && at > one.at - SKEW_MS,
    );
    if (entry?.state === "failed") this.discard(entry.token);
    else if (entry) this.#change(entry.token, { echo: Id });
    return entry?.token ?? "";
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    let entry;
    while (this.#open && (entry = outbox.nextToSend(this.#entries))) await this.#attempt(entry.token);
    this.#running = false;
  }

  /** @param {string} token */
  async #attempt(token) {
    try {
      const key = this.#entry(token)?.connectionKey ?? (await this.#hooks.key());
      // One tab at a time: it may find that another has sent it, or begun to, with another key.
      await this.#hooks.exclusively(() => this.#try(token, key));
    } catch (error) {
      await this.#failed(token, asProblem(error));
    }
  }

  /**
   * @param {string} token
   * @param {string} ownKey
   */
  async #try(token, ownKey) {
    this.#update((entries) => entries);
    const entry = this.#entry(token);
    if (!entry || !this.#open) return;
    const { content, contentType, tries, connectionKey = ownKey } = entry;
    this.#change(token, { state: "sending", tries: tries + 1, connectionKey });
    const body = { Content: content, ContentType: contentType, ClientToken: token };
    const accepted = await this.#hooks.send(connectionKey, body);
    this.#update((entries) => outbox.withoutEntry(entries, token));
    this.#hooks.sent(entry, accepted);
  }

  /**
   * @param {string} token
   * @param {ApiProblem} problem
   */
  async #failed(token, problem) {
    const entry = this.#entry(token);
    if (!entry || !this.#open) return;
    if (problem.status === 403 && entry.connectionKey) return this.#refused(entry, problem);
    const tries = Math.max(entry.tries, 1);
    const delay = outbox.retryDelay(problem, tries, this.#clock.random());
    if (delay === null) return this.#giveUp(token, problem);
    this.#change(token, { state: "queued", tries });
    await this.#pause(delay);
    this.revive();
  }

  /**
   * The key is dead for certain. What was tried before without an answer may have arrived, so the
   * transcript is looked at first: a new key makes the message a new one for the service.
   *
   * @param {Entry} entry
   * @param {ApiProblem} problem
   */
  async #refused({ token, tries, connectionKey = "" }, problem) {
    const refusals = (this.#refusals.get(token) ?? 0) + 1;
    this.#refusals.set(token, refusals);
    try {
      const fresh = await this.#hooks.newKey(connectionKey);
      if (tries > 1) await this.#hooks.lookAgain();
      if (this.#entry(token)?.echo) return this.discard(token);
      if (refusals >= MAX_KEYS) return this.#giveUp(token, problem);
      this.#change(token, { state: "queued", connectionKey: fresh });
    } catch (error) {
      const cause = asProblem(error);
      if (!cause.repeatable) return this.#giveUp(token, cause);
      await this.#pause(1_000 + this.#clock.random() * 4_000);
    }
  }

  /**
   * @param {string} token
   * @param {ApiProblem} problem
   */
  #giveUp(token, problem) {
    this.#update((entries) =>
      entries.map((entry) => {
        if (entry.token !== token) return entry;
        const { echo: _guess, ...rest } = entry;
        return { ...rest, state: "failed", failure: problem.asFailure() };
      }),
    );
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

  /** @param {string} token */
  #entry(token) {
    return this.#entries.find((one) => one.token === token);
  }

  /**
   * @param {string} token
   * @param {Partial<Entry>} change
   */
  #change(token, change) {
    this.#update((entries) => outbox.withChange(entries, token, change));
  }

  /** @param {(entries: readonly Entry[]) => readonly Entry[]} change */
  #update(change) {
    const before = outbox.storedEntries(this.#slot);
    this.#entries = change(before);
    if (this.#entries !== before) outbox.storeEntries(this.#slot, this.#entries);
    this.#hooks.changed();
  }
}

/** @type {(error: unknown) => ApiProblem} */
const asProblem = (error) =>
  error instanceof ApiProblem ? error : new ApiProblem({ reason: "serverFailed", status: 400 });
