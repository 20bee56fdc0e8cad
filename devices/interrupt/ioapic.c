/* I/O APIC. Reference: Intel 82093AA data sheet (290566), chapter 3; the EOI register of version 0x20
 * is that of Intel's ICH2 and later (for instance ICH10 data sheet, 13.5.5). */
// SPDX-License-Identifier: MIT
#include "core/device.h"

enum { IOREGSEL = 0x00, IOWIN = 0x10, EOI = 0x40, BANK_SIZE = 0x400 };
enum { INDEX_ID = 0x00, INDEX_VERSION = 0x01, INDEX_ARBITRATION = 0x02, INDEX_TABLE = 0x10 };
enum { PINS = 24, VERSION_82093AA = 0x11, VERSION_EOI = 0x20 };

/* 3.2.4: a redirection entry. */
#define VECTOR          UINT64_C(0xff)
#define DELIVERY_MODE   UINT64_C(0x700)
#define DESTINATION     UINT64_C(0x800) /* logical, not physical */
#define REMOTE_IRR      UINT64_C(0x4000)
#define LEVEL_TRIGGERED UINT64_C(0x8000)
#define MASKED          UINT64_C(0x10000)
#define LOW_WRITABLE    UINT64_C(0x1afff) /* all but delivery status and remote IRR */
#define HIGH_WRITABLE   UINT64_C(0xff000000)

struct ioapic {
	/* Configuration and wiring. */
	uint32_t pins, version;
	struct mw_msi *msi;
	/* Guest-visible state. */
	uint32_t select, id;
	uint32_t levels; /* of the pins; asserted is 1 whatever the polarity, as lines have it */
	uint64_t entry[PINS];
};

/* SDM vol. 3, 11.11: the message an entry stands for. */
static uint64_t message_address(uint64_t entry)
{
	return 0xfee00000 | (entry >> 56) << 12 | (entry & DESTINATION ? 4 : 0);
}

static uint32_t message_data(uint64_t entry)
{
	return (uint32_t)(entry & (VECTOR | DELIVERY_MODE | LEVEL_TRIGGERED)) | 0x4000;
}

static bool level_triggered(uint64_t entry)
{
	return entry & LEVEL_TRIGGERED;
}

static void send(struct ioapic *ioapic, unsigned pin)
{
	mw_msi_send(ioapic->msi, message_address(ioapic->entry[pin]),
		    message_data(ioapic->entry[pin]));
}

/* A level interrupt is sent once and again only after its end, while remote IRR is clear. */
static void send_level(struct ioapic *ioapic, unsigned pin)
{
	uint64_t *entry = &ioapic->entry[pin];

	if (!level_triggered(*entry) || (*entry & (MASKED | REMOTE_IRR)) ||
	    !(ioapic->levels >> pin & 1))
		return;
	*entry |= REMOTE_IRR;
	send(ioapic, pin);
}

/* 3.2.4, interrupt mask: an edge on a masked pin is neither delivered nor held pending. */
static void on_pin(void *self, unsigned pin, bool level)
{
	struct ioapic *ioapic = self;
	bool rises = level && !(ioapic->levels >> pin & 1);

	ioapic->levels = (ioapic->levels & ~(1u << pin)) | (uint32_t)level << pin;
	if (level_triggered(ioapic->entry[pin]))
		send_level(ioapic, pin);
	else if (rises && !(ioapic->entry[pin] & MASKED))
		send(ioapic, pin);
}

/* A masked entry whose interrupt has not ended yet must still hear of that end. */
static void publish(struct ioapic *ioapic, unsigned pin)
{
	uint64_t entry = ioapic->entry[pin];

	mw_msi_route(ioapic->msi, pin, message_address(entry), message_data(entry),
		     !(entry & MASKED) || (entry & REMOTE_IRR));
}

static void on_eoi(void *self, uint8_t vector)
{
	struct ioapic *ioapic = self;

	for (unsigned pin = 0; pin < ioapic->pins; pin++) {
		uint64_t *entry = &ioapic->entry[pin];

		if ((*entry & VECTOR) != vector || !(*entry & REMOTE_IRR))
			continue;
		*entry &= ~REMOTE_IRR;
		if (*entry & MASKED)
			publish(ioapic, pin);
		send_level(ioapic, pin);
	}
}

