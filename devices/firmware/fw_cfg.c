/* Firmware configuration device: items under numbers and files under names, read through two ports or by
 * DMA. Reference: QEMU, "QEMU Firmware Configuration (fw_cfg) Device" (docs/specs/fw_cfg), section by section. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/device.h"
#include "core/tables/aml.h"

/* Register locations; the DMA address has two halves, the more significant one first. */
enum { SELECTOR = 0, DATA = 1, DMA_HIGH = 4, DMA_LOW = 8, PORTS = 12 };
enum {
	KEY_SIGNATURE = 0x00,
	KEY_ID = 0x01,
	KEY_UUID = 0x02,
	KEY_BOOT_MENU = 0x0e,
	KEY_DIRECTORY = 0x19,
	KEY_FIRST_FILE = 0x20
};
/* Bit 14 asks for write access, which no item grants. */
enum { SELECTOR_WRITE = 0x4000 };
enum { ID_TRADITIONAL = 1u << 0, ID_DMA = 1u << 1 };
enum {
	CONTROL_ERROR = 0x01,
	CONTROL_READ = 0x02,
	CONTROL_SKIP = 0x04,
	CONTROL_SELECT = 0x08,
	CONTROL_WRITE = 0x10
};
enum { REQUEST_BYTES = 16 };
/* A file's entry in the directory. */
enum { ENTRY_BYTES = 64, ENTRY_SELECT = 4, ENTRY_NAME = 8, NAME_BYTES = 56, COUNT_BYTES = 4 };
enum { NUMBERS_MAX = 16, FILES_MAX = 64 };
/* How much one callback transfers; a longer request goes on with the timer. */
enum { PART = 4096, PARTS = 16 };
enum { OWN_MAX = 6, OWN_BYTES = 16 };
#define NEVER UINT64_C(0xffffffff)

struct item {
	unsigned key; /* of one under a number */
	char name[NAME_BYTES];
	const uint8_t *bytes;
	size_t size;
};

struct fw_cfg {
	/* Configuration and wiring. */
	bool has_dma, boot_menu;
	uint32_t sercon, boot_menu_wait, boot_fail_wait;
	struct mw_uuid uuid;
	struct mw_dma *dma;
	struct mw_timer *more;
	/* What there is to be read. */
	struct item numbers[NUMBERS_MAX], files[FILES_MAX]; /* files by name */
	size_t number_count, file_count;
	uint8_t own[OWN_MAX][OWN_BYTES];
	size_t own_count;
	/* Guest-visible state. */
	uint16_t selector;
	uint32_t offset, dma_high;
	uint64_t control_at, target; /* of the request under way */
	uint32_t left;               /* 0: there is none */
};

static void put_be(uint8_t *bytes, unsigned count, uint64_t value)
{
	while (count--) {
		bytes[count] = (uint8_t)value;
		value >>= 8;
	}
}

static uint64_t get_be(const uint8_t *bytes, unsigned count)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

static const struct item *selected(const struct fw_cfg *fw)
{
	unsigned key = fw->selector & ~(unsigned)SELECTOR_WRITE;

	if (key >= KEY_FIRST_FILE && key - KEY_FIRST_FILE < fw->file_count)
		return &fw->files[key - KEY_FIRST_FILE];
	for (size_t i = 0; i < fw->number_count; i++) {
		if (fw->numbers[i].key == key)
			return &fw->numbers[i];
	}
	return NULL;
}

static bool directory_selected(const struct fw_cfg *fw)
{
	return (fw->selector & ~(unsigned)SELECTOR_WRITE) == KEY_DIRECTORY;
}

static size_t selected_size(const struct fw_cfg *fw)
{
	const struct item *item = selected(fw);

	if (directory_selected(fw))
		return COUNT_BYTES + fw->file_count * ENTRY_BYTES;
	return item ? item->size : 0;
}

static uint8_t directory_byte(const struct fw_cfg *fw, size_t at)
{
	uint8_t head[ENTRY_NAME] = { 0 };

	if (at < COUNT_BYTES) {
		put_be(head, COUNT_BYTES, fw->file_count);
		return head[at];
	}
	size_t index = (at - COUNT_BYTES) / ENTRY_BYTES, byte = (at - COUNT_BYTES) % ENTRY_BYTES;
	const struct item *file = &fw->files[index];

	if (byte >= ENTRY_NAME)
		return (uint8_t)file->name[byte - ENTRY_NAME];
	put_be(head, 4, file->size);
	put_be(head + ENTRY_SELECT, 2, KEY_FIRST_FILE + index);
	return head[byte];
}

/* The next bytes of the item; behind its end all are 0 and the offset stays. */
static void take(struct fw_cfg *fw, uint8_t *bytes, size_t count)
{
	const struct item *item = selected(fw);
	size_t size = selected_size(fw), offset = fw->offset < size ? fw->offset : size;
	size_t there = count < size - offset ? count : size - offset;

	if (directory_selected(fw)) {
		for (size_t i = 0; i < there; i++)
			bytes[i] = directory_byte(fw, offset + i);
	} else if (there) {
		memcpy(bytes, item->bytes + offset, there);
	}
	memset(bytes + there, 0, count - there);
	fw->offset = (uint32_t)(offset + there);
}

