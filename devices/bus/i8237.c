/* The PC/AT's two DMA controllers and their page registers. References: Intel 8237A data sheet (231466; figures and
 * tables are its); IBM PC/AT Technical Reference (1984), "Direct Memory Access", for the wiring; Intel 82371SB
 * (PIIX3) data sheet (290550), "DMA Register Description", for what a PC's chipset keeps of it. */
// SPDX-License-Identifier: MIT
#include "core/device.h"

enum { CHIPS = 2, CHANNELS = 4 };
enum { LOW, HIGH }; /* channels 0 to 3 are bytes, 5 to 7 words */
enum { CHIP_PORTS = 16, PAGES = 16 };
/* "Command register" */
enum { COMMAND_MEMORY_TO_MEMORY = 0x01, COMMAND_DISABLE = 0x04 };
/* "Mode register" */
enum { MODE_VERIFY = 0x00, MODE_WRITE = 0x04, MODE_READ = 0x08, MODE_TRANSFER = 0x0c };
enum { MODE_AUTOINIT = 0x10, MODE_DOWN = 0x20, MODE_CASCADE = 0xc0, MODE_KEPT = 0xfc };
/* "Request register" and "Mask register": one bit at a time */
enum { BIT_SET = 0x04, BIT_CHANNEL = 0x03, ALL_CHANNELS = 0x0f };
enum { CASCADE_CHANNEL = 0 };

struct channel {
	uint16_t base_address, base_count; /* what autoinitialisation restores */
	uint16_t address, count;           /* count: transfers less one */
	uint8_t mode;
};

struct chip {
	struct channel channels[CHANNELS];
	bool flip_flop; /* the high byte is next */
	uint8_t command, mask;
	uint8_t request;  /* software's */
	uint8_t dreq;     /* levels of the pins */
	uint8_t terminal; /* terminal count was reached since the status was read */
};

struct i8237 {
	struct chip chips[CHIPS];
	uint8_t pages[PAGES];
};

/* Addresses and counts */

/* One byte of a register of 16 bits, and the other one next. */
static void write_half(bool high, uint16_t *word, uint8_t byte)
{
	*word = (uint16_t)(high ? (*word & 0x00ff) | byte << 8 : (*word & 0xff00) | byte);
}

static uint8_t read_register(struct chip *chip, unsigned number)
{
	const struct channel *channel = &chip->channels[number / 2];
	uint16_t word = number % 2 ? channel->count : channel->address;
	bool high = chip->flip_flop;

	chip->flip_flop = !high;
	return (uint8_t)(high ? word >> 8 : word);
}

/* "Base address and base word count registers": written together with the current ones. */
static void write_register(struct chip *chip, unsigned number, uint8_t byte)
{
	struct channel *channel = &chip->channels[number / 2];
	bool high = chip->flip_flop;

	chip->flip_flop = !high;
	write_half(high, number % 2 ? &channel->base_count : &channel->base_address, byte);
	write_half(high, number % 2 ? &channel->count : &channel->address, byte);
}

/* Commands: ports 8 to 15 (figure 6) */

static uint8_t read_status(struct chip *chip)
{
	uint8_t status = (uint8_t)((chip->dreq | chip->request) << 4 | chip->terminal);

	chip->terminal = 0;
	return status;
}

/* The 8237A has none at this port; chipsets since have. */
static uint8_t read_mask(struct chip *chip)
{
	return chip->mask;
}

/* There are no transfers from memory to memory, so it stays as reset leaves it. */
static uint8_t read_temporary(struct chip *chip)
{
	return 0;
}

static void write_command(struct chip *chip, uint8_t value)
{
	chip->command = value;
}

static void write_bit(uint8_t *bits, uint8_t value)
{
	uint8_t bit = (uint8_t)(1u << (value & BIT_CHANNEL));

	*bits = value & BIT_SET ? *bits | bit : *bits & (uint8_t)~bit;
}

static void write_request(struct chip *chip, uint8_t value)
{
	write_bit(&chip->request, value);
}

static void write_mask_bit(struct chip *chip, uint8_t value)
{
	write_bit(&chip->mask, value);
}

static void write_mode(struct chip *chip, uint8_t value)
{
	chip->channels[value & BIT_CHANNEL].mode = value & MODE_KEPT;
}

static void clear_flip_flop(struct chip *chip, uint8_t value)
{
	chip->flip_flop = false;
}

/* "Master clear": as a reset; addresses, counts and modes stay. */
static void master_clear(struct chip *chip, uint8_t value)
{
	chip->flip_flop = false;
	chip->command = chip->request = chip->terminal = 0;
	chip->mask = ALL_CHANNELS;
}

static void clear_mask(struct chip *chip, uint8_t value)
{
	chip->mask = 0;
}

static void write_mask(struct chip *chip, uint8_t value)
{
	chip->mask = value & ALL_CHANNELS;
}

