/* What the software CPU says it is, and what follows from it: CPUID, features that are not there, opcodes nobody
 * knows, KVM's clock. References: SDM vol. 2, CPUID; Linux, Documentation/virt/kvm/x86/msr.rst. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "accel/soft/soft.h"

#include "soft_paging_bench.h"

enum { UNDEFINED = 6, GENERAL = 13 };

/* SDM vol. 2, CPUID: the plan's leaves. */

static void cpuid(uint32_t leaf, uint32_t subleaf)
{
	cpu.gpr[MW_RAX] = UINT64_C(0xffffffff00000000) | leaf;
	cpu.gpr[MW_RCX] = UINT64_C(0xffffffff00000000) | subleaf;
	assert_int_equal(ATTEMPT(true, 0x0f, 0xa2), NO_VECTOR);
}

static void cpuid_answers_from_the_plan(void **state)
{
	uint64_t highest[4];

	paged(PAGING_LONG);
	cpuid(0, 0);
	assert_int_equal(cpu.gpr[MW_RAX], 7);
	assert_int_equal(cpu.gpr[MW_RBX], 0x756e6547);
	assert_int_equal(cpu.gpr[MW_RDX], 0x49656e69);
	assert_int_equal(cpu.gpr[MW_RCX], 0x6c65746e);
	cpuid(1, 0);
	assert_int_equal(cpu.gpr[MW_RAX], 0x6f0);
	assert_int_equal(cpu.gpr[MW_RDX], 0x078bfbff);
	cpuid(0x80000008, 0);
	assert_int_equal(cpu.gpr[MW_RAX], 0x3028);
	cpuid(7, 1);
	assert_int_equal(cpu.gpr[MW_RBX], 0);
	/* What is beyond the last leaf of its range is answered like the last basic one. */
	cpuid(7, 0);
	memcpy(highest, cpu.gpr, sizeof(highest));
	assert_int_equal(cpu.gpr[MW_RBX], 1);
	cpuid(0x100, 0);
	assert_memory_equal(highest, cpu.gpr, sizeof(highest));
	cpuid(0x80000009, 0);
	assert_memory_equal(highest, cpu.gpr, sizeof(highest));
	cpuid(0xffffffff, 0);
	assert_memory_equal(highest, cpu.gpr, sizeof(highest));
	/* IA32_MISC_ENABLE may limit it for old systems. */
	assert_int_equal(write_msr(0x1a0, 1 << 22), NO_VECTOR);
	cpuid(0, 0);
	assert_int_equal(cpu.gpr[MW_RAX], 2);
	done();
}

/* A machine of this plan, without running it. */
static bool is_made(const struct mw_plan *plan)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_machine *machine;
	struct mw_accel *accel = NULL;
	bool made;

	assert_true(mw_machine_build(&machine, plan, &diagnostics));
	made = mw_accel_soft.create(&accel, machine, &diagnostics);
	if (made)
		mw_accel_soft.destroy(accel);
	else
		assert_string_equal(diagnostics.items[0]->code, "A501");
	mw_machine_destroy(machine);
	mw_diagnostics_fini(&diagnostics);
	return made;
}

static void what_the_cpu_lacks_is_refused(void **state)
{
	static const char *const avx[] = { "avx", NULL }, *const sse2[] = { "sse2", NULL },
				 *const optional[] = { "arat", "invtsc", NULL },
				 *const removable[] = { "nx", "lm", "syscall", NULL };
	struct mw_cpuid_leaf leaves[8];
	struct mw_plan plan;

	soft_rig_create(&rig);
	plan = rig.plan;
	assert_true(is_made(&plan));
	plan.cpu.features_add = avx;
	assert_false(is_made(&plan));
	plan.cpu.features_add = NULL;
	plan.cpu.features_remove = sse2;
	assert_false(is_made(&plan));
	plan.cpu.features_remove = removable;
	assert_true(is_made(&plan));
	plan.cpu.features_remove = NULL;
	plan.cpu.host_model = true;
	plan.cpu.features_add = optional;
	assert_true(is_made(&plan));
	plan.cpu.features_add = NULL;
	plan.cpu.host_model = false;
	memcpy(leaves, plan.cpu.leaves, plan.cpu.leaf_count * sizeof(leaves[0]));
	plan.cpu.leaves = leaves;
	leaves[0].ebx = 0x68747541; /* AuthenticAMD */
	assert_false(is_made(&plan));
	leaves[0].ebx = 0x756e6547;
	leaves[1].ecx |= 1 << 5; /* VMX */
	assert_false(is_made(&plan));
	leaves[1].ecx &= ~(1u << 5);
	leaves[5].eax = 0x302e; /* 46 bits of physical addresses */
	assert_false(is_made(&plan));
	leaves[5].eax = 0x3028;
	assert_true(is_made(&plan));
	done();
}

