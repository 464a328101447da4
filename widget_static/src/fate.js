/**
 * What has become of a chat, as the server knows it. Looked at before anything is asked of a chat we
 * have lost sight of: one that is over answers 403, which browsers write to the page's console.
 *
 * @import { Clock, Failure, SessionInfo } from "./types.js"
 */

import { ApiProblem } from "./api.js";

const END_TRIES = 4;
/** @type {Failure} */
export const CHAT_OVER = { reason: "chatOver", repeatable: false };

/**
 * @typedef {object} FateHooks
 * @property {() => Promise<SessionInfo>} ask
 * @property {() => void} goesOn
 * @property {() => void} left the visitor has left it, here or elsewhere; last words may still come
 * @property {() => void} over
 * @property {(error: unknown) => void} unknown nobody could say
 */

export class Fate {
  /** @type {SessionInfo | null} the newest we have */
  info = null;
  #hooks;
  #clock;
  #over = false;
  #closed = false;
  /** @type {Promise<void> | null} */
  #looking = null;
  /** @type {() => void} */
  #cancel = () => {};

  /** @param {FateHooks} hooks @param {Clock} clock */
  constructor(hooks, clock) {
    this.#hooks = hooks;
    this.#clock = clock;
  }

  /** @param {SessionInfo} info */
  learn(info) {
    this.info = info;
    if (isOver(info)) this.#hooks.over();
    else if (info.state === "leaving") this.#hooks.left();
    else this.#hooks.goesOn();
  }

  /** Resolves if the chat goes on; rejects if it does not, or if nobody can say. */
  async mustGoOn() {
    if (!this.#over) await this.#look();
    if (this.#over) throw new ApiProblem({ ...CHAT_OVER, status: 410 });
  }

  /** Look, and leave it at that. */
  check() {
    return this.mustGoOn().catch(() => {});
  }

  /** @param {number} ms */
  checkIn(ms) {
    this.#cancel();
    if (!this.#over) this.#cancel = this.#clock.later(() => void this.check(), ms);
  }

  /** It is over, however we know. */
  settle() {
    this.#over = true;
    this.#cancel();
  }

  /** Nobody wants to know any more. */
  close() {
    this.#closed = true;
    this.settle();
  }

  /** By whom and when it ended. The frame that told us may be faster than the server's own record of it. */
  async learnEnd() {
    for (let tries = 0; tries < END_TRIES && !this.info?.endedAt && !this.#closed; tries += 1) {
      if (tries) await new Promise((resolve) => this.#clock.later(() => resolve(null), 1_000));
      this.info = await this.#hooks.ask();
    }
  }

  /** However many want to know, it is asked once. */
  #look() {
    this.#looking ??= this.#hooks
      .ask()
      .then(
        (info) => this.learn(info),
        (error) => {
          this.#hooks.unknown(error);
          throw error;
        },
      )
      .finally(() => (this.#looking = null));
    return this.#looking;
  }
}

/** @type {(info: SessionInfo) => boolean} perhaps not written down yet: then its state lags behind */
export const isOver = ({ can }) => !can.resume;
