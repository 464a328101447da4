/**
 * One chat, from the moment it has a key until it is over or left: stays connected, takes in what
 * comes, sends what is written, notices the end. Whether there is a chat at all, and which, is
 * decided in conversation.
 *
 * @import { Api } from "./api.js"
 * @import { Memory } from "./memory.js"
 * @import { ChatState, Clock, Entry, Failure, Line, LinkState, SessionInfo, Slot } from "./types.js"
 * @import { Put, Uploads } from "./files/uploads.js"
 */

import { ApiProblem, failureOf } from "./api.js";
import { Attention } from "./attention.js";
import { newToken } from "./clock.js";
import { Delivery } from "./delivery.js";
import { CHAT_OVER, Fate, isOver } from "./fate.js";
import { Feed } from "./feed.js";
import { History } from "./history.js";
import { Inbox } from "./inbox.js";
import { Keyring } from "./keyring.js";
import { Signals } from "./signals.js";
import { isEvent } from "./transcript.js";

const LAST_WORDS_MS = 2_000;
/** Until the server has written down what a frame has told. */
const SETTLES_MS = 300;
const AGAIN_MS = 3_000;
/** Why there is no socket any more: it was refused, or the key was revoked; or the chat is over. */
const REFUSED = [0, 4502];
const OVER = 4501;

/**
 * @typedef {object} Surroundings what every chat of a page shares
 * @property {Api} api
 * @property {Clock} clock
 * @property {Memory} memory
 * @property {(session: string) => Slot} outboxFor
 * @property {LockManager | undefined} locks shared by the tabs of a browser; missing on plain http
 * @property {typeof WebSocket | undefined} Socket
 * @property {Put | undefined} put
 */

/** @typedef {"active" | "ending" | "leaving" | "ended"} ChatPhase */

/**
 * @typedef {object} ChatHooks
 * @property {() => void} changed
 * @property {(line: Line) => void} arrived
 * @property {() => void} ended what is known of the end is known
 * @property {() => void} vanished the server knows nothing of this chat any more
 */

export class Chat {
  /** @type {ChatPhase} */
  #phase = "active";
  /** @type {LinkState} */
  #link = "idle";
  /** @type {Failure | null} */
  #failure = null;
  #closed = false;
  /** The visitor ended it here. */
  #left = false;
  #begun = false;
  /** @type {() => void} */
  #cancelAgain = () => {};
  #api;
  #clock;
  #hooks;
  #own;
  #keys;
  #fate;
  #inbox;
  #history;
  #delivery;
  /** Made when the first file is to be sent: what does it is a part of its own. @type {Uploads | undefined} */
  uploads;
  #newUploads;
  #signals;
  #attention;
  #feed;

