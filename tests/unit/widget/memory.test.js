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

test("a chat that begins takes the place of another in one go", () => {
  const kept = slot('{"key":"old","seen":5,"open":true}');
  const written = [];
  const write = kept.write.bind(kept);
  kept.write = (value) => (written.push(value), write(value));
  new Memory(kept, slot(), () => 0).begin({ key: "new", session: "s" });
  assert.deepEqual(written, ['{"key":"new","session":"s"}']);
});

test("what is noted of a chat is not noted of another, nor of none", () => {
  for (const stored of ['{"key":"new"}', null]) {
    const kept = slot(stored);
    new Memory(kept, slot(), () => 0).patchChat("old", { seen: 5 });
    assert.equal(kept.value, stored);
  }
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
