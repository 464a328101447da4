import assert from "node:assert/strict";
import test from "node:test";
import { days, lasting, moment, zone } from "../../../widget_static/src/cards/times.js";
import { Words } from "../../../widget_static/src/words.js";

process.env.TZ = "Pacific/Auckland"; // thirteen hours ahead in December, twelve in June
const slot = (text) => ({ answer: text, at: Date.parse(text) });

test("times are put under the day they are on where the visitor is, in their order", () => {
  const found = days(["2026-12-02T12:00Z", "2026-12-01T10:00Z", "2026-12-01T11:30Z"].map(slot));
  const answers = found.map((day) => day.map(({ answer }) => answer));
  assert.deepEqual(answers, [["2026-12-01T10:00Z"], ["2026-12-01T11:30Z"], ["2026-12-02T12:00Z"]]);
});

test("a time is said in the widget's language and the visitor's zone", () => {
  const words = new Words({ locale: "de" });
  const { at } = slot("2026-12-01T11:30Z");
  assert.match(moment(at, words), /^Mittwoch, 2\. Dezember 2026 um 00:30$/);
  assert.equal(zone(at, words), "Neuseeland-Zeit");
  assert.equal(lasting(60, words), "60 Min.");
});
