/** The Linux loader with a kernel made by hand, and with Debian's where it has been fetched. */
// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/boot/boot.h"
#include "core/bytes.h"
#include "core/cpu_state.h"
#include "core/diagnostics.h"
#include "core/tables/tables.h"

enum {
	MIB = 1 << 20,
	SETUP = 1024,
	PAYLOAD = 64 << 10,
	PREFERRED = 16 * MIB,
	INIT_SIZE = 8 * MIB,
	INITRD = 5000
};

struct fixture {
	char folder[64], kernel[80], initrd[80];
	uint8_t image[SETUP + PAYLOAD];
	struct mw_plan_range ram[200];
	struct mw_plan plan;
	struct mw_diagnostics diagnostics;
	struct mw_boot *boot;
	struct mw_machine *machine;
	struct mw_cpu_state cpu;
};

/** Writes into the file as it is, without a new inode. */
static void write_file(const char *path, const void *bytes, size_t count)
{
	FILE *out = fopen(path, "wb");
	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, count, out), count);
	fclose(out);
}

static void make_image(uint8_t *image)
{
	memset(image, 0, SETUP);
	memcpy(image, "MZ", 2);
	image[0x1f1] = 1;
	mw_put_le(image + 0x1f4, 4, PAYLOAD / 16);
	mw_put_le(image + 0x1fe, 2, 0xaa55);
	mw_put_le(image + 0x200, 2, 0x6aeb);
	memcpy(image + 0x202, "HdrS", 4);
	mw_put_le(image + 0x206, 2, 0x20f);
	image[0x211] = 1;
	mw_put_le(image + 0x22c, 4, 0x7fffffff);
	mw_put_le(image + 0x230, 4, 2 * MIB);
	image[0x234] = 1;
	mw_put_le(image + 0x236, 2, 3);
	mw_put_le(image + 0x238, 4, 2047);
	mw_put_le(image + 0x250, 8, 0xdeadbeef);
	mw_put_le(image + 0x258, 8, PREFERRED);
	mw_put_le(image + 0x260, 4, INIT_SIZE);
	for (size_t i = 0; i < PAYLOAD; i++)
		image[SETUP + i] = (uint8_t)(i * 7 + (i >> 8));
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint8_t initrd[INITRD];
	snprintf(f->folder, sizeof(f->folder), "/tmp/linux_boot.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->kernel, sizeof(f->kernel), "%s/vmlinuz", f->folder);
	snprintf(f->initrd, sizeof(f->initrd), "%s/initrd", f->folder);
	make_image(f->image);
	write_file(f->kernel, f->image, sizeof(f->image));
	memset(initrd, 0x5a, sizeof(initrd));
	write_file(f->initrd, initrd, sizeof(initrd));
	f->ram[0].length = 64 * MIB;
	f->plan = (struct mw_plan){ .name = "test",
				    .arch = "x86_64",
				    .ram = f->ram,
				    .ram_count = 1,
				    .ram_bytes = 64 * MIB,
				    .cpu = { .count = 1, .sockets = 1, .cores = 1, .threads = 1 },
				    .boot = { .linux_path = f->kernel,
					      .cmdline = "console=ttyS0",
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
	unlink(f->initrd);
	rmdir(f->folder);
	free(f);
	return 0;
}

static bool load(struct fixture *f)
{
	mw_cpu_state_reset(&f->cpu, true);
	return mw_boot_load(f->boot, f->machine, &f->cpu, &f->diagnostics);
}

/** Opens, builds the machine and loads once. */
static bool boot(struct fixture *f)
{
	close_all(f);
	return mw_boot_open(&f->boot, &f->plan, &f->diagnostics) &&
	       mw_machine_build(&f->machine, &f->plan, &f->diagnostics) && load(f);
}

static const uint8_t *ram(struct fixture *f, uint64_t address, uint64_t count)
{
	const uint8_t *bytes = mw_machine_ram(f->machine, address, count);
	assert_non_null(bytes);
	return bytes;
}

static uint64_t zero_page(struct fixture *f, unsigned at, unsigned size)
{
	return mw_get_le(ram(f, f->cpu.gpr[MW_RSI], 4096) + at, size);
}

static const struct mw_diag *last(const struct fixture *f)
{
	assert_true(f->diagnostics.count > 0);
	return f->diagnostics.items[f->diagnostics.count - 1];
}

/** Opening fails with one error whose message has `text` in it. */
static void expect_refusal(struct fixture *f, const char *text)
{
	size_t before = f->diagnostics.errors;
	assert_false(mw_boot_open(&f->boot, &f->plan, &f->diagnostics));
	assert_null(f->boot);
	assert_int_equal(f->diagnostics.errors, before + 1);
	if (!strstr(last(f)->message, text))
		fail_msg("`%s` is not in `%s`", text, last(f)->message);
}

static void the_payload_lies_where_the_kernel_prefers_it(void **state)
{
	struct fixture *f = *state;
	assert_true(boot(f));
	assert_memory_equal(ram(f, PREFERRED, PAYLOAD), f->image + SETUP, PAYLOAD);
	assert_int_equal(f->cpu.rip, PREFERRED + 0x200);
	assert_int_equal(zero_page(f, 0x214, 4), PREFERRED);
}

static void the_cpu_enters_long_mode_with_interrupts_off(void **state)
{
	struct fixture *f = *state;
	assert_true(boot(f));
	assert_int_equal(f->cpu.cr0 & 0x80000001, 0x80000001);
	assert_int_equal(f->cpu.cr4 & 0x20, 0x20);
	assert_int_equal(f->cpu.mtrr_def_type, 0x806); /* enabled, write-back */
	assert_int_equal(f->cpu.efer & 0x500, 0x500);
	assert_int_equal(f->cpu.rflags, 2);
	assert_int_equal(f->cpu.segment[MW_CS].selector, 0x10);
	assert_int_equal(f->cpu.segment[MW_CS].attributes, 0xa09b);
	const enum mw_segment_name flat[] = { MW_DS, MW_ES, MW_SS };
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(f->cpu.segment[flat[i]].selector, 0x18);
		assert_int_equal(f->cpu.segment[flat[i]].attributes, 0xc093);
		assert_int_equal(f->cpu.segment[flat[i]].limit, 0xffffffff);
		assert_int_equal(f->cpu.segment[flat[i]].base, 0);
	}
	assert_int_equal(f->cpu.gpr[MW_RBX] | f->cpu.gpr[MW_RBP] | f->cpu.gpr[MW_RDI], 0);
	assert_int_equal(f->cpu.run, MW_CPU_RUNNABLE);
}

static void a_32_bit_kernel_is_entered_in_protected_mode(void **state)
{
	struct fixture *f = *state;
	mw_put_le(f->image + 0x236, 2, 0); /* xloadflags: no 64-bit entry */
	write_file(f->kernel, f->image, sizeof(f->image));
	assert_true(boot(f));
	assert_int_equal(f->cpu.rip, PREFERRED);
	assert_int_equal(f->cpu.cr0 & 0x80000001, 1);
	assert_int_equal(f->cpu.cr4, 0);
	assert_int_equal(f->cpu.efer, 0);
	assert_int_equal(f->cpu.rflags, 2);
	assert_int_equal(f->cpu.segment[MW_CS].selector, 0x10);
	assert_int_equal(f->cpu.segment[MW_CS].attributes, 0xc09b);
	assert_int_equal(f->cpu.segment[MW_DS].selector, 0x18);
	assert_int_equal(f->cpu.segment[MW_DS].attributes, 0xc093);
	assert_int_equal(zero_page(f, 0x214, 4), PREFERRED);
	assert_int_equal(mw_get_le(ram(f, f->cpu.gdt.base + 0x10, 8), 8), 0x00cf9b000000ffff);
}

static void the_gdt_in_memory_says_what_the_cpu_has(void **state)
{
	struct fixture *f = *state;
	assert_true(boot(f));
	assert_true(f->cpu.gdt.limit >= 0x1f);
	const enum mw_segment_name names[] = { MW_CS, MW_DS };
	for (size_t i = 0; i < 2; i++) {
		const struct mw_segment *segment = &f->cpu.segment[names[i]];
		uint64_t entry = mw_get_le(ram(f, f->cpu.gdt.base + segment->selector, 8), 8);
		assert_int_equal(entry >> 40 & 0xf0ff, segment->attributes);
		assert_int_equal(entry & 0xffff, 0xffff);    /* limit */
		assert_int_equal(entry >> 48 & 0xf, 0xf);    /* limit, high */
		assert_int_equal(entry >> 16 & 0xffffff, 0); /* base */
		assert_int_equal(entry >> 56, 0);            /* base, high */
	}
}

/** Walks the page tables (SDM vol. 3, 4.5.4); 2 MiB pages only. */
static uint64_t translate(struct fixture *f, uint64_t address)
{
	uint64_t table = f->cpu.cr3;
	for (int shift = 39; shift >= 21; shift -= 9) {
		uint64_t entry = mw_get_le(ram(f, table + (address >> shift & 511) * 8, 8), 8);
		if ((entry & 3) != 3)
			return UINT64_MAX;
		assert_int_equal((entry & 0x80) != 0, shift == 21);
		table = entry & 0xffffffffff000;
	}
	return table + (address & 0x1fffff);
}

static void the_first_4g_are_mapped_to_themselves(void **state)
{
	struct fixture *f = *state;
	assert_true(boot(f));
	const uint64_t addresses[] = { 0, 0x1fffff, 0x200000, 0x40000000, 0xfee00000, 0xffffffff };
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		assert_int_equal(translate(f, addresses[i]), addresses[i]);
	assert_int_equal(translate(f, 0x100000000), UINT64_MAX);
}

static void the_zero_page_has_the_header_and_what_a_loader_adds(void **state)
{
	struct fixture *f = *state;
	f->plan.boot.initrd_path = f->initrd;
	assert_true(boot(f));
	assert_int_equal(zero_page(f, 0x1fe, 2), 0xaa55);
	assert_int_equal(zero_page(f, 0x202, 4), 0x53726448);
	assert_int_equal(zero_page(f, 0x258, 8), PREFERRED);
	assert_int_equal(zero_page(f, 0x210, 1), 0xff);
	assert_int_equal(zero_page(f, 0x1ef, 1), 0); /* the sentinel */
	assert_int_equal(zero_page(f, 0x250, 8), 0); /* no setup_data but ours */
	assert_int_equal(zero_page(f, 0x70, 8), 0xe0000);
	assert_string_equal((const char *)ram(f, zero_page(f, 0x228, 4), 64), "console=ttyS0");
	assert_int_equal(zero_page(f, 0x21c, 4), INITRD);
	const uint8_t *initrd = ram(f, zero_page(f, 0x218, 4), INITRD);
	assert_int_equal(initrd[0], 0x5a);
	assert_int_equal(initrd[INITRD - 1], 0x5a);
}

static void the_memory_map_is_the_tables_own(void **state)
{
	struct fixture *f = *state;
	struct mw_arena arena = { 0 };
	struct mw_acpi_tables acpi;
	struct mw_e820_entry map[128];
	assert_true(boot(f));
	assert_true(mw_acpi_build(&acpi, &f->plan, &arena, &f->diagnostics));
	size_t count = mw_e820(&f->plan, &acpi, map, 128);
	assert_int_equal(zero_page(f, 0x1e8, 1), count);
	assert_int_equal(count, 4);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(zero_page(f, 0x2d0 + i * 20, 8), map[i].base);
		assert_int_equal(zero_page(f, 0x2d8 + i * 20, 8), map[i].length);
		assert_int_equal(zero_page(f, 0x2e0 + i * 20, 4), map[i].type);
	}
	mw_arena_fini(&arena);
	f->plan.boot.tables = 0;
	assert_true(boot(f));
	assert_int_equal(zero_page(f, 0x1e8, 1), 1);
	assert_int_equal(zero_page(f, 0x70, 8), 0);
}

static void an_initrd_lies_as_high_as_it_may(void **state)
{
	struct fixture *f = *state;
	f->plan.boot.initrd_path = f->initrd;
	assert_true(boot(f));
	/* the top page is the tables', two hold the initrd */
	assert_int_equal(zero_page(f, 0x218, 4), 64 * MIB - 3 * 4096);
	mw_put_le(f->image + 0x22c, 4, 40 * MIB - 1);
	write_file(f->kernel, f->image, sizeof(f->image));
	assert_true(boot(f));
	assert_int_equal(zero_page(f, 0x218, 4), 40 * MIB - 2 * 4096);
	mw_put_le(f->image + 0x22c, 4, 20 * MIB); /* inside the kernel: then below it */
	write_file(f->kernel, f->image, sizeof(f->image));
	assert_true(boot(f));
	assert_int_equal(zero_page(f, 0x218, 4), PREFERRED - 2 * 4096);
}

/* RAM above the hole below 4 GiB is in the map, but what the loader places is where it can reach. */
static void with_8g_of_ram_all_is_placed_below_the_hole(void **state)
{
	struct fixture *f = *state;
	f->plan.boot.initrd_path = f->initrd;
	f->plan.boot.tables = MW_TABLES_ACPI;
	f->ram[0].length = 3072ull * MIB;
	f->ram[1] = (struct mw_plan_range){ 4096ull * MIB, 5120ull * MIB };
	f->plan.ram_count = 2;
	f->plan.ram_bytes = 8192ull * MIB;
	assert_true(boot(f));
	assert_int_equal(f->cpu.rip, PREFERRED + 0x200);
	assert_int_equal(zero_page(f, 0x218, 4), 2048ull * MIB - 2 * 4096); /* the kernel's limit */
	unsigned last_entry = (unsigned)zero_page(f, 0x1e8, 1) - 1;
	assert_int_equal(zero_page(f, 0x2d0 + 20 * last_entry, 8), 4096ull * MIB);
	assert_int_equal(zero_page(f, 0x2d0 + 20 * last_entry + 8, 8), 5120ull * MIB);
}

static void a_kernel_moves_up_where_its_place_is_no_ram(void **state)
{
	struct fixture *f = *state;
	f->ram[0].length = 20 * MIB;
	f->ram[1] = (struct mw_plan_range){ 33 * MIB, 30 * MIB };
	f->plan.ram_count = 2;
	assert_true(boot(f));
	assert_int_equal(f->cpu.rip, 34 * MIB + 0x200);
	assert_memory_equal(ram(f, 34 * MIB, PAYLOAD), f->image + SETUP, PAYLOAD);
	f->image[0x234] = 0;
	write_file(f->kernel, f->image, sizeof(f->image));
	close_all(f);
	expect_refusal(f, "does not fit the machine's RAM of 64 MiB: it needs 8 MiB in one piece");
	assert_string_equal(last(f)->notes->text, "it runs at 0x1000000 and nowhere else");
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

static void too_little_ram_names_how_much_is_enough(void **state)
{
	struct fixture *f = *state;
	f->ram[0].length = f->plan.ram_bytes = 20 * MIB;
	expect_refusal(f, "does not fit the machine's RAM of 20 MiB: it needs 8 MiB in one piece");
	assert_int_equal(advised(f), 25);
	assert_true(boot(f));
	close_all(f);
	assert_int_equal(truncate(f->initrd, 100 * MIB), 0);
	f->plan.boot.initrd_path = f->initrd;
	expect_refusal(f, "initrd");
	assert_non_null(strstr(last(f)->message, "it needs 100 MiB beside the kernel"));
	assert_int_equal(advised(f), 125);
	assert_true(boot(f));
}

static void an_initrd_beyond_every_cure_gets_no_advice(void **state)
{
	struct fixture *f = *state;
	mw_put_le(f->image + 0x22c, 4, 40 * MIB);
	write_file(f->kernel, f->image, sizeof(f->image));
	assert_int_equal(truncate(f->initrd, 30 * MIB), 0);
	f->plan.boot.initrd_path = f->initrd;
	expect_refusal(f, "initrd");
	assert_null(last(f)->help);
}

static void a_long_command_line_is_refused_with_the_limit(void **state)
{
	struct fixture *f = *state;
	char line[2049];
	memset(line, 'x', sizeof(line));
	line[2048] = 0;
	f->plan.boot.cmdline = line;
	expect_refusal(f, "the command line has 2048 characters; this kernel takes 2047");
	line[2047] = 0;
	assert_true(boot(f));
	assert_string_equal((const char *)ram(f, zero_page(f, 0x228, 4), 2048), line);
}

static void a_map_of_too_many_pieces_is_refused(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 130; i++)
		f->ram[1 + i] = (struct mw_plan_range){ (65 + 2 * i) * (uint64_t)MIB, MIB };
	f->plan.ram_count = 131;
	expect_refusal(f, "the memory map has 134 ranges; a kernel takes 128");
	f->plan.ram_count = 125;
	assert_true(boot(f));
}

static void a_machine_without_low_ram_is_refused(void **state)
{
	struct fixture *f = *state;
	f->ram[0] = (struct mw_plan_range){ MIB, 63 * MIB };
	expect_refusal(f, "no free RAM at 0x10000-0x2ffff");
}

static void damaged_headers_are_refused(void **state)
{
	static const struct {
		unsigned at, size;
		uint64_t value;
		const char *message;
	} cases[] = {
		{ 0x202, 1, 'X', "is an EFI program and no Linux kernel for x86" },
		{ 0x1fe, 1, 0, "is not a Linux kernel: it has no boot header" },
		{ 0x206, 2, 0x20b, "speaks boot protocol 2.11; 2.12 is the oldest" },
		{ 0x211, 1, 0, "is a zImage" },
		{ 0x201, 1, 0x61, "is damaged: its header ends at 0x263" },
		{ 0x1f4, 4, 0, "is damaged: its header tells of no code" },
		{ 0x1f4, 4, 32, "is damaged: its header tells of no code" },
		{ 0x1f4, 4, 0xffffffff, "tells of 68719477744 bytes, the file has 66560" },
		{ 0x1f4, 4, PAYLOAD / 16 + 1, "tells of 66576 bytes, the file has 66560" },
		{ 0x1f1, 1, 2, "is truncated" },
		{ 0x1f1, 1, 0, "is truncated" }, /* 0 means 4 */
		{ 0x230, 4, 0, "is damaged: its alignment 0x0" },
		{ 0x230, 4, 3, "is damaged: its alignment 0x3" },
		{ 0x258, 8, UINT64_MAX, "does not fit" },
		{ 0x258, 8, 0xfffff000, "does not fit" },
		{ 0x260, 4, 0xffffffff, "does not fit the machine's RAM of 64 MiB: it needs 4096" },
		{ 0x238, 4, 0, "this kernel takes 0" },
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_image(f->image);
		mw_put_le(f->image + cases[i].at, cases[i].size, cases[i].value);
		write_file(f->kernel, f->image, sizeof(f->image));
		expect_refusal(f, cases[i].message);
	}
}

static void other_kinds_of_files_are_named(void **state)
{
	static const struct {
		unsigned at, length;
		const char *bytes, *message;
	} cases[] = {
		{ 0, 2, "\x1f\x8b", "is compressed (gzip)" },
		{ 0, 4, "\x28\xb5\x2f\xfd", "is compressed (zstd)" },
		{ 0x38, 4, "ARM\x64", "is a Linux kernel for arm64" },
		{ 4, 4, "zimg", "is a compressed EFI kernel" },
		{ 0, 6, "070701", "is a cpio archive" },
		{ 0, 6, "#!/bin", "is not a Linux kernel: it has no boot header" },
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t file[4096] = { 0 };
		memcpy(file + cases[i].at, cases[i].bytes, cases[i].length);
		write_file(f->kernel, file, sizeof(file));
		expect_refusal(f, cases[i].message);
	}
}

/* memtest86+ counts its size in units and rounds up. */
static void the_last_unit_of_the_payload_need_not_be_whole(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(truncate(f->kernel, SETUP + PAYLOAD - 15), 0);
	assert_true(boot(f));
	assert_memory_equal(ram(f, PREFERRED, PAYLOAD), f->image + SETUP, PAYLOAD - 15);
	close_all(f);
	assert_int_equal(truncate(f->kernel, SETUP + PAYLOAD - 16), 0);
	expect_refusal(f, "is truncated: its header tells of 66560 bytes, the file has 66544");
}

static void a_bzimage_takes_no_modules_but_an_initrd(void **state)
{
	struct fixture *f = *state;
	struct mw_plan_module module = { .text = f->initrd };
	f->plan.boot.modules = &module;
	f->plan.boot.module_count = 1;
	expect_refusal(f, "a bzImage takes an `initrd` and no other modules");
}

static void the_key_elf_is_for_others(void **state)
{
	struct fixture *f = *state;
	f->plan.boot.elf_path = f->kernel;
	f->plan.boot.linux_path = NULL;
	expect_refusal(f, "is a bzImage and neither an ELF file nor a multiboot kernel");
	assert_string_equal(last(f)->help, "name it by the key `linux` in place of `elf`");
}

static void every_truncation_is_refused(void **state)
{
	struct fixture *f = *state;
	for (size_t length = 1; length < sizeof(f->image); length += length < 1200 ? 1 : 4099) {
		assert_int_equal(truncate(f->kernel, (off_t)length), 0);
		expect_refusal(f, length < 0x264 ? "is truncated: " : "is truncated: its header");
		write_file(f->kernel, f->image, sizeof(f->image));
	}
}

static void a_path_must_lead_to_a_file_that_can_be_read(void **state)
{
	struct fixture *f = *state;
	f->plan.boot.linux_path = f->folder;
	expect_refusal(f, "is a directory");
	f->plan.boot.linux_path = "/nonexistent/vmlinuz";
	expect_refusal(f, "kernel `/nonexistent/vmlinuz`: no such file");
	f->plan.boot.linux_path = "/dev/null";
	expect_refusal(f, "is not a regular file");
	f->plan.boot.linux_path = f->kernel;
	f->plan.boot.initrd_path = "/nonexistent/initrd";
	expect_refusal(f, "initrd `/nonexistent/initrd`: no such file");
	f->plan.boot.initrd_path = f->initrd;
	assert_int_equal(truncate(f->initrd, 0), 0);
	expect_refusal(f, "is empty");
	unlink(f->initrd);
	assert_int_equal(mkfifo(f->initrd, 0600), 0);
	expect_refusal(f, "is not a regular file");
}

static void both_files_are_looked_at_in_one_run(void **state)
{
	struct fixture *f = *state;
	f->plan.boot.linux_path = "/nonexistent/vmlinuz";
	f->plan.boot.initrd_path = "/nonexistent/initrd";
	assert_false(mw_boot_open(&f->boot, &f->plan, &f->diagnostics));
	assert_int_equal(f->diagnostics.errors, 2);
}

static void a_file_that_may_not_be_read_says_so(void **state)
{
	struct fixture *f = *state;
	uid_t user = geteuid();
	assert_int_equal(chmod(f->kernel, 0), 0);
	assert_int_equal(seteuid(user ? user : 65534), 0); /* root may read every file */
	expect_refusal(f, "Permission denied");
	assert_int_equal(seteuid(user), 0);
}

static void a_reset_loads_everything_again(void **state)
{
	struct fixture *f = *state;
	f->plan.boot.initrd_path = f->initrd;
	assert_true(boot(f));
	struct mw_cpu_state first = f->cpu;
	uint8_t page[4096];
	memcpy(page, ram(f, first.gpr[MW_RSI], sizeof(page)), sizeof(page));
	memset(mw_machine_ram(f->machine, 0, 64 * MIB), 0xee, 64 * MIB);
	assert_true(load(f));
	assert_memory_equal(&f->cpu, &first, sizeof(first));
	assert_memory_equal(ram(f, first.gpr[MW_RSI], sizeof(page)), page, sizeof(page));
	assert_memory_equal(ram(f, PREFERRED, PAYLOAD), f->image + SETUP, PAYLOAD);
	assert_int_equal(translate(f, 0xfee00000), 0xfee00000);
}

static void the_machines_reset_runs_loader_and_tables(void **state)
{
	struct fixture *f = *state;
	assert_true(boot(f));
	memset(mw_machine_ram(f->machine, 0, 64 * MIB), 0, 64 * MIB);
	mw_machine_add_reset_hook(f->machine,
				  (struct mw_reset_hook){ "tables", mw_tables_write, NULL });
	mw_machine_add_reset_hook(f->machine,
				  (struct mw_reset_hook){ "linux", mw_boot_load, f->boot });
	assert_true(mw_machine_reset(f->machine, &f->diagnostics));
	uint64_t rsdp = zero_page(f, 0x70, 8);
	assert_memory_equal(ram(f, rsdp, 36), "RSD PTR ", 8);
	uint64_t xsdt = mw_get_le(ram(f, rsdp, 36) + 24, 8);
	assert_memory_equal(ram(f, xsdt, 4), "XSDT", 4);
	assert_memory_equal(ram(f, mw_get_le(ram(f, xsdt, 52) + 36, 8), 4), "FACP", 4);
	assert_memory_equal(ram(f, PREFERRED, PAYLOAD), f->image + SETUP, PAYLOAD);
}

static void routing_table_without_a_router_is_refused(void **state)
{
	struct fixture *f = *state;
	assert_true(boot(f));
	f->plan.boot.tables = MW_TABLES_ACPI | MW_TABLES_PIR;
	assert_false(mw_tables_write(NULL, f->machine, &f->cpu, &f->diagnostics));
	assert_string_equal(last(f)->message,
			    "there is no PCI interrupt router that a table of kind `pir` could be "
			    "about");
}

static void a_file_that_shrinks_between_resets_is_an_error(void **state)
{
	struct fixture *f = *state;
	f->plan.boot.initrd_path = f->initrd;
	assert_true(boot(f));
	assert_int_equal(truncate(f->kernel, 2000), 0);
	assert_false(load(f));
	assert_non_null(strstr(last(f)->message, "has changed since the machine was started"));
	write_file(f->kernel, f->image, sizeof(f->image));
	assert_true(boot(f));
	assert_int_equal(truncate(f->initrd, 0), 0);
	assert_false(load(f));
	assert_non_null(strstr(last(f)->message, "initrd"));
}

static void a_file_that_is_rewritten_between_resets_is_an_error(void **state)
{
	struct fixture *f = *state;
	assert_true(boot(f));
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1 } };
	f->image[0x1f4] ^= 0xff;
	write_file(f->kernel, f->image, sizeof(f->image));
	assert_int_equal(utimensat(AT_FDCWD, f->kernel, times, 0), 0);
	assert_false(load(f));
	assert_non_null(strstr(last(f)->message, "has changed since the machine was started"));
}

