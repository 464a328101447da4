/**
 * Files on their way: asked for, put to the address we are given with progress, completed. They live
 * as long as the page; what became of a file afterwards is told by its item.
 *
 * @import { ApiProblem } from "../api.js"
 * @import { Clock, Failure, Upload, UploadTicket } from "../types.js"
 */

import { newToken } from "../clock.js";

/**
 * @typedef {object} UploadHooks
 * @property {(operation: string, body: object) => Promise<any>} call of the Participant Service
 * @property {() => void} changed
 */

/** @typedef {(ticket: UploadTicket["UploadMetadata"], file: File, progress: (part: number) => void, signal: AbortSignal) => Promise<void>} Put */

export class Uploads {
  /** @type {readonly Upload[]} */
  #uploads = [];
  /** @type {Map<string, AbortController>} */
  #aborts = new Map();
  /** Attachments we have seen as items: a frame may come before the answer. @type {Set<string>} */
  #arrived = new Set();
  #hooks;
  #clock;
  #put;

  /**
   * @param {UploadHooks} hooks
   * @param {Clock} clock
   * @param {Put} [put]
   */
  constructor(hooks, clock, put = putWithProgress) {
    this.#hooks = hooks;
    this.#clock = clock;
    this.#put = put;
  }

  get list() {
    return this.#uploads;
  }

  /** @param {File} file */
  add(file) {
    const token = newToken();
    const at = this.#clock.now();
    this.#replace([...this.#uploads, { token, file, at, progress: 0, state: "uploading" }]);
    void this.#send(token, file);
  }

  /** @param {string} token */
  retry(token) {
    const upload = this.#uploads.find((one) => one.token === token);
    if (!upload) return;
    this.cancel(token);
    this.add(upload.file);
  }

  /** @param {string} token */
  cancel(token) {
    this.#aborts.get(token)?.abort();
    this.#replace(this.#uploads.filter((one) => one.token !== token));
  }

  /** @param {string} attachment its item is in the transcript now */
  arrived(attachment) {
    this.#arrived.add(attachment);
    if (this.#uploads.some((one) => one.attachmentId === attachment))
      this.#replace(this.#uploads.filter((one) => one.attachmentId !== attachment));
  }

  clear() {
    for (const { token } of this.#uploads) this.cancel(token);
  }

  /**
   * @param {string} token
   * @param {File} file
   */
  async #send(token, file) {
    const abort = new AbortController();
    this.#aborts.set(token, abort);
    try {
      /** @type {UploadTicket} */
      const ticket = await this.#hooks.call("start-attachment-upload", {
        ContentType: file.type || "application/octet-stream",
        AttachmentSizeInBytes: file.size,
        AttachmentName: file.name,
        ClientToken: token,
      });
      if (abort.signal.aborted) return;
      const progress = (/** @type {number} */ part) => this.#change(token, { progress: part });
      await this.#put(ticket.UploadMetadata, file, progress, abort.signal);
      this.#change(token, { progress: 1, state: "checking", attachmentId: ticket.AttachmentId });
      if (abort.signal.aborted) return;
      await this.#complete(ticket.AttachmentId, token);
      if (this.#arrived.has(ticket.AttachmentId)) this.arrived(ticket.AttachmentId);
    } catch (error) {
      if (!abort.signal.aborted) this.#change(token, { state: "failed", failure: failureOf(error) });
    } finally {
      this.#aborts.delete(token);
    }
  }

  /**
   * Completing has a token of its own, so a second try after silence is safe.
   *
   * @param {string} attachment
   * @param {string} token
   */
  async #complete(attachment, token) {
    const body = { AttachmentIds: [attachment], ClientToken: token };
    const complete = () => this.#hooks.call("complete-attachment-upload", body);
    try {
      await complete();
    } catch (error) {
      if (!problemOf(error)?.repeatable) throw error;
      await new Promise((resolve) => this.#clock.later(() => resolve(null), 1_000));
      await complete();
    }
  }

  /**
   * @param {string} token
   * @param {Partial<Upload>} change
   */
  #change(token, change) {
    this.#replace(
      this.#uploads.map((one) => (one.token === token ? { ...one, ...change } : one)),
    );
  }

  /** @param {readonly Upload[]} uploads */
  #replace(uploads) {
    this.#uploads = uploads;
    this.#hooks.changed();
  }
}

/** The proxy's refusal. Not by its class: the panel's is another than one of ours would be. @type {(error: unknown) => ApiProblem | null} */
const problemOf = (error) => (error instanceof Error && error.name === "ApiProblem" ? /** @type {any} */ (error) : null);

/** @type {(error: unknown) => Failure} */
const failureOf = (error) => problemOf(error)?.asFailure() ?? { reason: "uploadFailed", repeatable: true };

/**
 * PUT the bytes with exactly the headers we were told. XMLHttpRequest, because fetch tells no progress.
 *
 * @type {Put}
 */
const putWithProgress = ({ Url, HeadersToInclude }, file, progress, signal) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const failed = () => reject(new Error("not put"));
    request.open("PUT", Url);
    for (const [name, value] of Object.entries(HeadersToInclude ?? {})) {
      // The browser sends its own and complains about ours.
      if (name.toLowerCase() !== "content-length") request.setRequestHeader(name, value);
    }
    request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
    request.onload = () => (request.status < 300 ? resolve() : failed());
    request.onerror = failed;
    request.onabort = failed;
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