static void what_the_plan_takes_away_is_gone(void **state)
{
	struct mw_cpuid_leaf *leaves;

	paged(PAGING_LONG);
	leaves = rig.vm->cpuid[0];
	for (unsigned i = 0; i < rig.vm->cpuid_count[0]; i++)
		if (leaves[i].leaf == 0x80000001)
			leaves[i].edx &= ~(1u << 11 | 1u << 20 | 1u << 26 | 1u << 27);
	refuses(0xc0000080, 0xd00); /* NX */
	refuses(0xc0000080, 0x501); /* SYSCALL */
	refuses(0xc0000103, 0);
	refuses(0xc0000082, 0);
	assert_int_equal(ATTEMPT(false, 0x0f, 0x01, 0xf9), UNDEFINED);
	assert_int_equal(ATTEMPT(false, 0x0f, 0x05), UNDEFINED);
	/* And pages of 1 GiB. */
	set_entry(UINT64_C(0x7fc0000000), 3, P | W | LARGE);
	cpu.gpr[MW_RBX] = UINT64_C(0x7fc0000000);
	assert_int_equal(ATTEMPT(false, 0x8b, 0x03), 14);
	assert_int_equal(top(), 9);
	done();
}

static void undefined_opcodes_are_counted_and_logged(void **state)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *log = open_memstream(&text, &bytes);

	paged(PAGING_LONG);
	mw_machine_set_log(rig.machine, log);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(ATTEMPT(false, 0x0f, 0x0a, 0x11), UNDEFINED);
	assert_int_equal(rig.cpu->counters.undefined, 20);
	assert_int_equal(ATTEMPT(false, 0x0f, 0x0b), UNDEFINED); /* UD2 is meant to be */
	assert_int_equal(rig.cpu->counters.undefined, 20);
	mw_machine_set_log(rig.machine, rig.log);
	fclose(log);
	assert_non_null(strstr(text, "#UD at 10000 for the opcode 0f 0a"));
	assert_non_null(strstr(text, "more are only counted"));
	free(text);
	done();
}

static void opcodes_of_other_modes_are_undefined(void **state)
{
	static const uint8_t not_in_64[][2] = { { 0x06 }, { 0x0e }, { 0x16 },     { 0x1e },
						{ 0x27 }, { 0x2f }, { 0x37 },     { 0x3f },
						{ 0x60 }, { 0x61 }, { 0x62, 0 },  { 0x82, 0xc0 },
						{ 0x9a }, { 0xce }, { 0xd4, 10 }, { 0xd5, 10 },
						{ 0xea } };

	paged(PAGING_LONG);
	for (unsigned i = 0; i < sizeof(not_in_64) / sizeof(not_in_64[0]); i++)
		assert_int_equal(attempt_bytes(false, not_in_64[i], 2), UNDEFINED);
	/* LOCK is for those that read, modify and write memory. */
	cpu.gpr[MW_RBX] = 0x6000;
	assert_int_equal(ATTEMPT(false, 0xf0, 0x01, 0x03), NO_VECTOR);
	assert_int_equal(ATTEMPT(false, 0xf0, 0x01, 0xc3), UNDEFINED);
	assert_int_equal(ATTEMPT(false, 0xf0, 0x03, 0x03), UNDEFINED);
	assert_int_equal(ATTEMPT(false, 0xf0, 0x89, 0x03), UNDEFINED);
	assert_int_equal(ATTEMPT(false, 0xf0, 0x39, 0x03), UNDEFINED);
	assert_int_equal(ATTEMPT(false, 0xf0, 0x90), UNDEFINED);
	done();
}

