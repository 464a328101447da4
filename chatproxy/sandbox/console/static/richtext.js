/**
 * Markdown as Connect's chat knows it (bold, italic, code, links, lists) to page nodes. Nothing else is interpreted;
 * HTML in the text stays text. Links are http, https or mailto.
 */

import { el } from "./dom.js";

const INLINE = new RegExp(
  [
    /`(?<code>[^`\n]+)`/,
    /\*\*(?<strong>[^\n]+?)\*\*/,
    /(?<![\w*])[*_](?<em>[^*_\n]+)[*_](?![\w*])/,
    /\[(?<label>[^\]\n]+)\]\((?<target>[^\s)]+)\)/,
    /(?<url>https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]])/,
  ].map((each) => each.source).join("|"),
  "g",
);

const BULLET = /^\s*[-*•]\s+(.*)$/;
const NUMBER = /^\s*\d+[.)]\s+(.*)$/;
const HEADING = /^#{1,6}\s+(.*)$/;

/**
 * @param {string} text
 * @returns {Node[]} paragraphs and lists
 */
export function richText(text) {
  /** @type {HTMLElement[]} */
  const blocks = [];
  for (const line of text.split(/\r?\n/)) addLine(blocks, line);
  return blocks;
}

/**
 * Plain text with its web addresses made into links.
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export function linkedText(text) {
  return pieces(text, /(?<url>https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]])/g);
}

/**
 * @param {HTMLElement[]} blocks
 * @param {string} line
 */
function addLine(blocks, line) {
  const last = blocks[blocks.length - 1];
  const [kind, text] = blockOf(line);
  if (kind === "ul" || kind === "ol") {
    const list = last?.localName === kind ? last : el(kind);
    if (list !== last) blocks.push(list);
    list.append(el("li", {}, ...pieces(text, INLINE)));
  } else if (!text.trim()) {
    if (last?.localName === "p" && last.hasChildNodes()) blocks.push(el("p"));
  } else if (kind === "h") {
    blocks.push(el("p", {}, el("strong", {}, ...pieces(text, INLINE))), el("p"));
  } else if (last?.localName === "p") {
    if (last.hasChildNodes()) last.append(el("br"));
    last.append(...pieces(text, INLINE));
  } else {
    blocks.push(el("p", {}, ...pieces(text, INLINE)));
  }
}

/**
 * @param {string} line
 * @returns {["ul" | "ol" | "h" | "p", string]}
 */
function blockOf(line) {
  const bullet = BULLET.exec(line);
  if (bullet) return ["ul", bullet[1] ?? ""];
  const number = NUMBER.exec(line);
  if (number) return ["ol", number[1] ?? ""];
  const heading = HEADING.exec(line);
  return heading ? ["h", heading[1] ?? ""] : ["p", line];
}

/**
 * @param {string} text
 * @param {RegExp} pattern
 * @returns {(Node | string)[]}
 */
function pieces(text, pattern) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) nodes.push(text.slice(end, match.index));
    nodes.push(inline(match));
    end = match.index + match[0].length;
  }
  if (end < text.length) nodes.push(text.slice(end));
  return nodes;
}

/** @param {RegExpExecArray} match */
function inline(match) {
  const found = match.groups ?? {};
  if (found.code) return el("code", {}, found.code);
  if (found.strong) return el("strong", {}, ...pieces(found.strong, INLINE));
  if (found.em) return el("em", {}, found.em);
  const target = found.target ?? found.url ?? "";
  return link(target, found.label ?? target) ?? match[0];
}

/**
 * @param {string} target
 * @param {string} label
 */
function link(target, label) {
  if (!/^(https?:\/\/|mailto:)/i.test(target)) return null;
  return el("a", { href: target, target: "_blank", rel: "noopener noreferrer nofollow" }, label);
}
