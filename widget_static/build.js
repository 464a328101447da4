/**
 * Bundles widget_static/src into widget_static/dist: the loader under its stable name, the panel under
 * a name with its hash, both with source maps, and a manifest. `--check` builds in memory and says
 * whether dist is what src builds to. Sizes over budget fail the build.
 */

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const src = join(here, "src");
const dist = join(here, "dist");
const BUDGET = { loader: 2048, panel: 28 * 1024 };

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

/** The loader knows the panel by name and hash. */
const release = (file, integrity) => ({
  name: "release",
  setup({ onLoad }) {
    onLoad({ filter: /release\.js$/ }, () => ({
      contents: `export const panel = ${JSON.stringify({ file, integrity })};`,
    }));
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
  const [map, code] = outputFiles.map((file) => file.text);
  return { map, code };
}

async function everything() {
  const draft = await bundle("panel.js", "panel.js", "esm", []);
  const hash = sha("sha256", "hex", draft.code).slice(0, 12);
  const panelName = `panel.${hash}.js`;
  const panelCode = draft.code.replace("panel.js.map", `${panelName}.map`);
  const integrity = `sha384-${sha("sha384", "base64", panelCode)}`;
  const loader = await bundle("loader.js", "loader.js", "iife", [release(panelName, integrity)]);
  const facts = (file, code) => ({
    file,
    integrity: `sha384-${sha("sha384", "base64", code)}`,
    bytes: Buffer.byteLength(code),
    gzip: gzipSync(code, { level: 9 }).length,
  });
  const manifest = { loader: facts("loader.js", loader.code), panel: facts(panelName, panelCode) };
  const files = {
    "loader.js": loader.code,
    "loader.js.map": loader.map,
    [panelName]: panelCode,
    [`${panelName}.map`]: draft.map,
    "manifest.json": `${JSON.stringify(manifest, null, 2)}\n`,
  };
  return { files, manifest };
}

const { files, manifest } = await everything();
const problems = [];
for (const name of ["loader", "panel"]) {
  const { gzip, bytes } = manifest[name];
  console.log(`${name}: ${bytes} bytes, ${gzip} gzip (budget ${BUDGET[name]})`);
  if (gzip > BUDGET[name]) problems.push(`${name} is ${gzip - BUDGET[name]} bytes over its budget`);
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
