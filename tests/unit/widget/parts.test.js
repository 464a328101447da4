import assert from "node:assert/strict";
import test from "node:test";
import { Parts } from "../../../widget_static/src/parts/parts.js";
import { FakeClock } from "./stage.js";

const cards = { sheets: ["a sheet"] };

/** Parts whose server fails as often as told. */
const setting = (failures) => {
  const clock = new FakeClock();
  const asked = [];
  const parts = new Parts(async (name, { file }) => {
    asked.push(file);
    if (failures-- > 0) throw new Error("no network");
    return name === "cards" ? cards : undefined;
  }, clock);
  const told = [];
  parts.arrived = () => told.push(parts.need("cards"));
  return { parts, clock, asked, told };
};

test("a part is fetched when it is first needed, once", async () => {
  const { parts, asked, told } = setting(0);
  assert.deepEqual([asked.length, parts.sheets], [0, []]);
  assert.equal(parts.need("cards"), undefined);
  assert.equal(parts.need("cards"), undefined);
  assert.equal(await parts.load("cards"), cards);
  assert.equal(parts.need("cards"), cards);
  assert.deepEqual([asked, told, parts.sheets], [["cards.js"], [cards], ["a sheet"]]);
});

test("it is asked for again while the network is away", async () => {
  const { parts, clock, asked } = setting(2);
  parts.need("cards");
  await clock.pass(900);
  assert.equal(asked.length, 1);
  await clock.pass(200);
  assert.deepEqual([asked.length, parts.need("cards")], [2, undefined]);
  await clock.pass(4_000);
  assert.deepEqual([asked.length, parts.need("cards")], [3, cards]);
});

test("who cannot have it is told so, and may ask anew when the network is back", async () => {
  const { parts, clock, asked } = setting(4);
  let told = 0;
  parts.arrived = () => (told += 1);
  const loaded = parts.load("cards");
  await clock.pass(20_000);
  assert.deepEqual([await loaded, told, asked.length], [null, 1, 4]);
  assert.equal(parts.need("cards"), null);
  await clock.pass(60_000);
  assert.equal(asked.length, 4);
  parts.forgive();
  assert.equal(parts.need("cards"), undefined);
  await clock.pass(0);
  assert.deepEqual([parts.need("cards"), told, asked.length], [cards, 2, 5]);
});