static void skip(struct fw_cfg *fw, uint32_t count)
{
	size_t size = selected_size(fw), offset = fw->offset < size ? fw->offset : size;

	fw->offset = (uint32_t)(offset + (count < size - offset ? count : size - offset));
}

static void select_item(struct fw_cfg *fw, uint16_t selector)
{
	fw->selector = selector;
	fw->offset = 0;
}

static void finish(struct fw_cfg *fw, uint64_t control_at, bool good)
{
	uint8_t control[4];

	put_be(control, sizeof(control), good ? 0 : CONTROL_ERROR);
	mw_dma_write(fw->dma, control_at, control, sizeof(control));
}

/* While a request is under way its control field is not 0, so that the guest waits. */
static void go_on(void *self)
{
	struct fw_cfg *fw = self;
	uint8_t bytes[PART];
	bool good = true;

	for (unsigned i = 0; i < PARTS && fw->left && good; i++) {
		uint32_t part = fw->left < PART ? fw->left : PART;

		take(fw, bytes, part);
		good = mw_dma_write(fw->dma, fw->target, bytes, part);
		fw->target += part;
		fw->left = good ? fw->left - part : 0;
	}
	if (fw->left)
		mw_timer_arm(fw->more, mw_now_ns(fw));
	else
		finish(fw, fw->control_at, good);
}

static void start_request(struct fw_cfg *fw, uint64_t at)
{
	uint8_t request[REQUEST_BYTES];

	if (fw->left || !mw_dma_read(fw->dma, at, request, sizeof(request))) {
		finish(fw, at, false);
		return;
	}
	uint32_t control = (uint32_t)get_be(request, 4), length = (uint32_t)get_be(request + 4, 4);

	if (control & CONTROL_SELECT)
		select_item(fw, (uint16_t)(control >> 16));
	if ((control & CONTROL_READ) && length) {
		fw->control_at = at;
		fw->target = get_be(request + 8, 8);
		fw->left = length;
		go_on(fw);
		return;
	}
	bool writes = !(control & CONTROL_READ) && (control & CONTROL_WRITE);

	if (!writes && !(control & CONTROL_READ) && (control & CONTROL_SKIP))
		skip(fw, length);
	finish(fw, at, !(writes && length));
}

static enum mw_io read_ports(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	static const char signature[] = "QEMU CFG";
	struct fw_cfg *fw = self;
	uint8_t byte;

	if (offset >= DMA_HIGH && fw->has_dma) {
		*value = 0;
		for (unsigned i = 0; i < size; i++)
			*value |= (uint64_t)(uint8_t)signature[offset - DMA_HIGH + i] << (8 * i);
		return MW_IO_OK;
	}
	if (offset > DATA)
		return MW_IO_NO_REGISTER;
	if (size != 1)
		return MW_IO_BAD_SIZE;
	take(fw, &byte, 1);
	*value = byte;
	return MW_IO_OK;
}

/* The address arrives big-endian. */
static enum mw_io write_dma(struct fw_cfg *fw, uint64_t offset, unsigned size, uint64_t value)
{
	uint32_t half = __builtin_bswap32((uint32_t)value);

	if (size != 4)
		return MW_IO_BAD_SIZE;
	if (offset == DMA_HIGH) {
		fw->dma_high = half;
		return MW_IO_OK;
	}
	uint64_t address = (uint64_t)fw->dma_high << 32 | half;

	fw->dma_high = 0;
	start_request(fw, address);
	return MW_IO_OK;
}

/* Bytes written to the data register have no effect, and the selector is written as a word. */
static enum mw_io write_ports(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct fw_cfg *fw = self;

	if (offset >= DMA_HIGH && fw->has_dma)
		return write_dma(fw, offset, size, value);
	if (offset > DATA)
		return MW_IO_NO_REGISTER;
	if (size == 2)
		select_item(fw, (uint16_t)value);
	return size <= 2 ? MW_IO_OK : MW_IO_BAD_SIZE;
}

static struct item *room_for_number(struct fw_cfg *fw, unsigned key)
{
	for (size_t i = 0; i < fw->number_count; i++) {
		if (fw->numbers[i].key == key)
			return &fw->numbers[i];
	}
	return fw->number_count < NUMBERS_MAX ? &fw->numbers[fw->number_count++] : NULL;
}

/* Files stand in the order of their names, so that their keys do not depend on who came first. */
static struct item *room_for_file(struct fw_cfg *fw, const char *name)
{
	size_t at = 0;

	while (at < fw->file_count && strncmp(fw->files[at].name, name, NAME_BYTES - 1) < 0)
		at++;
	if (at < fw->file_count && strncmp(fw->files[at].name, name, NAME_BYTES - 1) == 0)
		return &fw->files[at];
	if (fw->file_count == FILES_MAX)
		return NULL;
	memmove(&fw->files[at + 1], &fw->files[at], (fw->file_count - at) * sizeof(fw->files[0]));
	fw->file_count++;
	return &fw->files[at];
}

