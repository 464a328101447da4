/**
 * The languages the widget speaks: which of them a visitor gets, and its strings, fetched when they
 * are needed. English comes with what says it, and is what is said when another cannot be had.
 */

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
 * @param {string} group who says them
 * @returns {Promise<unknown[] | null>} in the order of the English ones; none for English, nor for a language that only the widget's own texts know; nothing at all if they cannot be had
 */
export const strings = async (locale, base, group) => {
  const language = languageOf(locale);
  const hash = files.hashes[/** @type {keyof typeof files.hashes} */ (group)];
  if (!hash || !files.languages.includes(language)) return [];
  try {
    const signal = AbortSignal.timeout(FETCHED_WITHIN_MS);
    const address = `${base}strings.${group}.${language}.${hash}.json`;
    return await (await fetch(address, { credentials: "omit", signal })).json();
  } catch {
    return null;
  }
};

/** @type {(locale: string) => string} */
const languageOf = (locale) => canonical(locale)?.split("-")[0] ?? "";

/** @type {(locale: string) => boolean} */
const spoken = (locale) => ["en", ...files.languages].includes(languageOf(locale));
