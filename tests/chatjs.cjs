// Drives an unmodified ChatJS from outside: commands come as JSON lines on stdin, answers and everything
// the library reports go as JSON lines to stdout. Usage: node chatjs.cjs <module> <endpoint> <page>
"use strict";
const readline = require("node:readline");
const { WebSocket } = require("ws");

// What the bundle expects of a browser and Node 20 does not have.
globalThis.window = globalThis;
globalThis.self = globalThis;
Object.defineProperty(globalThis, "navigator", {
  value: { onLine: true, userAgent: "Node" },
  configurable: true,
});
globalThis.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    report({ opens: "a socket" });
  }
};

const [moduleName, endpoint, pageUrl] = process.argv.slice(2);
if (moduleName === "chatjs-2") {
  // It does not know fetch; jsdom's XMLHttpRequest asks for CORS like a browser's.
  const { JSDOM } = require("jsdom");
  const page = new JSDOM("", { url: pageUrl });
  globalThis.XMLHttpRequest = page.window.XMLHttpRequest;
}
require(moduleName);
const { connect } = globalThis;

const LISTENERS = [
  "onConnectionEstablished",
  "onConnectionBroken",
  "onConnectionLost",
  "onMessage",
  "onTyping",
  "onReadReceipt",
  "onDeliveredReceipt",
  "onEnded",
];

const report = (value) => process.stdout.write(JSON.stringify(value) + "\n");
const plain = ({ data }) => data;

let session;

const actions = {
  create({ contactId, participantId, participantToken }) {
    connect.ChatSession.setGlobalConfig({
      endpoint,
      region: "us-west-2",
      loggerConfig: { useDefaultLogger: false },
      features: { messageReceipts: { shouldSendMessageReceipts: true, throttleTime: 50 } },
    });
    session = connect.ChatSession.create({
      type: connect.ChatSession.SessionTypes.CUSTOMER,
      disableCSM: true,
      chatDetails: { contactId, participantId, participantToken },
    });
    for (const name of LISTENERS) {
      session[name]?.((heard) => report({ heard: name, data: heard?.data }));
    }
  },
  connect: () => session.connect().then(({ connectSuccess }) => ({ connectSuccess })),
  sendMessage: (what) => session.sendMessage(what).then(plain),
  sendEvent: (what) => session.sendEvent(what).then(plain),
  getTranscript: (what) => session.getTranscript(what).then(plain),
  describeView: (what) => session.describeView(what).then(plain),
  sendAttachment({ name, type, text }) {
    return session.sendAttachment({ attachment: new File([text], name, { type }) }).then(() => null);
  },
  downloadAttachment: (what) => session.downloadAttachment(what).then((blob) => blob.text()),
  disconnectParticipant: () => session.disconnectParticipant().then(plain),
};

readline.createInterface({ input: process.stdin }).on("line", async (line) => {
  const { action, argument } = JSON.parse(line);
  try {
    report({ done: action, data: (await actions[action](argument ?? {})) ?? null });
  } catch (error) {
    report({ failed: action, type: error?.type ?? error?.name, message: error?.message || require("node:util").inspect(error, {depth: 6}) });
  }
}).on("close", () => process.exit(0));
