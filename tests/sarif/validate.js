// validate.js MODULES FILE...: checks SARIF logs against the schema of version 2.1.0; prints what is wrong.
// SPDX-License-Identifier: MIT
"use strict";
const fs = require("fs");
const path = require("path");

const [modules, ...files] = process.argv.slice(2);
const Ajv = require(path.join(modules, "ajv"));
const read = (...names) => JSON.parse(fs.readFileSync(path.join(...names), "utf8"));
const ajv = new Ajv({ schemaId: "id", meta: false, unknownFormats: "ignore", allErrors: true });
ajv.addMetaSchema(read(modules, "ajv/lib/refs/json-schema-draft-04.json"));
const schema = read(modules, "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json");
const validate = ajv.compile(schema);
let wrong = 0;

for (const file of files) {
	if (validate(read(file)))
		continue;
	wrong++;
	for (const error of validate.errors)
		console.log(`${file}: ${error.dataPath} ${error.message}`);
}
process.exit(wrong ? 1 : 0);
