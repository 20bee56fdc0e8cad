/** PVH and multiboot with kernels made by hand, field by field. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/boot/boot.h"
#include "core/bytes.h"
#include "core/cpu_state.h"
#include "core/diagnostics.h"
#include "core/tables/tables.h"

enum {
	MIB = 1 << 20,
	PAGE = 4096,
	ROOM = 32 << 10,
	CODE = 0x2000, /* of the first segment, in the file */
	DATA = 0x3000,
	NOTES = 0x1800,
	FIRST = 2 * MIB, /* where it lies in memory */
	SECOND = 3 * MIB,
	VIRTUAL = 0x40000000,
	HEADER = 0x1000, /* multiboot's */
	LOAD = 1,
	NOTE = 4
};

struct fixture {
	char folder[64], kernel[80], files[2][80];
	uint8_t image[ROOM];
	unsigned bits;
	struct mw_plan_range ram[4];
	struct mw_plan_module modules[70];
	struct mw_plan plan;
	struct mw_diagnostics diagnostics;
	struct mw_boot *boot;
	struct mw_machine *machine;
	struct mw_cpu_state cpu;
};

static void write_file(const char *path, const void *bytes, size_t count)
{
	FILE *out = fopen(path, "wb");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, count, out), count);
	fclose(out);
}

/** Where a field of program header `number` lies: by its place in the list type, offset, virtual
 * address, address, bytes in the file, bytes in memory, alignment. */
static size_t field_at(const struct fixture *f, unsigned number, unsigned field)
{
	static const unsigned wide[] = { 0, 8, 16, 24, 32, 40, 48 },
			      narrow[] = { 0, 4, 8, 12, 16, 20, 28 };

	return f->bits == 64 ? 64u + number * 56u + wide[field]
			     : 52u + number * 32u + narrow[field];
}

static void put_field(struct fixture *f, unsigned number, unsigned field, uint64_t value)
{
	mw_put_le(f->image + field_at(f, number, field), field && f->bits == 64 ? 8 : 4, value);
}

static void put_segment(struct fixture *f, unsigned number, unsigned type, const uint64_t fields[5])
{
	put_field(f, number, 0, type);
	for (unsigned i = 0; i < 5; i++)
		put_field(f, number, i + 1, fields[i]);
	put_field(f, number, 6, type == NOTE ? 4 : PAGE);
}

/** Two segments to load, the second with zeroes behind its bytes, and one with notes. */
static void make_elf(struct fixture *f, unsigned bits)
{
	uint8_t *head = f->image;
	bool wide = bits == 64;

	f->bits = bits;
	memset(f->image, 0, sizeof(f->image));
	memcpy(head, "\177ELF", 4);
	head[4] = wide ? 2 : 1;
	head[5] = head[6] = 1;
	mw_put_le(head + 16, 2, 2);
	mw_put_le(head + 18, 2, wide ? 62 : 3);
	mw_put_le(head + 20, 4, 1);
	mw_put_le(head + 24, wide ? 8 : 4, VIRTUAL + 0x40);
	mw_put_le(head + (wide ? 32 : 28), wide ? 8 : 4, wide ? 64 : 52);
	mw_put_le(head + (wide ? 54 : 42), 2, wide ? 56 : 32);
	mw_put_le(head + (wide ? 56 : 44), 2, 3);
	put_segment(f, 0, LOAD, (uint64_t[]){ CODE, VIRTUAL, FIRST, 0x1000, 0x1000 });
	put_segment(f, 1, LOAD, (uint64_t[]){ DATA, VIRTUAL + MIB, SECOND, 0x800, 0x5000 });
	put_segment(f, 2, NOTE, (uint64_t[]){ NOTES, 0, 0, 0, 0 });
	for (size_t i = CODE; i < ROOM; i++)
		f->image[i] = (uint8_t)(i * 7 + (i >> 8) + 1);
}

/** Adds a note behind those that are there. */
static void add_note(struct fixture *f, const char *name, unsigned type, uint64_t value,
		     unsigned bytes)
{
	size_t used = (size_t)mw_get_le(f->image + field_at(f, 2, 4), 4);
	uint8_t *note = f->image + NOTES + used;

	mw_put_le(note, 4, strlen(name) + 1);
	mw_put_le(note + 4, 4, bytes);
	mw_put_le(note + 8, 4, type);
	memcpy(note + 12, name, strlen(name) + 1);
	mw_put_le(note + 12 + (strlen(name) + 4) / 4 * 4, bytes < 8 ? bytes : 8, value);
	put_field(f, 2, 4, used + 12 + (strlen(name) + 4) / 4 * 4 + (bytes + 3) / 4 * 4);
}

static void make_pvh(struct fixture *f, unsigned bits)
{
	make_elf(f, bits);
	add_note(f, "GNU", 3, 0x1234, 7);
	add_note(f, "Xen", 6, 0x5678, 4);
	add_note(f, "Xen", 18, FIRST + 0x100, bits / 8);
}

static void put_header(struct fixture *f, size_t at, uint32_t flags)
{
	mw_put_le(f->image + at, 4, 0x1badb002);
	mw_put_le(f->image + at + 4, 4, flags);
	mw_put_le(f->image + at + 8, 4, 0u - 0x1badb002u - flags);
}

