/** What the files of accel/kvm share: one VM, its CPUs, its memory slots and interrupt routes. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_KVM_INTERNAL_H
#define ACCEL_KVM_INTERNAL_H

#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accel/accel.h"
#include "core/cpu_topology.h"
#include "core/machine.h"
#include "core/plan.h"

/** Pages KVM on Intel takes for itself: an identity page table for real mode and a three-page TSS.
 * The claim 0xfeffc000+16KiB of every x86 plan keeps them free under every accelerator. */
#define KVM_PRIVATE_BASE     0xfeffc000u
#define KVM_PRIVATE_BYTES    0x4000u
#define KVM_IDENTITY_ADDRESS 0xfeffc000u
#define KVM_TSS_ADDRESS      0xfeffd000u

/** The signal that takes a CPU out of guest mode. Its handler does nothing: KVM_RUN returns. */
#define KVM_KICK_SIGNAL (SIGRTMIN + 3)

enum { KVM_MAX_LEAVES = 256, KVM_MAX_MSRS = 512, KVM_IOAPIC_PINS = 24, KVM_MAX_ROUTES = 1024 };

/* host.c: /dev/kvm and what it offers. */

/** Opens /dev/kvm; returns the descriptor or a negative mw_status, then `why` (of 200 bytes) says
 * what is wrong and what helps. */
int kvm_host_open(char why[200]);
void kvm_host_caps(int kvm, struct mw_accel_caps *caps);
/** One line about a module known to run guests slowly or partly, from a look at sysfs; or NULL. */
const char *kvm_host_remark(void);

/* slots.c: guest-physical ranges and the KVM slots behind them. Knows no ioctl. */

struct kvm_slot {
	uint64_t base, length; /* length 0: the slot is free */
	uint8_t *host;
	bool readonly;
};
/** Sets one slot of the hypervisor; length 0 deletes it. Returns 0 or an errno value. */
typedef int kvm_slot_setter(void *context, unsigned slot, const struct kvm_slot *value);
struct kvm_slots {
	struct kvm_slot *items;
	unsigned capacity, limit;
	kvm_slot_setter *set;
	void *context;
};
/** Maps a range; what was mapped there before is unmapped. */
enum mw_status kvm_slots_map(struct kvm_slots *slots, const struct kvm_slot *wanted);
/** Unmaps a range; a slot that reaches beyond it keeps the rest. */
enum mw_status kvm_slots_unmap(struct kvm_slots *slots, uint64_t base, uint64_t length);
void kvm_slots_fini(struct kvm_slots *slots);

/* interrupts.c: which chips the kernel runs, and the routes to them. */

enum kvm_chips { KVM_CHIPS_SPLIT, KVM_CHIPS_KERNEL, KVM_CHIPS_USER };
const char *kvm_chips_name(enum kvm_chips chips);

/** What the plan's `irqchip` comes to. False: it asks for what does not fit; diagnostics name it. */
bool kvm_chips_choose(const struct mw_plan *plan, enum kvm_chips *chips,
		      struct mw_diagnostics *diagnostics);
/** True when the kernel would run this node. */
bool kvm_chips_runs(const struct mw_plan *plan, enum kvm_chips chips, uint32_t node);
/** Of a node that it runs: it is the 8259 pair, else the ioapic. */
bool kvm_chips_is_pic(const struct mw_plan *plan, uint32_t node);

/** MSI routes of the split chip's inputs. An entry is replaced, never withdrawn while the guest
 * runs: masking an input must not lose the end of an interrupt that is in service. */
struct kvm_routes {
	pthread_mutex_t mutex;
	atomic_bool dirty;
	unsigned inputs;
	struct kvm_route {
		uint64_t address;
		uint32_t data;
		bool valid;
	} * items;
};

struct kvm_vm;

/* collect.c: writes that KVM keeps for later, to regions with `collects`. */

