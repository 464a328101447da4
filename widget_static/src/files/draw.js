/**
 * Files as nodes: one that was sent, by what has become of it, and one on its way.
 *
 * @import { Setting } from "../bubbles.js"
 * @import { Attachment, Upload } from "../types.js"
 */

import * as icons from "../icons.js";
import { h, icon, small } from "../nodes.js";
import { size } from "./sizes.js";

/** @type {(attachment: Attachment, over: boolean, setting: Setting) => Node} */
export const fileNode = (attachment, over, { words, actions }) => {
  const { AttachmentName: name, Status } = attachment;
  const label = h("span", { class: "file-name" }, name);
  if (Status === "APPROVED" && !over) {
    const props = { class: "file", "aria-label": words.say("download", { name }) };
    return h("button", { ...props, onclick: () => actions.download(attachment) }, icon(icons.file), label);
  }
  const key = Status === "REJECTED" ? "fileRejected" : over ? "fileOver" : "checking";
  const note = h("span", { class: "file-note" }, words.say(key));
  return h("div", { class: "file" }, icon(Status === "REJECTED" ? icons.warn : icons.file), label, note);
};

/** @type {(upload: Upload, setting: Setting) => Node[]} */
export const uploadNodes = ({ token, file, progress, state, failure }, { words, actions }) => {
  const percent = Math.round(progress * 100);
  const failed = state === "failed";
  const stage = state === "checking" ? words.say("checking") : words.say("uploading", { percent });
  const note = failed ? (failure ? words.failure(failure) : "") : stage;
  const label = { "aria-label": file.name };
  return [
    h(
      "div",
      { class: "bubble", part: "bubble bubble-own" },
      h("span", { class: "sr" }, `${words.say("you")}: `),
      h(
        "div",
        { class: "file" },
        icon(icons.file),
        h("span", { class: "file-name" }, file.name),
        h("span", { class: "file-note" }, size(file.size, words)),
      ),
      !failed && h("progress", { max: 100, value: percent, ...label }),
    ),
    h(
      "div",
      { class: failed ? "meta bad" : "meta" },
      h("span", {}, failed && icon(icons.warn), note),
      failed && small(words.say("retry"), () => actions.retryUpload(token)),
      state !== "checking" &&
        small(words.say(failed ? "delete" : "cancel"), () => actions.cancelUpload(token)),
    ),
  ];
};
