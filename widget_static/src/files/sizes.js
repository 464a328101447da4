/**
 * Sizes of files as this visitor reads them.
 *
 * @import { Words } from "../words.js"
 */

/** @type {(bytes: number, words: Words, roundingMode?: "floor" | "halfExpand") => string} of a limit the floor: what is said to fit must fit */
export const size = (bytes, words, roundingMode = "halfExpand") => {
  const unit = bytes < 1_000_000 ? "kilobyte" : "megabyte";
  const value = Math.max(bytes / (unit === "kilobyte" ? 1_000 : 1_000_000), 0.1);
  const format = { style: "unit", unit, roundingMode, maximumFractionDigits: value < 10 ? 1 : 0 };
  return new Intl.NumberFormat(words.locale, /** @type {any} */ (format)).format(value);
};
