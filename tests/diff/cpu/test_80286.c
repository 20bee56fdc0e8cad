/** test_80286 FOLDER...: the software CPU in real mode against what a real Harris 80286 did. Every case is
 * one instruction and the HLT behind it. What later processors do otherwise is in differences[]. */
// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel/soft/integer/flags.h"
#include "accel/soft/run.h"
#include "tests/diff/cpu/moo.h"
#include "tests/support/soft_rig.h"

enum { MOST_STEPS = 200000, SHOWN_PER_FILE = 3 };
enum { CF = SOFT_CF, PF = SOFT_PF, AF = SOFT_AF, ZF = SOFT_ZF, SF = SOFT_SF, OF = SOFT_OF };
/* IOPL, NT and bit 15: always 0 in the 80286's real mode, settable since the 80386. */
enum { HIGH_FLAGS = 0xf000 };

/* Flags that the manual leaves undefined, by the names of files. */
static const struct undefined {
	const char *files;
	uint16_t flags;
} undefined[] = {
	{ "08 09 0A 0B 0C 0D 20 21 22 23 24 25 30 31 32 33 34 35 84 85 A8 A9", AF },
	{ "80.1 80.4 80.6 81.1 81.4 81.6 82.1 82.4 82.6 83.1 83.4 83.6 F6.0 F6.1 F7.0 F7.1", AF },
	{ "27 2F", OF },
	{ "37 3F", OF | SF | ZF | PF },
	{ "D4 D5", OF | AF | CF },
	{ "F6.4 F6.5 F7.4 F7.5 69 6B", SF | ZF | AF | PF },
	{ "F6.6 F6.7 F7.6 F7.7", SOFT_ARITHMETIC },
	{ "D0.4 D0.5 D0.6 D0.7 D1.4 D1.5 D1.6 D1.7", AF },
	{ "C0.4 C0.5 C0.6 C0.7 C1.4 C1.5 C1.6 C1.7 D2.4 D2.5 D2.6 D2.7 D3.4 D3.5 D3.6 D3.7",
	  AF | OF },
	{ "C0.0 C0.1 C0.2 C0.3 C1.0 C1.1 C1.2 C1.3 D2.0 D2.1 D2.2 D2.3 D3.0 D3.1 D3.2 D3.3", OF },
};

/* A shift count of 1 leaves OF defined; one of 0 leaves all. Above the width, SHL and SHR lose CF. */
static uint16_t undefined_of_count(const char *key, const struct moo_case *test, uint16_t flags)
{
	unsigned count = (key[0] == 'C' ? test->code[test->code_length - 2]
					: test->before.registers[MOO_CX]) &
			 31;
	unsigned width = (key[1] & 1) ? 16 : 8;

	if (count == 0)
		return 0;
	if (count == 1)
		flags &= (uint16_t)~OF;
	if (count >= width && (key[3] == '4' || key[3] == '5' || key[3] == '6'))
		flags |= CF;
	return flags;
}

static bool listed(const char *files, const char *key)
{
	size_t length = strlen(key);

	for (const char *at = files; *at; at += strcspn(at, " "), at += *at == ' ')
		if (strcspn(at, " ") == length && memcmp(at, key, length) == 0)
			return true;
	return false;
}

static uint16_t undefined_flags(const char *key, const struct moo_case *test)
{
	for (size_t i = 0; i < sizeof(undefined) / sizeof(undefined[0]); i++) {
		if (!listed(undefined[i].files, key))
			continue;
		if (key[0] == 'C' || (key[0] == 'D' && (key[1] == '2' || key[1] == '3')))
			return undefined_of_count(key, test, undefined[i].flags);
		return undefined[i].flags;
	}
	return 0;
}

/* The first byte behind the prefixes, and whether one of them is LOCK. */
static const uint8_t *opcode_of(const struct moo_case *test, bool *lock)
{
	size_t i = 0;

	*lock = false;
	for (; i < test->code_length; i++) {
		uint8_t byte = test->code[i];

		if (byte == 0xf0)
			*lock = true;
		else if (byte != 0x26 && byte != 0x2e && byte != 0x36 && byte != 0x3e &&
			 byte != 0xf2 && byte != 0xf3)
			break;
	}
	return test->code + (i < test->code_length ? i : 0);
}

static bool locks(const struct moo_case *test)
{
	bool lock;

	opcode_of(test, &lock);
	return lock;
}

static bool names_fs_or_gs(const struct moo_case *test)
{
	bool lock;
	const uint8_t *opcode = opcode_of(test, &lock);

	return (opcode[1] >> 3 & 7) == 4 || (opcode[1] >> 3 & 7) == 5;
}

