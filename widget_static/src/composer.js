/**
 * Where the visitor writes: a box that grows, enter to send, a button for files. Says what was
 * written and that somebody is writing; who takes it is none of its business.
 *
 * @import { Words } from "./words.js"
 */

import * as icons from "./icons.js";
import { h, icon } from "./nodes.js";

const COUNTER_FROM = 0.9;

/** @typedef {{ send: (text: string) => void, typing: () => void, attach: (files: File[]) => void }} ComposerHooks */

export class Composer {
  #words;
  #hooks;
  #maxLength = 1024;
  #counter = h("div", { class: "counter", "aria-live": "polite" });
  #box;
  #send;
  #attach;
  #files;

  /**
   * @param {Words} words
   * @param {ComposerHooks} hooks
   */
  constructor(words, hooks) {
    this.#words = words;
    this.#hooks = hooks;
    this.#box = h("textarea", {
      ...{ rows: 1, class: "box", part: "input", dir: "auto", autocomplete: "off", enterKeyHint: "send" },
      ...{ placeholder: words.say("write"), "aria-label": words.say("write") },
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.#pressed(event),
      oninput: () => this.#changed(),
      onpaste: (/** @type {ClipboardEvent} */ event) => this.#pasted(event),
    });
    this.#send = h(
      "button",
      { type: "submit", class: "send", part: "send", "aria-label": words.say("send") },
      icon(icons.send),
    );
    this.#files = h("input", { type: "file", hidden: true, onchange: () => this.#chosen() });
    this.#attach = h(
      "button",
      {
        ...{ class: "round", hidden: true, "aria-label": words.say("attach") },
        onclick: () => this.#files.click(),
      },
      icon(icons.attach),
    );
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#submit();
    };
    this.node = h(
      "form",
      { class: "composer", part: "composer", noValidate: true, onsubmit: submit },
      this.#counter,
      h("div", { class: "line" }, this.#attach, this.#files, this.#box, this.#send),
    );
    this.#show();
  }

  /** @param {{ maxLength: number, attach: boolean | null, types: readonly string[] }} rules `attach`: not now (false), or never (null) */
  set rules({ maxLength, attach, types }) {
    this.#maxLength = maxLength;
    this.#attach.hidden = attach === null;
    this.#attach.disabled = !attach;
    this.#files.accept = types.join();
    this.#show();
  }

  focus() {
    this.#box.focus({ preventScroll: true });
  }

  #submit() {
    const text = this.#box.value.trim();
    if (!text || this.#over > 0) return;
    this.#box.value = "";
    this.#show();
    this.#hooks.send(text);
    this.focus();
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    // While a word is being composed, enter belongs to the input method; Safari says so by 229 only.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    this.#submit();
  }

  #changed() {
    this.#show();
    if (this.#box.value.trim()) this.#hooks.typing();
  }

  /** @param {ClipboardEvent} event */
  #pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || this.#attach.disabled) return;
    event.preventDefault();
    this.#hooks.attach(files);
  }

  #chosen() {
    this.#hooks.attach([...(this.#files.files ?? [])]);
    this.#files.value = "";
  }

  get #over() {
    return [...this.#box.value.trim()].length - this.#maxLength;
  }

  #show() {
    const box = this.#box;
    if (!CSS.supports("field-sizing", "content")) {
      box.style.setProperty("height", "auto");
      box.style.setProperty("height", `${box.scrollHeight}px`);
    }
    const over = this.#over;
    const near = over > -this.#maxLength * (1 - COUNTER_FROM);
    const words = over > 0 ? this.#words.say("tooLong", { count: over }) : this.#words.say("left", { count: -over });
    this.#counter.textContent = near ? words : "";
    this.#counter.classList.toggle("bad", over > 0);
    this.#send.disabled = !box.value.trim() || over > 0;
  }
}
