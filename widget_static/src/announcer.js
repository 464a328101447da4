/**
 * Speaks to screen readers: each text once, in a polite region of its own that holds nothing else and
 * is emptied again, so that nobody finds old words in it.
 */

import { h } from "./nodes.js";

const EMPTIED_AFTER_MS = 1_000;
const GATHERED_MS = 100;

export class Announcer {
  node = h("div", { class: "sr", role: "status", "aria-live": "polite" });
  /** @type {string[]} */
  #waiting = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {string} text */
  say(text) {
    if (!text) return;
    this.#waiting.push(text);
    // What comes in one moment is said in one breath; setting it twice would lose the first.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#speak(), GATHERED_MS);
  }

  #speak() {
    this.node.textContent = this.#waiting.join("\n");
    this.#waiting = [];
    this.#timer = setTimeout(() => this.node.replaceChildren(), EMPTIED_AFTER_MS);
  }
}