/** A plain file with addresses in its header: load, load end, bss end, entry. */
static void make_plain(struct fixture *f)
{
	static const uint32_t addresses[] = { FIRST + HEADER, FIRST, FIRST + 0x4000, FIRST + 0x6000,
					      FIRST + 0x1200 };

	make_elf(f, 32);
	memset(f->image, 0, CODE);
	put_header(f, HEADER, 1 << 16);
	for (unsigned i = 0; i < 5; i++)
		mw_put_le(f->image + HEADER + 12 + 4 * i, 4, addresses[i]);
}

static void save(struct fixture *f)
{
	write_file(f->kernel, f->image, sizeof(f->image));
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->folder, sizeof(f->folder), "/tmp/elf_boot.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->kernel, sizeof(f->kernel), "%s/kernel", f->folder);
	for (unsigned i = 0; i < 2; i++) {
		uint8_t bytes[5000];

		memset(bytes, 0x50 + (int)i, sizeof(bytes));
		snprintf(f->files[i], sizeof(f->files[i]), "%s/file%u", f->folder, i);
		write_file(f->files[i], bytes, sizeof(bytes));
	}
	f->ram[0] = (struct mw_plan_range){ 0, 64 * MIB };
	f->plan = (struct mw_plan){ .name = "test",
				    .arch = "x86_64",
				    .ram = f->ram,
				    .ram_count = 1,
				    .ram_bytes = 64 * MIB,
				    .cpu = { .count = 1, .sockets = 1, .cores = 1, .threads = 1 },
				    .boot = { .elf_path = f->kernel,
					      .cmdline = "console=ttyS0",
					      .modules = f->modules,
					      .tables = MW_TABLES_ACPI } };
	*state = f;
	return 0;
}

static void close_all(struct fixture *f)
{
	mw_machine_destroy(f->machine);
	mw_boot_close(f->boot);
	f->machine = NULL;
	f->boot = NULL;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close_all(f);
	mw_diagnostics_fini(&f->diagnostics);
	unlink(f->kernel);
	unlink(f->files[0]);
	unlink(f->files[1]);
	rmdir(f->folder);
	free(f);
	return 0;
}

static bool load(struct fixture *f)
{
	mw_cpu_state_reset(&f->cpu, true);
	return mw_boot_load(f->boot, f->machine, &f->cpu, &f->diagnostics);
}

/** Writes the file, opens it, builds the machine and loads once. */
static void boot(struct fixture *f)
{
	close_all(f);
	save(f);
	if (!mw_boot_open(&f->boot, &f->plan, &f->diagnostics) ||
	    !mw_machine_build(&f->machine, &f->plan, &f->diagnostics) || !load(f)) {
		mw_diagnostics_print(&f->diagnostics, stderr, MW_DIAG_FULL, false);
		fail();
	}
}

static const uint8_t *ram(struct fixture *f, uint64_t address, uint64_t count)
{
	const uint8_t *bytes = mw_machine_ram(f->machine, address, count);

	assert_non_null(bytes);
	return bytes;
}

/** A field of what EBX points at. */
static uint64_t info(struct fixture *f, unsigned at, unsigned size)
{
	return mw_get_le(ram(f, f->cpu.gpr[MW_RBX], 120) + at, size);
}

static const char *text_at(struct fixture *f, uint64_t address)
{
	return (const char *)ram(f, address, 64);
}

static const struct mw_diag *last(const struct fixture *f)
{
	assert_true(f->diagnostics.count > 0);
	return f->diagnostics.items[f->diagnostics.count - 1];
}

/** Opening the file as it is fails with one error whose message has `text` in it. */
static void expect_refusal(struct fixture *f, const char *text)
{
	size_t before = f->diagnostics.errors;

	close_all(f);
	assert_false(mw_boot_open(&f->boot, &f->plan, &f->diagnostics));
	assert_null(f->boot);
	assert_int_equal(f->diagnostics.errors, before + 1);
	if (!strstr(last(f)->message, text))
		fail_msg("`%s` is not in `%s`", text, last(f)->message);
}

static void expect_damage(struct fixture *f, const char *text)
{
	save(f);
	expect_refusal(f, text);
}

static void expect_flat_protected_mode(const struct mw_cpu_state *cpu)
{
	const enum mw_segment_name data[] = { MW_DS, MW_ES, MW_SS, MW_FS, MW_GS };

	assert_int_equal(cpu->cr0 & 0x80000001, 1);
	assert_int_equal(cpu->cr4, 0);
	assert_int_equal(cpu->efer, 0);
	assert_int_equal(cpu->rflags, 2);
	assert_int_equal(cpu->segment[MW_CS].attributes, 0xc09b);
	assert_int_equal(cpu->segment[MW_CS].base, 0);
	assert_int_equal(cpu->segment[MW_CS].limit, 0xffffffff);
	for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
		assert_int_equal(cpu->segment[data[i]].attributes, 0xc093);
		assert_int_equal(cpu->segment[data[i]].base, 0);
		assert_int_equal(cpu->segment[data[i]].limit, 0xffffffff);
	}
	assert_int_equal(cpu->run, MW_CPU_RUNNABLE);
}

