/** The local APIC (xAPIC) of a CPU whose accelerator brings none, and the bus that joins those of one
 * machine. Reference: Intel SDM vol. 3, chapter 11. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_APIC_LAPIC_H
#define ACCEL_APIC_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cpu_state.h"

#define MW_LAPIC_NEVER UINT64_MAX

/** What a local APIC asks of the bus owner. `context` is the owner's, `cpu` the order of
 * registration. A callback may call back into any local APIC of the bus. All must be there but
 * `ext_int`. */
struct mw_lapic_ops {
	/** INIT arrived. The owner calls mw_lapic_init_signal when it takes it. */
	void (*init)(void *context, unsigned cpu);
	void (*start_up)(void *context, unsigned cpu, uint8_t vector);
	void (*nmi)(void *context, unsigned cpu);
	void (*smi)(void *context, unsigned cpu);
	/** An ExtINT message, or the 8259's INTR now passes through LINT0 (mw_lapic_passes_intr tells
	 * which): the CPU asks the 8259 for a vector; may be NULL. */
	void (*ext_int)(void *context, unsigned cpu);
	/** The CPU ended the level-triggered interrupt `vector`: for the I/O APICs. */
	void (*end_of_interrupt)(void *context, unsigned cpu, uint8_t vector);
	/** Something may now be pending, or the timer's deadline moved: the CPU looks again. Not
	 * called for mw_lapic_reset and mw_lapic_init_signal, whose caller knows. */
	void (*changed)(void *context, unsigned cpu);
	/** The first virtual ns at which the CPU's TSC is at least this; or MW_LAPIC_NEVER. */
	uint64_t (*tsc_to_ns)(void *context, unsigned cpu, uint64_t tsc);
};

/** All local APICs of one machine. The owner keeps it and calls from one thread at a time; it borrows the ops
 * and every local APIC until mw_lapic_bus_fini. */
struct mw_lapic_bus {
	const struct mw_lapic_ops *ops;
	void *context;
	struct mw_lapic **lapics;
	unsigned count;
};

/** One local APIC, part of its CPU. Fields are private to lapic*.c. */
struct mw_lapic {
	/* Wiring. */
	struct mw_lapic_bus *bus;
	uint32_t cpu, apic_id;
	/* Guest-visible state. */
	uint32_t registers[MW_LAPIC_REGISTERS]; /* by offset / 16 */
	uint32_t new_errors;                    /* since the error status register was written */
	uint32_t pins;                          /* levels of LINT0 and LINT1 */
	bool enabled;                           /* bit 11 of IA32_APIC_BASE */
	uint64_t tsc_deadline, deadline_ns;
	/* Follows from the registers: vectors, or -1. */
	int highest_irr, highest_isr, pending;
};

void mw_lapic_bus_init(struct mw_lapic_bus *bus, const struct mw_lapic_ops *ops, void *context);
void mw_lapic_bus_fini(struct mw_lapic_bus *bus);
/** A message-signalled interrupt (11.11); an address outside 0xfeexxxxx is no message. */
void mw_lapic_message(struct mw_lapic_bus *bus, uint64_t address, uint32_t data);

/** Registers on the bus and resets; its CPU number is the order. */
void mw_lapic_init(struct mw_lapic *lapic, struct mw_lapic_bus *bus, uint32_t apic_id);
/** Power-up or RESET: also enabled again. The pins keep their levels. */
void mw_lapic_reset(struct mw_lapic *lapic);
/** After RESET, as KVM's boot CPU has it: INTR passes through LINT0 although no firmware allowed it. */
void mw_lapic_pass_intr(struct mw_lapic *lapic);
/** INIT: as RESET, but IA32_APIC_BASE stays. */
void mw_lapic_init_signal(struct mw_lapic *lapic);
/** IA32_APIC_BASE was written; clearing the global enable (bit 11) resets the registers. */
void mw_lapic_set_base(struct mw_lapic *lapic, uint64_t apic_base);

/** All registers and what they stand for, as they are at this time. The pins are the wires' and the TSC
 * deadline is an MSR: neither is among them. A time that has passed is to be advanced to before. */
void mw_lapic_get_state(const struct mw_lapic *lapic, struct mw_lapic_state *state,
			uint64_t now_ns);
/** Goes on with them from this time; any values. Globally disabled it is reset. A TSC deadline is set
 * afterwards. */
void mw_lapic_set_state(struct mw_lapic *lapic, const struct mw_lapic_state *state,
			uint64_t now_ns);

/** The page's registers, each 32 bits at a multiple of 16; elsewhere reads 0. Globally disabled, it
 * reads all ones. */
uint32_t mw_lapic_read(struct mw_lapic *lapic, uint32_t offset, uint64_t now_ns);
void mw_lapic_write(struct mw_lapic *lapic, uint32_t offset, uint32_t value, uint64_t now_ns);
void mw_lapic_set_tpr(struct mw_lapic *lapic, uint8_t tpr);
uint8_t mw_lapic_tpr(const struct mw_lapic *lapic);

/** INTA: moves the pending vector from IRR to ISR and returns it; the spurious vector if there is
 * none any more. */
int mw_lapic_acknowledge(struct mw_lapic *lapic);
/** The level of LINT0 (the 8259's INTR) or LINT1 (NMI), taken by its LVT entry. */
void mw_lapic_lint(struct mw_lapic *lapic, unsigned pin, bool level);
bool mw_lapic_passes_lint0(const struct mw_lapic *lapic);

/** IA32_TSC_DEADLINE; ignored unless the timer is in that mode. 0 disarms. */
void mw_lapic_set_tsc_deadline(struct mw_lapic *lapic, uint64_t tsc, uint64_t now_ns);
/** 0 when disarmed or fired. */
uint64_t mw_lapic_tsc_deadline(const struct mw_lapic *lapic);
/** The TSC was written: a TSC deadline is at another time now. */
void mw_lapic_tsc_moved(struct mw_lapic *lapic, uint64_t now_ns);
/** Fires what is due. Periods that were missed are one interrupt; the phase is kept. */
void mw_lapic_advance(struct mw_lapic *lapic, uint64_t now_ns);

/** The vector that would be delivered now, or -1. */
static inline int mw_lapic_pending(const struct mw_lapic *lapic)
{
	return lapic->pending;
}

/** Whether INTR is asserted and passes to the CPU, which then asks the 8259 for a vector. */
static inline bool mw_lapic_passes_intr(const struct mw_lapic *lapic)
{
	return (lapic->pins & 1) && mw_lapic_passes_lint0(lapic);
}

/** When the timer expires next, or MW_LAPIC_NEVER. */
static inline uint64_t mw_lapic_deadline(const struct mw_lapic *lapic)
{
	return lapic->deadline_ns;
}

#endif
