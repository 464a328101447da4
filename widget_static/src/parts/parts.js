/**
 * Parts of the panel that few visitors meet: each a script of its own, fetched when it is first
 * needed. Until it is there, and while it cannot be had, those who need it do without.
 *
 * @import { Clock, PartsByName } from "../types.js"
 */

import { releases } from "./releases.js";

/** Milliseconds until a part is asked for again; then not before the network has been away and back. */
const AGAIN_MS = [1_000, 4_000, 15_000];

/** @typedef {keyof PartsByName} Name */
/** @typedef {(name: Name, release: { file: string, integrity: string }) => Promise<any>} Bring */

export class Parts {
  /** Null: it could not be had. @type {{ [Each in Name]?: PartsByName[Each] | null }} */
  #there = {};
  /** @type {{ [Each in Name]?: Promise<void> | undefined }} */
  #coming = {};
  #bring;
  #clock;
  /** What happens when a part has come, or will not. */
  arrived = () => {};

  /**
   * @param {Bring} bring
   * @param {Clock} clock
   */
  constructor(bring, clock) {
    this.#bring = bring;
    this.#clock = clock;
  }

  /** Style sheets of the parts that are there. */
  get sheets() {
    return Object.values(this.#there).flatMap((part) => part?.sheets ?? []);
  }

  /** @template {Name} Each @param {Each} name @returns {PartsByName[Each] | null | undefined} undefined while it is on its way */
  need(name) {
    if (this.#there[name] === undefined) void this.load(name);
    return this.#there[name];
  }

  /** @template {Name} Each @param {Each} name @returns {Promise<PartsByName[Each] | null | undefined>} */
  async load(name) {
    await (this.#coming[name] ??= this.#fetch(name));
    return this.#there[name];
  }

  /** The network is back: what could not be had may be asked for. */
  forgive() {
    for (const name of /** @type {Name[]} */ (Object.keys(this.#there)))
      if (!this.#there[name]) delete this.#there[name];
  }

  /** @param {Name} name */
  async #fetch(name) {
    for (const wait of [0, ...AGAIN_MS]) {
      if (wait) await new Promise((resolve) => this.#clock.later(() => resolve(null), wait));
      try {
        this.#there[name] = await this.#bring(name, releases[name]);
        return this.arrived();
      } catch {}
    }
    this.#there[name] = null;
    this.#coming[name] = undefined;
    this.arrived();
  }
}