static void expect_segments(struct fixture *f)
{
	static const uint8_t zeroes[0x5000 - 0x800];

	assert_memory_equal(ram(f, FIRST, 0x1000), f->image + CODE, 0x1000);
	assert_memory_equal(ram(f, SECOND, 0x800), f->image + DATA, 0x800);
	assert_memory_equal(ram(f, SECOND + 0x800, sizeof(zeroes)), zeroes, sizeof(zeroes));
}

static void pvh_enters_flat_protected_mode_at_the_notes_address(void **state)
{
	struct fixture *f = *state;

	for (unsigned bits = 32; bits <= 64; bits += 32) {
		make_pvh(f, bits);
		boot(f);
		expect_flat_protected_mode(&f->cpu);
		assert_int_equal(f->cpu.rip, FIRST + 0x100);
		assert_int_equal(f->cpu.segment[MW_TR].attributes, 0x8b);
		assert_int_equal(f->cpu.segment[MW_TR].base, 0);
		assert_int_equal(f->cpu.segment[MW_TR].limit, 0x67);
		expect_segments(f);
	}
}

static void pvh_start_info_has_all_its_fields(void **state)
{
	struct fixture *f = *state;
	struct mw_arena arena = { 0 };
	struct mw_acpi_tables acpi;
	struct mw_e820_entry map[128];

	make_pvh(f, 64);
	boot(f);
	assert_true(mw_acpi_build(&acpi, &f->plan, &arena, &f->diagnostics));
	size_t count = mw_e820(&f->plan, &acpi, map, 128);

	assert_int_equal(info(f, 0, 4), 0x336ec578);
	assert_int_equal(info(f, 4, 4), 1);
	assert_int_equal(info(f, 8, 4), 0);
	assert_int_equal(info(f, 12, 4), 0);
	assert_int_equal(info(f, 16, 8), 0);
	assert_string_equal(text_at(f, info(f, 24, 8)), "console=ttyS0");
	assert_int_equal(info(f, 32, 8), acpi.rsdp);
	assert_int_equal(info(f, 48, 4), count);
	const uint8_t *entry = ram(f, info(f, 40, 8), count * 24);

	for (size_t i = 0; i < count; i++, entry += 24) {
		assert_int_equal(mw_get_le(entry, 8), map[i].base);
		assert_int_equal(mw_get_le(entry + 8, 8), map[i].length);
		assert_int_equal(mw_get_le(entry + 16, 8), map[i].type);
	}
	mw_arena_fini(&arena);
	f->plan.boot.tables = 0;
	boot(f);
	assert_int_equal(info(f, 32, 8), 0);
}

static void name_modules(struct fixture *f, char texts[2][128])
{
	snprintf(texts[0], 128, "%s one  root=x", f->files[0]);
	snprintf(texts[1], 128, "%s", f->files[1]);
	f->modules[0].text = texts[0];
	f->modules[1].text = texts[1];
	f->plan.boot.module_count = 2;
	f->plan.boot.initrd_path = f->files[1];
}

static void pvh_modules_begin_with_the_initrd(void **state)
{
	static const uint8_t first_bytes[] = { 0x51, 0x50, 0x51 };
	static const char *const strings[] = { "", "one  root=x", "" };
	struct fixture *f = *state;
	char texts[2][128];

	name_modules(f, texts);
	make_pvh(f, 64);
	boot(f);
	assert_int_equal(info(f, 12, 4), 3);
	const uint8_t *entry = ram(f, info(f, 16, 8), 3 * 32);

	for (size_t i = 0; i < 3; i++, entry += 32) {
		uint64_t base = mw_get_le(entry, 8);

		/* from the top down, below the tables' page */
		assert_int_equal(base, 64 * MIB - PAGE - (i + 1) * 2 * PAGE);
		assert_int_equal(mw_get_le(entry + 8, 8), 5000);
		assert_string_equal(text_at(f, mw_get_le(entry + 16, 8)), strings[i]);
		assert_int_equal(mw_get_le(entry + 24, 8), 0);
		assert_int_equal(ram(f, base, 5000)[0], first_bytes[i]);
		assert_int_equal(ram(f, base, 5000)[4999], first_bytes[i]);
	}
}

static void the_pvh_note_is_known_by_name_type_and_size(void **state)
{
	static const struct {
		const char *name;
		unsigned type, bytes;
		bool taken;
	} cases[] = {
		{ "Xen", 18, 8, true },    { "Xen", 18, 4, true },  { "Xen", 18, 2, false },
		{ "Xen", 18, 0, false },   { "Xen", 17, 4, false }, { "xen", 18, 4, false },
		{ "Xenon", 18, 4, false },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_elf(f, 64);
		add_note(f, cases[i].name, cases[i].type, FIRST, cases[i].bytes);
		if (cases[i].taken)
			boot(f);
		else
			expect_damage(
				f,
				"is an ELF file with neither a PVH entry nor a multiboot 1 header");
	}
}

