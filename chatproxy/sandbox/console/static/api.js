/** Everything the page asks of the sandbox. Failures become `Refused`, whose message is a sentence to show. */

/** The sandbox said no, or could not be reached. */
export class Refused extends Error {}

const base = new URL("./", document.baseURI);

const csrfToken = () => /(?:^|;\s*)console_csrf=([^;]+)/.exec(document.cookie)?.[1] ?? "";

/**
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
async function ask(path, options) {
  let response;
  try {
    response = await fetch(new URL(path, base), options);
  } catch {
    throw new Refused("The sandbox cannot be reached.");
  }
  const body = await response.json().catch(() => ({}));
  if (response.status === 404) throw new Refused("The sandbox no longer knows this chat.");
  if (!response.ok) throw new Refused(body.message ?? `The sandbox answered ${response.status}.`);
  return body;
}

/**
 * @param {string} path
 * @param {Record<string, unknown>} [body]
 */
const post = (path, body = {}) =>
  ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify(body),
  });

/** @param {string} id */
const chatPath = (id) => `chats/${encodeURIComponent(id)}`;

/** @param {string} id */
export const loadChat = (id) => ask(chatPath(id));

/**
 * @param {string} id
 * @param {string} action see `actions.py`
 * @param {Record<string, unknown>} [body]
 */
export const act = (id, action, body) => post(`${chatPath(id)}/${action}`, body);

/** @param {string} name */
export const rename = (name) => post("name", { name });

/**
 * @param {string} id
 * @param {string} attachmentId
 * @param {boolean} [save] ask for a download even of what could be shown
 */
export const fileUrl = (id, attachmentId, save = false) =>
  new URL(`${chatPath(id)}/files/${encodeURIComponent(attachmentId)}${save ? "?save" : ""}`, base).href;

/**
 * Send a file. XMLHttpRequest, because fetch cannot tell how far an upload is.
 * @param {string} id
 * @param {File} file
 * @param {(part: number) => void} onProgress 0 to 1
 * @returns {{done: Promise<any>, cancel: () => void}}
 */
export function sendFile(id, file, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.open("POST", new URL(`${chatPath(id)}/files?name=${encodeURIComponent(file.name)}`, base));
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.loaded / Math.max(1, event.total));
    request.onload = () =>
      request.status === 200
        ? resolve(request.response)
        : reject(new Refused(request.response?.message ?? `${file.name} was not sent.`));
    request.onerror = () => reject(new Refused("The sandbox cannot be reached."));
    request.onabort = () => reject(new Refused(""));
    request.send(file);
  });
  return { done, cancel: () => request.abort() };
}

/**
 * Hear every change from now on; the browser reconnects by itself and the overview comes again.
 * @param {Record<"overview" | "chat" | "frame" | "open" | "lost", (value: any) => void>} listeners
 */
export function listen(listeners) {
  const source = new EventSource(new URL("changes", base));
  for (const name of /** @type {const} */ (["overview", "chat", "frame"])) {
    source.addEventListener(name, (event) => listeners[name](JSON.parse(event.data)));
  }
  source.addEventListener("open", () => listeners.open(undefined));
  source.addEventListener("error", () => {
    listeners.lost(undefined);
    // The browser gives up for good on an answer that is no stream, as from a server just starting.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(listeners), 2000);
  });
}
