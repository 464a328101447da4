/**
 * The part for formatted text and code: fetched with the first that comes, it hands itself to the element, as
 * the panel does.
 *
 * @import { MarkdownPart } from "./types.js"
 */

import { codeBlock, markdown as parsed, spoken } from "./markdown/parse.js";
import { nodes } from "./richtext.js";
import sheet from "./markdown/markdown.css" with { type: "css" };

/** @type {MarkdownPart} */
const markdown = { sheets: [sheet], texts: {}, spoken, nodes: (text) => nodes(parsed(text)), code: (text) => nodes([codeBlock(text)]) };

const element = /** @type {any} */ (customElements.get("chatproxy-widget"));
if (element) element.markdown = markdown;