static void notes_may_be_aligned_to_8_bytes(void **state)
{
	struct fixture *f = *state;

	make_elf(f, 64);
	add_note(f, "GNU", 5, 0, 12); /* 28 bytes: the next begins at 32 */
	add_note(f, "Xen", 18, FIRST + 4, 4);
	memmove(f->image + NOTES + 32, f->image + NOTES + 28, 20);
	put_field(f, 2, 4, 52);
	expect_damage(f, "neither a PVH entry");
	put_field(f, 2, 6, 8);
	boot(f);
	assert_int_equal(f->cpu.rip, FIRST + 4);
}

static void notes_that_run_over_their_segment_end_the_search(void **state)
{
	static const struct {
		unsigned at;
		uint64_t value;
	} cases[] = { { 0, 0xffffffff }, { 4, 0xffffffff }, { 0, 0x7ffffff0 }, { 4, 0x7ffffff0 } };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_pvh(f, 32);
		mw_put_le(f->image + NOTES + cases[i].at, 4, cases[i].value);
		expect_damage(f, "neither a PVH entry");
	}
	make_pvh(f, 32);
	for (uint64_t bytes = 1; bytes < 64; bytes++) { /* the last note ends at 64 */
		put_field(f, 2, 4, bytes);
		expect_damage(f, "neither a PVH entry");
	}
	put_field(f, 2, 4, 64);
	boot(f);
}

static void damaged_elf_files_are_refused(void **state)
{
	static const struct {
		unsigned at, size; /* size 0: field `at` of the program header `number` */
		uint64_t value;
		const char *message;
		unsigned number;
	} cases[] = {
		{ 4, 1, 0, "is damaged: its ELF header has class 0 and byte order 1" },
		{ 4, 1, 3, "is damaged: its ELF header has class 3" },
		{ 5, 1, 0, "is damaged: its ELF header has class 2 and byte order 0" },
		{ 5, 1, 2, "is an ELF file for another processor" },
		{ 16, 2, 1, "is an ELF file of type 1, which is no program" },
		{ 16, 2, 4, "is an ELF file of type 4" },
		{ 18, 2, 183, "is an ELF file for another processor" },
		{ 20, 4, 0, "is damaged: its ELF header has version 0" },
		{ 32, 8, ROOM - 10, "is truncated: its program headers lie at 0x7ff6" },
		{ 32, 8, UINT64_MAX,
		  "is truncated: its program headers lie at 0xffffffffffffffff" },
		{ 54, 2, 55, "is damaged: its program headers have 55 bytes each" },
		{ 56, 2, 0, "has no program headers" },
		{ 56, 2, 257, "has 257 program headers; 256 are taken at most" },
		{ 56, 2, 0xffff, "has 65535 program headers" },
		{ 1, 0, ROOM - 0xfff, "is truncated: its segment 0 has 4096 bytes at 0x7001", 0 },
		{ 1, 0, UINT64_MAX, "is truncated: its segment 0", 0 },
		{ 4, 0, 0x1001, "is damaged: its segment 0 has more bytes in the file", 0 },
		{ 5, 0, 0, "is damaged: its segment 0 has more bytes in the file", 0 },
		{ 5, 0, UINT64_MAX, "its segment 1, 0xffffffffffffffff bytes at 0x300000", 1 },
		{ 3, 0, UINT64_MAX, "at 0xffffffffffffffff, does not end below 4 GiB", 1 },
		{ 3, 0, 0xfffff000,
		  "its segment 1, 0x5000 bytes at 0xfffff000, does not end below 4", 1 },
		{ 3, 0, FIRST + 0xfff, "its segment 1, 0x200fff-0x205ffe, lies over another", 1 },
		{ 3, 0, 64 * MIB - PAGE, "needs 0x3fff000-0x4003fff for its segment 1", 1 },
		{ 1, 0, ROOM, "is truncated: its segment 2 has 68 bytes", 2 },
		{ 4, 0, 0x10001, "is truncated: its segment 2 has 65537 bytes", 2 },
		{ 0, 0, NOTE, "its entry 0x200100 lies in none of its segments", 0 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_pvh(f, 64);
		if (cases[i].size)
			mw_put_le(f->image + cases[i].at, cases[i].size, cases[i].value);
		else
			put_field(f, cases[i].number, cases[i].at, cases[i].value);
		expect_damage(f, cases[i].message);
	}
	make_elf(f, 64);
	add_note(f, "Xen", 18, FIRST + 0x1000, 8);
	expect_damage(f, "is damaged: its entry 0x201000 lies in none of its segments");
	make_elf(f, 64);
	add_note(f, "Xen", 18, 0x100000000 + FIRST, 8);
	expect_damage(f, "is damaged: its entry 0x100200000 lies in none of its segments");
}

static void too_many_notes_are_refused(void **state)
{
	struct fixture *f = *state;

	make_pvh(f, 64);
	put_field(f, 2, 4, 0x10001);
	save(f);
	assert_int_equal(truncate(f->kernel, 10 * MIB), 0);
	expect_refusal(f, "has 65537 bytes of notes in segment 2; 65536 are taken at most");
}

static void every_truncation_of_an_elf_file_is_refused(void **state)
{
	struct fixture *f = *state;

	for (unsigned bits = 32; bits <= 64; bits += 32) {
		make_pvh(f, bits);
		save(f);
		for (off_t length = DATA + 0x7ff; length; length -= length > 0x400 ? 131 : 1) {
			assert_int_equal(truncate(f->kernel, length), 0);
			expect_refusal(
				f, length < 4 ? "is neither an ELF file nor a multiboot 1 kernel"
					      : "is truncated: ");
		}
	}
}

/** Follows the advice of the last diagnostic: returns the MiB it names. */
static unsigned advised(struct fixture *f)
{
	unsigned mib = 0;

	assert_non_null(last(f)->help);
	assert_int_equal(sscanf(last(f)->help, "`--set ram=%uMiB`", &mib), 1);
	f->ram[0].length = f->plan.ram_bytes = (uint64_t)mib * MIB;
	return mib;
}

static void a_segment_beyond_ram_names_how_much_is_enough(void **state)
{
	struct fixture *f = *state;

	make_pvh(f, 64);
	put_field(f, 1, 3, 100 * MIB);
	expect_damage(
		f, "does not fit the machine's RAM of 64 MiB: it needs 0x6400000-0x6404fff for its "
		   "segment 1");
	assert_int_equal(advised(f), 101);
	boot(f);
	put_field(f, 1, 3, 0xd0000000); /* where RAM never is */
	expect_damage(f, "it needs 0xd0000000-0xd0004fff for its segment 1");
	assert_null(last(f)->help);
}

static void a_segment_in_a_hole_gets_no_advice(void **state)
{
	struct fixture *f = *state;

	f->ram[0].length = 0xa0000;
	f->ram[1] = (struct mw_plan_range){ MIB, 63 * MIB };
	f->plan.ram_count = 2;
	make_pvh(f, 64);
	put_field(f, 1, 3, 0x9f000);
	expect_damage(f, "its segment 1, 0x9f000-0xa3fff, lies where the machine has no free RAM");
	assert_null(last(f)->help);
	put_field(f, 1, 3, 0x9b000);
	boot(f);
}

static void a_module_beyond_ram_names_how_much_is_enough(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 2; i++) {
		f->ram[0].length = f->plan.ram_bytes = 64 * MIB;
		f->plan.boot.initrd_path = f->files[0];
		assert_int_equal(truncate(f->files[0], 100 * MIB), 0);
		make_pvh(f, 32);
		if (i)
			put_header(f, HEADER, 0);
		expect_damage(
			f, "does not fit the machine's RAM of 64 MiB: it needs 100 MiB beside the");
		assert_true(advised(f) <= 105);
		boot(f);
	}
}

