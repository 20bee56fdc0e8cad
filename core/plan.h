/** The plan: an immutable, fully placed device graph, everything a machine is built from. */
// SPDX-License-Identifier: MIT
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/alloc.h"
#include "core/device.h"
#include "core/diagnostics.h"

/** One value of `props:`, also for properties left at their default. */
struct mw_plan_value {
	const struct mw_property *property;
	uint64_t number;    /* integers, bool, enum index */
	const char *text;   /* strings */
	const char *secret; /* a string that a secret is part of: what `text` stands for, or NULL */
	struct mw_blob bytes; /* mac, uuid, blob */
	bool is_default;
	bool host; /* came from a host-scoped parameter: outside the guest ABI */
	struct mw_span span;
};

enum mw_claim_kind { MW_CLAIM_IO, MW_CLAIM_MMIO, MW_CLAIM_IRQ, MW_CLAIM_DMA, MW_CLAIM_MSI };

/** A resource a node holds, placed. */
struct mw_plan_claim {
	enum mw_claim_kind kind;
	const char *name;               /* the region's or wire's name */
	const struct mw_region *region; /* io and mmio */
	uint64_t base, length;          /* io and mmio; length > 0, base + length does not wrap */
	uint32_t net;                   /* irq: index into plan->nets */
	const struct mw_wire *wire;     /* irq: the driving wire; dma, msi: the wire claimed for */
	uint32_t wire_index;
	uint32_t pin;     /* irq: INTA# to INTD# as 1 to 4, 0 for a line that is no INTx */
	uint32_t channel; /* dma: 0 to 7, not 4 */
	uint32_t vectors; /* msi: 1.. */
	bool automatic;   /* placed by the allocator */
	const char *
		overlays; /* "NODE.CLAIM" whose overlap is permitted, or NULL; this one is on top */
	struct mw_span span;
};

/** A connection that is no interrupt: a stream to its backend, an image. Each stands once. */
struct mw_plan_link {
	uint32_t
		node[2]; /* indices into plan->nodes; [0] is the one whose profile entry names it */
	const struct mw_wire *wire[2];
	uint32_t index[2];
	struct mw_span span;
};

struct mw_plan_sink {
	uint32_t node;
	const struct mw_wire *wire;
	uint32_t index;
};

enum mw_trigger { MW_TRIGGER_EDGE, MW_TRIGGER_LEVEL };
enum mw_polarity { MW_POLARITY_HIGH, MW_POLARITY_LOW };

/** One interrupt line with its sources and sinks, or an explicit line wire (domain NULL). */
struct mw_plan_net {
	const char *domain;
	uint32_t line; /* in its domain */
	uint32_t gsi;  /* ACPI global system interrupt; MW_NO_GSI when no ioapic pin is behind it */
	enum mw_trigger trigger;
	enum mw_polarity polarity;
	bool shared;
	const struct mw_plan_sink *sinks;
	size_t sink_count;
};
#define MW_NO_GSI UINT32_MAX

struct mw_plan_node {
	const char *id;
	const struct mw_device_type *type;
	const char *bus;        /* id of the node whose bus it sits on, or "sys" */
	uint32_t bus_node;      /* index, UINT32_MAX for sys */
	const char *address;    /* on the bus, NULL where the bus has none */
	bool address_automatic; /* chosen by the allocator */
	bool host;              /* a backend: outside what the guest sees */
	enum { MW_PLACEMENT_SHARED, MW_PLACEMENT_OWN, MW_PLACEMENT_CPU } placement;
	/** What a failure of the host side does: the guest is told, or the machine stops. Like the
	 * placement it is outside the guest's view. */
	enum { MW_ON_ERROR_REPORT, MW_ON_ERROR_STOP } on_error;
	unsigned vtl;                       /* the virtual trust level it belongs to, 0 to 2 */
	const struct mw_plan_value *values; /* one per property of the type, in its order */
	size_t value_count;
	const struct mw_plan_claim
		*claims; /* in the order of the type's regions, then of its wires: irq, dma, msi */
	size_t claim_count;
	struct mw_span span;
};

