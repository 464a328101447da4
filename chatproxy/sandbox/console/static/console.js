/**
 * The agent console's entry: connects what the sandbox tells (api) to what is known (store) to what is shown (lists,
 * transcript, composer), and keyboard and mouse to what can be done.
 */

import { aboutNodes } from "./about.js";
import { act, listen, loadChat, rename } from "./api.js";
import { Attention } from "./attention.js";
import { Composer } from "./composer.js";
import { avatar, el, icon, part } from "./dom.js";
import { Lists } from "./lists.js";
import { Receipts } from "./receipts.js";
import { Store } from "./store.js";
import { elapsed, timeOfDay } from "./times.js";
import { Transcript } from "./transcript.js";

/** @typedef {import("./store.js").Chat} Chat */
/** @typedef {import("./store.js").Pending} Pending */

const TOAST_MS = 5000;

let isRenderDue = false;
const store = new Store(() => {
  if (isRenderDue) return;
  isRenderDue = true;
  // Not a frame callback: a page in the background has none, and still has to tell that lines arrived.
  queueMicrotask(render);
});
const attention = new Attention();
const lists = new Lists(part("lists"), { onSelect: select, onAccept: (id) => perform(id, "accept") });
const transcript = new Transcript(
  { scroll: part("scroll"), lines: part("lines"), typing: part("typing"), newer: part("newer") },
  { onRetry: (pending) => send(pending), onDiscard: discard, onSeen: () => receipts.settle() },
);
const composer = new Composer(store, {
  onSend: (text, contentType) =>
    send({ token: crypto.randomUUID(), text, contentType, state: "sending", at: new Date().toISOString() }),
  onProblem: toast,
});
const receipts = new Receipts(store, () => document.hasFocus() && !document.hidden && transcript.isAtEnd);

// What the sandbox tells

listen({
  open: () => setLive(true),
  lost: () => setLive(false),
  overview: (overview) => {
    store.begin(overview);
    // Own chats are read at once, so that customers learn their lines arrived; the selected one, to be shown.
    for (const chat of store.chats.values()) {
      if (store.timelines.has(chat.id) || (chat.isMine && chat.state === "open")) load(chat.id);
    }
    if (store.selected === null) select(decodeURIComponent(location.hash.slice(1)) || null);
  },
  chat: (chat) => {
    const before = store.chats.get(chat.id);
    store.put(chat);
    if (before?.state !== chat.state) stateChanged(chat);
  },
  frame: ({ chat, frame }) => {
    store.hear(chat, frame);
    if (frame.ParticipantRole === "CUSTOMER" && frame.Type !== "EVENT") customerSaid(chat, frame);
  },
});

/** @param {boolean} isLive */
function setLive(isLive) {
  store.isLive = isLive;
  store.onChange();
}

/** @param {Chat} chat */
function stateChanged(chat) {
  if (chat.state === "waiting") {
    attention.say(`${chat.customer} is waiting`);
    attention.chime();
  }
  if (store.timelines.has(chat.id)) load(chat.id);
}

/**
 * @param {string} id
 * @param {Record<string, any>} frame
 */
function customerSaid(id, frame) {
  const chat = store.chats.get(id);
  if (!chat?.isMine) return;
  if (id !== store.selected || !document.hasFocus()) attention.chime();
  const text = frame.Type === "ATTACHMENT" ? "sent a file" : frame.Content;
  attention.say(`${chat.customer}: ${text}`);
}

// What the agent does

/** @param {string} id */
async function load(id) {
  store.expect(id);
  try {
    store.load(await loadChat(id));
  } catch (error) {
    if (!store.abouts.has(id)) store.timelines.delete(id);
    toast(error.message);
  }
}

/** @param {string | null} id */
function select(id) {
  const from = store.selected;
  const chat = id === null ? undefined : store.chats.get(id);
  store.select(chat ? chat.id : null);
  if (from !== store.selected) composer.change(from);
  history.replaceState(null, "", chat ? `#${encodeURIComponent(chat.id)}` : location.pathname);
  part("desk").dataset.view = chat ? "chat" : "list";
  if (!chat) return;
  if (!store.timelines.has(chat.id)) load(chat.id);
  // The box is there only after the page has been drawn for this chat.
  if (matchMedia("(pointer: fine)").matches) setTimeout(() => composer.focus());
}

