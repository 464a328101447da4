/**
 * What the widget says, in English: the panel, and each part; beside this file, in other languages.
 * A widget's `texts` may replace any of it, key by key. What goes with a `{count}` has a form for each
 * plural category of its language (`Intl.PluralRules`).
 */
export const en = {
  launcher: "Chat",
  launcherUnread: { one: "{name}, {count} unread", other: "{name}, {count} unread" },
  title: "Chat with us",
  subtitle: "",
  partner: "You are talking to {name}",
  assistant: "Assistant",
  you: "You",
  close: "Close chat",
  more: "More",
  log: "Messages",
  write: "Write a message",
  send: "Send message",
  attach: "Attach a file",
  save: "Save transcript",
  end: "End chat",
  older: "Earlier messages",
  loadingOlder: "Loading earlier messages…",
  newest: "New messages",
  today: "Today",
  yesterday: "Yesterday",

  unread: { one: "1 new message", other: "{count} new messages" },
  arrivedFrom: "{name}: {text}",
  typing: "{name} is typing",

  welcome: "Hello! How can we help?",
  starting: "Starting your chat…",
  connecting: "Connecting…",
  reconnecting: "Connection lost. Trying again…",
  degraded: "The service is being reconnected. You can go on writing.",
  offline: "You are offline. Messages will be sent later.",
  elsewhere: "This chat goes on in another tab.",
  continueHere: "Continue here",

  sending: "Sending…",
  sent: "Sent",
  delivered: "Delivered",
  read: "Read",
  notSent: "Not sent.",
  blocked: "Not delivered: this message was not accepted.",
  retry: "Retry",
  delete: "Delete",
  cancel: "Cancel",
  dismiss: "Dismiss",
  tooLong: { one: "{count} character too many", other: "{count} characters too many" },
  left: { one: "{count} character left", other: "{count} characters left" },

  unshown: "This window cannot show what was sent. Please ask for it in another way.",
  joined: "{name} joined the chat",
  leftChat: "{name} left the chat",
  transferred: "You are being transferred",
  transferFailed: "The transfer did not work",
  idleOwn: "Are you still there? The chat may end if you do not answer.",
  idleOther: "{name} has been quiet for a while",
  disconnectedOther: "{name} was disconnected",
  signIn: "You were asked to sign in, which this window cannot do. Please ask for another way.",
  chatEnded: "The chat has ended",

  leaving: "Ending the chat…",
  endedByCustomer: "You ended this chat.",
  endedByAgent: "The other side has left. This chat is over.",
  endedByOther: "This chat is over.",
  incomplete: "Messages after {time} may be missing.",
  gone: "This chat is no longer available.",
  startAnew: "Start a new chat",
  startFailed: "The chat could not be started.",
  startAgain: "Try again",

  unreachable: "The chat service cannot be reached. Check your connection.",
  timeout: "There was no answer in time.",
  busy: "There is a lot going on right now. Please try again in a moment.",
  serverFailed: "Something went wrong on our side. Please try again.",
  refused: "This was not accepted.",
  keyRefused: "This chat cannot be continued from here. Start a new one.",
  originRefused: "This chat is not set up for this page. Please tell the owner of the site.",
  chatOver: "The chat was over already.",
  tooManyFiles: "No more files can be sent in this chat.",
  tooLarge: "This is too large to send.",
  uploadFailed: "The file could not be uploaded. Please try again.",
};

export const cards = {
  card: { one: "{title} {count} option.", other: "{title} {count} options." },
  morePages: "There is more to choose from. Please ask for it.",
  chosen: "{title}, chosen",
  zone: "Time zone: {zone}.",
  moreTimes: "More times",
};

export const views = {
  form: "Please fill this in.",
  pick: "Please choose",
};

export const files = {
  uploading: "Uploading {percent} %",
  checking: "Being checked…",
  fileRejected: "This file was not accepted.",
  fileOver: "Not available after the end of the chat.",
  download: "Download {name}",
  fileTooLarge: "This file is too large. Choose one up to {size}.",
  fileEmpty: "This file is empty. Choose another one.",
  fileType: "Files of this type are not accepted. Choose another one.",
};

export const ending = {
  endTitle: "End this chat?",
  endText: "You can still read and save it afterwards.",
  endKeep: "Keep chatting",
  endConfirm: "End chat",
};