struct mw_plan_range {
	uint64_t base, length;
};

/** A window or a domain is kept for the canonical text, for verify and for tables. */
struct mw_plan_domain {
	const char *name;
	uint32_t lines;
	/** PCI's INTx: pin p of slot s has line pins[(s + p) % swizzle]. 0: it has no such pins. */
	uint32_t swizzle;
	const uint32_t *pins;
	/** Where the lines of such a domain lead: those of domain `to`, so that no net is of this one;
	 * or with NULL line n to element sink.index + n of a node's wire. */
	const char *to;
	struct mw_plan_sink sink;
};

/** Memory of VTL 2, above everything that VTL 0 has. */
struct mw_plan_vtl2 {
	struct mw_plan_range range; /* length 0: none */
	bool is_private;            /* VTL 0 cannot see it */
	struct mw_span span;
};

struct mw_cpuid_leaf {
	uint32_t leaf, subleaf;
	bool has_subleaf; /* the answer depends on ECX */
	uint32_t eax, ebx, ecx, edx;
};
struct mw_msr_value {
	uint32_t index;
	uint64_t value;
};

enum mw_hypervisor { MW_HYPERVISOR_NONE, MW_HYPERVISOR_KVM, MW_HYPERVISOR_HYPERV };

struct mw_plan_cpu {
	const char *model;
	bool host_model;                  /* leaves come from the accelerator's host */
	uint32_t count;                   /* 1.. */
	uint32_t sockets, cores, threads; /* product >= count */
	enum mw_hypervisor hypervisor;
	uint32_t tsc_khz;                   /* 0: the host's */
	bool tsc_told;                      /* the guest is told the rate (leaves 0x15, 0x16) */
	const struct mw_cpuid_leaf *leaves; /* of CPU 0, without topology and hypervisor leaves */
	size_t leaf_count;
	const struct mw_msr_value *msrs;
	size_t msr_count;
	const char *const *features_add,
		*const *features_remove; /* names, ended by NULL; may be NULL */
	struct mw_span span;
};

enum mw_irqchip { MW_IRQCHIP_AUTO, MW_IRQCHIP_KERNEL, MW_IRQCHIP_SPLIT, MW_IRQCHIP_USER };

struct mw_plan_need {
	const char *name;
	uint64_t value; /* bool needs: 1 */
	bool optional;
	struct mw_span span;
};
/** Virtual time of an instruction under `clock: instructions`. */
enum { MW_INSTRUCTION_NS = 10 };
struct mw_plan_accel {
	const char *const *prefer; /* ended by NULL, never NULL */
	const struct mw_plan_need *needs;
	size_t need_count;
	enum mw_irqchip irqchip;
	bool instruction_clock; /* MW_INSTRUCTION_NS each, the host's time plays no part */
	bool manual_clock;      /* time is stepped from outside (mw_clock_step): tests, drivers */
	struct mw_span span, irqchip_span, clock_span;
};

enum mw_power_action { MW_ACTION_RESET, MW_ACTION_STOP, MW_ACTION_EXIT };
struct mw_plan_power {
	enum mw_power_action off, reset, panic, triple_fault;
};

