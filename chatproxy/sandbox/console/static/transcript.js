/** The middle of the page: one chat's lines, grouped by speaker, with days, states and what is on its way. */

import { avatar, el, icon, place } from "./dom.js";
import { bodyOf, eventText, plain } from "./bodies.js";
import { day, timeOfDay } from "./times.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").Chat} Chat */
/** @typedef {import("./store.js").Pending} Pending */
/** @typedef {import("./timeline.js").Item} Item */
/** @typedef {import("./timeline.js").Timeline} Timeline */

/** Lines of one speaker further apart than this start a new group. */
const GROUP_MS = 5 * 60_000;
const NEAR_END_PX = 60;

export class Transcript {
  /** @type {string | null} */
  #shown = null;
  /** @type {Map<string, {signature: string, node: HTMLElement}>} lines by key, rebuilt only when they change */
  #nodes = new Map();
  /** Where the reader was before whatever happens next. */
  #wasAtEnd = true;

  /**
   * @param {{scroll: HTMLElement, lines: HTMLElement, typing: HTMLElement, newer: HTMLElement}} parts
   * @param {{onRetry: (pending: Pending) => void, onDiscard: (pending: Pending) => void, onSeen: () => void}} callbacks
   */
  constructor(parts, callbacks) {
    this.parts = parts;
    this.callbacks = callbacks;
    parts.newer.addEventListener("click", () => this.toEnd());
    parts.scroll.addEventListener("scroll", () => {
      this.#wasAtEnd = this.isAtEnd;
      if (!this.#wasAtEnd) return;
      parts.newer.hidden = true;
      callbacks.onSeen();
    });
    // A picture that has loaded, or a keyboard that has opened, must not push the last line out of sight.
    const keep = new ResizeObserver(() => this.#wasAtEnd && this.toEnd());
    keep.observe(parts.lines);
    keep.observe(parts.scroll);
  }

  get isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.parts.scroll;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  toEnd() {
    this.parts.scroll.scrollTop = this.parts.scroll.scrollHeight;
    this.#wasAtEnd = true;
    this.parts.newer.hidden = true;
    this.callbacks.onSeen();
  }

  /** @param {Store} store */
  render(store) {
    const chat = store.chat;
    const timeline = chat && store.timelines.get(chat.id);
    if (!chat || !timeline) return this.#clear(chat?.id ?? null);
    const isOther = this.#shown !== chat.id;
    if (isOther) this.#clear(chat.id);
    const stays = isOther || this.isAtEnd;
    const before = this.parts.lines.childElementCount;
    const nodes = this.#lines(chat, timeline, store.pending.get(chat.id) ?? [], !isOther);
    place(this.parts.lines, nodes);
    this.#showTyping(store.typers(chat.id));
    if (stays) this.toEnd();
    else if (nodes.length > before) this.parts.newer.hidden = false;
  }

  /** @param {string | null} id */
  #clear(id) {
    this.#shown = id;
    this.#nodes.clear();
    this.parts.lines.replaceChildren();
    this.parts.typing.replaceChildren();
    this.parts.newer.hidden = true;
    this.#wasAtEnd = true;
  }

  /**
   * @param {Chat} chat
   * @param {Timeline} timeline
   * @param {Pending[]} pending
   * @param {boolean} isMoving whether lines that appear now are new
   */
  #lines(chat, timeline, pending, isMoving) {
    const items = timeline.items;
    /** @type {HTMLElement[]} */
    const nodes = [];
    const lastOwn = items.findLast((item) => item.ParticipantId === chat.agentId && item.Type !== "EVENT")?.Id;
    items.forEach((item, index) => {
      const [previous, next] = [items[index - 1], items[index + 1]];
      const today = day(item.AbsoluteTime);
      if (!previous || day(previous.AbsoluteTime) !== today) {
        nodes.push(this.#keep(`day ${today}`, today, () => el("div", { class: "day" }, today)));
      }
      if (item.Type === "EVENT") return nodes.push(this.#note(item));
      const place = { isFirst: !isSameGroup(previous, item), isLast: !isSameGroup(item, next) };
      const progress = item.Id === lastOwn ? timeline.progress(item.Id, item.ParticipantId) : null;
      return nodes.push(this.#line(chat, item, place, progress, isMoving));
    });
    return [...nodes, ...pending.map((each) => this.#pending(each))];
  }

  /** @param {Item} item */
  #note(item) {
    const text = eventText(item);
    const isStrong = item.ContentType.endsWith("chat.ended");
    return this.#keep(item.Id, text, () =>
      el("p", { class: `note${isStrong ? " is-strong" : ""}` }, `${text} · ${timeOfDay(item.AbsoluteTime)}`));
  }

  /**
   * @param {Chat} chat
   * @param {Item} item
   * @param {{isFirst: boolean, isLast: boolean}} place
   * @param {{state: string, at?: string} | null} progress
   * @param {boolean} isMoving
   */
  #line(chat, item, place, progress, isMoving) {
    const isNew = isMoving && !this.#nodes.has(item.Id);
    const signature = JSON.stringify([item.Content, item.Attachments, item.MessageMetadata?.MessageCompleted,
      item.DisplayName, place, progress]);
    return this.#keep(item.Id, signature, () => {
      const isTheirs = item.ParticipantRole === "CUSTOMER";
      const kind = isTheirs ? "is-theirs" : item.ParticipantRole === "AGENT" ? "is-agent is-ours" : "is-bot is-ours";
      const classes = ["line", kind, place.isFirst && "is-first", place.isLast && "is-last",
        progress && "has-state", isNew && "is-new"].filter(Boolean).join(" ");
      const isMe = item.ParticipantId === chat.agentId;
      const by = place.isFirst && !isTheirs && !isMe ? el("p", { class: "by" }, speakerOf(item)) : null;
      const face = isTheirs && place.isLast ? small(avatar(item.DisplayName ?? "")) : null;
      return el("div", { class: classes, "data-id": item.Id }, face,
        el("div", { class: "line-body" }, by, bodyOf(item, chat.id), metaOf(item, progress)));
    });
  }

