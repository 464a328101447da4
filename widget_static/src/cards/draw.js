/**
 * A card as nodes: what it asks stands in the bubble, what one can choose below it. Once it is
 * answered it shows what was chosen, and rests.
 *
 * @import { MessageRow, Setting } from "../bubbles.js"
 * @import { Words } from "../words.js"
 * @import { Card, Option, Page, Picture } from "./templates.js"
 */

import * as icons from "../icons.js";
import { h, icon } from "../nodes.js";
import { markdown } from "../markdown/parse.js";
import { nodes } from "../richtext.js";
import { date, days, lasting, moment, zone } from "./times.js";

/** Days of a time picker that are shown at once. */
const FIRST_DAYS = 3;

/** @typedef {Pick<MessageRow, "answered" | "answer">} Answered */
/** @typedef {Pick<Setting, "words" | "actions">} Desk */

/** @type {(card: Card, row: Answered, setting: Desk) => { body: (Node | string)[], below: Node[] }} */
export const draw = (card, row, setting) => {
  const { words } = setting;
  const hasWords = card.title || card.options.length || card.cards.length;
  const body = hasWords ? questionNodes(card, words) : [words.say("unshown")];
  if (card.cards.length) return { body, below: [carousel(card, row, setting)] };
  return { body, below: card.clickable ? choices(card, row, setting) : [] };
};

/** @type {(option: Option, words: Words) => string} */
export const optionWords = ({ title, at }, words) => title || moment(at ?? 0, words);

/** @type {(card: Card, words: Words) => Node[]} */
const questionNodes = (card, words) => {
  const { title, subtitle, place, picture, clickable, options } = card;
  const text = (/** @type {string} */ name, /** @type {string} */ content) =>
    content && h("div", { class: name }, ...nodes(markdown(content)));
  const at = options[0]?.at;
  const items = clickable ? [] : options.map((one) => h("li", {}, ...wordsOf(one, words)));
  return [
    picture && image(picture, "picture"),
    text("title", title),
    text("subtitle", subtitle),
    place && h("div", { class: "subtitle" }, place),
    at && h("div", { class: "option-text" }, words.say("zone", { zone: zone(at, words) })),
    items.length && h("ul", {}, ...items),
  ].filter((node) => node instanceof Node);
};

/** @type {(card: Card, row: Answered, setting: Desk) => Node[]} */
const choices = (card, row, setting) => {
  const { words, actions } = setting;
  const { title, options, pages, template } = card;
  if (!options.length) return [];
  const quick = template === "QuickReply" && options.every((one) => !one.subtitle && !one.picture);
  const button = (/** @type {Option} */ option) => choice(option, row, setting);
  const all = template === "TimePicker" ? calendar(options, row, setting) : options.map(button);
  const more = row.answered ? [] : pageNodes(pages, words, actions);
  const props = { class: quick ? "options quick" : "options", role: "group", "aria-label": title };
  return [h("div", props, ...all, ...more)];
};

/** @type {(option: Option, row: Answered, setting: Desk) => Node} */
const choice = (option, { answered, answer }, { words, actions }) => {
  const contents = wordsOf(option, words);
  if (option.href) return h("span", { class: "option link" }, ...contents, icon(icons.away));
  const chosen = answered && answer === option.answer;
  // A time is said with what else stands on it; its day is the group's name.
  const title = option.title || contents.map((node) => node.textContent).join(" ");
  const props = {
    ...{ part: "option", class: chosen ? "option chosen" : "option" },
    ...{ disabled: answered, onclick: () => actions.answer(option.answer) },
    "aria-label": chosen && words.say("chosen", { title }),
  };
  return h("button", props, option.picture && image(option.picture, "thumb"), ...contents);
};

/** @type {(option: Option, words: Words) => Node[]} */
const wordsOf = ({ title, subtitle, href, at, minutes }, words) => {
  if (at) return [h("span", { class: "option-title" }, words.time(at)), ...lastingNodes(minutes, words)];
  const shown = href ? nodes([{ tag: "a", href, children: [title] }]) : [title];
  return [
    h("span", { class: "option-title" }, ...shown),
    ...(subtitle ? [h("span", { class: "option-text" }, subtitle)] : []),
  ];
};

/** @type {(minutes: number | undefined, words: Words) => Node[]} */
const lastingNodes = (minutes, words) =>
  minutes ? [h("span", { class: "option-text" }, lasting(minutes, words))] : [];

/** @type {(pages: Page[], words: Words, actions: Desk["actions"]) => Node[]} */
const pageNodes = (pages, words, { press: page }) => {
  if (!pages.length) return [];
  if (!page) return [h("div", { class: "option-text" }, words.say("morePages"))];
  const buttons = pages.map(({ title, answer }) => {
    /** @type {(event: { currentTarget: HTMLElement, detail: number }) => void} the second click of a double one turns no page */
    const press = ({ currentTarget, detail }) => detail < 2 && void page(answer, currentTarget);
    return h("button", { class: "older", onclick: press }, title);
  });
  return [h("div", { class: "pages" }, ...buttons)];
};

/** Times by day; the first days, and the others when asked for. @type {(slots: Option[], row: Answered, setting: Desk) => Node[]} */
const calendar = (slots, row, setting) => {
  const { words } = setting;
  const all = days(slots).map((some) => {
    const at = some[0]?.at ?? 0;
    const has = some.some(({ answer }) => row.answered && answer === row.answer);
    const name = date(at, words);
    const group = h("div", { class: "day-slots", role: "group", "aria-label": name });
    group.append(h("div", { class: "slots-day" }, name), h("div", { class: "slots" }, ...some.map((one) => choice(one, row, setting))));
    return { group, has };
  });
  // What was chosen is seen, however far ahead it lies.
  const shown = Math.max(FIRST_DAYS, all.findIndex(({ has }) => has) + 1);
  const rest = all.slice(shown).map(({ group }) => group);
  for (const group of rest) group.hidden = true;
  const more = h("button", { class: "older", onclick: () => reveal(rest, more) }, words.say("moreTimes"));
  return [...all.map(({ group }) => group), ...(rest.length && !row.answered ? [more] : [])];
};

/** @type {(groups: HTMLElement[], button: HTMLElement) => void} */
const reveal = (groups, button) => {
  for (const group of groups) group.hidden = false;
  groups[0]?.querySelector("button")?.focus();
  button.remove();
};

/** @type {(card: Card, row: Answered, setting: Desk) => Node} */
const carousel = ({ title, cards }, row, setting) => {
  const items = cards.map((card) => {
    const question = h("div", { class: "card-head" }, ...questionNodes(card, setting.words));
    return h("li", { class: "card" }, question, ...(card.clickable ? choices(card, row, setting) : []));
  });
  // A place the keyboard can scroll.
  return h("ul", { class: "cards", tabIndex: 0, role: "list", "aria-label": title }, ...items);
};

/** @type {(picture: Picture, name: string) => Node} without it, what it shows is said */
const image = ({ src, alt }, name) => {
  const gone = () => shown.replaceWith(...(name === "thumb" || !alt ? [] : [h("div", { class: "option-text" }, alt)]));
  const shown = h("img", {
    ...{ class: name, alt, decoding: "async", referrerPolicy: "no-referrer", onerror: gone },
  });
  shown.src = src;
  return shown;
};
