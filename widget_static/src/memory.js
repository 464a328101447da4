/**
 * What the browser keeps of a chat: one record per widget, one outbox per session. Storage that is
 * blocked or full is no reason to fail: then the chat lives as long as the page.
 *
 * @import { ChatRecord, Slot } from "./types.js"
 */

const START_REMEMBERED_MS = 10 * 60_000;

/** @type {(kind: string, name: string) => Slot} a place for one string; `kind` is local, session or memory */
export const slotFor = (kind, name) => {
  /** @type {string | null} */
  let kept = null;
  /** @type {Storage | null} */
  let storage = null;
  try {
    if (kind !== "memory") storage = kind === "session" ? sessionStorage : localStorage;
  } catch {
    // Cookies and storage are blocked for this page.
  }
  return {
    read: () => (storage ? storage.getItem(name) : kept),
    write(value) {
      kept = value;
      try {
        if (value === null) storage?.removeItem(name);
        else storage?.setItem(name, value);
      } catch {
        storage = null; // Full: from now on memory has to do.
      }
    },
  };
};

/** The record of one widget's chat. */
export class Memory {
  #slot;
  #past;
  #now;

  /**
   * @param {Slot} slot
   * @param {Slot} past where a chat is put that is over and was closed
   * @param {() => number} now
   */
  constructor(slot, past, now) {
    this.#slot = slot;
    this.#past = past;
    this.#now = now;
  }

  /** @returns {ChatRecord} */
  get record() {
    try {
      const stored = JSON.parse(this.#slot.read() ?? "{}");
      const record = stored && typeof stored === "object" ? stored : {};
      const stale = !record.key && !(record.startedAt > this.#now() - START_REMEMBERED_MS);
      return stale ? {} : record;
    } catch {
      return {};
    }
  }

  /** @param {ChatRecord} change */
  patch(change) {
    this.#slot.write(JSON.stringify({ ...this.record, ...change }));
  }

  /** The same, while it is that chat which is remembered: another tab may have begun another. @param {string} key @param {ChatRecord} change */
  patchChat(key, change) {
    if (this.record.key === key) this.patch(change);
  }

  /** Remember a chat that has just begun, in place of what was; in one go, as other tabs look on. @param {ChatRecord} record */
  begin(record) {
    this.#slot.write(JSON.stringify(record));
    this.#past.write(null);
  }

  forget() {
    this.#slot.write(null);
    this.#past.write(null);
  }

  /** Put the chat away: pages load no more for it than for somebody without one. */
  shelve() {
    this.#past.write(this.#slot.read());
    this.#slot.write(null);
  }

  /** Take out again what was put away. */
  unshelve() {
    const past = this.#past.read();
    if (past && !this.#slot.read()) this.#slot.write(past);
    this.#past.write(null);
  }
}
