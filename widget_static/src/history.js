/**
 * The past, page by page: the newest lines at the beginning, older ones on demand, what was missed
 * after an interruption, and all of it when the chat is over.
 *
 * @import { Inbox } from "./inbox.js"
 * @import { Item, TranscriptPage } from "./types.js"
 */

import { ApiProblem } from "./api.js";

const PAGE = 30;
const GAP_PAGE = 100;
const GAP_PAGES = 10;

export class History {
  #ask;
  #whole;
  #inbox;
  #changed;
  #next = "";
  #loaded = false;
  more = false;
  loading = false;

  /**
   * @param {object} parts
   * @param {(place: object) => Promise<TranscriptPage>} parts.ask GetTranscript
   * @param {() => Promise<{ items: Item[] }>} parts.whole all of it, also after the end
   * @param {Inbox} parts.inbox
   * @param {() => void} parts.changed
   */
  constructor({ ask, whole, inbox, changed }) {
    this.#ask = ask;
    this.#whole = whole;
    this.#inbox = inbox;
    this.#changed = changed;
  }

  /** The newest lines: all that is known at first, later what was missed. @param {boolean} news */
  async catchUp(news) {
    if (this.#loaded) return this.#fillGap();
    const page = await this.#ask(request(PAGE, ""));
    this.#loaded = true;
    this.#setNext(page.NextToken);
    this.#inbox.take(page.Transcript, news);
  }

  /** The next older lines. @param {boolean} over the chat has ended, so only the record of it answers */
  async older(over) {
    if (!this.more || this.loading) return;
    this.loading = true;
    this.#changed();
    try {
      if (over) await this.everything();
      else await this.#olderPage();
    } finally {
      this.loading = false;
      this.#changed();
    }
  }

  async everything() {
    const { items } = await this.#whole();
    this.#loaded = true;
    this.#setNext("");
    this.#inbox.take(items, false);
  }

  async #olderPage() {
    const oldest = this.#inbox.transcript.lines[0];
    const page = await this.#ask(request(PAGE, this.#next)).catch((error) => {
      // A token can grow old; the oldest line says as well where we are.
      if (!oldest || !(error instanceof ApiProblem) || error.status !== 400) throw error;
      return this.#ask({ ...request(PAGE, ""), StartPosition: { Id: oldest.Id } });
    });
    this.#setNext(page.NextToken);
    this.#inbox.take(page.Transcript, false);
  }

  /** Back from the newest line to one we know. */
  async #fillGap() {
    /** @type {Item[]} */
    let missed = [];
    let next = "";
    for (let pages = 0; pages < GAP_PAGES; pages += 1) {
      const page = await this.#ask(request(GAP_PAGE, next));
      missed = [...page.Transcript, ...missed];
      next = page.NextToken ?? "";
      if (!next || page.Transcript.some(({ Id }) => this.#inbox.knows(Id)))
        return this.#inbox.take(missed, true);
    }
    this.#setNext(next);
    this.#inbox.replace(missed);
  }

  /** @param {string | undefined} next */
  #setNext(next) {
    this.#next = next ?? "";
    this.more = !!next;
    this.#changed();
  }
}

/** @type {(size: number, next: string) => object} */
const request = (size, next) => ({
  ScanDirection: "BACKWARD",
  SortOrder: "ASCENDING",
  MaxResults: size,
  ...(next ? { NextToken: next } : {}),
});