/* Linux, Documentation/virt/kvm/x86/msr.rst: the paravirtual clock. */

static void with_clock(void)
{
	paged(PAGING_LONG);
	rig.vm->cpuid[0][rig.vm->cpuid_count[0]++] =
		(struct mw_cpuid_leaf){ 0x40000001, 0, false, 0x0100000b, 0, 0, 0 };
}

static void the_clock_page_turns_the_tsc_into_time(void **state)
{
	uint64_t tsc, time, multiplier;
	int shift;

	with_clock();
	put(0x6000, 7, 4);
	keeps(0x4b564d01, 0x6001);
	assert_int_equal(get(0x6000, 4) & 1, 0);
	assert_true(get(0x6000, 4) > 7);
	time = get(0x6010, 8);
	multiplier = get(0x6018, 4);
	shift = get(0x601c, 1) < 128 ? (int)get(0x601c, 1) : (int)get(0x601c, 1) - 256;
	assert_int_equal(get(0x601d, 1), 1); /* the same on all CPUs */
	assert_int_equal(get(0x6020, 4), 0);
	/* A second later by the TSC, at the machine's rate. */
	tsc = rig.vm->tsc_khz * UINT64_C(1000);
	tsc = shift < 0 ? tsc >> -shift : tsc << shift;
	assert_in_range(time + (tsc * multiplier >> 32), time + 999999900, time + 1000000100);
	assert_int_equal(write_msr(0x4b564d00, 0x6100), NO_VECTOR);
	assert_int_not_equal(get(0x6104, 4), 0);
	assert_true(get(0x6108, 4) < 1000000000);
	done();
}

static void a_clock_at_a_hostile_address_writes_nothing(void **state)
{
	static const uint64_t rows[] = {
		SOFT_RIG_RAM_BYTES - 16 + 1,                    /* half in RAM */
		UINT64_C(0xf0000001),                           /* nothing there */
		UINT64_C(0xffffffffffffffff),                   /* beyond all */
		UINT64_C(0xfffffffff1),                         /* the end of physical space */
		UINT64_C(0xfffffffffffffff1), UINT64_C(0x6003), /* not aligned */
		UINT64_C(0xfee00001),                           /* the local APIC */
	};

	with_clock();
	memset(rig.ram + 0x6000, 0x55, 64);
	memset(rig.ram + SOFT_RIG_RAM_BYTES - 64, 0x55, 64);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(write_msr(0x4b564d01, rows[i]), NO_VECTOR);
		assert_int_equal(write_msr(0x12, rows[i]), NO_VECTOR);
		assert_int_equal(write_msr(0x4b564d00, rows[i]), NO_VECTOR);
		assert_int_equal(write_msr(0x11, rows[i] & ~UINT64_C(1)), NO_VECTOR);
	}
	for (unsigned i = 0; i < 64; i += 4) {
		assert_int_equal(get(0x6000 + i, 4), 0x55555555);
		if (i < 48)
			assert_int_equal(get(SOFT_RIG_RAM_BYTES - 64 + i, 4), 0x55555555);
	}
	done();
	paged(PAGING_LONG); /* not offered: not there */
	refuses(0x4b564d01, 0x6001);
	done();
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cpuid_answers_from_the_plan),
		TEST(what_the_cpu_lacks_is_refused),
		TEST(what_the_plan_takes_away_is_gone),
		TEST(undefined_opcodes_are_counted_and_logged),
		TEST(opcodes_of_other_modes_are_undefined),
		TEST(the_clock_page_turns_the_tsc_into_time),
		TEST(a_clock_at_a_hostile_address_writes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
