/**
 * What people wrote, as nodes: never as HTML. Finds addresses in plain text; markdown is a part of its
 * own. Every string from outside ends in a text node; links go to http, https and mailto only.
 */

/** @typedef {string | Branch} Twig */
/** @typedef {{ tag: string, href?: string, children: Twig[] }} Branch */

const ADDRESS = /https?:\/\/[^\s<>"'`]{1,2000}/gi;
const ENDS_BEFORE = /[.,;:!?)\]}*_~]$/;

/** @type {(text: string) => Branch[]} plain text, with addresses made links */
export const plain = (text) => [{ tag: "p", children: linked(text) }];

/** @type {(branches: readonly Twig[]) => (Node | string)[]} */
export const nodes = (branches) => branches.map(nodeOf);

/** @type {(twig: Twig) => Node | string} */
const nodeOf = (twig) => {
  if (typeof twig === "string") return twig;
  const element = document.createElement(twig.tag);
  if (twig.href) {
    element.setAttribute("href", twig.href);
    element.setAttribute("target", "_blank");
    element.setAttribute("rel", "noopener noreferrer nofollow ugc");
  }
  element.append(...nodes(twig.children));
  // Whether it scrolls is known when it has a place: see view.
  if (twig.tag === "pre") element.tabIndex = 0;
  return element;
};

/** @type {(address: string) => string | undefined} the address, if it is one a chat may link to */
export const safeAddress = (address) => {
  try {
    const url = new URL(address);
    return /^(https?|mailto):$/.test(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
};

/** @type {(address: string) => string} without the punctuation behind it; a bracket that was opened in it belongs to it */
const withoutEnd = (address) => {
  let unopened = address.split(")").length - address.split("(").length;
  while (ENDS_BEFORE.test(address) && !(address.endsWith(")") && unopened <= 0)) {
    if (address.endsWith(")")) unopened -= 1;
    address = address.slice(0, -1);
  }
  return address;
};

/** @type {(text: string) => Twig[]} */
export const linked = (text) => {
  /** @type {Twig[]} */
  const twigs = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const shown = withoutEnd(match[0]);
    const href = safeAddress(shown);
    if (!href) continue;
    if (match.index > from) twigs.push(text.slice(from, match.index));
    twigs.push({ tag: "a", href, children: [shown] });
    from = match.index + shown.length;
  }
  return from < text.length ? [...twigs, text.slice(from)] : twigs;
};
