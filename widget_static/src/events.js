/**
 * What the page can listen to on `<chatproxy-widget>`. All bubble.
 *
 * @import { Failure, Line, Role } from "./types.js"
 */

class WidgetEvent extends Event {
  /** @param {string} type */
  constructor(type) {
    super(type, { bubbles: true, composed: true });
  }
}

/** `chat-opened`, `chat-closed`: the panel. */
export class PanelEvent extends WidgetEvent {
  /** @param {boolean} open */
  constructor(open) {
    super(open ? "chat-opened" : "chat-closed");
  }
}

/** `chat-started`: a chat began. */
export class ChatStartedEvent extends WidgetEvent {
  /** @param {string} session id of our session, not a secret */
  constructor(session) {
    super("chat-started");
    this.session = session;
  }
}

/** `chat-message`: somebody said something, the visitor included. */
export class ChatMessageEvent extends WidgetEvent {
  /** @param {Line} line @param {boolean} own */
  constructor(line, own) {
    super("chat-message");
    this.id = line.Id;
    this.own = own;
    /** @type {Role | undefined} */
    this.role = line.ParticipantRole;
    this.name = line.DisplayName ?? "";
    this.contentType = line.ContentType ?? "";
    this.content = line.Content ?? "";
    this.time = line.AbsoluteTime;
  }
}

/** `chat-ended`: the chat is over. */
export class ChatEndedEvent extends WidgetEvent {
  /** @param {string | null} endedBy customer, agent, operator or service; null when not known */
  constructor(endedBy) {
    super("chat-ended");
    this.endedBy = endedBy;
  }
}

/** `chat-problem`: something did not work; the visitor has been told. */
export class ChatProblemEvent extends WidgetEvent {
  /** @param {Failure} failure @param {string} text what the visitor was told */
  constructor(failure, text) {
    super("chat-problem");
    this.reason = failure.reason;
    this.text = text;
  }
}