/* Changing an entry to edge clears remote IRR; guests of version 0x11 chips end an interrupt so. */
static void write_entry(struct ioapic *ioapic, unsigned pin, bool high, uint64_t value)
{
	uint64_t writable = high ? HIGH_WRITABLE << 32 : LOW_WRITABLE;
	uint64_t *entry = &ioapic->entry[pin];

	*entry = (*entry & ~writable) | ((high ? value << 32 : value) & writable);
	if (!level_triggered(*entry))
		*entry &= ~REMOTE_IRR;
	publish(ioapic, pin);
	send_level(ioapic, pin);
}

static uint64_t read_window(void *self)
{
	struct ioapic *ioapic = self;
	unsigned index = ioapic->select - INDEX_TABLE;

	switch (ioapic->select) {
	case INDEX_ID:
	case INDEX_ARBITRATION: return ioapic->id;
	case INDEX_VERSION: return ioapic->version | (ioapic->pins - 1) << 16;
	default: break;
	}
	if (ioapic->select < INDEX_TABLE || index >= 2 * ioapic->pins)
		return UINT32_MAX;
	return ioapic->entry[index / 2] >> (index % 2 ? 32 : 0) & UINT32_MAX;
}

static void write_window(void *self, uint64_t value)
{
	struct ioapic *ioapic = self;
	unsigned index = ioapic->select - INDEX_TABLE;

	if (ioapic->select == INDEX_ID)
		ioapic->id = value & 0x0f000000;
	else if (ioapic->select >= INDEX_TABLE && index < 2 * ioapic->pins)
		write_entry(ioapic, index / 2, index % 2, value);
	else
		mw_guest_log(ioapic, "register 0x%02x cannot be written", (unsigned)ioapic->select);
}

static bool has_eoi(const void *self)
{
	return ((const struct ioapic *)self)->version >= VERSION_EOI;
}

static void write_eoi(void *self, uint64_t value)
{
	on_eoi(self, (uint8_t)value);
}

static void publish_all(void *self)
{
	struct ioapic *ioapic = self;

	for (unsigned pin = 0; pin < ioapic->pins; pin++)
		publish(ioapic, pin);
}

static const struct mw_property properties[] = {
	{ "pins", "How many interrupt inputs there are.", MW_FIELD(struct ioapic, pins),
	  .fallback = PINS, .min = 1, .max = PINS },
	{ "version", "What the version register tells; from 0x20 on there is an EOI register.",
	  MW_FIELD(struct ioapic, version), .fallback = VERSION_EOI, .min = VERSION_82093AA,
	  .max = VERSION_EOI },
};
static const struct mw_wire wires[] = {
	{ "pin", "Interrupt inputs.", MW_SINK(PINS), .count_property = "pins", .on_level = on_pin },
	{ "msi", "Messages to the CPUs' local APICs.", MW_FIELD(struct ioapic, msi),
	  .on_eoi = on_eoi },
};
static const struct mw_register bank[] = {
	{ "IOREGSEL", IOREGSEL, 4, MW_FIELD(struct ioapic, select), .writable = 0xff },
	{ "IOWIN", IOWIN, 4, .get = read_window, .set = write_window },
	{ "EOIR", EOI, 4, .set = write_eoi, .selected = has_eoi, .write_only = true },
};
static const struct mw_region regions[] = {
	{ "bank", MW_SPACE_MEMORY, BANK_SIZE, MW_ACCESS(4, 4), .registers = MW_TABLE(bank),
	  .align = BANK_SIZE },
};
static const struct mw_state state[] = {
	{ "select", MW_FIELD(struct ioapic, select), .since = 1 },
	{ "id", MW_FIELD(struct ioapic, id), .since = 1 },
	{ "levels", MW_FIELD(struct ioapic, levels), .since = 1 },
	{ "entry", MW_ARRAY(struct ioapic, entry), .reset = MASKED, .since = 1 },
};
static const struct mw_role_row roles[] = {
	{ MW_ROLE_IOAPIC, "bank" },
};
static const char *const buses[] = { "sys", NULL };

const struct mw_device_type ioapic_type = {
	MW_DEVICE_TYPE,
	.name = "ioapic",
	.summary = "I/O APIC (82093AA and later): interrupt lines become messages",
	.size = sizeof(struct ioapic),
	.state_version = 1,
	.buses = buses,
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.state = MW_TABLE(state),
	.ops = { .after_reset = publish_all, .after_load = publish_all },
	.firmware = { .roles = MW_TABLE(roles) },
};
