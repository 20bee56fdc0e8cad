/* Two sorted lists of facts merged into what differs. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "resolver/draft.h"
#include "tools/diff/diff.h"

char *mw_diff_guest_text(const struct mw_plan *plan, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);

	if (!out)
		abort(); /* only for want of memory */
	mw_plan_write_yaml(plan, MW_PLAN_GUEST, out);
	fclose(out);
	return text;
}

static int same_thing(const struct mw_fact *a, const struct mw_fact *b)
{
	if (a->section != b->section)
		return a->section < b->section ? -1 : 1;
	return mw_id_compare(a->name, b->name);
}

static int same_place(const struct mw_fact *a, const struct mw_fact *b)
{
	int order = same_thing(a, b);

	return order ? order : mw_id_compare(a->key, b->key);
}

static void add(struct mw_arena *arena, struct mw_changes *changes, const struct mw_fact *fact,
		const char *from, const char *to)
{
	changes->items = mw_draft_room(arena, changes->items, changes->count, &changes->capacity,
				       sizeof(*changes->items));
	changes->items[changes->count++] =
		(struct mw_change){ fact->section, fact->name, fact->key, from, to, false };
}

/* Marks from `first` on what one side has nothing of. */
static void mark_whole(struct mw_changes *changes, size_t first, bool whole)
{
	for (size_t i = first; i < changes->count; i++)
		changes->items[i].whole = whole;
}

/* The facts of one thing, a[..a_end) and b[..b_end), either of them perhaps none. */
static void merge(struct mw_arena *arena, struct mw_changes *changes, const struct mw_fact *a,
		  const struct mw_fact *a_end, const struct mw_fact *b, const struct mw_fact *b_end)
{
	while (a < a_end || b < b_end) {
		int order = a == a_end ? 1 : b == b_end ? -1 : same_place(a, b);

		if (order < 0) {
			add(arena, changes, a, a->value, NULL);
		} else if (order > 0) {
			add(arena, changes, b, NULL, b->value);
		} else if (strcmp(a->value, b->value) != 0) {
			add(arena, changes, a, a->value, b->value);
		}
		a += order <= 0;
		b += order >= 0;
	}
}

static const struct mw_fact *end_of_thing(const struct mw_fact *fact, const struct mw_fact *end)
{
	const struct mw_fact *at = fact;

	while (at < end && same_thing(at, fact) == 0)
		at++;
	return at;
}

static void compare(struct mw_arena *arena, struct mw_changes *changes, const struct mw_facts *left,
		    const struct mw_facts *right)
{
	const struct mw_fact *a = left->items, *a_stop = a + left->count;
	const struct mw_fact *b = right->items, *b_stop = b + right->count;

	while (a < a_stop || b < b_stop) {
		int order = a == a_stop ? 1 : b == b_stop ? -1 : same_thing(a, b);
		const struct mw_fact *a_end = order <= 0 ? end_of_thing(a, a_stop) : a;
		const struct mw_fact *b_end = order >= 0 ? end_of_thing(b, b_stop) : b;
		size_t first = changes->count;

		merge(arena, changes, a, a_end, b, b_end);
		mark_whole(changes, first, order != 0);
		a = a_end;
		b = b_end;
	}
}

/* The facts of the whole text that the guest's does not have. */
static void subtract(struct mw_facts *whole, const struct mw_facts *guest)
{
	size_t kept = 0, at = 0;

	for (size_t i = 0; i < whole->count; i++) {
		const struct mw_fact *fact = &whole->items[i];
		int order = 1;

		while (at < guest->count) {
			order = same_place(fact, &guest->items[at]);
			order = order ? order : strcmp(fact->value, guest->items[at].value);
			if (order <= 0)
				break;
			at++;
		}
		if (at < guest->count && order == 0)
			at++;
		else
			whole->items[kept++] = *fact;
	}
	whole->count = kept;
}

/* What no single fact tells: the same things in another order. */
static void compare_order(struct mw_diff *diff, const char *a, size_t a_length, const char *b,
			  size_t b_length)
{
	static const struct mw_fact order = { MW_FACT_MACHINE, "", "order", "" };

	if (!diff->guest.count && (a_length != b_length || memcmp(a, b, a_length) != 0))
		add(&diff->arena, &diff->guest, &order, "that of the first", "another");
}

void mw_diff_texts(struct mw_diff *diff, const char *a, size_t a_length, const char *b,
		   size_t b_length)
{
	struct mw_facts left = { 0 }, right = { 0 };

	*diff = (struct mw_diff){ 0 };
	mw_facts_read(&left, &diff->arena, a, a_length);
	mw_facts_read(&right, &diff->arena, b, b_length);
	compare(&diff->arena, &diff->guest, &left, &right);
	compare_order(diff, a, a_length, b, b_length);
}

static struct mw_facts host_facts(struct mw_arena *arena, const struct mw_plan *plan,
				  const char *guest_text, size_t guest_length)
{
	struct mw_facts whole = { 0 }, guest = { 0 };
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		abort(); /* only for want of memory */
	mw_plan_write_yaml(plan, MW_PLAN_WHOLE, out);
	fclose(out);
	mw_facts_read(&whole, arena, text, length);
	mw_facts_read(&guest, arena, guest_text, guest_length);
	subtract(&whole, &guest);
	free(text);
	return whole;
}

void mw_diff_plans(struct mw_diff *diff, const struct mw_plan *a, const struct mw_plan *b)
{
	size_t a_length, b_length;
	char *a_text = mw_diff_guest_text(a, &a_length);
	char *b_text = mw_diff_guest_text(b, &b_length);

	mw_diff_texts(diff, a_text, a_length, b_text, b_length);
	struct mw_facts left = host_facts(&diff->arena, a, a_text, a_length);
	struct mw_facts right = host_facts(&diff->arena, b, b_text, b_length);

	compare(&diff->arena, &diff->host, &left, &right);
	free(a_text);
	free(b_text);
}

void mw_diff_fini(struct mw_diff *diff)
{
	mw_arena_fini(&diff->arena);
}