static void modules_are_files_and_not_too_many(void **state)
{
	struct fixture *f = *state;

	make_pvh(f, 64);
	save(f);
	f->modules[0].text = "/nonexistent/module with arguments";
	f->plan.boot.module_count = 1;
	expect_refusal(f, "module `/nonexistent/module`: no such file");
	for (size_t i = 0; i < 65; i++)
		f->modules[i].text = f->files[0];
	f->plan.boot.module_count = 65;
	expect_refusal(f, "the kernel has 65 modules; 64 are taken at most");
	f->plan.boot.module_count = 64;
	boot(f);
	assert_int_equal(info(f, 12, 4), 64);
}

static void a_command_line_has_a_limit(void **state)
{
	struct fixture *f = *state;
	char *line = calloc(1, 0x10001);

	assert_non_null(line);
	memset(line, 'x', 0x10000);
	f->plan.boot.cmdline = line;
	make_pvh(f, 64);
	expect_damage(f, "the command line has 65536 characters; this kernel takes 65535");
	line[0xffff] = 0;
	boot(f);
	assert_int_equal(strlen((const char *)ram(f, info(f, 24, 8), 0x10000)), 0xffff);
	f->plan.boot.cmdline = "";
	close_all(f);
	free(line);
}

static void a_reset_loads_everything_again(void **state)
{
	struct fixture *f = *state;
	char texts[2][128];

	name_modules(f, texts);
	for (unsigned i = 0; i < 2; i++) {
		make_pvh(f, 64);
		if (i)
			put_header(f, HEADER, 7);
		boot(f);
		struct mw_cpu_state first = f->cpu;
		uint8_t page[PAGE];

		memcpy(page, ram(f, first.gdt.base, PAGE), PAGE);
		for (unsigned at = 0; at < 64 * MIB; at += MIB)
			memset(mw_machine_ram(f->machine, at, MIB), 0, MIB);
		memset(mw_machine_ram(f->machine, SECOND, 0x5000), 0xee, 0x5000);
		assert_true(load(f));
		assert_memory_equal(&f->cpu, &first, sizeof(first));
		assert_memory_equal(ram(f, first.gdt.base, PAGE), page, PAGE);
		expect_segments(f);
	}
}

static void files_that_change_between_resets_are_errors(void **state)
{
	struct fixture *f = *state;

	f->plan.boot.initrd_path = f->files[0];
	make_pvh(f, 64);
	boot(f);
	assert_int_equal(truncate(f->files[0], 100), 0);
	assert_false(load(f));
	assert_non_null(strstr(last(f)->message, "initrd"));
	boot(f);
	assert_int_equal(truncate(f->kernel, DATA), 0);
	assert_false(load(f));
	assert_non_null(strstr(last(f)->message, "has changed since the machine was started"));
}

