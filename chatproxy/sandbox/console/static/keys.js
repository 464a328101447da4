/** The keyboard: moving between chats, taking one, closing what is open, and the list of keys itself. */

import { part } from "./dom.js";

/** @typedef {import("./store.js").Store} Store */

/**
 * @typedef {Object} Bound
 * @property {import("./composer.js").Composer} composer
 * @property {import("./screen.js").Screen} screen
 * @property {(id: string | null) => void} onSelect
 * @property {(id: string) => void} onAccept
 */

/**
 * @param {Store} store
 * @param {Bound} bound
 */
export function bindKeys(store, bound) {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    if (event.altKey && !event.ctrlKey && !event.metaKey) altKey(event, store, bound);
    else if (event.key === "Escape") escape(store, bound);
    else if (event.key === "?" && !document.activeElement?.matches("textarea, input")) part("keys-dialog").showModal();
  });
}

/**
 * By the place of the key, not its letter: with Alt, some keyboards write another one.
 * @param {KeyboardEvent} event
 * @param {Store} store
 * @param {Bound} bound
 */
function altKey(event, store, { onSelect, onAccept }) {
  const chats = store.inOrder;
  const at = chats.findIndex((chat) => chat.id === store.selected);
  const wanted = chats.find((chat) => chat.id !== store.selected &&
    (chat.state === "waiting" || (chat.isMine && chat.state === "open" && chat.unread)));
  const takeable = store.chat ?? store.inState("waiting")[0];
  /** @type {Record<string, () => void>} */
  const actions = {
    ArrowDown: () => onSelect(chats[Math.min(at + 1, chats.length - 1)]?.id ?? null),
    ArrowUp: () => onSelect(chats[Math.max(at - 1, 0)]?.id ?? null),
    KeyN: () => wanted && onSelect(wanted.id),
    KeyA: () => takeable && takeable.state !== "ended" && !takeable.isMine && onAccept(takeable.id),
  };
  const action = actions[event.code];
  if (!action) return;
  event.preventDefault();
  action();
}

/**
 * Closes one thing at a time: the menu, the panel, on a phone the chat; else the focus goes to the list.
 * @param {Store} store
 * @param {Bound} bound
 */
function escape(store, { composer, screen, onSelect }) {
  const chat = store.chat;
  if (composer.isMenuOpen) composer.closeMenu(true);
  else if (screen.isAboutOpen) screen.toggleAbout(false, null);
  else if (chat) {
    /** @type {HTMLElement | null} */
    const row = document.querySelector(`[data-chat="${CSS.escape(chat.id)}"]`);
    if (matchMedia("(max-width: 720px)").matches) onSelect(null);
    row?.focus();
  }
}
