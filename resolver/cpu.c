/* CPU models into CPUID. References: SDM vol. 2, CPUID; AMD APM vol. 3, appendix E. */
// SPDX-License-Identifier: MIT
#include "resolver/cpu.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu_features.h"
#include "core/cpu_topology.h"

enum { LEAVES_MAX = 128, CPUS_MAX = 4096, XAPIC_ID_MAX = 254, BRAND_BYTES = 48 };
#define EXTENDED 0x80000000u

/* The leaves of a model while they are put together. */
struct model {
	struct mw_draft *draft;
	struct mw_cpuid_leaf leaves[LEAVES_MAX];
	size_t count;
	const char *vendor;
};

static bool has_subleaves(uint32_t leaf)
{
	static const uint32_t indexed[] = { 0x4,  0x7,  0xb,  0xd,  0xf,  0x10,      0x12,
					    0x14, 0x17, 0x18, 0x1d, 0x1f, 0x8000001d };

	for (size_t i = 0; i < sizeof(indexed) / sizeof(indexed[0]); i++) {
		if (indexed[i] == leaf)
			return true;
	}
	return false;
}

static struct mw_cpuid_leaf *find_row(struct model *model, uint32_t leaf, uint32_t subleaf)
{
	for (size_t i = 0; i < model->count; i++) {
		if (model->leaves[i].leaf == leaf && model->leaves[i].subleaf == subleaf)
			return &model->leaves[i];
	}
	return NULL;
}

/* The row, made when it is missing; the last one is shared when a file has too many, which
 * read_leaves reports. */
static struct mw_cpuid_leaf *row(struct model *model, uint32_t leaf, uint32_t subleaf)
{
	struct mw_cpuid_leaf *found = find_row(model, leaf, subleaf);

	if (found)
		return found;
	found = &model->leaves[model->count < LEAVES_MAX ? model->count++ : LEAVES_MAX - 1];
	*found = (struct mw_cpuid_leaf){ .leaf = leaf,
					 .subleaf = subleaf,
					 .has_subleaf = has_subleaves(leaf) };
	return found;
}

static uint32_t *register_of(struct mw_cpuid_leaf *leaf, enum mw_cpuid_register where)
{
	switch (where) {
	case MW_EAX: return &leaf->eax;
	case MW_EBX: return &leaf->ebx;
	case MW_ECX: return &leaf->ecx;
	default: return &leaf->edx;
	}
}

static void set_feature(struct model *model, const struct mw_cpu_feature *feature, bool on)
{
	struct mw_cpuid_leaf *leaf = find_row(model, feature->leaf, feature->subleaf);

	if (!leaf && !on)
		return;
	if (!leaf)
		leaf = row(model, feature->leaf, feature->subleaf);
	uint32_t *word = register_of(leaf, feature->where);

	*word = on ? *word | 1u << feature->bit : *word & ~(1u << feature->bit);
}

static bool has_feature(struct model *model, const char *name)
{
	const struct mw_cpu_feature *feature = mw_cpu_feature_find(name);
	struct mw_cpuid_leaf *leaf =
		feature ? find_row(model, feature->leaf, feature->subleaf) : NULL;

	return leaf && *register_of(leaf, feature->where) >> feature->bit & 1;
}

static const struct mw_cpu_feature *find_feature(struct mw_draft *draft, const char *name,
						 struct mw_span span)
{
	const struct mw_cpu_feature *feature = mw_cpu_feature_find(name);
	size_t count = 0;

	if (feature)
		return feature;
	while (mw_cpu_features[count].name)
		count++;
	const char **names = mw_arena_alloc(draft->arena, count + 1, sizeof(*names));
	struct mw_diag *diag = mw_draft_error(draft, "S102", span, NULL, "cpu",
					      "there is no CPU feature `%s`", name);

	for (size_t i = 0; i < count; i++)
		names[i] = mw_cpu_features[i].name;
	mw_suggest(draft->diagnostics, diag, name, names);
	return NULL;
}