  /** @param {Pending} pending */
  #pending(pending) {
    const hasFailed = pending.state === "failed";
    return this.#keep(`pending ${pending.token}`, pending.state, () =>
      el("div", { class: `line is-agent is-ours is-first is-last has-state ${hasFailed ? "is-failed" : "is-pending"}` },
        el("div", { class: "line-body" }, plain(pending.text),
          hasFailed ? this.#retry(pending) : el("p", { class: "meta" }, icon("wait"), "Sending…"))));
  }

  /** @param {Pending} pending */
  #retry(pending) {
    const { onRetry, onDiscard } = this.callbacks;
    return el("p", { class: "retry" }, "Not sent",
      el("button", { type: "button", on: { click: () => onRetry(pending) } }, "Try again"),
      el("button", { type: "button", on: { click: () => onDiscard(pending) } }, "Delete"));
  }

  /**
   * The node of a line; made again only when its signature has changed, so that links keep their focus.
   * @param {string} key
   * @param {string} signature
   * @param {() => HTMLElement} make
   */
  #keep(key, signature, make) {
    const known = this.#nodes.get(key);
    if (known?.signature === signature) return known.node;
    const node = make();
    this.#nodes.set(key, { signature, node });
    return node;
  }

  /** @param {string[]} names */
  #showTyping(names) {
    const text = names.length ? `${names.join(" and ")} ${names.length > 1 ? "are" : "is"} typing` : "";
    if (this.parts.typing.textContent === text) return;
    const dots = el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
    this.parts.typing.replaceChildren(...(text ? [dots, text] : []));
  }
}

/**
 * @param {Item | undefined} first
 * @param {Item | undefined} second
 */
function isSameGroup(first, second) {
  return Boolean(first && second && first.Type !== "EVENT" && second.Type !== "EVENT" &&
    first.ParticipantId === second.ParticipantId && day(first.AbsoluteTime) === day(second.AbsoluteTime) &&
    Date.parse(second.AbsoluteTime) - Date.parse(first.AbsoluteTime) < GROUP_MS);
}

/** @param {Item} item */
function speakerOf(item) {
  if (item.ParticipantRole === "SYSTEM") return item.DisplayName === "BOT" ? "Bot" : "System";
  return item.DisplayName ?? item.ParticipantRole;
}

/**
 * @param {Item} item
 * @param {{state: string, at?: string} | null} progress
 */
function metaOf(item, progress) {
  const time = el("time", { datetime: item.AbsoluteTime }, timeOfDay(item.AbsoluteTime));
  if (item.MessageMetadata?.MessageProcessingStatus === "REJECTED") {
    return el("p", { class: "meta" }, icon("alert"), "Not delivered: refused in processing");
  }
  if (!progress) return el("p", { class: "meta" }, time);
  /** @type {Record<string, string>} */
  const words = { sent: "Sent", delivered: "Delivered", read: "Read" };
  const mark = el("span", { class: progress.state === "read" ? "is-read" : "" },
    progress.state === "read" ? `Read ${timeOfDay(progress.at ?? item.AbsoluteTime)}` : words[progress.state]);
  return el("p", { class: "meta", "data-progress": progress.state }, time, "·",
    icon(progress.state === "sent" ? "check" : "checks"), mark);
}

/** @param {HTMLElement} node */
function small(node) {
  node.classList.add("small");
  return node;
}
