/** The box at the bottom: text, typing events, files by button, drop or paste, and the menu of ready-made messages. */

import { act, sendFile } from "./api.js";
import { el, icon, part } from "./dom.js";
import { size } from "./times.js";

/** @typedef {import("./store.js").Store} Store */

/** The service's clients send at most one typing event in this time. */
const TYPING_EVERY_MS = 10_000;

export class Composer {
  #text = part("text");
  #form = part("composer");
  #send = part("send");
  #menu = part("ready");
  #menuButton = part("show-ready");
  #uploads = part("uploads");
  #markdown = part("markdown");
  #typedAt = 0;

  /**
   * @param {Store} store
   * @param {{onSend: (text: string, contentType: string) => void, onProblem: (sentence: string) => void}} callbacks
   */
  constructor(store, { onSend, onProblem }) {
    this.store = store;
    this.onSend = onSend;
    this.onProblem = onProblem;
    this.#form.addEventListener("submit", (/** @type {Event} */ event) => this.#submit(event));
    this.#text.addEventListener("input", () => this.#written());
    this.#text.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
    this.#text.addEventListener("paste", (/** @type {ClipboardEvent} */ event) => this.#files(event, event.clipboardData?.files));
    this.#markdown.addEventListener("click", () => this.#toggleMarkdown());
    this.#bindFiles();
    this.#bindMenu();
  }

