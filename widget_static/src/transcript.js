/**
 * What was said: items in order, the newest version of each, receipts and who is typing. Pure: every
 * function takes a transcript and gives a new one. Where items come from (page, frame, replay) is
 * nobody's business here; the same item may come any number of times.
 *
 * @import { Attachment, Item, Line, MessageMetadata, Role, Seen, Transcript } from "./types.js"
 */

const EVENT = "application/vnd.amazonaws.connect.event.";
const TYPING_SHOWN_MS = 12_000;

/** @type {() => Transcript} */
export const emptyTranscript = () => ({ lines: [], receipts: new Map(), typing: new Map() });

/** @type {(item: Item, name: string) => boolean} whether the item is the service's event `name` */
export const isEvent = (item, name) => item.Type === "EVENT" && item.ContentType === EVENT + name;

/** @type {(item: Item) => boolean} whether a person would call it a message */
export const isMessage = (item) => item.Type === "MESSAGE" || item.Type === "ATTACHMENT";

/** @type {(transcript: Transcript, item: Item) => Transcript} a new transcript; the given one is left as it is */
export const withItem = (transcript, item) => {
  if (item.Type === "MESSAGEMETADATA") return withMetadata(transcript, item.MessageMetadata);
  if (isEvent(item, "typing")) return transcript;
  const lines = placed(transcript.lines, item);
  const receipts = item.MessageMetadata?.Receipts?.length
    ? mergedReceipts(transcript.receipts, item.Id, item.MessageMetadata.Receipts)
    : transcript.receipts;
  if (lines === transcript.lines && receipts === transcript.receipts) return transcript;
  return { lines, receipts, typing: without(transcript.typing, item.ParticipantId) };
};

/** @type {(transcript: Transcript, items: Iterable<Item>) => Transcript} */
export const withItems = (transcript, items) => {
  for (const item of items) transcript = withItem(transcript, item);
  return transcript;
};

/** @type {(transcript: Transcript, item: Item, now: number) => Transcript} one more typing event; believed for 12 s */
export const withTyping = (transcript, item, now) => {
  const typist = {
    name: item.DisplayName ?? "",
    role: /** @type {Role} */ (item.ParticipantRole ?? "AGENT"),
    until: now + TYPING_SHOWN_MS,
  };
  return { ...transcript, typing: new Map(transcript.typing).set(item.ParticipantId ?? "", typist) };
};

/** @type {(transcript: Transcript, now: number) => Transcript} without those who typed too long ago */
export const withoutStaleTyping = (transcript, now) => {
  const typing = new Map([...transcript.typing].filter(([, typist]) => typist.until > now));
  return typing.size === transcript.typing.size ? transcript : { ...transcript, typing };
};

/** @type {(transcript: Transcript, id: string) => Line | undefined} */
export const lineById = (transcript, id) => transcript.lines.findLast((line) => line.Id === id);

/**
 * How far a message of ours has come. A message that was read makes all before it read.
 *
 * @type {(transcript: Transcript, index: number, own: string) => "sent" | "delivered" | "read"}
 */
export const statusAt = (transcript, index, own) => {
  let status = /** @type {"sent" | "delivered" | "read"} */ ("sent");
  for (let at = index; at < transcript.lines.length; at += 1) {
    const line = /** @type {Line} */ (transcript.lines[at]);
    if (line.ParticipantId !== own) continue;
    for (const [recipient, seen] of transcript.receipts.get(line.Id) ?? []) {
      if (recipient === own) continue;
      if (seen.read) return "read";
      if (seen.delivered) status = "delivered";
    }
  }
  return status;
};

/** @type {(lines: readonly Line[], item: Item) => readonly Line[]} the list with the item's newest version in its place */
const placed = (lines, item) => {
  const index = lines.findLastIndex((line) => line.Id === item.Id);
  const known = index < 0 ? undefined : lines[index];
  const next = known ? newerVersion(known, item) : firstVersion(item);
  if (!next || next === known) return lines;
  return known ? lines.with(index, next) : inserted(lines, next);
};

