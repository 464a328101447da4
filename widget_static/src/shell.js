/**
 * The panel's frame: a dialog with a header, a menu, lines for trouble, and the question before an
 * end. What stands between header and footer is handed in. Beside the launcher it lets the page be;
 * on a small screen it takes all of it and is modal.
 *
 * @import { Words } from "./words.js"
 */

import * as icons from "./icons.js";
import { h, icon, small } from "./nodes.js";

const SMALL = matchMedia("(max-width: 480px), (max-height: 560px)");

/**
 * @typedef {object} ShellHooks
 * @property {() => void} close
 * @property {() => void} end the visitor wants to: ask whether they mean it
 * @property {() => void} save
 */

export class Shell {
  #hooks;
  #words;
  #title = h("h2", { class: "title", id: "title" });
  #subtitle = h("p", { class: "subtitle" });
  #notice = h("div", { class: "notice", role: "status", hidden: true });
  #noticed = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #noticeTimer;
  #alert = h("div", { class: "alert", role: "alert", hidden: true });
  #footer = h("div", { class: "footer" });
  #save;
  #end;
  #menu;
  #menuButton;
  #asked = h("div", { class: "ask", hidden: true });
  #main;
  #resized = () => this.#fit();

  /**
   * @param {Words} words
   * @param {ShellHooks} hooks
   */
  constructor(words, hooks) {
    this.#words = words;
    this.#hooks = hooks;
    const act = (/** @type {() => void} */ task) => () => {
      this.#toggleMenu(false);
      task();
    };
    const item = (/** @type {"save" | "end"} */ key, /** @type {() => void} */ task) =>
      h("button", { class: "item", onclick: act(task) }, words.say(key));
    this.#save = item("save", () => hooks.save());
    this.#end = item("end", () => hooks.end());
    this.#menu = h("div", { class: "menu", id: "menu", hidden: true }, this.#save, this.#end);
    this.#menuButton = round(icons.more, words.say("more"), () => this.#toggleMenu());
    this.#menuButton.setAttribute("aria-expanded", "false");
    this.#menuButton.setAttribute("aria-controls", "menu");
    this.#main = this.#build();
    this.node = h(
      "dialog",
      { part: "panel", "aria-labelledby": "title", tabIndex: -1 },
      this.#main,
      this.#asked,
    );
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && this.#escape(event));
    this.node.addEventListener("cancel", (event) => event.preventDefault());
    // Wherever one goes from the menu, it closes behind one. Safari hands the focus of a clicked button to us.
    for (const type of ["click", "focusin"])
      this.node.addEventListener(type, ({ target }) => {
        if (type === "click" || target !== this.node) this.#wentTo(/** @type {Node} */ (target));
      });
    SMALL.addEventListener("change", this.#resized);
  }

  #build() {
    const heading = h("div", { class: "heading" }, this.#title, this.#subtitle);
    const close = round(icons.close, this.#words.say("close"), () => this.#hooks.close());
    const mark = h("div", { class: "mark", part: "mark" }, icon(icons.chat));
    // No <header>: outside of an article that would be the page's second banner.
    const header = h("div", { class: "header", part: "header" }, mark, heading, this.#menuButton, this.#menu, close);
    return h("div", { class: "main" }, header, this.#notice, this.#alert, this.#footer);
  }

  get isOpen() {
    return this.node.open;
  }

  /** The panel fills the screen. */
  get isSmall() {
    return SMALL.matches;
  }

  show() {
    if (this.node.open) return;
    if (SMALL.matches) this.node.showModal();
    // Not show(): that would take the focus from whoever has it.
    else this.node.open = true;
  }

  hide() {
    this.#toggleMenu(false);
    this.unask();
    this.node.close();
  }

  leave() {
    SMALL.removeEventListener("change", this.#resized);
    this.node.remove();
  }

  /** @param {string} title @param {string} subtitle */
  name(title, subtitle) {
    this.#title.textContent = title;
    this.#subtitle.textContent = subtitle;
    this.#subtitle.hidden = !subtitle;
  }

  /** @param {Node} node what the panel is for; stands above the footer */
  fill(node) {
    this.#footer.before(node);
  }

  /** @param {{ save: boolean, end: boolean }} can */
  offer({ save, end }) {
    this.#save.hidden = !save;
    this.#end.hidden = !end;
    this.#menuButton.hidden = !save && !end;
  }

  /** @param {string} text how the connection is, "" when all is well @param {[string, () => void] | null} [action] @param {number} [patienceMs] for what mostly passes before anybody could read it */
  notice(text, action = null, patienceMs = 0) {
    if (this.#noticed === text) return;
    this.#noticed = text;
    clearTimeout(this.#noticeTimer);
    const show = () => {
      this.#notice.hidden = !text;
      this.#notice.replaceChildren(text, ...(action ? [small(...action)] : []));
    };
    if (text && this.#notice.hidden) this.#noticeTimer = setTimeout(show, patienceMs);
    else show();
  }

  /** @param {string} text what went wrong and what to do, "" for nothing */
  alert(text) {
    if (this.#alert.dataset.text === text) return;
    this.#alert.dataset.text = text;
    this.#alert.hidden = !text;
    const close = small("×", () => this.alert(""));
    close.setAttribute("aria-label", this.#words.say("dismiss"));
    this.#alert.replaceChildren(icon(icons.warn), h("span", {}, text), close);
  }

  /** @param {...Node} nodes */
  setFooter(...nodes) {
    const same = nodes.length === this.#footer.childNodes.length;
    if (same && nodes.every((node, at) => node === this.#footer.childNodes[at])) return;
    this.#footer.replaceChildren(...nodes);
  }

  /** A question over everything else, until it is answered. @param {HTMLElement} question */
  ask(question) {
    this.#asked.replaceChildren(question);
    this.#asked.hidden = false;
    this.#main.inert = true;
    question.querySelector("button")?.focus();
  }

  unask() {
    if (this.#asked.hidden) return;
    this.#asked.hidden = true;
    this.#main.inert = false;
    this.#menuButton.focus();
  }

  /** @param {boolean} [open] */
  #toggleMenu(open = !!this.#menu.hidden) {
    this.#menu.hidden = !open;
    this.#menuButton.setAttribute("aria-expanded", `${open}`);
  }

  /** @param {Node} target */
  #wentTo(target) {
    const inMenu = this.#menu.contains(target) || this.#menuButton.contains(target);
    if (!inMenu) this.#toggleMenu(false);
  }

  /** @param {Event} event */
  #escape(event) {
    event.preventDefault();
    event.stopPropagation();
    if (!this.#asked.hidden) return this.unask();
    if (this.#menu.hidden) return this.#hooks.close();
    this.#toggleMenu(false);
    this.#menuButton.focus();
  }

  /** The screen has become small or large: modal or not. */
  #fit() {
    if (!this.node.open) return;
    const focused = /** @type {ShadowRoot} */ (this.node.getRootNode()).activeElement;
    this.node.close();
    this.show();
    if (focused instanceof HTMLElement) focused.focus();
  }
}

/** @type {(outline: string, label: string, act: () => void) => HTMLButtonElement} */
const round = (outline, label, act) =>
  h("button", { class: "round", "aria-label": label, onclick: act }, icon(outline));