/**
 * @param {string} id
 * @param {string} action
 */
async function perform(id, action) {
  try {
    await act(id, action);
    if (action === "accept") {
      await load(id);
      select(id);
    }
  } catch (error) {
    toast(error.message);
  }
}

/** @param {Pending} pending */
async function send(pending) {
  const id = store.selected;
  if (id === null) return;
  store.send(id, { ...pending, state: "sending" });
  transcript.toEnd();
  const { text, contentType, token } = pending;
  try {
    const { item } = await act(id, "message", { text, contentType, token });
    store.forget(id, token);
    store.hear(id, item);
  } catch (error) {
    store.send(id, { ...pending, state: "failed" });
    toast(error.message);
  }
}

/** @param {Pending} pending */
function discard(pending) {
  if (store.selected !== null) store.forget(store.selected, pending.token);
}

// What is shown

function render() {
  isRenderDue = false;
  const chat = store.chat;
  attention.count(store.wanted);
  lists.render(store);
  renderMe();
  part("offline").hidden = store.isLive || !store.name;
  part("talk").hidden = !chat;
  part("blank").hidden = Boolean(chat);
  if (chat) renderChat(chat);
  else renderBlank();
  receipts.settle();
}

function renderMe() {
  if (part("me-name").textContent !== store.name) {
    part("me-name").textContent = store.name;
    part("me-avatar").replaceChildren(avatar(store.name));
  }
  part("me-state").textContent = store.isLive ? "Ready" : "Connecting…";
  part("me-state").classList.toggle("is-live", store.isLive);
}

/** @param {Chat} chat */
function renderChat(chat) {
  if (part("who-name").textContent !== chat.customer || !part("who-avatar").hasChildNodes()) {
    part("who-name").textContent = chat.customer;
    part("who-avatar").replaceChildren(avatar(chat.customer));
  }
  renderState(chat);
  const isOpen = chat.state === "open" && chat.isMine;
  for (const id of ["to-queue", "to-bot", "end"]) part(id).hidden = !isOpen;
  part("end").hidden = chat.state === "ended";
  part("take").hidden = isOpen;
  part("accept").hidden = chat.state === "ended";
  part("accept").textContent = chat.state === "bot" ? "Take over" : "Take the chat";
  part("take-text").textContent = takeText(chat);
  composer.render(isOpen);
  transcript.render(store);
  renderAbout(chat);
}

/** @param {Chat} chat */
function renderState(chat) {
  const now = Date.now();
  part("who-state").textContent = {
    waiting: `Waiting for ${elapsed(chat.since, now)}`,
    open: `With you for ${elapsed(chat.since, now)}`,
    bot: "With the bot",
    ended: `Ended at ${timeOfDay(chat.since)}${chat.endedBy ? `, by ${chat.endedBy}` : ""}`,
  }[chat.state];
}

/** @param {Chat} chat */
function takeText(chat) {
  return {
    waiting: `${chat.customer} is waiting for a person.`,
    bot: "The bot is answering. You can watch, or step in.",
    ended: "This chat has ended. Its transcript stays until the sandbox stops.",
    open: "",
  }[chat.state];
}

/** @param {Chat} chat */
function renderAbout(chat) {
  const panel = part("about");
  const about = store.abouts.get(chat.id);
  if (panel.hidden || !about || panel.dataset.shown === JSON.stringify(about)) return;
  panel.dataset.shown = JSON.stringify(about);
  panel.replaceChildren(...aboutNodes(chat, about, () => toggleAbout(false)));
}

