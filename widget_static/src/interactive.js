/**
 * Interactive messages: what a template asks, and the choices it offers. List pickers, panels and
 * quick replies can be clicked; every other template is its title and its options as text.
 *
 * @import { Words } from "./words.js"
 */

import { safeAddress } from "./richtext.js";

const TITLE_MAX = 400;
const REPLY_MAX = 200;

/** @typedef {{ title: string, subtitle: string, href?: string }} Option */
/** @typedef {{ title: string, answer: string }} Page of a longer list; sending `answer` brings it */
/** @typedef {{ template: string, title: string, subtitle: string, clickable: boolean, options: Option[], pages: Page[] }} Card */

/** @type {(content: string, words: Words) => Card | null} nothing if it is not a template at all */
export const cardOf = (content, words) => {
  try {
    const { templateType, data } = JSON.parse(content);
    const body = data?.content;
    if (typeof templateType !== "string" || !body) return null;
    const most = templateType === "QuickReply" ? REPLY_MAX : TITLE_MAX;
    const elements = listOf(body.elements ?? body.timeslots);
    const options = elements
      .filter((element) => !element.actionDetail)
      .map((element) => optionOf(element, most, words))
      .filter((option) => option.title);
    return {
      template: templateType,
      title: short(body.title ?? data.replyMessage?.title, TITLE_MAX),
      subtitle: short(body.subtitle, TITLE_MAX),
      clickable: ["ListPicker", "Panel", "QuickReply"].includes(templateType),
      options,
      pages: elements
        .filter((element) => element.actionDetail)
        .map((element) => pageOf(element, templateType, body)),
    };
  } catch {
    return null;
  }
};

/** @type {(content: string) => string | undefined} what the pages of one list have in common. Not parsed: it is asked of every card each time something changes */
export const referenceOf = (content) => /"referenceId"\s*:\s*"([^"\\]+)"/.exec(content)?.[1];

/** @type {(element: Record<string, any>, templateType: string, body: Record<string, unknown>) => Page} */
const pageOf = ({ title, actionDetail: action }, templateType, { preIndex, nextIndex, listId, referenceId }) => {
  const data = { actionName: title, preIndex, nextIndex, listId, templateType, referenceId };
  return { title: short(title, TITLE_MAX), answer: JSON.stringify({ version: "1.0", data, action }) };
};

/** @type {(value: unknown) => Record<string, any>[]} */
const listOf = (value) => (Array.isArray(value) ? value.filter((one) => one && typeof one === "object") : []);

/** @type {(element: Record<string, any>, most: number, words: Words) => Option} */
const optionOf = (element, most, words) => {
  // An element of a carousel is a template of its own.
  const inner = element.data?.content ?? {};
  const option = {
    title: short(element.title ?? inner.title ?? slotOf(element.date, words), most),
    subtitle: short(element.subtitle ?? inner.subtitle, TITLE_MAX),
  };
  const href = element.type === "hyperlink" ? safeAddress(String(element.url)) : undefined;
  return href ? { ...option, href } : option;
};

/** @type {(date: unknown, words: Words) => string | undefined} a time slot as people say it */
const slotOf = (date, words) => {
  // "2020-10-31T17:00+00:00"; some flows write the offset without its colon.
  const at = Date.parse(String(date).replace(/([+-]\d\d)(\d\d)$/, "$1:$2"));
  return at ? words.moment(at) : undefined;
};

/** @type {(text: unknown, most: number) => string} cut as the service's own clients cut it */
const short = (text, most) => {
  const whole = typeof text === "string" ? text.trim() : "";
  return whole.length > most ? `${whole.slice(0, most)}...` : whole;
};
