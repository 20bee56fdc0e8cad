/** Looks at a kernel's file, chooses how it boots, and owns what that takes. */
// SPDX-License-Identifier: MIT
#include "core/boot/boot.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/boot/boot_internal.h"
#include "core/bytes.h"

#define AT_LINUX_MAGIC 0x202

/** Files people hand over in place of a kernel, by their first bytes. */
static const struct {
	unsigned offset, length;
	const char *bytes, *what, *help;
} others[] = {
	{ 0x38, 4, "ARM\x64", "a Linux kernel for arm64", "give it one for x86-64" },
	{ 0x30, 5, "RISCV", "a Linux kernel for RISC-V", "give it one for x86-64" },
	{ 4, 4, "zimg", "a compressed EFI kernel, as those for arm64 are",
	  "give it a bzImage for x86-64" },
	{ 0, 2, "\x1f\x8b", "compressed (gzip)",
	  "unpack it first, unless it is an initrd in the wrong place" },
	{ 0, 6, "\xfd\x37zXZ", "compressed (xz)", "unpack it first" },
	{ 0, 4, "\x28\xb5\x2f\xfd", "compressed (zstd)", "unpack it first" },
	{ 0, 3, "BZh", "compressed (bzip2)", "unpack it first" },
	{ 0, 4, "\x02\x21\x4c\x18", "compressed (lz4)", "unpack it first" },
	{ 0, 4, "\x04\x22\x4d\x18", "compressed (lz4)", "unpack it first" },
	{ 0, 3, "\x5d\0\0", "compressed (lzma)", "unpack it first" },
	{ 0, 4, "\x27\x05\x19\x56", "an image for U-Boot", "give it a bzImage for x86-64" },
	{ 0, 6, "070701", "a cpio archive, as an initrd is", "give it the bzImage (vmlinuz)" },
};

bool mw_boot_refuse(const struct mw_boot_file *file, struct mw_diagnostics *diagnostics,
		    const char *help, const char *format, ...)
{
	char text[200];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	struct mw_diag *diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", file->span,
						  "kernel `%s` %s", file->path, text);

	if (help)
		mw_diag_help(diagnostics, diag, "%s", help);
	return false;
}

static bool refuse_other(const struct mw_boot *boot, struct mw_diagnostics *diagnostics)
{
	const struct mw_boot_file *file = &boot->kernel;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (!memcmp(boot->head + others[i].offset, others[i].bytes, others[i].length))
			return mw_boot_refuse(file, diagnostics, others[i].help, "is %s",
					      others[i].what);
	}
	if (boot->plan->boot.elf_path)
		return mw_boot_refuse(file, diagnostics, NULL,
				      "is neither an ELF file nor a multiboot 1 kernel");
	if (file->size < MW_BZIMAGE_LEAST)
		return mw_boot_refuse(file, diagnostics, NULL,
				      "is truncated: %u bytes are less than a kernel's header",
				      (unsigned)file->size);
	if (!memcmp(boot->head, "MZ", 2))
		return mw_boot_refuse(file, diagnostics, "give it a bzImage (vmlinuz) for x86",
				      "is an EFI program and no Linux kernel for x86");
	return mw_boot_refuse(file, diagnostics,
			      "give it a bzImage (vmlinuz), an ELF vmlinux or a multiboot 1 kernel",
			      "is not a Linux kernel: it has no boot header");
}

/** The file decides. The keys differ in one thing: a bzImage is for `linux`, and where it is a multiboot
 * kernel as well, it is booted as what it was named. */
static bool choose(struct mw_boot *boot, struct mw_diagnostics *diagnostics)
{
	bool linux = !memcmp(boot->head + AT_LINUX_MAGIC, "HdrS", 4);

	if (linux && !boot->plan->boot.elf_path)
		boot->protocol = &mw_boot_linux;
	else if (mw_multiboot_find(boot->head, boot->head_bytes) >= 0)
		boot->protocol = &mw_boot_multiboot;
	else if (linux)
		return mw_boot_refuse(
			&boot->kernel, diagnostics, "name it by the key `linux` in place of `elf`",
			"is a bzImage and neither an ELF file nor a multiboot kernel");
	else if (!memcmp(boot->head, "\177ELF", 4))
		boot->protocol = &mw_boot_pvh;
	return boot->protocol || refuse_other(boot, diagnostics);
}