static void a_file_that_is_replaced_stays_what_it_was(void **state)
{
	struct fixture *f = *state;
	assert_true(boot(f));
	unlink(f->kernel);
	write_file(f->kernel, "another", 7);
	assert_true(load(f));
	assert_memory_equal(ram(f, PREFERRED, PAYLOAD), f->image + SETUP, PAYLOAD);
}

static void debians_kernel_is_taken_as_it_is(void **state)
{
	struct fixture *f = *state;
	const char *guests = getenv("MW_GUESTS");
	char path[4096];
	snprintf(path, sizeof(path), "%s/vmlinuz", guests ? guests : "build/guests");
	if (access(path, R_OK) != 0) {
		print_message("%s has not been fetched: run tools/guests\n", path);
		skip();
	}
	f->plan.boot.linux_path = path;
	f->ram[0].length = f->plan.ram_bytes = 128 * MIB;
	f->plan.boot.initrd_path = f->initrd;
	if (!boot(f))
		mw_diagnostics_print(&f->diagnostics, stderr, MW_DIAG_FULL, false);
	assert_non_null(f->machine);
	assert_int_equal(f->cpu.rip, 0x1000200);
	/* a 64-bit entry begins with cld; cli */
	assert_memory_equal(ram(f, f->cpu.rip, 2), "\xfc\xfa", 2);
	f->ram[0].length = f->plan.ram_bytes = 32 * MIB;
	close_all(f);
	expect_refusal(f, "does not fit the machine's RAM of 32 MiB");
	advised(f);
	assert_true(boot(f));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_payload_lies_where_the_kernel_prefers_it),
		TEST(the_cpu_enters_long_mode_with_interrupts_off),
		TEST(a_32_bit_kernel_is_entered_in_protected_mode),
		TEST(the_gdt_in_memory_says_what_the_cpu_has),
		TEST(the_first_4g_are_mapped_to_themselves),
		TEST(the_zero_page_has_the_header_and_what_a_loader_adds),
		TEST(the_memory_map_is_the_tables_own),
		TEST(an_initrd_lies_as_high_as_it_may),
		TEST(with_8g_of_ram_all_is_placed_below_the_hole),
		TEST(a_kernel_moves_up_where_its_place_is_no_ram),
		TEST(too_little_ram_names_how_much_is_enough),
		TEST(an_initrd_beyond_every_cure_gets_no_advice),
		TEST(a_long_command_line_is_refused_with_the_limit),
		TEST(a_map_of_too_many_pieces_is_refused),
		TEST(a_machine_without_low_ram_is_refused),
		TEST(damaged_headers_are_refused),
		TEST(other_kinds_of_files_are_named),
		TEST(the_last_unit_of_the_payload_need_not_be_whole),
		TEST(a_bzimage_takes_no_modules_but_an_initrd),
		TEST(the_key_elf_is_for_others),
		TEST(every_truncation_is_refused),
		TEST(a_path_must_lead_to_a_file_that_can_be_read),
		TEST(both_files_are_looked_at_in_one_run),
		TEST(a_file_that_may_not_be_read_says_so),
		TEST(a_reset_loads_everything_again),
		TEST(the_machines_reset_runs_loader_and_tables),
		TEST(routing_table_without_a_router_is_refused),
		TEST(a_file_that_shrinks_between_resets_is_an_error),
		TEST(a_file_that_is_rewritten_between_resets_is_an_error),
		TEST(a_file_that_is_replaced_stays_what_it_was),
		TEST(debians_kernel_is_taken_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
