/** Loads a profile written in a test through the resolver's front half. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_RESOLVER_FRONT_H
#define TESTS_UNIT_RESOLVER_FRONT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "resolver/document.h"

/** A folder of files and what became of them. Made by front_init, freed by front_fini. */
struct front {
	char folder[32], path[64];
	const char *sets[8], *search[1];
	struct mw_resolve_options more; /* set before a load: overlays, texts and switches */
	struct mw_resolve_options options;
	struct mw_arena arena;
	struct mw_diagnostics diagnostics;
	struct mw_document document;
	bool good;
};

void front_init(struct front *front);
void front_fini(struct front *front);
/** Writes folder/NAME; further folders in NAME are made. */
void front_file(struct front *front, const char *name, const char *text);
/** Loads folder/profile.yaml with the sets that follow, ended by NULL. */
void front_load(struct front *front, ...) __attribute__((sentinel));
/** Writes profile.yaml (a `format:` and `name:` line before `text`) and loads it. */
void front_profile(struct front *front, const char *text);

/** The value at a path such as "devices/com1/irq" of the document; NULL when there is none. */
struct mw_tree *front_at(struct front *front, const char *path);
/** Fails unless the scalar at the path has this text; NULL: unless nothing is there. */
void front_expect(struct front *front, const char *path, const char *text);
/** Fails, printing what was found, unless there is no finding at all. */
void front_clean(struct front *front);
/** How many findings have this code. */
size_t front_count(const struct front *front, const char *code);
/** Fails unless there is exactly one finding, with this code, whose caret covers `covered` (NULL: anything) and whose
 * message holds `part`. */
void front_finding(struct front *front, const char *code, const char *covered, const char *part);

/** Loads the text and checks the only finding. */
void front_bad(const char *text, const char *code, const char *covered, const char *part);
/** Loads the text, without findings, and checks one value. */
void front_good(const char *text, const char *path, const char *value);

#endif
