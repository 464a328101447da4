/**
 * What the page knows: chats, their timelines, who is typing, what is on its way. No page elements, no network;
 * whoever changes it hears `onChange` called.
 */

import { Timeline, isTyping } from "./timeline.js";

/**
 * @typedef {Object} Chat a row of the list, as `summaries.py` makes it
 * @property {string} id
 * @property {string} contactId
 * @property {string} customer
 * @property {string} customerId
 * @property {"bot" | "waiting" | "open" | "ended"} state
 * @property {string} since
 * @property {string} startedAt
 * @property {string | null} agentId
 * @property {boolean} isMine
 * @property {number} unread
 * @property {string | null} endedBy
 * @property {{text: string, role: string, at: string} | null} preview
 */
/** @typedef {{token: string, text: string, contentType: string, state: "sending" | "failed", at: string}} Pending */
/** @typedef {import("./timeline.js").Item} Item */

/** A typing event is good for as long as other clients show it. */
export const TYPING_MS = 12_000;

const ORDER = ["waiting", "open", "bot", "ended"];

export class Store {
  /** @type {Map<string, Chat>} */
  chats = new Map();
  /** @type {Map<string, Timeline>} by chat; only of those that were opened */
  timelines = new Map();
  /** @type {Map<string, Record<string, any>>} what the sandbox tells about an opened chat */
  abouts = new Map();
  /** @type {Map<string, Pending[]>} */
  pending = new Map();
  /** @type {Map<string, Map<string, {name: string, until: number}>>} by chat, then by participant */
  #typing = new Map();
  /** @type {Map<string, string>} what was being written, by chat */
  drafts = new Map();
  /** @type {string | null} */
  selected = null;
  name = "";
  isLive = false;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
  }

  get chat() {
    return this.selected === null ? undefined : this.chats.get(this.selected);
  }

  /**
   * Chats of one state in the order they are shown: who waits longest first, else the latest line first.
   * @param {string} state
   */
  inState(state) {
    const chats = [...this.chats.values()].filter((chat) => chat.state === state);
    /** @param {Chat} chat */
    const latest = (chat) => (state === "ended" ? chat.since : chat.preview?.at ?? chat.since);
    return state === "waiting"
      ? chats.sort((a, b) => a.since.localeCompare(b.since))
      : chats.sort((a, b) => latest(b).localeCompare(latest(a)));
  }

  /** Every chat, in the order of the list on the page. */
  get inOrder() {
    return ORDER.flatMap((state) => this.inState(state));
  }

  /** How many things want the agent: unread lines in own chats, and chats in line. */
  get wanted() {
    const unread = this.inState("open").reduce((sum, chat) => sum + (chat.isMine ? chat.unread : 0), 0);
    return unread + this.inState("waiting").length;
  }

  /** @param {{name: string, chats: Chat[]}} overview */
  begin({ name, chats }) {
    this.name = name;
    this.chats = new Map(chats.map((chat) => [chat.id, chat]));
    for (const id of this.timelines.keys()) if (!this.chats.has(id)) this.timelines.delete(id);
    if (this.selected !== null && !this.chats.has(this.selected)) this.selected = null;
    this.onChange();
  }

  /** @param {Chat} chat */
  put(chat) {
    this.chats.set(chat.id, chat);
    if (chat.state === "ended") this.#typing.delete(chat.id);
    this.onChange();
  }

  /** @param {string | null} id */
  select(id) {
    this.selected = id;
    this.onChange();
  }

  /**
   * A chat is being loaded: frames that come before the answer does are kept.
   * @param {string} id
   */
  expect(id) {
    if (!this.timelines.has(id)) this.timelines.set(id, new Timeline());
  }

  /** @param {{chat: Chat, items: Item[], about: Record<string, any>}} detail */
  load({ chat, items, about }) {
    this.expect(chat.id);
    for (const item of items) this.timelines.get(chat.id)?.add(item);
    this.abouts.set(chat.id, about);
    this.put(chat);
  }

  /**
   * A frame of a chat, or an item that came as the answer to a request.
   * @param {string} id
   * @param {Item} frame
   */
  hear(id, frame) {
    if (isTyping(frame)) {
      if (frame.ParticipantId !== this.chats.get(id)?.agentId) this.#startTyping(id, frame);
    } else {
      if (frame.Type !== "MESSAGEMETADATA") this.#typing.get(id)?.delete(frame.ParticipantId);
      this.#settle(id, frame);
      this.timelines.get(id)?.add(frame);
    }
    this.onChange();
  }

  /**
   * Names of those who are typing in a chat now.
   * @param {string} id
   */
  typers(id) {
    const now = Date.now();
    return [...(this.#typing.get(id) ?? new Map()).values()]
      .filter((each) => each.until > now)
      .map((each) => each.name);
  }

  /**
   * @param {string} id
   * @param {Pending} message
   */
  send(id, message) {
    const others = (this.pending.get(id) ?? []).filter((each) => each.token !== message.token);
    this.pending.set(id, [...others, message]);
    this.onChange();
  }

  /**
   * @param {string} id
   * @param {string} token
   */
  forget(id, token) {
    this.pending.set(id, (this.pending.get(id) ?? []).filter((each) => each.token !== token));
    this.onChange();
  }

  /**
   * @param {string} id
   * @param {Item} frame
   */
  #startTyping(id, frame) {
    const typers = this.#typing.get(id) ?? new Map();
    typers.set(frame.ParticipantId, { name: frame.DisplayName, until: Date.now() + TYPING_MS });
    this.#typing.set(id, typers);
    setTimeout(this.onChange, TYPING_MS + 50);
  }

  /**
   * Our own line often arrives as a frame before the request that sent it is answered: it must not show twice.
   * @param {string} id
   * @param {Item} frame
   */
  #settle(id, frame) {
    if (frame.Type !== "MESSAGE" || frame.ParticipantId !== this.chats.get(id)?.agentId) return;
    const waiting = this.pending.get(id) ?? [];
    const own = waiting.find((each) => each.text === frame.Content);
    if (own) this.pending.set(id, waiting.filter((each) => each !== own));
  }
}
