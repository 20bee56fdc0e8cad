/* Types for tests, and the resolver run over a temporary file. */
// SPDX-License-Identifier: MIT
#include "tests/unit/resolver/back.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resolver/study.h"

struct chip {
	uint8_t small;
	uint16_t medium;
	uint32_t mode, pins;
	uint64_t size;
	bool flag;
	const char *name;
	struct mw_mac mac;
	struct mw_uuid uuid;
	struct mw_blob blob;
	struct mw_line *irq, *outs[3];
	struct mw_stream *port, *second;
	struct mw_image *image;
	struct mw_memory *memory;
	struct mw_dma *low, *high;
	struct mw_msi *msi;
};

static size_t on_transfer(void *self, uint8_t *bytes, size_t count, bool to_memory, bool terminal)
{
	return count;
}

static void on_level(void *self, unsigned index, bool level)
{
}

static void on_bytes(void *self, const uint8_t *bytes, size_t count)
{
}

static enum mw_io on_read(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	return MW_IO_OK;
}

static enum mw_io on_write(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	return MW_IO_OK;
}

static uint64_t on_size(void *self)
{
	return 0;
}

static bool on_image(void *self, uint64_t offset, void *bytes, size_t count)
{
	return false;
}

static const char *const modes[] = { "slow", "fast", NULL };
static const struct mw_property chip_properties[] = {
	{ "small", "A byte.", MW_FIELD(struct chip, small), .fallback = 3, .min = 1, .max = 9 },
	{ "medium", "Two bytes.", MW_FIELD(struct chip, medium) },
	{ "size", "A size.", MW_FIELD(struct chip, size), .fallback = 4096, .is_size = true },
	{ "mode", "A word.", MW_FIELD(struct chip, mode), .fallback = 1, .members = modes },
	{ "flag", "A bool.", MW_FIELD(struct chip, flag) },
	{ "name", "A text.", MW_FIELD(struct chip, name), .fallback_text = "none" },
	{ "mac", "A MAC.", MW_FIELD(struct chip, mac) },
	{ "uuid", "A UUID.", MW_FIELD(struct chip, uuid) },
	{ "blob", "Bytes.", MW_FIELD(struct chip, blob) },
};
static const struct mw_wire chip_wires[] = {
	{ "irq", "A line.", MW_FIELD(struct chip, irq), .optional = true },
	{ "outs", "Three lines.", MW_ARRAY(struct chip, outs), .optional = true },
	{ "in", "An input.", MW_SINK(1), .optional = true, .on_level = on_level },
};
#define CALLS MW_ACCESS(1, 4), on_read, on_write
static const struct mw_region chip_regions[] = {
	{ "regs", MW_SPACE_MEMORY, 0x1000, CALLS, .align = 0x1000, .optional = true },
	{ "ports", MW_SPACE_PORT, 8, CALLS, .optional = true },
};
static const struct mw_property strict_properties[] = {
	{ "small", "Must be said.", MW_FIELD(struct chip, small), .required = true },
};
static const struct mw_wire strict_wires[] = {
	{ "irq", "A line.", MW_FIELD(struct chip, irq) },
};
static const struct mw_region strict_regions[] = {
	{ "cmd", MW_SPACE_PORT, 4, CALLS, .align = 4 },
	{ "data", MW_SPACE_PORT, 2, CALLS },
};
static const struct mw_region span_regions[] = {
	{ "io", MW_SPACE_PORT, 0, CALLS, .optional = true },
	{ "mmio", MW_SPACE_MEMORY, 0, CALLS, .optional = true },
};
static const struct mw_property apic_properties[] = {
	{ "pins", "Inputs.", MW_FIELD(struct chip, pins), .fallback = 24, .min = 1, .max = 24 },
};
static const struct mw_wire apic_wires[] = {
	{ "pin", "Inputs.", MW_SINK(24), .count_property = "pins", .on_level = on_level },
};
static const struct mw_wire pic_wires[] = {
	{ "ir", "Inputs.", MW_SINK(16), .on_level = on_level },
};
static const struct mw_wire uart_wires[] = {
	{ "port", "Bytes.", MW_FIELD(struct chip, port), .on_bytes = on_bytes },
};
static const struct mw_wire twin_wires[] = {
	{ "a", "Bytes.", MW_FIELD(struct chip, port), .on_bytes = on_bytes },
	{ "b", "Bytes.", MW_FIELD(struct chip, second), .on_bytes = on_bytes },
};
static const struct mw_wire rom_wires[] = {
	{ "image", "Bytes.", MW_FIELD(struct chip, image) },
};
static const struct mw_region rom_regions[] = {
	{ "memory", MW_SPACE_MEMORY, 0, .backing = MW_BACKING_ROM,
	  .memory_offset = offsetof(struct chip, memory) },
};
static const struct mw_region flash_regions[] = {
	{ "memory", MW_SPACE_MEMORY, 0, CALLS },
};
static const struct mw_wire file_wires[] = {
	{ "image", "Bytes.", .kind = MW_IMAGE, .direction = MW_RECEIVES, .on_size = on_size,
	  .on_read = on_image },
};
static const struct mw_property path_properties[] = {
	{ "path", "A file.", MW_FIELD(struct chip, name), .required = true, .is_path = true },
	{ "flag", "A bool.", MW_FIELD(struct chip, flag) },
};
static const struct mw_wire floppy_wires[] = {
	{ "dma", "A channel.", MW_FIELD(struct chip, low), .channel = true,
	  .on_transfer = on_transfer },
};
static const struct mw_wire sound_wires[] = {
	{ "low", "A channel.", MW_FIELD(struct chip, low), .channel = true, .optional = true,
	  .on_transfer = on_transfer },
	{ "high", "Another.", MW_FIELD(struct chip, high), .channel = true, .optional = true,
	  .on_transfer = on_transfer },
	{ "irq", "A line.", MW_FIELD(struct chip, irq), .optional = true },
};
static const struct mw_wire nic_wires[] = {
	{ "irq", "A pin.", MW_FIELD(struct chip, irq), .optional = true, .intx = true },
	{ "msi", "Messages.", MW_FIELD(struct chip, msi), .vectors = 4 },
};
static const struct mw_wire drive_wires[] = {
	{ "irq", "A line.", MW_FIELD(struct chip, irq), .optional = true },
	{ "pin", "A pin.", MW_FIELD(struct chip, outs[0]), .optional = true, .intx = true },
};
static const struct mw_role_row apic_roles[] = { { MW_ROLE_IOAPIC } };
static const struct mw_role_row pit_roles[] = { { MW_ROLE_TIMER } };
static const char *const on_sys[] = { "sys", NULL }, *const on_pci[] = { "pci", NULL };
static const char *const on_ide[] = { "ide", NULL };

