/** Filling a sketch: losses, CPU models and features, families of devices that do not exist yet. */
// SPDX-License-Identifier: MIT
#include "tools/import/sketch.h"

#include <inttypes.h>
#include <string.h>

#include "core/cpu_features.h"

#define MIB UINT64_C(0x100000)

static struct mw_diag *add(struct mw_sketch *sketch, enum mw_severity severity, struct mw_span span,
			   const char *format, va_list arguments)
{
	const char *text = mw_arena_vprintf(&sketch->diagnostics->arena, format, arguments);

	return mw_diagnostics_add(sketch->diagnostics, severity, "", span, "%s", text);
}

void mw_sketch_loss(struct mw_sketch *sketch, struct mw_span span, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(sketch, MW_SEVERITY_WARNING, span, format, arguments);
	va_end(arguments);
	sketch->losses++;
}

void mw_sketch_error(struct mw_sketch *sketch, struct mw_span span, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(sketch, MW_SEVERITY_ERROR, span, format, arguments);
	va_end(arguments);
}

void mw_sketch_prop(struct mw_sketch_backend *backend, const char *name, const char *value)
{
	if (backend->prop_count == sizeof(backend->props) / sizeof(backend->props[0]))
		return;
	backend->props[backend->prop_count].name = name;
	backend->props[backend->prop_count++].value = value;
}

/* Ours are as QEMU's, but for `_`. */
static const char *our_feature(struct mw_sketch *sketch, const char *name)
{
	char *text = mw_arena_strdup(sketch->arena, name);

	for (char *at = text; *at; at++)
		if (*at == '_')
			*at = '-';
	if (mw_cpu_feature_find(text))
		return text;
	return mw_cpu_feature_find(name) ? mw_arena_strdup(sketch->arena, name) : NULL;
}

void mw_sketch_feature(struct mw_sketch *sketch, const char *name, bool wanted, struct mw_span span)
{
	const char *ours = our_feature(sketch, name);

	if (!ours) {
		mw_sketch_loss(sketch, span, "the CPU feature `%s` is not known here", name);
		return;
	}
	for (size_t i = 0; i < sketch->feature_count; i++) {
		if (!strcmp(sketch->features[i].name, ours)) {
			sketch->features[i].wanted = wanted;
			return;
		}
	}
	if (sketch->feature_count < MW_SKETCH_FEATURES)
		sketch->features[sketch->feature_count++] =
			(struct mw_sketch_feature){ ours, wanted };
}

/* The psABI levels that models of QEMU have; what is newer has at least v2. */
static const char *level_of(const char *name)
{
	static const char *const v1[] = { "qemu64",     "qemu32",     "kvm64",    "kvm32",
					  "Conroe",     "Penryn",     "core2duo", "Opteron_G1",
					  "Opteron_G2", "Opteron_G3", "phenom",   "athlon",
					  "pentium",    "pentium2",   "pentium3", "486",
					  "coreduo",    "n270" };

	for (size_t i = 0; i < sizeof(v1) / sizeof(v1[0]); i++)
		if (!strcmp(v1[i], name))
			return "x86-64-v1";
	return "x86-64-v2";
}

void mw_sketch_model(struct mw_sketch *sketch, const char *name, struct mw_span span)
{
	static const char *const hosts[] = { "host", "max", "host-passthrough", "host-model",
					     "maximum" };

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (!strcmp(hosts[i], name)) {
			sketch->cpu_model = NULL;
			return;
		}
	}
	sketch->cpu_model = level_of(name);
	mw_sketch_loss(sketch, span, "there is no model of the CPU `%s`: `%s` is near", name,
		       sketch->cpu_model);
}

