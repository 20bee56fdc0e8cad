/* The display adapter of PC emulators: a VGA with the Bochs interface, as a PCI function. References: PCI Local Bus
 * Specification 3.0, appendix D and 6.3 (expansion ROMs); "Bochs VBE display API"; QEMU, docs/specs/standard-vga. */
// SPDX-License-Identifier: MIT
#include "devices/display/vga_internal.h"

#include <inttypes.h>
#include <string.h>

#include "core/diagnostics.h"
#include "devices/bus/pci.h"

enum { VENDOR = 0x1234, DEVICE = 0x1111, DISPLAY_VGA = 0x030000, REVISION = 2 };
enum { SUBSYSTEM_VENDOR = 0x1af4, SUBSYSTEM = 0x1100 };
/* Registers in memory. */
enum {
	EDID = 0x000,
	PORTS = 0x400,
	PORTS_END = 0x420,
	VBE = 0x500,
	VBE_END = VBE + 2 * VBE_REGISTERS,
	EXTENSION = 0x600, /* its length, then the byte order of pixels */
	EXTENSION_END = 0x608,
	REGISTER_BYTES = 0x1000
};
enum { LITTLE_ENDIAN_PIXELS = 0x1e1e1e1e };
enum { ROM_BYTES = 0x10000, ROM_POINTER = 0x18, PCIR_BYTES = 8 };
enum { MOST_EDID = 4095, LEAST_EDID = 64 };

struct vga_std {
	struct vga vga;
	struct mw_pci pci;
	struct mw_image *image;
	struct mw_memory *rom;
	uint16_t width, height; /* of the monitor */
	bool monitor;
	uint8_t edid[VGA_EDID_BYTES];
};

static uint16_t read_word(struct vga_std *adapter, unsigned at)
{
	static const uint32_t extension[] = { EXTENSION_END - EXTENSION, LITTLE_ENDIAN_PIXELS };

	if (at >= VBE && at < VBE_END)
		return vga_vbe_read(&adapter->vga, (at - VBE) / 2);
	if (at >= EXTENSION && at < EXTENSION_END)
		return (uint16_t)(extension[(at - EXTENSION) / 4] >> 8 * (at & 2));
	return 0;
}

static uint8_t read_byte(struct vga_std *adapter, unsigned at)
{
	uint64_t value;

	if (at < VGA_EDID_BYTES)
		return adapter->monitor ? adapter->edid[at] : 0;
	if (at < PORTS || at >= PORTS_END)
		return (uint8_t)(read_word(adapter, at & ~1u) >> 8 * (at & 1));
	vga_port_read(adapter, at - PORTS, 1, &value);
	return (uint8_t)value;
}

static enum mw_io read_registers(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	if (size == 2 && offset >= VBE) {
		*value = read_word(self, (unsigned)offset);
		return MW_IO_OK;
	}
	*value = 0;
	for (unsigned i = 0; i < size; i++)
		*value |= (uint64_t)read_byte(self, (unsigned)offset + i) << 8 * i;
	return MW_IO_OK;
}

static enum mw_io write_registers(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct vga_std *adapter = self;

	if (offset >= VBE && offset < VBE_END && size == 2) {
		vga_vbe_write(&adapter->vga, (unsigned)(offset - VBE) / 2, (uint16_t)value);
		return MW_IO_OK;
	}
	for (unsigned i = 0; i < size && offset >= PORTS && offset < PORTS_END; i++)
		vga_port_write(adapter, offset - PORTS + i, 1, value >> 8 * i & 0xff);
	return MW_IO_OK;
}

static const struct mw_region regions[] = {
	VGA_REGIONS,
	{ "vram", MW_SPACE_MEMORY, VGA_MEMORY_BYTES, .backing = MW_BACKING_RAM,
	  .memory_offset = offsetof(struct vga_std, vga.memory), .bar = MW_PCI_BAR(0) },
	{ "regs", MW_SPACE_MEMORY, REGISTER_BYTES, MW_ACCESS(1, 2), .read = read_registers,
	  .write = write_registers, .bar = MW_PCI_BAR(2), .optional = true },
	{ "rom", MW_SPACE_MEMORY, ROM_BYTES, .backing = MW_BACKING_ROM,
	  .memory_offset = offsetof(struct vga_std, rom), .bar = MW_PCI_BAR(MW_PCI_ROM),
	  .optional = true },
};
static const struct mw_pci_type function = {
	.identity = {
		.vendor = VENDOR,
		.device = DEVICE,
		.subsystem_vendor = SUBSYSTEM_VENDOR,
		.subsystem = SUBSYSTEM,
		.class_code = DISPLAY_VGA,
		.revision = REVISION,
	},
	.regions = regions,
	.region_count = sizeof(regions) / sizeof(regions[0]),
};