function renderBlank() {
  const waiting = store.inState("waiting")[0];
  const kind = waiting ? `waiting ${waiting.id}` : store.chats.size ? "chats" : "none";
  const blank = part("blank");
  if (blank.dataset.kind === kind) return;
  blank.dataset.kind = kind;
  if (waiting) {
    blank.replaceChildren(icon("headset"), el("h2", {}, `${waiting.customer} is waiting`),
      el("p", {}, "Take the chat to answer. The bot falls silent as soon as you join."),
      el("button", { type: "button", class: "button primary", on: { click: () => perform(waiting.id, "accept") } }, "Take the chat"));
  } else if (store.chats.size) {
    blank.replaceChildren(icon("cup"), el("h2", {}, "Nobody is waiting"),
      el("p", {}, "Choose a chat on the left, or step in where the bot is answering."));
  } else {
    blank.replaceChildren(icon("cup"), el("h2", {}, "No chats yet"),
      el("p", {}, "Start one on the demo page and write “agent” in it. It will show up here by itself."));
  }
}

/** @param {boolean} isOpen */
function toggleAbout(isOpen) {
  part("about").hidden = !isOpen;
  part("show-about").setAttribute("aria-expanded", String(isOpen));
  if (isOpen && store.chat) load(store.chat.id);
}

/** @param {string} sentence */
function toast(sentence) {
  const node = el("div", { class: "toast" }, icon("alert"), sentence);
  part("toasts").append(node);
  setTimeout(() => node.remove(), TOAST_MS);
}

// Buttons and keys

lists.onFold = () => store.onChange();
part("back").addEventListener("click", () => select(null));
part("accept").addEventListener("click", () => store.chat && perform(store.chat.id, "accept"));
part("to-bot").addEventListener("click", () => store.chat && perform(store.chat.id, "to-bot"));
part("to-queue").addEventListener("click", () => store.chat && perform(store.chat.id, "to-queue"));
part("show-about").addEventListener("click", () => toggleAbout(part("about").hidden));
part("show-keys").addEventListener("click", () => part("keys-dialog").showModal());
part("end").addEventListener("click", () => part("end-dialog").showModal());
part("end-dialog").addEventListener("close", () => {
  if (part("end-dialog").returnValue === "end" && store.chat) perform(store.chat.id, "end");
});
part("me").addEventListener("click", () => {
  part("name").value = store.name;
  part("name-dialog").showModal();
  part("name").select();
});
part("name-dialog").addEventListener("close", async () => {
  if (part("name-dialog").returnValue !== "save") return;
  try {
    store.name = (await rename(part("name").value)).name;
    store.onChange();
  } catch (error) {
    toast(error.message);
  }
});
for (const dialog of document.querySelectorAll("dialog")) {
  // A dialog left with Escape keeps the answer of the time before.
  dialog.addEventListener("cancel", () => { dialog.returnValue = ""; });
}
window.addEventListener("focus", () => receipts.settle());
document.addEventListener("visibilitychange", () => receipts.settle());

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  if (event.altKey && !event.ctrlKey && !event.metaKey) altKey(event);
  else if (event.key === "Escape") escape();
  else if (event.key === "?" && !event.target.closest("textarea, input")) part("keys-dialog").showModal();
});

/** @param {KeyboardEvent} event */
function altKey(event) {
  const chats = store.inOrder;
  const at = chats.findIndex((chat) => chat.id === store.selected);
  const wanted = chats.find((chat) => chat.id !== store.selected &&
    (chat.state === "waiting" || (chat.isMine && chat.state === "open" && chat.unread)));
  const action = {
    ArrowDown: () => select(chats[Math.min(at + 1, chats.length - 1)]?.id ?? null),
    ArrowUp: () => select(chats[Math.max(at - 1, 0)]?.id ?? null),
    KeyN: () => wanted && select(wanted.id),
    KeyA: () => {
      const chat = store.chat ?? store.inState("waiting")[0];
      if (chat && chat.state !== "ended" && !chat.isMine) perform(chat.id, "accept");
    },
  }[event.code];
  if (!action) return;
  event.preventDefault();
  action();
}

function escape() {
  if (composer.isMenuOpen) composer.closeMenu(true);
  else if (!part("about").hidden) toggleAbout(false);
  else if (store.chat) {
    const row = document.querySelector(`[data-chat="${CSS.escape(store.chat.id)}"]`);
    if (matchMedia("(max-width: 720px)").matches) select(null);
    /** @type {HTMLElement | null} */ (row)?.focus();
  }
}

setInterval(() => {
  lists.tick(store);
  if (store.chat) renderState(store.chat);
}, 1000);
