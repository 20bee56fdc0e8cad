/** What the local APIC's files share: registers, their fields and deliveries. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_APIC_LAPIC_INTERNAL_H
#define ACCEL_APIC_LAPIC_INTERNAL_H

#include "accel/apic/lapic.h"

/* SDM vol. 3, table 11-1: offsets in the page, by 16. */
enum {
	LAPIC_ID = 0x02,
	LAPIC_VERSION = 0x03,
	LAPIC_TPR = 0x08,
	LAPIC_APR = 0x09,
	LAPIC_PPR = 0x0a,
	LAPIC_EOI = 0x0b,
	LAPIC_REMOTE_READ = 0x0c,
	LAPIC_LDR = 0x0d,
	LAPIC_DFR = 0x0e,
	LAPIC_SVR = 0x0f,
	LAPIC_ISR = 0x10, /* eight each */
	LAPIC_TMR = 0x18,
	LAPIC_IRR = 0x20,
	LAPIC_ESR = 0x28,
	LAPIC_ICR_LOW = 0x30,
	LAPIC_ICR_HIGH = 0x31,
	LAPIC_LVT_TIMER = 0x32,
	LAPIC_LVT_THERMAL = 0x33,
	LAPIC_LVT_PERFORMANCE = 0x34,
	LAPIC_LVT_LINT0 = 0x35,
	LAPIC_LVT_LINT1 = 0x36,
	LAPIC_LVT_ERROR = 0x37,
	LAPIC_INITIAL_COUNT = 0x38,
	LAPIC_CURRENT_COUNT = 0x39,
	LAPIC_DIVIDE = 0x3e
};

/* 11.5.1: fields of an LVT entry; the ICR and messages have the same in bits 0-10 and 14-15. */
#define LAPIC_VECTOR          0xffu
#define LAPIC_DELIVERY_SHIFT  8
#define LAPIC_DELIVERY_MODE   0x700u
#define LAPIC_REMOTE_IRR      0x4000u
#define LAPIC_ASSERT          0x4000u
#define LAPIC_LEVEL_TRIGGERED 0x8000u
#define LAPIC_MASKED          0x10000u

enum lapic_delivery {
	LAPIC_FIXED,
	LAPIC_LOWEST_PRIORITY,
	LAPIC_SMI,
	LAPIC_RESERVED_MODE,
	LAPIC_NMI,
	LAPIC_INIT,
	LAPIC_START_UP,
	LAPIC_EXT_INT
};
enum lapic_shorthand { LAPIC_NO_SHORTHAND, LAPIC_SELF, LAPIC_ALL, LAPIC_ALL_BUT_SELF };

struct mw_lapic_packet {
	struct mw_lapic *sender; /* NULL: a device */
	enum lapic_shorthand shorthand;
	enum lapic_delivery delivery;
	uint8_t destination, vector;
	bool logical, level_triggered;
	bool one_receiver; /* the one that has least to do */
};

/* lapic_bus.c */
void mw_lapic_send(struct mw_lapic_bus *bus, const struct mw_lapic_packet *packet);

/* lapic.c */
bool mw_lapic_software_enabled(const struct mw_lapic *lapic);
/** 11.8.3.1 */
uint8_t mw_lapic_processor_priority(const struct mw_lapic *lapic);
/** 11.6.2.4: how busy it is, for the lowest priority arbitration. */
uint8_t mw_lapic_arbitration_priority(const struct mw_lapic *lapic);
/** One message or local interrupt for this CPU. */
void mw_lapic_deliver(struct mw_lapic *lapic, enum lapic_delivery delivery, uint8_t vector,
		      bool level_triggered);
/** The source of this LVT entry has an event. */
void mw_lapic_local_event(struct mw_lapic *lapic, unsigned lvt);
/** The bits of a register that a write changes, and nothing of what a write does besides. */
void mw_lapic_store(struct mw_lapic *lapic, unsigned index, uint32_t value);
/** After registers were stored: masks what has to be, and looks at LINT0, whose entry was this. */
void mw_lapic_resume_lint0(struct mw_lapic *lapic, uint32_t entry);
/** Finds again what follows from the vectors. */
void mw_lapic_refresh(struct mw_lapic *lapic);

/* lapic_timer.c */
uint32_t mw_lapic_timer_count(const struct mw_lapic *lapic, uint64_t now_ns);
void mw_lapic_timer_start(struct mw_lapic *lapic, uint32_t count, uint64_t now_ns);
/** Goes on with what is left of a count, after the divider and the LVT entry were stored. */
void mw_lapic_timer_resume(struct mw_lapic *lapic, uint32_t initial, uint32_t left,
			   uint64_t now_ns);
void mw_lapic_timer_divide(struct mw_lapic *lapic, uint32_t value, uint64_t now_ns);
/** The timer's LVT entry changed from this. */
void mw_lapic_timer_mode_changed(struct mw_lapic *lapic, uint32_t old_lvt);

#endif