struct kvm_collect {
	pthread_mutex_t mutex;
	struct kvm_coalesced_mmio_ring *ring; /* shared with the kernel; NULL: it keeps none */
};
/** After the CPUs were made, before they run. Where KVM cannot, each such write is an exit of its own. */
void kvm_collect_create(struct kvm_vm *vm);
bool kvm_collect_waits(const struct kvm_vm *vm);
void kvm_collected(void *self, struct mw_actor *actor);

bool kvm_chips_create(struct kvm_vm *vm, struct mw_diagnostics *diagnostics);
enum mw_status kvm_chips_reset(struct kvm_vm *vm);
void kvm_chips_fini(struct kvm_vm *vm);
void kvm_routes_flush(struct kvm_vm *vm);
void kvm_line(void *self, uint32_t gsi, bool level);
void kvm_msi(void *self, uint64_t address, uint32_t data);
void kvm_route(void *self, unsigned index, uint64_t address, uint32_t data, bool valid);
bool kvm_runs_node(void *self, uint32_t node);

/* chip_state.c: the kernel's chips between KVM_GET/SET_IRQCHIP and the nodes' rows. */

enum mw_status kvm_get_node(void *self, uint32_t node);
enum mw_status kvm_set_node(void *self, uint32_t node);

/* intr.c: the INTR pin, for a chip that is not KVM's. */

struct kvm_cpu;
void kvm_intr(void *self, bool level);
/** Before an entry: hands over a vector, or asks for the moment when one is taken. False: KVM has to be
 * asked first whether it is. */
bool kvm_intr_offer(struct kvm_cpu *cpu);
bool kvm_intr_inject(struct kvm_cpu *cpu, int vector);
/** A vector was handed over and may not have reached the CPU yet. */
bool kvm_intr_on_its_way(struct kvm_cpu *cpu);

/* apics.c: `irqchip: user`, local APICs of ours. Under the others there are none, and nothing happens. */

/** Returns 0 or an errno value. */
int kvm_apics_create(struct kvm_vm *vm);
/** After the CPUs' threads have ended. */
void kvm_apics_fini(struct kvm_vm *vm);
void kvm_apics_reset(struct kvm_vm *vm);
/** Whether their timers run; CPUs that halt look again. */
void kvm_apics_run(struct kvm_vm *vm, bool running);
/** Any thread: the level of INTR may have changed; a message. */
void kvm_apics_intr(struct kvm_vm *vm);
void kvm_apics_message(struct kvm_vm *vm, uint64_t address, uint32_t data);

/* apic_cpu.c: the same, on a CPU's own thread. */

/** Before an entry; false: the CPU does not run now, and is to be looked at again. */
bool kvm_apic_prepare(struct kvm_cpu *cpu);
void kvm_apic_after_exit(struct kvm_cpu *cpu);
void kvm_apic_halt(struct kvm_cpu *cpu);
/** Whether its page is there. */
bool kvm_apic_owns(const struct kvm_cpu *cpu, uint64_t address);
uint64_t kvm_apic_read(struct kvm_cpu *cpu, uint64_t address);
void kvm_apic_write(struct kvm_cpu *cpu, uint64_t address, unsigned size, uint64_t value);
/** The parts of a CPU's state that are the APIC's: its registers, and whether the CPU runs. The machine
 * is stopped. */
void kvm_apic_set(const struct kvm_cpu *cpu, const struct mw_cpu_state *state);
void kvm_apic_get(const struct kvm_cpu *cpu, struct mw_cpu_state *state);

/* cpuid.c */

/** The leaves CPU 0 gets before topology: the host's or the plan's, within what KVM supports. */
struct kvm_leaves {
	struct mw_cpuid_leaf leaves[KVM_MAX_LEAVES];
	size_t count;
	uint32_t kvm_features;
};
bool kvm_cpuid_prepare(struct kvm_leaves *cpuid, const struct mw_plan_cpu *cpu,
		       struct mw_cpuid_leaf *supported, size_t supported_count,
		       struct mw_diagnostics *diagnostics);
