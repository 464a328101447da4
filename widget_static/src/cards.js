/**
 * The part that shows interactive messages: fetched when the first one comes, it hands itself to the
 * element, as the panel does.
 *
 * @import { CardsPart } from "./types.js"
 */

import { draw, optionWords } from "./cards/draw.js";
import { cardOf, choicesOf } from "./cards/templates.js";
import { cards as texts } from "./strings/en.js";
import lists from "./markdown/markdown.css" with { type: "css" };
import sheet from "./cards/cards.css" with { type: "css" };

/** @type {CardsPart} */
const cards = {
  sheets: [lists, sheet],
  texts,
  draw(row, setting) {
    const card = cardOf(row.line.Content ?? "");
    return card && draw(card, row, setting);
  },
  spoken(content, words) {
    const card = cardOf(content);
    const title = [card?.title, card?.subtitle].filter(Boolean).join(". ") || words.say("unshown");
    return words.say("card", { title, count: card ? choicesOf(card).length : 0 });
  },
  answered(content, answer, words) {
    const card = cardOf(content);
    const option = card && choicesOf(card).find((one) => one.answer === answer);
    return option ? optionWords(option, words) : null;
  },
};

const element = /** @type {any} */ (customElements.get("chatproxy-widget"));
if (element) element.cards = cards;
