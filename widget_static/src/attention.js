/**
 * What the visitor has seen: the count of what is unread, remembered across pages, and the receipts
 * the other side gets for it.
 *
 * @import { Inbox } from "./inbox.js"
 * @import { Memory } from "./memory.js"
 * @import { Signals } from "./signals.js"
 * @import { Line } from "./types.js"
 */

export class Attention {
  #own;
  #key;
  #inbox;
  #memory;
  #signals;

  /**
   * @param {string} own participant id of the visitor
   * @param {string} key of the chat
   * @param {Inbox} inbox
   * @param {Memory} memory
   * @param {Signals} signals
   */
  constructor(own, key, inbox, memory, signals) {
    this.#own = own;
    this.#key = key;
    this.#inbox = inbox;
    this.#memory = memory;
    this.#signals = signals;
  }

  /** How many messages have come since the visitor last looked. */
  get unread() {
    const seen = this.#memory.record.seen ?? 0;
    const { lines } = this.#inbox.transcript;
    return lines.filter((line) => line.at > seen && this.#inbox.incoming(line)).length;
  }

  /** @param {Line} line it is here, whether or not anybody looks */
  arrived(line) {
    const { read, delivered } = this.#acknowledged(line);
    if (this.#wantsReceipt(line) && !read && !delivered) this.#signals.delivered(line.Id);
  }

  /** The visitor looks at the newest lines. @param {boolean} tell the other side wants to know */
  seen(tell) {
    const { lines } = this.#inbox.transcript;
    const newest = lines.at(-1);
    if (newest && newest.at > (this.#memory.record.seen ?? 0))
      this.#memory.patchChat(this.#key, { seen: newest.at });
    const read = lines.findLast((line) => this.#wantsReceipt(line));
    if (tell && read && !this.#acknowledged(read).read) this.#signals.read(read.Id);
  }

  /** @type {(line: Line) => boolean} flows and bots of the service ask for no receipts */
  #wantsReceipt(line) {
    const person = line.ParticipantRole !== "SYSTEM" && line.chunk === undefined;
    return person && this.#inbox.incoming(line);
  }

  /** @param {Line} line */
  #acknowledged(line) {
    return this.#inbox.transcript.receipts.get(line.Id)?.get(this.#own) ?? {};
  }
}
