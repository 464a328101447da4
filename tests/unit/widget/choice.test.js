/** Which files may be sent, and how their sizes are said. */

import assert from "node:assert/strict";
import test from "node:test";
import { refusal } from "../../../widget_static/src/files/choice.js";
import { size } from "../../../widget_static/src/files/sizes.js";
import { files } from "../../../widget_static/src/strings/en.js";
import { Words } from "../../../widget_static/src/words.js";

const inLanguage = (locale) => new Words({ locale });
const words = inLanguage("en");
words.learn(files, []);
const config = { attachmentTypes: ["image/png", ".pdf", "txt"], attachmentMaxBytes: 20_971_520 };

test("sizes follow the language", () => {
  assert.match(size(20_971_520, inLanguage("de_DE")), /^21\sMB$/);
  assert.match(size(1_234, words), /^1\.2\skB$/);
});

test("a limit is rounded down: what is said to fit must fit", () => {
  assert.match(size(20_971_520, words, "floor"), /^20\sMB$/);
  assert.match(size(5_990_000, words, "floor"), /^5\.9\sMB$/);
});

test("a file is refused before it travels, in words that say what to do", () => {
  const said = (name, type, bytes = 9) => refusal({ name, type, size: bytes }, config, words);
  assert.deepEqual([said("a.png", "image/png"), said("a.PDF", ""), said("a.b.txt", "")], ["", "", ""]);
  assert.match(said("a.exe", "application/x-exe"), /not accepted/);
  assert.match(said("a.png", "image/png", 0), /empty/);
  assert.match(said("a.png", "image/png", 30_000_000), /too large.*20\sMB/);
});