  /**
   * @param {Surroundings} around
   * @param {{ session: string, key: string, participantId: string }} identity
   * @param {ChatHooks} hooks
   */
  constructor({ api, clock, memory, outboxFor, locks, Socket, put }, identity, hooks) {
    const changed = () => this.#closed || hooks.changed();
    const fate = new Fate(this.#fateHooks(() => api.session(identity.key)), clock);
    const keys = new Keyring(api, identity.key, {
      look: () => fate.mustGoOn(),
      refused: () => void fate.check(),
      answered: () => this.#answered(),
    });
    this.#api = api;
    this.#clock = clock;
    this.#hooks = hooks;
    this.#own = identity.participantId;
    this.#keys = keys;
    this.#fate = fate;
    this.session = identity.session;
    this.key = identity.key;
    this.outbox = outboxFor(identity.session);
    this.#inbox = new Inbox(this.#own, this.#inboxHooks(changed), clock);
    this.#history = new History({
      ask: (place) => keys.use((key) => api.transcript(key, place)),
      whole: () => api.wholeTranscript(identity.key),
      inbox: this.#inbox,
      changed,
    });
    const lock = `chatproxy:${identity.session}`;
    this.#delivery = new Delivery(
      this.outbox,
      {
        send: (key, body) => api.sendMessage(key, body),
        key: () => keys.key(),
        newKey: (refused) => keys.newKey(refused),
        sent: (entry, accepted) => {
          this.#inbox.sent(entry, accepted);
          this.#answered();
        },
        lookAgain: () => this.#history.catchUp(true),
        exclusively: (task) => (locks ? locks.request(lock, task) : task()),
        changed,
      },
      clock,
    );
    this.#newUploads = (/** @type {typeof Uploads} */ Class) =>
      new Class({ call: (operation, body) => this.call(operation, body), changed }, clock, put);
    this.#signals = new Signals((event) => this.#signal(event), clock);
    this.#attention = new Attention(this.#own, this.key, this.#inbox, memory, this.#signals);
    this.#feed = new Feed(this.#inbox, this.#history, this.#feedHooks(), clock, Socket);
  }

  /** @returns {Omit<ChatState, "phase"> & { phase: ChatPhase }} */
  get state() {
    const { more, loading } = this.#history;
    return {
      phase: this.#phase,
      link: this.#link,
      transcript: this.#inbox.transcript,
      entries: this.#delivery.entries,
      uploads: this.uploads?.list ?? [],
      participantId: this.#own,
      endedBy: this.#fate.info?.endedBy ?? (this.#left ? "customer" : null),
      incompleteSince: this.#fate.info?.incompleteSince ?? null,
      can: this.#can,
      history: { more, loading },
      failure: this.#failure,
    };
  }

  get unread() {
    return this.#attention.unread;
  }

  /** @param {{ entries: readonly Entry[], begunHere: boolean }} start messages written before there was a chat; whether all that comes is news */
  begin({ entries, begunHere }) {
    this.#begun = true;
    this.#delivery.start(entries);
    this.#feed.open(begunHere);
  }

  /** Go on with what the server says of it. @param {SessionInfo} info @param {readonly Entry[]} entries to be sent @returns {boolean} whether they will be */
  adopt(info, entries) {
    const goesOn = !isOver(info);
    if (goesOn) this.begin({ entries, begunHere: false });
    this.#fate.learn(info);
    return goesOn;
  }

  /** @param {string} text */
  send(text) {
    this.#signals.said();
    this.#delivery.add(text, "text/plain");
  }

  /** What is said by pressing something, without words: told when it fails, not kept. @param {string} content @param {string} contentType */
  press(content, contentType) {
    const body = { Content: content, ContentType: contentType, ClientToken: newToken() };
    return this.#attempt(this.#keys.use((key) => this.#api.sendMessage(key, body)));
  }

  /** @param {string} token */
  retry(token) {
    this.#delivery.retry(token);
  }

  /** @param {string} token */
  discard(token) {
    this.#delivery.discard(token);
  }

  /** @param {typeof Uploads} Class */
  uploadsBy(Class) {
    return (this.uploads ??= this.#newUploads(Class));
  }

  typing() {
    if (this.#phase === "active") this.#signals.typing();
  }

  /** The visitor looks at the newest lines. */
  seen() {
    this.#attention.seen(this.#phase === "active");
  }

  /** @param {string} id @returns {Promise<string | undefined>} an address good for a few minutes; nothing if it failed */
  async attachmentUrl(id) {
    return (await this.#attempt(this.call("attachment", { AttachmentId: id })))?.Url;
  }

  /** @returns {Promise<Blob | undefined>} the chat as a text file */
  transcriptFile() {
    return this.#attempt(this.#api.transcriptFile(this.#keys.sessionKey));
  }

  async loadOlder() {
    await this.#attempt(this.#history.older(this.#phase === "ended"));
  }

  /**
   * End it. Until the server has said yes it may go on all the same, and is held on to: nobody else
   * has its key. After that, last words of the other side still come, until it is over there too.
   */
  async end() {
    if (this.#phase !== "active") return;
    this.#phase = "ending";
    this.#signals.stop();
    this.#fail(null);
    try {
      await this.#api.end(this.#keys.sessionKey);
      this.#leave();
      this.#fate.checkIn(LAST_WORDS_MS);
    } catch (error) {
      // It may have become known in another way.
      if (/** @type {ChatPhase} */ (this.#phase) !== "ending") return;
      this.#phase = "active";
      this.#fail(failureOf(error));
    }
  }

  /** Another tab has changed the outbox. */
  outboxChanged() {
    if (this.#phase !== "ended") this.#delivery.sync();
  }

  /** Network or visitor are back. */
  wake() {
    this.#feed.wake();
    if (this.#link === "connected") this.#delivery.hurry();
    else void this.#fate.check();
  }

  /** The network says that it is gone. */
  sleep() {
    this.#feed.sleep();
    this.#delivery.hold();
  }

  /** The server closed us in favour of another tab; the visitor wants it here. */
  continueHere() {
    this.#feed.open(false);
  }

  /** Turn away from it; what is remembered stays. */
  close() {
    this.#closed = true;
    this.#cancelAgain();
    this.#fate.close();
    this.#signals.stop();
    this.#inbox.stop();
    this.#feed.close();
    this.uploads?.clear();
    this.#delivery.stop(null);
  }

  get #can() {
    const { send = true, attach = true, download = true } = this.#fate.info?.can ?? {};
    const live = this.#phase === "active";
    return { send: live && send, attach: live && attach, download };
  }

  /** @param {() => unknown} changed @returns {import("./inbox.js").InboxHooks} */
  #inboxHooks(changed) {
    return {
      claim: (item) => this.#delivery.claim(item),
      attached: (id) => this.uploads?.arrived(id),
      arrived: (line) => this.#arrived(line),
      ended: () => this.#finish(),
      changed,
    };
  }

  /** @param {() => Promise<SessionInfo>} ask @returns {import("./fate.js").FateHooks} */
  #fateHooks(ask) {
    return {
      ask,
      goesOn: () => {
        // Also where sockets are not let through.
        if (this.#link !== "connected") this.#delivery.hurry();
        this.#hooks.changed();
      },
      left: () => this.#leave(),
      over: () => this.#finish(),
      unknown: (error) => {
        if (!this.#closed && isUnknown(error)) this.#hooks.vanished();
      },
    };
  }

  /** @returns {import("./feed.js").FeedHooks} */
  #feedHooks() {
    return {
      address: () => this.#keys.address(),
      link: (state) => this.#linked(state),
      subscribed: () => this.#delivery.hurry(),
      ended: () => this.#finish(),
      dismissed: (code) => void this.#dismissed(code),
      refused: () => void this.#fate.check(),
    };
  }

  /** The server is there: what waits for it need not. */
  #answered() {
    this.#delivery.revive();
    this.#feed.answered();
  }

  /** @param {LinkState} state */
  #linked(state) {
    this.#link = state;
    this.#hooks.changed();
  }

  /** @param {Line} line */
  #arrived(line) {
    if (this.#closed) return;
    // Ended in another tab, it seems.
    if (isEvent(line, "participant.left") && line.ParticipantId === this.#own) this.#fate.checkIn(SETTLES_MS);
    this.#hooks.arrived(line);
    this.#attention.arrived(line);
  }

  /** @param {{ ContentType: string, Content?: string }} event */
  #signal(event) {
    if (this.#phase !== "active" || this.#link === "offline") return;
    this.#keys.use((key) => this.#api.sendEvent(key, event)).catch(() => {});
  }

  /**
   * Told to stay away. Either the chat goes on elsewhere, or it is over; and then the server may not
   * have written it down yet, so it is asked until it has.
   *
   * @param {number} code
   */
  async #dismissed(code) {
    if (code === OVER) return this.#finish();
    if (!REFUSED.includes(code)) return this.#linked("elsewhere");
    this.#linked("reconnecting");
    await this.#fate.check();
    if (this.#closed || this.#phase === "ended") return;
    this.#cancelAgain = this.#clock.later(() => this.#feed.open(false), AGAIN_MS);
  }

  /** The visitor has left, here or in another tab: nothing can be said any more, last words still come. */
  #leave() {
    if (this.#phase === "ended" || this.#closed) return;
    this.#phase = "leaving";
    this.#left = true;
    this.#signals.stop();
    this.#delivery.stop(CHAT_OVER);
    this.#hooks.changed();
  }

  /** It is over. All of it is read once more, from the record that outlives the chat. */
  #finish() {
    if (this.#phase === "ended" || this.#closed) return;
    this.#phase = "ended";
    this.#cancelAgain();
    this.#fate.settle();
    this.#signals.stop();
    this.#inbox.stop();
    this.#feed.close();
    this.uploads?.clear();
    this.#delivery.stop(CHAT_OVER);
    this.#fail(null);
    void this.#lookBack();
  }

  async #lookBack() {
    const wasLive = this.#begun;
    try {
      await this.#fate.learnEnd();
      await this.#history.everything();
    } catch (error) {
      if (this.#closed) return;
      if (isUnknown(error)) return this.#hooks.vanished();
      this.#history.more = true;
    }
    this.#hooks.changed();
    if (wasLive) this.#hooks.ended();
  }

  /**
   * What the visitor asked for; if it fails, they are told.
   *
   * @template T
   * @param {Promise<T>} asked
   * @returns {Promise<T | undefined>}
   */
  async #attempt(asked) {
    try {
      return await asked;
    } catch (error) {
      this.#fail(failureOf(error));
      return undefined;
    }
  }

  /** An operation of the Participant Service. @param {string} operation @param {object} [body] without one it is read @returns {Promise<any>} */
  call(operation, body) {
    return this.#keys.use((key) => this.#api.participant(key, operation, body));
  }

  /** @param {Failure | null} failure */
  #fail(failure) {
    this.#failure = failure;
    if (!this.#closed) this.#hooks.changed();
  }
}

/** @type {(error: unknown) => boolean} the key opens nothing any more */
const isUnknown = (error) =>
  error instanceof ApiProblem && (error.status === 401 || error.status === 403 || error.status === 404);
