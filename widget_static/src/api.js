/**
 * The proxy's REST doors as functions. Knows paths, headers and errors; keeps nothing. Every failure
 * is an `ApiProblem` that knows whether trying again can help.
 *
 * @import { Connection, Failure, SessionInfo, StartDetails, Started, TranscriptPage, WidgetConfig } from "./types.js"
 */

const TIMEOUT_MS = 15_000;
const SLOW_TIMEOUT_MS = 25_000;

/** What went wrong, and whether trying again can help. Never holds a key. */
export class ApiProblem extends Error {
  /** @param {{ reason: string, status?: number, detail?: string, retryAfterMs?: number }} facts */
  constructor({ reason, status = 0, detail = "", retryAfterMs = 0 }) {
    super(detail || reason);
    this.name = "ApiProblem";
    /** Key of a sentence in strings. */
    this.reason = reason;
    /** HTTP status; 0: no answer came, so it may have been done all the same. */
    this.status = status;
    /** The server's own sentence, if it gave one. */
    this.detail = detail;
    this.retryAfterMs = retryAfterMs;
  }

  /** Repeating the very same request can help. */
  get repeatable() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  /** @type {() => Failure} the same for the view */
  asFailure() {
    const { reason, detail, repeatable } = this;
    return { reason, repeatable, ...(detail ? { detail } : {}) };
  }
}

export class Api {
  #root;
  #fetch;

  /**
   * @param {string} root address under which the doors are, with a final slash
   * @param {typeof fetch} [fetcher]
   */
  constructor(root, fetcher = globalThis.fetch.bind(globalThis)) {
    this.#root = root;
    this.#fetch = fetcher;
  }

  /** @type {(widget: string) => Promise<WidgetConfig>} public configuration of one widget */
  widget(widget) {
    return this.#json("GET", `api/v1/widgets/${encodeURIComponent(widget)}`, { timeoutMs: 5_000 });
  }

  /** @type {(details: StartDetails) => Promise<Started>} a chat; the same client token gives the same one */
  start(details) {
    return this.#json("POST", "api/v1/sessions", { body: details, timeoutMs: SLOW_TIMEOUT_MS });
  }

  /** @type {(key: string) => Promise<SessionInfo>} */
  session(key) {
    return this.#json("GET", "api/v1/session", { key });
  }

  /** @type {(key: string) => Promise<unknown>} end the chat; doing it twice is fine */
  end(key) {
    return this.#json("DELETE", "api/v1/session", { key });
  }

  /** @type {(key: string) => Promise<{ items: TranscriptPage["Transcript"], incompleteSince: string | null }>} all of it, also after the end */
  wholeTranscript(key) {
    const path = "api/v1/session/transcript?format=json";
    return this.#json("GET", path, { key, timeoutMs: SLOW_TIMEOUT_MS });
  }

  /** @type {(key: string) => Promise<Blob>} the chat as a text file */
  async transcriptFile(key) {
    const path = "api/v1/session/transcript?format=txt";
    return (await this.#answer("GET", path, { key, timeoutMs: SLOW_TIMEOUT_MS })).blob();
  }

  /** @type {(key: string) => Promise<Connection>} a connection key and the address of a socket, both for the session key */
  connection(key) {
    const body = { Type: ["WEBSOCKET", "CONNECTION_CREDENTIALS"] };
    return this.participant(key, "connection", body);
  }

  /** @type {(key: string, body: { Content: string, ContentType: string, ClientToken: string }) => Promise<{ Id: string, AbsoluteTime: string }>} */
  sendMessage(key, body) {
    return this.participant(key, "message", body);
  }

  /** @type {(key: string, body: { ContentType: string, Content?: string }) => Promise<unknown>} */
  sendEvent(key, body) {
    return this.participant(key, "event", body);
  }

  /** @type {(key: string, body: object) => Promise<TranscriptPage>} one page */
  transcript(key, body) {
    return this.participant(key, "transcript", body);
  }

  /** @type {(key: string, operation: string, body?: object) => Promise<any>} any operation of the Participant Service; without a body it is read */
  participant(key, operation, body) {
    return this.#json(body ? "POST" : "GET", `participant/${operation}`, { key, ...(body && { body }) });
  }

  /** @type {(method: string, path: string, request: { key?: string, body?: object, timeoutMs?: number }) => Promise<any>} */
  async #json(method, path, request) {
    const answer = await this.#answer(method, path, request);
    if (answer.status === 204) return {};
    try {
      return await answer.json();
    } catch {
      throw new ApiProblem({ reason: "serverFailed", status: 502 });
    }
  }

  /** @type {(method: string, path: string, request: { key?: string, body?: object, timeoutMs?: number }) => Promise<Response>} */
  async #answer(method, path, { key, body, timeoutMs = TIMEOUT_MS }) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (key) headers["X-Amz-Bearer"] = key;
    if (body) headers["Content-Type"] = "application/json";
    const request = this.#fetch(this.#root + path, {
      method,
      headers,
      body: body ? JSON.stringify(body) : null,
      credentials: "omit",
      referrerPolicy: "strict-origin",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const answer = await request.catch((error) => {
      throw new ApiProblem({ reason: error?.name === "TimeoutError" ? "timeout" : "unreachable" });
    });
    if (!answer.ok) throw await problemOf(answer);
    return answer;
  }
}

/** @type {(error: unknown) => Failure} whatever it was, in words a page may show */
export const failureOf = (error) =>
  error instanceof ApiProblem ? error.asFailure() : { reason: "serverFailed", repeatable: true };

/** @type {(answer: Response) => Promise<ApiProblem>} */
const problemOf = async (answer) => {
  const body = await answer.json().catch(() => ({}));
  const text = body.detail ?? body.message ?? body.Message;
  return new ApiProblem({
    reason: reasonOf(answer.status, String(body.type ?? "")),
    status: answer.status,
    detail: typeof text === "string" ? text : "",
    retryAfterMs: retryAfterOf(answer.headers.get("Retry-After")),
  });
};

/** @type {(status: number, type: string) => string} key of the sentence that says what to do */
const reasonOf = (status, type) => {
  if (type.endsWith("origin-not-allowed")) return "originRefused";
  if (type.endsWith("chat-ended") || status === 410) return "chatOver";
  if (status === 401 || status === 403) return "keyRefused";
  if (status === 402) return "tooManyFiles";
  if (status === 413) return "tooLarge";
  if (status === 429 || status === 503) return "busy";
  return status >= 500 ? "serverFailed" : "refused";
};

/** @type {(header: string | null) => number} milliseconds */
const retryAfterOf = (header) => Math.min(Math.max(Number(header) || 0, 0), 120) * 1000;