/* GDT entries that a kernel which reloads its segments before it has a GDT of its own needs. */
static void the_gdt_in_memory_says_what_the_cpu_has(void **state)
{
	struct fixture *f = *state;

	make_pvh(f, 32);
	boot(f);
	const enum mw_segment_name names[] = { MW_CS, MW_DS };

	for (size_t i = 0; i < 2; i++) {
		const struct mw_segment *segment = &f->cpu.segment[names[i]];
		uint64_t entry = mw_get_le(ram(f, f->cpu.gdt.base + segment->selector, 8), 8);

		assert_int_equal(entry >> 40 & 0xf0ff, segment->attributes);
		assert_int_equal(entry & 0xffff, 0xffff);
		assert_int_equal(entry >> 48 & 0xf, 0xf);
	}
}

static void multiboot_enters_flat_protected_mode_with_the_magic(void **state)
{
	struct fixture *f = *state;

	for (unsigned bits = 32; bits <= 64; bits += 32) {
		make_elf(f, bits);
		put_header(f, HEADER, 3);
		boot(f);
		expect_flat_protected_mode(&f->cpu);
		assert_int_equal(f->cpu.gpr[MW_RAX], 0x2badb002);
		assert_int_equal(f->cpu.rip, FIRST + 0x40); /* the header has the virtual address */
		expect_segments(f);
	}
	mw_put_le(f->image + 24, 8, SECOND + 8); /* a physical one is as good */
	boot(f);
	assert_int_equal(f->cpu.rip, SECOND + 8);
	mw_put_le(f->image + 24, 8, VIRTUAL + 0x1000);
	expect_damage(f, "is damaged: its entry 0x40001000 lies in none of its segments");
}

static void multiboot_is_preferred_to_pvh(void **state)
{
	struct fixture *f = *state;

	make_pvh(f, 32);
	put_header(f, 0x400, 0);
	boot(f);
	assert_int_equal(f->cpu.gpr[MW_RAX], 0x2badb002);
}

static void multiboot_tells_memory_as_e820_does(void **state)
{
	struct fixture *f = *state;
	struct mw_arena arena = { 0 };
	struct mw_acpi_tables acpi;
	struct mw_e820_entry map[128];

	make_elf(f, 32);
	put_header(f, HEADER, 2);
	boot(f);
	assert_true(mw_acpi_build(&acpi, &f->plan, &arena, &f->diagnostics));
	size_t count = mw_e820(&f->plan, &acpi, map, 128);

	assert_int_equal(info(f, 0, 4) & 0x41, 0x41);
	assert_int_equal(info(f, 4, 4), 640);
	assert_int_equal(info(f, 8, 4), 63 * 1024 - 4); /* without the tables' page */
	assert_int_equal(info(f, 44, 4), count * 24);
	const uint8_t *entry = ram(f, info(f, 48, 4), count * 24);

	for (size_t i = 0; i < count; i++, entry += 24) {
		assert_int_equal(mw_get_le(entry, 4), 20);
		assert_int_equal(mw_get_le(entry + 4, 8), map[i].base);
		assert_int_equal(mw_get_le(entry + 12, 8), map[i].length);
		assert_int_equal(mw_get_le(entry + 20, 4), map[i].type);
	}
	mw_arena_fini(&arena);
	f->plan.boot.tables = 0;
	f->ram[0].length = 0x90000;
	f->ram[1] = (struct mw_plan_range){ MIB, 7 * MIB };
	f->ram[2] = (struct mw_plan_range){ 8 * MIB, MIB };
	f->ram[3] = (struct mw_plan_range){ 10 * MIB, 20 * MIB };
	f->plan.ram_count = 4;
	boot(f);
	assert_int_equal(info(f, 4, 4), 576);
	assert_int_equal(info(f, 8, 4), 8 * 1024); /* up to the first hole */
}

static void multiboot_tells_command_line_and_loader(void **state)
{
	struct fixture *f = *state;

	make_elf(f, 32);
	put_header(f, HEADER, 0);
	boot(f);
	/* memory, command line, modules (none), map, loader's name: nothing else is known */
	assert_int_equal(info(f, 0, 4), 0x24d);
	assert_string_equal(text_at(f, info(f, 16, 4)), "console=ttyS0");
	assert_string_equal(text_at(f, info(f, 64, 4)), "Millwright");
	assert_int_equal(info(f, 20, 4), 0);
	assert_int_equal(info(f, 12, 4), 0); /* no boot device */
}

static void multiboot_modules_follow_the_kernel_page_by_page(void **state)
{
	static const char *const strings[] = { "", "one  root=x", "" };
	struct fixture *f = *state;
	char texts[2][128];

	name_modules(f, texts);
	make_elf(f, 32);
	put_header(f, HEADER, 1);
	boot(f);
	assert_int_equal(info(f, 0, 4) & 8, 8);
	assert_int_equal(info(f, 20, 4), 3);
	const uint8_t *entry = ram(f, info(f, 24, 4), 3 * 16);

	for (size_t i = 0; i < 3; i++, entry += 16) {
		uint64_t base = mw_get_le(entry, 4);

		assert_int_equal(base, SECOND + 0x5000 + i * 2 * PAGE);
		assert_int_equal(mw_get_le(entry + 4, 4), base + 5000);
		assert_string_equal(text_at(f, mw_get_le(entry + 8, 4)), strings[i]);
		assert_int_equal(mw_get_le(entry + 12, 4), 0);
		assert_int_equal(ram(f, base, 1)[0], i == 1 ? 0x50 : 0x51);
	}
}

