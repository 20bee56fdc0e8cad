/** The local APIC of a software CPU (xAPIC) and the bus that joins those of one machine.
 * Reference: Intel SDM vol. 3, chapter 11. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_LAPIC_H
#define ACCEL_SOFT_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

enum { SOFT_LAPIC_REGISTERS = 64 };
#define SOFT_LAPIC_NEVER UINT64_MAX

/** What a local APIC asks of the bus owner. `context` is the owner's, `cpu` the order of
 * registration. A callback may call back into any local APIC of the bus. All must be there but
 * `ext_int`. */
struct soft_lapic_ops {
	/** INIT arrived. The owner calls soft_lapic_init_signal when it takes it. */
	void (*init)(void *context, unsigned cpu);
	void (*start_up)(void *context, unsigned cpu, uint8_t vector);
	void (*nmi)(void *context, unsigned cpu);
	void (*smi)(void *context, unsigned cpu);
	/** An ExtINT message, or the 8259's INTR now passes through LINT0; may be NULL. */
	void (*ext_int)(void *context, unsigned cpu);
	/** The CPU ended the level-triggered interrupt `vector`: for the I/O APICs. */
	void (*end_of_interrupt)(void *context, unsigned cpu, uint8_t vector);
	/** Something may now be pending, or the timer's deadline moved: the CPU looks again. Not
	 * called for soft_lapic_reset and soft_lapic_init_signal, whose caller knows. */
	void (*changed)(void *context, unsigned cpu);
	/** The first virtual ns at which the CPU's TSC is at least this; or SOFT_LAPIC_NEVER. */
	uint64_t (*tsc_to_ns)(void *context, unsigned cpu, uint64_t tsc);
};

/** All local APICs of one machine. The owner keeps it and calls from one thread; it borrows the ops
 * and every local APIC until soft_lapic_bus_fini. */
struct soft_lapic_bus {
	const struct soft_lapic_ops *ops;
	void *context;
	struct soft_lapic **lapics;
	unsigned count;
};

/** One local APIC, part of its CPU. Fields are private to lapic*.c. Without wiring it is plain
 * integers; after they were loaded, soft_lapic_refresh finds what follows from them. */
struct soft_lapic {
	/* Wiring. */
	struct soft_lapic_bus *bus;
	uint32_t cpu, apic_id;
	/* Guest-visible state. */
	uint32_t registers[SOFT_LAPIC_REGISTERS]; /* by offset / 16 */
	uint32_t new_errors;                      /* since the error status register was written */
	uint32_t pins;                            /* levels of LINT0 and LINT1 */
	bool enabled;                             /* bit 11 of IA32_APIC_BASE */
	uint64_t tsc_deadline, deadline_ns;
	/* Follows from the registers: vectors, or -1. */
	int highest_irr, highest_isr, pending;
};

void soft_lapic_bus_init(struct soft_lapic_bus *bus, const struct soft_lapic_ops *ops,
			 void *context);
void soft_lapic_bus_fini(struct soft_lapic_bus *bus);
/** A message-signalled interrupt (11.11); an address outside 0xfeexxxxx is no message. */
void soft_lapic_message(struct soft_lapic_bus *bus, uint64_t address, uint32_t data);

/** Registers on the bus and resets; its CPU number is the order. */
void soft_lapic_init(struct soft_lapic *lapic, struct soft_lapic_bus *bus, uint32_t apic_id);
/** Power-up or RESET: also enabled again. The pins keep their levels. */
void soft_lapic_reset(struct soft_lapic *lapic);
/** INIT: as RESET, but IA32_APIC_BASE stays. */
void soft_lapic_init_signal(struct soft_lapic *lapic);
/** IA32_APIC_BASE was written; clearing the global enable (bit 11) resets the registers. */
void soft_lapic_set_base(struct soft_lapic *lapic, uint64_t apic_base);
/** The state firmware leaves the boot CPU in: INTR and NMI pass through LINT0 and LINT1. For
 * machines that start a kernel without firmware; after soft_lapic_reset. */
void soft_lapic_virtual_wire(struct soft_lapic *lapic);
void soft_lapic_refresh(struct soft_lapic *lapic);

/** The page's registers, each 32 bits at a multiple of 16; elsewhere reads 0. Globally disabled, it
 * reads all ones. */
uint32_t soft_lapic_read(struct soft_lapic *lapic, uint32_t offset, uint64_t now_ns);
void soft_lapic_write(struct soft_lapic *lapic, uint32_t offset, uint32_t value, uint64_t now_ns);
void soft_lapic_set_tpr(struct soft_lapic *lapic, uint8_t tpr);
uint8_t soft_lapic_tpr(const struct soft_lapic *lapic);

/** INTA: moves the pending vector from IRR to ISR and returns it; the spurious vector if there is
 * none any more. */
int soft_lapic_acknowledge(struct soft_lapic *lapic);
/** The level of LINT0 (the 8259's INTR) or LINT1 (NMI), taken by its LVT entry. */
void soft_lapic_lint(struct soft_lapic *lapic, unsigned pin, bool level);
/** Whether INTR is asserted and passes to the CPU, which then asks the 8259 for a vector. */
bool soft_lapic_passes_intr(const struct soft_lapic *lapic);

/** IA32_TSC_DEADLINE; ignored unless the timer is in that mode. 0 disarms. */
void soft_lapic_set_tsc_deadline(struct soft_lapic *lapic, uint64_t tsc, uint64_t now_ns);
/** 0 when disarmed or fired. */
uint64_t soft_lapic_tsc_deadline(const struct soft_lapic *lapic);
/** The TSC was written: a TSC deadline is at another time now. */
void soft_lapic_tsc_moved(struct soft_lapic *lapic, uint64_t now_ns);
/** Fires what is due. Periods that were missed are one interrupt; the phase is kept. */
void soft_lapic_advance(struct soft_lapic *lapic, uint64_t now_ns);

/** The vector that would be delivered now, or -1. */
static inline int soft_lapic_pending(const struct soft_lapic *lapic)
{
	return lapic->pending;
}

/** When the timer expires next, or SOFT_LAPIC_NEVER. */
static inline uint64_t soft_lapic_deadline(const struct soft_lapic *lapic)
{
	return lapic->deadline_ns;
}

#endif
