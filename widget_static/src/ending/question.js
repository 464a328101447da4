/**
 * The question before an end: two buttons and no way around them but Escape.
 *
 * @import { Words } from "../words.js"
 */

import { h } from "../nodes.js";

/** @type {(words: Words, acts: { keep: () => void, end: () => void }) => HTMLElement} */
export const question = (words, acts) => {
  const keep = h("button", { class: "button", onclick: acts.keep }, words.say("endKeep"));
  const sure = h("button", { class: "button danger", onclick: acts.end }, words.say("endConfirm"));
  const turn = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Tab") return;
    event.preventDefault();
    (/** @type {ShadowRoot} */ (keep.getRootNode()).activeElement === keep ? sure : keep).focus();
  };
  return h(
    "div",
    {
      ...{ class: "question", role: "alertdialog", "aria-modal": "true" },
      ...{ "aria-labelledby": "ask-title", "aria-describedby": "ask-text", onkeydown: turn },
    },
    h("h3", { id: "ask-title" }, words.say("endTitle")),
    h("p", { id: "ask-text" }, words.say("endText")),
    h("div", { class: "buttons" }, keep, sure),
  );
};
