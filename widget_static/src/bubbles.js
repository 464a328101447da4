/**
 * One row of the conversation as nodes: separators, event lines, messages, and what is still on its
 * way; cards and files by the parts that know them. Where rows stand and when they are drawn again is view's work.
 *
 * @import { Parts } from "./parts/parts.js"
 * @import { Attachment, Entry, Line, Row } from "./types.js"
 * @import { Words } from "./words.js"
 */

import * as icons from "./icons.js";
import { h, icon, small } from "./nodes.js";
import { nodes, plain } from "./richtext.js";
import { eventWords, isCard, isView } from "./rows.js";

/**
 * @typedef {object} Actions what a visitor can do to a row
 * @property {(answer: string) => void} answer what is sent for a choice
 * @property {((answer: string, button: HTMLElement) => Promise<boolean>) | null} press say what is no text; null: this chat does not take it
 * @property {(operation: string, body?: object) => Promise<any>} call the Participant Service
 * @property {() => void} redraw what waits can be drawn
 * @property {() => void} focus where one goes on
 * @property {(token: string) => void} retry
 * @property {(token: string) => void} discard
 * @property {(token: string) => void} retryUpload
 * @property {(token: string) => void} cancelUpload
 * @property {(attachment: Attachment) => void} download
 */

/** @typedef {{ words: Words, actions: Actions, parts: Pick<Parts, "need">, own: string, now: number }} Setting */
/** @typedef {Extract<Row, { kind: "message" }>} MessageRow */

/** A node that is to be drawn again when a part has come. */
export const AWAITS = "awaits";
const MARKDOWN = "text/markdown";
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
      return entryNodes(row, setting);
    case "upload":
      return setting.parts.need("files")?.upload(row.upload, setting) ?? [];
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

/** @type {(line: Line, words: Words, parts: Pick<Parts, "load">) => Promise<string>} a message as it is read aloud */
export const spokenLine = async (line, words, parts) => {
  if (line.Type === "ATTACHMENT") return fileNames(line);
  const content = line.Content ?? "";
  if (isCard(line)) return (await parts.load(isView(line) ? "views" : "cards"))?.spoken(content, words) ?? words.say("unshown");
  if (line.ContentType !== MARKDOWN) return content;
  return (await parts.load("markdown"))?.spoken(content) ?? content;
};

/** @type {(line: Line) => string} */
const fileNames = ({ Attachments = [] }) => Attachments.map((one) => one.AttachmentName).join(", ");

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
  const { body, below } = isCard(line) ? cardNodes(row, setting) : { body: bodyOf(row, setting), below: [] };
  const bubble = h(
    "div",
    { class: "bubble", part: own ? "bubble bubble-own" : "bubble bubble-other" },
    !own && last && h("span", { class: "avatar", part: "avatar", "aria-hidden": "true" }, initials(name)),
    h("span", { class: "sr" }, `${name}: `),
    ...body,
  );
  return [
    !own && first && h("div", { class: "name", "aria-hidden": "true" }, name),
    bubble,
    ...below,
    (last || row.status) && metaOf(row, words),
  ].filter((node) => node !== false && node !== null);
};

/** @type {(row: MessageRow, words: Words) => Node | null} */
const metaOf = ({ line, own, last, status }, words) => {
  const processing = line.MessageMetadata?.MessageProcessingStatus;
  const blocked = own && (processing === "FAILED" || processing === "REJECTED");
  if (blocked) return h("div", { class: "meta bad" }, h("span", {}, icon(icons.warn), words.say("blocked")));
  const time = h("time", { dateTime: line.AbsoluteTime }, words.time(line.at));
  return h("div", { class: "meta" }, last && time, own && status && h("span", {}, words.say(status)));
};

/** @type {(row: MessageRow, setting: Setting) => (Node | string)[]} */
const bodyOf = ({ line, over, asked }, setting) => {
  if (line.Type === "ATTACHMENT") return fileNodes(line, over, setting);
  const content = line.Content ?? "";
  if (asked) return answerNodes(asked, content, setting);
  if (line.ContentType === MARKDOWN) return formatted("nodes", content, setting);
  if (line.ContentType === "application/json") return formatted("code", content, setting);
  if (line.chunk === undefined) return nodes(plain(content));
  return [...nodes(plain(content)), caret("")];
};

/** @type {(how: "nodes" | "code", text: string, setting: Setting) => (Node | string)[]} */
const formatted = (how, text, { parts }) =>
  parts.need("markdown")?.[how](text) ?? [h("div", { class: AWAITS }, ...nodes(plain(text)))];

/** @type {(line: Line, over: boolean, setting: Setting) => Node[]} */
const fileNodes = (line, over, setting) => {
  const files = setting.parts.need("files");
  const all = line.Attachments ?? [];
  return files
    ? all.map((one) => files.file(one, over, setting))
    : [h("span", { class: AWAITS }, fileNames(line))];
};

/** @type {(row: MessageRow, setting: Setting) => { body: (Node | string)[], below: Node[] }} */
const cardNodes = (row, setting) => {
  const cards = setting.parts.need(isView(row.line) ? "views" : "cards");
  const drawn = cards?.draw(row, setting);
  if (drawn) return drawn;
  if (cards === undefined) return { body: [caret(AWAITS)], below: [] };
  return { body: [h("span", { class: cards ? "" : AWAITS }, setting.words.say("unshown"))], below: [] };
};

/** What was chosen, in the words it was offered in. @type {(asked: string, answer: string, setting: Setting) => (Node | string)[]} */
const answerNodes = (asked, answer, { words, parts }) => {
  const cards = parts.need("cards");
  const known = cards?.answered(asked, answer, words);
  if (known) return [known];
  if (cards) return nodes(plain(answer));
  return [cards === undefined ? caret(AWAITS) : h("span", { class: AWAITS }, ...nodes(plain(answer)))];
};

/** @type {(name: string) => Node} there is more to come */
const caret = (name) => h("span", { class: `caret ${name}`, "aria-hidden": "true" });

/** @type {(row: Extract<Row, { kind: "entry" }>, setting: Setting) => Node[]} */
const entryNodes = ({ entry, asked }, setting) => {
  const body = asked ? answerNodes(asked, entry.content, setting) : nodes(plain(entry.content));
  const you = h("span", { class: "sr" }, `${setting.words.say("you")}: `);
  return [h("div", { class: "bubble", part: "bubble bubble-own" }, you, ...body), fateNode(entry, setting)];
};

/** @type {(entry: Entry, setting: Setting) => Node} */
const fateNode = ({ token, state, failure }, { words, actions }) => {
  if (state !== "failed") return h("div", { class: "meta" }, words.say("sending"));
  const why = `${words.say("notSent")} ${failure ? words.failure(failure) : ""}`;
  return h(
    "div",
    { class: "meta bad" },
    h("span", {}, icon(icons.warn), why),
    failure?.reason !== "chatOver" && small(words.say("retry"), () => actions.retry(token)),
    small(words.say("delete"), () => actions.discard(token)),
  );
};

/** @type {(name: string) => string} */
const initials = (name) => {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => [...(word ?? "")][0] ?? "").join("").toUpperCase();
};
