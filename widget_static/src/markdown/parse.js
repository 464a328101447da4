/**
 * The markdown a Connect contact may use: bold, italic, strike, code, lists, quotes, links. Pure.
 *
 * @import { Branch, Twig } from "../richtext.js"
 */

import { linked, safeAddress } from "../richtext.js";

const DEEPEST = 6;
const INLINE = new RegExp(
  [
    /\\([\\`*_{}[\]()#+\-.!~>])/, // 1 escaped
    /`([^`\n]{1,2000})`/, // 2 code
    /\[([^\]\n]{1,500})\]\(\s{0,9}<?([^)\s>]{1,2000})>?(?:\s{1,9}"[^"\n]{0,200}")?\s{0,9}\)/, // 3, 4 link
    /\*\*(?=\S)([^\n]{1,2000}?\S|\S)\*\*(?!\*)/, // 5 bold, with italic inside it if there is a third star
    /(?<!\w)__(?=\S)([^\n]{1,2000}?\S|\S)__(?!\w)/, // 6 bold
    /~~(?=\S)([^~\n]{1,2000})~~/, // 7 strike
    /\*(?=\S)([^*\n]{1,2000}?\S|[^*\s])\*/, // 8 italic
    /(?<!\w)_(?=\S)([^_\n]{1,2000}?\S|[^_\s])_(?!\w)/, // 9 italic
  ]
    .map((part) => part.source)
    .join("|"),
  "g",
);

/** @type {(text: string) => Branch[]} */
export const markdown = (text) => {
  /** @type {Branch[]} */
  const blocks = [];
  /** @type {string[]} */
  let paragraph = [];
  const flush = () => {
    if (paragraph.length) blocks.push({ tag: "p", children: inline(paragraph.join("\n")) });
    paragraph = [];
  };
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  for (let at = 0; at < lines.length; ) {
    const taken = blockAt(lines, at);
    if (taken) {
      flush();
      blocks.push(taken.block);
      at = taken.next;
    } else {
      const line = /** @type {string} */ (lines[at]);
      if (line.trim()) paragraph.push(line);
      else flush();
      at += 1;
    }
  }
  flush();
  return blocks;
};

/** @type {(code: string) => Branch} */
export const codeBlock = (code) => ({ tag: "pre", children: [{ tag: "code", children: [code] }] });

/** @type {(text: string) => string} as a person would read it aloud: without the marks */
export const spoken = (text) => markdown(text).map(wordsOf).join(" ");

/** @type {(twig: Twig) => string} */
const wordsOf = (twig) =>
  typeof twig === "string" ? twig : twig.children.map(wordsOf).join(GROUPS.has(twig.tag) ? " " : "");
const GROUPS = new Set(["ul", "ol", "blockquote"]);


/** @type {(lines: string[], at: number) => { block: Branch, next: number } | null} a block that starts here, if it is more than a paragraph */
const blockAt = (lines, at) => {
  const line = /** @type {string} */ (lines[at]);
  if (/^\s{0,3}```/.test(line)) return fence(lines, at);
  const heading = /^\s{0,3}#{1,6}\s+(.*)$/.exec(line)?.[1];
  if (heading) {
    const block = { tag: "p", children: [{ tag: "strong", children: inline(heading) }] };
    return { block, next: at + 1 };
  }
  if (/^\s{0,3}>/.test(line)) return run(lines, at, /^\s{0,3}> ?(.*)$/, "blockquote", "p");
  if (BULLET.test(line)) return run(lines, at, BULLET, "ul", "li");
  if (NUMBER.test(line)) return run(lines, at, NUMBER, "ol", "li");
  return null;
};

const BULLET = /^\s{0,12}[-*+•]\s+(.*)$/;
const NUMBER = /^\s{0,12}\d{1,9}[.)]\s+(.*)$/;

/** @type {(lines: string[], at: number, each: RegExp, tag: string, child: string) => { block: Branch, next: number }} */
const run = (lines, at, each, tag, child) => {
  /** @type {Branch[]} */
  const children = [];
  let found;
  for (; (found = each.exec(lines[at] ?? "")); at += 1)
    children.push({ tag: child, children: inline(found[1] ?? "") });
  return { block: { tag, children }, next: at };
};

/** @type {(lines: string[], at: number) => { block: Branch, next: number }} */
const fence = (lines, at) => {
  const end = lines.findIndex((line, index) => index > at && /^\s{0,3}```\s*$/.test(line));
  const last = end < 0 ? lines.length : end;
  const code = lines.slice(at + 1, last).join("\n");
  return { block: codeBlock(code), next: last + 1 };
};

/** @type {(text: string, depth?: number) => Twig[]} */
const inline = (text, depth = 0) => {
  /** @type {Twig[]} */
  const twigs = [];
  let from = 0;
  for (const match of depth < DEEPEST ? text.matchAll(INLINE) : []) {
    const twig = marked(match, depth + 1);
    if (!twig) continue;
    twigs.push(...linked(text.slice(from, match.index)), twig);
    from = match.index + match[0].length;
  }
  return [...twigs, ...linked(text.slice(from))];
};

/** @type {(match: RegExpMatchArray, depth: number) => Twig | null} */
const marked = (match, depth) => {
  const [, escaped, code, label, address, bold, strong, strike, star, low] = match;
  if (escaped) return escaped;
  if (code) return { tag: "code", children: [code] };
  if (label && address) {
    const href = safeAddress(address);
    return href ? { tag: "a", href, children: inline(label, DEEPEST) } : null;
  }
  if (bold ?? strong) return { tag: "strong", children: inline(bold ?? strong ?? "", depth) };
  if (strike) return { tag: "s", children: inline(strike, depth) };
  return { tag: "em", children: inline(star ?? low ?? "", depth) };
};
