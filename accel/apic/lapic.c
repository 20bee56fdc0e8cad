/* The local APIC's registers, priorities and pins. Reference: Intel SDM vol. 3, chapter 11. */
// SPDX-License-Identifier: MIT
#include "accel/apic/lapic_internal.h"

#include <assert.h>
#include <string.h>

/* 11.4.8: version 0x14, six LVT entries, no suppression of EOI broadcasts. */
enum { VERSION = 0x14, LAST_LVT_ENTRY = 5 };
enum { VECTOR_WORDS = 8, FIRST_LEGAL_VECTOR = 16, LVT_COUNT = 6 };

#define SVR_ENABLE      0x100u
#define BASE_ENABLE     0x800u
#define ICR_LOGICAL     0x800u
#define DFR_FLAT        0xffffffffu
#define SEND_ILLEGAL    0x20u /* 11.5.3, error status */
#define RECEIVE_ILLEGAL 0x40u
#define NO_REGISTER     0x80u

/* What a write changes; registers that do more are in write_register. The ID is read-only, as on
 * newer processors (11.4.6). The remote read register is there and empty. */
static const uint32_t writable[MW_LAPIC_REGISTERS] = {
	[LAPIC_TPR] = 0xff,
	[LAPIC_LDR] = 0xff000000,
	[LAPIC_DFR] = 0xf0000000,
	[LAPIC_SVR] = 0x3ff, /* focus checking, bit 9, does nothing */
	[LAPIC_ICR_LOW] = 0xccfff,
	[LAPIC_ICR_HIGH] = 0xff000000,
	[LAPIC_LVT_TIMER] = 0x700ff,
	[LAPIC_LVT_THERMAL] = 0x107ff,
	[LAPIC_LVT_PERFORMANCE] = 0x107ff,
	[LAPIC_LVT_LINT0] = 0x1a7ff,
	[LAPIC_LVT_LINT1] = 0x1a7ff,
	[LAPIC_LVT_ERROR] = 0x100ff,
	[LAPIC_DIVIDE] = 0xb,
};

/* Table 11-1, a bit for each register; no LVT entry for CMCI among them. */
static const uint64_t present = UINT64_C(0x43ff01ffffffff0c);

static const struct mw_lapic_ops *ops(const struct mw_lapic *lapic)
{
	return lapic->bus->ops;
}

static bool get_bit(const struct mw_lapic *lapic, unsigned set, unsigned vector)
{
	return lapic->registers[set + vector / 32] >> vector % 32 & 1;
}

static void set_bit(struct mw_lapic *lapic, unsigned set, unsigned vector, bool value)
{
	uint32_t *word = &lapic->registers[set + vector / 32];

	*word = (*word & ~(1u << vector % 32)) | (uint32_t)value << vector % 32;
}

static int highest(const struct mw_lapic *lapic, unsigned set)
{
	for (unsigned i = VECTOR_WORDS; i-- > 0;)
		if (lapic->registers[set + i])
			return (int)(i * 32 + 31) - __builtin_clz(lapic->registers[set + i]);
	return -1;
}

static unsigned class_of(int vector)
{
	return vector < 0 ? 0 : (unsigned)vector >> 4;
}

uint8_t mw_lapic_processor_priority(const struct mw_lapic *lapic)
{
	uint32_t tpr = lapic->registers[LAPIC_TPR];
	unsigned service = class_of(lapic->highest_isr);

	return (uint8_t)(tpr >> 4 >= service ? tpr : service << 4);
}

uint8_t mw_lapic_arbitration_priority(const struct mw_lapic *lapic)
{
	uint32_t tpr = lapic->registers[LAPIC_TPR];
	unsigned request = class_of(lapic->highest_irr), service = class_of(lapic->highest_isr);

	if (tpr >> 4 >= request && tpr >> 4 > service)
		return (uint8_t)tpr;
	if (request < service)
		request = service;
	return (uint8_t)((tpr >> 4 > request ? tpr >> 4 : request) << 4);
}

bool mw_lapic_software_enabled(const struct mw_lapic *lapic)
{
	return lapic->registers[LAPIC_SVR] & SVR_ENABLE;
}

/* Vectors or priorities changed: is there another one to deliver? */
static void update(struct mw_lapic *lapic)
{
	bool delivers = class_of(lapic->highest_irr) > mw_lapic_processor_priority(lapic) >> 4;
	int pending = delivers ? lapic->highest_irr : -1;

	if (pending == lapic->pending)
		return;
	lapic->pending = pending;
	if (pending >= 0)
		ops(lapic)->changed(lapic->bus->context, lapic->cpu);
}