bool kvm_cpuid_supported(int kvm, struct mw_cpuid_leaf *leaves, size_t *count);
/** Takes away what only a local APIC of KVM's has. */
void kvm_cpuid_without_apic(struct mw_cpuid_leaf *leaves, size_t count);
/** Returns 0 or an errno value. */
int kvm_cpuid_install(struct kvm_vm *vm, unsigned index, uint32_t tsc_khz);

/* msrs.c */

/** Both stop at the first MSR that KVM refuses and return its place, `count` when there is none. */
size_t kvm_msrs_set(int cpu, const struct kvm_msr_entry *entries, size_t count);
size_t kvm_msrs_get(int cpu, struct kvm_msr_entry *entries, size_t count);
/** All of them, with one that KVM refuses being 0: it reads so, and takes no other value. False: one was
 * to be something else. */
bool kvm_msrs_set_each(int cpu, const struct kvm_msr_entry *entries, size_t count);
void kvm_msrs_get_each(int cpu, struct kvm_msr_entry *entries, size_t count);
/** Notes what every MSR holds in a new CPU. */
bool kvm_msrs_capture(struct kvm_vm *vm, int cpu);
/** Gives a CPU what was noted. */
void kvm_msrs_reset(struct kvm_vm *vm, int cpu);

/* cpu.c, registers.c, run.c, exits.c */

/** A CPU: created with the VM, run by its own thread, which sleeps on `vm->changed` while the
 * machine is stopped. Everything but the fields under `vm->mutex` belongs to that thread while it is
 * not parked, and to the main thread while it is. */
struct kvm_cpu {
	struct kvm_vm *vm;
	struct mw_actor *actor;
	unsigned index;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool has_thread;
	bool parked;     /* under vm->mutex */
	uint64_t served; /* the vm->starts this thread has seen, under vm->mutex */
	bool unfinished; /* an exit was answered whose end KVM has not seen */
	bool offered;    /* a vector that KVM may still have in hand */
	bool unknown;    /* was set: KVM has not said yet whether it takes an interrupt */
	unsigned last_rounds;
	uint64_t tsc, tsc_deadline;         /* while stopped: what it will go on with */
	struct kvm_lapic_state reset_lapic; /* as KVM made it */
	struct kvm_xsave *xsave;            /* vm->xsave_bytes of it, for transfers */
};

/** The accelerator behind a `struct mw_accel *`: created by ops->create, destroyed after the machine
 * stopped. */
struct kvm_vm {
	struct mw_machine *machine;
	const struct mw_plan *plan;
	int kvm, fd;
	struct mw_accel_caps caps;
	enum kvm_chips chips;
	struct kvm_slots slots;
	struct kvm_routes routes;
	struct kvm_apics *apics;           /* under KVM_CHIPS_USER, or NULL */
	struct kvm_irqchip reset_chips[3]; /* as KVM made them */
	struct kvm_leaves cpuid;
	struct kvm_msr_entry *reset_msrs; /* every MSR KVM knows, as in a new CPU */
	size_t reset_msr_count;
	struct kvm_nested_state reset_nested; /* size 0: KVM cannot nest */
	uint32_t tsc_khz;
	uint64_t clock_ns;          /* kvmclock, while stopped: what it will go on with */
	struct mw_cpuid_leaf *told; /* what CPU 0 was given */
	size_t told_count;
	size_t run_bytes, xsave_bytes;
	struct kvm_collect collect;
	struct kvm_cpu *cpus;
	unsigned cpu_count;
	bool touched; /* since the last reset: it ran, or was loaded */

	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool quitting;
	uint64_t starts;     /* counts starts; under mutex */
	bool running;        /* under mutex */
	atomic_bool halting; /* a stop wants every CPU parked */
};

