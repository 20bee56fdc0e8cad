/* Places, values as YAML, and which claim a value became. */
// SPDX-License-Identifier: MIT
#include "tools/origin/origin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/diagnostics.h"
#include "core/text.h"

struct mw_origin mw_origin_of(struct mw_diagnostics *diagnostics, struct mw_span span)
{
	struct mw_origin origin = { 0 };

	if (span.source == 0 || span.source > diagnostics->source_count)
		return origin;
	struct mw_source *source = &diagnostics->sources[span.source - 1];

	mw_source_make_index(diagnostics, source);
	origin.file = source->name;
	mw_source_position(source, span.byte, &origin.line, &origin.column);
	return origin;
}

const char *mw_origin_text(struct mw_arena *arena, struct mw_diagnostics *diagnostics,
			   struct mw_span span, bool column)
{
	struct mw_origin origin = mw_origin_of(diagnostics, span);

	if (!origin.file || strcmp(origin.file, "--set") == 0)
		return origin.file ? "--set" : "";
	if (column)
		return mw_arena_printf(arena, "%s:%u:%u", origin.file, origin.line, origin.column);
	return mw_arena_printf(arena, "%s:%u", origin.file, origin.line);
}

/* Whether a text can stand without quotes, in braces or outside. */
static bool is_plain(const char *text, bool inside)
{
	size_t length = strlen(text);

	if (!length || strchr("-?:,[]{}#&*!|>'\"%@` ~<=", text[0]) || text[length - 1] == ' ' ||
	    text[length - 1] == ':')
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte < 0x20 || byte == 0x7f || (inside && strchr(",[]{}", text[i])) ||
		    (text[i] == ':' && text[i + 1] == ' ') ||
		    (text[i] == '#' && i > 0 && text[i - 1] == ' '))
			return false;
	}
	return true;
}

static void put_text(FILE *out, const char *text, bool quoted, bool inside)
{
	if (!quoted && (is_plain(text, inside) || !*text))
		fputs(text, out);
	else
		mw_put_quoted(out, text);
}

/* Stops when there is enough: a value may be as large as a file. Nests no deeper than the reader. */
static void put_value(FILE *out, const struct mw_tree *tree, size_t most, bool inside)
{
	bool map = tree->kind == MW_TREE_MAP;
	const char *separator = map ? " " : "";

	if (tree->kind == MW_TREE_SCALAR) {
		put_text(out, tree->text ? tree->text : "", tree->quoted, inside);
		return;
	}
	putc(map ? '{' : '[', out);
	for (const struct mw_tree *child = tree->first; child; child = child->next) {
		if ((size_t)ftell(out) > most)
			break;
		fputs(separator, out);
		if (map) {
			put_text(out, child->key, false, true);
			fputs(": ", out);
		}
		put_value(out, child, most, true);
		separator = ", ";
	}
	fputs(map && tree->first ? " }" : map ? "}" : "]", out);
}

const char *mw_origin_value(struct mw_arena *arena, const struct mw_tree *tree, size_t most)
{
	char *text = NULL;
	size_t length = 0, end;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return "";
	put_value(out, tree, most, false);
	fclose(out);
	end = length;
	if (length > most + 3) {
		for (end = most; end && ((unsigned char)text[end] & 0xc0) == 0x80; end--)
			;
	}
	const char *result =
		mw_arena_printf(arena, "%.*s%s", (int)end, text, end < length ? "..." : "");

	free(text);
	return result;
}

const struct mw_draft_claim *mw_origin_claim(const struct mw_draft *draft,
					     const struct mw_tree *tree)
{
	for (size_t i = 0; i < draft->node_count; i++) {
		const struct mw_draft_node *node = draft->nodes[i];

		for (size_t c = 0; c < node->claim_count; c++) {
			if (node->claims[c].tree == tree)
				return &node->claims[c];
		}
	}
	return NULL;
}

const struct mw_draft_node *mw_origin_address(const struct mw_draft *draft,
					      const struct mw_tree *tree)
{
	for (size_t i = 0; i < draft->node_count; i++) {
		const struct mw_draft_node *node = draft->nodes[i];

		if (node->at == tree && tree && node->address_automatic && node->address)
			return node;
	}
	return NULL;
}

const char *mw_origin_place(struct mw_arena *arena, const struct mw_draft_claim *claim)
{
	switch (claim->kind) {
	case MW_CLAIM_IO:
	case MW_CLAIM_MMIO:
		if (claim->automatic && !claim->placed)
			return NULL;
		return mw_arena_printf(arena, "0x%" PRIx64 "+0x%" PRIx64, claim->base,
				       claim->length);
	case MW_CLAIM_IRQ:
		if (!claim->net)
			return NULL;
		if (claim->domain)
			return mw_arena_printf(arena, "%s:%" PRIu64, claim->domain, claim->line);
		return claim->target && claim->target_wire
			       ? mw_arena_printf(arena, "%s.%s:%u", claim->target->id,
						 claim->target_wire->name, claim->target_index)
			       : NULL;
	default: return mw_arena_printf(arena, "%" PRIu64, claim->line);
	}
}
