/* The PC's two 8259A interrupt controllers as one device. Reference: Intel 8259A data sheet (231468);
 * the edge/level control registers are those of Intel's PIIX and ICH (82371SB data sheet, 2.5.5.6). */
// SPDX-License-Identifier: MIT
#include "core/device.h"

enum { CHIPS = 2, CHIP_PINS = 8, PINS = CHIPS * CHIP_PINS, CASCADE = 2, SPURIOUS = 7 };
enum { COMMAND, DATA, CHIP_SIZE };
/* IRQ 0, 1, 2, 8 and 13 of a PC are edges, always. */
enum { ELCR_MASTER = 0xf8, ELCR_SLAVE = 0xde };
enum {
	ICW1 = 0x10,
	ICW1_IC4 = 0x01,
	ICW1_SINGLE = 0x02,
	ICW1_LTIM = 0x08,
	ICW2_VECTOR = 0xf8,
	ICW3_MASTER = 1 << CASCADE,
	ICW3_SLAVE = CASCADE,
	ICW4_8086 = 0x01,
	ICW4_AEOI = 0x02,
	ICW4_SFNM = 0x10
};
/* Figure 8: OCW2 is a command in bits 5-7 and a level. */
enum { OCW2_LEVEL = 0x07, OCW2_EOI = 0x20, OCW2_SPECIFIC = 0x40, OCW2_ROTATE = 0x80 };
enum {
	OCW3 = 0x08,
	OCW3_RIS = 0x01,
	OCW3_RR = 0x02,
	OCW3_POLL = 0x04,
	OCW3_SMM = 0x20,
	OCW3_ESMM = 0x40
};
/* Which word of the initialization sequence (figure 6) comes next. */
enum { READY, WANTS_ICW2, WANTS_ICW3, WANTS_ICW4 };
enum { MASTER, SLAVE };

struct chip {
	uint8_t irr, imr, isr;
	uint8_t last_irr; /* levels of the pins */
	uint8_t elcr, vector_base;
	uint8_t init_state;
	uint8_t priority_add; /* the pin of highest priority */
	bool read_isr, poll, special_mask, init4, auto_eoi, rotate_on_aeoi, sfnm, single, ltim;
};

struct i8259 {
	struct mw_intr *intr;
	struct chip chip[CHIPS];
};

static uint8_t levels(const struct chip *chip)
{
	return chip->ltim ? 0xff : chip->elcr;
}

/* Priority of the first of these pins, 0 is the highest; CHIP_PINS where there is none. */
static unsigned first(const struct chip *chip, uint8_t pins)
{
	unsigned turned = (pins | (unsigned)pins << CHIP_PINS) >> chip->priority_add & 0xff;

	return turned ? (unsigned)__builtin_ctz(turned) : CHIP_PINS;
}

static unsigned pin_of(const struct chip *chip, unsigned priority)
{
	return (chip->priority_add + priority) % CHIP_PINS;
}

/* The pin whose request the chip passes on, or -1. A pin in service holds back those of its own and lower
 * priority; not so a masked one in the special mask mode, nor the slaves' pin its own further requests in
 * the special fully nested mode. Until it is initialized the chip accepts nothing (figure 6). */
static int requested(const struct i8259 *pic, unsigned number)
{
	const struct chip *chip = &pic->chip[number];
	unsigned request = first(chip, chip->irr & (uint8_t)~chip->imr);
	uint8_t holding = chip->special_mask ? chip->isr & (uint8_t)~chip->imr : chip->isr;
	unsigned service = first(chip, holding);
	bool nested = chip->sfnm && number == MASTER && pin_of(chip, request) == CASCADE;

	if (request == CHIP_PINS || chip->init_state != READY)
		return -1;
	return request < service || (nested && request == service) ? (int)pin_of(chip, request)
								   : -1;
}

/* "Edge and level triggered modes": in both, a request that goes away before it is acknowledged is none. */
static void set_pin(struct chip *chip, unsigned pin, bool level)
{
	uint8_t bit = (uint8_t)(1u << pin);
	bool rises = level && !(chip->last_irr & bit);

	if (rises || (level && (levels(chip) & bit)))
		chip->irr |= bit;
	if (!level)
		chip->irr &= (uint8_t)~bit;
	chip->last_irr = (uint8_t)((chip->last_irr & ~bit) | (level ? bit : 0));
}

