/* The machine's own blocks in a plan's canonical text: CPU, memory, accelerator, power, boot. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>

#include "core/plan_writer.h"

static void write_features(struct mw_plan_writer *writer, const struct mw_plan_cpu *cpu)
{
	bool some = (cpu->features_add && cpu->features_add[0]) ||
		    (cpu->features_remove && cpu->features_remove[0]);

	if (!some)
		return;
	mw_put_open_map(writer, "features");
	for (const char *const *name = cpu->features_add; name && *name; name++)
		mw_put_bool_at(writer, *name, true);
	for (const char *const *name = cpu->features_remove; name && *name; name++)
		mw_put_bool_at(writer, *name, false);
	mw_put_close_map(writer);
}

static void write_leaf(struct mw_plan_writer *writer, const struct mw_cpuid_leaf *leaf)
{
	char name[40];

	snprintf(name, sizeof(name),
		 leaf->has_subleaf ? "leaf_%" PRIx32 ".%" PRIu32 : "leaf_%" PRIx32, leaf->leaf,
		 leaf->subleaf);
	mw_put_key(writer, name);
	fprintf(writer->out,
		writer->json ? "[%" PRIu32 ", %" PRIu32 ", %" PRIu32 ", %" PRIu32 "]"
			     : " 0x%08" PRIx32 " 0x%08" PRIx32 " 0x%08" PRIx32 " 0x%08" PRIx32,
		leaf->eax, leaf->ebx, leaf->ecx, leaf->edx);
	mw_put_end_line(writer);
}

static void write_cpu(struct mw_plan_writer *writer)
{
	static const char *const hypervisors[] = { "none", "kvm", "hyperv" };
	const struct mw_plan_cpu *cpu = &writer->plan->cpu;

	mw_put_open_map(writer, "cpu");
	mw_put_word_at(writer, "model", cpu->model);
	mw_put_number_at(writer, "count", cpu->count);
	mw_put_number_at(writer, "sockets", cpu->sockets);
	mw_put_number_at(writer, "cores", cpu->cores);
	mw_put_number_at(writer, "threads", cpu->threads);
	mw_put_word_at(writer, "hypervisor", hypervisors[cpu->hypervisor]);
	if (!cpu->tsc_told)
		mw_put_word_at(writer, "tsc_khz", "untold");
	else if (!cpu->tsc_khz)
		mw_put_word_at(writer, "tsc_khz", "from-host");
	else
		mw_put_number_at(writer, "tsc_khz", cpu->tsc_khz);
	write_features(writer, cpu);
	if (cpu->leaf_count)
		mw_put_open_map(writer, "cpuid");
	for (size_t i = 0; i < cpu->leaf_count; i++)
		write_leaf(writer, &cpu->leaves[i]);
	if (cpu->leaf_count)
		mw_put_close_map(writer);
	if (cpu->msr_count)
		mw_put_open_map(writer, "msrs");
	for (size_t i = 0; i < cpu->msr_count; i++) {
		char name[16];

		snprintf(name, sizeof(name), "msr_%" PRIx32, cpu->msrs[i].index);
		mw_put_hex_at(writer, name, cpu->msrs[i].value);
	}
	if (cpu->msr_count)
		mw_put_close_map(writer);
	mw_put_close_map(writer);
}

static void write_accel(struct mw_plan_writer *writer)
{
	static const char *const irqchips[] = { "auto", "kernel", "split", "user" };
	const struct mw_plan_accel *accel = &writer->plan->accel;

	if (writer->guest && !accel->need_count)
		return;
	mw_put_open_map(writer, "accel");
	if (!writer->guest) {
		mw_put_words_at(writer, "prefer", accel->prefer);
		mw_put_word_at(writer, "irqchip", irqchips[accel->irqchip]);
		mw_put_word_at(writer, "clock", accel->instruction_clock ? "instructions" : "host");
	}
	if (accel->need_count)
		mw_put_open_map(writer, "need");
	for (size_t i = 0; i < accel->need_count; i++) {
		if (accel->needs[i].optional)
			mw_put_word_at(writer, accel->needs[i].name, "optional");
		else
			mw_put_number_at(writer, accel->needs[i].name, accel->needs[i].value);
	}
	if (accel->need_count)
		mw_put_close_map(writer);
	mw_put_close_map(writer);
}

static void write_power(struct mw_plan_writer *writer)
{
	static const char *const actions[] = { "reset", "stop", "exit" };
	const struct mw_plan_power *power = &writer->plan->power;

	mw_put_open_map(writer, "power");
	mw_put_word_at(writer, "off", actions[power->off]);
	mw_put_word_at(writer, "reset", actions[power->reset]);
	mw_put_word_at(writer, "panic", actions[power->panic]);
	mw_put_word_at(writer, "triple_fault", actions[power->triple_fault]);
	mw_put_close_map(writer);
}

/* Host files stay out of the guest's view; that a kernel is started directly does not. */
static void write_boot(struct mw_plan_writer *writer)
{
	static const char *const tables[] = { "acpi", "smbios", "mptable", "pir" };
	static const char *const measures[] = { "none", "sha256", "sha384", "sha512" };
	const struct mw_plan_boot *boot = &writer->plan->boot;
	bool kernel = mw_plan_boots_kernel(writer->plan);

	mw_put_open_map(writer, "boot");
	mw_put_word_at(writer, "loader",
		       boot->linux_path  ? "linux"
		       : boot->elf_path  ? "elf"
		       : boot->igvm_path ? "igvm"
		       : boot->firmware  ? "firmware"
					 : "none");
	if (boot->linux_path && !writer->guest)
		mw_put_text_at(writer, "linux", boot->linux_path);
	if (boot->elf_path && !writer->guest)
		mw_put_text_at(writer, "elf", boot->elf_path);
	if (boot->initrd_path && !writer->guest)
		mw_put_text_at(writer, "initrd", boot->initrd_path);
	if (kernel && !(writer->guest && boot->cmdline_host))
		mw_put_text_at(writer, "cmdline", boot->cmdline);
	if (boot->module_count && !writer->guest) {
		mw_put_open_list(writer, "modules");
		for (size_t i = 0; i < boot->module_count; i++)
			mw_put_text_item(writer, boot->modules[i].text);
		mw_put_close_list(writer);
	}
	if (boot->igvm_path && !writer->guest)
		mw_put_text_at(writer, "igvm", boot->igvm_path);
	if (boot->firmware)
		mw_put_word_at(writer, "firmware", boot->firmware);
	mw_put_words_at(writer, "order", boot->order);
	if (boot->secure_boot)
		mw_put_bool_at(writer, "secure_boot", true);
	if (boot->measure)
		mw_put_word_at(writer, "measure", measures[boot->measure]);
	if (boot->tables)
		mw_put_open_list(writer, "tables");
	for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (boot->tables & 1u << i)
			mw_put_word_item(writer, tables[i]);
	}
	if (boot->tables)
		mw_put_close_list(writer);
	mw_put_close_map(writer);
}

