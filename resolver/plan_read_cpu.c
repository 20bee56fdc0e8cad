/* CPUs and RAM of a plan's text: leaves, MSRs and ranges are there as they are. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/plan_read_internal.h"

/* LEAVES_MAX: what a CPU model may have (cpu.c). */
enum { PAGE = 4096, LEAVES_MAX = 128 };
#define MEMORY_END (UINT64_C(1) << 52)

/* The model's file is not asked: its leaves are in the plan. `host` is the model without a file. */
void mw_plan_cpu_block(struct mw_plan_reader *reader)
{
	struct mw_tree *cpu = mw_tree_get(reader->root, "cpu"), *block, *topology;
	struct mw_tree *tsc = mw_tree_get(cpu, "tsc_khz");

	block = mw_plan_block(reader, MW_TREE_MAP, "cpu", cpu);
	topology = mw_plan_block(reader, MW_TREE_MAP, "topology", mw_tree_get(cpu, "count"));
	mw_tree_append(reader->document->root, block);
	mw_tree_append(block, mw_plan_scalar(reader, "model", "host", mw_tree_get(cpu, "model")));
	mw_tree_append(block, topology);
	mw_plan_hand_on(reader, block, "count", mw_tree_get(cpu, "count"));
	mw_plan_hand_on(reader, topology, "sockets", mw_tree_get(cpu, "sockets"));
	mw_plan_hand_on(reader, topology, "cores", mw_tree_get(cpu, "cores"));
	mw_plan_hand_on(reader, topology, "threads", mw_tree_get(cpu, "threads"));
	mw_plan_hand_on(reader, block, "hypervisor", mw_tree_get(cpu, "hypervisor"));
	mw_plan_hand_on(reader, block, "features", mw_tree_get(cpu, "features"));
	if (tsc && strcmp(tsc->text, "untold") != 0)
		mw_plan_hand_on(reader, block, "tsc_khz", tsc);
}

/* A number of up to 32 bits in plain digits, *text left behind it. */
static bool take(const char **text, int base, uint32_t *value)
{
	const char *digits = base == 16 ? "0123456789abcdef" : "0123456789";
	size_t length = strspn(*text, digits);
	unsigned long long number = strtoull(*text, NULL, base);

	if (!length || length > 10 || number > UINT32_MAX)
		return false;
	*text += length;
	*value = (uint32_t)number;
	return true;
}

static bool read_leaf(const struct mw_tree *tree, struct mw_cpuid_leaf *leaf)
{
	uint32_t *const registers[] = { &leaf->eax, &leaf->ebx, &leaf->ecx, &leaf->edx };
	const char *key = tree->key, *text = tree->text;

	if (strncmp(key, "leaf_", 5) != 0)
		return false;
	key += 5;
	if (!take(&key, 16, &leaf->leaf))
		return false;
	leaf->has_subleaf = *key == '.';
	key += leaf->has_subleaf;
	if ((leaf->has_subleaf && !take(&key, 10, &leaf->subleaf)) || *key)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		if (strncmp(text, i ? " 0x" : "0x", i ? 3 : 2) != 0)
			return false;
		text += i ? 3 : 2;
		if (!take(&text, 16, registers[i]))
			return false;
	}
	return !*text;
}

static bool follows(const struct mw_cpuid_leaf *leaf, const struct mw_cpuid_leaf *before)
{
	if (leaf->leaf != before->leaf)
		return leaf->leaf > before->leaf;
	return leaf->has_subleaf && before->has_subleaf && leaf->subleaf > before->subleaf;
}

static void read_leaves(struct mw_plan_reader *reader, struct mw_tree *cpuid)
{
	struct mw_plan *plan = reader->draft->plan;
	struct mw_cpuid_leaf *leaves;
	size_t count = 0;

	if (cpuid->count > LEAVES_MAX) {
		mw_plan_refuse(reader, cpuid->key_span, "a CPU has at most %d leaves", LEAVES_MAX);
		return;
	}
	leaves = mw_arena_alloc(&plan->arena, cpuid->count, sizeof(*leaves));
	for (struct mw_tree *tree = cpuid->first; tree; tree = tree->next) {
		if (!read_leaf(tree, &leaves[count])) {
			mw_plan_refuse(reader, tree->key_span,
				       "`%s: %s` is no leaf such as leaf_4.1 and four registers",
				       tree->key, tree->text);
			return;
		}
		if (count && !follows(&leaves[count], &leaves[count - 1])) {
			mw_plan_refuse(reader, tree->key_span,
				       "`%s` does not come behind the leaf before it", tree->key);
			return;
		}
		count++;
	}
	plan->cpu.leaves = leaves;
	plan->cpu.leaf_count = count;
}

