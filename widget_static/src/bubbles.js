/**
 * One row of the conversation as nodes: separators, event lines, messages, cards, files, and what is
 * still on its way. Where rows stand and when they are drawn again is view's work.
 *
 * @import { Attachment, Entry, Line, Row, Upload } from "./types.js"
 * @import { Key, Words } from "./words.js"
 */

import { cardOf } from "./interactive.js";
import { h, icon, small } from "./nodes.js";
import { codeBlock, markdown, nodes, plain, spoken } from "./richtext.js";
import { eventWords, isCard } from "./rows.js";

/**
 * @typedef {object} Actions what a visitor can do to a row
 * @property {(text: string) => void} answer
 * @property {((answer: string, button: HTMLElement) => void) | null} page leaf through a list; null: it cannot be asked for
 * @property {(token: string) => void} retry
 * @property {(token: string) => void} discard
 * @property {(token: string) => void} retryUpload
 * @property {(token: string) => void} cancelUpload
 * @property {(attachment: Attachment) => void} download
 */

/** @typedef {{ words: Words, actions: Actions, own: string, now: number }} Setting */
/** @typedef {Extract<Row, { kind: "message" }>} MessageRow */

const ROBOTS = ["", "BOT", "SYSTEM", "SYSTEM_MESSAGE"];

/** @type {(row: Row, setting: Setting) => (Node | string)[]} contents of a row */
export const contentsOf = (row, setting) => {
  switch (row.kind) {
    case "day":
      return [h("span", {}, setting.words.day(row.at, setting.now))];
    case "event":
      return [h("span", {}, eventText(row.line, setting))];
    case "message":
      return messageNodes(row, setting);
    case "entry":
      return entryNodes(row.entry, setting);
    case "upload":
      return uploadNodes(row.upload, setting);
  }
};

/** @type {(row: Row) => string} classes of a row */
export const classOf = (row) => {
  if (row.kind === "day" || row.kind === "event") return row.kind;
  const side = row.kind !== "message" || row.own ? "own" : "other";
  const first = row.first ? " first" : "";
  if (row.kind === "message") return `message ${side}${first}${row.last ? " last" : ""}`;
  const { state } = row.kind === "entry" ? row.entry : row.upload;
  return `message ${side}${first} last ${state === "failed" ? "failed" : "pending"}`;
};

/** @type {(line: { DisplayName?: string }, words: Words) => string} */
export const nameOf = (line, words) =>
  ROBOTS.includes(line.DisplayName ?? "") ? words.say("assistant") : (line.DisplayName ?? "");

/** @type {(line: Line, words: Words) => string} a message as it is read aloud */
export const spokenLine = (line, words) => {
  if (line.Type === "ATTACHMENT")
    return (line.Attachments ?? []).map((one) => one.AttachmentName).join(", ");
  const card = isCard(line) ? cardOf(line.Content ?? "", words) : null;
  if (!card) return spoken(line.Content ?? "");
  const title = [card.title, card.subtitle].filter(Boolean).join(". ") || words.say("unshown");
  return words.say("card", { title, count: card.options.length });
};

/** @type {(line: Line, setting: Setting) => string} */
const eventText = (line, { words, own }) => {
  const found = eventWords(line, own);
  return found ? words.say(found.key, { name: nameOf(line, words) }) : "";
};

/** @type {(row: MessageRow, setting: Setting) => (Node | string)[]} */
const messageNodes = (row, setting) => {
  const { line, own, first, last } = row;
  const { words } = setting;
  const name = own ? words.say("you") : nameOf(line, words);
  const bubble = h(
    "div",
    { class: "bubble", part: own ? "bubble bubble-own" : "bubble bubble-other" },
    !own && last && h("span", { class: "avatar", part: "avatar", "aria-hidden": "true" }, initials(name)),
    h("span", { class: "sr" }, `${name}: `),
    ...bodyOf(row, setting),
  );
  return [
    !own && first && h("div", { class: "name", "aria-hidden": "true" }, name),
    bubble,
    ...(isCard(line) ? optionNodes(row, setting) : []),
    (last || row.status) && metaOf(row, words),
  ].filter((node) => node !== false && node !== null);
};

/** @type {(row: MessageRow, words: Words) => Node | null} */
const metaOf = ({ line, own, last, status }, words) => {
  const processing = line.MessageMetadata?.MessageProcessingStatus;
  const blocked = own && (processing === "FAILED" || processing === "REJECTED");
  if (blocked) return h("div", { class: "meta bad" }, h("span", {}, icon("warn"), words.say("blocked")));
  const time = h("time", { dateTime: line.AbsoluteTime }, words.time(line.at));
  return h("div", { class: "meta" }, last && time, own && status && h("span", {}, words.say(status)));
};

/** @type {(row: MessageRow, setting: Setting) => (Node | string)[]} */
const bodyOf = ({ line, over }, setting) => {
  const { words } = setting;
  if (line.Type === "ATTACHMENT")
    return (line.Attachments ?? []).map((one) => fileNode(one, over, setting));
  const content = line.Content ?? "";
  const card = isCard(line) ? cardOf(content, words) : null;
  if (card) return card.title || card.options.length ? titleNodes(card) : [words.say("unshown")];
  if (line.ContentType === "text/markdown") return nodes(markdown(content));
  if (line.ContentType === "application/json") return nodes([codeBlock(content)]);
  if (line.chunk === undefined) return nodes(plain(content));
  return [...nodes(plain(content)), h("span", { class: "caret", "aria-hidden": "true" })];
};

