/**
 * Bundles widget_static/src into widget_static/dist: the loader under its stable name, the panel, its
 * parts and each language's strings under names with their hashes, scripts with source maps, and a manifest.
 * `--check` builds in memory and says whether dist is what src builds to. Sizes over budget fail the
 * build, and strings that are not the English ones in another language.
 */

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";
import * as english from "./src/strings/en.js";

const here = dirname(fileURLToPath(import.meta.url));
const src = join(here, "src");
const dist = join(here, "dist");
const PARTS = ["cards", "views", "files", "markdown", "ending"];
const BUDGET = { loader: 2048, panel: 25 * 1024, part: 6 * 1024, strings: 1536 };

/** Who says which strings: the panel, and each part. */
const SPEAKING = PARTS.filter((name) => name in english);
const GROUPS = { panel: english.en, ...Object.fromEntries(SPEAKING.map((name) => [name, english[name]])) };
const en = Object.assign({}, ...Object.values(GROUPS));

const sha = (algorithm, encoding, content) => createHash(algorithm).update(content).digest(encoding);

/** A style sheet becomes a module whose default export is a CSSStyleSheet, as browsers do it. */
const styles = {
  name: "styles",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const { outputFiles } = await build({
        stdin: { contents: text, loader: "css" },
        minify: true,
        write: false,
        target: TARGET,
        logLevel: "error",
      });
      // esbuild leaves the values of custom properties as they were written.
      const tight = outputFiles[0].text.trim().replace(/(--[\w-]+:) /g, "$1").replaceAll(", ", ",");
      const css = JSON.stringify(tight);
      const contents = `const sheet = new CSSStyleSheet();\nsheet.replaceSync(${css});\nexport { sheet as default };`;
      return { contents, loader: "js" };
    });
  },
};

/** A module of one constant that only the build knows. */
const told = (filter, name, value) => ({
  name,
  setup({ onLoad }) {
    onLoad({ filter }, () => ({ contents: `export const ${name} = ${JSON.stringify(value)};` }));
  },
});

const TARGET = ["chrome123", "firefox128", "safari17.5"];

async function bundle(entry, name, format, plugins) {
  const { outputFiles } = await build({
    entryPoints: [join(src, entry)],
    outfile: join(dist, name),
    bundle: true,
    minify: true,
    format,
    target: TARGET,
    sourcemap: "linked",
    sourcesContent: true,
    legalComments: "none",
    write: false,
    logLevel: "warning",
    plugins: [styles, ...plugins],
  });
  const [content, plain] = outputFiles.map((file) => file.text);
  // A fiftieth smaller than what esbuild makes of it.
  const tight = await minify(plain, {
    module: format === "esm",
    ecma: 2022,
    compress: { passes: 3 },
    sourceMap: { content, includeSources: true, filename: name, url: `${name}.map` },
  });
  return { map: `${tight.map}\n`, code: `${tight.code}\n` };
}

/** What is wrong with one language's strings, beside the English ones. */
function* faults(language, strings) {
  const rules = new Intl.PluralRules(language);
  const forms = new Set(Array.from({ length: 200 }, (_, count) => rules.select(count)));
  const slots = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort().join();
  const others = (text) => slots(text.replaceAll("{count}", ""));
  for (const key of new Set([...Object.keys(en), ...Object.keys(strings)])) {
    const [ours, theirs] = [en[key], strings[key]];
    if (ours === undefined || theirs === undefined || typeof ours !== typeof theirs) {
      yield `${key} is not in both, or not of the same kind`;
    } else if (typeof ours === "string") {
      if (slots(ours) !== slots(theirs)) yield `${key} has other places for values`;
    } else if (Object.keys(theirs).sort().join() !== [...forms].sort().join()) {
      yield `${key} needs the forms ${[...forms].join(", ")}`;
    } else if (Object.values(theirs).some((form) => others(form) !== others(ours.other))) {
      yield `${key} has other places for values`;
    }
  }
}