/** @type {(lines: readonly Line[], line: Line) => Line[]} sorted by time, ties as they came */
const inserted = (lines, line) => {
  const after = lines.findLastIndex((other) => other.at <= line.at);
  return lines.toSpliced(after + 1, 0, line);
};

/** @type {(item: Item) => Line | undefined} nothing for a chunk whose beginning was missed: the final text will come */
const firstVersion = (item) => {
  const at = Date.parse(item.AbsoluteTime) || 0;
  const chunk = chunkNumber(item);
  if (chunk === null) return { ...item, at };
  return chunk === 1 ? { ...item, at, chunk } : undefined;
};

/**
 * Which of two versions counts: final beats chunk, a decided attachment beats one in progress, else
 * the later one. The place in the list stays that of the first.
 *
 * @type {(known: Line, item: Item) => Line}
 */
const newerVersion = (known, item) => {
  const chunk = chunkNumber(item);
  if (chunk !== null) {
    if (known.chunk === undefined || chunk !== known.chunk + 1) return known;
    return { ...known, chunk, Content: (known.Content ?? "") + (item.Content ?? "") };
  }
  if (decided(known.Attachments) && !decided(item.Attachments)) return known;
  if (known.chunk === undefined && sameVersion(known, item)) return known;
  const { chunk: _unfinished, ...kept } = known;
  return { ...kept, ...item, AbsoluteTime: known.AbsoluteTime };
};

/** @type {(item: Item) => number | null} number of a streamed chunk, nothing for anything complete */
const chunkNumber = (item) =>
  item.MessageMetadata?.MessageCompleted === false ? (item.MessageMetadata.ChunkNumber ?? 0) : null;

/** @type {(attachments: Attachment[] | undefined) => boolean} */
const decided = (attachments) =>
  !!attachments?.length && attachments.every((one) => one.Status !== "IN_PROGRESS");

/** @type {(known: Line, item: Item) => boolean} nothing a reader could see has changed */
const sameVersion = (known, item) =>
  known.Content === item.Content &&
  known.ContentType === item.ContentType &&
  known.ParticipantId === item.ParticipantId &&
  known.DisplayName === item.DisplayName &&
  processing(known) === processing(item) &&
  statuses(known) === statuses(item);

/** @type {(item: Item) => string | undefined} */
const processing = (item) => item.MessageMetadata?.MessageProcessingStatus;

/** @type {(item: Item) => string} */
const statuses = (item) => (item.Attachments ?? []).map((one) => one.Status).join();

/** @type {(transcript: Transcript, metadata: MessageMetadata | undefined) => Transcript} receipts, or the outcome of processing */
const withMetadata = (transcript, metadata) => {
  const id = metadata?.MessageId;
  if (!metadata || !id) return transcript;
  const receipts = mergedReceipts(transcript.receipts, id, metadata.Receipts ?? []);
  const status = metadata.MessageProcessingStatus;
  const index = status ? transcript.lines.findLastIndex((line) => line.Id === id) : -1;
  const line = transcript.lines[index];
  if (!line || !status) return { ...transcript, receipts };
  const MessageMetadata = { ...line.MessageMetadata, MessageProcessingStatus: status };
  return { ...transcript, receipts, lines: transcript.lines.with(index, { ...line, MessageMetadata }) };
};

/** @type {(receipts: Transcript["receipts"], id: string, more: NonNullable<MessageMetadata["Receipts"]>) => Transcript["receipts"]} */
const mergedReceipts = (receipts, id, more) => {
  const forMessage = new Map(receipts.get(id));
  for (const receipt of more) {
    const recipient = receipt.RecipientParticipantId ?? "";
    /** @type {Seen} */
    const seen = { ...forMessage.get(recipient) };
    if (receipt.DeliveredTimestamp) seen.delivered ??= receipt.DeliveredTimestamp;
    if (receipt.ReadTimestamp) seen.read ??= receipt.ReadTimestamp;
    forMessage.set(recipient, seen);
  }
  return new Map(receipts).set(id, forMessage);
};

/** @type {(typing: Transcript["typing"], participant: string | undefined) => Transcript["typing"]} */
const without = (typing, participant) => {
  if (!participant || !typing.has(participant)) return typing;
  const rest = new Map(typing);
  rest.delete(participant);
  return rest;
};
