import assert from "node:assert/strict";
import test from "node:test";
import { Memory, slotFor } from "../../../widget_static/src/memory.js";
import { slot } from "./stage.js";

test("a record can be changed and forgotten", () => {
  const kept = slot();
  const memory = new Memory(kept, slot(), () => 0);
  memory.patch({ key: "k" });
  memory.patch({ open: true });
  assert.deepEqual(memory.record, { key: "k", open: true });
  memory.forget();
  assert.equal(kept.value, null);
});

test("a start nobody finished is forgotten after ten minutes", () => {
  const record = (now) => new Memory(slot('{"start":"t","startedAt":1000}'), slot(), () => now).record;
  assert.equal(record(600_000).start, "t");
  assert.deepEqual(record(602_000), {});
});

test("a chat that is put away can be taken out again, unless another has begun", () => {
  const kept = slot('{"key":"k"}');
  const memory = new Memory(kept, slot(), () => 0);
  memory.shelve();
  assert.equal(kept.value, null);
  memory.unshelve();
  assert.equal(memory.record.key, "k");
  memory.shelve();
  memory.patch({ key: "new" });
  memory.unshelve();
  assert.equal(memory.record.key, "new");
});

test("nonsense is no record", () => {
  for (const nonsense of ["{", "7", '"x"', "null", "[]"]) assert.deepEqual(new Memory(slot(nonsense), slot(), () => 0).record, {});
});

test("storage that is blocked or full is no reason to fail", () => {
  Object.defineProperty(globalThis, "localStorage", {
    configurable: true,
    get() {
      throw new Error("SecurityError");
    },
  });
  const blocked = slotFor("local", "x");
  blocked.write("kept");
  assert.equal(blocked.read(), "kept");
  const setItem = () => {
    throw new Error("QuotaExceededError");
  };
  Object.defineProperty(globalThis, "localStorage", { configurable: true, value: { getItem: () => null, setItem } });
  const full = slotFor("local", "x");
  full.write("kept");
  assert.equal(full.read(), "kept");
  delete globalThis.localStorage;
});

test("memory only is memory only", () => {
  assert.equal(slotFor("memory", "x").read(), null);
});
