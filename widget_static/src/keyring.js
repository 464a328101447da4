/**
 * The keys of one chat: the session key it was opened with, and the connection key of the moment. A
 * call whose connection key is refused is made once more with a new one; however many ask, one new
 * key is fetched. After the first one, that is done only when the chat is seen to go on.
 *
 * @import { Api } from "./api.js"
 */

import { ApiProblem } from "./api.js";
import { StayAway } from "./socket.js";

export class Keyring {
  #api;
  #sessionKey;
  #hooks;
  #current = "";
  /** @type {Promise<string> | null} */
  #renewal = null;

  /**
   * @param {Api} api
   * @param {string} sessionKey
   * @param {object} hooks
   * @param {() => Promise<void>} hooks.look whether the chat goes on; rejects if it does not
   * @param {() => void} hooks.refused the session key itself buys nothing any more
   * @param {() => void} hooks.answered a call has come through
   */
  constructor(api, sessionKey, hooks) {
    this.#api = api;
    this.#sessionKey = sessionKey;
    this.#hooks = hooks;
  }

  get sessionKey() {
    return this.#sessionKey;
  }

  /** @type {() => Promise<string>} address of a new socket; the key that comes with it serves from now on */
  async address() {
    try {
      return (await this.#connect()).Websocket.Url;
    } catch (error) {
      if (isRefusal(error)) throw new StayAway();
      throw error;
    }
  }

  /** @type {() => Promise<string>} the connection key at hand, or a first one */
  async key() {
    return this.#current || this.newKey("");
  }

  /** @type {(refused: string) => Promise<string>} another key than the refused one */
  newKey(refused) {
    if (this.#current !== refused) return Promise.resolve(this.#current);
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  /**
   * Call with the connection key, once more with another if it is refused.
   *
   * @template T
   * @param {(key: string) => Promise<T>} call
   * @returns {Promise<T>}
   */
  async use(call) {
    const key = await this.key();
    const answer = await call(key).catch(async (error) => {
      if (!(error instanceof ApiProblem) || error.status !== 403) throw error;
      return call(await this.newKey(key));
    });
    this.#hooks.answered();
    return answer;
  }

  async #renew() {
    try {
      await this.#connect();
      return this.#current;
    } catch (error) {
      if (isRefusal(error)) this.#hooks.refused();
      throw error;
    }
  }

  async #connect() {
    if (this.#current) await this.#hooks.look();
    const connection = await this.#api.connection(this.#sessionKey);
    this.#current = connection.ConnectionCredentials.ConnectionToken;
    return connection;
  }
}

/** @type {(error: unknown) => boolean} asking again will not help */
const isRefusal = (error) => error instanceof ApiProblem && !error.repeatable;