bool kvm_cpus_create(struct kvm_vm *vm, struct mw_diagnostics *diagnostics);
void kvm_cpus_fini(struct kvm_vm *vm);
enum mw_status kvm_reset(void *self);
enum mw_status kvm_set_cpu(void *self, unsigned index, const struct mw_cpu_state *state);
enum mw_status kvm_get_cpu(void *self, unsigned index, struct mw_cpu_state *state);
/** The same for messages: from its own thread too, and as far as it goes. */
enum mw_status kvm_show_cpu(const struct kvm_cpu *cpu, struct mw_cpu_state *state);
/** Whether an MSR is among the registers, under whatever name. */
bool kvm_registers_have(uint32_t msr);
/** INIT (SDM vol. 3, table 10-1), and SIPI to a page unless it is -1. */
bool kvm_cpu_init(struct kvm_cpu *cpu, int start_page);

/* extra.c: more parts of a CPU's state, as registers.c has them: 0, or -1 with errno. */

int kvm_lapic_set(const struct kvm_cpu *cpu, const struct mw_cpu_state *state);
int kvm_lapic_get(const struct kvm_cpu *cpu, struct mw_cpu_state *state);
int kvm_extra_set(const struct kvm_cpu *cpu, const struct mw_cpu_state *state);
int kvm_extra_get(const struct kvm_cpu *cpu, struct mw_cpu_state *state);
int kvm_events_set(const struct kvm_cpu *cpu, const struct mw_cpu_state *state);
int kvm_events_get(const struct kvm_cpu *cpu, struct mw_cpu_state *state);
int kvm_running_set(const struct kvm_cpu *cpu, const struct mw_cpu_state *state);
int kvm_running_get(const struct kvm_cpu *cpu, struct mw_cpu_state *state);
/** Whether the form holds all of it; a log line names what it does not. */
bool kvm_cpu_is_complete(const struct kvm_cpu *cpu, const struct mw_cpu_state *state);

bool kvm_threads_create(struct kvm_vm *vm, struct mw_diagnostics *diagnostics);
/** Ends and joins the threads; NULL-safe as far as creation came. */
void kvm_threads_join(struct kvm_vm *vm);
enum mw_status kvm_start(void *self);
void kvm_stop(void *self);
/** Gets it out of the guest, or keeps it from entering, to look at what is for it. Any thread. */
void kvm_cpu_kick(struct kvm_cpu *cpu);
/** KVM_RUN once; 0 or an errno value. */
int kvm_cpu_enter(struct kvm_cpu *cpu);
/** Ends the instruction that the last exit was in. */
void kvm_cpu_finish(struct kvm_cpu *cpu);
/** An entry that runs nothing: KVM tells in cpu->run how the CPU is. */
void kvm_cpu_look(struct kvm_cpu *cpu);

/** The largest power of two that is left of an access and fits the alignment: KVM cuts one at a page's end and may
 * leave 3, 5, 6 or 7 bytes. */
unsigned kvm_part_size(uint64_t address, unsigned left);
/** Answers the exit in cpu->run. False: this CPU runs no more until the next start. */
bool kvm_exit_handle(struct kvm_cpu *cpu);
/** KVM_RUN itself failed: ends the machine with the registers. */
void kvm_exit_failed(struct kvm_cpu *cpu, int error);
const char *kvm_exit_name(uint32_t reason);

/* clock.c: all with all CPUs parked. */
void kvm_clock_pause(struct kvm_vm *vm);
void kvm_clock_resume(struct kvm_vm *vm);
enum mw_status kvm_get_clock(void *self, uint64_t *ns);
enum mw_status kvm_set_clock(void *self, uint64_t ns);

/* probe.c, probe_cache.c */

void kvm_probe(struct mw_accel_probe *probe);
void kvm_look(struct mw_accel_probe *probe);
struct kvm_probe_result {
	enum mw_accel_verdict verdict;
	char reason[200];
};
/** False where there is no cache, or none to be trusted. */
bool kvm_probe_cache_read(const char *path, const char *key, struct kvm_probe_result *result);
void kvm_probe_cache_write(const char *path, const char *key,
			   const struct kvm_probe_result *result);

#endif