  focus() {
    if (!this.#form.hidden) this.#text.focus();
  }

  /** @param {string | null} from chat that was shown, whose draft is kept */
  change(from) {
    if (from !== null) this.store.drafts.set(from, this.#text.value);
    this.#text.value = this.store.drafts.get(this.store.selected ?? "") ?? "";
    this.#typedAt = 0;
    for (const chip of this.#uploads.children) chip.hidden = chip.dataset.chat !== this.store.selected;
    this.closeMenu();
    this.#fit();
  }

  /** @param {boolean} isOpen whether the agent is in this chat and may write */
  render(isOpen) {
    this.#form.hidden = !isOpen;
    if (!isOpen) this.closeMenu();
  }

  get isMenuOpen() {
    return !this.#menu.hidden;
  }

  openMenu() {
    this.#menu.hidden = false;
    this.#menuButton.setAttribute("aria-expanded", "true");
    this.#menu.querySelector("[role=menuitem][tabindex='0']").focus();
  }

  /** @param {boolean} [andFocus] put the focus back where it came from */
  closeMenu(andFocus = false) {
    if (this.#menu.hidden) return;
    this.#menu.hidden = true;
    this.#menuButton.setAttribute("aria-expanded", "false");
    if (andFocus) this.#text.focus();
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const text = this.#text.value.trim();
    if (!text) return;
    const isMarkdown = this.#markdown.getAttribute("aria-pressed") === "true";
    this.onSend(text, isMarkdown ? "text/markdown" : "text/plain");
    this.#text.value = "";
    this.#typedAt = 0;
    this.#fit();
    this.#text.focus();
  }

  #written() {
    this.#fit();
    const id = this.store.selected;
    const now = Date.now();
    if (!id || !this.#text.value.trim() || now - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = now;
    act(id, "typing").catch(() => {});
  }

  #fit() {
    this.#send.disabled = !this.#text.value.trim();
    if (CSS.supports("field-sizing", "content")) return;
    this.#text.style.setProperty("height", "auto");
    this.#text.style.setProperty("height", `${this.#text.scrollHeight}px`);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#form.requestSubmit();
    } else if (event.key === "/" && !this.#text.value) {
      event.preventDefault();
      this.openMenu();
    }
  }

  #toggleMarkdown() {
    const isOn = this.#markdown.getAttribute("aria-pressed") !== "true";
    this.#markdown.setAttribute("aria-pressed", String(isOn));
    this.#text.placeholder = isOn ? "Write **Markdown**…" : "Write a message…";
    this.#text.focus();
  }

  #bindMenu() {
    this.#menuButton.addEventListener("click", () => (this.isMenuOpen ? this.closeMenu(true) : this.openMenu()));
    this.#menu.addEventListener("click", (/** @type {any} */ event) => {
      const word = event.target.closest("[data-word]")?.dataset.word;
      const id = this.store.selected;
      this.closeMenu(true);
      if (word && id) act(id, "canned", { word }).catch((error) => this.onProblem(error.message));
    });
    this.#menu.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#menuKey(event));
    // One stop for the Tab key: the entry that had the focus last, the first one to begin with.
    this.#menu.querySelector("[role=menuitem]").tabIndex = 0;
    this.#menu.addEventListener("focusin", (/** @type {Event} */ event) => {
      for (const item of this.#menu.querySelectorAll("[role=menuitem]")) item.tabIndex = item === event.target ? 0 : -1;
    });
    document.addEventListener("pointerdown", (event) => {
      const target = /** @type {Element} */ (event.target);
      if (!this.#menu.contains(target) && !this.#menuButton.contains(target)) this.closeMenu();
    });
    this.#menu.addEventListener("focusout", (/** @type {FocusEvent} */ event) => {
      if (event.relatedTarget && !this.#menu.contains(event.relatedTarget)) this.closeMenu();
    });
  }

  /** @param {KeyboardEvent} event */
  #menuKey(event) {
    const items = [...this.#menu.querySelectorAll("[role=menuitem]")];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Escape") {
      event.stopPropagation();
      this.closeMenu(true);
    } else if (to !== undefined) {
      event.preventDefault();
      items[(to + items.length) % items.length].focus();
    } else if (event.key.length === 1 && /\p{L}/u.test(event.key)) {
      const letter = event.key.toLowerCase();
      const following = [...items.slice(at + 1), ...items.slice(0, at + 1)];
      following.find((item) => item.textContent.trim().toLowerCase().startsWith(letter))?.focus();
    }
  }

  #bindFiles() {
    const [input, drop, talk] = [part("files"), part("drop"), part("talk")];
    part("attach").addEventListener("click", () => input.click());
    input.addEventListener("change", (/** @type {Event} */ event) => {
      this.#files(event, input.files);
      input.value = "";
    });
    const show = (/** @type {boolean} */ isOver) => { drop.hidden = !isOver || this.#form.hidden; };
    talk.addEventListener("dragover", (/** @type {DragEvent} */ event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      show(true);
    });
    talk.addEventListener("dragleave", (/** @type {DragEvent} */ event) => { if (!talk.contains(event.relatedTarget)) show(false); });
    talk.addEventListener("drop", (/** @type {DragEvent} */ event) => {
      show(false);
      event.preventDefault();
      if (!this.#form.hidden) this.#files(event, event.dataTransfer?.files);
    });
  }

  /**
   * @param {Event} event
   * @param {FileList | null | undefined} files
   */
  #files(event, files) {
    if (!files?.length) return;
    event.preventDefault();
    for (const file of files) this.#upload(file);
  }

  /** @param {File} file */
  #upload(file) {
    const id = this.store.selected;
    if (!id) return;
    const bar = /** @type {HTMLProgressElement} */ (el("progress", { max: "1", value: "0", "aria-label": file.name }));
    const close = el("button", { type: "button", "aria-label": `Cancel ${file.name}` }, icon("cross"));
    const chip = el("li", { class: "upload", "data-chat": id }, el("span", {}, `${file.name} · ${size(file.size)}`), close, bar);
    const { done, cancel } = sendFile(id, file, (part) => { bar.value = part; });
    close.addEventListener("click", cancel);
    this.#uploads.append(chip);
    done
      .then((body) => this.store.hear(id, body.item))
      .catch((error) => { if (error.message) this.onProblem(error.message); })
      .finally(() => chip.remove());
  }
}
