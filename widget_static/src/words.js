/**
 * Words and dates as this visitor reads them. Knows the language and the widget's own texts,
 * nothing of where they are shown.
 *
 * @import { Failure } from "./types.js"
 */

import { en } from "./strings/en.js";

/** @typedef {typeof import("./strings/en.js")} English */
/** @typedef {keyof English["en"] | keyof English["cards"] | keyof English["files"] | keyof English["ending"] | keyof English["views"]} Key */
/** @typedef {Record<string, string | Record<string, string>>} Strings texts by key; plurals by category */

const RIGHT_TO_LEFT = /^(ar|fa|he|ur)\b/;

export class Words {
  /** @type {Strings} */
  #texts = {};
  #own;
  /** BCP 47; the browser's own without. @type {string | undefined} */
  locale;
  #plurals;

  /** @param {{ texts?: Strings, strings?: unknown[] | null, locale?: string | null }} [from] the widget's own texts; those of the visitor's language, English without; BCP 47, the browser's by default */
  constructor({ texts = {}, strings = null, locale = null } = {}) {
    this.#own = texts;
    this.locale = canonical(locale);
    /** What the texts are in; English where those of the locale are not there. */
    this.language = (strings && this.locale) || "en";
    this.#plurals = new Intl.PluralRules(this.language);
    this.learn(en, strings);
  }

  /** Take in what a part says. @param {Strings} english @param {unknown[] | null} strings in the same order: names would be half of what is sent */
  learn(english, strings) {
    const texts = Object.keys(english).map((key, at) => [key, strings?.[at] ?? english[key]]);
    this.#texts = { ...this.#texts, ...Object.fromEntries(texts), ...this.#own };
  }

  /** @returns {"rtl" | "ltr"} */
  get direction() {
    return RIGHT_TO_LEFT.test(this.language) ? "rtl" : "ltr";
  }

  /** @type {(key: Key, values?: Record<string, string | number>) => string} */
  say(key, values = {}) {
    const found = this.#texts[key] ?? key;
    const text = typeof found === "string" ? found : this.#form(found, Number(values.count));
    return text.replace(/\{(\w+)\}/g, (all, name) => `${values[name]?.toLocaleString(this.locale) ?? all}`);
  }

  /** @type {(forms: Record<string, string>, count: number) => string} */
  #form(forms, count) {
    return forms[this.#plurals.select(count)] ?? forms.other ?? "";
  }

  /** Why something failed and what to do: the server's own sentence where it knows more than we. @param {Failure} failure */
  failure({ reason, detail }) {
    if (reason === "refused" && detail) return detail;
    return this.say(/** @type {Key} */ (reason in this.#texts ? reason : "serverFailed"));
  }

  /** @param {number} at milliseconds @returns {string} time of day */
  time(at) {
    return this.format(at, { timeStyle: "short" });
  }

  /** @param {number} at milliseconds @param {Intl.DateTimeFormatOptions} options @returns {string} */
  format(at, options) {
    return new Date(at).toLocaleString(this.locale, options);
  }

  /** @param {number} at milliseconds @param {number} now @returns {string} */
  day(at, now) {
    const days = Math.round((midnight(now) - midnight(at)) / 86_400_000);
    if (days === 0) return this.say("today");
    if (days === 1) return this.say("yesterday");
    const year = new Date(at).getFullYear() === new Date(now).getFullYear() ? {} : { year: "numeric" };
    const format = { weekday: "long", day: "numeric", month: "long", ...year };
    return this.format(at, /** @type {any} */ (format));
  }
}

/** @type {(at: number) => number} */
const midnight = (at) => new Date(at).setHours(0, 0, 0, 0);

/** @type {(locale: string | null) => string | undefined} nothing for one the browser cannot read */
export const canonical = (locale) => {
  try {
    return locale ? Intl.getCanonicalLocales(locale.replace("_", "-"))[0] : undefined;
  } catch {
    return undefined;
  }
};
