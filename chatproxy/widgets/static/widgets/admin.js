// The widget's form: copying, what the accent means for contrast, and origins judged while typed.
// The server judges again on save; this only says it sooner.

"use strict";

const SURFACES = { light: "#ffffff", dark: "#14171d" };
const OURS = "#2f55e0"; // the widget takes a lighter twin of it in the dark

async function copy(button) {
  const code = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    // Not a secure context, or not allowed: the selection is the fallback.
    getSelection().selectAllChildren(code);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 2000);
}

function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function ratio(one, other) {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function judge(accent) {
  const isDark = luminance(accent) < 0.183;
  const faint = Object.keys(SURFACES).filter((kind) => accent !== OURS && ratio(accent, SURFACES[kind]) < 3);
  const text = ratio(accent, isDark ? "#ffffff" : "#000000").toFixed(1);
  const readable = `Text on it is ${isDark ? "white" : "black"} (${text} : 1).`;
  if (!faint.length) return { said: readable, isFaint: false };
  const where = faint.join(" and ");
  return { said: `${readable} Hard to see on a ${where} page: less than 3 : 1 against the panel.`, isFaint: true };
}

/** What is wrong with a line that should be an origin; nothing if it is one. */
function complaint(line) {
  let url;
  try {
    url = new URL(line);
  } catch {
    return "is not an origin. Write it like https://www.example.com.";
  }
  if (!/^https?:$/.test(url.protocol) || line.includes("*") || url.username)
    return "is not an origin. Write it like https://www.example.com.";
  if (url.pathname !== "/" || url.search || url.hash) return `has a path. Write ${url.origin}.`;
  return "";
}

/** Below the field stands what is wrong with it: as the server said it, and once something is typed, what is wrong now. */
function watchOrigins(box) {
  const row = box.closest(".form-row");
  const said = row.querySelector(".errorlist");
  const note = document.createElement("output");
  note.className = "origins-note";
  note.htmlFor = box.id;
  const below = document.createElement("div");
  below.className = "below-field";
  below.append(...(said ? [said] : []), note);
  box.closest(".flex-container").after(below);
  const look = () => {
    const lines = box.value.split(/[\s,]+/).filter(Boolean);
    note.textContent = lines
      .map((line) => [line, complaint(line)])
      .filter(([, wrong]) => wrong)
      .map(([line, wrong]) => `${line} ${wrong}`)
      .join("\n");
  };
  box.addEventListener("input", () => {
    said?.remove();
    row.classList.remove("errors");
    box.removeAttribute("aria-invalid");
    look();
  });
  if (!said) look();
}

addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copy(button));
  for (const box of document.querySelectorAll("[data-origins]")) watchOrigins(box);
  for (const input of document.querySelectorAll("[data-contrast]")) {
    const output = document.querySelector(`output[for="${input.id}"]`);
    input.addEventListener("input", () => {
      const { said, isFaint } = judge(input.value);
      output.textContent = said;
      output.classList.toggle("faint", isFaint);
    });
  }
});