/** By language, its strings by key. */
async function languages() {
  const found = {};
  for (const name of (await readdir(join(src, "strings"))).sort()) {
    if (!name.endsWith(".json")) continue;
    const language = name.slice(0, -5);
    found[language] = JSON.parse(await readFile(join(src, "strings", name), "utf8"));
    for (const fault of faults(language, found[language])) problems.push(`strings/${name}: ${fault}`);
  }
  return found;
}

/** The strings of each group in each language, arrays in the order of the English ones, and what the panel must know to find them. */
async function stringFiles() {
  const strings = await languages();
  const files = {};
  const hashes = {};
  for (const [group, texts] of Object.entries(GROUPS)) {
    const listed = Object.entries(strings).map(([language, all]) => [
      language,
      JSON.stringify(Object.keys(texts).map((key) => all[key])),
    ]);
    hashes[group] = sha("sha256", "hex", JSON.stringify(listed)).slice(0, 8);
    for (const [language, text] of listed) files[`strings.${group}.${language}.${hashes[group]}.json`] = text;
  }
  return { files, told: { languages: Object.keys(strings), hashes } };
}

const facts = (file, code) => ({
  file,
  integrity: `sha256-${sha("sha256", "base64", code)}`,
  bytes: Buffer.byteLength(code),
  gzip: gzipSync(code, { level: 9 }).length,
});

/** A module under a name with its hash: its files, and what the manifest says of it. */
async function hashed(name, plugins) {
  const draft = await bundle(`${name}.js`, `${name}.js`, "esm", plugins);
  const file = `${name}.${sha("sha256", "hex", draft.code).slice(0, 8)}.js`;
  const code = draft.code.replace(`${name}.js.map`, `${file}.map`);
  return { files: { [file]: code, [`${file}.map`]: draft.map }, facts: facts(file, code) };
}

const release = ({ file, integrity }) => ({ file, integrity });

async function everything() {
  const strings = await stringFiles();
  const parts = await Promise.all(PARTS.map(async (name) => [name, await hashed(name, [])]));
  const partReleases = Object.fromEntries(parts.map(([name, part]) => [name, release(part.facts)]));
  const panel = await hashed("panel", [
    told(/strings\/files\.js$/, "files", strings.told),
    told(/parts\/releases\.js$/, "releases", partReleases),
  ]);
  const loader = await bundle("loader.js", "loader.js", "iife", [
    told(/src\/release\.js$/, "panel", release(panel.facts)),
  ]);
  const manifest = { loader: facts("loader.js", loader.code), panel: panel.facts };
  const files = { "loader.js": loader.code, "loader.js.map": loader.map, ...panel.files };
  for (const [name, part] of parts) {
    manifest[name] = part.facts;
    Object.assign(files, part.files);
  }
  files["manifest.json"] = `${JSON.stringify(manifest, null, 2)}\n`;
  return { files: { ...files, ...strings.files }, sizes: { ...manifest, ...sizes(strings.files) } };
}

const sizes = (files) =>
  Object.fromEntries(
    Object.entries(files).map(([file, text]) => [
      file,
      { bytes: Buffer.byteLength(text), gzip: gzipSync(text, { level: 9 }).length },
    ]),
  );

const problems = [];
const { files, sizes: found } = await everything();
for (const [name, { gzip, bytes }] of Object.entries(found)) {
  const budget = BUDGET[name] ?? (PARTS.includes(name) ? BUDGET.part : BUDGET.strings);
  console.log(`${name}: ${bytes} bytes, ${gzip} gzip (budget ${budget})`);
  if (gzip > budget) problems.push(`${name} is ${gzip - budget} bytes over its budget`);
}

await mkdir(dist, { recursive: true });
const present = await readdir(dist);
if (process.argv.includes("--check")) {
  for (const name of new Set([...present, ...Object.keys(files)])) {
    const committed = present.includes(name) ? await readFile(join(dist, name), "utf8") : undefined;
    if (committed !== files[name]) problems.push(`dist/${name} is not what src builds to: run npm run build`);
  }
} else {
  for (const name of present) if (!(name in files)) await rm(join(dist, name));
  for (const [name, text] of Object.entries(files)) await writeFile(join(dist, name), text);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length ? 1 : 0;
