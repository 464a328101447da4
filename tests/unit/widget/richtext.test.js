import assert from "node:assert/strict";
import test from "node:test";
import { JSDOM } from "jsdom";
import { markdown, spoken } from "../../../widget_static/src/markdown/parse.js";
import { nodes, plain, safeAddress } from "../../../widget_static/src/richtext.js";

const { document } = new JSDOM("").window;
globalThis.document = document;
const html = (blocks) => {
  const root = document.createElement("div");
  root.append(...nodes(blocks));
  return root.innerHTML.replaceAll(' target="_blank" rel="noopener noreferrer nofollow ugc"', "");
};

test("markdown becomes the elements people mean", () => {
  const cases = {
    "**bold** and __bold__": "<p><strong>bold</strong> and <strong>bold</strong></p>",
    "*it* and _it_": "<p><em>it</em> and <em>it</em></p>",
    "~~gone~~ `code`": "<p><s>gone</s> <code>code</code></p>",
    "**a *b* c**": "<p><strong>a <em>b</em> c</strong></p>",
    "[t](https://a.b/c)": '<p><a href="https://a.b/c">t</a></p>',
    "- a\n- b": "<ul><li>a</li><li>b</li></ul>",
    "1. a\n2) b": "<ol><li>a</li><li>b</li></ol>",
    "# head\ntext": "<p><strong>head</strong></p><p>text</p>",
    "> q\n> r": "<blockquote><p>q</p><p>r</p></blockquote>",
    "```\n<b>*x*\n```": '<pre tabindex="0"><code>&lt;b&gt;*x*</code></pre>',
    "one\ntwo\n\nthree": "<p>one\ntwo</p><p>three</p>",
    "\\*not\\*": "<p>*not*</p>",
    "***both***": "<p><strong><em>both</em></strong></p>",
    "a ***b*** and **c**": "<p>a <strong><em>b</em></strong> and <strong>c</strong></p>",
    "snake_case_name": "<p>snake_case_name</p>",
    "2 * 3 * 4": "<p>2 * 3 * 4</p>",
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(html(markdown(text)), expected, text);
});

test("addresses in plain text are links, without the point behind them", () => {
  assert.equal(
    html(plain("see https://a.b/c?d=1. **ok**")),
    '<p>see <a href="https://a.b/c?d=1">https://a.b/c?d=1</a>. **ok**</p>',
  );
});

test("a bracket behind an address belongs to it if it was opened in it", () => {
  const links = (text) => [...html(plain(text)).matchAll(/>(http[^<]*)</g)].map(([, shown]) => shown);
  assert.deepEqual(links("https://a.b/Amazon_(river)."), ["https://a.b/Amazon_(river)"]);
  assert.deepEqual(links("(see https://a.b/Amazon_(river))"), ["https://a.b/Amazon_(river)"]);
  assert.deepEqual(links("(https://a.b/c), https://a.b/d)!?"), ["https://a.b/c", "https://a.b/d"]);
  assert.deepEqual(links("https://a.b/((x)) https://a.b/(x)))."), ["https://a.b/((x))", "https://a.b/(x)"]);
  assert.deepEqual(links(`https://a.b/${")".repeat(1900)}`), ["https://a.b/"]);
});

test("links go to the web and to mail only", () => {
  for (const address of ["https://a.b/", "http://a.b/", "mailto:a@b.c"]) assert.equal(safeAddress(address), address);
  for (const address of ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc", "//a.b", "/x", "", "ja\tvascript:alert(1)", " javascript:alert(1)"])
    assert.equal(safeAddress(address), undefined, address);
});

test("links open elsewhere and tell nobody where from", () => {
  const link = nodes(markdown("[t](https://a.b)"))[0].querySelector("a");
  assert.equal(link.target, "_blank");
  assert.equal(link.rel, "noopener noreferrer nofollow ugc");
});

test("nothing written becomes an element of its own", () => {
  const attacks = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "![x](https://a.b/c.png)",
    '[x](https://a.b/" onmouseover="alert(1))', "[<b>x</b>](https://a.b)", "<a href='javascript:alert(1)'>x</a>",
    "`<i>`", "**<svg/onload=alert(1)>**", "```\n</code></pre><script>\n```", "[a](data:text/html;base64,PHNjcmlwdD4=)",
    "&lt;script&gt;", "\u202ehttps://a.b", "[x](  java\nscript:alert(1))", "https://a.b/<script>", "<javascript:alert(1)>",
  ];
  const allowed = new Set(["P", "STRONG", "EM", "S", "CODE", "PRE", "A", "UL", "OL", "LI", "BLOCKQUOTE"]);
  for (const attack of attacks) {
    const root = document.createElement("div");
    root.append(...nodes(markdown(attack)), ...nodes(plain(attack)));
    for (const element of root.querySelectorAll("*")) {
      assert.ok(allowed.has(element.tagName), `${attack}: ${element.tagName}`);
      for (const { name, value } of element.attributes) {
        assert.ok(["href", "target", "rel", "tabindex"].includes(name), `${attack}: ${name}`);
        if (name === "href") assert.match(value, /^(https?|mailto):/);
      }
    }
  }
});

test("it is read aloud without its marks", () => {
  assert.equal(spoken("**Hi** [there](https://a.b)\n- one\n- two"), "Hi there one two");
});

test("long nonsense takes no long time", () => {
  const began = performance.now();
  for (const part of ["**a ", "[", "*a _b ", "`", "[a](", "_", "*", "~~", "> ", "- ", "```\n", "https://"])
    markdown(part.repeat(16_384 / part.length));
  assert.ok(performance.now() - began < 5_000);
});
