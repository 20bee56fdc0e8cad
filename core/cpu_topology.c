/* APIC ids and the CPUID leaves that carry them. References: SDM vol. 3, 9.9 and vol. 2, CPUID;
 * AMD APM vol. 3, appendix E; Linux Documentation/virt/kvm/x86/cpuid.rst. */
// SPDX-License-Identifier: MIT
#include "core/cpu_topology.h"

#include <stdbool.h>
#include <string.h>

enum { HYPERVISOR_BASE = 0x40000000, HYPERVISOR_LAST = 0x4fffffff };
/* The local APIC's timer counts at 1 GHz under KVM, and so in every machine here. */
#define APIC_BUS_KHZ 1000000u

/** A set of leaves being rewritten in the caller's array. */
struct leaf_set {
	struct mw_cpuid_leaf *items;
	size_t count, capacity;
};

static unsigned bits_for(uint32_t values)
{
	unsigned bits = 0;

	while (bits < 32 && ((uint64_t)1 << bits) < values)
		bits++;
	return bits;
}

static uint32_t at_least_one(uint32_t value)
{
	return value ? value : 1;
}

unsigned mw_apic_thread_bits(const struct mw_plan_cpu *cpu)
{
	return bits_for(at_least_one(cpu->threads));
}

unsigned mw_apic_package_shift(const struct mw_plan_cpu *cpu)
{
	return mw_apic_thread_bits(cpu) + bits_for(at_least_one(cpu->cores));
}

uint32_t mw_apic_id(const struct mw_plan_cpu *cpu, uint32_t index)
{
	uint32_t threads = at_least_one(cpu->threads), cores = at_least_one(cpu->cores);
	uint32_t thread = index % threads, core = index / threads % cores;
	uint32_t package = index / threads / cores;

	return package << mw_apic_package_shift(cpu) | core << mw_apic_thread_bits(cpu) | thread;
}

static uint32_t logical_per_package(const struct mw_plan_cpu *cpu)
{
	return at_least_one(cpu->threads) * at_least_one(cpu->cores);
}

static struct mw_cpuid_leaf *find(struct leaf_set *set, uint32_t leaf)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].leaf == leaf)
			return &set->items[i];
	return NULL;
}

static void remove_range(struct leaf_set *set, uint32_t first, uint32_t last)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].leaf < first || set->items[i].leaf > last)
			set->items[kept++] = set->items[i];
	set->count = kept;
}

static void append(struct leaf_set *set, struct mw_cpuid_leaf leaf)
{
	if (set->count < set->capacity)
		set->items[set->count++] = leaf;
}

/* Replaces a leaf without subleaves. */
static void put(struct leaf_set *set, struct mw_cpuid_leaf leaf)
{
	remove_range(set, leaf.leaf, leaf.leaf);
	append(set, leaf);
}

static uint32_t highest(struct leaf_set *set, uint32_t leaf)
{
	const struct mw_cpuid_leaf *found = find(set, leaf);

	return found ? found->eax : leaf;
}

static bool is_amd(struct leaf_set *set)
{
	const struct mw_cpuid_leaf *leaf = find(set, 0);

	/* "Auth"enticAMD, "Hygo"nGenuine: the second took over the first's leaves. */
	return leaf && (leaf->ebx == 0x68747541 || leaf->ebx == 0x6f677948);
}

static void set_field(uint32_t *word, unsigned shift, unsigned width, uint32_t value)
{
	uint32_t mask = ((1u << width) - 1) << shift;

	*word = (*word & ~mask) | ((value << shift) & mask);
}

static void set_bit(uint32_t *word, unsigned bit, bool value)
{
	set_field(word, bit, 1, value);
}

static void fill_basic(struct leaf_set *set, const struct mw_plan_cpu *cpu, uint32_t apic_id)
{
	struct mw_cpuid_leaf *leaf = find(set, 1);
	uint32_t logical = 1u << mw_apic_package_shift(cpu);

	if (!leaf)
		return;
	set_field(&leaf->ebx, 24, 8, apic_id);
	set_field(&leaf->ebx, 16, 8, logical > 255 ? 255 : logical);
	set_bit(&leaf->edx, 28, logical_per_package(cpu) > 1); /* HTT */
	set_bit(&leaf->ecx, 31, cpu->hypervisor != MW_HYPERVISOR_NONE);
	set_bit(&leaf->ecx, 24, leaf->edx >> 9 & 1); /* TSC_DEADLINE comes with the APIC */
}

/* Ids that may share a cache: L1 and L2 belong to a core, outer levels to the package. */
static uint32_t sharing_ids(const struct mw_plan_cpu *cpu, unsigned level)
{
	return 1u << (level < 3 ? mw_apic_thread_bits(cpu) : mw_apic_package_shift(cpu));
}

static void fill_caches(struct leaf_set *set, const struct mw_plan_cpu *cpu)
{
	uint32_t core_ids = 1u << (mw_apic_package_shift(cpu) - mw_apic_thread_bits(cpu));

	for (size_t i = 0; i < set->count; i++) {
		struct mw_cpuid_leaf *leaf = &set->items[i];

		if ((leaf->leaf != 4 && leaf->leaf != 0x8000001d) || !(leaf->eax & 0x1f))
			continue; /* cache type 0 ends the list */
		set_field(&leaf->eax, 14, 12, sharing_ids(cpu, leaf->eax >> 5 & 7) - 1);
		if (leaf->leaf == 4)
			set_field(&leaf->eax, 26, 6, core_ids > 64 ? 63 : core_ids - 1);
	}
}