#define TYPE(text) MW_DEVICE_TYPE, .name = text, .summary = text, .size = sizeof(struct chip)
static const struct mw_device_type types[] = {
	{ TYPE("chip"), .properties = MW_TABLE(chip_properties), .wires = MW_TABLE(chip_wires),
	  .regions = MW_TABLE(chip_regions) },
	{ TYPE("strict"), .properties = MW_TABLE(strict_properties),
	  .wires = MW_TABLE(strict_wires), .regions = MW_TABLE(strict_regions) },
	{ TYPE("span"), .regions = MW_TABLE(span_regions) },
	{ TYPE("apic"), .buses = on_sys, .properties = MW_TABLE(apic_properties),
	  .wires = MW_TABLE(apic_wires), .firmware = { .roles = MW_TABLE(apic_roles) } },
	{ TYPE("pic"), .wires = MW_TABLE(pic_wires) },
	{ TYPE("bridge"), .provides = "isa" },
	{ TYPE("pci-host"), .buses = on_sys, .provides = "pci" },
	{ TYPE("card"), .buses = on_pci, .regions = MW_TABLE(chip_regions) },
	{ TYPE("floppy"), .wires = MW_TABLE(floppy_wires) },
	{ TYPE("sound"), .wires = MW_TABLE(sound_wires) },
	{ TYPE("nic"), .buses = on_pci, .wires = MW_TABLE(nic_wires),
	  .regions = MW_TABLE(chip_regions) },
	{ TYPE("pci-bridge"), .buses = on_pci, .provides = "pci" },
	{ TYPE("ide"), .buses = on_pci, .provides = "ide" },
	{ TYPE("disk"), .buses = on_ide },
	{ TYPE("drive"), .buses = on_ide, .wires = MW_TABLE(drive_wires) },
	{ TYPE("uart"), .wires = MW_TABLE(uart_wires) },
	{ TYPE("twin"), .wires = MW_TABLE(twin_wires) },
	{ TYPE("rom"), .wires = MW_TABLE(rom_wires), .regions = MW_TABLE(rom_regions) },
	{ TYPE("flash"), .wires = MW_TABLE(rom_wires), .regions = MW_TABLE(flash_regions) },
	{ TYPE("pit"), .firmware = { .roles = MW_TABLE(pit_roles) } },
	{ TYPE("null-stream"), .backend = "null", .wires = MW_TABLE(uart_wires) },
	{ TYPE("stdio-stream"), .backend = "stdio", .wires = MW_TABLE(uart_wires) },
	{ TYPE("file-stream"), .backend = "file", .main_property = "path",
	  .properties = MW_TABLE(path_properties), .wires = MW_TABLE(uart_wires) },
	{ TYPE("file-image"), .backend = "file", .main_property = "path",
	  .properties = MW_TABLE(path_properties), .wires = MW_TABLE(file_wires) },
};

