/**
 * The one address a page loads. Puts the launcher on the page, takes over what was called before it
 * was there, and nothing more: the panel comes when it is needed. Keep it small.
 *
 * @import { PanelFacade } from "./types.js"
 */

import { ChatWidget, TAG } from "./element.js";

/** @typedef {{ (command: string, ...args: any[]): unknown, q?: IArguments[] | unknown[][] }} Command */

const page = /** @type {typeof window & { chatproxy?: Command }} */ (window);
const { from: script } = ChatWidget;

/** @type {(command: string, ...args: any[]) => unknown} the page's way in: `chatproxy("open")` */
const command = (name, ...args) => {
  const widget = /** @type {any} */ (document.querySelector(TAG));
  if (widget?.[name]?.call) return widget[name](...args);
  console.warn("chatproxy: no " + name);
};

const place = () => {
  if (!script?.dataset.widget || document.querySelector(TAG)) return;
  const widget = document.createElement(TAG);
  Object.assign(widget.dataset, script.dataset);
  document.body.append(widget);
};

const begin = () => {
  place();
  const queue = page.chatproxy?.q ?? [];
  page.chatproxy = command;
  for (const call of queue) command(...(/** @type {[string]} */ (/** @type {unknown} */ (call))));
};

if (!customElements.get(TAG)) {
  customElements.define(TAG, ChatWidget);
  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin);
}