/* Which texts of `boot` a host-scoped parameter is part of. */
static void write_boot_origin(struct mw_plan_writer *writer)
{
	if (writer->guest || !writer->plan->boot.cmdline_host)
		return;
	mw_put_open_list(writer, "boot_from_host");
	mw_put_word_item(writer, "cmdline");
	mw_put_close_list(writer);
}

static void write_memory(struct mw_plan_writer *writer)
{
	const struct mw_plan *plan = writer->plan;

	mw_put_open_map(writer, "memory");
	mw_put_number_at(writer, "ram_bytes", plan->ram_bytes);
	if (plan->ram_count)
		mw_put_open_list(writer, "ranges");
	for (size_t i = 0; i < plan->ram_count; i++) {
		mw_put_indent(writer);
		fputs(writer->json ? "" : "-", writer->out);
		mw_put_range(writer, plan->ram[i].base, plan->ram[i].length);
	}
	if (plan->ram_count)
		mw_put_close_list(writer);
	if (plan->vtl2.range.length) {
		mw_put_range_at(writer, "vtl2", plan->vtl2.range.base, plan->vtl2.range.length);
		mw_put_bool_at(writer, "vtl2_private", plan->vtl2.is_private);
	}
	mw_put_close_map(writer);
}

void mw_plan_put_machine(struct mw_plan_writer *writer)
{
	write_cpu(writer);
	write_memory(writer);
	write_accel(writer);
	write_power(writer);
	write_boot(writer);
	write_boot_origin(writer);
}
