import assert from "node:assert/strict";
import test from "node:test";
import { Api, ApiProblem } from "../../../widget_static/src/api.js";

const door = (answer) => {
  const calls = [];
  const api = new Api("https://chat.test/", async (url, init) => {
    calls.push({ url, ...init });
    return answer();
  });
  return { api, calls };
};
const json = (body, init) => () => new Response(JSON.stringify(body), init);
const failing = async (answer) => door(answer).api.session("sk1").catch((error) => error);

test("keys travel in a header, never with cookies and never in an address", async () => {
  const { api, calls } = door(json({ Id: "m1", AbsoluteTime: "" }));
  await api.sendMessage("ck1.secret", { Content: "hi", ContentType: "text/plain", ClientToken: "t" });
  const [{ url, headers, credentials, method, body }] = calls;
  assert.equal(url, "https://chat.test/participant/message");
  assert.deepEqual(headers, { "X-Amz-Bearer": "ck1.secret", "Content-Type": "application/json" });
  assert.deepEqual([method, credentials], ["POST", "omit"]);
  assert.deepEqual(JSON.parse(body), { Content: "hi", ContentType: "text/plain", ClientToken: "t" });
});

test("an answer without content is fine", async () => {
  assert.deepEqual(await door(() => new Response(null, { status: 204 })).api.end("sk1"), {});
});

test("a problem carries the server's sentence, and whether to wait", async () => {
  const body = { type: "https://chat.test/problems/rate-limited", title: "Too many", status: 429, detail: "Wait a little." };
  const error = await failing(json(body, { status: 429, headers: { "Retry-After": "7" } }));
  assert.ok(error instanceof ApiProblem);
  assert.deepEqual([error.reason, error.detail, error.retryAfterMs, error.repeatable], ["busy", "Wait a little.", 7000, true]);
});

test("each kind of failure has its sentence, and knows whether repeating can help", async () => {
  const cases = [
    [401, "", "keyRefused", false], [403, "", "keyRefused", false], [403, "x/origin-not-allowed", "originRefused", false],
    [410, "", "chatOver", false], [402, "", "tooManyFiles", false], [413, "", "tooLarge", false], [400, "", "refused", false],
    [422, "", "refused", false], [503, "", "busy", true], [500, "", "serverFailed", true], [504, "", "serverFailed", true],
  ];
  for (const [status, type, reason, repeatable] of cases) {
    const error = await failing(json({ type, detail: "x" }, { status }));
    assert.deepEqual([error.reason, error.repeatable], [reason, repeatable], `${status}`);
  }
});

test("no answer, a late one and nonsense are told apart", async () => {
  const reason = async (answer) => (await failing(answer)).reason;
  assert.equal(await reason(() => Promise.reject(new TypeError("Failed to fetch"))), "unreachable");
  assert.equal(await reason(() => Promise.reject(Object.assign(new Error(), { name: "TimeoutError" }))), "timeout");
  assert.equal(await reason(() => new Response("<html>")), "serverFailed");
  assert.equal(await reason(() => new Response("<html>", { status: 502 })), "serverFailed");
});

test("a problem never holds the key", async () => {
  const error = await failing(json({ detail: "No." }, { status: 403 }));
  assert.ok(!JSON.stringify(error.asFailure()).includes("sk1") && !String(error).includes("sk1"));
});