static void fill_extended_topology(struct leaf_set *set, const struct mw_plan_cpu *cpu,
				   uint32_t number, uint32_t apic_id)
{
	enum { THREAD_LEVEL = 1 << 8, CORE_LEVEL = 2 << 8 };
	struct mw_cpuid_leaf leaf = { .leaf = number, .has_subleaf = true, .edx = apic_id };

	remove_range(set, number, number);
	if (highest(set, 0) < number)
		return;
	leaf.eax = mw_apic_thread_bits(cpu);
	leaf.ebx = at_least_one(cpu->threads);
	leaf.ecx = THREAD_LEVEL;
	append(set, leaf);
	leaf.subleaf = 1;
	leaf.eax = mw_apic_package_shift(cpu);
	leaf.ebx = logical_per_package(cpu);
	leaf.ecx = 1 | CORE_LEVEL;
	append(set, leaf);
	leaf.subleaf = 2;
	leaf.eax = leaf.ebx = 0;
	leaf.ecx = 2;
	append(set, leaf);
}

static void fill_amd(struct leaf_set *set, const struct mw_plan_cpu *cpu, uint32_t apic_id)
{
	struct mw_cpuid_leaf *features = find(set, 0x80000001), *sizes = find(set, 0x80000008);
	uint32_t threads = at_least_one(cpu->threads), logical = logical_per_package(cpu);
	uint32_t core = apic_id >> mw_apic_thread_bits(cpu);
	uint32_t core_bits = mw_apic_package_shift(cpu) - mw_apic_thread_bits(cpu);

	remove_range(set, 0x8000001e, 0x8000001e);
	if (!is_amd(set))
		return;
	if (features)
		set_bit(&features->ecx, 1, logical > 1); /* CmpLegacy */
	if (sizes) {
		set_field(&sizes->ecx, 0, 8, logical > 256 ? 255 : logical - 1);
		set_field(&sizes->ecx, 12, 4, mw_apic_package_shift(cpu));
	}
	if (highest(set, 0x80000000) >= 0x8000001e)
		append(set, (struct mw_cpuid_leaf){
				    .leaf = 0x8000001e,
				    .eax = apic_id,
				    .ebx = (threads - 1) << 8 | (core & ((1u << core_bits) - 1)),
			    });
}

/* The TSC's ratio to the crystal, which Linux takes for the local APIC timer's rate as well. Linux multiplies the
 * numerator by the crystal's kHz in 32 bits, so this is the nearest one that fits. */
static void find_ratio(uint32_t tsc_khz, uint32_t *denominator, uint32_t *numerator)
{
	const uint32_t most = UINT32_MAX / APIC_BUS_KHZ;
	uint64_t least = UINT64_MAX;

	*denominator = APIC_BUS_KHZ;
	*numerator = tsc_khz;
	for (uint32_t by = 1; by <= most && least; by++) {
		uint64_t wanted = (uint64_t)tsc_khz * by;
		uint64_t ratio = (wanted + APIC_BUS_KHZ / 2) / APIC_BUS_KHZ,
			 had = ratio * APIC_BUS_KHZ;
		uint64_t error = had > wanted ? had - wanted : wanted - had;

		if (!ratio || ratio > most ||
		    (least != UINT64_MAX && error * *denominator >= least * by))
			continue;
		least = error;
		*denominator = by;
		*numerator = (uint32_t)ratio;
	}
}

static void fill_rates(struct leaf_set *set, uint32_t tsc_khz)
{
	struct mw_cpuid_leaf *first = find(set, 0);
	struct mw_cpuid_leaf ratio = { .leaf = 0x15, .ecx = APIC_BUS_KHZ * 1000u };

	if (!tsc_khz || !first)
		return;
	if (first->eax < 0x16)
		first->eax = 0x16;
	find_ratio(tsc_khz, &ratio.eax, &ratio.ebx);
	put(set, ratio);
	put(set, (struct mw_cpuid_leaf){
			 .leaf = 0x16,
			 .eax = tsc_khz / 1000 & 0xffff,
			 .ebx = tsc_khz / 1000 & 0xffff,
			 .ecx = 100,
		 });
}

static void fill_hypervisor(struct leaf_set *set, const struct mw_plan_cpu *cpu, uint32_t tsc_khz,
			    uint32_t kvm_features)
{
	remove_range(set, HYPERVISOR_BASE, HYPERVISOR_LAST);
	if (cpu->hypervisor != MW_HYPERVISOR_KVM)
		return;
	append(set, (struct mw_cpuid_leaf){ .leaf = HYPERVISOR_BASE,
					    .eax = HYPERVISOR_BASE + (tsc_khz ? 0x10 : 1),
					    .ebx = 0x4b4d564b, /* "KVMKVMKVM" */
					    .ecx = 0x564b4d56,
					    .edx = 0x0000004d });
	append(set, (struct mw_cpuid_leaf){ .leaf = HYPERVISOR_BASE + 1, .eax = kvm_features });
	if (tsc_khz)
		append(set, (struct mw_cpuid_leaf){ .leaf = HYPERVISOR_BASE + 0x10,
						    .eax = tsc_khz,
						    .ebx = APIC_BUS_KHZ });
}

size_t mw_cpuid_for_cpu(const struct mw_plan_cpu *cpu, uint32_t index, uint32_t tsc_khz,
			uint32_t kvm_features, struct mw_cpuid_leaf *leaves, size_t count,
			size_t capacity)
{
	struct leaf_set set = { leaves, count, capacity };
	uint32_t apic_id = mw_apic_id(cpu, index);

	fill_rates(&set, tsc_khz);
	fill_basic(&set, cpu, apic_id);
	fill_caches(&set, cpu);
	fill_extended_topology(&set, cpu, 0xb, apic_id);
	fill_extended_topology(&set, cpu, 0x1f, apic_id);
	fill_amd(&set, cpu, apic_id);
	fill_hypervisor(&set, cpu, tsc_khz, kvm_features);
	return set.count;
}