static const struct {
	uint8_t (*read)(struct chip *chip);
	void (*write)(struct chip *chip, uint8_t value);
} controls[CHIP_PORTS - 2 * CHANNELS] = {
	{ read_status, write_command }, { NULL, write_request },   { NULL, write_mask_bit },
	{ NULL, write_mode },           { NULL, clear_flip_flop }, { read_temporary, master_clear },
	{ NULL, clear_mask },           { read_mask, write_mask },
};

static enum mw_io read_chip(struct chip *chip, unsigned port, uint64_t *value)
{
	if (port < 2 * CHANNELS)
		*value = read_register(chip, port);
	else if (controls[port - 2 * CHANNELS].read)
		*value = controls[port - 2 * CHANNELS].read(chip);
	else
		return MW_IO_NO_REGISTER;
	return MW_IO_OK;
}

/* A channel that was masked or not programmed may be one that somebody waits for. */
static enum mw_io write_chip(struct i8237 *dma, unsigned which, unsigned port, uint8_t value)
{
	struct chip *chip = &dma->chips[which];

	if (port < 2 * CHANNELS) {
		write_register(chip, port, value);
		return MW_IO_OK;
	}
	controls[port - 2 * CHANNELS].write(chip, value);
	if (chip->command & COMMAND_MEMORY_TO_MEMORY)
		mw_guest_log(dma, "there are no transfers from memory to memory");
	mw_dma_poll(dma);
	return MW_IO_OK;
}

static enum mw_io read_low(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	return read_chip(&((struct i8237 *)self)->chips[LOW], (unsigned)offset, value);
}

static enum mw_io write_low(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	return write_chip(self, LOW, (unsigned)offset, (uint8_t)value);
}

/* The chip's A0 is the bus's A1. */
static enum mw_io read_high(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	return read_chip(&((struct i8237 *)self)->chips[HIGH], (unsigned)offset / 2, value);
}

static enum mw_io write_high(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	return write_chip(self, HIGH, (unsigned)offset / 2, (uint8_t)value);
}

static enum mw_io read_page(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	*value = ((struct i8237 *)self)->pages[offset];
	return MW_IO_OK;
}

static enum mw_io write_page(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	((struct i8237 *)self)->pages[offset] = (uint8_t)value;
	return MW_IO_OK;
}

/* Transfers */

static bool is_open(const struct chip *chip, unsigned number)
{
	return !(chip->command & COMMAND_DISABLE) && !(chip->mask >> number & 1);
}

static bool is_cascade(const struct chip *chip, unsigned number)
{
	return (chip->channels[number].mode & MODE_CASCADE) == MODE_CASCADE;
}

/* "Software commands": a request of software's is not masked. The low chip asks through the high one. */
static bool is_granted(const struct i8237 *dma, unsigned which, unsigned number)
{
	const struct chip *chip = &dma->chips[which];
	const struct chip *high = &dma->chips[HIGH];
	bool asked = chip->request >> number & 1;

	if (which == LOW && (!is_open(high, CASCADE_CHANNEL) || !is_cascade(high, CASCADE_CHANNEL)))
		return false;
	if (is_cascade(chip, number) || (chip->command & COMMAND_DISABLE))
		return false;
	if ((chip->channels[number].mode & MODE_TRANSFER) == MODE_TRANSFER)
		return false;
	return asked || ((chip->dreq >> number & 1) && is_open(chip, number));
}

/* The PC/AT's pages are where its address decoder left room for them. */
static uint32_t page_of(const struct i8237 *dma, unsigned which, unsigned number)
{
	static const uint8_t ports[CHIPS][CHANNELS] = { { 7, 3, 1, 2 }, { 15, 11, 9, 10 } };
	uint32_t page = dma->pages[ports[which][number]];

	return which == HIGH ? (page & 0xfe) << 16 : page << 16;
}

/* "Terminal count": the count has gone below zero. */
static void terminate(struct chip *chip, unsigned number)
{
	struct channel *channel = &chip->channels[number];
	uint8_t bit = (uint8_t)(1u << number);

	chip->terminal |= bit;
	chip->request &= (uint8_t)~bit;
	if (channel->mode & MODE_AUTOINIT) {
		channel->address = channel->base_address;
		channel->count = channel->base_count;
	} else {
		chip->mask |= bit;
	}
}

/* `transfers` of the last cycle are done. A guest may have written the registers meanwhile. */
static void count_down(struct chip *chip, unsigned number, uint32_t transfers)
{
	struct channel *channel = &chip->channels[number];
	uint32_t left = channel->count + 1u;

	if (transfers > left)
		transfers = left;
	channel->count = (uint16_t)(channel->count - transfers);
	channel->address = (uint16_t)(channel->mode & MODE_DOWN ? channel->address - transfers
								: channel->address + transfers);
	if (transfers == left)
		terminate(chip, number);
}

