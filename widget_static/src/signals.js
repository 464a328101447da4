/**
 * What we tell the other side without words: typing, delivered, read. All of it may be lost, so
 * nothing is tried twice; and it is sent seldom, because an instance's messages share its quota.
 *
 * @import { Clock } from "./types.js"
 */

const EVENT = "application/vnd.amazonaws.connect.event.";
const TYPING_EVERY_MS = 10_000;
const RECEIPT_EVERY_MS = 5_000;
/** A read often follows a delivered at once; waiting this long saves one of the two. */
const RECEIPT_SETTLES_MS = 300;

export class Signals {
  #send;
  #clock;
  #typedAt = -Infinity;
  #receiptAt = -Infinity;
  #delivered = "";
  #read = "";
  /** @type {(() => void) | null} */
  #cancel = null;
  /** Sent already, `kind:id`. */
  #done = new Set();

  /**
   * @param {(event: { ContentType: string, Content?: string }) => void} send
   * @param {Clock} clock
   */
  constructor(send, clock) {
    this.#send = send;
    this.#clock = clock;
  }

  /** The visitor is typing: told at most once in 10 s, and anew after each message. */
  typing() {
    if (this.#clock.now() - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = this.#clock.now();
    this.#send({ ContentType: `${EVENT}typing` });
  }

  /** A message went out, which ends "is typing" on the other side. */
  said() {
    this.#typedAt = -Infinity;
  }

  /** @param {string} id newest message that has arrived */
  delivered(id) {
    if (this.#done.has(`delivered:${id}`) || this.#done.has(`read:${id}`)) return;
    this.#delivered = id;
    this.#arm();
  }

  /** @param {string} id newest message that was seen; all before it count as read too */
  read(id) {
    if (this.#done.has(`read:${id}`)) return;
    this.#read = id;
    this.#arm();
  }

  stop() {
    this.#cancel?.();
    this.#cancel = null;
    this.#delivered = this.#read = "";
  }

  #arm() {
    if (this.#cancel) return;
    const pause = this.#receiptAt + RECEIPT_EVERY_MS - this.#clock.now();
    this.#cancel = this.#clock.later(() => this.#flush(), Math.max(RECEIPT_SETTLES_MS, pause));
  }

  #flush() {
    this.#cancel = null;
    this.#receiptAt = this.#clock.now();
    const both = this.#delivered === this.#read;
    if (this.#delivered && !both) this.#receipt("delivered", this.#delivered);
    if (this.#read) this.#receipt("read", this.#read);
    this.#delivered = this.#read = "";
  }

  /**
   * @param {"delivered" | "read"} kind
   * @param {string} id
   */
  #receipt(kind, id) {
    this.#done.add(`${kind}:${id}`);
    this.#send({
      ContentType: `${EVENT}message.${kind}`,
      Content: JSON.stringify({ messageId: id }),
    });
  }
}
