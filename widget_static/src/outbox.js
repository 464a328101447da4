/**
 * Messages on their way. Pure functions over a list of entries, the one decision whether to try
 * again, and where the list is kept so that it survives the page. Sending is conversation's work.
 *
 * A message must be said once. So an entry keeps its client token *and* the connection key of its
 * first try: the service knows a repeated token only on the same connection.
 *
 * @import { Entry, Failure, Slot } from "./types.js"
 */

const MAX_TRIES = 6;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;

/** @type {(content: string, contentType: string, token: string, at: number) => Entry} */
export const newEntry = (content, contentType, token, at) => ({
  token,
  content,
  contentType,
  at,
  tries: 0,
  state: "queued",
});

/** @type {(entries: readonly Entry[], token: string, change: Partial<Entry>) => Entry[]} */
export const withChange = (entries, token, change) =>
  entries.map((entry) => (entry.token === token ? { ...entry, ...change } : entry));

/** @type {(entries: readonly Entry[], token: string) => Entry[]} */
export const withoutEntry = (entries, token) => entries.filter((entry) => entry.token !== token);

/** @type {(entries: readonly Entry[]) => Entry | undefined} the oldest one still to be sent: one at a time, in order */
export const nextToSend = (entries) => entries.find((entry) => entry.state !== "failed");

/** @type {(entries: readonly Entry[], token: string) => Entry[]} asked for again by the visitor, or by a network that came back */
export const requeued = (entries, token) =>
  entries.map((entry) => {
    if (entry.token !== token) return entry;
    const { failure: _forgotten, ...rest } = entry;
    return { ...rest, state: "queued", tries: 0 };
  });

/** @type {(entries: readonly Entry[]) => Entry[]} what only the network had stopped has one more try: it may have been something else */
export const revived = (entries) =>
  entries.map((entry) => {
    if (!entry.failure?.repeatable) return entry;
    const { failure: _perhapsOver, ...rest } = entry;
    return { ...rest, state: "queued", tries: MAX_TRIES - 1 };
  });

/** @type {() => Generator<number, never>} upper bounds of the waits between tries, in ms */
export function* delays() {
  for (let delay = FIRST_DELAY_MS; ; delay = Math.min(delay * 2, LONGEST_DELAY_MS)) yield delay;
}

/**
 * Whether and when to try again, given what went wrong and how often it was tried.
 *
 * @type {(problem: { repeatable: boolean, retryAfterMs: number }, tries: number, random: number) => number | null}
 *   milliseconds to wait, or null: do not
 */
export const retryDelay = (problem, tries, random) => {
  if (!problem.repeatable || tries >= MAX_TRIES) return null;
  const bounds = delays();
  let bound = bounds.next().value;
  for (let skipped = 1; skipped < tries; skipped += 1) bound = bounds.next().value;
  return Math.max(problem.retryAfterMs, Math.round(bound * random));
};

/** @type {(slot: Slot) => Entry[]} entries in a slot, with those that were in the air when their page went */
export const storedEntries = (slot) => {
  try {
    const stored = JSON.parse(slot.read() ?? "[]");
    return Array.isArray(stored) ? stored.filter(isEntry) : [];
  } catch {
    return [];
  }
};

/** @type {(slot: Slot, entries: readonly Entry[]) => void} */
export const storeEntries = (slot, entries) =>
  slot.write(entries.length ? JSON.stringify(entries) : null);

/**
 * @param {unknown} value
 * @returns {value is Entry}
 */
const isEntry = (value) => {
  const { token, content } = /** @type {Partial<Entry>} */ (value ?? {});
  return typeof token === "string" && typeof content === "string";
};
