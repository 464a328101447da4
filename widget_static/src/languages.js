/**
 * The languages the widget speaks: which of them a visitor gets, and its strings, fetched when they
 * are needed. English comes with the panel, and is what is said when another cannot be had.
 *
 * @import { Strings } from "./words.js"
 */

import { en } from "./strings/en.js";
import { files } from "./strings/files.js";
import { canonical } from "./words.js";

const FETCHED_WITHIN_MS = 5_000;

/** @returns {string} what the page is in, if it says so and we speak it; else the visitor's own */
export const pageLocale = () => {
  const { lang } = document.documentElement;
  return spoken(lang) ? lang : (navigator.languages.find(spoken) ?? "en");
};

/**
 * @param {string} locale
 * @param {string} base folder of the scripts
 * @returns {Promise<Strings | null>} none for English, nor for a language that only the widget's own texts know; nothing at all if they cannot be had
 */
export const strings = async (locale, base) => {
  const file = files[/** @type {keyof typeof files} */ (languageOf(locale))];
  if (!file) return {};
  try {
    const signal = AbortSignal.timeout(FETCHED_WITHIN_MS);
    const answer = await fetch(base + file, { credentials: "omit", signal });
    return named(await answer.json());
  } catch {
    return null;
  }
};

/** In the files only the order tells which is which: names would be half of what is sent. @type {(texts: any[]) => Strings} */
const named = (texts) => Object.fromEntries(Object.keys(en).map((key, at) => [key, texts[at]]));

/** @type {(locale: string) => string} */
const languageOf = (locale) => canonical(locale)?.split("-")[0] ?? "";

/** @type {(locale: string) => boolean} */
const spoken = (locale) => ["en", ...Object.keys(files)].includes(languageOf(locale));
