/**
 * The panel's entry: fetched on first use, it hands itself to the element, reads the widget's
 * configuration and joins conversation and stage to the page: launcher, unread count, speech,
 * events, other tabs, the network coming and going.
 *
 * @import { Line, PanelClass, PanelFacade, PanelHost, WidgetConfig } from "./types.js"
 */

import { Announcer } from "./announcer.js";
import { Api } from "./api.js";
import { nameOf, spokenLine } from "./bubbles.js";
import { systemClock } from "./clock.js";
import { Conversation } from "./conversation.js";
import * as events from "./events.js";
import { h } from "./nodes.js";
import { Memory, slotFor } from "./memory.js";
import { pageLocale, strings } from "./languages.js";
import { Parts } from "./parts/parts.js";
import { eventWords, isOwn, isSaid } from "./rows.js";
import { Stage } from "./stage.js";
import sheet from "./style.css" with { type: "css" };
import { isMessage } from "./transcript.js";
import { Words } from "./words.js";

/** Has a shade for the dark of its own, which a widget that never chose a colour keeps. */
const DEFAULT_ACCENT = "#2f55e0";

/** @type {WidgetConfig} what holds when the server does not say */
const UNCONFIGURED = {
  ...{ key: "", name: "", title: "", subtitle: "", accent: "" },
  ...{ scheme: /** @type {const} */ ("auto"), position: /** @type {const} */ ("right") },
  ...{ storage: /** @type {const} */ ("local"), contentTypes: ["text/plain"], maxLength: 1024 },
  ...{ attachments: false, attachmentTypes: [], attachmentMaxBytes: 20_000_000 },
  ...{ texts: {}, locale: null },
};

/** @implements {PanelFacade} */
class Panel {
  #host;
  #root;
  #api;
  #ready;
  #words = new Words();
  #announcer = new Announcer();
  #badge = h("span", { part: "badge", "aria-hidden": "true" });
  /** Said while the panel is closed: outside of it, for the page's life. */
  #outside = new Announcer();
  #leaving = new AbortController();
  #parts;
  /** @type {Stage | undefined} */
  #stage;
  /** @type {Conversation | undefined} */
  #conversation;
  /** @type {Memory | undefined} */
  #memory;

