/**
 * The part for views, forms and pages that a flow shows (ViewResource): fetched when the first one comes,
 * it hands itself to the element, as the panel does.
 *
 * @import { MessageRow, Setting } from "./bubbles.js"
 * @import { CardsPart } from "./types.js"
 * @import { Piece } from "./views/pieces.js"
 */

import { h } from "./nodes.js";
import { views as texts } from "./strings/en.js";
import { form } from "./views/form.js";
import { piecesOf } from "./views/pieces.js";
import sheet from "./views/views.css" with { type: "css" };

/** @typedef {{ pieces: Piece[] | null | undefined, form: HTMLFormElement | null }} Known undefined: asked for; null: not to be had */

/** By the Id of its message. @type {Map<string, Known>} */
const known = new Map();

/** @type {CardsPart} */
const views = {
  sheets: [sheet],
  texts,
  draw(row, setting) {
    const { words } = setting;
    const view = known.get(row.line.Id) ?? ask(row, setting);
    if (view.pieces === undefined) return { body: [h("span", { class: "caret awaits", "aria-hidden": "true" })], below: [] };
    // One that could not be had is asked for again when the network is back.
    if (!view.pieces) return { body: [h("span", { class: "awaits" }, words.say("unshown"))], below: [] };
    const [first, ...rest] = view.pieces;
    if (!first || !setting.actions.press) return { body: [words.say("unshown")], below: [] };
    const isTitled = first.piece === "heading";
    const body = [isTitled ? h("div", { class: "title" }, first.text) : words.say("form")];
    if (row.answered) {
      // What was written here stays to be seen; after a reload nothing of it is there.
      view.form?.querySelector("fieldset")?.setAttribute("disabled", "");
      return { body, below: view.form ? [view.form] : [] };
    }
    view.form ??= form(isTitled ? rest : [first, ...rest], words, (action, data, button) => {
      const answer = { action, data, templateType: "ViewResource", version: "1.0" };
      void setting.actions.press?.(JSON.stringify(answer), button).then((sent) => sent && setting.actions.focus());
    });
    return { body, below: [view.form] };
  },
  spoken(content, words) {
    try {
      const { viewData } = JSON.parse(content).data.content;
      const { Heading } = typeof viewData === "string" ? JSON.parse(viewData) : viewData;
      return typeof Heading === "string" ? `${Heading}. ${words.say("form")}` : words.say("form");
    } catch {
      return words.say("form");
    }
  },
  answered: () => null,
};

/** @type {(row: MessageRow, setting: Setting) => Known} */
const ask = ({ line }, { actions }) => {
  /** @type {Known} */
  const view = { pieces: undefined, form: null };
  known.set(line.Id, view);
  void described(line.Content ?? "", actions.call).then((pieces) => {
    view.pieces = pieces;
    if (!pieces) setTimeout(() => known.delete(line.Id), AGAIN_MS); // the next drawing asks again
    actions.redraw();
  });
  return view;
};
const AGAIN_MS = 5_000;

/** @type {(content: string, call: Setting["actions"]["call"]) => Promise<Piece[] | null>} */
const described = async (content, call) => {
  try {
    const { viewToken, viewData } = JSON.parse(content).data.content;
    const { View } = await call(`views/${encodeURIComponent(viewToken)}`);
    return piecesOf(View.Content.Template, View.Content.Actions, viewData);
  } catch {
    return null;
  }
};

const element = /** @type {any} */ (customElements.get("chatproxy-widget"));
if (element) element.views = views;
