// Shapes shared by the widget's modules. Names in PascalCase are the Participant Service's own, as on
// the wire; names in camelCase are ours.

import type { MessageRow, Setting } from "./bubbles.js";
import type { Uploads } from "./files/uploads.js";
import type { Strings, Words } from "./words.js";

export type Role = "CUSTOMER" | "AGENT" | "SUPERVISOR" | "CUSTOM_BOT" | "SYSTEM";

export interface Attachment {
  AttachmentId: string;
  AttachmentName: string;
  ContentType: string;
  Status: "IN_PROGRESS" | "APPROVED" | "REJECTED";
}

export interface Receipt {
  DeliveredTimestamp?: string;
  ReadTimestamp?: string;
  RecipientParticipantId?: string;
}

export interface MessageMetadata {
  MessageId?: string;
  Receipts?: Receipt[];
  MessageCompleted?: boolean;
  ChunkNumber?: number;
  MessageProcessingStatus?: "PROCESSING" | "FAILED" | "REJECTED";
}

/** One transcript entry as it travels; absent members are left out, never null. */
export interface Item {
  Id: string;
  AbsoluteTime: string;
  Type: "MESSAGE" | "EVENT" | "ATTACHMENT" | "MESSAGEMETADATA";
  ContentType?: string;
  Content?: string;
  ParticipantId?: string;
  DisplayName?: string;
  ParticipantRole?: Role;
  Attachments?: Attachment[];
  MessageMetadata?: MessageMetadata;
}

/** An item as the transcript keeps it: its newest version. */
export interface Line extends Item {
  /** Milliseconds since 1970 of the first version seen; what the list is sorted by. */
  at: number;
  /** Number of the last chunk, while a streamed answer is not complete. */
  chunk?: number;
  /** For a message this browser sent: the token it was sent with, so that its bubble stays the same. */
  clientToken?: string;
}

export interface Typist {
  name: string;
  role: Role;
  /** Milliseconds since 1970 after which nobody believes it any more. */
  until: number;
}

export interface Seen {
  delivered?: string;
  read?: string;
}

/** Everything that was said, newest version of each item, oldest first. Never changed in place. */
export interface Transcript {
  lines: readonly Line[];
  /** Message id → recipient → times. Kept apart, since a receipt may overtake its message. */
  receipts: ReadonlyMap<string, ReadonlyMap<string, Seen>>;
  typing: ReadonlyMap<string, Typist>;
}

/** A message on its way. */
export interface Entry {
  /** ClientToken: every try repeats it. */
  token: string;
  /** Connection key of the first try: every retry repeats it too, until it is refused for certain. */
  connectionKey?: string;
  content: string;
  contentType: string;
  /** Milliseconds since 1970 at which it was written. */
  at: number;
  tries: number;
  state: "queued" | "sending" | "failed";
  failure?: Failure;
  /** Id of an echo that came before the answer and is taken for this message. */
  echo?: string;
}

/** Why something did not happen, in words a page may show. */
export interface Failure {
  /** Key of a sentence in strings. */
  reason: string;
  /** The server's own sentence, when it says more. */
  detail?: string;
  repeatable: boolean;
}

/** A file on its way. */
export interface Upload {
  token: string;
  file: File;
  at: number;
  /** Part already sent, 0 to 1. */
  progress: number;
  state: "uploading" | "checking" | "failed";
  attachmentId?: string;
  failure?: Failure;
}

export type Phase =
  | "none" // no chat yet
  | "opening" // being started or found again
  | "active"
  | "ending" // the visitor wants to end it; not known yet whether that worked
  | "leaving" // they have ended it; last words may still come
  | "ended"
  | "gone" // the server knows nothing of it any more
  | "failed"; // could not be started

export type LinkState =
  | "idle"
  | "connecting"
  | "connected"
  | "reconnecting"
  | "degraded" // we are connected, the service behind is not
  | "offline"
  | "elsewhere"; // told to stay away; continues when asked

/** What the view draws. A new object after each change. */
export interface ChatState {
  phase: Phase;
  link: LinkState;
  transcript: Transcript;
  entries: readonly Entry[];
  uploads: readonly Upload[];
  participantId: string;
  endedBy: string | null;
  incompleteSince: string | null;
  can: { send: boolean; attach: boolean; download: boolean };
  history: { more: boolean; loading: boolean };
  failure: Failure | null;
}

/** What the browser remembers of a chat between pages, under one storage key. */
export interface ChatRecord {
  /** Session key: opens this chat and nothing else. */
  key?: string;
  session?: string;
  /** Client token of a start that is not known to have succeeded, and when it was made. */
  start?: string;
  startedAt?: number;
  /** The panel was open. */
  open?: boolean;
  /** Time (ms) of the newest line the visitor has seen. */
  seen?: number;
}

/** A place for one string: storage, or memory where there is none. */
export interface Slot {
  read(): string | null;
  write(value: string | null): void;
}