  /** @param {PanelHost} host */
  constructor(host) {
    this.#host = host;
    this.#root = /** @type {ShadowRoot} */ (host.shadowRoot);
    this.#api = new Api(new URL("../..", host.base).href);
    this.#parts = new Parts(async (name, release) => {
      const words = this.#words;
      const own = strings(words.language, host.base, name);
      await host.bring(name, release);
      words.learn(element[name].texts, await own);
      return element[name];
    }, systemClock);
    this.#parts.arrived = () => this.#partArrived();
    this.#root.adoptedStyleSheets = [...this.#root.adoptedStyleSheets.slice(0, 1), sheet];
    host.launcher.append(this.#badge);
    this.#root.append(this.#announcer.node, this.#outside.node);
    this.#ready = this.#prepare();
  }

  get isOpen() {
    return this.#stage?.isOpen ?? false;
  }

  /** @param {boolean} [focus] take it; a page that opens the chat by itself leaves it where it is */
  open(focus = navigator.userActivation.isActive) {
    this.#whenReady(() => {
      this.#stage?.open(focus);
      this.#begin();
      this.#opened(true);
    });
  }

  close() {
    if (!this.isOpen) return;
    const held = this.#root.activeElement;
    this.#stage?.close();
    this.#opened(false);
    if (this.#conversation?.state.phase === "ended") this.#memory?.shelve();
    if (held) this.#host.launcher.focus();
  }

  /** @param {string} text */
  send(text) {
    this.#whenReady(() => {
      const phase = this.#conversation?.state.phase ?? "none";
      if (!["active", "ending", "opening"].includes(phase)) this.#start();
      this.#conversation?.send(text);
    });
  }

  end() {
    this.open();
    this.#whenReady(() => void this.#stage?.askToEnd());
  }

  leave() {
    this.#leaving.abort();
    this.#conversation?.close();
    this.#stage?.leave();
    for (const node of [this.#badge, this.#announcer.node, this.#outside.node]) node.remove();
  }

  async #prepare() {
    const { dataset } = this.#host;
    const widget = dataset.widget ?? "";
    const asked = dataset.locale ?? pageLocale();
    const stringsOf = (/** @type {string} */ locale) => strings(locale, this.#host.base, "panel");
    const early = stringsOf(asked);
    // Without it the chat still works; it only looks less like the site's own.
    const answer = await this.#api.widget(widget).catch(() => ({}));
    /** @type {WidgetConfig} */
    const config = { ...UNCONFIGURED, ...answer };
    const locale = dataset.locale ?? config.locale ?? asked;
    this.#words = new Words({
      locale,
      strings: await (locale === asked ? early : stringsOf(locale)),
      texts: config.texts,
    });
    if (this.#leaving.signal.aborted) return;
    for (const node of [this.#host.launcher, this.#announcer.node, this.#outside.node])
      node.lang = this.#words.language;
    const name = `chatproxy:${widget}`;
    const kind = dataset.storage ?? config.storage;
    this.#memory = new Memory(slotFor(kind, name), slotFor(kind, `${name}:past`), systemClock.now);
    const outboxFor = (/** @type {string} */ session) => slotFor(kind, `${name}:outbox:${session}`);
    const around = { api: this.#api, clock: systemClock, memory: this.#memory, outboxFor };
    const { locks } = navigator;
    const usual = { locks, Socket: undefined, put: undefined };
    this.#conversation = new Conversation({ ...around, ...usual }, widget);
    this.#dress(config);
    this.#stage = this.#newStage(config, this.#conversation);
    this.#root.append(this.#stage.node);
    this.#listen(this.#conversation, name);
    this.#render();
    if (this.#conversation.resume() && this.#memory.record.open && !this.#stage.isSmall)
      this.open(false);
  }

  /** @param {() => void} task */
  #whenReady(task) {
    const { launcher } = this.#host;
    if (this.#stage) return task();
    launcher.ariaBusy = "true";
    void this.#ready.then(() => {
      launcher.ariaBusy = null;
      if (this.#stage) task();
    });
  }

  /** @param {WidgetConfig} config @param {Conversation} conversation */
  #newStage(config, conversation) {
    return new Stage(conversation, config, this.#words, this.#parts, {
      close: () => this.close(),
      start: () => this.#start(),
      looked: () => this.#render(),
      problem: (failure, text) => this.#tell(new events.ChatProblemEvent(failure, text)),
    });
  }

  /** The widget's looks, where neither attributes nor the page say otherwise. @param {WidgetConfig} config */
  #dress({ accent, scheme, position }) {
    const { dataset } = this.#host;
    dataset.position ??= position;
    dataset.scheme ??= scheme;
    const isOurs = accent.toLowerCase() === DEFAULT_ACCENT;
    if (dataset.accent || isOurs || !CSS.supports("color", accent)) return;
    // A rule inside, so that a rule of the page still wins.
    const own = new CSSStyleSheet();
    own.replaceSync(`:host{--chat-accent:${accent}}`);
    this.#root.adoptedStyleSheets = [...this.#root.adoptedStyleSheets, own];
  }

  /** @param {Conversation} conversation @param {string} name */
  #listen(conversation, name) {
    const { signal } = this.#leaving;
    conversation.addEventListener("change", () => this.#render());
    conversation.addEventListener("arrived", (event) =>
      this.#arrived(/** @type {import("./conversation.js").ArrivedEvent} */ (event).line),
    );
    conversation.addEventListener("started", () => {
      this.#memory?.patch({ open: this.isOpen });
      this.#tell(new events.ChatStartedEvent(conversation.chat?.session ?? ""));
    });
    conversation.addEventListener("ended", () =>
      this.#tell(new events.ChatEndedEvent(conversation.state.endedBy)),
    );
    const wake = () => {
      conversation.chat?.wake();
      this.#parts.forgive();
      this.#stage?.redraw();
      this.#render();
    };
    addEventListener("online", wake, { signal });
    addEventListener("pageshow", wake, { signal });
    addEventListener("offline", () => conversation.chat?.sleep(), { signal });
    addEventListener("storage", ({ key }) => this.#stored(key ?? "", name), { signal });
    document.addEventListener(
      "visibilitychange",
      () => {
        if (document.visibilityState === "visible") wake();
      },
      { signal },
    );
    this.#root.addEventListener(
      "keydown",
      (event) => /** @type {KeyboardEvent} */ (event).key === "Escape" && this.close(),
      { signal },
    );
    visualViewport?.addEventListener("resize", () => this.#fitKeyboard(), { signal });
  }

  /** Another tab has written. @param {string} key @param {string} name */
  #stored(key, name) {
    if (key === name) this.#conversation?.recordChanged();
    else if (key.startsWith(`${name}:outbox:`)) this.#conversation?.chat?.outboxChanged();
    this.#render();
  }

  /** Go on with the chat there is, or was; else start one, if the page wants it now. */
  #begin() {
    if (this.#conversation?.state.phase === "ended") this.#memory?.unshelve();
    if (this.#conversation?.state.phase !== "none") return;
    this.#memory?.unshelve();
    if (!this.#conversation.resume() && this.#host.dataset.start !== "message") this.#start();
  }

  #start() {
    const { dataset, details } = this.#host;
    const named = dataset.displayName ? { displayName: dataset.displayName } : {};
    this.#conversation?.begin({ ...named, ...details });
  }

  #render() {
    if (!this.#stage || !this.#conversation) return;
    this.#stage.render(this.#conversation.state);
    if (this.#stage.isLookedAt) this.#conversation.chat?.seen();
    const count = this.isOpen ? 0 : this.#conversation.unread;
    const name = this.#host.dataset.label ?? this.#words.say("launcher");
    this.#badge.textContent = count > 9 ? "9+" : count ? `${count}` : "";
    this.#host.launcher.ariaLabel = count ? this.#words.say("launcherUnread", { name, count }) : name;
  }

  /** @param {Line} line */
  #arrived(line) {
    const own = isOwn(line, this.#conversation?.state.participantId ?? "");
    if (isSaid(line)) this.#tell(new events.ChatMessageEvent(line, own));
    if (own) return;
    if (this.isOpen) void this.#spoken(line).then((text) => this.#announcer.say(text));
    else if (isMessage(line)) {
      const count = this.#conversation?.unread ?? 1;
      this.#outside.say(this.#words.say("unread", { count }));
    }
  }

  /** @param {Line} line */
  async #spoken(line) {
    const name = nameOf(line, this.#words);
    if (!isMessage(line)) {
      const found = eventWords(line, "");
      return found ? this.#words.say(found.key, { name }) : "";
    }
    return this.#words.say("arrivedFrom", { name, text: await spokenLine(line, this.#words, this.#parts) });
  }

  /** What waited for it can be drawn, in its style. */
  #partArrived() {
    const sheets = this.#root.adoptedStyleSheets;
    this.#root.adoptedStyleSheets = [...new Set([...sheets, ...this.#parts.sheets])];
    this.#stage?.redraw();
    this.#render();
  }

  /** @param {boolean} open */
  #opened(open) {
    this.#host.launcher.ariaExpanded = `${open}`;
    if (this.#memory?.record.key) this.#memory.patch({ open });
    this.#tell(new events.PanelEvent(open));
    this.#render();
  }

  /** The keyboard of a phone covers the lower part of a panel that fills the screen. */
  #fitKeyboard() {
    const { height = innerHeight, offsetTop = 0 } = visualViewport ?? {};
    this.#stage?.node.style.setProperty("--visible-height", `${height}px`);
    this.#stage?.node.style.setProperty("--visible-top", `${offsetTop}px`);
  }

  /** @param {Event} event */
  #tell(event) {
    this.#host.dispatchEvent(event);
  }
}

const element = /** @type {any} */ (customElements.get("chatproxy-widget"));
if (element) element.Panel = Panel;
