// `npm run build`: writes build/, with the API's address baked in.
"use strict";

const crypto = require("crypto");
const fs = require("fs");
const path = require("path");

const KEYS = ["VITE_SERVER_MODE", "VITE_API_BROWSER_URL", "VITE_API_SSR_URL"];
const here = __dirname;

function settings() {
  const found = {};
  const file = path.join(here, "..", ".env");
  const lines = fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n") : [];
  for (const line of lines) {
    const match = /^\s*(?:export\s+)?([A-Z_]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (match) found[match[1]] = match[2].replace(/^(["'])(.*)\1$/, "$2");
  }
  return Object.assign(found, process.env);
}

function baked(source, values) {
  return source.replace(/__([A-Z_]+)__/g, (_, key) => JSON.stringify(values[key]));
}

const given = settings();
const missing = KEYS.filter((key) => !given[key]);
if (missing.length) {
  console.error(`build: missing: ${missing.join(", ")}`);
  process.exit(1);
}

const out = path.join(here, "build");
if (fs.existsSync(out)) (fs.rmSync || fs.rmdirSync)(out, { recursive: true });
fs.mkdirSync(path.join(out, "assets"), { recursive: true });
const style = fs.readFileSync(path.join(here, "src", "style.css"));
const name = `style.${crypto.createHash("sha256").update(style).digest("hex").slice(0, 8)}.css`;
fs.writeFileSync(path.join(out, "assets", name), style);
const version = JSON.parse(fs.readFileSync(path.join(here, "package.json"), "utf8")).version;
for (const file of ["index.js", "page.js"]) {
  const source = fs.readFileSync(path.join(here, "src", file), "utf8");
  const values = Object.assign({ VERSION: version, STYLE: name }, given);
  fs.writeFileSync(path.join(out, file), baked(source, values));
}
console.log(`build: ${version}, API at ${given.VITE_API_SSR_URL}`);
