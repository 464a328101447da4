/**
 * What stands in the composer's place when there is nobody to write to: why, and what can be done.
 *
 * Kept and changed, never drawn anew: a press that has begun ends on the same button.
 *
 * @import { Words } from "./words.js"
 */

import { h } from "./nodes.js";

export class Closing {
  #words;
  #text = h("p", {});
  #start;
  #save;
  #buttons;

  /**
   * @param {Words} words
   * @param {{ start: () => void, save: () => void }} hooks
   */
  constructor(words, { start, save }) {
    this.#words = words;
    this.#start = h("button", { class: "button primary", onclick: meant(start) });
    this.#save = h("button", { class: "button", onclick: meant(save) }, words.say("save"));
    this.#buttons = h("div", { class: "buttons" }, this.#start, this.#save);
    this.node = h("div", { class: "closing" }, this.#text, this.#buttons);
  }

  /**
   * A new chat is offered when the old one is known to be over, or left.
   *
   * @param {string} phase
   * @param {string} text
   */
  show(phase, text) {
    const failed = phase === "failed";
    this.#text.setAttribute("role", failed ? "alert" : "status");
    this.#text.textContent = text;
    this.#start.textContent = this.#words.say(failed ? "startAgain" : "startAnew");
    this.#buttons.hidden = phase === "ending";
    this.#save.hidden = phase !== "ended";
  }
}

/** @type {(act: () => void) => (event: MouseEvent) => void} not by the second half of a double click: it was for what stood here before */
const meant = (act) => ({ detail }) => {
  if (detail < 2) act();
};
