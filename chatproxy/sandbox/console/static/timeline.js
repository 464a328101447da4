/**
 * The items of one chat, each Id once and in its newest version, in order of time. Pure: no page, no network.
 * Items and frames have the service's own shape.
 */

/** @typedef {Record<string, any>} Item as GetTranscript lists it, or as a websocket frame carries it */

const METADATA = "MESSAGEMETADATA";
const SHOWN_EVENTS = ["joined", "left", "invited", "ended", "succeeded", "failed", "idle", "returned",
  "autodisconnection", "initiated", "cancelled", "timeout", "expired", "rehydrated", "updated"];

export class Timeline {
  /** @type {Map<string, Item>} */
  #items = new Map();
  /** @type {Map<string, Map<string, Item>>} receipts by message, then by recipient */
  #receipts = new Map();

  /**
   * Take in a frame or an entry of the transcript.
   * @param {Item} item
   */
  add(item) {
    const metadata = item.MessageMetadata ?? {};
    for (const receipt of metadata.Receipts ?? []) this.#addReceipt(metadata.MessageId ?? item.Id, receipt);
    if (item.Type === METADATA || !isShown(item)) return;
    const known = this.#items.get(item.Id);
    if (metadata.MessageCompleted === false) this.#addChunk(known, item);
    else this.#items.set(item.Id, known ? { ...item, AbsoluteTime: known.AbsoluteTime } : item);
  }

  /** Oldest first; ties as they came. */
  get items() {
    const all = [...this.#items.values()];
    return all.sort((a, b) => compare(a.AbsoluteTime, b.AbsoluteTime));
  }

  /**
   * How far a message of `senderId` got with anybody else.
   * @param {string} messageId
   * @param {string} senderId
   * @returns {{state: "sent" | "delivered" | "read", at?: string}}
   */
  progress(messageId, senderId) {
    const others = [...(this.#receipts.get(messageId) ?? new Map())].filter(([id]) => id !== senderId);
    const read = others.find(([, receipt]) => receipt.ReadTimestamp);
    if (read) return { state: "read", at: read[1].ReadTimestamp };
    return { state: others.length ? "delivered" : "sent" };
  }

  /**
   * Whether `recipientId` has told that the message arrived, or was read.
   * @param {string} messageId
   * @param {string} recipientId
   * @param {"DeliveredTimestamp" | "ReadTimestamp"} what
   */
  hasReceipt(messageId, recipientId, what) {
    return Boolean(this.#receipts.get(messageId)?.get(recipientId)?.[what]);
  }

  /**
   * @param {string} messageId
   * @param {Item} receipt
   */
  #addReceipt(messageId, receipt) {
    const byRecipient = this.#receipts.get(messageId) ?? new Map();
    const known = byRecipient.get(receipt.RecipientParticipantId) ?? {};
    byRecipient.set(receipt.RecipientParticipantId, { ...known, ...receipt });
    this.#receipts.set(messageId, byRecipient);
  }

  /**
   * A chunk is the next piece of the text; pieces out of order are dropped, the final text repairs them.
   * @param {Item | undefined} known
   * @param {Item} chunk
   */
  #addChunk(known, chunk) {
    const number = chunk.MessageMetadata.ChunkNumber;
    if (!known) {
      if (number === 1) this.#items.set(chunk.Id, chunk);
    } else if (known.MessageMetadata?.MessageCompleted === false && number === known.MessageMetadata.ChunkNumber + 1) {
      this.#items.set(chunk.Id, { ...chunk, AbsoluteTime: known.AbsoluteTime, Content: known.Content + chunk.Content });
    }
  }
}

/** @param {Item} item */
export const isTyping = (item) => item.Type === "EVENT" && item.ContentType.endsWith(".typing");

/** @param {Item} item */
function isShown(item) {
  return item.Type !== "EVENT" || SHOWN_EVENTS.includes(item.ContentType.split(".").pop());
}

/**
 * @param {string} a
 * @param {string} b
 */
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
