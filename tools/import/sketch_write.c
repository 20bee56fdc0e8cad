/** A sketch as a profile's text. */
// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/text.h"
#include "tools/import/sketch.h"

#define FOUR_GIB UINT64_C(0x100000000)
#define PAGE     4096u

/* A scalar in quotes, with expressions made literal: what came from elsewhere holds none. */
static void put_text(FILE *out, const char *text)
{
	char *literal = mw_alloc(2 * strlen(text) + 1, 1), *to = literal;

	for (; *text; text++) {
		if (text[0] == '$' && text[1] == '(')
			*to++ = '$';
		*to++ = *text;
	}
	mw_put_quoted(out, literal);
	free(literal);
}

/* A machine's name of any text: letters, digits and dashes. */
static void put_name(FILE *out, const char *text)
{
	bool letter = false;
	size_t count = 0;

	for (; text && *text && count < 32; text++) {
		char byte = (char)tolower((unsigned char)*text);
		bool first = byte >= 'a' && byte <= 'z';

		if (!first && !letter)
			continue;
		letter = true;
		putc(first || isdigit((unsigned char)byte) ? byte : '-', out);
		count++;
	}
	if (!letter)
		fputs("imported", out);
}

static void put_size(FILE *out, uint64_t bytes)
{
	if (bytes % (UINT64_C(1) << 30) == 0)
		fprintf(out, "%" PRIu64 "GiB", bytes >> 30);
	else
		fprintf(out, "%" PRIu64 "MiB", bytes >> 20);
}

static void put_backend(FILE *out, const struct mw_sketch_backend *backend)
{
	if (!backend->prop_count) {
		fputs(backend->key, out);
		return;
	}
	fputs("{ ", out);
	for (size_t i = 0; i < backend->prop_count; i++) {
		const char *value = backend->props[i].value;

		fprintf(out, "%s%s: ", i ? ", " : "", backend->props[i].name);
		if (!strcmp(value, "true") || !strcmp(value, "false"))
			fputs(value, out);
		else
			put_text(out, value);
	}
	fputs(" }", out);
}

static void put_param(FILE *out, const char *name, const char *value)
{
	if (!value)
		return;
	fprintf(out, "  %-8s { default: ", name);
	put_text(out, value);
	fputs(" }\n", out);
}

static void write_params(const struct mw_sketch *sketch, FILE *out)
{
	if (!sketch->kernel && !sketch->initrd && !sketch->cmdline && !sketch->cpus && !sketch->ram)
		return;
	fputs("params:\n", out);
	put_param(out, "kernel:", sketch->kernel);
	put_param(out, "initrd:", sketch->initrd);
	put_param(out, "cmdline:", sketch->cmdline);
	if (sketch->cpus)
		fprintf(out, "  cpus:    { default: %" PRIu64 " }\n", sketch->cpus);
	if (sketch->ram) {
		fputs("  ram:     { default: ", out);
		put_size(out, sketch->ram);
		fputs(" }\n", out);
	}
}

static void write_cpu(const struct mw_sketch *sketch, FILE *out)
{
	if (!sketch->cpu_model && !sketch->sockets && !sketch->feature_count)
		return;
	fputs("cpu:\n", out);
	if (sketch->cpu_model)
		fprintf(out, "  model: %s\n", sketch->cpu_model);
	if (sketch->sockets)
		fprintf(out,
			"  topology: { sockets: %" PRIu64 ", cores: %" PRIu64 ", threads: %" PRIu64
			" }\n",
			sketch->sockets, sketch->cores, sketch->threads);
	if (!sketch->feature_count)
		return;
	fputs("  features: { ", out);
	for (size_t i = 0; i < sketch->feature_count; i++)
		fprintf(out, "%s%s: %s", i ? ", " : "", sketch->features[i].name,
			sketch->features[i].wanted ? "true" : "false");
	fputs(" }\n", out);
}

static void write_power(const struct mw_sketch *sketch, FILE *out)
{
	const char *const keys[] = { "off", "reset", "panic" };
	const char *const values[] = { sketch->off, sketch->reset, sketch->panic };
	const char *between = "power: { ";

	for (size_t i = 0; i < 3; i++) {
		if (!values[i])
			continue;
		fprintf(out, "%s%s: %s", between, keys[i], values[i]);
		between = ", ";
	}
	if (*between == ',')
		fputs(" }\n", out);
}

/* COM1 to COM4 (linux-pc has them all, microvm the first). */
static void write_serial(const struct mw_sketch *sketch, size_t index, FILE *out)
{
	static const char *const claims[] = { "io: 0x3f8, irq: 4", "io: 0x2f8, irq: 3",
					      "io: 0x3e8, irq: 5", "io: 0x2e8, irq: 7" };
	const struct mw_sketch_backend *backend = &sketch->serial[index];

	if (!backend->key)
		return;
	fprintf(out, "  com%zu: { ", index + 1);
	if (sketch->microvm && index)
		fprintf(out, "type: uart16550, at: sys, %s, ", claims[index]);
	fputs("backend: ", out);
	put_backend(out, backend);
	fputs(" }\n", out);
}

static uint64_t firmware_size(const char *path)
{
	struct stat status;
	uint64_t size = 64 * 1024;

	if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
	    status.st_size <= 16 << 20)
		size = ((uint64_t)status.st_size + PAGE - 1) / PAGE * PAGE;
	return size;
}

static void write_firmware(const struct mw_sketch *sketch, FILE *out)
{
	uint64_t size = firmware_size(sketch->firmware);

	fprintf(out,
		"  bios: { type: rom, at: sys, mmio: 0x%" PRIx64 "+%" PRIu64
		"KiB, backend: { file: ",
		FOUR_GIB - size, size / 1024);
	put_text(out, sketch->firmware);
	fputs(" } }\n", out);
}

static void write_devices(const struct mw_sketch *sketch, FILE *out)
{
	bool any = sketch->device_count || sketch->firmware;

	for (size_t i = 0; i < sketch->serial_count; i++)
		any |= sketch->serial[i].key != NULL;
	if (!any)
		return;
	fputs("devices:\n", out);
	for (size_t i = 0; i < sketch->serial_count; i++)
		write_serial(sketch, i, out);
	for (size_t i = 0; i < sketch->device_count; i++) {
		const struct mw_sketch_device *device = &sketch->devices[i];

		fprintf(out, "  %s: { type: %s, at: sys, %s", device->id, device->type,
			device->claim);
		if (device->backend.key) {
			fputs(", backend: ", out);
			put_backend(out, &device->backend);
		}
		fputs(" }\n", out);
	}
	if (sketch->firmware)
		write_firmware(sketch, out);
}

void mw_sketch_write(const struct mw_sketch *sketch, FILE *out)
{
	fputs("format: machine/1\nname: ", out);
	put_name(out, sketch->name);
	fprintf(out, "\nversion: 1\nsummary: from %s\nextends: machine/%s@1\n", sketch->origin,
		sketch->microvm ? "microvm" : "linux-pc");
	write_params(sketch, out);
	if (sketch->prefer)
		fprintf(out, "accel: { prefer: [%s] }\n", sketch->prefer);
	write_cpu(sketch, out);
	write_power(sketch, out);
	write_devices(sketch, out);
	if (sketch->firmware)
		fputs("boot: { linux: unset, initrd: unset, firmware: bios }\n", out);
}
