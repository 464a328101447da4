/**
 * The agent console's entry: connects what the sandbox tells (api) to what is known (store) to what is shown (lists,
 * transcript, composer), and keyboard and mouse to what can be done.
 */

import { act, listen, loadChat, rename } from "./api.js";
import { Attention } from "./attention.js";
import { Composer } from "./composer.js";
import { part } from "./dom.js";
import { bindKeys } from "./keys.js";
import { Lists } from "./lists.js";
import { Receipts } from "./receipts.js";
import { Screen } from "./screen.js";
import { Store } from "./store.js";
import { Transcript } from "./transcript.js";

/** @typedef {import("./store.js").Chat} Chat */
/** @typedef {import("./store.js").Pending} Pending */

let isRenderDue = false;
const store = new Store(() => {
  if (isRenderDue) return;
  isRenderDue = true;
  // Not a frame callback: a page in the background has none, and still has to tell that lines arrived.
  queueMicrotask(render);
});
const attention = new Attention();
const screen = new Screen({ onAccept: (id) => perform(id, "accept"), onAbout: load });
const lists = new Lists(part("lists"), { onSelect: select, onAccept: (id) => perform(id, "accept") });
const transcript = new Transcript(
  { scroll: part("scroll"), lines: part("lines"), typing: part("typing"), newer: part("newer") },
  { onRetry: (pending) => send(pending), onDiscard: discard, onSeen: () => receipts.settle() },
);
const composer = new Composer(store, {
  onSend: (text, contentType) =>
    send({ token: crypto.randomUUID(), text, contentType, state: "sending", at: new Date().toISOString() }),
  onProblem: (sentence) => screen.toast(sentence),
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
  attention.say(frame.ContentType?.startsWith("text/")
    ? `${chat.customer}: ${frame.Content}`
    : `${chat.customer} sent ${frame.Type === "ATTACHMENT" ? "a file" : "an answer"}`);
}

// What the agent does

/** @param {string} id */
async function load(id) {
  store.expect(id);
  try {
    store.load(await loadChat(id));
  } catch (error) {
    if (!store.abouts.has(id)) store.timelines.delete(id);
    screen.toast(sentenceOf(error));
  }
}

/** @param {string | null} id */
function select(id) {
  const from = store.selected;
  const chat = id === null ? undefined : store.chats.get(id);
  store.select(chat ? chat.id : null);
  if (from !== store.selected) composer.change(from);
  history.replaceState(null, "", chat ? `#${encodeURIComponent(chat.id)}` : location.pathname);
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
    screen.toast(sentenceOf(error));
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
    screen.toast(sentenceOf(error));
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
  screen.render(store);
  composer.render(chat?.state === "open" && chat.isMine);
  transcript.render(store);
  receipts.settle();
}

/** @param {unknown} error */
const sentenceOf = (error) => (error instanceof Error ? error.message : String(error));

// Buttons and keys

lists.onFold = () => store.onChange();
part("back").addEventListener("click", () => select(null));
part("accept").addEventListener("click", () => store.chat && perform(store.chat.id, "accept"));
part("to-bot").addEventListener("click", () => store.chat && perform(store.chat.id, "to-bot"));
part("to-queue").addEventListener("click", () => store.chat && perform(store.chat.id, "to-queue"));
part("show-about").addEventListener("click", () => screen.toggleAbout(!screen.isAboutOpen, store.selected));
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
part("name-cancel").addEventListener("click", () => part("name-dialog").close(""));
part("name-dialog").addEventListener("close", async () => {
  if (part("name-dialog").returnValue !== "save") return;
  try {
    store.name = (await rename(part("name").value)).name;
    store.onChange();
  } catch (error) {
    screen.toast(sentenceOf(error));
  }
});
for (const dialog of document.querySelectorAll("dialog")) {
  // A dialog left with Escape keeps the answer of the time before.
  dialog.addEventListener("cancel", () => { dialog.returnValue = ""; });
}
window.addEventListener("focus", () => receipts.settle());
document.addEventListener("visibilitychange", () => receipts.settle());

bindKeys(store, { composer, screen, onSelect: select, onAccept: (id) => perform(id, "accept") });

setInterval(() => {
  lists.tick(store);
  if (store.chat) screen.showState(store.chat);
}, 1000);
