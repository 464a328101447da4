/**
 * Elements without HTML: properties are set, strings become text nodes.
 */

const SVG = "http://www.w3.org/2000/svg";

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

/** @type {(outline: string) => SVGElement} one of the icons, for decoration: the control beside it has the name */
export const icon = (outline) => {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", outline);
  svg.append(path);
  return svg;
};

/** @type {(text: string, act: () => void) => HTMLButtonElement} */
export const small = (text, act) => h("button", { class: "small", onclick: act }, text);