static void complain(const struct vga_std *adapter, struct mw_diagnostics *diagnostics,
		     enum mw_severity severity, const char *what)
{
	mw_diagnostics_add(diagnostics, severity, "", (struct mw_span){ 0 }, "%s: %s",
			   mw_device_id(adapter), what);
}

static unsigned word_at(const uint8_t *bytes, size_t at)
{
	return bytes[at] | (unsigned)bytes[at + 1] << 8;
}

/* A BIOS runs only what says that it is for this very function (PCI 3.0, 6.3.1.2). */
static bool is_for_us(const uint8_t *rom)
{
	size_t pcir = word_at(rom, ROM_POINTER);

	return word_at(rom, 0) == 0xaa55 && pcir <= ROM_BYTES - PCIR_BYTES &&
	       !memcmp(rom + pcir, "PCIR", 4) && word_at(rom, pcir + 4) == VENDOR &&
	       word_at(rom, pcir + 6) == DEVICE;
}

static const char *rom_fault(struct vga_std *adapter)
{
	uint64_t size = mw_image_size(adapter->image), capacity;
	uint8_t *bytes = mw_memory_bytes(adapter->rom, &capacity);

	if (!size)
		return NULL;
	if (!bytes)
		return "there is an image for the ROM, but the profile does not claim `rom`";
	if (size > capacity)
		return "the ROM's image is larger than 64 KiB";
	return mw_image_read(adapter->image, 0, bytes, size) ? NULL
							     : "the ROM's image cannot be read";
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct vga_std *adapter = self;
	const char *fault = rom_fault(adapter);

	vga_edid(adapter->edid, adapter->width, adapter->height);
	mw_pci_init(&adapter->pci, adapter, &function);
	if (fault)
		complain(adapter, diagnostics, MW_SEVERITY_ERROR, fault);
	else if (mw_image_size(adapter->image) && !is_for_us(mw_memory_bytes(adapter->rom, NULL)))
		complain(adapter, diagnostics, MW_SEVERITY_WARNING,
			 "the ROM's image is not for PCI 1234:1111: a BIOS will pass it over");
	return !fault;
}

static void after_reset(void *self)
{
	struct vga_std *adapter = self;

	mw_pci_reset(&adapter->pci);
	vga_ready(&adapter->vga);
}

static void after_load(void *self)
{
	struct vga_std *adapter = self;

	mw_pci_loaded(&adapter->pci);
	vga_ready(&adapter->vga);
}

static const struct mw_property properties[] = {
	{ "width", "What the monitor likes best, in pixels.", MW_FIELD(struct vga_std, width),
	  .fallback = 1024, .min = LEAST_EDID, .max = MOST_EDID },
	{ "height", "The same, in lines.", MW_FIELD(struct vga_std, height), .fallback = 768,
	  .min = LEAST_EDID, .max = MOST_EDID },
	{ "monitor", "Whether it can be asked what it likes (EDID).",
	  MW_FIELD(struct vga_std, monitor), .fallback = 1 },
};
static const struct mw_wire wires[] = {
	{ "display", "The picture.", MW_FIELD(struct vga_std, vga.display), .optional = true,
	  .on_draw = vga_draw, .on_text = vga_text },
	{ "image", "Bytes of the expansion ROM: a VGA BIOS.", MW_FIELD(struct vga_std, image),
	  .optional = true },
};
static const struct mw_state state[] = {
	{ "vga", MW_STRUCT(struct vga_std, vga, vga_rows), .since = 1 },
	{ "pci", MW_STRUCT(struct vga_std, pci, mw_pci_rows), .since = 1 },
};
static const struct mw_role_row roles[] = { { MW_ROLE_VGA, "vga", 0, 1 } };
static const struct mw_config_ops config = MW_PCI_CONFIG(struct vga_std, pci, function);
static const char *const buses[] = { "pci", NULL };

const struct mw_device_type vga_std_type = {
	MW_DEVICE_TYPE,
	.name = "vga-std",
	.summary = "VGA with the Bochs interface, on PCI: 16 MiB, modes up to 4096x4096",
	.size = sizeof(struct vga_std),
	.state_version = 1,
	.buses = buses,
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.state = MW_TABLE(state),
	.ops = { .init = init, .after_reset = after_reset, .after_load = after_load },
	.firmware = { .roles = MW_TABLE(roles) },
	.config = &config,
};