/* 11.5.3: the error interrupt comes once and is armed again by a write to the error status. */
static void raise_error(struct mw_lapic *lapic, uint32_t error)
{
	bool armed = !lapic->new_errors;

	lapic->new_errors |= error;
	if (armed)
		mw_lapic_local_event(lapic, LAPIC_LVT_ERROR);
}

/* 11.4.7.2, 11.8.4 */
static void accept_vector(struct mw_lapic *lapic, uint8_t vector, bool level_triggered)
{
	if (!mw_lapic_software_enabled(lapic))
		return;
	if (vector < FIRST_LEGAL_VECTOR) {
		raise_error(lapic, RECEIVE_ILLEGAL);
		return;
	}
	set_bit(lapic, LAPIC_IRR, vector, true);
	set_bit(lapic, LAPIC_TMR, vector, level_triggered);
	if (vector > lapic->highest_irr)
		lapic->highest_irr = vector;
	update(lapic);
}

static void accept_ext_int(struct mw_lapic *lapic)
{
	if (ops(lapic)->ext_int)
		ops(lapic)->ext_int(lapic->bus->context, lapic->cpu);
}

void mw_lapic_deliver(struct mw_lapic *lapic, enum lapic_delivery delivery, uint8_t vector,
		      bool level_triggered)
{
	void *context = lapic->bus->context;

	switch (delivery) {
	case LAPIC_FIXED:
	case LAPIC_LOWEST_PRIORITY: accept_vector(lapic, vector, level_triggered); break;
	case LAPIC_SMI: ops(lapic)->smi(context, lapic->cpu); break;
	case LAPIC_NMI: ops(lapic)->nmi(context, lapic->cpu); break;
	case LAPIC_INIT: ops(lapic)->init(context, lapic->cpu); break;
	case LAPIC_START_UP: ops(lapic)->start_up(context, lapic->cpu, vector); break;
	case LAPIC_EXT_INT:
		if (mw_lapic_software_enabled(lapic))
			accept_ext_int(lapic);
		break;
	case LAPIC_RESERVED_MODE: break;
	}
}

static enum lapic_delivery delivery_of(uint32_t value)
{
	return (value & LAPIC_DELIVERY_MODE) >> LAPIC_DELIVERY_SHIFT;
}

void mw_lapic_local_event(struct mw_lapic *lapic, unsigned lvt)
{
	uint32_t entry = lapic->registers[lvt];

	if (!(entry & LAPIC_MASKED))
		mw_lapic_deliver(lapic, delivery_of(entry), (uint8_t)entry, false);
}

bool mw_lapic_passes_lint0(const struct mw_lapic *lapic)
{
	uint32_t entry = lapic->registers[LAPIC_LVT_LINT0];

	return !lapic->enabled || (!(entry & LAPIC_MASKED) && delivery_of(entry) == LAPIC_EXT_INT);
}

/* 11.5.1, remote IRR: a level is accepted again only after its end. LINT1 has edges only. */
static bool is_level(uint32_t entry)
{
	return delivery_of(entry) == LAPIC_FIXED && (entry & LAPIC_LEVEL_TRIGGERED);
}

/* LINT0 is asserted, or its entry or the end of its interrupt makes it worth another look. */
static void look_at_level(struct mw_lapic *lapic)
{
	uint32_t *entry = &lapic->registers[LAPIC_LVT_LINT0];

	if (mw_lapic_passes_intr(lapic))
		accept_ext_int(lapic);
	if (!lapic->enabled || !(lapic->pins & 1) || !is_level(*entry) ||
	    (*entry & (LAPIC_MASKED | LAPIC_REMOTE_IRR)))
		return;
	if ((*entry & LAPIC_VECTOR) >= FIRST_LEGAL_VECTOR)
		*entry |= LAPIC_REMOTE_IRR;
	accept_vector(lapic, (uint8_t)*entry, true);
}

static bool is_edge(unsigned pin, uint32_t entry)
{
	return pin == 1 || (!is_level(entry) && delivery_of(entry) != LAPIC_EXT_INT);
}

void mw_lapic_lint(struct mw_lapic *lapic, unsigned pin, bool level)
{
	uint32_t bit = 1u << pin, old = lapic->pins;
	unsigned lvt = LAPIC_LVT_LINT0 + pin;

	assert(pin < 2);
	lapic->pins = level ? old | bit : old & ~bit;
	if (!level || (old & bit))
		return;
	/* 11.4.3: globally disabled, the pins are INTR and NMI. */
	if (!lapic->enabled && pin == 1)
		ops(lapic)->nmi(lapic->bus->context, lapic->cpu);
	else if (lapic->enabled && is_edge(pin, lapic->registers[lvt]))
		mw_lapic_local_event(lapic, lvt);
	else if (pin == 0)
		look_at_level(lapic);
}