/* By the beginning of a driver's name; the first that fits. */
static const struct {
	const char *prefix, *family;
} families[] = {
	{ "virtio", "virtio devices do" },
	{ "vhost", "virtio devices do" },
	{ "e1000", "network cards do" },
	{ "rtl8139", "network cards do" },
	{ "ne2k", "network cards do" },
	{ "pcnet", "network cards do" },
	{ "vmxnet", "network cards do" },
	{ "igb", "network cards do" },
	{ "ide", "disks do" },
	{ "ahci", "disks do" },
	{ "ich9-ahci", "disks do" },
	{ "scsi", "disks do" },
	{ "lsi", "disks do" },
	{ "megasas", "disks do" },
	{ "mptsas", "disks do" },
	{ "nvme", "disks do" },
	{ "floppy", "disks do" },
	{ "isa-fdc", "disks do" },
	{ "sd-card", "disks do" },
	{ "cfi", "flash memory does" },
	{ "usb", "USB does" },
	{ "qemu-xhci", "USB does" },
	{ "nec-usb", "USB does" },
	{ "ich9-usb", "USB does" },
	{ "piix3-usb", "USB does" },
	{ "piix4-usb", "USB does" },
	{ "VGA", "displays do" },
	{ "vga", "displays do" },
	{ "qxl", "displays do" },
	{ "bochs-display", "displays do" },
	{ "ramfb", "displays do" },
	{ "cirrus", "displays do" },
	{ "vmware-svga", "displays do" },
	{ "tpm", "TPMs do" },
	{ "pcie", "PCI does" },
	{ "pci", "PCI does" },
	{ "ioh3420", "PCI does" },
	{ "i82801", "PCI does" },
	{ "vfio", "host devices do" },
	{ "intel-hda", "sound does" },
	{ "hda", "sound does" },
	{ "ich9-intel-hda", "sound does" },
	{ "AC97", "sound does" },
	{ "sb16", "sound does" },
	{ "isa-parallel", "the parallel port does" },
	{ "pvpanic", "the panic device does" },
	{ "vmcoreinfo", "fw_cfg does" },
	{ "pc-dimm", "memory hot plug does" },
	{ "nvdimm", "memory hot plug does" },
	{ "intel-iommu", "IOMMUs do" },
	{ "amd-iommu", "IOMMUs do" },
};

void mw_sketch_no_device(struct mw_sketch *sketch, const char *driver, struct mw_span span)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		size_t length = strlen(families[i].prefix);

		if (!strncmp(driver, families[i].prefix, length)) {
			mw_sketch_loss(sketch, span, "`%s` is left out: %s not exist here yet",
				       driver, families[i].family);
			return;
		}
	}
	mw_sketch_loss(sketch, span, "`%s` is left out: there is no such device here", driver);
}

static void settle_ram(struct mw_sketch *sketch)
{
	uint64_t least = sketch->microvm ? 32 * MIB : 16 * MIB;
	uint64_t ram = (sketch->ram + MIB - 1) / MIB * MIB;

	if (!sketch->ram)
		return;
	if (ram < least)
		ram = least;
	if (ram != sketch->ram)
		mw_sketch_loss(sketch, sketch->whole,
			       "%" PRIu64 " bytes of RAM became %" PRIu64 " MiB", sketch->ram,
			       ram / MIB);
	sketch->ram = ram;
}

static void settle_cpus(struct mw_sketch *sketch)
{
	enum { MOST = 32 };
	uint64_t whole = sketch->sockets * sketch->cores * sketch->threads;

	if (sketch->cpus > MOST) {
		mw_sketch_loss(sketch, sketch->whole,
			       "%" PRIu64 " CPUs became %d: that many are tested", sketch->cpus,
			       MOST);
		sketch->cpus = MOST;
		whole = 0;
	}
	if (whole < sketch->cpus || whole > MOST)
		sketch->sockets = sketch->cores = sketch->threads = 0;
}

void mw_sketch_settle(struct mw_sketch *sketch)
{
	settle_ram(sketch);
	settle_cpus(sketch);
	if (!sketch->kernel && !sketch->firmware)
		mw_sketch_loss(sketch, sketch->whole,
			       "it boots by a BIOS or UEFI, which does not exist here yet: give a "
			       "kernel with "
			       "`--set kernel=FILE`");
	if (sketch->kernel && sketch->firmware) {
		mw_sketch_loss(sketch, sketch->whole,
			       "a kernel is booted directly: the firmware is left out");
		sketch->firmware = NULL;
	}
}