/* A screen is described to who asks for it, and only where RAM does not lie in its place. */
static void multiboot_describes_the_text_screen_on_request(void **state)
{
	struct fixture *f = *state;

	make_elf(f, 32);
	put_header(f, HEADER, 4);
	boot(f);
	assert_int_equal(info(f, 0, 4) & 0x1000, 0);
	f->ram[0].length = 0xa0000;
	f->ram[1] = (struct mw_plan_range){ MIB, 63 * MIB };
	f->plan.ram_count = 2;
	boot(f);
	assert_int_equal(info(f, 0, 4) & 0x1800, 0x1000); /* and no VBE */
	assert_int_equal(info(f, 88, 8), 0xb8000);
	assert_int_equal(info(f, 96, 4), 160);
	assert_int_equal(info(f, 100, 4), 80);
	assert_int_equal(info(f, 104, 4), 25);
	assert_int_equal(info(f, 108, 1), 16);
	assert_int_equal(info(f, 109, 1), 2);
	put_header(f, HEADER, 0);
	boot(f);
	assert_int_equal(info(f, 0, 4) & 0x1800, 0);
}

static void the_bios_data_area_tells_the_low_memory(void **state)
{
	struct fixture *f = *state;

	make_elf(f, 32);
	put_header(f, HEADER, 0);
	boot(f);
	assert_int_equal(mw_get_le(ram(f, 0x413, 2), 2), 640);
	put_field(f, 1, 3, 0); /* a kernel there comes first */
	boot(f);
	assert_memory_equal(ram(f, 0x400, 0x100), f->image + DATA + 0x400, 0x100);
}

static void a_plain_file_is_loaded_by_its_headers_addresses(void **state)
{
	struct fixture *f = *state;
	static const uint8_t zeroes[0x2000];

	make_plain(f);
	boot(f);
	assert_int_equal(f->cpu.rip, FIRST + 0x1200);
	assert_memory_equal(ram(f, FIRST, 0x4000), f->image, 0x4000);
	assert_memory_equal(ram(f, FIRST + 0x4000, 0x2000), zeroes, 0x2000);
	mw_put_le(f->image + HEADER + 16, 4, FIRST + 0x800); /* what lies before is left out */
	boot(f);
	assert_memory_equal(ram(f, FIRST + 0x800, 0x3800), f->image + 0x800, 0x3800);
	mw_put_le(f->image + HEADER + 20, 4, 0); /* no ends: all of the file and no bss */
	mw_put_le(f->image + HEADER + 24, 4, 0);
	boot(f);
	assert_memory_equal(ram(f, FIRST + 0x800, ROOM - 0x800), f->image + 0x800, ROOM - 0x800);
}

static void addresses_in_the_header_outweigh_elf(void **state)
{
	struct fixture *f = *state;

	make_plain(f);
	memcpy(f->image, "\177ELF", 4);
	boot(f);
	assert_memory_equal(ram(f, FIRST, 0x4000), f->image, 0x4000);
}

static void damaged_multiboot_headers_are_refused(void **state)
{
	static const struct {
		unsigned at;
		uint32_t value;
		const char *message;
	} cases[] = {
		{ 12, FIRST - 1, "lies where its load address cannot be" },
		{ 12, FIRST + HEADER + 1, "lies where its load address cannot be" },
		{ 16, 0, "lies where its load address cannot be" },
		{ 20, FIRST + HEADER, "has a load end below itself" },
		{ 20, 1, "has a load end below itself" },
		{ 20, FIRST + ROOM + 1, "is truncated: its multiboot header tells of 32769 bytes" },
		{ 20, 0xffffffff, "is truncated: its multiboot header tells of" },
		{ 24, FIRST + 0x3fff, "has a bss that ends before it begins" },
		{ 24, 0xffffffff, "for its segment 0" },
		{ 28, FIRST - 1, "has an entry outside of what it loads" },
		{ 28, FIRST + 0x6000, "has an entry outside of what it loads" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_plain(f);
		mw_put_le(f->image + HEADER + cases[i].at, 4, cases[i].value);
		expect_damage(f, cases[i].message);
	}
	make_plain(f);
	put_header(f, HEADER, 0);
	expect_damage(f, "tells no addresses, and the file is no ELF file");
}

static void requirements_that_are_not_known_are_refused(void **state)
{
	struct fixture *f = *state;

	for (unsigned bit = 0; bit < 32; bit++) {
		make_elf(f, 32);
		if (bit == 16)
			continue;
		put_header(f, HEADER, 1u << bit);
		if (bit < 3 || bit > 15) {
			boot(f);
			continue;
		}
		char text[64];

		snprintf(text, sizeof(text), "does not know: flags 0x%x of its header", 1u << bit);
		expect_damage(f, text);
	}
}

static void a_multiboot_header_lies_in_the_first_8_kib_on_4_bytes(void **state)
{
	static const struct {
		unsigned at;
		bool found;
	} cases[] = { { 0x400, true }, { 0x402, false }, { 8192 - 12, true }, { 8192 - 8, false } };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_elf(f, 32);
		put_header(f, cases[i].at, 0);
		if (cases[i].found)
			boot(f);
		else
			expect_damage(f, "neither a PVH entry nor a multiboot 1 header");
	}
	make_elf(f, 32);
	put_header(f, 0x400, 0);
	f->image[0x408]++;
	expect_damage(f, "neither a PVH entry nor a multiboot 1 header");
	put_header(f, 0x800, 0); /* the search goes on */
	boot(f);
	make_elf(f, 32);
	put_header(f, 8192 - 16, 1 << 16);
	expect_damage(f,
		      "is damaged: its multiboot header at 0x1ff0 has 32 bytes and ends after 16");
	put_header(f, 8192 - 44, 4);
	memset(f->image + 8192 - 16, 0, 16);
	expect_damage(f, "has 48 bytes and ends after 44");
}

