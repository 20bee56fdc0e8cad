/* The VGA with the Bochs interface on an ISA bus, where no guest can place its frame buffer: it lies where the profile
 * says, which is 0xe0000000 for the BIOSes that know it. Reference: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem". */
// SPDX-License-Identifier: MIT
#include "devices/display/vga_internal.h"

struct vga_isa {
	struct vga vga;
};

static void ready(void *self)
{
	vga_ready(&((struct vga_isa *)self)->vga);
}

static const struct mw_wire wires[] = {
	{ "display", "The picture.", MW_FIELD(struct vga_isa, vga.display), .optional = true,
	  .on_draw = vga_draw, .on_text = vga_text },
};
static const struct mw_region regions[] = {
	VGA_REGIONS,
	{ "vram", MW_SPACE_MEMORY, VGA_MEMORY_BYTES, .backing = MW_BACKING_RAM,
	  .memory_offset = offsetof(struct vga_isa, vga.memory) },
};
static const struct mw_state state[] = {
	{ "vga", MW_STRUCT(struct vga_isa, vga, vga_rows), .since = 1 },
};
static const struct mw_role_row roles[] = { { MW_ROLE_VGA, "vga", 0, 1 } };
static const char *const buses[] = { "isa", NULL };

const struct mw_device_type vga_isa_type = {
	MW_DEVICE_TYPE,
	.name = "vga-isa",
	.summary = "VGA with the Bochs interface, on ISA: 16 MiB, modes up to 4096x4096",
	.size = sizeof(struct vga_isa),
	.state_version = 1,
	.buses = buses,
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.state = MW_TABLE(state),
	.ops = { .after_reset = ready, .after_load = ready },
	.firmware = { .acpi_hid = "PNP0900", .roles = MW_TABLE(roles) },
};
