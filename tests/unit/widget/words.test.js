import assert from "node:assert/strict";
import test from "node:test";
import { en } from "../../../widget_static/src/strings/en.js";
import { Words } from "../../../widget_static/src/words.js";

/** Strings of another language, as they are fetched. */
const listed = (given) => Object.keys(en).map((key) => given[key]);
const NOW = new Date(2026, 10, 22, 12).getTime();

test("a widget's own texts win, key by key", () => {
  const words = new Words({ texts: { welcome: "Moin!" } });
  assert.equal(words.say("welcome"), "Moin!");
  assert.equal(words.say("send"), "Send message");
});

test("names are put in as they are", () => {
  assert.equal(new Words().say("typing", { name: "$& {name}" }), "$& {name} is typing");
});

test("days are named as people name them", () => {
  const words = new Words({ locale: "en-GB" });
  assert.equal(words.day(NOW, NOW), "Today");
  assert.equal(words.day(new Date(2026, 10, 21, 23, 59).getTime(), NOW), "Yesterday");
  assert.match(words.day(new Date(2026, 10, 20).getTime(), NOW), /Friday.*20 November$/);
  assert.match(words.day(new Date(2025, 0, 1).getTime(), NOW), /2025/);
});

test("times follow the language, and a language nobody knows does no harm", () => {
  assert.match(new Words({ locale: "de_DE" }).time(NOW), /^12:00$/);
  assert.match(new Words({ locale: "not a language!" }).time(NOW), /12/);
});

test("a refusal is told in the server's words, everything else in ours", () => {
  const words = new Words();
  assert.equal(words.failure({ reason: "refused", detail: "Too long.", repeatable: false }), "Too long.");
  assert.equal(words.failure({ reason: "timeout", detail: "x", repeatable: true }), "There was no answer in time.");
  assert.match(words.failure({ reason: "unheard of", repeatable: false }), /went wrong/);
});

test("what goes with a count has the form its language wants, unless the widget has words of its own", () => {
  const strings = listed({ unread: { one: "{count} nowa", few: "{count} nowe", many: "{count} nowych" } });
  const words = new Words({ locale: "pl-PL", strings });
  assert.deepEqual([1, 3, 5, 22].map((count) => words.say("unread", { count })), ["1 nowa", "3 nowe", "5 nowych", "22 nowe"]);
  assert.equal(new Words().say("left", { count: 1 }), "1 character left");
  assert.equal(new Words({ strings, texts: { unread: "{count}!" } }).say("unread", { count: 1234 }), "1,234!");
});

test("it says which language it speaks and which way that runs", () => {
  const speaks = (locale, strings) => {
    const { language, direction } = new Words({ locale, strings });
    return [language, direction];
  };
  assert.deepEqual(speaks("ar-EG", []), ["ar-EG", "rtl"]);
  assert.deepEqual(speaks("sv", []), ["sv", "ltr"]);
  assert.deepEqual(speaks("he", null), ["en", "ltr"]);
  assert.deepEqual(speaks(null, []), ["en", "ltr"]);
});
