/** What the files that write schemas share: scalars, facts, device types. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_SCHEMA_SCHEMA_INTERNAL_H
#define TOOLS_SCHEMA_SCHEMA_INTERNAL_H

#include "tools/json.h"
#include "tools/schema/schema.h"

/** One schema being written. On the caller's stack. */
struct mw_schema {
	struct mw_json json;
	const struct mw_format *format;
	const struct mw_registry *registry;
	bool plain; /* nothing is composed: no $(...) and no `unset` */
	struct mw_arena arena;
};

/** JSON types that a value may have; several may be set. */
enum {
	MW_JSON_STRING = 1 << 0,
	MW_JSON_INTEGER = 1 << 1,
	MW_JSON_NUMBER = 1 << 2,
	MW_JSON_BOOLEAN = 1 << 3,
	MW_JSON_NULL = 1 << 4,
	MW_JSON_OBJECT = 1 << 5,
	MW_JSON_ARRAY = 1 << 6
};

/** A value's types and, for its strings, the forms they may have. */
struct mw_schema_value {
	unsigned types;
	bool any_text;    /* strings have any form */
	bool expression;  /* a string may hold $(...) */
	bool unset;       /* the word `unset` */
	bool remove;      /* the word `remove` */
	bool limited;     /* the caller says how small a number may be; else: not below 0 */
	const char *form; /* of strings, as a regular expression; NULL: none but the above */
	const char *say;  /* what an editor says about another string; NULL: the form */
};

/* Forms of strings, as parts of regular expressions. */
#define MW_FORM_INT      "(?:0|[1-9][0-9]*|0x[0-9a-fA-F]+)"
#define MW_FORM_SIZE     MW_FORM_INT "(?:KiB|MiB|GiB|TiB)?"
#define MW_FORM_RANGE    MW_FORM_INT "\\+" MW_FORM_SIZE
#define MW_FORM_CLAIM    "(?:auto|" MW_FORM_SIZE ")(?:\\+" MW_FORM_SIZE ")?"
#define MW_FORM_ID       "[a-z][a-z0-9_-]{0,31}"
#define MW_FORM_NODE     MW_FORM_ID "(?:\\." MW_FORM_ID ")*"
#define MW_FORM_LINE     "(?:" MW_FORM_NODE ":)?(?:auto|" MW_FORM_INT ")"
#define MW_FORM_AT       MW_FORM_NODE "(?::\\S+)?"
#define MW_FORM_WIRE     MW_FORM_NODE "\\.[a-z][a-z0-9_]*(?::[0-9]+)?"
#define MW_FORM_PIN      MW_FORM_NODE "(?:\\.[a-z][a-z0-9_]*)?(?::" MW_FORM_INT ")?"
#define MW_FORM_DURATION MW_FORM_INT "(?:ns|us|ms|s)"
#define MW_FORM_FREQ     MW_FORM_INT "(?:Hz|kHz|MHz|GHz)"
#define MW_FORM_MAC      "[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}"
#define MW_FORM_UUID     "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
#define MW_FORM_BLOB     "(?:[0-9a-fA-F]{2})*"
#define MW_FORM_RULE     "[A-Z][0-9]{3}"
#define MW_FORM_CODE     "[A-Z][0-9]{0,3}"
#define MW_FORM_SHA256   "[0-9a-f]{64}"
#define MW_FORM_FEATURE  "[a-z][a-z0-9_.]*"

/** The kind of value a key takes where the shape tables leave it to a later phase. */
enum mw_fact_kind {
	MW_FACT_SHAPE, /* what the shape says */
	MW_FACT_FORMAT,
	MW_FACT_AT,
	MW_FACT_CLAIM,
	MW_FACT_LINE,
	MW_FACT_PIN,
	MW_FACT_WIRE,
	MW_FACT_CHANNEL,
	MW_FACT_INTX,
	MW_FACT_VECTORS,
	MW_FACT_DEVICE,
	MW_FACT_PARAMETER,
	MW_FACT_SCALAR,   /* any scalar */
	MW_FACT_FEATURES, /* { NAME: true | false } */
	MW_FACT_FEATURE,
	MW_FACT_NEEDS,
	MW_FACT_PREFER,
	MW_FACT_TABLES,
	MW_FACT_LEAVES,
	MW_FACT_MSRS,
	MW_FACT_MAP, /* lines to pins */
	MW_FACT_BACKEND,
	MW_FACT_PLACES,
	MW_FACT_VERSION,
	MW_FACT_COUNT,
	MW_FACT_RULE,   /* a rule's code */
	MW_FACT_CODE,   /* the same or its beginning */
	MW_FACT_LEVELS, /* { CODE: LEVEL } */
	MW_FACT_SHA256
};
struct mw_fact {
	const char *path;
	enum mw_fact_kind kind;
	const char *help;
};
/** The row for a path, of this format or of all; NULL where there is none. */
const struct mw_fact *mw_fact_find(const struct mw_format *format, const char *path);

/* formats.c */

/** Whether files of the format are taken as they stand, without $(...) and `unset`. */
bool mw_schema_is_plain(const struct mw_format *format);

/* values.c */

void mw_schema_types(struct mw_json *json, unsigned types);
/** "type", "pattern" and "patternErrorMessage" of the open object. */
void mw_schema_value(struct mw_schema *schema, const struct mw_schema_value *value);
/** One of `words`; strings that look like other types to YAML are there as those too. Writes into the
 * open object; with `expression` or `unset` as an `anyOf`. */
void mw_schema_words(struct mw_schema *schema, const char *const *words, bool expression,
		     bool unset);
/** `x-*` and whatever `patternProperties` hold already: closes the open object's keys. */
void mw_schema_closed(struct mw_schema *schema);
/** "description", with the Markdown of it when `markdown` is not NULL. */
void mw_schema_describe(struct mw_schema *schema, const char *text, const char *markdown);
/** The form of a value of one of the kinds of facts that is a scalar; false for the others. */
bool mw_schema_fact_value(enum mw_fact_kind kind, struct mw_schema_value *value);

/* shapes.c */

/** One member: the value at `key` of the open object. `path` is its own. `flags`: MW_KEY_*. */
void mw_schema_shape(struct mw_schema *schema, const char *key, const struct mw_shape *shape,
		     const char *path, unsigned flags);
/** The shape of one device's body in this format, or NULL. */
const struct mw_shape *mw_schema_device_shape(const struct mw_format *format);

/* devices.c */

/** The members of "definitions" that are about devices. */
void mw_schema_devices(struct mw_schema *schema);

/* links.c */

bool mw_type_drives_irq(const struct mw_device_type *type);
bool mw_type_connects(const struct mw_device_type *type);
bool mw_type_has_backend(const struct mw_device_type *type);
/** Whether `backend` fits some wire of `type`. */
bool mw_type_takes_backend(const struct mw_device_type *type, const struct mw_device_type *backend);
/** One member each: `irq`, `wires`, `backend` of a typed device; type NULL: of any. */
void mw_schema_irq(struct mw_schema *schema, const struct mw_device_type *type);
void mw_schema_wires(struct mw_schema *schema, const struct mw_device_type *type);
void mw_schema_backend(struct mw_schema *schema, const struct mw_device_type *type);
/** The member of "definitions" for `{ KEY: VALUE, ... }` of one backend. */
void mw_schema_backend_body(struct mw_schema *schema, const struct mw_device_type *backend);
/** One property of a type as a member of the open object. */
void mw_schema_property(struct mw_schema *schema, const char *key,
			const struct mw_property *property);

#endif