static void update(struct i8259 *pic)
{
	set_pin(&pic->chip[MASTER], CASCADE, requested(pic, SLAVE) >= 0);
	mw_intr_set(pic->intr, requested(pic, MASTER) >= 0);
}

static void on_pin(void *self, unsigned pin, bool level)
{
	struct i8259 *pic = self;

	if (pin == CASCADE)
		return; /* the slave is there */
	set_pin(&pic->chip[pin / CHIP_PINS], pin % CHIP_PINS, level);
	update(pic);
}

static void rotate_below(struct chip *chip, unsigned pin)
{
	chip->priority_add = (uint8_t)((pin + 1) % CHIP_PINS);
}

/* An edge's request is used up, a level's stays while its pin is high. */
static void acknowledge(struct chip *chip, unsigned pin)
{
	uint8_t bit = (uint8_t)(1u << pin);

	chip->irr &= (uint8_t) ~(bit & ~levels(chip));
	if (!chip->auto_eoi)
		chip->isr |= bit;
	else if (chip->rotate_on_aeoi)
		rotate_below(chip, pin);
}

/* With the acknowledge the slave's INT falls, so that one more request of its is an edge to the master. */
static void acknowledge_slave(struct i8259 *pic, int pin)
{
	if (pin < 0)
		return;
	acknowledge(&pic->chip[SLAVE], (unsigned)pin);
	set_pin(&pic->chip[MASTER], CASCADE, false);
}

/* "Interrupt sequence": two INTA cycles at once. A request that is no longer there is a level 7, which is
 * not in service then. */
static int on_acknowledge(void *self)
{
	struct i8259 *pic = self;
	struct chip *master = &pic->chip[MASTER];
	int pin = requested(pic, MASTER), vector = master->vector_base + (pin < 0 ? SPURIOUS : pin);

	if (pin >= 0)
		acknowledge(master, (unsigned)pin);
	if (pin == CASCADE && !master->single) {
		pin = requested(pic, SLAVE);
		vector = pic->chip[SLAVE].vector_base + (pin < 0 ? SPURIOUS : pin);
		acknowledge_slave(pic, pin);
	}
	update(pic);
	return vector;
}

/* ICW1 resets the edge sense circuit: pins that are high have to rise anew. */
static void begin_initialization(struct chip *chip, uint8_t value)
{
	*chip = (struct chip){ .last_irr = chip->last_irr,
			       .elcr = chip->elcr,
			       .init_state = WANTS_ICW2,
			       .init4 = value & ICW1_IC4,
			       .single = value & ICW1_SINGLE,
			       .ltim = value & ICW1_LTIM };
	chip->irr = chip->last_irr & levels(chip);
}

/* A non-specific EOI ends the pin of highest priority; in the special mask mode, of those not masked. */
static int ended_pin(const struct chip *chip, uint8_t value)
{
	uint8_t candidates = chip->special_mask ? chip->isr & (uint8_t)~chip->imr : chip->isr;
	unsigned priority = first(chip, candidates);

	if (value & OCW2_SPECIFIC)
		return value & OCW2_LEVEL;
	return priority < CHIP_PINS ? (int)pin_of(chip, priority) : -1;
}

static void write_ocw2(struct chip *chip, uint8_t value)
{
	bool rotates = value & OCW2_ROTATE;

	if (value & OCW2_EOI) {
		int pin = ended_pin(chip, value);

		if (pin < 0)
			return;
		chip->isr &= (uint8_t) ~(1u << pin);
		if (rotates)
			rotate_below(chip, (unsigned)pin);
	} else if (!(value & OCW2_SPECIFIC)) {
		chip->rotate_on_aeoi = rotates;
	} else if (rotates) {
		rotate_below(chip, value & OCW2_LEVEL);
	}
}

static void write_ocw3(struct chip *chip, uint8_t value)
{
	if (value & OCW3_ESMM)
		chip->special_mask = value & OCW3_SMM;
	if (value & OCW3_RR)
		chip->read_isr = value & OCW3_RIS;
	if (value & OCW3_POLL)
		chip->poll = true;
}

static void write_command(struct i8259 *pic, unsigned number, uint8_t value)
{
	struct chip *chip = &pic->chip[number];

	if (value & ICW1)
		begin_initialization(chip, value);
	else if (value & OCW3)
		write_ocw3(chip, value);
	else
		write_ocw2(chip, value);
	update(pic);
}

