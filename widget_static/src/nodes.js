/**
 * Elements without HTML: properties are set, strings become text nodes.
 */

const SVG = "http://www.w3.org/2000/svg";

/** Outlines on a 24 × 24 grid. */
const ICONS = {
  attach: "M20 11.5 12.3 19a5 5 0 0 1-7.1-7.1l8.2-8a3.3 3.3 0 0 1 4.7 4.7l-8 7.8a1.7 1.7 0 0 1-2.4-2.4L14.5 7",
  chat: "M7 4h10a3 3 0 0 1 3 3v6a3 3 0 0 1-3 3h-5.5L7 20v-4a3 3 0 0 1-3-3V7a3 3 0 0 1 3-3z",
  close: "m6 9.5 6 6 6-6",
  down: "M12 5v14m-6-6 6 6 6-6",
  file: "M14 3H7a1.5 1.5 0 0 0-1.5 1.5v15A1.5 1.5 0 0 0 7 21h10a1.5 1.5 0 0 0 1.5-1.5V7.5zM14 3v4.5h4.5",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  send: "M4.5 12h14m-6-6.5 6.5 6.5-6.5 6.5",
  warn: "M12 8v5m0 3.2v.01M12 3.5 2.8 19.5h18.4z",
  away: "M14 5h5v5m0-5-8 8M10 6H6.5A1.5 1.5 0 0 0 5 7.5v10A1.5 1.5 0 0 0 6.5 19h10a1.5 1.5 0 0 0 1.5-1.5V14",
};

/**
 * An element; a button submits nothing unless its props say so. `class`, `part`, `role` and `aria-…` are attributes, `on…` listeners, all else properties.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [props] those that are undefined, null or false are left out
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export const h = (tag, props = {}, ...children) => {
  const element = document.createElement(tag);
  if (tag === "button") Object.assign(element, { type: "button" });
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), /** @type {any} */ (value));
    else if (/^(class|part|role|id|for|aria-.*|data-.*)$/.test(name)) element.setAttribute(name, `${value}`);
    else Object.assign(element, { [name]: value });
  }
  element.append(...children.filter((child) => child !== false && child != null));
  return element;
};

/** @type {(name: keyof typeof ICONS) => SVGElement} decoration only: the control beside it has the name */
export const icon = (name) => {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
};

/** @type {(text: string, act: () => void) => HTMLButtonElement} */
export const small = (text, act) => h("button", { class: "small", onclick: act }, text);
