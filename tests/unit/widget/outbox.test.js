import assert from "node:assert/strict";
import test from "node:test";
import * as outbox from "../../../widget_static/src/outbox.js";
import { slot } from "./stage.js";

const entry = (token, given = {}) => ({ ...outbox.newEntry(`text ${token}`, "text/plain", token, 1000), ...given });
const taken = (generator, count) => Array.from({ length: count }, () => generator.next().value);

test("waits double up to fifteen seconds", () => {
  assert.deepEqual(taken(outbox.delays(), 7), [500, 1000, 2000, 4000, 8000, 15000, 15000]);
});

test("only what may help is tried again, six times at most", () => {
  const may = { repeatable: true, retryAfterMs: 0 };
  assert.deepEqual([1, 2, 5, 6].map((tries) => outbox.retryDelay(may, tries, 1)), [500, 1000, 8000, null]);
  assert.equal(outbox.retryDelay({ repeatable: false, retryAfterMs: 0 }, 1, 1), null);
});

test("the wait has full jitter and is never shorter than the server asked for", () => {
  assert.equal(outbox.retryDelay({ repeatable: true, retryAfterMs: 0 }, 2, 0.25), 250);
  assert.equal(outbox.retryDelay({ repeatable: true, retryAfterMs: 3000 }, 1, 1), 3000);
});

test("the oldest that has not failed goes next", () => {
  const entries = [entry("a", { state: "failed" }), entry("b"), entry("c")];
  assert.equal(outbox.nextToSend(entries).token, "b");
  assert.equal(outbox.nextToSend(entries.slice(0, 1)), undefined);
});

test("an entry asked for again keeps its token and its connection key", () => {
  const failed = entry("a", { state: "failed", tries: 6, connectionKey: "ck-1", failure: { reason: "timeout", repeatable: true } });
  const [again] = outbox.requeued([failed], "a");
  assert.deepEqual(again, entry("a", { connectionKey: "ck-1" }));
});

test("what only the network had stopped has one more try, what was refused has none", () => {
  const failed = (token, repeatable) => entry(token, { state: "failed", tries: 6, connectionKey: "ck-1", failure: { reason: "x", repeatable } });
  const entries = [failed("a", true), failed("b", false), entry("c")];
  const [a, ...rest] = outbox.revived(entries);
  assert.deepEqual(a, entry("a", { connectionKey: "ck-1", tries: 5 }));
  assert.deepEqual(rest, entries.slice(1));
});

test("what was in the air when the page went is found again with token and key", () => {
  const kept = slot();
  const flying = entry("a", { state: "sending", tries: 1, connectionKey: "ck-1" });
  outbox.storeEntries(kept, [flying]);
  assert.deepEqual(outbox.storedEntries(kept), [flying]);
  assert.equal(outbox.nextToSend(outbox.storedEntries(kept)).token, "a");
});

test("an empty outbox leaves nothing behind", () => {
  const kept = slot("[]");
  outbox.storeEntries(kept, []);
  assert.equal(kept.value, null);
});

test("nonsense in the storage is an empty outbox", () => {
  for (const nonsense of ["{", "7", '"x"', '[null, 3, {"token": 4}]'])
    assert.deepEqual(outbox.storedEntries(slot(nonsense)), []);
});
