/** What is inside one line of the transcript: text, Markdown, interactive messages, answers, files, events. */

import { fileUrl } from "./api.js";
import { el, icon } from "./dom.js";
import { linkedText, richText } from "./richtext.js";
import { slot } from "./times.js";

/** @typedef {import("./timeline.js").Item} Item */

const INTERACTIVE = "application/vnd.amazonaws.connect.message.interactive";
const RESPONSE = "application/vnd.amazonaws.connect.message.interactive.response";

/** @type {Record<string, [icon: string, label: string]>} */
const KINDS = {
  ListPicker: ["list", "List picker"],
  Panel: ["panel", "Panel"],
  QuickReply: ["quick", "Quick replies"],
  TimePicker: ["time", "Time picker"],
  Carousel: ["carousel", "Carousel"],
  ViewResource: ["view", "Form"],
};

/** @type {Record<string, string>} what follows the name of who it is about */
const EVENTS = {
  "participant.joined": "joined",
  "participant.left": "left",
  "participant.invited": "was invited",
  "participant.idle": "is idle",
  "participant.returned": "is back",
  "participant.autodisconnection": "was idle for too long",
};

/** @type {Record<string, string>} */
const SERVICE_EVENTS = {
  "chat.ended": "The chat has ended",
  "chat.rehydrated": "Continued from an earlier chat",
  "transfer.succeeded": "Transferred",
  "transfer.failed": "The transfer failed",
  "authentication.initiated": "Asked to sign in",
  "authentication.succeeded": "Signed in",
  "authentication.failed": "The sign-in failed",
  "authentication.timeout": "The time for signing in ran out",
  "authentication.expired": "The sign-in expired",
  "authentication.cancelled": "The sign-in was cancelled",
};

/**
 * A sentence for an event.
 * @param {Item} item
 */
export function eventText(item) {
  const name = item.ContentType.split(".event.")[1] ?? item.ContentType;
  const told = SERVICE_EVENTS[name];
  if (told) return told;
  if (name === "participant.displayname.updated") return `The customer is now called ${item.DisplayName}`;
  return `${item.DisplayName ?? "Somebody"} ${EVENTS[name] ?? name}`;
}

/**
 * @param {Item} item
 * @param {string} chatId
 * @returns {HTMLElement}
 */
export function bodyOf(item, chatId) {
  if (item.Type === "ATTACHMENT") {
    const files = /** @type {Record<string, any>[]} */ (item.Attachments ?? []);
    return el("div", { class: "files" }, ...files.map((file) => fileOf(file, chatId)));
  }
  const content = item.Content ?? "";
  if (item.ContentType === INTERACTIVE) return templateOf(parsed(content)) ?? plain(content);
  if (item.ContentType === RESPONSE) return answerOf(parsed(content)) ?? plain(content);
  if (item.ContentType === "application/json") return el("div", { class: "bubble" }, el("pre", {}, pretty(content)));
  if (item.ContentType === "text/markdown") return el("div", { class: "bubble" }, ...richText(content));
  return plain(carouselChoice(content) ?? content, item.MessageMetadata?.MessageCompleted === false);
}

/**
 * @param {string} content
 * @param {boolean} [isStreaming]
 */
export function plain(content, isStreaming = false) {
  return el("div", { class: `bubble plain${isStreaming ? " is-streaming" : ""}` }, ...linkedText(content));
}

/**
 * @param {Record<string, any>} file
 * @param {string} chatId
 */
function fileOf(file, chatId) {
  const isReady = file.Status === "APPROVED";
  /** @type {Record<string, string>} */
  const note = { APPROVED: file.ContentType, IN_PROGRESS: "Being scanned…", REJECTED: "Refused by the scanner" };
  if (isReady && /^image\/(png|jpeg)$/.test(file.ContentType)) {
    const source = fileUrl(chatId, file.AttachmentId);
    const image = el("img", { src: source, alt: file.AttachmentName, loading: "lazy" });
    return el("a", { class: "picture", href: source, target: "_blank", rel: "noopener" }, image);
  }
  const words = el("span", { class: "file-text" },
    el("strong", {}, file.AttachmentName), el("small", {}, note[file.Status] ?? file.Status));
  if (!isReady) {
    return el("div", { class: `file${file.Status === "REJECTED" ? " is-refused" : ""}` },
      icon(file.Status === "REJECTED" ? "alert" : "wait"), words);
  }
  const href = fileUrl(chatId, file.AttachmentId, true);
  return el("a", { class: "file", href, download: file.AttachmentName }, icon("file"), words);
}

/** @param {any} template an interactive message, or anything else a client made up */
function templateOf(template) {
  const content = template?.data?.content;
  const kind = KINDS[template?.templateType];
  if (!content || !kind) return null;
  const words = el("div", { class: "card-text" },
    el("p", { class: "card-kind" }, icon(kind[0]), kind[1]),
    content.title ? el("p", { class: "card-title" }, String(content.title)) : null,
    content.subtitle ? el("p", { class: "card-subtitle" }, String(content.subtitle)) : null);
  return el("div", { class: "card" }, pictureOf(content), words, ...choicesOf(content));
}

/**
 * @param {any} content
 * @returns {HTMLElement[]}
 */
function choicesOf(content) {
  /** @type {any[]} */
  const elements = Array.isArray(content.elements) ? content.elements : [];
  if (elements.some((element) => element?.templateType)) {
    return [el("div", { class: "cards", tabindex: "0" }, ...elements.map((each) => templateOf(each)))];
  }
  /** @type {any[]} */
  const slots = Array.isArray(content.timeslots) ? content.timeslots : [];
  const options = [
    ...elements.map((each) => optionOf(each)),
    ...slots.map((each) => el("li", { class: "option" }, icon("wait"), slot(String(each?.date)))),
  ];
  return options.length ? [el("ul", { class: "options" }, ...options)] : [];
}

/** @param {any} element */
function optionOf(element) {
  const mark = element?.type === "hyperlink" ? icon("link") : null;
  return el("li", { class: "option" }, mark, String(element?.title ?? ""));
}

/**
 * Pictures of other origins are left out: the page may load nothing from elsewhere.
 * @param {any} content
 */
function pictureOf(content) {
  const source = String(content.imageData ?? "");
  if (!source.startsWith(`${location.origin}/`)) return null;
  return el("img", { class: "card-picture", src: source, alt: String(content.imageDescription ?? ""), loading: "lazy" });
}

/** @param {any} response what a client sent from a form, or for another page of a list */
function answerOf(response) {
  if (!response || typeof response !== "object") return null;
  const data = response.data && typeof response.data === "object" ? response.data : {};
  const rows = Object.entries(data).flatMap(([name, value]) => [
    el("dt", {}, name),
    el("dd", {}, typeof value === "object" ? JSON.stringify(value) : String(value)),
  ]);
  const action = String(response.action ?? "").trim() || "Answered";
  return el("div", { class: "bubble" }, el("strong", {}, action), el("dl", { class: "answer" }, ...rows));
}

/** @param {string} content */
function carouselChoice(content) {
  const choice = content.startsWith("{") ? parsed(content) : null;
  return choice?.selectionText && choice.listTitle ? `${choice.listTitle}: ${choice.selectionText}` : null;
}

/** @param {string} content */
function parsed(content) {
  try {
    return JSON.parse(content);
  } catch {
    return null;
  }
}

/** @param {string} content */
function pretty(content) {
  const value = parsed(content);
  return value === null ? content : JSON.stringify(value, null, 2);
}