/* Longer than 10 bytes without the HLT. */
static bool too_long(const struct moo_case *test)
{
	return test->code_length > 11;
}

static bool has_byte(const struct moo_case *test, uint32_t address)
{
	for (size_t i = 0; i < test->before.ram.count; i++)
		if (moo_ram_address(&test->before.ram, i) == address)
			return true;
	return false;
}

static bool wraps(const struct moo_case *test)
{
	for (int i = MOO_CS; i <= MOO_ES; i++) {
		uint32_t base = (uint32_t)test->before.registers[i] << 4;

		if (has_byte(test, base) && has_byte(test, base + 0xffff))
			return true;
	}
	return false;
}

static bool excepts(const struct moo_case *test)
{
	return test->excepts;
}

static bool always(const struct moo_case *test)
{
	return true;
}

/* What later processors do otherwise; such cases are left out. */
static const struct difference {
	const char *files; /* NULL: all */
	bool (*applies)(const struct moo_case *test);
	const char *reason;
} differences[] = {
	{ NULL, locks, "LOCK raises #UD where it is not allowed since the 80386" },
	{ "8C 8E", names_fs_or_gs, "segment registers 4 and 5 are FS and GS since the 80386" },
	{ NULL, too_long, "the 80286 takes 10 bytes at most, later ones 15" },
	{ "FF.3 FF.5 C4 C5", wraps,
	  "the 80286 goes on at the segment's beginning between the words of a far pointer" },
	{ "6D 6F A5 A7 AB AD AF", excepts,
	  "a string instruction that faults has not moved its registers since the 80386" },
	{ "D8", always, "without a 80287 the operand is read and nothing is worked out" },
};

static const char *reason_to_skip(const char *key, const struct moo_case *test)
{
	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
		const struct difference *difference = &differences[i];

		if ((!difference->files || listed(difference->files, key)) &&
		    difference->applies(test))
			return difference->reason;
	}
	return NULL;
}

static const int gpr_of[] = {
	[MOO_AX] = MW_RAX, [MOO_BX] = MW_RBX, [MOO_CX] = MW_RCX, [MOO_DX] = MW_RDX,
	[MOO_SP] = MW_RSP, [MOO_BP] = MW_RBP, [MOO_SI] = MW_RSI, [MOO_DI] = MW_RDI
};
static const int segment_of[] = {
	[MOO_CS] = MW_CS, [MOO_SS] = MW_SS, [MOO_DS] = MW_DS, [MOO_ES] = MW_ES
};
static const char *const register_names[] = { "ax", "bx", "cx", "dx", "cs", "ss", "ds",
					      "es", "sp", "bp", "si", "di", "ip", "flags" };

static bool is_segment(int index)
{
	return index >= MOO_CS && index <= MOO_ES;
}

static void load(struct soft_rig *rig, const struct moo_case *test)
{
	struct mw_cpu_state state = rig->reset_state;
	const uint16_t *registers = test->before.registers;

	for (int i = 0; i < MOO_IP; i++) {
		if (is_segment(i))
			state.segment[segment_of[i]] = soft_rig_segment(
				registers[i], (uint64_t)registers[i] << 4, 0xffff, 0x93);
		else
			state.gpr[gpr_of[i]] = registers[i];
	}
	state.rip = registers[MOO_IP];
	state.rflags = (registers[MOO_FLAGS] & ~(unsigned)HIGH_FLAGS) | 2;
	state.idt = (struct mw_table_register){ 0, 0x3ff };
	for (size_t i = 0; i < test->before.ram.count; i++)
		rig->ram[moo_ram_address(&test->before.ram, i) % SOFT_RIG_RAM_BYTES] =
			moo_ram_byte(&test->before.ram, i);
	/* The 80286's real mode has one exception for all segments; #SS is the 80386's. */
	if (test->excepts && test->vector == SOFT_GP)
		memcpy(rig->ram + SOFT_SS * 4, rig->ram + SOFT_GP * 4, 4);
	soft_blocks_flush(rig->vm);
	soft_rig_set(rig, &state);
}

static uint16_t register_after(const struct mw_cpu_state *state, int index)
{
	if (index == MOO_IP)
		return (uint16_t)state->rip;
	if (index == MOO_FLAGS)
		return (uint16_t)state->rflags;
	if (is_segment(index))
		return state->segment[segment_of[index]].selector;
	return (uint16_t)state->gpr[gpr_of[index]];
}

