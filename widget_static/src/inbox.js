/**
 * What comes in, from wherever it comes: frames, pages, answers to our own sends. Keeps the
 * transcript, joins own messages with the bubbles they began as, and says what is news.
 *
 * @import { Clock, Entry, Item, Line, Transcript } from "./types.js"
 */

import * as told from "./transcript.js";

/**
 * @typedef {object} InboxHooks
 * @property {(item: { Id: string, Content: string, at: number }) => string} claim token of the entry an
 *   own message is taken for, or ""
 * @property {(attachment: string) => void} attached
 * @property {(line: Line) => void} arrived news: said once, a streamed text when it is complete
 * @property {() => void} ended
 * @property {() => void} changed
 */

export class Inbox {
  #transcript = told.emptyTranscript();
  #own;
  #hooks;
  #clock;
  /** @type {() => void} */
  #cancelTyping = () => {};

  /**
   * @param {string} own participant id of the visitor
   * @param {InboxHooks} hooks
   * @param {Clock} clock
   */
  constructor(own, hooks, clock) {
    this.#own = own;
    this.#hooks = hooks;
    this.#clock = clock;
  }

  get transcript() {
    return this.#transcript;
  }

  /** Something another party said. @param {Line} line */
  incoming(line) {
    return told.isMessage(line) && line.ParticipantId !== this.#own;
  }

  /** @param {string} id */
  knows(id) {
    return told.lineById(this.#transcript, id) !== undefined;
  }

  /**
   * Take items in, in the order they came.
   *
   * @param {readonly Item[]} items
   * @param {boolean} news whether somebody should hear of them
   */
  take(items, news) {
    const before = this.#transcript;
    for (const item of items) {
      if (told.isEvent(item, "typing")) this.#typed(item);
      else this.#transcript = told.withItem(this.#transcript, this.#matched(item));
    }
    this.#hooks.changed();
    for (const id of new Set(items.map((item) => item.Id))) this.#noticed(id, before, news);
    if (items.some((item) => told.isEvent(item, "chat.ended"))) this.#hooks.ended();
  }

  /** Begin again from here: what was known hangs above a gap nobody could fill. @param {readonly Item[]} items */
  replace(items) {
    this.#transcript = told.emptyTranscript();
    this.take(items, true);
  }

  /**
   * One of our messages is in: its bubble becomes a line, unless the echo was faster.
   *
   * @param {Entry} entry
   * @param {{ Id: string, AbsoluteTime: string }} accepted
   */
  sent(entry, { Id, AbsoluteTime }) {
    const known = told.lineById(this.#transcript, Id);
    const item = {
      ...{ Id, AbsoluteTime, Type: /** @type {const} */ ("MESSAGE") },
      ...{ ContentType: entry.contentType, Content: entry.content },
      ...{ ParticipantId: this.#own, ParticipantRole: /** @type {const} */ ("CUSTOMER") },
    };
    if (!known) this.#transcript = told.withItem(this.#transcript, item);
    this.#transcript = withToken(this.#transcript, Id, entry.token);
    this.#hooks.changed();
    if (!known) this.#noticed(Id, told.emptyTranscript(), true);
  }

  /** Nobody types in a chat that is over. */
  stop() {
    this.#cancelTyping();
    this.#transcript = { ...this.#transcript, typing: new Map() };
  }

  /** @type {(item: Item) => Item} with the token of its bubble, if it is an own message that is in the air */
  #matched(item) {
    const own = item.ParticipantId === this.#own && item.Type === "MESSAGE";
    if (!own || this.knows(item.Id)) return item;
    const at = Date.parse(item.AbsoluteTime);
    const clientToken = this.#hooks.claim({ Id: item.Id, Content: item.Content ?? "", at });
    return clientToken ? /** @type {Item} */ ({ ...item, clientToken }) : item;
  }

  /**
   * @param {string} id
   * @param {Transcript} before
   * @param {boolean} news
   */
  #noticed(id, before, news) {
    const line = told.lineById(this.#transcript, id);
    const known = told.lineById(before, id);
    if (!line || line === known || line.chunk !== undefined) return;
    for (const one of line.Attachments ?? []) this.#hooks.attached(one.AttachmentId);
    if (news && (!known || known.chunk !== undefined)) this.#hooks.arrived(line);
  }

  /** @param {Item} item */
  #typed(item) {
    if (item.ParticipantId === this.#own) return;
    this.#transcript = told.withTyping(this.#transcript, item, this.#clock.now());
    this.#forgetTypingInTime();
  }

  #forgetTypingInTime() {
    this.#cancelTyping();
    const ends = [...this.#transcript.typing.values()].map((typist) => typist.until);
    if (!ends.length) return;
    this.#cancelTyping = this.#clock.later(() => {
      this.#transcript = told.withoutStaleTyping(this.#transcript, this.#clock.now());
      this.#hooks.changed();
      this.#forgetTypingInTime();
    }, Math.min(...ends) - this.#clock.now() + 1);
  }
}

/**
 * The line `id` is the message sent with `token`; a line that was taken for it by mistake (another tab
 * said the same words) is not.
 *
 * @type {(transcript: Transcript, id: string, token: string) => Transcript}
 */
const withToken = (transcript, id, token) => ({
  ...transcript,
  lines: transcript.lines.map((line) => {
    if (line.Id === id) return { ...line, clientToken: token };
    if (line.clientToken !== token) return line;
    const { clientToken: _mistaken, ...rest } = line;
    return rest;
  }),
});
