/** Any bytes as a kernel of any kind, with modules beside it: refused, or loaded so that nothing lies
 * over anything else. Input: one byte for the shape of RAM and the key, one for the number of modules,
 * two each for the length of the kernel's file and of a module (in 64 bytes), then the kernel's file. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/boot/boot.h"
#include "core/bytes.h"
#include "core/cpu_state.h"
#include "core/diagnostics.h"
#include "tests/fuzz/check.h"

#define MIB 0x100000ull
enum { SHAPES = 3, MODULES = 3, HEADER = 6, PATTERN = 0x5a, MULTIBOOT = 0x2badb002 };

static const struct mw_plan_range plain[] = { { 0, 16 * MIB } };
static const struct mw_plan_range holed[] = { { 0, 0xa0000 },
					      { MIB, 3 * MIB },
					      { 5 * MIB, 8 * MIB } };
static const struct mw_plan_range odd[] = { { MIB, 4 * MIB }, { 4096 * MIB, 8 * MIB } };
static const struct {
	const struct mw_plan_range *ram;
	size_t count;
} shapes[SHAPES] = { { plain, 1 }, { holed, 3 }, { odd, 2 } };

static char kernel_path[32], module_text[64];
static struct mw_plan_module modules[MODULES];
static struct mw_plan plans[SHAPES];
static struct mw_machine *machines[SHAPES];
static int kernel_file, module_file;

static void set_up(void)
{
	struct mw_diagnostics diagnostics = { 0 };

	kernel_file = memfd_create("kernel", MFD_CLOEXEC);
	module_file = memfd_create("module", MFD_CLOEXEC);
	snprintf(kernel_path, sizeof(kernel_path), "/proc/self/fd/%d", kernel_file);
	snprintf(module_text, sizeof(module_text), "/proc/self/fd/%d one two", module_file);
	for (size_t i = 0; i < MODULES; i++)
		modules[i].text = module_text;
	for (size_t i = 0; i < SHAPES; i++) {
		struct mw_plan *plan = &plans[i];

		*plan = (struct mw_plan){
			.name = "fuzz",
			.arch = "x86_64",
			.ram = shapes[i].ram,
			.ram_count = shapes[i].count,
			.cpu = { .count = 1, .sockets = 1, .cores = 1, .threads = 1 },
			.boot = { .cmdline = "quiet", .modules = modules, .tables = MW_TABLES_ACPI }
		};
		for (size_t r = 0; r < plan->ram_count; r++)
			plan->ram_bytes += plan->ram[r].length;
		CHECK(mw_machine_build(&machines[i], plan, &diagnostics));
	}
	mw_diagnostics_fini(&diagnostics);
}

static void write_files(const uint8_t *bytes, size_t count, size_t length, size_t module_bytes)
{
	static uint8_t pattern[0x10000 * 64];

	if (!pattern[0])
		memset(pattern, PATTERN, sizeof(pattern));
	CHECK(ftruncate(kernel_file, 0) == 0);
	CHECK(pwrite(kernel_file, bytes, count, 0) == (ssize_t)count);
	CHECK(ftruncate(kernel_file, (off_t)length) == 0);
	CHECK(ftruncate(module_file, 0) == 0);
	CHECK(pwrite(module_file, pattern, module_bytes, 0) == (ssize_t)module_bytes);
}

/** A module has its bytes, all of them, after everything has been loaded. */
static void check_module(struct mw_machine *machine, uint64_t base, uint64_t bytes, uint64_t wanted,
			 uint64_t string)
{
	const uint8_t *ram = mw_machine_ram(machine, base, bytes);
	const char *text = mw_machine_ram(machine, string, sizeof("one two"));

	CHECK(bytes == wanted && ram && base % 4096 == 0);
	for (uint64_t i = 0; i < bytes; i++)
		CHECK(ram[i] == PATTERN);
	CHECK(text && !strcmp(text, "one two"));
}

static void check_loaded(struct mw_machine *machine, const struct mw_cpu_state *cpu, size_t count,
			 uint64_t module_bytes)
{
	bool multiboot = cpu->gpr[MW_RAX] == MULTIBOOT;
	const uint8_t *info = mw_machine_ram(machine, cpu->gpr[MW_RBX], multiboot ? 116 : 56);

	CHECK(info && mw_machine_ram(machine, cpu->rip, 1));
	CHECK((cpu->cr0 & 0x80000001) == 1 && !cpu->cr4 && !cpu->efer);
	CHECK(multiboot || mw_get_le(info, 4) == 0x336ec578);
	CHECK(mw_get_le(info + (multiboot ? 20 : 12), 4) == count);
	const uint8_t *list = mw_machine_ram(
		machine, multiboot ? mw_get_le(info + 24, 4) : mw_get_le(info + 16, 8),
		count * (multiboot ? 16 : 32));

	CHECK(list || !count);
	for (size_t i = 0; i < count; i++, list += multiboot ? 16 : 32) {
		uint64_t base = mw_get_le(list, multiboot ? 4 : 8);

		if (multiboot)
			check_module(machine, base, mw_get_le(list + 4, 4) - base, module_bytes,
				     mw_get_le(list + 8, 4));
		else
			check_module(machine, base, mw_get_le(list + 8, 8), module_bytes,
				     mw_get_le(list + 16, 8));
	}
}

static void load(struct mw_boot *boot, struct mw_machine *machine, size_t count,
		 uint64_t module_bytes)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_cpu_state cpu;

	for (unsigned i = 0; i < 2; i++) {
		mw_cpu_state_reset(&cpu, true);
		CHECK(mw_boot_load(boot, machine, &cpu, &diagnostics));
		if (!cpu.gpr[MW_RSI]) /* Linux's zero page */
			check_loaded(machine, &cpu, count, module_bytes);
	}
	CHECK(ftruncate(kernel_file, 7) == 0);
	CHECK(!mw_boot_load(boot, machine, &cpu, &diagnostics));
	mw_diagnostics_fini(&diagnostics);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_boot *boot;

	if (!kernel_file)
		set_up();
	if (count <= HEADER)
		return 0;
	size_t shape = bytes[0] % SHAPES;
	uint64_t module_bytes = mw_get_le(bytes + 4, 2) * 64;
	struct mw_plan_boot *plan = &plans[shape].boot;

	plan->elf_path = bytes[0] & 0x80 ? NULL : kernel_path;
	plan->linux_path = bytes[0] & 0x80 ? kernel_path : NULL;
	plan->module_count = bytes[1] % (MODULES + 1);
	write_files(bytes + HEADER, count - HEADER, (size_t)mw_get_le(bytes + 2, 2) * 64,
		    module_bytes);
	if (mw_boot_open(&boot, &plans[shape], &diagnostics)) {
		load(boot, machines[shape], plan->module_count, module_bytes);
		mw_boot_close(boot);
	} else {
		CHECK(!boot && diagnostics.errors > 0);
	}
	mw_diagnostics_fini(&diagnostics);
	return 0;
}