int mw_lapic_acknowledge(struct mw_lapic *lapic)
{
	int vector = lapic->pending;

	if (vector < 0)
		return (int)(lapic->registers[LAPIC_SVR] & LAPIC_VECTOR);
	set_bit(lapic, LAPIC_IRR, (unsigned)vector, false);
	set_bit(lapic, LAPIC_ISR, (unsigned)vector, true);
	lapic->highest_irr = highest(lapic, LAPIC_IRR);
	lapic->highest_isr = vector;
	update(lapic);
	return vector;
}

/* 11.8.5; the I/O APIC may send the same vector again at once. */
static void end_of_interrupt(struct mw_lapic *lapic)
{
	uint32_t *lint0 = &lapic->registers[LAPIC_LVT_LINT0];
	int vector = lapic->highest_isr;

	if (vector < 0)
		return;
	set_bit(lapic, LAPIC_ISR, (unsigned)vector, false);
	lapic->highest_isr = highest(lapic, LAPIC_ISR);
	update(lapic);
	if (!get_bit(lapic, LAPIC_TMR, (unsigned)vector))
		return;
	if ((*lint0 & LAPIC_REMOTE_IRR) && (*lint0 & LAPIC_VECTOR) == (uint32_t)vector) {
		*lint0 &= ~LAPIC_REMOTE_IRR;
		look_at_level(lapic);
	}
	ops(lapic)->end_of_interrupt(lapic->bus->context, lapic->cpu, (uint8_t)vector);
}

static bool has_vector(enum lapic_delivery delivery)
{
	return delivery == LAPIC_FIXED || delivery == LAPIC_LOWEST_PRIORITY;
}

/* 11.6.1; ExtINT and mode 3 are reserved here, and all but INIT's de-assertion, which newer
 * processors ignore, is an edge. */
static void send_ipi(struct mw_lapic *lapic)
{
	uint32_t low = lapic->registers[LAPIC_ICR_LOW];
	struct mw_lapic_packet packet = {
		.sender = lapic,
		.shorthand = low >> 18 & 3,
		.delivery = delivery_of(low),
		.destination = (uint8_t)(lapic->registers[LAPIC_ICR_HIGH] >> 24),
		.vector = (uint8_t)low,
		.logical = low & ICR_LOGICAL,
		.one_receiver = delivery_of(low) == LAPIC_LOWEST_PRIORITY,
	};

	if (packet.delivery == LAPIC_EXT_INT ||
	    (packet.delivery == LAPIC_INIT && (low & LAPIC_LEVEL_TRIGGERED) &&
	     !(low & LAPIC_ASSERT)))
		return;
	if (has_vector(packet.delivery) && packet.vector < FIRST_LEGAL_VECTOR)
		raise_error(lapic, packet.shorthand == LAPIC_SELF ? SEND_ILLEGAL | RECEIVE_ILLEGAL
								  : SEND_ILLEGAL);
	else
		mw_lapic_send(lapic->bus, &packet);
}

void mw_lapic_store(struct mw_lapic *lapic, unsigned index, uint32_t value)
{
	uint32_t *word = &lapic->registers[index];

	*word = (*word & ~writable[index]) | (value & writable[index]);
}

/* 11.4.7.2: software-disabled, every LVT entry is masked and stays so. */
static void mask_while_disabled(struct mw_lapic *lapic)
{
	if (mw_lapic_software_enabled(lapic))
		return;
	for (unsigned i = 0; i < LVT_COUNT; i++)
		lapic->registers[LAPIC_LVT_TIMER + i] |= LAPIC_MASKED;
}

static void write_lvt(struct mw_lapic *lapic, unsigned index, uint32_t value, uint64_t now_ns)
{
	uint32_t old = lapic->registers[index];

	if (index == LAPIC_LVT_TIMER)
		mw_lapic_advance(lapic, now_ns);
	mw_lapic_store(lapic, index, value);
	mask_while_disabled(lapic);
	if (index == LAPIC_LVT_TIMER)
		mw_lapic_timer_mode_changed(lapic, old);
	if (index != LAPIC_LVT_LINT0)
		return;
	/* Remote IRR belongs to the level and the vector it was set for. */
	if (!is_level(lapic->registers[index]) || ((old ^ lapic->registers[index]) & LAPIC_VECTOR))
		lapic->registers[index] &= ~LAPIC_REMOTE_IRR;
	look_at_level(lapic);
}

