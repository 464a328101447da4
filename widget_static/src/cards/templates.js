/**
 * Interactive messages: what a template asks, and the choices it offers, each with what choosing it
 * says to the service. A template nobody knows is its title and its elements, to be read. Pure.
 */

import { safeAddress } from "../richtext.js";

const TITLE_MAX = 400;
const REPLY_MAX = 200;
const CHOICES = ["ListPicker", "Panel", "QuickReply", "TimePicker"];

/** @typedef {{ src: string, alt: string }} Picture */
/**
 * @typedef {object} Option
 * @property {string} title "" for a time
 * @property {string} subtitle
 * @property {string} answer what is sent for it
 * @property {string} [href] it is a link, and sends nothing
 * @property {Picture | undefined} [picture]
 * @property {number} [at] of a time: when, in milliseconds since 1970
 * @property {number} [minutes] of a time: how long, 0 where that is not said
 */
/** @typedef {{ title: string, answer: string }} Page of a longer list; sending `answer` brings it */
/**
 * @typedef {object} Card
 * @property {string} template
 * @property {string} title
 * @property {string} subtitle
 * @property {string} place of an appointment
 * @property {Picture | undefined} picture
 * @property {boolean} clickable
 * @property {Option[]} options
 * @property {Page[]} pages
 * @property {Card[]} cards those of a carousel
 */

/** @type {(content: string) => Card | null} nothing if it is not a template at all */
export const cardOf = (content) => {
  try {
    return templateOf(JSON.parse(content), (title) => title);
  } catch {
    return null;
  }
};

/** @type {(card: Card) => Option[]} all there is to choose, those on the cards of a carousel too */
export const choicesOf = ({ options, cards }) => [...options, ...cards.flatMap(choicesOf)];

/** @type {(template: any, answer: (title: string) => string) => Card | null} */
const templateOf = ({ templateType: template, data }, answer) => {
  const body = data?.content;
  if (typeof template !== "string" || !body) return null;
  const most = template === "QuickReply" ? REPLY_MAX : TITLE_MAX;
  const elements = listOf(body.elements);
  const inner = template === "Carousel" ? elements.map(cardIn).filter((card) => card !== null) : [];
  const plain = inner.length ? [] : elements.filter((element) => !element.actionDetail);
  return {
    template,
    title: short(body.title ?? data.replyMessage?.title, TITLE_MAX),
    subtitle: short(body.subtitle, TITLE_MAX),
    place: short(body.location?.title, TITLE_MAX),
    picture: pictureOf(body),
    clickable: CHOICES.includes(template),
    options: [
      ...plain.map((element) => optionOf(element, most, answer)).filter(({ title }) => title),
      ...listOf(body.timeslots).flatMap(slotOf),
    ],
    pages: elements.filter((element) => element.actionDetail).map((element) => pageOf(element, template, body)),
    cards: inner,
  };
};

/** An element of a carousel is a template of its own; what is chosen on it says on which. @type {(element: any) => Card | null} */
const cardIn = (element) => {
  const { templateIdentifier } = element;
  const listTitle = element.data?.content?.title;
  return templateOf(element, (selectionText) => JSON.stringify({ templateIdentifier, listTitle, selectionText }));
};

/** @type {(element: Record<string, any>, templateType: string, body: Record<string, unknown>) => Page} */
const pageOf = ({ title, actionDetail: action }, templateType, { preIndex, nextIndex, listId, referenceId }) => {
  const data = { actionName: title, preIndex, nextIndex, listId, templateType, referenceId };
  return { title: short(title, TITLE_MAX), answer: JSON.stringify({ version: "1.0", data, action }) };
};

/** @type {(value: unknown) => Record<string, any>[]} */
const listOf = (value) => (Array.isArray(value) ? value.filter((one) => one && typeof one === "object") : []);

/** @type {(element: Record<string, any>, most: number, answer: (title: string) => string) => Option} */
const optionOf = (element, most, answer) => {
  const href = element.type === "hyperlink" ? safeAddress(String(element.url)) : undefined;
  return {
    title: short(element.title, most),
    subtitle: short(element.subtitle, TITLE_MAX),
    answer: answer(element.title),
    picture: pictureOf(element),
    ...(href ? { href } : {}),
  };
};

/** @type {(slot: Record<string, any>) => Option[]} none if it is no time */
const slotOf = ({ date, duration }) => {
  // "2020-10-31T17:00+00:00"; some flows write the offset without its colon.
  const at = Date.parse(String(date).replace(/([+-]\d\d)(\d\d)$/, "$1:$2"));
  return at ? [{ title: "", subtitle: "", answer: String(date), at, minutes: Number(duration) || 0 }] : [];
};

/** @type {(from: Record<string, any>) => Picture | undefined} */
const pictureOf = ({ imageType, imageData, imageDescription }) => {
  const src = imageType === "URL" ? safeAddress(String(imageData)) : undefined;
  return src?.startsWith("http") ? { src, alt: short(imageDescription, TITLE_MAX) } : undefined;
};

/** @type {(text: unknown, most: number) => string} cut as the service's own clients cut it */
const short = (text, most) => {
  const whole = typeof text === "string" ? text.trim() : "";
  return whole.length > most ? `${whole.slice(0, most)}...` : whole;
};