enum {
	MW_TABLES_ACPI = 1u << 0,
	MW_TABLES_SMBIOS = 1u << 1,
	MW_TABLES_MP = 1u << 2,
	MW_TABLES_PIR = 1u << 3
};
/** A file loaded beside the kernel: "PATH" or "PATH ARGUMENTS", as the profile has it. */
struct mw_plan_module {
	const char *text;
	struct mw_span span;
};
struct mw_plan_boot {
	const char *linux_path, *elf_path; /* the kernel: one of them, or NULL both */
	const char *initrd_path;           /* NULL: none */
	const char *cmdline;               /* "" when absent */
	bool cmdline_host;                 /* a host-scoped parameter is part of it */
	const struct mw_plan_module *modules;
	size_t module_count;
	const char *firmware; /* id of the node that holds the reset vector, or NULL */
	unsigned tables;      /* MW_TABLES_* */
	struct mw_span linux_span, elf_span, initrd_span, cmdline_span, span;
	const char *igvm_path;    /* an IGVM file instead of a kernel or firmware, or NULL */
	const char *const *order; /* ids of the nodes to boot from, ended by NULL; NULL: not said */
	bool secure_boot;
	enum { MW_MEASURE_NONE, MW_MEASURE_SHA256, MW_MEASURE_SHA384, MW_MEASURE_SHA512 } measure;
	struct mw_span igvm_span, order_span, secure_boot_span, measure_span;
};

/** Made by the resolver, lives in its own arena, constant once emitted; any thread may read it.
 * Freed with mw_plan_destroy. It borrows the registry's types. */
struct mw_plan {
	struct mw_arena arena;
	const char *name, *summary, *arch;
	uint32_t version;
	const char *const *bases;        /* "chipset/microvm@1", ended by NULL */
	const struct mw_plan_range *ram; /* guest-physical, ascending, apart */
	size_t ram_count;
	uint64_t ram_bytes;
	struct mw_plan_vtl2 vtl2;
	const struct mw_plan_node
		*nodes; /* in build order: a bus before its children, backends last */
	size_t node_count;
	const struct mw_plan_net *nets;
	size_t net_count;
	const struct mw_plan_link *links;
	size_t link_count;
	const struct mw_plan_domain *domains;
	size_t domain_count;
	struct mw_plan_cpu cpu;
	struct mw_plan_accel accel;
	struct mw_plan_power power;
	struct mw_plan_boot boot;
};

void mw_plan_destroy(struct mw_plan *plan);

/** Index of a node, or -1. Linear. */
long mw_plan_find(const struct mw_plan *plan, const char *id);
/** The claim of the region or wire with this name, or NULL. */
const struct mw_plan_claim *mw_plan_claim(const struct mw_plan_node *node, enum mw_claim_kind kind,
					  const char *name);
/** The node's value of a property by name, or NULL. */
const struct mw_plan_value *mw_plan_value(const struct mw_plan_node *node, const char *property);
/** Whether a kernel is booted without firmware. */
bool mw_plan_boots_kernel(const struct mw_plan *plan);
/** Whether the node says to firmware tables what its type has to say (mw_firmware_hints.unless). */
bool mw_plan_speaks(const struct mw_plan_node *node);
/** First node whose type plays the role, from index `from`; -1 when there is none. */
long mw_plan_role(const struct mw_plan *plan, enum mw_role role, size_t from);

/** A function's place on its PCI bus; false: the node is none. */
bool mw_plan_pci_address(const struct mw_plan *plan, const struct mw_plan_node *node,
			 unsigned *slot, unsigned *function);
/** Whether a node leads to configuration space: its own function is 00.0 of the bus that it provides. */
bool mw_plan_pci_root(const struct mw_plan_node *node);

/** What to leave out of the canonical text. */
enum mw_plan_text {
	MW_PLAN_WHOLE, /* host side included: what a reader or a snapshot wants */
	/* the guest ABI: no backends, host parameters, placement, on_error, spans, summary */
	MW_PLAN_GUEST
};
/** The plan's canonical text (format: plan/1): block YAML, fixed key order, one spelling for every
 * value, nodes in build order. The same plan gives the same bytes on every host. */
void mw_plan_write_yaml(const struct mw_plan *plan, enum mw_plan_text what, FILE *out);
void mw_plan_write_json(const struct mw_plan *plan, enum mw_plan_text what, FILE *out);
/** SHA-256 of the guest text: the ABI hash. */
void mw_plan_hash(const struct mw_plan *plan, uint8_t hash[32]);

#endif
