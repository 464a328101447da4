/**
 * Times that are offered, as the visitor's own clock and language have them.
 *
 * @import { Words } from "../words.js"
 * @import { Option } from "./templates.js"
 */

/** @type {(slots: readonly Option[]) => Option[][]} by day, earliest first; each day has at least one */
export const days = (slots) => {
  /** @type {Map<string, Option[]>} */
  const found = new Map();
  for (const slot of [...slots].sort((a, b) => (a.at ?? 0) - (b.at ?? 0))) {
    const day = new Date(slot.at ?? 0).toDateString();
    found.set(day, [...(found.get(day) ?? []), slot]);
  }
  return [...found.values()];
};

/** @type {(at: number, words: Words) => string} day and time */
export const moment = (at, words) => words.format(at, { dateStyle: "full", timeStyle: "short" });

/** @type {(at: number, words: Words) => string} */
export const date = (at, words) => words.format(at, { weekday: "long", day: "numeric", month: "long" });

/** @type {(minutes: number, words: Words) => string} */
export const lasting = (minutes, words) =>
  new Intl.NumberFormat(words.locale, { style: "unit", unit: "minute" }).format(minutes);

/** @type {(at: number, words: Words) => string} what the visitor's time is called then: it may change in between */
export const zone = (at, words) =>
  new Intl.DateTimeFormat(words.locale, { timeZoneName: "longGeneric" })
    .formatToParts(at)
    .find(({ type }) => type === "timeZoneName")?.value ?? "";
