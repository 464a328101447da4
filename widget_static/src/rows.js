/**
 * From a chat's state to the rows a page shows: day separators, groups, which events are worth a line,
 * which cards can still be clicked, how far the last own message has come. Pure.
 *
 * @import { ChatState, Entry, Line, Row } from "./types.js"
 */

import { isEvent, isMessage, statusAt } from "./transcript.js";

const GROUP_MS = 5 * 60_000;
export const INTERACTIVE = "application/vnd.amazonaws.connect.message.interactive";
/** What pressing something sends that is no text: not for people to read. */
export const RESPONSE = `${INTERACTIVE}.response`;
const PEOPLE = ["AGENT", "SUPERVISOR"];

/** @type {(state: ChatState) => Row[]} */
export const rowsOf = (state) => {
  const { transcript, participantId } = state;
  const listed = transcript.lines.map((line, index) => ({ line, index, list: listOf(line) }));
  const newest = new Map(listed.map(({ list, index }) => [list, index]));
  const shown = listed
    .filter(({ line, index, list }) => isShown(line, participantId) && (!list || newest.get(list) === index))
    .filter(({ line }, place, all) => !isSaidAgain(line, all[place + 1]?.line));
  const lastOwn = shown.findLast(({ line }) => isMessage(line) && isOwn(line, participantId));
  const pending = state.entries.filter((entry) => !isThere(entry, transcript.lines));
  const lastSaid = pending.length ? Infinity : (lastOwn?.index ?? -1);
  const lastFilled = transcript.lines.findLastIndex((line) => isOwn(line, participantId) && isFilled(line));
  /** @type {Row[]} */
  const rows = [];
  /** The card that the visitor's next words answer. @type {string | undefined} */
  let asked;
  shown.forEach(({ line, index, list }, place) => {
    const before = shown[place - 1]?.line;
    if (!before || dayOf(before.at) !== dayOf(line.at))
      rows.push({ kind: "day", key: `day:${dayOf(line.at)}`, at: line.at });
    const key = list ?? line.clientToken ?? line.Id;
    if (!isMessage(line)) return rows.push({ kind: "event", key, line });
    const own = isOwn(line, participantId);
    const last = isView(line) ? Math.max(lastSaid, lastFilled) : lastSaid;
    const answered = isCard(line) && (last > index || !state.can.send);
    rows.push({
      ...{ kind: "message", key, line, own },
      first: !before || !together(before, line),
      last: !shown[place + 1] || !together(line, /** @type {Line} */ (shown[place + 1]?.line)),
      answered,
      answer: answered ? answerTo(transcript.lines, index, participantId, pending) : null,
      status: index === lastOwn?.index ? statusAt(transcript, index, participantId) : null,
      over: state.phase === "ended",
      asked: own ? asked : undefined,
    });
    if (isCard(line)) asked = isView(line) ? undefined : line.Content;
    else if (own) asked = undefined;
  });
  const lastLine = shown.at(-1)?.line;
  let first = !lastLine || !isMessage(lastLine) || !isOwn(lastLine, participantId);
  for (const entry of pending) {
    rows.push({ kind: "entry", key: entry.token, entry, first, asked });
    first = false;
    asked = undefined;
  }
  for (const upload of state.uploads) {
    rows.push({ kind: "upload", key: upload.token, upload, first });
    first = false;
  }
  return rows;
};

/** @type {(line: Line, own: string) => boolean} */
export const isOwn = (line, own) => !!own && line.ParticipantId === own;

/** @type {(line: Line) => boolean} */
export const isCard = (line) => line.ContentType === INTERACTIVE;

/** @type {(line: Line) => boolean} a card that is a form or a page */
export const isView = (line) => isCard(line) && VIEW.test(line.Content ?? "");
const VIEW = /"templateType"\s*:\s*"ViewResource"/;

/** @type {(line: Line) => boolean} what a visitor has made of one */
const isFilled = (line) => line.ContentType === RESPONSE && VIEW.test(line.Content ?? "");

/** @type {(line: Line) => boolean} in words, or with a file */
export const isSaid = (line) => isMessage(line) && line.ContentType !== RESPONSE;

/** @type {(line: Line) => string | undefined} which list it is a page of. Not parsed: it is asked of every card each time something changes */
const listOf = (line) => (isCard(line) ? REFERENCE.exec(line.Content ?? "")?.[1] : undefined);
const REFERENCE = /"referenceId"\s*:\s*"([^"\\]+)"/;

/** @type {(line: Line, own: string) => { key: import("./words.js").Key } | null} the words for an event, if it is worth a line */
export const eventWords = (line, own) => {
  const mine = isOwn(line, own);
  const person = PEOPLE.includes(line.ParticipantRole ?? "");
  if (isEvent(line, "chat.ended")) return { key: "chatEnded" };
  if (isEvent(line, "participant.joined")) return person ? { key: "joined" } : null;
  if (isEvent(line, "participant.left")) return person ? { key: "leftChat" } : null;
  if (isEvent(line, "transfer.succeeded")) return { key: "transferred" };
  if (isEvent(line, "transfer.failed")) return { key: "transferFailed" };
  if (isEvent(line, "participant.idle")) return { key: mine ? "idleOwn" : "idleOther" };
  if (isEvent(line, "participant.autodisconnection")) return mine ? null : { key: "disconnectedOther" };
  if (isEvent(line, "authentication.initiated")) return { key: "signIn" };
  return null;
};

/** @type {(line: Line, own: string) => boolean} */
const isShown = (line, own) => {
  if (line.Type === "EVENT") return eventWords(line, own) !== null;
  return isSaid(line);
};

/** @type {(line: Line, next: Line | undefined) => boolean} an event whose newer copy stands right below */
const isSaidAgain = (line, next) =>
  line.Type === "EVENT" && line.ContentType === next?.ContentType && line.ParticipantId === next?.ParticipantId;

/** @type {(entry: Entry, lines: readonly Line[]) => boolean} its echo has arrived, only the answer has not */
const isThere = (entry, lines) => !!entry.echo && lines.some((line) => line.Id === entry.echo);

/** @type {(lines: readonly Line[], index: number, own: string, pending: Entry[]) => string | null} what was said first after a card */
const answerTo = (lines, index, own, pending) => {
  const said = lines.slice(index + 1).find((line) => isSaid(line) && isOwn(line, own));
  return said?.Content ?? pending[0]?.content ?? null;
};

/** @type {(a: Line, b: Line) => boolean} said by one party in one breath */
const together = (a, b) =>
  isMessage(a) &&
  isMessage(b) &&
  a.ParticipantId === b.ParticipantId &&
  (a.DisplayName ?? "") === (b.DisplayName ?? a.DisplayName ?? "") &&
  b.at - a.at < GROUP_MS &&
  dayOf(a.at) === dayOf(b.at);

/** @type {(at: number) => string} */
const dayOf = (at) => new Date(at).toDateString();
