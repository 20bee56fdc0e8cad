/* Copies findings from one list to another, each once. */
// SPDX-License-Identifier: MIT
#include "tools/lint/merge.h"

#include <stdlib.h>
#include <string.h>

static const char *name_of(const struct mw_diagnostics *list, struct mw_span span)
{
	return span.source ? list->sources[span.source - 1].name : "";
}

static uint64_t mix(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
	return (hash ^ 0xff) * 0x100000001b3ull;
}

static uint64_t hash_of(const struct mw_diagnostics *list, const struct mw_diag *diag)
{
	uint64_t hash = mix(0xcbf29ce484222325ull, diag->code);

	hash = mix(hash, diag->message);
	hash = mix(hash, name_of(list, diag->span));
	return (hash ^ diag->span.byte ^ (uint64_t)diag->span.length << 32) * 0x9e3779b97f4a7c15ull;
}

bool mw_findings_same(const struct mw_diagnostics *left, const struct mw_diag *a,
		      const struct mw_diagnostics *right, const struct mw_diag *b)
{
	return a->span.byte == b->span.byte && a->span.length == b->span.length &&
	       strcmp(a->code, b->code) == 0 && strcmp(a->message, b->message) == 0 &&
	       strcmp(name_of(left, a->span), name_of(right, b->span)) == 0;
}

/* The slot that holds the finding, or the free one where it goes. */
static size_t slot_of(const struct mw_merge *merge, const struct mw_diagnostics *from,
		      const struct mw_diag *diag)
{
	size_t slot = (size_t)(hash_of(from, diag) >> 20) & (merge->seen_room - 1);

	while (merge->seen[slot] && !mw_findings_same(merge->out, merge->seen[slot], from, diag))
		slot = (slot + 1) & (merge->seen_room - 1);
	return slot;
}

static void make_room(struct mw_merge *merge)
{
	struct mw_diag **old = merge->seen;
	size_t room = merge->seen_room;

	if (2 * merge->seen_count < room)
		return;
	merge->seen_room = room ? 2 * room : 64;
	merge->seen = mw_alloc(merge->seen_room, sizeof(struct mw_diag *));
	for (size_t i = 0; i < room; i++) {
		if (old[i])
			merge->seen[slot_of(merge, merge->out, old[i])] = old[i];
	}
	free(old);
}

void mw_merge_fini(struct mw_merge *merge)
{
	free(merge->seen);
	free(merge->sources);
	*merge = (struct mw_merge){ 0 };
}

bool mw_merge_has(const struct mw_merge *merge, const struct mw_diag *diag)
{
	return merge->seen_room && merge->seen[slot_of(merge, merge->from, diag)];
}

static uint32_t source_in(struct mw_diagnostics *out, const struct mw_source *source)
{
	for (size_t i = 0; i < out->source_count; i++) {
		if (strcmp(out->sources[i].name, source->name) == 0 &&
		    out->sources[i].length == source->length &&
		    memcmp(out->sources[i].text, source->text, source->length) == 0)
			return (uint32_t)i + 1;
	}
	return mw_diagnostics_source(out, source->name, source->text, source->length);
}

void mw_merge_begin(struct mw_merge *merge, const struct mw_diagnostics *from)
{
	free(merge->sources);
	merge->from = from;
	merge->sources = mw_alloc(from->source_count + 1, sizeof(*merge->sources));
	for (size_t i = 0; i < from->source_count; i++)
		merge->sources[i] = source_in(merge->out, &from->sources[i]);
}

static struct mw_span moved(struct mw_merge *merge, struct mw_span span)
{
	if (span.source)
		span.source = merge->sources[span.source - 1];
	return span;
}

static const char *copied(struct mw_diagnostics *out, const char *text)
{
	return text ? mw_arena_strdup(&out->arena, text) : NULL;
}

static void copy_parts(struct mw_merge *merge, const struct mw_diag *diag, struct mw_diag *copy)
{
	struct mw_diagnostics *out = merge->out;

	copy->label = copied(out, diag->label);
	copy->node = copied(out, diag->node);
	copy->help = copied(out, diag->help);
	for (const struct mw_diag_note *note = diag->notes; note; note = note->next)
		mw_diag_note(out, copy, moved(merge, note->span), "%s", note->text);
	for (const struct mw_fix_edit *edit = diag->fix ? diag->fix->edits : NULL; edit;
	     edit = edit->next)
		mw_diag_fix(out, copy, diag->fix->safety, moved(merge, edit->span), "%s",
			    edit->text);
	if (diag->hidden != MW_DIAG_SHOWN)
		mw_diag_hide(out, copy, diag->hidden, diag->reason);
}

struct mw_diag *mw_merge_add(struct mw_merge *merge, const struct mw_diag *diag)
{
	make_room(merge);
	size_t slot = slot_of(merge, merge->from, diag);

	if (merge->seen[slot])
		return NULL;
	struct mw_diag *copy =
		mw_diagnostics_add(merge->out, diag->severity, copied(merge->out, diag->code),
				   moved(merge, diag->span), "%s", diag->message);

	copy_parts(merge, diag, copy);
	merge->seen[slot] = copy;
	merge->seen_count++;
	return copy;
}
