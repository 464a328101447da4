/** The panel that tells a developer what a chat was started with: ids, people, attributes, content types. */

import { avatar, el, icon } from "./dom.js";
import { timeOfDay } from "./times.js";

/** @typedef {import("./store.js").Chat} Chat */

/**
 * @param {Chat} chat
 * @param {Record<string, any>} about
 * @param {() => void} onClose
 * @returns {HTMLElement[]}
 */
export function aboutNodes(chat, about, onClose) {
  const close = el("button", { type: "button", class: "tool", "aria-label": "Close", on: { click: onClose } }, icon("cross"));
  const head = el("div", { class: "about-head" }, el("strong", {}, "About this chat"), close);
  const attributes = Object.entries(about.attributes);
  return [
    head,
    heading("In the chat"),
    about.participants.length
      ? el("ul", { class: "people" }, ...about.participants.map(personOf))
      : el("p", {}, "Nobody any more."),
    heading("Contact"),
    facts([
      ["ContactId", copyable(about.contactId)],
      about.initialContactId !== about.contactId && ["InitialContactId", copyable(about.initialContactId)],
      ["Flow", copyable(about.contactFlowId)],
      ["Started", timeOfDay(chat.startedAt)],
      ["Bot answers", about.responseMode === "INCREMENTAL" ? "in pieces" : "whole"],
    ]),
    heading("Attributes"),
    attributes.length ? facts(attributes) : el("p", {}, "None."),
    heading("The customer's client takes"),
    el("ul", {}, ...about.contentTypes.map(contentTypeOf)),
  ];
}

/** @param {string} text */
const heading = (text) => el("h3", {}, text);

/** @param {string} type shown without the prefix that the service's own types share */
const contentTypeOf = (type) =>
  el("li", {}, el("code", { title: type }, type.replace("application/vnd.amazonaws.connect.", "")));

/** @param {{name: string, role: string}} person */
function personOf({ name, role }) {
  const face = avatar(name, role === "SYSTEM" ? "bot" : "");
  face.classList.add("small");
  return el("li", {}, face, el("span", {}, name), el("small", {}, role));
}

/** @param {(false | [string, string | Node])[]} rows */
function facts(rows) {
  return el("dl", {}, ...rows.filter((row) => row !== false).map(([name, value]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

/** @param {string} text */
function copyable(text) {
  const copy = el("button", { type: "button", class: "copy", "aria-label": `Copy ${text}`, title: "Copy",
    on: { click: () => navigator.clipboard.writeText(text).then(() => copy.replaceChildren(icon("check"))) } }, icon("copy"));
  return el("span", {}, el("code", {}, text), " ", copy);
}
