/**
 * What is drawn for a state of the conversation: lines for trouble, transcript, composer or what
 * stands in its place. Turns clicks into calls; never sees api or socket.
 *
 * @import { Attachment, ChatState, Failure, Line, WidgetConfig } from "./types.js"
 * @import { Conversation } from "./conversation.js"
 * @import { Parts } from "./parts/parts.js"
 * @import { Words } from "./words.js"
 */

import { Closing } from "./closing.js";
import { Composer } from "./composer.js";
import { h } from "./nodes.js";
import { safeAddress } from "./richtext.js";
import { RESPONSE } from "./rows.js";
import { Shell } from "./shell.js";
import { isEvent } from "./transcript.js";
import { View } from "./view.js";

/** What is over sooner is not worth a word. */
const BLINK_MS = 1_000;

/**
 * @typedef {object} StageHooks
 * @property {() => void} close
 * @property {() => void} start begin a chat, another one if there was one
 * @property {() => void} looked the visitor sees the newest lines
 * @property {(failure: Failure, text: string) => void} problem
 */

export class Stage {
  #conversation;
  #config;
  #words;
  #parts;
  #hooks;
  #shell;
  #view;
  #composer;
  #closing;
  /** @type {unknown} */
  #chat = null;
  /** @type {Failure | null} */
  #failure = null;
  #footer = "";

