// validate.js SCHEMAS FILE...: checks YAML files against the schema that their `format` names (.millwright.yaml: config); prints
// a line of JSON for each: { file, state: "fits" | "differs" | "unreadable", errors }.
// SPDX-License-Identifier: MIT
"use strict";
const fs = require("fs");
const path = require("path");
const Ajv = require("ajv");
const YAML = require("yaml");

const EDITOR_WORDS = ["markdownDescription", "defaultSnippets", "enumDescriptions", "patternErrorMessage"];
const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true, allErrors: true });
ajv.addVocabulary(EDITOR_WORDS);

const [folder, ...files] = process.argv.slice(2);
const validators = {};
for (const name of fs.readdirSync(folder).sort()) {
	if (!name.endsWith(".schema.json"))
		continue;
	const schema = JSON.parse(fs.readFileSync(path.join(folder, name), "utf8"));
	validators[name.replace(".schema.json", "/1")] = ajv.compile(schema);
}

// The value, or undefined where the YAML itself is no good.
function read(file) {
	const document = YAML.parseDocument(fs.readFileSync(file, "utf8"));

	if (document.errors.length)
		return undefined;
	try {
		return document.toJS({ maxAliasCount: 0 });
	} catch {
		return undefined;
	}
}

function check(file) {
	const value = read(file);
	const settings = path.basename(file).endsWith(".millwright.yaml");
	const validate = value && validators[settings ? "config/1" : value.format];

	if (!validate)
		return { file, state: "unreadable", errors: [] };
	if (validate(value))
		return { file, state: "fits", errors: [] };
	const errors = validate.errors.filter((error) => error.keyword !== "if");
	return { file, state: "differs", errors: errors.map((error) => `${error.instancePath} ${error.message}`) };
}

for (const file of files)
	console.log(JSON.stringify(check(file)));