static void the_key_linux_takes_them_too(void **state)
{
	struct fixture *f = *state;

	f->plan.boot.elf_path = NULL;
	f->plan.boot.linux_path = f->kernel;
	make_pvh(f, 64);
	boot(f);
	assert_int_equal(info(f, 0, 4), 0x336ec578);
	put_header(f, HEADER, 0);
	boot(f);
	assert_int_equal(f->cpu.gpr[MW_RAX], 0x2badb002);
}

static void a_bzimage_with_a_multiboot_header_is_what_it_is_named(void **state)
{
	struct fixture *f = *state;

	make_plain(f);
	memcpy(f->image + 0x202, "HdrS", 4);
	boot(f);
	assert_int_equal(f->cpu.gpr[MW_RAX], 0x2badb002);
	f->plan.boot.elf_path = NULL;
	f->plan.boot.linux_path = f->kernel;
	expect_damage(f, "is not a Linux kernel: it has no boot header"); /* looked at as one */
}

static void other_kinds_of_files_are_named(void **state)
{
	struct fixture *f = *state;

	memcpy(f->image, "\x1f\x8b", 2);
	expect_damage(f, "is compressed (gzip)");
	memcpy(f->image, "#!", 2);
	expect_damage(f, "is neither an ELF file nor a multiboot 1 kernel");
}

static void without_low_ram_the_information_lies_higher(void **state)
{
	struct fixture *f = *state;

	f->ram[0] = (struct mw_plan_range){ MIB, 63 * MIB };
	make_elf(f, 32);
	put_header(f, HEADER, 0);
	boot(f);
	assert_int_equal(f->cpu.gdt.base, MIB);
	assert_int_equal(info(f, 4, 4), 0);
	/* all there is, is the kernel's */
	f->plan.boot.tables = 0;
	f->ram[0] = (struct mw_plan_range){ FIRST, 0x1000 };
	f->ram[1] = (struct mw_plan_range){ SECOND, 0x5000 };
	f->plan.ram_count = 2;
	expect_damage(f, "bytes of free RAM for what the kernel is told");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(pvh_enters_flat_protected_mode_at_the_notes_address),
		TEST(pvh_start_info_has_all_its_fields),
		TEST(pvh_modules_begin_with_the_initrd),
		TEST(the_pvh_note_is_known_by_name_type_and_size),
		TEST(notes_may_be_aligned_to_8_bytes),
		TEST(notes_that_run_over_their_segment_end_the_search),
		TEST(damaged_elf_files_are_refused),
		TEST(too_many_notes_are_refused),
		TEST(every_truncation_of_an_elf_file_is_refused),
		TEST(a_segment_beyond_ram_names_how_much_is_enough),
		TEST(a_segment_in_a_hole_gets_no_advice),
		TEST(a_module_beyond_ram_names_how_much_is_enough),
		TEST(modules_are_files_and_not_too_many),
		TEST(a_command_line_has_a_limit),
		TEST(a_reset_loads_everything_again),
		TEST(files_that_change_between_resets_are_errors),
		TEST(the_gdt_in_memory_says_what_the_cpu_has),
		TEST(multiboot_enters_flat_protected_mode_with_the_magic),
		TEST(multiboot_is_preferred_to_pvh),
		TEST(multiboot_tells_memory_as_e820_does),
		TEST(multiboot_tells_command_line_and_loader),
		TEST(multiboot_modules_follow_the_kernel_page_by_page),
		TEST(multiboot_describes_the_text_screen_on_request),
		TEST(the_bios_data_area_tells_the_low_memory),
		TEST(a_plain_file_is_loaded_by_its_headers_addresses),
		TEST(addresses_in_the_header_outweigh_elf),
		TEST(damaged_multiboot_headers_are_refused),
		TEST(requirements_that_are_not_known_are_refused),
		TEST(a_multiboot_header_lies_in_the_first_8_kib_on_4_bytes),
		TEST(the_key_linux_takes_them_too),
		TEST(a_bzimage_with_a_multiboot_header_is_what_it_is_named),
		TEST(other_kinds_of_files_are_named),
		TEST(without_low_ram_the_information_lies_higher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
