/**
 * Which files may be sent: said before they travel.
 *
 * @import { WidgetConfig } from "../types.js"
 * @import { Words } from "../words.js"
 */

import { size as sizeOf } from "./sizes.js";

/** @type {(file: Pick<File, "name" | "type" | "size">, config: WidgetConfig, words: Words) => string} why a file cannot be sent, "" if it can */
export const refusal = ({ name, type, size }, config, words) => {
  const { attachmentTypes: types, attachmentMaxBytes: most } = config;
  const ending = `.${name.split(".").at(-1)?.toLowerCase()}`;
  const matches = (/** @type {string} */ one) =>
    one === type || (one.startsWith(".") ? one : `.${one}`) === ending;
  if (!size) return words.say("fileEmpty");
  if (size > most) return words.say("fileTooLarge", { size: sizeOf(most, words, "floor") });
  return !types.length || types.some(matches) ? "" : words.say("fileType");
};