/* As many transfers as there are before the address wraps within its page. Words that go down go one by
 * one, for their bytes still go up. */
static void give_cycle(const struct i8237 *dma, unsigned which, unsigned number,
		       struct mw_dma_cycle *next)
{
	const struct channel *channel = &dma->chips[which].channels[number];
	bool down = channel->mode & MODE_DOWN;
	uint32_t left = channel->count + 1u;
	uint32_t most = down ? channel->address + 1u : 0x10000u - channel->address;
	uint32_t transfers = left < most ? left : most;

	if (down && which == HIGH)
		transfers = 1;
	*next = (struct mw_dma_cycle){
		.address = page_of(dma, which, number) + ((uint32_t)channel->address << which),
		.count = (size_t)transfers << which,
		.to_memory = (channel->mode & MODE_TRANSFER) != MODE_READ,
		.verify = (channel->mode & MODE_TRANSFER) == MODE_VERIFY,
		.terminal = transfers == left,
		.down = down && which == LOW,
	};
}

/* Demand, single and block mode differ in when others have the bus, which nobody sees here: who has
 * dropped DREQ has nothing to give or to take. */
static bool on_cycle(void *self, unsigned channel, bool request, size_t moved,
		     struct mw_dma_cycle *next)
{
	struct i8237 *dma = self;
	unsigned which = channel / CHANNELS % CHIPS, number = channel % CHANNELS;
	struct chip *chip = &dma->chips[which];
	uint8_t bit = (uint8_t)(1u << number);

	chip->dreq = request ? chip->dreq | bit : chip->dreq & (uint8_t)~bit;
	if (moved)
		count_down(chip, number, (uint32_t)(moved >> which));
	if (!is_granted(dma, which, number))
		return false;
	give_cycle(dma, which, number, next);
	return true;
}

static void after_load(void *self)
{
	struct i8237 *dma = self;

	for (unsigned i = 0; i < CHIPS; i++) {
		struct chip *chip = &dma->chips[i];

		chip->mask &= ALL_CHANNELS;
		chip->request &= ALL_CHANNELS;
		chip->dreq &= ALL_CHANNELS;
		chip->terminal &= ALL_CHANNELS;
	}
}

static const struct mw_wire wires[] = {
	{ "channels", "DREQ and DACK of channels 0 to 7; 4 is the cascade's.", .kind = MW_DMA,
	  .count = CHIPS * CHANNELS, .direction = MW_RECEIVES, .on_cycle = on_cycle },
};
static const struct mw_region regions[] = {
	{ "lo", MW_SPACE_PORT, CHIP_PORTS, MW_ACCESS(1, 1), .read = read_low, .write = write_low },
	{ "page", MW_SPACE_PORT, PAGES, MW_ACCESS(1, 1), .read = read_page, .write = write_page },
	{ "hi", MW_SPACE_PORT, 2 * CHIP_PORTS, MW_ACCESS(1, 1), .read = read_high,
	  .write = write_high },
};
static const struct mw_state channel_state[] = {
	{ "base_address", MW_FIELD(struct channel, base_address), .since = 1 },
	{ "base_count", MW_FIELD(struct channel, base_count), .since = 1 },
	{ "address", MW_FIELD(struct channel, address), .since = 1 },
	{ "count", MW_FIELD(struct channel, count), .since = 1 },
	{ "mode", MW_FIELD(struct channel, mode), .since = 1 },
};
static const struct mw_state chip_state[] = {
	{ "channels", MW_STRUCTS(struct chip, channels, channel_state), .since = 1 },
	{ "flip_flop", MW_FIELD(struct chip, flip_flop), .since = 1 },
	{ "command", MW_FIELD(struct chip, command), .since = 1 },
	{ "mask", MW_FIELD(struct chip, mask), .reset = ALL_CHANNELS, .since = 1 },
	{ "request", MW_FIELD(struct chip, request), .since = 1 },
	{ "dreq", MW_FIELD(struct chip, dreq), .since = 1 },
	{ "terminal", MW_FIELD(struct chip, terminal), .since = 1 },
};
static const struct mw_state state[] = {
	{ "chips", MW_STRUCTS(struct i8237, chips, chip_state), .since = 1 },
	{ "pages", MW_ARRAY(struct i8237, pages), .since = 1 },
};
static const char *const buses[] = { "sys", "isa", NULL };

const struct mw_device_type i8237_type = {
	MW_DEVICE_TYPE,
	.name = "i8237",
	.summary = "8237 DMA controllers of the PC/AT, with their page registers",
	.size = sizeof(struct i8237),
	.state_version = 1,
	.buses = buses,
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.state = MW_TABLE(state),
	.ops = { .after_load = after_load },
	.firmware = { .acpi_hid = "PNP0200" },
};
