/**
 * The part for the end of a chat: fetched when a visitor wants to end it, it hands itself to the
 * element, as the panel does.
 *
 * @import { EndingPart } from "./types.js"
 */

import { question } from "./ending/question.js";
import { ending as texts } from "./strings/en.js";
import sheet from "./ending/ending.css" with { type: "css" };

/** @type {EndingPart} */
const ending = { sheets: [sheet], texts, question };

const element = /** @type {any} */ (customElements.get("chatproxy-widget"));
if (element) element.ending = ending;