static unsigned after_icw2(const struct chip *chip)
{
	if (!chip->single)
		return WANTS_ICW3;
	return chip->init4 ? WANTS_ICW4 : READY;
}

/* Whether a chip is buffered, and is master or slave, is the board's wiring. */
static void write_icw4(struct i8259 *pic, struct chip *chip, uint8_t value)
{
	chip->auto_eoi = value & ICW4_AEOI;
	chip->sfnm = value & ICW4_SFNM;
	if (!(value & ICW4_8086))
		mw_guest_log(pic, "there is no 8080 or 8085 here; interrupts are those of an 8086");
}

static void write_data(struct i8259 *pic, unsigned number, uint8_t value)
{
	struct chip *chip = &pic->chip[number];

	switch (chip->init_state) {
	case WANTS_ICW2:
		chip->vector_base = value & ICW2_VECTOR;
		chip->init_state = (uint8_t)after_icw2(chip);
		break;
	case WANTS_ICW3:
		if (value != (number == MASTER ? ICW3_MASTER : ICW3_SLAVE))
			mw_guest_log(pic, "ICW3 0x%02x is not how the chips are wired", value);
		chip->init_state = chip->init4 ? WANTS_ICW4 : READY;
		break;
	case WANTS_ICW4:
		write_icw4(pic, chip, value);
		chip->init_state = READY;
		break;
	default: chip->imr = value; break;
	}
	update(pic);
}

/* The poll command makes the next read of either address an acknowledge. */
static uint8_t read_poll(struct i8259 *pic, unsigned number)
{
	struct chip *chip = &pic->chip[number];
	int pin = requested(pic, number);

	chip->poll = false;
	if (pin < 0)
		return 0;
	if (number == SLAVE)
		acknowledge_slave(pic, pin);
	else
		acknowledge(chip, (unsigned)pin);
	update(pic);
	return (uint8_t)(0x80 | pin);
}

static uint8_t read_chip(struct i8259 *pic, unsigned number, unsigned offset)
{
	const struct chip *chip = &pic->chip[number];

	if (chip->poll)
		return read_poll(pic, number);
	if (offset == DATA)
		return chip->imr;
	return chip->read_isr ? chip->isr : chip->irr;
}

static uint64_t read_master_command(void *self)
{
	return read_chip(self, MASTER, COMMAND);
}

static uint64_t read_master_data(void *self)
{
	return read_chip(self, MASTER, DATA);
}

static uint64_t read_slave_command(void *self)
{
	return read_chip(self, SLAVE, COMMAND);
}

static uint64_t read_slave_data(void *self)
{
	return read_chip(self, SLAVE, DATA);
}

static void write_master_command(void *self, uint64_t value)
{
	write_command(self, MASTER, (uint8_t)value);
}

static void write_master_data(void *self, uint64_t value)
{
	write_data(self, MASTER, (uint8_t)value);
}

static void write_slave_command(void *self, uint64_t value)
{
	write_command(self, SLAVE, (uint8_t)value);
}

static void write_slave_data(void *self, uint64_t value)
{
	write_data(self, SLAVE, (uint8_t)value);
}

/* The level of a pin that is now a level is a request, or its absence. */
static void elcr_changed(void *self)
{
	struct i8259 *pic = self;

	for (unsigned i = 0; i < CHIPS; i++) {
		uint8_t level = levels(&pic->chip[i]);

		pic->chip[i].irr =
			(uint8_t)((pic->chip[i].irr & ~level) | (pic->chip[i].last_irr & level));
	}
	update(pic);
}

static void set_levels(void *self, uint16_t lines)
{
	struct i8259 *pic = self;

	pic->chip[MASTER].elcr = (uint8_t)(lines & ELCR_MASTER);
	pic->chip[SLAVE].elcr = (uint8_t)(lines >> CHIP_PINS & ELCR_SLAVE);
	elcr_changed(pic);
}

static void after_load(void *self)
{
	struct i8259 *pic = self;

	pic->chip[MASTER].elcr &= ELCR_MASTER;
	pic->chip[SLAVE].elcr &= ELCR_SLAVE;
	for (unsigned i = 0; i < CHIPS; i++) {
		struct chip *chip = &pic->chip[i];

		chip->vector_base &= ICW2_VECTOR;
		chip->init_state &= WANTS_ICW4;
		chip->priority_add %= CHIP_PINS;
	}
	update(pic);
}