static bool small_number(struct model *model, struct mw_tree *file, const char *key, uint64_t max,
			 uint32_t *value)
{
	struct mw_tree *tree = mw_tree_get(file, key);
	uint64_t number = 0;

	if (!tree) {
		mw_draft_missing(model->draft, file, "cpu", "the CPU model has no `%s`", key);
		return false;
	}
	if (!mw_draft_number(model->draft, tree, NULL, "cpu", false, &number))
		return false;
	*value = (uint32_t)number;
	if (number <= max)
		return true;
	mw_draft_error(model->draft, "S103", tree->span, NULL, "cpu",
		       "%" PRIu64 " is outside of 0 to %" PRIu64 " (`%s`)", number, max, key);
	return false;
}

static uint32_t word_of(const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;

	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

/* Leaf 0: twelve letters in EBX, EDX, ECX. AMD repeats them in the first extended leaf. */
static void read_vendor(struct model *model, struct mw_tree *file)
{
	static const char *const vendors[] = { "GenuineIntel", "AuthenticAMD", NULL };
	struct mw_tree *tree = mw_tree_get(file, "vendor");
	int member = tree ? mw_draft_member(model->draft, tree, NULL, "cpu", vendors) : 0;

	model->vendor = vendors[member < 0 ? 0 : member];
	if (!tree)
		mw_draft_missing(model->draft, file, "cpu", "the CPU model has no `vendor`");
	for (uint32_t leaf = 0;; leaf = EXTENDED) {
		struct mw_cpuid_leaf *first = row(model, leaf, 0);

		if (!leaf || member == 1) {
			first->ebx = word_of(model->vendor);
			first->edx = word_of(model->vendor + 4);
			first->ecx = word_of(model->vendor + 8);
		}
		if (leaf)
			break;
	}
}

/* Leaf 1, EAX: family and model have a second field each for large values. */
static void read_signature(struct model *model, struct mw_tree *file)
{
	uint32_t family, number, stepping;

	if (!small_number(model, file, "family", 0xf + 0xff, &family) ||
	    !small_number(model, file, "model", 0xff, &number) ||
	    !small_number(model, file, "stepping", 0xf, &stepping))
		return;
	uint32_t base = family < 0xf ? family : 0xf;

	row(model, 1, 0)->eax = (family - base) << 20 | (number >> 4) << 16 | base << 8 |
				(number & 0xf) << 4 | stepping;
	if (!strcmp(model->vendor, "AuthenticAMD"))
		row(model, EXTENDED + 1, 0)->eax = row(model, 1, 0)->eax;
}

/* Leaves 0x80000002 to 4: 48 bytes with the ending NUL. */
static void read_brand(struct model *model, struct mw_tree *file)
{
	struct mw_tree *tree = mw_tree_get(file, "brand");
	char brand[BRAND_BYTES] = "";
	const char *text = tree ? mw_draft_text(model->draft, tree, NULL, "cpu", "a text") : NULL;

	if (!text)
		return;
	if (strlen(text) >= sizeof(brand)) {
		mw_draft_error(model->draft, "S103", tree->span, NULL, "cpu",
			       "a brand has at most %d characters", BRAND_BYTES - 1);
		return;
	}
	memcpy(brand, text, strlen(text));
	for (uint32_t i = 0; i < 3; i++) {
		struct mw_cpuid_leaf *leaf = row(model, EXTENDED + 2 + i, 0);

		leaf->eax = word_of(brand + i * 16);
		leaf->ebx = word_of(brand + i * 16 + 4);
		leaf->ecx = word_of(brand + i * 16 + 8);
		leaf->edx = word_of(brand + i * 16 + 12);
	}
}

static void read_features(struct model *model, struct mw_tree *file)
{
	struct mw_tree *list = mw_tree_get(file, "features");

	if (list && list->kind != MW_TREE_LIST)
		return; /* which has been told */
	for (struct mw_tree *item = list ? list->first : NULL; item; item = item->next) {
		const char *name = mw_draft_text(model->draft, item, NULL, "cpu", "a feature");
		const struct mw_cpu_feature *feature =
			name ? find_feature(model->draft, name, item->span) : NULL;

		if (feature)
			set_feature(model, feature, true);
	}
	if (has_feature(model, "clflush"))
		row(model, 1, 0)->ebx |= 64 / 8 << 8; /* the line CLFLUSH flushes, in 8 bytes */
}

/* AMD shows many bits of leaf 1 in the extended leaf again. */
static void mirror_features(struct model *model)
{
	const uint32_t mirrored = 0x0183f3ff;
	struct mw_cpuid_leaf *leaf = row(model, EXTENDED + 1, 0);

	if (!strcmp(model->vendor, "AuthenticAMD"))
		leaf->edx = (leaf->edx & ~mirrored) | (row(model, 1, 0)->edx & mirrored);
}

/* "0x4.1": leaf and subleaf. */
static bool read_leaf_key(struct model *model, struct mw_tree *tree, uint32_t *leaf, uint32_t *sub)
{
	const char *dot = strchr(tree->key, '.');
	uint64_t number, index = 0;
	const char *first =
		dot ? mw_arena_strndup(model->draft->arena, tree->key, (size_t)(dot - tree->key))
		    : tree->key;

	if (!mw_tree_int(first, &number) || number > UINT32_MAX ||
	    (dot && (!mw_tree_int(dot + 1, &index) || index > UINT32_MAX))) {
		mw_draft_error(model->draft, "S102", tree->key_span, NULL, "cpu",
			       "expected a leaf such as 0x2 or 0x4.1, found `%s`", tree->key);
		return false;
	}
	*leaf = (uint32_t)number;
	*sub = (uint32_t)index;
	if (dot && !has_subleaves(*leaf)) {
		mw_draft_error(model->draft, "S102", tree->key_span, NULL, "cpu",
			       "leaf 0x%" PRIx32 " has no subleaves", *leaf);
		return false;
	}
	return true;
}

static void read_row(struct model *model, struct mw_tree *tree)
{
	static const char *const registers[] = { "eax", "ebx", "ecx", "edx", NULL };
	uint32_t leaf, subleaf;

	if (!mw_draft_keys(model->draft, tree, "leaves", registers, NULL) ||
	    !read_leaf_key(model, tree, &leaf, &subleaf))
		return;
	if (model->count == LEAVES_MAX) {
		mw_draft_error(model->draft, "S103", tree->key_span, NULL, "cpu",
			       "a CPU model has at most %d leaves", LEAVES_MAX - 1);
		return;
	}
	struct mw_cpuid_leaf *target = row(model, leaf, subleaf);

	for (unsigned i = 0; i < 4; i++) {
		struct mw_tree *value = mw_tree_get(tree, registers[i]);
		uint64_t number;

		if (!value || !mw_draft_number(model->draft, value, NULL, "cpu", false, &number))
			continue;
		if (number > UINT32_MAX)
			mw_draft_error(model->draft, "S103", value->span, NULL, "cpu",
				       "a register has 32 bits");
		else
			*register_of(target, (enum mw_cpuid_register)i) = (uint32_t)number;
	}
}

static void read_leaves(struct model *model, struct mw_tree *leaves)
{
	if (leaves && leaves->kind != MW_TREE_MAP) {
		mw_draft_error(model->draft, "S102", leaves->span, NULL, "cpu",
			       "expected a map of leaves");
		return;
	}
	for (struct mw_tree *tree = leaves ? leaves->first : NULL; tree; tree = tree->next)
		read_row(model, tree);
}

static int by_index(const void *a, const void *b)
{
	const struct mw_msr_value *left = a, *right = b;

	return left->index < right->index ? -1 : left->index > right->index;
}

static void read_msrs(struct mw_draft *draft, struct mw_tree *msrs)
{
	if (!msrs)
		return;
	if (msrs->kind != MW_TREE_MAP) {
		mw_draft_error(draft, "S102", msrs->span, NULL, "cpu", "expected a map of MSRs");
		return;
	}
	struct mw_msr_value *values =
		mw_arena_alloc(&draft->plan->arena, msrs->count, sizeof(*values));
	size_t count = 0;

	for (struct mw_tree *tree = msrs->first; tree; tree = tree->next) {
		uint64_t index, value;

		if (!mw_tree_int(tree->key, &index) || index > UINT32_MAX)
			mw_draft_error(draft, "S102", tree->key_span, NULL, "cpu",
				       "expected the number of an MSR, found `%s`", tree->key);
		else if (mw_draft_number(draft, tree, NULL, "cpu", false, &value))
			values[count++] = (struct mw_msr_value){ (uint32_t)index, value };
	}
	if (count)
		qsort(values, count, sizeof(*values), by_index);
	for (size_t i = 1; i < count; i++) {
		if (values[i].index == values[i - 1].index)
			mw_draft_error(draft, "S102", msrs->key_span, NULL, "cpu",
				       "the MSR 0x%" PRIx32 " stands here twice", values[i].index);
	}
	draft->plan->cpu.msrs = values;
	draft->plan->cpu.msr_count = count;
}

static int by_leaf(const void *a, const void *b)
{
	const struct mw_cpuid_leaf *left = a, *right = b;

	if (left->leaf != right->leaf)
		return left->leaf < right->leaf ? -1 : 1;
	return left->subleaf < right->subleaf ? -1 : left->subleaf > right->subleaf;
}

/* EAX of leaves 0 and 0x80000000: the highest leaf of the range. */
static void set_limits(struct model *model)
{
	for (size_t i = 0; i < model->count; i++) {
		uint32_t leaf = model->leaves[i].leaf, first = leaf & EXTENDED;
		struct mw_cpuid_leaf *limit = row(model, first, 0);

		if ((leaf & 0x7fff0000) == 0 && limit->eax < leaf)
			limit->eax = leaf;
	}
}

static void finish_model(struct model *model, struct mw_span span)
{
	struct mw_plan *plan = model->draft->plan;

	if (has_feature(model, "xsave") && !find_row(model, 0xd, 0))
		mw_draft_error(model->draft, "S117", span, NULL, "cpu",
			       "`xsave` needs rows for leaf 0xd: the sizes of the save area");
	mirror_features(model);
	set_limits(model);
	qsort(model->leaves, model->count, sizeof(model->leaves[0]), by_leaf);
	struct mw_cpuid_leaf *leaves = mw_arena_alloc(&plan->arena, model->count, sizeof(*leaves));

	memcpy(leaves, model->leaves, model->count * sizeof(*leaves));
	plan->cpu.leaves = leaves;
	plan->cpu.leaf_count = model->count;
}

static void apply(struct model *model, const char *const *names, bool on)
{
	for (; *names; names++)
		set_feature(model, mw_cpu_feature_find(*names), on);
}

static void read_model(struct mw_draft *draft, struct mw_tree *name)
{
	static const char *const keys[] = { "format", "name",  "version",  "summary", "vendor",
					    "family", "model", "stepping", "brand",   "features",
					    "leaves", "msrs",  NULL };
	struct mw_tree *file = mw_document_read(draft->document, "cpu", name->text, name->span);
	struct model *model = mw_arena_alloc(draft->arena, 1, sizeof(*model));

	if (!file || !mw_draft_keys(draft, file, "cpu", keys, NULL))
		return;
	model->draft = draft;
	read_vendor(model, file);
	read_signature(model, file);
	read_brand(model, file);
	read_features(model, file);
	read_leaves(model, mw_tree_get(file, "leaves"));
	read_msrs(draft, mw_tree_get(file, "msrs"));
	apply(model, draft->plan->cpu.features_add, true);
	apply(model, draft->plan->cpu.features_remove, false);
	finish_model(model, name->span);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* `features: { NAME: true, NAME: false }` over those of the model. */
static void read_changes(struct mw_draft *draft, struct mw_tree *features)
{
	struct mw_plan_cpu *cpu = &draft->plan->cpu;
	size_t most = features && features->kind == MW_TREE_MAP ? features->count : 0;
	const char **names[2];
	size_t counts[2] = { 0, 0 };

	for (unsigned i = 0; i < 2; i++)
		names[i] = mw_arena_alloc(&draft->plan->arena, most + 1, sizeof(*names[i]));
	if (features && features->kind != MW_TREE_MAP)
		mw_draft_error(draft, "S102", features->span, NULL, "cpu",
			       "expected a map such as { avx: false }");
	for (struct mw_tree *tree = most ? features->first : NULL; tree; tree = tree->next) {
		const struct mw_cpu_feature *feature =
			find_feature(draft, tree->key, tree->key_span);
		bool on;

		if (!feature)
			continue;
		if (tree->kind != MW_TREE_SCALAR || !mw_tree_bool(tree->text, &on))
			mw_draft_error(draft, "S102", tree->span, NULL, "cpu",
				       "expected `true` or `false`");
		else
			names[on][counts[on]++] = feature->name;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (counts[i])
			qsort(names[i], counts[i], sizeof(*names[i]), by_text);
	}
	cpu->features_remove = names[0];
	cpu->features_add = names[1];
}

/* One name more in a list that is sorted. */
static void add_feature(struct mw_draft *draft, const char *const **list, const char *name)
{
	const char **names;
	size_t count = 0;

	while ((*list)[count])
		count++;
	names = mw_arena_alloc(&draft->plan->arena, count + 2, sizeof(*names));
	if (count)
		memcpy(names, *list, count * sizeof(*names));
	names[count] = name;
	qsort(names, count + 1, sizeof(*names), by_text);
	*list = names;
}

static uint32_t part(struct mw_draft *draft, struct mw_tree *tree, uint32_t fallback)
{
	uint64_t value;

	if (!tree)
		return fallback;
	if (!mw_draft_number(draft, tree, NULL, "cpu", false, &value))
		return 1;
	if (value && value <= CPUS_MAX)
		return (uint32_t)value;
	mw_draft_error(draft, "S103", tree->span, NULL, "cpu",
		       "%" PRIu64 " is outside of 1 to %d (`%s`)", value, CPUS_MAX, tree->key);
	return 1;
}

/* What is not said: one socket, one thread a core, cores for all CPUs. */
static void read_topology(struct mw_draft *draft, struct mw_tree *block)
{
	static const char *const keys[] = { "sockets", "cores", "threads", NULL };
	struct mw_plan_cpu *cpu = &draft->plan->cpu;
	struct mw_tree *count = mw_tree_get(block, "count"), *tree = mw_tree_get(block, "topology");

	cpu->count = part(draft, count, 1);
	if (tree && !mw_draft_keys(draft, tree, "topology", keys, NULL))
		return;
	cpu->sockets = part(draft, mw_tree_get(tree, "sockets"), 1);
	cpu->threads = part(draft, mw_tree_get(tree, "threads"), 1);
	uint64_t around = (uint64_t)cpu->sockets * cpu->threads;

	cpu->cores = part(draft, mw_tree_get(tree, "cores"),
			  (uint32_t)((cpu->count + around - 1) / around));
	if (tree && around * cpu->cores < cpu->count)
		mw_draft_error(draft, "S103", tree->span, NULL, "cpu",
			       "%" PRIu32 " sockets of %" PRIu32 " cores of %" PRIu32
			       " threads are fewer than %" PRIu32 " CPUs",
			       cpu->sockets, cpu->cores, cpu->threads, cpu->count);
}

/* `x2apic: true` is the CPU's feature and the accelerator's to offer. */
static void need_x2apic(struct mw_draft *draft, struct mw_span span)
{
	struct mw_plan_accel *accel = &draft->plan->accel;
	struct mw_plan_need *needs =
		mw_arena_alloc(&draft->plan->arena, accel->need_count + 1, sizeof(*needs));
	size_t count = accel->need_count;

	if (count)
		memcpy(needs, accel->needs, count * sizeof(*needs));
	if (!count || strcmp(needs[count - 1].name, "x2apic") != 0)
		needs[count++].name = "x2apic"; /* the last by name */
	else if (!needs[count - 1].optional)
		return;
	needs[count - 1].value = 1;
	needs[count - 1].optional = false;
	needs[count - 1].span = span;
	accel->needs = needs;
	accel->need_count = count;
}

/* A feature like others, with a key of its own; one that is said twice is said alike. */
static void read_x2apic(struct mw_draft *draft, struct mw_tree *block)
{
	struct mw_tree *tree = mw_tree_get(block, "x2apic"), *features, *feature;
	struct mw_plan_cpu *cpu = &draft->plan->cpu;
	bool on, other;

	if (!tree)
		return;
	if (tree->kind != MW_TREE_SCALAR || !mw_tree_bool(tree->text, &on)) {
		mw_draft_error(draft, "S102", tree->span, NULL, "cpu",
			       "expected `true` or `false`");
		return;
	}
	features = mw_tree_get(block, "features");
	feature = mw_tree_get(features, "x2apic");
	if (!feature)
		add_feature(draft, on ? &cpu->features_add : &cpu->features_remove, "x2apic");
	else if (feature->kind == MW_TREE_SCALAR && mw_tree_bool(feature->text, &other) &&
		 other != on)
		mw_diag_note(draft->diagnostics,
			     mw_draft_error(draft, "S102", tree->span, NULL, "cpu",
					    "`x2apic` is `%s` here and `%s` among the features",
					    tree->text, feature->text),
			     feature->span, "the feature");
	if (on)
		need_x2apic(draft, tree->span);
}

static bool wants_x2apic(const struct mw_plan *plan)
{
	for (const char *const *name = plan->cpu.features_add; *name; name++) {
		if (!strcmp(*name, "x2apic"))
			return true;
	}
	for (size_t i = 0; i < plan->accel.need_count; i++) {
		if (!strcmp(plan->accel.needs[i].name, "x2apic"))
			return true;
	}
	return false;
}

/* xAPIC ids have 8 bits, and 255 means everyone (SDM vol. 3, 11.6.1). */
static void check_apic_ids(struct mw_draft *draft, struct mw_tree *block)
{
	const struct mw_plan_cpu *cpu = &draft->plan->cpu;
	struct mw_tree *count = mw_tree_get(block, "count");

	if (mw_apic_id(cpu, cpu->count - 1) <= XAPIC_ID_MAX || wants_x2apic(draft->plan))
		return;
	mw_draft_error(draft, "S103", count ? count->span : block->span, NULL, "cpu",
		       "the last of %" PRIu32 " CPUs has APIC id %" PRIu32
		       "; without the feature x2apic the highest is %d",
		       cpu->count, mw_apic_id(cpu, cpu->count - 1), XAPIC_ID_MAX);
}

static void read_tsc(struct mw_draft *draft, struct mw_tree *tree)
{
	struct mw_plan_cpu *cpu = &draft->plan->cpu;
	uint64_t khz;

	if (!tree)
		return;
	cpu->tsc_told = true;
	if (tree->kind == MW_TREE_SCALAR && !strcmp(tree->text, "from-host"))
		return;
	if (!mw_draft_number(draft, tree, NULL, "cpu", false, &khz))
		return;
	if (khz < 1000 || khz > UINT32_MAX)
		mw_draft_error(draft, "S103", tree->span, NULL, "cpu",
			       "%" PRIu64 " kHz is outside of 1000 to %" PRIu32, khz, UINT32_MAX);
	else
		cpu->tsc_khz = (uint32_t)khz;
}

static void read_hypervisor(struct mw_draft *draft, struct mw_tree *tree)
{
	static const char *const hypervisors[] = { "none", "kvm", "hyperv", NULL };
	int member = tree ? mw_draft_member(draft, tree, NULL, "cpu", hypervisors) : 0;

	if (member == MW_HYPERVISOR_HYPERV)
		mw_draft_error(draft, "S110", tree->span, NULL, "cpu",
			       "`hypervisor: hyperv` is not implemented yet");
	else if (member >= 0)
		draft->plan->cpu.hypervisor = (enum mw_hypervisor)member;
}

void mw_cpu_read(struct mw_draft *draft)
{
	static const char *const keys[] = { "model",      "count",   "topology", "features",
					    "hypervisor", "tsc_khz", "x2apic",   NULL };
	struct mw_tree *block = mw_tree_get(draft->document->root, "cpu");
	struct mw_tree *model = mw_tree_get(block, "model");
	struct mw_plan_cpu *cpu = &draft->plan->cpu;

	if (!model) {
		mw_draft_missing(draft, block, "cpu",
				 block ? "`cpu` has no `model`" : "the machine has no `cpu`");
		return;
	}
	if (!mw_draft_keys(draft, block, "cpu", keys, NULL) ||
	    !mw_draft_text(draft, model, NULL, "cpu", "a CPU model"))
		return;
	cpu->span = block->key_span;
	cpu->model = mw_arena_strdup(&draft->plan->arena, model->text);
	cpu->host_model = !strcmp(cpu->model, "host");
	read_topology(draft, block);
	read_changes(draft, mw_tree_get(block, "features"));
	read_x2apic(draft, block);
	check_apic_ids(draft, block);
	read_hypervisor(draft, mw_tree_get(block, "hypervisor"));
	read_tsc(draft, mw_tree_get(block, "tsc_khz"));
	if (!cpu->host_model)
		read_model(draft, model);
}
