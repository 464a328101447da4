/**
 * The part for files: fetched when the first one is sent or comes, it hands itself to the element, as
 * the panel does.
 *
 * @import { FilesPart } from "./types.js"
 */

import { refusal } from "./files/choice.js";
import { fileNode as file, uploadNodes as upload } from "./files/draw.js";
import { Uploads } from "./files/uploads.js";
import { files as texts } from "./strings/en.js";
import sheet from "./files/files.css" with { type: "css" };

/** @type {FilesPart} */
const files = { sheets: [sheet], texts, refusal, Uploads, file, upload };

const element = /** @type {any} */ (customElements.get("chatproxy-widget"));
if (element) element.files = files;