static void read_msrs(struct mw_plan_reader *reader, struct mw_tree *msrs)
{
	struct mw_plan *plan = reader->draft->plan;
	struct mw_msr_value *values = mw_arena_alloc(&plan->arena, msrs->count, sizeof(*values));
	size_t count = 0;

	for (struct mw_tree *tree = msrs->first; tree; tree = tree->next) {
		const char *key = tree->key;
		bool good = !strncmp(key, "msr_", 4);

		key += good ? 4 : 0;
		if (!good || !take(&key, 16, &values[count].index) || *key ||
		    (count && values[count].index <= values[count - 1].index)) {
			mw_plan_refuse(reader, tree->key_span,
				       "expected MSRs such as msr_1a0 in ascending order, "
				       "found `%s`",
				       tree->key);
			return;
		}
		if (!mw_plan_number(reader, tree, UINT64_MAX, &values[count].value))
			return;
		count++;
	}
	plan->cpu.msrs = values;
	plan->cpu.msr_count = count;
}

void mw_plan_cpu_rest(struct mw_plan_reader *reader)
{
	struct mw_plan *plan = reader->draft->plan;
	struct mw_tree *cpu = mw_tree_get(reader->root, "cpu");
	struct mw_tree *model = mw_tree_get(cpu, "model"), *cpuid = mw_tree_get(cpu, "cpuid");
	struct mw_tree *msrs = mw_tree_get(cpu, "msrs");

	plan->cpu.model = mw_arena_strdup(&plan->arena, model->text);
	plan->cpu.host_model = !strcmp(model->text, "host");
	if (plan->cpu.host_model && (cpuid || msrs))
		mw_plan_refuse(reader, (cpuid ? cpuid : msrs)->key_span,
			       "the model `host` has what the host has, no leaves or MSRs of its "
			       "own");
	else if (!plan->cpu.host_model && (!cpuid || !cpuid->count))
		mw_plan_refuse(reader, model->span, "the model `%s` needs its leaves in `cpuid`",
			       model->text);
	if (cpuid)
		read_leaves(reader, cpuid);
	if (msrs)
		read_msrs(reader, msrs);
}

/* One range, behind the one before it and apart from it. */
static bool read_range(struct mw_plan_reader *reader, const struct mw_tree *tree, uint64_t from,
		       struct mw_plan_range *range)
{
	const char *why = NULL;

	if (!mw_tree_range(tree->text, &range->base, &range->length))
		why = "is no BASE+LENGTH";
	else if ((range->base | range->length) % PAGE)
		why = "does not begin and end at whole pages of 4 KiB";
	else if (range->length > MEMORY_END || range->base > MEMORY_END - range->length)
		why = "goes beyond the last address";
	else if (range->base < from)
		why = "does not lie behind the range before it, and apart from it";
	if (why)
		mw_plan_refuse(reader, tree->span, "`%s` %s", tree->text, why);
	return !why;
}

/* That it lies apart from everything else is the allocator's to find out. */
static void read_vtl2(struct mw_plan_reader *reader, struct mw_tree *memory)
{
	struct mw_tree *tree = mw_tree_get(memory, "vtl2");
	struct mw_tree *hidden = mw_tree_get(memory, "vtl2_private");
	struct mw_plan_vtl2 *vtl2 = &reader->draft->plan->vtl2;

	if (!tree)
		return;
	vtl2->span = tree->key_span;
	vtl2->is_private = hidden && !strcmp(hidden->text, "true");
	if (!read_range(reader, tree, 0, &vtl2->range))
		vtl2->range.length = 0;
}

void mw_plan_ram(struct mw_plan_reader *reader)
{
	struct mw_tree *memory = mw_tree_get(reader->root, "memory");
	struct mw_tree *total = mw_tree_get(memory, "ram_bytes");
	struct mw_tree *ranges = mw_tree_get(memory, "ranges");
	struct mw_draft *draft = reader->draft;
	uint64_t from = 0, bytes = 0;

	draft->ram_span = total->span;
	read_vtl2(reader, memory);
	if (!mw_plan_number(reader, total, MEMORY_END / 2, &draft->plan->ram_bytes))
		return;
	draft->ram = mw_arena_alloc(&draft->plan->arena, ranges ? ranges->count : 0,
				    sizeof(*draft->ram));
	for (struct mw_tree *tree = ranges ? ranges->first : NULL; tree; tree = tree->next) {
		struct mw_plan_range *range = &draft->ram[draft->ram_count];

		if (!read_range(reader, tree, from, range))
			return;
		from = range->base + range->length + PAGE;
		bytes += range->length;
		draft->ram_count++;
	}
	if (!bytes || bytes != draft->plan->ram_bytes)
		mw_plan_refuse(reader, total->span,
			       "the ranges hold %" PRIu64 " bytes of RAM, not %" PRIu64, bytes,
			       draft->plan->ram_bytes);
}
