// parse.mjs FILE...: each is one Mermaid flowchart; the first that Mermaid refuses ends with 1.
// SPDX-License-Identifier: MIT
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, ...files] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { JSDOM } = require("jsdom");
const dom = new JSDOM("<!DOCTYPE html><body></body>");
globalThis.window = dom.window;
globalThis.document = dom.window.document;
const { default: mermaid } = await import(pathToFileURL(modules + "/mermaid/dist/mermaid.core.mjs"));

for (const file of files) {
  try {
    const { diagramType } = await mermaid.parse(readFileSync(file, "utf8"));
    if (!diagramType.startsWith("flowchart")) throw new Error(`it is a ${diagramType}`);
  } catch (error) {
    console.log(`${file}: ${error.message}`);
    process.exit(1);
  }
}
process.exit(0);