static const struct mw_wire wires[] = {
	{ "pin", "Interrupt requests 0 to 15; 2 is taken, the slave is there.", MW_SINK(PINS),
	  .on_level = on_pin },
	{ "intr", "The processor's INTR pin.", MW_FIELD(struct i8259, intr),
	  .on_acknowledge = on_acknowledge },
};
static const struct mw_register master[] = {
	{ "ICW1/OCW2/OCW3", COMMAND, .get = read_master_command, .set = write_master_command },
	{ "ICW2/ICW3/ICW4/OCW1", DATA, .get = read_master_data, .set = write_master_data },
};
static const struct mw_register slave[] = {
	{ "ICW1/OCW2/OCW3", COMMAND, .get = read_slave_command, .set = write_slave_command },
	{ "ICW2/ICW3/ICW4/OCW1", DATA, .get = read_slave_data, .set = write_slave_data },
};
static const struct mw_register elcr[] = {
	{ "ELCR1", 0, MW_FIELD(struct i8259, chip[MASTER].elcr), .writable = ELCR_MASTER,
	  .changed = elcr_changed },
	{ "ELCR2", 1, MW_FIELD(struct i8259, chip[SLAVE].elcr), .writable = ELCR_SLAVE,
	  .changed = elcr_changed },
};
static const struct mw_region regions[] = {
	{ "master", MW_SPACE_PORT, CHIP_SIZE, MW_ACCESS(1, 1), .registers = MW_TABLE(master) },
	{ "slave", MW_SPACE_PORT, CHIP_SIZE, MW_ACCESS(1, 1), .registers = MW_TABLE(slave) },
	{ "elcr", MW_SPACE_PORT, CHIPS, MW_ACCESS(1, 1), .registers = MW_TABLE(elcr),
	  .optional = true },
};
static const struct mw_state chip_rows[] = {
	{ "irr", MW_FIELD(struct chip, irr), .since = 1 },
	/* Until it is initialized (figure 6) a chip passes nothing on. */
	{ "imr", MW_FIELD(struct chip, imr), .reset = 0xff, .since = 1 },
	{ "isr", MW_FIELD(struct chip, isr), .since = 1 },
	{ "last_irr", MW_FIELD(struct chip, last_irr), .since = 1 },
	{ "elcr", MW_FIELD(struct chip, elcr), .since = 1 },
	{ "vector_base", MW_FIELD(struct chip, vector_base), .since = 1 },
	{ "init_state", MW_FIELD(struct chip, init_state), .since = 1 },
	{ "priority_add", MW_FIELD(struct chip, priority_add), .since = 1 },
	{ "read_isr", MW_FIELD(struct chip, read_isr), .since = 1 },
	{ "poll", MW_FIELD(struct chip, poll), .since = 1 },
	{ "special_mask", MW_FIELD(struct chip, special_mask), .since = 1 },
	{ "init4", MW_FIELD(struct chip, init4), .since = 1 },
	{ "auto_eoi", MW_FIELD(struct chip, auto_eoi), .since = 1 },
	{ "rotate_on_aeoi", MW_FIELD(struct chip, rotate_on_aeoi), .since = 1 },
	{ "sfnm", MW_FIELD(struct chip, sfnm), .since = 1 },
	{ "single", MW_FIELD(struct chip, single), .since = 1 },
	{ "ltim", MW_FIELD(struct chip, ltim), .since = 1 },
};
static const struct mw_state state[] = {
	{ "chip", MW_STRUCTS(struct i8259, chip, chip_rows), .since = 1 },
};
static const struct mw_role_row roles[] = {
	{ MW_ROLE_PIC, "master" },
};
static const char *const buses[] = { "sys", "isa", NULL };

const struct mw_device_type i8259_type = {
	MW_DEVICE_TYPE,
	.name = "i8259",
	.summary = "two 8259A interrupt controllers, cascaded as in a PC",
	.size = sizeof(struct i8259),
	.state_version = 1,
	.buses = buses,
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.state = MW_TABLE(state),
	.ops = { .after_load = after_load },
	.firmware = { .acpi_hid = "PNP0000", .roles = MW_TABLE(roles), .levels = set_levels },
};