static void write_register(struct mw_lapic *lapic, unsigned index, uint32_t value, uint64_t now_ns)
{
	switch (index) {
	case LAPIC_EOI: end_of_interrupt(lapic); break;
	case LAPIC_ESR:
		lapic->registers[LAPIC_ESR] = lapic->new_errors;
		lapic->new_errors = 0;
		break;
	case LAPIC_LVT_TIMER:
	case LAPIC_LVT_THERMAL:
	case LAPIC_LVT_PERFORMANCE:
	case LAPIC_LVT_LINT0:
	case LAPIC_LVT_LINT1:
	case LAPIC_LVT_ERROR: write_lvt(lapic, index, value, now_ns); break;
	case LAPIC_INITIAL_COUNT: mw_lapic_timer_start(lapic, value, now_ns); break;
	case LAPIC_DIVIDE: mw_lapic_timer_divide(lapic, value & writable[index], now_ns); break;
	case LAPIC_ICR_LOW:
		mw_lapic_store(lapic, index, value);
		send_ipi(lapic);
		break;
	case LAPIC_SVR:
		mw_lapic_store(lapic, index, value);
		mask_while_disabled(lapic);
		break;
	case LAPIC_TPR: mw_lapic_set_tpr(lapic, (uint8_t)value); break;
	default: mw_lapic_store(lapic, index, value); break;
	}
}

/* Whether there is such a register; a reserved one is an error, the bytes between two are not. */
static bool decode(struct mw_lapic *lapic, uint32_t offset)
{
	if (offset % 16)
		return false;
	if (offset / 16 < MW_LAPIC_REGISTERS && (present >> offset / 16 & 1))
		return true;
	raise_error(lapic, NO_REGISTER);
	return false;
}

void mw_lapic_write(struct mw_lapic *lapic, uint32_t offset, uint32_t value, uint64_t now_ns)
{
	if (lapic->enabled && decode(lapic, offset))
		write_register(lapic, offset / 16, value, now_ns);
}

uint32_t mw_lapic_read(struct mw_lapic *lapic, uint32_t offset, uint64_t now_ns)
{
	if (!lapic->enabled)
		return UINT32_MAX;
	if (!decode(lapic, offset))
		return 0;
	switch (offset / 16) {
	case LAPIC_APR: return mw_lapic_arbitration_priority(lapic);
	case LAPIC_PPR: return mw_lapic_processor_priority(lapic);
	case LAPIC_CURRENT_COUNT:
		mw_lapic_advance(lapic, now_ns);
		return mw_lapic_timer_count(lapic, now_ns);
	default: return lapic->registers[offset / 16];
	}
}

void mw_lapic_set_tpr(struct mw_lapic *lapic, uint8_t tpr)
{
	lapic->registers[LAPIC_TPR] = tpr;
	update(lapic);
}

uint8_t mw_lapic_tpr(const struct mw_lapic *lapic)
{
	return (uint8_t)lapic->registers[LAPIC_TPR];
}

void mw_lapic_init_signal(struct mw_lapic *lapic)
{
	uint32_t *registers = lapic->registers;

	memset(lapic->registers, 0, sizeof(lapic->registers));
	registers[LAPIC_ID] = lapic->apic_id << 24;
	registers[LAPIC_VERSION] = VERSION | LAST_LVT_ENTRY << 16;
	registers[LAPIC_DFR] = DFR_FLAT;
	registers[LAPIC_SVR] = 0xff;
	mask_while_disabled(lapic);
	lapic->new_errors = 0;
	lapic->tsc_deadline = 0;
	lapic->deadline_ns = MW_LAPIC_NEVER;
	lapic->highest_irr = lapic->highest_isr = lapic->pending = -1;
}

void mw_lapic_reset(struct mw_lapic *lapic)
{
	lapic->enabled = true;
	mw_lapic_init_signal(lapic);
}

void mw_lapic_pass_intr(struct mw_lapic *lapic)
{
	lapic->registers[LAPIC_LVT_LINT0] = LAPIC_EXT_INT << LAPIC_DELIVERY_SHIFT;
	look_at_level(lapic);
}

void mw_lapic_set_base(struct mw_lapic *lapic, uint64_t apic_base)
{
	bool enabled = apic_base & BASE_ENABLE;

	if (lapic->enabled == enabled)
		return;
	lapic->enabled = enabled;
	mw_lapic_init_signal(lapic);
	ops(lapic)->changed(lapic->bus->context, lapic->cpu);
	look_at_level(lapic);
}

void mw_lapic_resume_lint0(struct mw_lapic *lapic, uint32_t entry)
{
	mask_while_disabled(lapic);
	if (is_level(lapic->registers[LAPIC_LVT_LINT0]))
		lapic->registers[LAPIC_LVT_LINT0] |= entry & LAPIC_REMOTE_IRR;
	look_at_level(lapic);
}

void mw_lapic_refresh(struct mw_lapic *lapic)
{
	lapic->highest_irr = highest(lapic, LAPIC_IRR);
	lapic->highest_isr = highest(lapic, LAPIC_ISR);
	lapic->pending = -1;
	update(lapic);
}
