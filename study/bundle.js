// Bundle the page's scripts, `node bundle.js`: its libraries, and its own modules, each into one file in bundles/.
// With --check nothing is written: it says whether the committed files are reproduced, byte for byte.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));

// What modules import by these names comes from the first file, so that each library is there once.
const LIBRARIES = ["preact", "preact/hooks", "htm/preact", "@observablehq/plot", "decimal.js"];

const USUAL = { absWorkingDir: HERE, bundle: true, minify: true, format: "iife", target: "es2022", charset: "utf8", write: false, legalComments: "none" };

// Each licence once, after the packages that are under it.
function licences(inputs) {
  const folders = Object.keys(inputs).map((path) => path.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
  const packages = new Map();
  for (const folder of [...new Set(folders.filter(Boolean))].sort()) {
    const { name, version } = JSON.parse(readFileSync(join(HERE, folder, "package.json"), "utf8"));
    const file = readdirSync(join(HERE, folder)).filter((of) => /^licen[cs]e/i.test(of)).sort()[0];
    const text = readFileSync(join(HERE, folder, file), "utf8").trim();
    packages.set(text, [...(packages.get(text) ?? []), `${name} ${version}`]);
  }
  return [...packages].map(([text, names]) => `${names.join(", ")}\n\n${text}\n`).join("\n");
}

async function libraries() {
  const contents = LIBRARIES.map((name, k) => `import * as of${k} from "${name}";`).join("") + `export default {${LIBRARIES.map((name, k) => `"${name}": of${k}`)}};`;
  const { outputFiles, metafile } = await build({ ...USUAL, stdin: { contents, resolveDir: HERE }, globalName: "libraries", metafile: true });
  return `/*\n${licences(metafile.inputs)}*/\n${outputFiles[0].text}`;
}

const fromLibraries = {
  name: "libraries",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) => (kind === "entry-point" ? null : { path, namespace: "library" }));
    onLoad({ filter: /./, namespace: "library" }, ({ path }) => {
      if (!LIBRARIES.includes(path)) return { errors: [{ text: `${path} is not a library that bundle.js bundles` }] };
      return { contents: `module.exports = libraries.default[${JSON.stringify(path)}];` };
    });
  },
};

// Begins with a digest of the modules, by which Python sees that they were not changed since (study/build.py).
async function page() {
  const { outputFiles, metafile } = await build({ ...USUAL, entryPoints: ["web/main.js"], globalName: "page", plugins: [fromLibraries], metafile: true });
  const digest = createHash("sha256");
  for (const path of Object.keys(metafile.inputs).filter((of) => of.startsWith("web/")).sort()) digest.update(readFileSync(join(HERE, path)));
  return `// ${digest.digest("hex")}\n${outputFiles[0].text}`;
}

let stale = 0;
for (const [name, made] of [["libraries", await libraries()], ["page", await page()]]) {
  const path = join(HERE, "bundles", `${name}.min.js`);
  if (!process.argv.includes("--check")) writeFileSync(path, made);
  else if (readFileSync(path, "utf8") !== made) stale += 1, console.error(`study/bundles/${name}.min.js is not what \`make bundle\` makes of the modules`);
}
process.exit(stale ? 1 : 0);