  /**
   * @param {Conversation} conversation
   * @param {WidgetConfig} config
   * @param {Words} words
   * @param {Parts} parts
   * @param {StageHooks} hooks
   */
  constructor(conversation, config, words, parts, hooks) {
    this.#conversation = conversation;
    this.#config = config;
    this.#words = words;
    this.#parts = parts;
    this.#hooks = hooks;
    this.#shell = new Shell(words, {
      close: hooks.close,
      end: () => void this.askToEnd(),
      save: () => void this.#save(),
    });
    this.#view = new View(
      { words, actions: this.#actions(), parts },
      { older: () => void conversation.chat?.loadOlder(), atNewest: hooks.looked },
    );
    this.#composer = new Composer(words, {
      send: (text) => this.#send(text),
      typing: () => conversation.chat?.typing(),
      attach: (files) => void this.#attach(files),
    });
    this.#closing = new Closing(words, { start: () => hooks.start(), save: () => void this.#save() });
    this.#shell.fill(this.#view.node);
    this.node = this.#shell.node;
    this.node.lang = words.language;
    this.node.dir = words.direction;
  }

  get isOpen() {
    return this.#shell.isOpen;
  }

  /** The panel fills the screen. */
  get isSmall() {
    return this.#shell.isSmall;
  }

  /** The newest lines are before the visitor's eyes. */
  get isLookedAt() {
    return this.isOpen && document.visibilityState === "visible" && this.#view.atNewest;
  }

  /** @param {boolean} focus */
  open(focus) {
    this.#shell.show();
    this.#view.toNewest();
    if (focus) this.#focus();
  }

  close() {
    this.#shell.hide();
  }

  leave() {
    this.#shell.leave();
  }

  async askToEnd() {
    if (this.#conversation.state.phase !== "active") return;
    const part = await this.#parts.load("ending");
    if (!part) return this.#shell.alert(this.#words.say("unreachable"));
    const keep = () => this.#shell.unask();
    const end = () => {
      keep();
      this.#view.toNewest();
      void this.#conversation.chat?.end();
    };
    this.#shell.ask(part.question(this.#words, { keep, end }));
  }

  /** What waited for a part is drawn anew with the next state. */
  redraw() {
    this.#view.redraw();
  }

  /** @param {ChatState} state */
  render(state) {
    const { chat } = this.#conversation;
    this.#view.render(state, this.#chat !== null && chat !== this.#chat);
    this.#chat = chat;
    this.#shell.offer({ save: !!chat && state.can.download, end: state.phase === "active" });
    this.#notice(state);
    this.#name(state);
    if (state.failure !== this.#failure && state.phase !== "failed") this.#fail(state.failure);
    this.#failure = state.failure;
    const { maxLength, attachmentTypes, attachments } = this.#config;
    const attach = attachments ? state.can.attach : null;
    this.#composer.rules = { maxLength, types: attachmentTypes, attach };
    this.#drawFooter(state);
  }

  #focus() {
    // On a touch screen the keyboard would hide what is to be read first.
    const touch = matchMedia("(pointer: coarse)").matches;
    if (touch || !this.#composer.node.isConnected) this.#shell.node.focus();
    else this.#composer.focus();
  }

  /** @returns {import("./bubbles.js").Actions} */
  #actions() {
    const chat = () => this.#conversation.chat;
    /** @type {(act: (text: string) => void) => (text: string) => void} the button that had the focus rests now, or is gone */
    const then = (act) => (text) => {
      act(text);
      this.#focus();
    };
    return {
      answer: then((text) => this.#send(text)),
      press: this.#config.contentTypes.includes(RESPONSE) ? (answer, button) => this.#press(answer, button) : null,
      call: async (operation, body) => chat()?.call(operation, body),
      redraw: () => {
        this.redraw();
        this.#hooks.looked();
      },
      focus: () => this.#focus(),
      // Without a chat it waits for one to begin.
      retry: then((token) => (chat() ? chat()?.retry(token) : this.#hooks.start())),
      discard: then((token) => this.#conversation.discard(token)),
      retryUpload: then((token) => chat()?.uploads?.retry(token)),
      cancelUpload: then((token) => chat()?.uploads?.cancel(token)),
      download: (attachment) => void this.#download(attachment),
    };
  }

  /** @param {string} text */
  #send(text) {
    this.#shell.alert("");
    this.#view.toNewest();
    this.#conversation.send(text);
    if (!this.#conversation.chat) this.#hooks.start();
  }

  /** @param {string} answer @param {HTMLElement} button */
  async #press(answer, button) {
    if (button.ariaBusy) return false;
    button.ariaBusy = "true";
    this.#shell.alert("");
    // It rests once it was heard: the page that comes has buttons of its own.
    const heard = !!(await this.#conversation.chat?.press(answer, RESPONSE));
    if (!heard) button.ariaBusy = null;
    return heard;
  }

  /** The widget's title, and with whom the visitor speaks. @param {ChatState} state */
  #name({ transcript, participantId, phase }) {
    const words = this.#words;
    const { title, subtitle } = this.#config;
    const name = phase === "active" ? partner(transcript.lines, participantId) : "";
    const usual = subtitle || words.say("subtitle");
    this.#shell.name(title || words.say("title"), name ? words.say("partner", { name }) : usual);
  }

  /** @param {ChatState} state */
  #notice({ phase, link }) {
    const live = ["active", "ending", "leaving"].includes(phase);
    const words = this.#words;
    if (phase === "opening") return this.#shell.notice(words.say("starting"), null, BLINK_MS);
    if (!live || link === "connected" || link === "idle") return this.#shell.notice("");
    const again = () => this.#conversation.chat?.continueHere();
    this.#shell.notice(
      words.say(link),
      link === "elsewhere" ? [words.say("continueHere"), again] : null,
      link.endsWith("connecting") ? BLINK_MS : 0,
    );
  }

  /** @param {ChatState} state */
  #drawFooter({ phase, endedBy, incompleteSince, failure }) {
    const text = this.#footerText(phase, endedBy, incompleteSince, failure);
    const shown = `${phase}:${text}`;
    if (shown === this.#footer) return;
    const footer = text ? this.#closing.node : this.#composer.node;
    const replaced = !footer.isConnected;
    const held = this.node.contains(/** @type {any} */ (this.node.getRootNode()).activeElement);
    this.#footer = shown;
    if (text) this.#closing.show(phase, text);
    this.#shell.setFooter(footer);
    // The box or button that had the focus is gone: keep it inside, or a keyboard starts at the page's top.
    if (held && replaced) this.#focus();
  }

  /** @type {(phase: string, endedBy: string | null, incompleteSince: string | null, failure: Failure | null) => string} "" where one can write */
  #footerText(phase, endedBy, incompleteSince, failure) {
    const words = this.#words;
    if (phase === "ending" || phase === "leaving") return words.say("leaving");
    if (phase === "gone") return words.say("gone");
    if (phase === "failed") return `${words.say("startFailed")} ${failure ? words.failure(failure) : ""}`;
    if (phase !== "ended") return "";
    const by = endedBy === "customer" ? "endedByCustomer" : endedBy === "agent" ? "endedByAgent" : "endedByOther";
    const since = incompleteSince
      ? ` ${words.say("incomplete", { time: words.time(Date.parse(incompleteSince)) })}`
      : "";
    return words.say(by) + since;
  }

  /** @param {File[]} files */
  async #attach(files) {
    const { chat } = this.#conversation;
    const part = await this.#parts.load("files");
    if (!part) return this.#shell.alert(this.#words.say("uploadFailed"));
    const uploads = chat?.uploadsBy(part.Uploads);
    for (const file of files) {
      const refusal = part.refusal(file, this.#config, this.#words);
      if (refusal) this.#shell.alert(refusal);
      else uploads?.add(file);
    }
    this.#view.toNewest();
  }

  /** @param {Attachment} attachment */
  async #download({ AttachmentId, AttachmentName }) {
    const url = safeAddress((await this.#conversation.chat?.attachmentUrl(AttachmentId)) ?? "");
    if (url) follow(url, AttachmentName);
  }

  async #save() {
    const file = await this.#conversation.chat?.transcriptFile();
    if (!file) return;
    const url = URL.createObjectURL(file);
    follow(url, `chat-${new Date().toISOString().slice(0, 10)}.txt`);
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }

  /** @param {Failure | null} failure */
  #fail(failure) {
    const text = failure ? this.#words.failure(failure) : "";
    this.#shell.alert(text);
    if (failure) this.#hooks.problem(failure, text);
  }
}

/** @type {(lines: readonly Line[], own: string) => string} name of the person who is in the chat now */
const partner = (lines, own) => {
  const line = lines.findLast((one) => one.ParticipantRole === "AGENT" && one.ParticipantId !== own);
  return line && !isEvent(line, "participant.left") ? (line.DisplayName ?? "") : "";
};

/** @type {(url: string, name: string) => void} as a click on a link would */
const follow = (url, name) =>
  h("a", { href: url, download: name, target: "_blank", rel: "noopener noreferrer" }).click();
