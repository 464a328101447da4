/**
 * A view as a list of pieces to draw: words, fields, buttons. Views are trees of components, whose
 * names and properties are each template's own; known is what a name says and what a component has.
 * Pure.
 */

/** @typedef {"text" | "area" | "date" | "time" | "number" | "email" | "tel" | "choice" | "radio" | "checks" | "check"} FieldKind */
/** @typedef {{ label: string, value: string }} Choice */
/**
 * @typedef {object} Field
 * @property {"field"} piece
 * @property {FieldKind} kind
 * @property {string} name under which its value is sent
 * @property {string} label
 * @property {string} help
 * @property {boolean} required
 * @property {string} value it begins with
 * @property {Choice[]} choices
 */
/** @typedef {{ piece: "heading" | "text", text: string } | { piece: "pair", label: string, text: string }} Said */
/** @typedef {{ piece: "button", action: string, label: string, text: string }} Button `text`: more than its label, of a card that can be chosen */
/** @typedef {Said | Field | Button} Piece */

/** A template that refers to itself, or to thousands of things, ends somewhere. */
const DEEPEST = 12;
const MOST = 200;

/** By what a component's type says of it; the first that fits. @type {[RegExp, FieldKind][]} */
const FIELDS = [
  [/text_?area/i, "area"],
  [/date/i, "date"],
  [/time/i, "time"],
  [/drop_?down|select/i, "choice"],
  [/radio/i, "radio"],
  [/check_?box_?group|checkboxes/i, "checks"],
  [/check_?box|toggle/i, "check"],
  [/input|field/i, "text"],
];
/** @type {Record<string, FieldKind>} */
const INPUTS = { number: "number", email: "email", tel: "tel", phone: "tel", date: "date", time: "time" };

/** @type {(template: unknown, actions: unknown, data: unknown) => Piece[]} `template` and `data` as they come: JSON or already read */
export const piecesOf = (template, actions, data) => {
  const given = read(data);
  const { Head, Body } = read(template);
  /** @type {Piece[]} */
  const pieces = [];
  const title = wordsOf(given.Heading ?? Head?.Title, given);
  if (title) pieces.push({ piece: "heading", text: title });
  walk(Body, given, pieces, 0);
  const offered = new Set(pieces.map((one) => (one.piece === "button" ? one.action : "")));
  if (offered.size > 1 || !Array.isArray(actions)) return withoutRepeats(pieces);
  // Nothing in the template leads on: what the view can do is offered as it is called.
  const buttons = actions.map(String).map((action) => ({ ...{ piece: /** @type {const} */ ("button"), text: "" }, action, label: action }));
  return withoutRepeats([...pieces, ...buttons]);
};

/** @type {(value: unknown) => Record<string, any>} */
const read = (value) => {
  try {
    const found = typeof value === "string" ? JSON.parse(value) : value;
    return found && typeof found === "object" ? found : {};
  } catch {
    return {};
  }
};

/** @type {(node: unknown, given: Record<string, any>, pieces: Piece[], depth: number) => void} */
const walk = (node, given, pieces, depth) => {
  if (depth > DEEPEST || pieces.length >= MOST) return;
  const here = valueOf(node, given);
  if (Array.isArray(here)) return here.forEach((one) => walk(one, given, pieces, depth + 1));
  if (typeof here === "string") return void (here.trim() && pieces.push({ piece: "text", text: here.trim() }));
  if (!here || typeof here !== "object") return;
  const type = String(here.Type ?? "");
  const props = { ...here, ...valueOf(here.Props, given) };
  const own = component(type, props, here, given);
  pieces.push(...own.pieces);
  if (own.isWhole) return;
  for (const inner of ["Content", "Body", "Sections", "Items", "Cards", "LeftColumn", "RightColumn"])
    walk(props[inner], given, pieces, depth + 1);
};

/** @type {(type: string, props: Record<string, any>, here: Record<string, any>, given: Record<string, any>) => { pieces: Piece[], isWhole: boolean }} what one component says itself, and whether that is all of it */
const component = (type, props, here, given) => {
  const say = (/** @type {string[]} */ ...names) => names.map((name) => wordsOf(props[name], given)).find(Boolean) ?? "";
  const heading = say("Heading", "Title");
  const text = say("Description", "Text", "SubHeading", "Status");
  const action = say("Action");
  if (action) {
    const label = heading || say("Label") || wordsOf(here.Content, given) || action;
    return { pieces: [{ piece: "button", action, label, text: heading ? text : "" }], isWhole: true };
  }
  const kind = FIELDS.find(([name]) => name.test(type))?.[1];
  const name = say("Name");
  if (kind && name) return { pieces: [field(kind, name, props, say, given)], isWhole: true };
  const [label, value] = [say("Label"), say("Value")];
  if (label && value) return { pieces: [{ piece: "pair", label, text: value }], isWhole: true };
  /** @type {Piece[]} */
  const pieces = [];
  if (heading) pieces.push({ piece: "heading", text: heading });
  for (const one of [text, label || value]) if (one) pieces.push({ piece: "text", text: one });
  return { pieces, isWhole: false };
};

/** @type {(kind: FieldKind, name: string, props: Record<string, any>, say: (...names: string[]) => string, given: Record<string, any>) => Field} */
const field = (kind, name, props, say, given) => {
  const options = valueOf(props.Options, given);
  const choices = (Array.isArray(options) ? options : []).map((one) => {
    const value = wordsOf(one?.Value ?? one?.Label ?? one, given);
    return { value, label: wordsOf(one?.Label ?? one, given) || value };
  });
  return {
    ...{ piece: "field", name, choices: choices.filter(({ value }) => value) },
    kind: kind === "text" ? (INPUTS[say("InputType").toLowerCase()] ?? kind) : kind,
    label: say("Label") || name,
    help: say("HelperText", "Description"),
    required: valueOf(props.Required, given) === true,
    value: say("DefaultValue", "Value"),
  };
};

/** "$.Name" stands for what the flow has given. @type {(value: unknown, given: Record<string, any>) => any} */
const valueOf = (value, given) => {
  const path = typeof value === "string" ? /^\$\.([\w.]+)$/.exec(value)?.[1] : undefined;
  if (!path) return value;
  return path.split(".").reduce((/** @type {any} */ found, name) => (found && Object.hasOwn(found, name) ? found[name] : undefined), given);
};

/** @type {(value: unknown, given: Record<string, any>) => string} */
const wordsOf = (value, given) => {
  const found = valueOf(value, given);
  const first = Array.isArray(found) ? valueOf(found[0], given) : found;
  return ["string", "number", "boolean"].includes(typeof first) ? String(first).trim() : "";
};

/** @type {(pieces: Piece[]) => Piece[]} a heading that is said twice is said once */
const withoutRepeats = (pieces) =>
  pieces.filter((one, at) => one.piece !== "heading" || !pieces.slice(0, at).some((two) => two.piece === "heading" && two.text === one.text));
