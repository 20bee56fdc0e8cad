/** Any bytes as a kernel file: refused, or loaded into RAM and nowhere else. Input: one byte for the
 * shape of RAM, two each for length of command line, kernel file and initrd (in 64 bytes), then the
 * kernel file's beginning. */
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
static const struct mw_plan_range plain[] = { { 0, 64 * MIB } };
static const struct mw_plan_range holed[] = { { 0, 0xa0000 },
					      { MIB, 15 * MIB },
					      { 17 * MIB, 32 * MIB } };
static const struct mw_plan_range high[] = { { 0, 3 * MIB }, { 4096 * MIB, 8 * MIB } };
static const struct {
	const struct mw_plan_range *ram;
	size_t count;
} shapes[] = { { plain, 1 }, { holed, 3 }, { high, 2 } };

static char cmdline[0x10000];
static char kernel_path[32], initrd_path[32];
static struct mw_plan plans[3];
static struct mw_machine *machines[3];
static int kernel_file, initrd_file;

static void set_up(void)
{
	struct mw_diagnostics diagnostics = { 0 };
	kernel_file = memfd_create("kernel", MFD_CLOEXEC);
	initrd_file = memfd_create("initrd", MFD_CLOEXEC);
	snprintf(kernel_path, sizeof(kernel_path), "/proc/self/fd/%d", kernel_file);
	snprintf(initrd_path, sizeof(initrd_path), "/proc/self/fd/%d", initrd_file);
	for (size_t i = 0; i < 3; i++) {
		struct mw_plan *plan = &plans[i];
		*plan = (struct mw_plan){
			.name = "fuzz",
			.arch = "x86_64",
			.ram = shapes[i].ram,
			.ram_count = shapes[i].count,
			.cpu = { .count = 1, .sockets = 1, .cores = 1, .threads = 1 },
			.boot = { .linux_path = kernel_path,
				  .initrd_path = initrd_path,
				  .cmdline = cmdline,
				  .tables = MW_TABLES_ACPI }
		};
		for (size_t r = 0; r < plan->ram_count; r++)
			plan->ram_bytes += plan->ram[r].length;
		CHECK(mw_machine_build(&machines[i], plan, &diagnostics));
	}
	mw_diagnostics_fini(&diagnostics);
}

static void write_kernel(const uint8_t *bytes, size_t count, size_t length)
{
	CHECK(ftruncate(kernel_file, 0) == 0);
	CHECK(pwrite(kernel_file, bytes, count, 0) == (ssize_t)count);
	CHECK(ftruncate(kernel_file, (off_t)length) == 0);
}

static void check_loaded(struct mw_machine *machine, const struct mw_cpu_state *cpu,
			 uint64_t initrd_bytes)
{
	const uint8_t *page = mw_machine_ram(machine, cpu->gpr[MW_RSI], 4096);
	CHECK(page);
	/* The 64-bit entry is 512 bytes into the kernel, the 32-bit one at its start (boot.rst, 1.12, 1.14). */
	uint64_t kernel = cpu->rip - (cpu->efer ? 0x200 : 0), initrd = mw_get_le(page + 0x218, 4);
	uint64_t bytes = mw_get_le(page + 0x260, 4), payload = mw_get_le(page + 0x1f4, 4) * 16;
	bytes = bytes > payload ? bytes : payload;
	CHECK(mw_get_le(page + 0x214, 4) == kernel);
	CHECK(kernel >= MIB && mw_machine_ram(machine, kernel, bytes));
	CHECK(mw_get_le(page + 0x21c, 4) == initrd_bytes);
	CHECK(initrd >= MIB && mw_machine_ram(machine, initrd, initrd_bytes));
	CHECK(initrd + initrd_bytes <= kernel || initrd >= kernel + bytes);
	CHECK(initrd + initrd_bytes - 1 <= mw_get_le(page + 0x22c, 4));
	CHECK(strlen(cmdline) <= mw_get_le(page + 0x238, 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	if (!kernel_file)
		set_up();
	if (count < 7)
		return 0;
	size_t shape = bytes[0] % 3, length = (size_t)mw_get_le(bytes + 1, 2);
	uint64_t initrd_bytes = mw_get_le(bytes + 5, 2) * 64;
	memset(cmdline, 'x', length);
	cmdline[length] = 0;
	write_kernel(bytes + 7, count - 7, (size_t)mw_get_le(bytes + 3, 2) * 64);
	CHECK(ftruncate(initrd_file, (off_t)initrd_bytes) == 0);

	struct mw_diagnostics diagnostics = { 0 };
	struct mw_boot *boot;
	if (mw_boot_open(&boot, &plans[shape], &diagnostics)) {
		struct mw_cpu_state cpu;
		mw_cpu_state_reset(&cpu, true);
		CHECK(mw_boot_load(boot, machines[shape], &cpu, &diagnostics));
		check_loaded(machines[shape], &cpu, initrd_bytes);
		CHECK(ftruncate(kernel_file, 100) == 0);
		CHECK(!mw_boot_load(boot, machines[shape], &cpu, &diagnostics));
		mw_boot_close(boot);
	} else {
		CHECK(!boot && diagnostics.errors > 0);
	}
	mw_diagnostics_fini(&diagnostics);
	return 0;
}
