/**
 * Time and chance as the browser has them.
 *
 * @import { Clock } from "./types.js"
 */

/** @type {Clock} */
export const systemClock = {
  now: () => Date.now(),
  random: () => Math.random(),
  later(task, ms) {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * An id nobody can guess. `crypto.randomUUID` is missing on plain http pages, `getRandomValues` is not.
 *
 * @type {() => string}
 */
export const newToken = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
};
