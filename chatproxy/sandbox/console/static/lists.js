/** The left column: chats by state, with what was said last, who is typing, and what is unread. */

import { avatar, el, icon, place } from "./dom.js";
import { elapsed, timeOfDay } from "./times.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").Chat} Chat */

/**
 * @typedef {Object} Row the elements of one chat's row that change
 * @property {HTMLElement} node
 * @property {HTMLElement} main
 * @property {HTMLElement} take
 * @property {HTMLElement} face
 * @property {HTMLElement} name
 * @property {HTMLElement} preview
 * @property {HTMLElement} time
 * @property {HTMLElement} badge
 */

const GROUPS = [
  { state: "waiting", title: "Waiting", empty: "Nobody is waiting." },
  { state: "open", title: "Your chats", empty: "None yet. Take one from the line." },
  { state: "bot", title: "With the bot", empty: "" },
  { state: "ended", title: "Ended", empty: "" },
];

export class Lists {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {Set<string>} states folded away */
  #folded = new Set();
  /** @type {{group: typeof GROUPS[number], section: HTMLElement, title: HTMLElement, rows: HTMLElement}[]} */
  #groups;

  /**
   * @param {HTMLElement} parent
   * @param {{onSelect: (id: string) => void, onAccept: (id: string) => void}} callbacks
   */
  constructor(parent, { onSelect, onAccept }) {
    this.onSelect = onSelect;
    this.onAccept = onAccept;
    this.#groups = GROUPS.map((group) => this.#makeGroup(group));
    parent.append(...this.#groups.map(({ section }) => section));
  }

  /** @param {Store} store */
  render(store) {
    const known = new Set(store.chats.keys());
    for (const id of this.#rows.keys()) if (!known.has(id)) this.#rows.delete(id);
    for (const { group, section, title, rows } of this.#groups) {
      const chats = store.inState(group.state);
      const isFolded = this.#folded.has(group.state);
      section.hidden = !chats.length && !group.empty;
      title.replaceChildren(group.title, el("span", { class: "count" }, String(chats.length)), icon("chevron"));
      title.setAttribute("aria-expanded", String(!isFolded));
      const nodes = isFolded ? [] : chats.map((chat) => this.#row(chat, store));
      place(rows, nodes.length || isFolded ? nodes : [el("li", { class: "list-empty" }, group.empty)]);
    }
  }

  /**
   * Only the running times, once a second.
   * @param {Store} store
   */
  tick(store) {
    for (const chat of store.inState("waiting")) {
      const row = this.#rows.get(chat.id);
      if (row) row.time.textContent = elapsed(chat.since, Date.now());
    }
  }

  /** @param {typeof GROUPS[number]} group */
  #makeGroup(group) {
    const rows = el("ul", { id: `list-${group.state}` });
    const title = el("button", {
      type: "button",
      class: "list-title",
      "aria-controls": rows.id,
      on: { click: () => this.#fold(group.state) },
    });
    const heading = el("h2", { class: "list-heading" }, title);
    return { group, title, rows, section: el("section", { class: `list ${group.state}` }, heading, rows) };
  }

  /** @param {string} state */
  #fold(state) {
    if (!this.#folded.delete(state)) this.#folded.add(state);
    this.onFold?.();
  }

  /** @type {(() => void) | undefined} called when a group was folded or unfolded */
  onFold;

  /**
   * @param {Chat} chat
   * @param {Store} store
   */
  #row(chat, store) {
    const row = this.#rows.get(chat.id) ?? this.#makeRow(chat);
    this.#rows.set(chat.id, row);
    const isOpen = chat.state === "open";
    const isTyping = isOpen && store.typers(chat.id).length > 0;
    const unread = chat.isMine && isOpen ? chat.unread : 0;
    row.node.className = `row ${chat.state}${unread ? " is-unread" : ""}`;
    row.main.setAttribute("aria-current", String(store.selected === chat.id));
    row.take.hidden = chat.state !== "waiting";
    if (row.name.textContent !== chat.customer) nameRow(row, chat.customer);
    row.preview.textContent = isTyping ? "typing…" : previewOf(chat);
    row.preview.classList.toggle("is-typing", isTyping);
    row.time.textContent =
      chat.state === "waiting" ? elapsed(chat.since, Date.now()) : timeOfDay(chat.preview?.at ?? chat.since);
    row.badge.hidden = !unread;
    row.badge.textContent = unread > 99 ? "99+" : String(unread);
    row.badge.setAttribute("aria-label", `${unread} unread`);
    return row.node;
  }

  /**
   * @param {Chat} chat
   * @returns {Row}
   */
  #makeRow(chat) {
    const face = el("span");
    const [name, preview] = [el("span", { class: "row-name" }), el("span", { class: "row-text" })];
    const [time, badge] = [el("span", { class: "row-time" }), el("span", { class: "badge", role: "img" })];
    const main = el(
      "button",
      { type: "button", class: "row-main", "data-chat": chat.id, on: { click: () => this.onSelect(chat.id) } },
      face,
      el("span", { class: "row-words" }, name, preview),
      el("span", { class: "row-side" }, time, badge),
    );
    const take = el(
      "button",
      {
        type: "button",
        class: "button primary row-take",
        on: { click: () => this.onAccept(chat.id) },
      },
      "Take",
    );
    return { node: el("li", { class: "row" }, main, take), main, take, face, name, preview, time, badge };
  }
}

/**
 * A customer may get another name by signing in.
 * @param {Row} row
 * @param {string} customer
 */
function nameRow(row, customer) {
  row.name.textContent = customer;
  row.face.replaceChildren(avatar(customer));
  row.take.setAttribute("aria-label", `Take the chat with ${customer}`);
}

/** @param {Chat} chat */
function previewOf(chat) {
  if (!chat.preview) return "No messages yet";
  const speaker = chat.preview.role === "CUSTOMER" ? "" : chat.preview.role === "AGENT" ? "You: " : "Bot: ";
  return speaker + chat.preview.text.replace(/\s+/g, " ");
}