static bool open_kernel(struct mw_boot *boot, struct mw_diagnostics *diagnostics)
{
	if (!mw_boot_file_open(&boot->kernel, diagnostics))
		return false;
	boot->head_bytes = boot->kernel.size < sizeof(boot->head) ? (size_t)boot->kernel.size
								  : sizeof(boot->head);
	return mw_boot_file_read(&boot->kernel, 0, boot->head, boot->head_bytes, diagnostics);
}

static void add_module(struct mw_boot *boot, const struct mw_plan_module *from)
{
	struct mw_boot_module *module = &boot->modules[boot->module_count++];
	size_t length = strcspn(from->text, " ");

	module->path = mw_strdup(from->text);
	module->path[length] = 0;
	module->string = from->text + length + strspn(from->text + length, " ");
	module->file = (struct mw_boot_file){
		.fd = -1, .what = "module", .path = module->path, .span = from->span
	};
}

static void collect_modules(struct mw_boot *boot)
{
	const struct mw_plan_boot *plan = &boot->plan->boot;

	boot->modules = mw_alloc(plan->module_count + 1, sizeof(*boot->modules));
	if (plan->initrd_path)
		boot->modules[boot->module_count++] =
			(struct mw_boot_module){ .file = { .fd = -1,
							   .what = "initrd",
							   .path = plan->initrd_path,
							   .span = plan->initrd_span },
						 .string = "" };
	for (size_t i = 0; i < plan->module_count; i++)
		add_module(boot, &plan->modules[i]);
}

static bool open_modules(struct mw_boot *boot, struct mw_diagnostics *diagnostics)
{
	bool ok = true;

	if (boot->module_count > MW_BOOT_MODULES_MAX) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", boot->plan->boot.span,
				   "the kernel has %zu modules; %d are taken at most",
				   boot->module_count, MW_BOOT_MODULES_MAX);
		return false;
	}
	for (size_t i = 0; i < boot->module_count; i++)
		ok &= mw_boot_file_open(&boot->modules[i].file, diagnostics);
	return ok;
}

bool mw_boot_open(struct mw_boot **out, const struct mw_plan *plan,
		  struct mw_diagnostics *diagnostics)
{
	const struct mw_plan_boot *from = &plan->boot;
	struct mw_boot *boot = mw_alloc(1, sizeof(*boot));

	assert((from->linux_path || from->elf_path) && "only for plans with a kernel");
	boot->plan = plan;
	boot->kernel =
		(struct mw_boot_file){ .fd = -1,
				       .what = "kernel",
				       .path = from->elf_path ? from->elf_path : from->linux_path,
				       .span = from->elf_path ? from->elf_span : from->linux_span };
	collect_modules(boot);
	/* all files are looked at, so that one run tells of all that are wrong */
	bool ok = open_kernel(boot, diagnostics) && choose(boot, diagnostics);

	ok &= open_modules(boot, diagnostics);
	if (ok && boot->protocol->prepare(boot, diagnostics)) {
		*out = boot;
		return true;
	}
	mw_boot_close(boot);
	*out = NULL;
	return false;
}

static void close_file(struct mw_boot_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
}

void mw_boot_close(struct mw_boot *boot)
{
	if (!boot)
		return;
	close_file(&boot->kernel);
	for (size_t i = 0; i < boot->module_count; i++) {
		close_file(&boot->modules[i].file);
		free(boot->modules[i].path);
	}
	free(boot->modules);
	free(boot);
}

bool mw_boot_load(void *context, struct mw_machine *machine, struct mw_cpu_state *boot_cpu,
		  struct mw_diagnostics *diagnostics)
{
	const struct mw_boot *boot = context;

	return boot->protocol->load(boot, machine, boot_cpu, diagnostics);
}