/* Bits of a byte in memory that count: flags pushed by an exception may be undefined ones. */
static uint8_t memory_mask(const struct moo_case *test, uint32_t address, uint16_t mask)
{
	/* The file has the bus's address: one less on an odd stack. */
	uint32_t top = ((uint32_t)test->after.registers[MOO_SS] << 4) +
		       (uint16_t)(test->after.registers[MOO_SP] + 4);

	if (test->excepts && address == top)
		return (uint8_t)mask;
	if (test->excepts && address == top + 1)
		return (uint8_t)(mask >> 8);
	return 0xff;
}

static unsigned compare_ram(struct soft_rig *rig, const struct moo_case *test, uint16_t mask,
			    FILE *out)
{
	const struct moo_ram *ram = &test->after.ram;
	unsigned wrong = 0;

	for (size_t i = 0; i < ram->count; i++) {
		uint32_t address = moo_ram_address(ram, i);
		uint8_t ours = rig->ram[address % SOFT_RIG_RAM_BYTES];
		uint8_t theirs = moo_ram_byte(ram, i);

		if (((ours ^ theirs) & memory_mask(test, address, mask)) == 0)
			continue;
		wrong++;
		if (out)
			fprintf(out, "    [%05x] is %02x, recorded %02x\n", address, ours, theirs);
	}
	return wrong;
}

/* Number of differences; they are printed when `out` is there. */
static unsigned compare(struct soft_rig *rig, const char *key, const struct moo_case *test,
			FILE *out)
{
	uint16_t mask = (uint16_t) ~(undefined_flags(key, test) | HIGH_FLAGS);
	struct mw_cpu_state state;
	unsigned wrong = 0;

	soft_rig_get(rig, &state);
	for (int i = 0; i < MOO_REGISTERS; i++) {
		uint16_t ours = register_after(&state, i), theirs = test->after.registers[i];
		uint16_t bits = i == MOO_FLAGS ? mask : 0xffff;

		if (((ours ^ theirs) & bits) == 0)
			continue;
		wrong++;
		if (out)
			fprintf(out, "    %s is %04x, recorded %04x, was %04x\n", register_names[i],
				ours, theirs, test->before.registers[i]);
	}
	if (!rig->cpu->halted) {
		wrong++;
		if (out)
			fputs("    does not reach the HLT\n", out);
	}
	return wrong + compare_ram(rig, test, mask, out);
}

static void show(struct soft_rig *rig, const char *key, const struct moo_case *test)
{
	printf("  %s case %u: %.*s (", key, test->number, (int)test->name_length, test->name);
	for (size_t i = 0; i < test->code_length; i++)
		printf("%s%02x", i ? " " : "", test->code[i]);
	printf(")%s\n", test->excepts ? ", excepts" : "");
	compare(rig, key, test, stdout);
}

struct counts {
	unsigned files, cases, skipped, failed;
};

static void run_file(struct soft_rig *rig, const char *path, const char *key, struct counts *counts)
{
	struct moo_file file;
	struct moo_case test;
	unsigned failed = 0;

	counts->files++;
	if (!moo_open(&file, path)) {
		counts->failed++;
		return;
	}
	while (moo_next(&file, &test)) {
		counts->cases++;
		if (reason_to_skip(key, &test)) {
			counts->skipped++;
			continue;
		}
		load(rig, &test);
		soft_run_cpu(rig->cpu, MOST_STEPS);
		if (!compare(rig, key, &test, NULL))
			continue;
		if (failed++ < SHOWN_PER_FILE)
			show(rig, key, &test);
	}
	moo_close(&file);
	if (failed)
		printf("%s: %u fail\n", key, failed);
	counts->failed += failed;
}

static int is_case_file(const struct dirent *entry)
{
	return strstr(entry->d_name, ".MOO.gz") != NULL;
}

static void run_folder(struct soft_rig *rig, const char *folder, struct counts *counts)
{
	struct dirent **names;
	int count = scandir(folder, &names, is_case_file, alphasort);

	if (count < 0)
		printf("%s is not here\n", folder);
	for (int i = 0; i < count; i++) {
		char path[4096], key[256];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		snprintf(key, sizeof(key), "%.*s",
			 (int)(strstr(names[i]->d_name, ".MOO") - names[i]->d_name),
			 names[i]->d_name);
		run_file(rig, path, key, counts);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}

int main(int count, char **arguments)
{
	struct counts counts = { 0 };
	struct soft_rig rig;

	soft_rig_create(&rig);
	for (int i = 1; i < count; i++)
		run_folder(&rig, arguments[i], &counts);
	soft_rig_destroy(&rig);
	printf("%u files, %u cases, %u left out, %u fail\n", counts.files, counts.cases,
	       counts.skipped, counts.failed);
	return counts.failed || !counts.cases;
}
