/** Everything around lists and transcript: who is shown and how they stand, the empty page, the panel, the agent. */

import { aboutNodes } from "./about.js";
import { avatar, el, icon, part } from "./dom.js";
import { elapsed, timeOfDay } from "./times.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").Chat} Chat */

const TOAST_MS = 5000;

/** @type {Record<string, string>} */
const ENDED_BY = { agent: " by the agent", customer: " by the customer", expiry: ": its time was over" };

export class Screen {
  /** @param {{onAccept: (id: string) => void, onAbout: (id: string) => void}} callbacks */
  constructor({ onAccept, onAbout }) {
    this.onAccept = onAccept;
    this.onAbout = onAbout;
  }

  /** @param {Store} store */
  render(store) {
    const chat = store.chat;
    this.#agent(store);
    part("offline").hidden = store.isLive || !store.name;
    part("talk").hidden = !chat;
    part("blank").hidden = Boolean(chat);
    part("desk").dataset.view = chat ? "chat" : "list";
    if (!chat) {
      this.#blank(store);
      return;
    }
    this.#head(chat);
    this.#take(chat);
    this.#about(chat, store.abouts.get(chat.id));
  }

  /**
   * How the chat stands; runs on, so it is called once a second as well.
   * @param {Chat} chat
   */
  showState(chat) {
    const now = Date.now();
    part("who-state").textContent = {
      waiting: `Waiting for ${elapsed(chat.since, now)}`,
      open: `With you for ${elapsed(chat.since, now)}`,
      bot: "With the bot",
      ended: `Ended at ${timeOfDay(chat.since)}${ENDED_BY[chat.endedBy ?? ""] ?? ""}`,
    }[chat.state];
  }

  get isAboutOpen() {
    return !part("about").hidden;
  }

  /**
   * @param {boolean} isOpen
   * @param {string | null} id the chat that is shown
   */
  toggleAbout(isOpen, id) {
    part("about").hidden = !isOpen;
    part("show-about").setAttribute("aria-expanded", String(isOpen));
    if (isOpen && id !== null) this.onAbout(id);
    else if (!isOpen) part("show-about").focus();
  }

  /** @param {string} sentence */
  toast(sentence) {
    const node = el("div", { class: "toast" }, icon("alert"), sentence);
    part("toasts").append(node);
    setTimeout(() => node.remove(), TOAST_MS);
  }

  /** @param {Store} store */
  #agent(store) {
    if (part("me-name").textContent !== store.name) {
      part("me-name").textContent = store.name;
      part("me-avatar").replaceChildren(avatar(store.name));
    }
    part("me-state").textContent = store.isLive ? "Ready" : "Connecting…";
    part("me-state").classList.toggle("is-live", store.isLive);
  }

  /** @param {Chat} chat */
  #head(chat) {
    if (part("who-name").textContent !== chat.customer || !part("who-avatar").hasChildNodes()) {
      part("who-name").textContent = chat.customer;
      part("who-avatar").replaceChildren(avatar(chat.customer));
    }
    this.showState(chat);
    const isMine = chat.state === "open" && chat.isMine;
    part("to-queue").hidden = !isMine;
    part("to-bot").hidden = !isMine;
    part("end").hidden = chat.state === "ended";
  }

  /** @param {Chat} chat */
  #take(chat) {
    part("take").hidden = chat.state === "open" && chat.isMine;
    part("accept").hidden = chat.state === "ended";
    part("accept").textContent = chat.state === "bot" ? "Take over" : "Take the chat";
    part("take-text").textContent = {
      waiting: `${chat.customer} is waiting for a person.`,
      bot: "The bot is answering. You can watch, or step in.",
      ended: "This chat has ended. Its transcript stays until the sandbox stops.",
      open: "",
    }[chat.state];
  }

  /**
   * @param {Chat} chat
   * @param {Record<string, any> | undefined} about
   */
  #about(chat, about) {
    const panel = part("about");
    const shown = JSON.stringify([chat.id, about]);
    if (panel.hidden || !about || panel.dataset.shown === shown) return;
    panel.dataset.shown = shown;
    panel.replaceChildren(...aboutNodes(chat, about, () => this.toggleAbout(false, null)));
  }

  /** @param {Store} store */
  #blank(store) {
    const waiting = store.inState("waiting")[0];
    const blank = part("blank");
    const kind = waiting ? `waiting ${waiting.id}` : store.chats.size ? "chats" : "none";
    if (blank.dataset.kind === kind) return;
    blank.dataset.kind = kind;
    const button = waiting && el("button",
      { type: "button", class: "button primary", on: { click: () => this.onAccept(waiting.id) } }, "Take the chat");
    const [name, title, text] = waiting
      ? ["headset", `${waiting.customer} is waiting`, "Take the chat to answer. The bot falls silent as soon as you join."]
      : store.chats.size
        ? ["cup", "Nobody is waiting", "Choose a chat on the left, or step in where the bot is answering."]
        : ["cup", "No chats yet", "Start one on the demo page and write “agent” in it. It will show up here by itself."];
    blank.replaceChildren(icon(name), el("h2", {}, title), el("p", {}, text), ...(button ? [button] : []));
  }
}
