/**
 * Building page elements. Text always becomes text nodes: nothing here, or anywhere in the console,
 * takes HTML from a string.
 */

/**
 * @typedef {Object} Props
 * @property {string} [class]
 * @property {Record<string, (event: any) => void>} [on] listeners by event name
 * @property {Record<string, string>} [style] custom properties by name; set through CSSOM, so a strict CSP allows it
 */

/**
 * Make an element.
 * @param {string} tag
 * @param {Props & Record<string, unknown>} [props] anything else is an attribute; false, null and undefined leave it out
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(props.on ?? {})) node.addEventListener(event, listener);
    } else if (name === "style") {
      for (const [property, text] of Object.entries(props.style ?? {})) node.style.setProperty(property, text);
    } else if (value === true) {
      node.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(name, String(value));
    }
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * One of the page's icons (`<symbol>`s at the top of the template). Decoration: hidden from screen readers.
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/**
 * An element of the template, by id. A missing one is a mistake in the template, so it throws.
 * @param {string} id
 * @returns {any}
 */
export function part(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`The page has no #${id}`);
  return node;
}

/**
 * A round picture with initials; its colour follows from the name, so that it stays the same.
 * @param {string} name
 * @param {string} [kind] "bot" shows the bot's icon
 */
export function avatar(name, kind = "") {
  const hue = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360, 7);
  const words = name.trim().split(/\s+/);
  const ends = words.length > 1 ? [words.at(0), words.at(-1)] : words;
  const text = ends.map((word) => [...(word ?? "")][0] ?? "").join("").toUpperCase();
  return el(
    "span",
    { class: `avatar ${kind}`, "aria-hidden": "true", style: { "--hue": String(hue) } },
    kind === "bot" ? icon("bot") : text || "?",
  );
}

/**
 * Make `parent` hold exactly `nodes`, in that order, moving as few as possible (focus and scroll survive).
 * @param {Element} parent
 * @param {Element[]} nodes
 */
export function place(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}