static void add_item(void *self, unsigned key, const char *name, const uint8_t *bytes, size_t size)
{
	struct fw_cfg *fw = self;
	struct item *item = key || !name ? room_for_number(fw, key) : room_for_file(fw, name);

	if (!item) {
		mw_guest_log(fw, "there is no room for item %s", name ? name : "of a number");
		return;
	}
	*item = (struct item){ .key = key, .bytes = bytes, .size = size };
	for (size_t i = 0; name && i < NAME_BYTES - 1 && name[i]; i++)
		item->name[i] = name[i];
}

static void add_own(struct fw_cfg *fw, unsigned key, const char *name, unsigned size,
		    uint64_t value)
{
	uint8_t *bytes = fw->own[fw->own_count++];

	for (unsigned i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	add_item(fw, key, name, bytes, size);
}

/* Names and numbers are those under which SeaBIOS looks for them. */
static void start_over(void *self)
{
	struct fw_cfg *fw = self;

	fw->number_count = fw->file_count = fw->own_count = 0;
	add_item(fw, KEY_SIGNATURE, NULL, (const uint8_t *)"QEMU", 4);
	add_item(fw, KEY_UUID, NULL, fw->uuid.bytes, sizeof(fw->uuid.bytes));
	add_own(fw, KEY_ID, NULL, 4, ID_TRADITIONAL | (fw->has_dma ? ID_DMA : 0u));
	add_own(fw, KEY_BOOT_MENU, NULL, 2, fw->boot_menu);
	add_own(fw, 0, "etc/boot-fail-wait", 4, fw->boot_fail_wait);
	if (fw->boot_menu_wait)
		add_own(fw, 0, "etc/boot-menu-wait", 4, fw->boot_menu_wait);
	if (fw->sercon)
		add_own(fw, 0, "etc/sercon-port", 2, fw->sercon);
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	start_over(self);
	return true;
}

static void describe(struct mw_aml *aml, const struct mw_plan *plan,
		     const struct mw_plan_node *node)
{
	mw_aml_name(aml, "_STA"); /* present, decoding and working, not to be shown */
	mw_aml_integer(aml, 0x0b);
}

static const struct mw_property properties[] = {
	{ "dma", "Has the DMA interface.", MW_FIELD(struct fw_cfg, has_dma), .fallback = true },
	{ "uuid", "The machine's identity; left out or all zeroes: none.",
	  MW_FIELD(struct fw_cfg, uuid) },
	{ "sercon", "A serial port that a BIOS uses as a console too (0x3f8); 0: none.",
	  MW_FIELD(struct fw_cfg, sercon), .max = UINT16_MAX },
	{ "boot_menu", "A BIOS asks whether the user wants its boot menu.",
	  MW_FIELD(struct fw_cfg, boot_menu) },
	{ "boot_menu_wait", "How many ms it waits for the answer; 0: as it likes.",
	  MW_FIELD(struct fw_cfg, boot_menu_wait) },
	{ "boot_fail_wait",
	  "After how many ms a BIOS that finds nothing to boot starts again; 0xffffffff: never.",
	  MW_FIELD(struct fw_cfg, boot_fail_wait), .fallback = NEVER },
};
static const struct mw_wire wires[] = {
	{ "dma", "Where requests and what they ask for lie.", MW_FIELD(struct fw_cfg, dma) },
};
static const struct mw_timer_row timers[] = {
	{ "more", "The next part of a long transfer.", MW_FIELD(struct fw_cfg, more),
	  .on_expire = go_on },
};
static const struct mw_region regions[] = {
	{ "regs", MW_SPACE_PORT, PORTS, MW_ACCESS(1, 4), .read = read_ports, .write = write_ports,
	  .align = 4 },
};
static const struct mw_state state[] = {
	{ "selector", MW_FIELD(struct fw_cfg, selector), .since = 1 },
	{ "offset", MW_FIELD(struct fw_cfg, offset), .since = 1 },
	{ "dma_high", MW_FIELD(struct fw_cfg, dma_high), .since = 1 },
	{ "control_at", MW_FIELD(struct fw_cfg, control_at), .since = 1 },
	{ "target", MW_FIELD(struct fw_cfg, target), .since = 1 },
	{ "left", MW_FIELD(struct fw_cfg, left), .since = 1 },
};
static const char *const buses[] = { "sys", "isa", NULL };

const struct mw_device_type fw_cfg_type = {
	MW_DEVICE_TYPE,
	.name = "fw-cfg",
	.summary = "firmware configuration: tables and settings that a BIOS asks for",
	.size = sizeof(struct fw_cfg),
	.state_version = 1,
	.buses = buses,
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.timers = MW_TABLE(timers),
	.state = MW_TABLE(state),
	.ops = { .init = init, .after_reset = start_over },
	.firmware = { .acpi_hid = "QEMU0002", .aml = describe, .item = add_item },
};
