/** Tells customers that their lines arrived (when this page shows the chat) and were read (when somebody looks). */

import { act } from "./api.js";

/** @typedef {import("./store.js").Store} Store */

export class Receipts {
  /** @type {Map<string, "delivered" | "read">} what was told, by message */
  #told = new Map();

  /**
   * @param {Store} store
   * @param {() => boolean} isLooking whether the end of the selected chat is in front of somebody's eyes
   */
  constructor(store, isLooking) {
    this.store = store;
    this.isLooking = isLooking;
  }

  /** Tell what has not been told; cheap when there is nothing, so call it after every change. */
  settle() {
    for (const [id, timeline] of this.store.timelines) {
      const chat = this.store.chats.get(id);
      if (!chat || chat.state === "ended") continue;
      const isRead = id === this.store.selected && this.isLooking();
      const last = timeline.items.findLast((item) => item.ParticipantId === chat.customerId && item.Type !== "EVENT");
      if (last && (chat.isMine || isRead)) this.#tell(id, last.Id, isRead, chat.isMine);
    }
  }

  /**
   * The newest line only: having read it means having read all before.
   * @param {string} id
   * @param {string} messageId
   * @param {boolean} isRead
   * @param {boolean} isMine
   */
  #tell(id, messageId, isRead, isMine) {
    const key = `${messageId} ${isMine}`;
    const told = this.#told.get(key);
    if (told === "read" || (told === "delivered" && !isRead)) return;
    this.#told.set(key, isRead ? "read" : "delivered");
    act(id, "receipt", { messageId, isRead }).catch(() => this.#told.delete(key));
  }
}