/** Time and chance, handed in so that tests can decide both. */
export interface Clock {
  now(): number;
  random(): number;
  /** Call `task` after `ms`; the answer cancels. */
  later(task: () => void, ms: number): () => void;
}

export interface WidgetConfig {
  key: string;
  name: string;
  title: string;
  subtitle: string;
  accent: string;
  scheme: "auto" | "light" | "dark";
  position: "right" | "left";
  storage: "local" | "session" | "memory";
  attachments: boolean;
  attachmentTypes: string[];
  attachmentMaxBytes: number;
  contentTypes: string[];
  maxLength: number;
  texts: Record<string, string>;
  locale: string | null;
}

export interface SessionInfo {
  session: string;
  widget: string;
  state: "starting" | "active" | "leaving" | "ended" | "failed";
  startedAt: string;
  endedAt: string | null;
  endedBy: string | null;
  incompleteSince: string | null;
  contactId: string;
  participantId: string;
  displayName: string;
  can: { send: boolean; attach: boolean; rate: boolean; download: boolean; resume: boolean };
}

export interface StartDetails {
  widget: string;
  clientToken: string;
  displayName?: string;
  attributes?: Record<string, string>;
}

export interface Started {
  session: string;
  key: string;
  startChatResult: { ContactId: string; ParticipantId: string; ParticipantToken: string };
}

export interface Connection {
  Websocket: { Url: string; ConnectionExpiry: string };
  ConnectionCredentials: { ConnectionToken: string; Expiry: string };
}

export interface TranscriptPage {
  Transcript: Item[];
  NextToken?: string;
}

export interface UploadTicket {
  AttachmentId: string;
  UploadMetadata: { Url: string; UrlExpiry: string; HeadersToInclude: Record<string, string> };
}

/** One frame of the browser socket, already parsed. */
export interface Frame {
  topic: string;
  content?: unknown;
  position?: string;
}

export type Row =
  | { kind: "day"; key: string; at: number }
  | { kind: "event"; key: string; line: Line }
  | {
      kind: "message";
      key: string;
      line: Line;
      own: boolean;
      first: boolean;
      last: boolean;
      /** Cards only: nothing can be chosen any more, and what was chosen. */
      answered: boolean;
      answer: string | null;
      status: "sent" | "delivered" | "read" | null;
      /** The chat is: its files can no longer be fetched. */
      over: boolean;
      /** Own messages only: the card they are the first answer to. */
      asked: string | undefined;
    }
  | { kind: "entry"; key: string; entry: Entry; first: boolean; asked: string | undefined }
  | { kind: "upload"; key: string; upload: Upload; first: boolean };

/** What the element needs of the panel. */
export interface PanelFacade {
  readonly isOpen: boolean;
  open(): void;
  close(): void;
  send(text: string): void;
  end(): void;
  leave(): void;
}

/** What the panel needs of the element. */
export interface PanelHost extends HTMLElement {
  /** Address of the folder the scripts came from; the doors are two levels up. */
  readonly base: string;
  readonly launcher: HTMLElement;
  bring(name: string, release: { file: string; integrity: string }): Promise<unknown>;
  readonly details: { displayName?: string; attributes?: Record<string, string> };
}

export type PanelClass = new (host: PanelHost) => PanelFacade;

/** What every part brings along. */
export interface Part {
  sheets: CSSStyleSheet[];
  /** What it says, in English. */
  texts: Strings;
}

/** The part for interactive messages. */
export interface CardsPart extends Part {
  /** What stands in the bubble and below it; nothing for what is no template at all. */
  draw(row: MessageRow, setting: Setting): { body: (Node | string)[]; below: Node[] } | null;
  /** A card as it is read aloud. */
  spoken(content: string, words: Words): string;
  /** What a card calls this answer; nothing if it does not offer it. */
  answered(content: string, answer: string, words: Words): string | null;
}

/** The part for files. */
export interface FilesPart extends Part {
  /** Why a file cannot be sent, "" if it can. */
  refusal(file: File, config: WidgetConfig, words: Words): string;
  Uploads: typeof Uploads;
  /** A file of an item; `over`: the chat is. */
  file(attachment: Attachment, over: boolean, setting: Setting): Node;
  upload(upload: Upload, setting: Setting): Node[];
}

/** The part for formatted text and code. */
export interface MarkdownPart extends Part {
  nodes(text: string): (Node | string)[];
  code(text: string): (Node | string)[];
  /** As a person would read it aloud: without the marks. */
  spoken(text: string): string;
}

/** The part for the end of a chat. */
export interface EndingPart extends Part {
  /** Whether it shall end. */
  question(words: Words, acts: { keep: () => void; end: () => void }): HTMLElement;
}

/** What few visitors meet: see parts. */
export interface PartsByName {
  cards: CardsPart;
  views: CardsPart;
  files: FilesPart;
  markdown: MarkdownPart;
  ending: EndingPart;
}
