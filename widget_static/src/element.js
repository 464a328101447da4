/**
 * `<chatproxy-widget>`: the launcher in its shadow root, and the door through which the panel comes
 * in on first use. All that a visitor without a chat needs; everything else is in panel.
 *
 * @import { PanelClass, PanelFacade } from "./types.js"
 */

import sheet from "./launcher.css" with { type: "css" };
import { panel } from "./release.js";

export const TAG = "chatproxy-widget";

export class ChatWidget extends HTMLElement {
  /** The script that brought us: says where everything else is. */
  static from = /** @type {HTMLScriptElement | null} */ (
    document.currentScript ?? document.querySelector("script[data-widget]")
  );
  /** Put here by the panel's module, which runs before its script counts as loaded. @type {PanelClass} */
  static Panel;

  /** What the next chat starts with. @type {{ displayName?: string, attributes?: Record<string, string> }} */
  details = {};
  launcher = document.createElement("button");

  /** @type {PanelFacade | undefined} */
  #panel;
  /** @type {Promise<PanelFacade | undefined> | undefined} */
  #loading;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    const { launcher } = this;
    launcher.part.add("launcher");
    launcher.ariaHasPopup = "dialog";
    launcher.ariaExpanded = "false";
    launcher.onclick = () => this.toggle();
    launcher.append(document.createElement("i"));
    root.append(launcher);
  }

  connectedCallback() {
    const { accent, label = "Chat" } = this.dataset;
    this.launcher.ariaLabel = label;
    if (accent) this.style.setProperty("--chat-accent", accent);
    if (this.#remembers()) (window.requestIdleCallback ?? setTimeout)(() => this.load());
  }

  disconnectedCallback() {
    this.#panel?.leave();
    this.#panel = this.#loading = undefined;
  }

  get base() {
    return new URL(".", this.dataset.base ?? ChatWidget.from?.src ?? location.href).href;
  }

  /** Run a script of ours; of one that a deploy has taken away, the successor: the manifest knows it. @param {string} name @param {typeof panel} release */
  bring(name, release) {
    const { base } = this;
    return run(base, release).catch(async () =>
      run(base, (await (await fetch(base + "manifest.json", { cache: "no-cache" })).json())[name]),
    );
  }

  /** The panel, fetched on first use. @returns {Promise<PanelFacade | undefined>} nothing if it cannot be had */
  load() {
    this.launcher.title = "";
    return (this.#loading ??= this.bring("panel", panel)
      .then(() => (this.#panel = new ChatWidget.Panel(this)))
      .catch(() => {
        this.launcher.ariaLabel = this.launcher.title = "Chat did not load. Try again.";
        return (this.#loading = undefined);
      }));
  }

  async open() {
    (await this.load())?.open();
  }

  close() {
    this.#panel?.close();
  }

  toggle() {
    return this.#panel?.isOpen ? this.close() : this.open();
  }

  /** Say something as the visitor. @param {string} text */
  async send(text) {
    (await this.load())?.send(text);
  }

  /** Ask whether to end the chat. */
  async end() {
    (await this.load())?.end();
  }

  /** What the next chat starts with. @param {object} details */
  set(details) {
    Object.assign(this.details, details);
  }

  /** @param {string} name @param {(event: Event) => void} listener @returns {() => void} stops listening */
  on(name, listener) {
    this.addEventListener(name, listener);
    return () => this.removeEventListener(name, listener);
  }

  /** One read of one key: whether this browser has a chat. */
  #remembers() {
    const { storage, widget } = this.dataset;
    try {
      return (
        storage !== "memory" &&
        (storage === "session" ? sessionStorage : localStorage).getItem(`chatproxy:${widget}`)
      );
    } catch {}
  }
}

/** @type {(base: string, release: typeof panel) => Promise<unknown>} */
const run = (base, { file, integrity }) =>
  new Promise((onload, onerror) => {
    const script = Object.assign(document.createElement("script"), {
      type: "module",
      crossOrigin: "",
      integrity,
      nonce: ChatWidget.from?.nonce ?? "",
      onload,
      onerror,
      src: trusted(base + file),
    });
    document.head.append(script);
  });

/** @type {any} */
let policy;
/** @type {(url: string) => string} our own address, for pages that enforce Trusted Types */
const trusted = (url) => {
  const { trustedTypes } = /** @type {any} */ (window);
  policy ??= trustedTypes?.createPolicy("chatproxy", {
    createScriptURL: (/** @type {string} */ own) => own,
  });
  return policy?.createScriptURL(url) ?? url;
};
