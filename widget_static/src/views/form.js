/**
 * A view on the page: one form, drawn once and kept, so that what a visitor has begun to write
 * outlives every new drawing of its row.
 *
 * @import { Words } from "../words.js"
 * @import { Button, Field, Piece } from "./pieces.js"
 */

import { h } from "../nodes.js";

/** Leads back or away: nothing need be filled in for it. */
const AWAY = /^(back|cancel|close|exit|no|previous|quit|skip)/i;

/** @typedef {(action: string, data: Record<string, unknown>, button: HTMLElement) => void} Submit */

/** @type {(pieces: Piece[], words: Words, submit: Submit) => HTMLFormElement} */
export const form = (pieces, words, submit) => {
  const fields = h("fieldset", {});
  /** @type {HTMLFormElement} */
  const shown = h("form", { class: "view", onsubmit: (/** @type {Event} */ event) => event.preventDefault() }, fields);
  const buttons = h("div", { class: "buttons" });
  let isFirst = true;
  for (const piece of pieces) {
    if (piece.piece === "button" && piece.text) fields.append(button(piece, false, shown, submit));
    else if (piece.piece === "button") {
      buttons.append(button(piece, isFirst && !AWAY.test(piece.action), shown, submit));
      isFirst = false;
    } else fields.append(...nodesOf(piece, words));
  }
  if (buttons.childNodes.length) fields.append(buttons);
  return shown;
};

/** @type {(piece: Exclude<Piece, Button>, words: Words) => Node[]} */
const nodesOf = (piece, words) => {
  if (piece.piece === "field") return [fieldNode(piece, words)];
  if (piece.piece === "heading") return [h("div", { class: "title" }, piece.text)];
  if (piece.piece === "pair") return [h("p", {}, h("span", { class: "option-text" }, piece.label), h("br"), piece.text)];
  return [h("p", {}, piece.text)];
};

/** @type {(piece: Button, isMain: boolean, shown: HTMLFormElement, submit: Submit) => Node} */
const button = ({ action, label, text }, isMain, shown, submit) => {
  const press = (/** @type {Event} */ event) => {
    // What is wrong is said by the browser, in its own language.
    if (AWAY.test(action) || shown.reportValidity())
      submit(action, AWAY.test(action) ? {} : valuesOf(shown), /** @type {HTMLElement} */ (event.currentTarget));
  };
  if (!text) return h("button", { class: isMain ? "button primary" : "button", onclick: press }, label);
  return h(
    "button",
    { class: "option", onclick: press },
    h("span", { class: "option-title" }, label),
    h("span", { class: "option-text" }, text),
  );
};

/** @type {(field: Field, words: Words) => Node} */
const fieldNode = (field, words) => {
  const { kind, name, label, help, required, value, choices } = field;
  const id = `view-${name}-${(count += 1)}`;
  const note = help && h("span", { class: "option-text", id: `${id}-help` }, help);
  const described = note ? `${id}-help` : null;
  const title = [label, required && h("span", { class: "required", "aria-hidden": "true" }, " *")];
  if (kind === "radio" || kind === "checks") {
    const type = kind === "radio" ? "radio" : "checkbox";
    const all = choices.map((one) =>
      h("label", { class: "tick" }, h("input", { type, name, value: one.value, required: required && kind === "radio", checked: one.value === value }), one.label),
    );
    return h("div", { class: "field", role: "group", "aria-labelledby": id, "aria-describedby": described }, h("span", { class: "label", id }, ...title), ...all, note);
  }
  const props = { id, name, required, "aria-describedby": described };
  if (kind === "check")
    return h("div", { class: "field" }, h("label", { class: "tick" }, h("input", { ...props, type: "checkbox", checked: value === "true" }), ...title), note);
  return h("div", { class: "field" }, h("label", { class: "label", for: id }, ...title), control(field, props, words), note);
};
let count = 0;

/** @type {(field: Field, props: Record<string, unknown>, words: Words) => Node} */
const control = ({ kind, value, choices }, props, words) => {
  if (kind === "area") return h("textarea", { ...props, rows: 3, value, class: "control" });
  if (kind !== "choice") return h("input", { ...props, type: kind, value, class: "control" });
  const options = choices.map((one) => h("option", { value: one.value, selected: one.value === value }, one.label));
  return h("select", { ...props, class: "control" }, h("option", { value: "" }, words.say("pick")), ...options);
};

/** @type {(shown: HTMLFormElement) => Record<string, unknown>} as Amazon's own interface sends them: a list where several may be ticked, else text or yes and no */
const valuesOf = (shown) => {
  /** @type {Record<string, unknown>} */
  const values = {};
  for (const input of /** @type {Iterable<HTMLInputElement>} */ (/** @type {unknown} */ (shown.elements))) {
    if (!input.name) continue;
    const several = input.type === "checkbox" && !!input.closest("[role=group]");
    if (several) values[input.name] = [...(/** @type {string[]} */ (values[input.name]) ?? []), ...(input.checked ? [input.value] : [])];
    else if (input.type === "checkbox") values[input.name] = input.checked;
    else if (input.type !== "radio" || input.checked) values[input.name] = input.value;
  }
  return values;
};
