/**
 * The conversation on the page: rows that come, change and stay where they are; who is typing; the
 * past on the way up without a jump; the newest line kept in sight while one is reading it. Sees
 * state, never api or socket.
 *
 * @import { ChatState, Row } from "./types.js"
 * @import { Setting } from "./bubbles.js"
 */

import { AWAITS, classOf, contentsOf, nameOf } from "./bubbles.js";
import * as icons from "./icons.js";
import { h, icon } from "./nodes.js";
import { rowsOf } from "./rows.js";

const NEAR_PX = 80;
const TYPING_SETTLES_MS = 2_000;
const NEW_MS = 5_000;

/** @typedef {Map<string, { row: Row | null, node: HTMLElement }>} Drawn `row`: null if it must be drawn again */

export class View {
  /** @type {Drawn} */
  #drawn = new Map();
  #setting;
  #hooks;
  #rows = h("div", { class: "rows" });
  #welcome = h("div", { class: "welcome", hidden: true });
  #typing = h("div", { class: "typing", part: "typing", hidden: true });
  /** Says who is typing, a little later and once. */
  #typingStatus = h("div", { class: "sr", role: "status" });
  #older;
  #scroller;
  #pill;
  #saidTyping = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typingTimer;

  /**
   * @param {Omit<Setting, "own" | "now">} setting
   * @param {{ older: () => void, atNewest: () => void }} hooks
   */
  constructor(setting, hooks) {
    const { words } = setting;
    this.#setting = setting;
    this.#hooks = hooks;
    this.#older = h(
      "button",
      { class: "older", hidden: true, onclick: () => hooks.older() },
      words.say("older"),
    );
    this.#scroller = h(
      "div",
      {
        ...{ class: "scroller", part: "log", role: "log", tabIndex: 0 },
        // New lines are said by a region of their own: a live log is read again from the top.
        ...{ "aria-live": "off", "aria-label": words.say("log") },
        onscroll: () => this.#scrolled(),
      },
      this.#older,
      this.#welcome,
      this.#rows,
      this.#typing,
    );
    this.#pill = h(
      "button",
      { class: "pill", hidden: true, onclick: () => this.toNewest(true) },
      icon(icons.down),
      words.say("newest"),
    );
    this.#welcome.append(h("p", {}, words.say("welcome")));
    this.node = h("div", { class: "log" }, this.#scroller, this.#pill, this.#typingStatus);
    new ResizeObserver(() => {
      this.#reach();
      if (this.#stick) this.toNewest();
    }).observe(this.#scroller);
  }
  /** Follow the newest line. Only scrolling up ends it: a glide to the end passes places on its way. */
  #stick = true;
  #lastTop = 0;

  /** The newest line is in sight. */
  get atNewest() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  /** @param {boolean} [smooth] */
  toNewest(smooth = false) {
    const behavior = smooth && !matchMedia("(prefers-reduced-motion: reduce)").matches ? "smooth" : "instant";
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior });
    this.#pill.hidden = true;
    this.#stick = true;
  }

  /** @param {ChatState} state @param {boolean} isNew draw all of it anew: another chat */
  render(state, isNew) {
    if (isNew) this.#forget();
    const anchor = this.#stick ? undefined : this.#firstInSight();
    const top = topOf(anchor);
    const rows = rowsOf(state);
    const more = this.#place(rows, { ...this.#setting, own: state.participantId, now: Date.now() });
    this.#reach();
    this.#welcome.hidden = rows.length > 0 || state.phase === "gone";
    this.#drawOlder(state);
    this.#drawTyping(state);
    if (this.#stick) return this.toNewest();
    // Whatever changed above, what is being read stays where it is.
    if (anchor?.isConnected) this.#scroller.scrollTop += topOf(anchor) - top;
    if (more) this.#pill.hidden = false;
  }

  /** A part has come: what waited for one is drawn with the next state. */
  redraw() {
    for (const drawn of this.#drawn.values())
      if (drawn.node.querySelector(`.${AWAITS}`)) drawn.row = null;
  }

  /** A block of code that scrolls is a stop for the keyboard, no other is. */
  #reach() {
    for (const block of this.#rows.querySelectorAll("pre"))
      block.tabIndex = block.scrollHeight > block.clientHeight ? 0 : -1;
  }

  /** @type {() => Element | undefined} the first row one can see, separators apart: those may move */
  #firstInSight() {
    const { top } = this.#scroller.getBoundingClientRect();
    return [...this.#rows.children].find(
      (row) => row.className !== "day" && row.getBoundingClientRect().bottom > top,
    );
  }

  #forget() {
    this.#drawn.clear();
    this.#rows.replaceChildren();
    this.#stick = true;
  }

  /** @type {(rows: Row[], setting: Setting) => boolean} whether something of the others was added below what was there */
  #place(rows, setting) {
    /** @type {Drawn} */
    const drawn = new Map();
    let added = false;
    let below = false;
    /** @type {Element | null} */
    let next = this.#rows.firstElementChild;
    for (const row of rows) {
      const known = this.#drawn.get(row.key);
      const node = known ? this.#redrawn(known, row, setting) : this.#draw(row, setting);
      if (row.kind === "message") {
        added ||= below && !known && !row.own;
        below ||= !!known;
      }
      if (node === next) next = next.nextElementSibling;
      else this.#rows.insertBefore(node, next);
      drawn.set(row.key, { row, node });
    }
    for (const [key, { node }] of this.#drawn) if (!drawn.has(key)) node.remove();
    this.#drawn = drawn;
    return added;
  }

  /** @type {(row: Row, setting: Setting) => HTMLElement} */
  #draw(row, setting) {
    const enters = this.#stick && setting.now - timeOf(row) < NEW_MS ? " enters" : "";
    return h("div", { class: classOf(row) + enters }, ...contentsOf(row, setting));
  }

  /** @type {(known: { row: Row | null, node: HTMLElement }, row: Row, setting: Setting) => HTMLElement} the same node, changed if need be */
  #redrawn({ row: before, node }, row, setting) {
    if (before && same(before, row)) return node;
    const { activeElement } = /** @type {ShadowRoot} */ (this.node.getRootNode());
    const controls = () => /** @type {HTMLElement[]} */ ([...node.querySelectorAll("button, a, pre, input, select, textarea")]);
    const held = controls().findIndex((one) => one === activeElement);
    node.className = classOf(row);
    node.replaceChildren(...contentsOf(row, setting));
    if (held < 0) return node;
    // The same one, or what stands in its place.
    const now = controls();
    const again = now.find((one) => one === activeElement) ?? now.find((one) => one.textContent === activeElement?.textContent);
    (again ?? now[held] ?? now.at(-1))?.focus();
    return node;
  }

  /** @param {ChatState} state */
  #drawOlder({ history }) {
    const { words } = this.#setting;
    this.#older.hidden = !history.more;
    this.#older.disabled = history.loading;
    this.#older.textContent = words.say(history.loading ? "loadingOlder" : "older");
  }

  /** @param {ChatState} state */
  #drawTyping({ transcript }) {
    const typist = [...transcript.typing.values()].at(-1);
    const { words } = this.#setting;
    const text = typist ? words.say("typing", { name: nameOf({ DisplayName: typist.name }, words) }) : "";
    if (this.#typing.hidden === !!typist) {
      this.#typing.hidden = !typist;
      const dot = () => h("span", { class: "dot" });
      this.#typing.replaceChildren(
        ...(typist ? [h("div", { class: "bubble", "aria-hidden": "true" }, dot(), dot(), dot())] : []),
      );
    }
    this.#sayTyping(text);
  }

  /** @param {string} text */
  #sayTyping(text) {
    if (text === this.#saidTyping) return;
    this.#saidTyping = text;
    clearTimeout(this.#typingTimer);
    if (!text) this.#typingStatus.textContent = "";
    else this.#typingTimer = setTimeout(() => (this.#typingStatus.textContent = text), TYPING_SETTLES_MS);
  }

  #scrolled() {
    const { scrollTop } = this.#scroller;
    this.#stick = this.atNewest || (this.#stick && scrollTop >= this.#lastTop);
    this.#lastTop = scrollTop;
    if (this.atNewest) {
      this.#pill.hidden = true;
      this.#hooks.atNewest();
    }
    if (scrollTop < NEAR_PX && !this.#older.hidden && !this.#older.disabled)
      this.#hooks.older();
  }
}

/** @type {(a: Row, b: Row) => boolean} nothing to draw again */
const same = (a, b) => {
  const [one, other] = /** @type {Record<string, unknown>[]} */ ([a, b]);
  return Object.keys(b).every((name) => one?.[name] === other?.[name]);
};

/** @type {(row: Element | undefined) => number} where its text begins: the name above may come and go */
const topOf = (row) => (row?.querySelector(".bubble") ?? row)?.getBoundingClientRect().top ?? 0;

/** @type {(row: Row) => number} */
const timeOf = (row) => {
  if (row.kind === "day") return 0;
  if (row.kind === "entry") return row.entry.at;
  return row.kind === "upload" ? row.upload.at : row.line.at;
};