/** @type {(card: import("./interactive.js").Card) => Node[]} */
const titleNodes = ({ title, subtitle, clickable, options }) => {
  const found = [h("div", { class: "title" }, ...nodes(markdown(title)))];
  if (subtitle) found.push(h("div", { class: "subtitle" }, ...nodes(markdown(subtitle))));
  if (clickable || !options.length) return found;
  const items = options.map((one) => h("li", {}, ...optionWords(one)));
  return [...found, h("ul", {}, ...items)];
};

/** @type {(option: import("./interactive.js").Option) => Node[]} */
const optionWords = ({ title, subtitle, href }) => {
  const words = href ? nodes([{ tag: "a", href, children: [title] }]) : [title];
  return [
    h("span", { class: "option-title" }, ...words),
    ...(subtitle ? [h("span", { class: "option-text" }, subtitle)] : []),
  ];
};

/** @type {(row: MessageRow, setting: Setting) => Node[]} */
const optionNodes = ({ line, answered, answer }, { words, actions }) => {
  const card = cardOf(line.Content ?? "", words);
  if (!card?.clickable || !card.options.length) return [];
  const quick = card.template === "QuickReply" && card.options.every((one) => !one.subtitle);
  const all = card.options.map((option) => {
    if (option.href) return h("span", { class: "option link" }, ...optionWords(option), icon("away"));
    const chosen = answered && answer === option.title;
    const props = {
      ...{ part: "option", class: chosen ? "option chosen" : "option" },
      ...{ disabled: answered, onclick: () => actions.answer(option.title) },
      "aria-label": chosen && words.say("chosen", { title: option.title }),
    };
    return h("button", props, ...optionWords(option));
  });
  const pages = answered ? [] : pageNodes(card.pages, words, actions);
  return [
    h("div", { class: quick ? "options quick" : "options", role: "group", "aria-label": card.title }, ...all, ...pages),
  ];
};

/** @type {(pages: import("./interactive.js").Page[], words: Words, actions: Actions) => Node[]} */
const pageNodes = (pages, words, { page }) => {
  if (!pages.length) return [];
  if (!page) return [h("div", { class: "option-text" }, words.say("morePages"))];
  const buttons = pages.map(({ title, answer }) => {
    /** @type {(event: { currentTarget: HTMLElement, detail: number }) => void} the second click of a double one turns no page */
    const press = ({ currentTarget, detail }) => detail < 2 && page(answer, currentTarget);
    return h("button", { class: "older", onclick: press }, title);
  });
  return [h("div", { class: "pages" }, ...buttons)];
};

/** @type {(attachment: Attachment, over: boolean, setting: Setting) => Node} */
const fileNode = (attachment, over, { words, actions }) => {
  const { AttachmentName: name, Status } = attachment;
  const label = h("span", { class: "file-name" }, name);
  if (Status === "APPROVED" && !over) {
    const props = { class: "file", "aria-label": words.say("download", { name }) };
    return h("button", { ...props, onclick: () => actions.download(attachment) }, icon("file"), label);
  }
  const key = Status === "REJECTED" ? "fileRejected" : over ? "fileOver" : "checking";
  const note = h("span", { class: "file-note" }, words.say(key));
  return h("div", { class: "file" }, icon(Status === "REJECTED" ? "warn" : "file"), label, note);
};

/** @type {(entry: Entry, setting: Setting) => Node[]} */
const entryNodes = (entry, { words, actions }) => [
  h(
    "div",
    { class: "bubble", part: "bubble bubble-own" },
    h("span", { class: "sr" }, `${words.say("you")}: `),
    ...nodes(plain(entry.content)),
  ),
  entry.state !== "failed"
    ? h("div", { class: "meta" }, words.say("sending"))
    : h(
        "div",
        { class: "meta bad" },
        h("span", {}, icon("warn"), `${words.say("notSent")} ${entry.failure ? words.failure(entry.failure) : ""}`),
        entry.failure?.reason !== "chatOver" &&
          small(words.say("retry"), () => actions.retry(entry.token)),
        small(words.say("delete"), () => actions.discard(entry.token)),
      ),
];

/** @type {(upload: Upload, setting: Setting) => Node[]} */
const uploadNodes = ({ token, file, progress, state, failure }, { words, actions }) => {
  const percent = Math.round(progress * 100);
  const failed = state === "failed";
  const stage = state === "checking" ? words.say("checking") : words.say("uploading", { percent });
  const note = failed ? (failure ? words.failure(failure) : "") : stage;
  const label = { "aria-label": file.name };
  return [
    h(
      "div",
      { class: "bubble", part: "bubble bubble-own" },
      h("span", { class: "sr" }, `${words.say("you")}: `),
      h(
        "div",
        { class: "file" },
        icon("file"),
        h("span", { class: "file-name" }, file.name),
        h("span", { class: "file-note" }, words.size(file.size)),
      ),
      !failed && h("progress", { max: 100, value: percent, ...label }),
    ),
    h(
      "div",
      { class: failed ? "meta bad" : "meta" },
      h("span", {}, failed && icon("warn"), note),
      failed && small(words.say("retry"), () => actions.retryUpload(token)),
      state !== "checking" &&
        small(words.say(failed ? "delete" : "cancel"), () => actions.cancelUpload(token)),
    ),
  ];
};

/** @type {(name: string) => string} */
const initials = (name) => {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => [...(word ?? "")][0] ?? "").join("").toUpperCase();
};
