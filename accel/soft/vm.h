/** The software accelerator's machine: its CPUs, physical memory, decoded blocks, and the one host thread
 * that runs it all. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_VM_H
#define ACCEL_SOFT_VM_H

#include <pthread.h>
#include <stdatomic.h>

#include "accel/accel.h"
#include "accel/soft/cpu.h"
#include "accel/soft/decode/op.h"
#include "core/machine.h"
#include "core/plan.h"

/** A range of host memory in guest-physical space; sorted, apart. `code` has a bit per 64 bytes: whether
 * blocks were decoded from them; a word is a page. */
struct soft_slot {
	uint64_t base, length;
	uint8_t *host;
	bool readonly;
	uint64_t *code;
};

/** A block of one instruction: a few ops. */
enum { SOFT_SINGLE_BYTES = sizeof(struct soft_block) + 16 * sizeof(struct soft_op) };

/** An instruction that crosses a page, found again by its linear address while translations last. */
struct soft_span {
	uint64_t rip, key;
	const uint8_t *host[2]; /* its parts; [0] NULL: not to be kept */
	unsigned cpu, length;   /* translations and keys are a CPU's own */
	uint8_t bytes[16];
	alignas(16) uint8_t block[SOFT_SINGLE_BYTES];
};
enum { SOFT_SPAN_ENTRIES = 256 };

/** A range that a store found no code in, while `decoded` blocks had been made. */
struct soft_quiet {
	uint64_t physical, decoded;
	unsigned count;
};
enum { SOFT_QUIET_ENTRIES = 512 };

struct soft_block_cache {
	uint8_t *arena; /* mapped; NULL: `heap` is used */
	uint8_t *heap;
	size_t used, capacity;
	struct soft_block **table; /* by physical address and key */
	struct soft_block **pages; /* lists by physical page, hashed */
	struct soft_span *spans;
	bool has_spans;   /* since they were forgotten */
	uint64_t decoded; /* blocks ever */
	struct soft_quiet quiet[SOFT_QUIET_ENTRIES];
	alignas(16) uint8_t single[SOFT_SINGLE_BYTES]; /* the one not kept */
};

/** From other threads, taken over by the CPU thread: an interrupt message, or that a device has written
 * `length` bytes of memory. */
struct soft_message {
	uint64_t address, length; /* length 0: an interrupt message */
	uint32_t data;
};

/** A change of slots that another thread wants while CPUs run. */
struct soft_remap {
	struct soft_slot slot; /* host NULL: what is there goes away */
	struct soft_remap *next;
};

struct soft_vm {
	struct mw_machine *machine;
	const struct mw_plan *plan;
	struct soft_cpu **cpus;
	unsigned cpu_count;
	struct mw_lapic_bus lapics;
	struct soft_slot *slots;
	size_t slot_count;
	struct soft_block_cache blocks;
	struct mw_cpuid_leaf **cpuid; /* per CPU */
	size_t *cpuid_count;
	uint32_t tsc_khz;

	/* time: of the CPU thread */
	uint64_t host_ns;              /* the host's clock when it was last looked at */
	uint64_t now_ns;               /* virtual, at the start of the quantum */
	int64_t quantum;               /* instructions given to the running CPU */
	uint64_t ns_per_1024;          /* virtual ns per 1,024 instructions in this quantum */
	int64_t behind_ns;             /* how far now_ns is behind what it is to follow */
	int64_t window_ran, window_ns; /* since ns_per_1024 was last chosen, by the host's clock */
	struct soft_cpu *running;
	bool looked;           /* soft_look was called since a single instruction began */
	uint64_t instructions; /* retired by all CPUs before this quantum */
	bool idle;             /* since host_ns no CPU had anything to do */
	uint64_t clock_offset; /* what kvmclock shows beyond now_ns, modulo 2^64 */

	/* the thread, and what others ask of it */
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool running_wanted, parked, quitting; /* under mutex */
	bool replan;                           /* under mutex: a device's deadline came closer */
	atomic_bool halting;                   /* a stop is asked for */
	atomic_bool kicked;                    /* messages wait, or INTR has changed */
	struct soft_message *messages;         /* under mutex */
	size_t message_count, message_capacity;
	bool all_written;           /* under mutex: more ranges than there was room for */
	struct soft_remap *remaps;  /* under mutex, oldest first */
	FILE *trace;                /* NULL: none */
	struct soft_tracer *tracer; /* its state, with it */
	uint32_t unknown_msrs[32];  /* named in the log already */
	unsigned unknown_msr_count;
	bool stop_on_fault; /* tests: exceptions are left for the caller */
};

/* physical.c */

/** The slot that holds a physical page, or NULL: then the device path answers. */
struct soft_slot *soft_slot_find(struct soft_vm *vm, uint64_t physical);
/** By physical address, any size up to 8 within one page: RAM, ROM, the local APIC, devices. */
uint64_t soft_physical_read(struct soft_cpu *cpu, uint64_t physical, unsigned size);
void soft_physical_write(struct soft_cpu *cpu, uint64_t physical, unsigned size, uint64_t value);
/** Any number of bytes within one page. */
void soft_physical_fetch(struct soft_cpu *cpu, uint64_t physical, uint8_t *bytes, unsigned count);
void soft_physical_put(struct soft_cpu *cpu, uint64_t physical, const uint8_t *bytes,
		       unsigned count);

/* block.c */
void soft_blocks_init(struct soft_block_cache *cache);
void soft_blocks_fini(struct soft_block_cache *cache);
/** The block at the CPU's RIP: from the cache or decoded. NULL: a fetch fault is raised. */
struct soft_block *soft_block_find(struct soft_cpu *cpu);
/** A block of the one instruction at RIP, not cached. */
struct soft_block *soft_block_single(struct soft_cpu *cpu);
/** Bytes of a physical page have changed. */
void soft_blocks_invalidate(struct soft_vm *vm, uint64_t physical, unsigned count);
void soft_blocks_flush(struct soft_vm *vm);
/** Instructions that cross pages are decoded anew: all; those that touch the page of this address. */
void soft_spans_forget(struct soft_vm *vm);
void soft_spans_forget_page(struct soft_vm *vm, uint64_t rip);

#endif