static void write_file(char *path, const char *first, va_list *rest)
{
	int fd = mkstemps(path, 5);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

	assert_non_null(out);
	fputs(rest ? "format: machine/1\nname: t\nversion: 1\n" : "", out);
	for (const char *text = first; text; text = rest ? va_arg(*rest, const char *) : NULL)
		fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

static void write_texts(struct back *back, struct mw_study *study)
{
	size_t length, places, gone;
	FILE *out;

	if (!study->plan)
		return;
	out = open_memstream(&back->text, &length);
	mw_plan_write_yaml(study->plan, MW_PLAN_WHOLE, out);
	fclose(out);
	back->lock = mw_lock_write(&study->draft, &places, &gone);
	mw_lock_state(&study->draft, &back->state);
}

static void resolve(struct back *back, const char *lock, const char *text, va_list *rest)
{
	static const char *const search[] = { ".", "tests/unit/resolver" };
	char path[] = "/tmp/back-XXXXXX.yaml", lock_path[] = "/tmp/lock-XXXXXX.yaml";
	struct mw_resolve_options options = { .profile = path,
					      .search = search,
					      .search_count = 2,
					      .registry = &back->registry,
					      .lock = lock ? lock_path : "" };

	*back = (struct back){ 0 };
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		assert_true(mw_registry_add(&back->registry, &types[i], &back->diagnostics));
	write_file(path, text, rest);
	if (lock)
		write_file(lock_path, lock, NULL);
	struct mw_study *study = mw_study_open(&options, &back->diagnostics);

	unlink(path);
	if (lock)
		unlink(lock_path);
	write_texts(back, study);
	back->plan = mw_study_take(study);
	mw_study_close(study);
	assert_int_equal(back->plan != NULL, back->diagnostics.errors == 0);
}

void back_resolve(struct back *back, const char *text, ...)
{
	va_list rest;

	va_start(rest, text);
	resolve(back, NULL, text, &rest);
	va_end(rest);
}

void back_locked(struct back *back, const char *lock, const char *text, ...)
{
	va_list rest;

	va_start(rest, text);
	resolve(back, lock, text, &rest);
	va_end(rest);
}

void back_fini(struct back *back)
{
	free(back->text);
	free(back->lock);
	mw_plan_destroy(back->plan);
	mw_diagnostics_fini(&back->diagnostics);
	mw_registry_fini(&back->registry);
}

size_t back_count(const struct back *back, const char *code)
{
	size_t count = 0;

	for (size_t i = 0; i < back->diagnostics.count; i++)
		count += !strcmp(back->diagnostics.items[i]->code, code);
	return count;
}

static void print(const struct back *back)
{
	mw_diagnostics_print((struct mw_diagnostics *)&back->diagnostics, stderr, MW_DIAG_FULL,
			     false);
}

void back_expect(const struct back *back, const char *code, const char *part)
{
	const struct mw_diag *found = NULL;

	for (size_t i = 0; i < back->diagnostics.count; i++) {
		if (!strcmp(back->diagnostics.items[i]->code, code))
			found = back->diagnostics.items[i];
	}
	bool error = found && found->severity == MW_SEVERITY_ERROR;

	if (!found || !strstr(found->message, part) || back_count(back, code) != 1 ||
	    back->diagnostics.errors != error) {
		print(back);
		fail_msg("expected one %s with `%s`", code, part);
	}
}

void back_clean(const struct back *back)
{
	if (back->diagnostics.count || !back->plan) {
		print(back);
		fail_msg("expected no findings");
	}
}

const struct mw_plan_node *back_node(const struct back *back, const char *id)
{
	assert_non_null(back->plan);
	long index = mw_plan_find(back->plan, id);

	if (index < 0)
		fail_msg("the plan has no node %s", id);
	return &back->plan->nodes[index];
}

uint64_t back_base(const struct back *back, const char *id, const char *claim)
{
	const struct mw_plan_node *node = back_node(back, id);
	const struct mw_plan_claim *found = mw_plan_claim(node, MW_CLAIM_IO, claim);

	if (!found)
		found = mw_plan_claim(node, MW_CLAIM_MMIO, claim);
	if (!found)
		fail_msg("%s has no claim %s", id, claim);
	return found->base;
}

const struct mw_plan_net *back_net(const struct back *back, const char *id, const char *wire)
{
	const struct mw_plan_claim *claim = mw_plan_claim(back_node(back, id), MW_CLAIM_IRQ, wire);

	if (!claim)
		fail_msg("%s has no line %s", id, wire);
	return &back->plan->nets[claim->net];
}

void back_bad(const char *code, const char *part, const char *text)
{
	struct back back;

	back_resolve(&back, text, NULL);
	back_expect(&back, code, part);
	back_fini(&back);
}
