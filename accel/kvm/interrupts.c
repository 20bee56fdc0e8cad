/* Interrupt chips: the local APICs run in the kernel unless the plan says `user`; the IOAPIC and the two
 * 8259 do so only when the plan has exactly KVM's chips at KVM's places. References: api.rst, 4.24
 * (IRQCHIP), 4.52 (GSI routing), 4.77 (SIGNAL_MSI), 7.5 (SPLIT_IRQCHIP). */
// SPDX-License-Identifier: MIT
#include "accel/kvm/kvm_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { MASTER_PORT = 0x20, SLAVE_PORT = 0xa0, ELCR_PORT = 0x4d0, CHIP_PINS = 8, CASCADE = 2 };
enum { LEVEL_TRIGGERED = 1 << 15 }; /* of a message's data; SDM vol. 3, 11.11.2 */
#define IOAPIC_ADDRESS 0xfec00000u
enum { IOAPIC_VERSION = 0x11 }; /* of the kernel's: without an EOI register */

/** The kernel's chips as nodes of the plan: both 8259 are one. */
struct chip_nodes {
	long pics, ioapic;
	const char *misfit; /* why they do not fit, or NULL */
	long culprit;       /* the node to blame, or -1 */
};

static bool claims(const struct mw_plan *plan, long node, enum mw_claim_kind kind, uint64_t base)
{
	const struct mw_plan_node *item = &plan->nodes[node];

	for (size_t i = 0; i < item->claim_count; i++)
		if (item->claims[i].kind == kind && item->claims[i].base == base)
			return true;
	return false;
}

static void blame(struct chip_nodes *chips, long culprit, const char *misfit)
{
	if (!chips->misfit) {
		chips->misfit = misfit;
		chips->culprit = culprit;
	}
}

static void find_pics(const struct mw_plan *plan, struct chip_nodes *chips)
{
	const struct mw_plan_claim *elcr;
	long other;

	chips->pics = mw_plan_role(plan, MW_ROLE_PIC, 0);
	if (chips->pics < 0) {
		blame(chips, -1, "the machine has no two 8259 at ports 0x20 and 0xa0");
		return;
	}
	other = mw_plan_role(plan, MW_ROLE_PIC, (size_t)chips->pics + 1);
	if (other >= 0)
		blame(chips, other, "is a second pair of 8259; the kernel has one");
	if (!claims(plan, chips->pics, MW_CLAIM_IO, MASTER_PORT) ||
	    !claims(plan, chips->pics, MW_CLAIM_IO, SLAVE_PORT))
		blame(chips, chips->pics,
		      "is not at ports 0x20 and 0xa0, where the kernel's 8259 are");
	elcr = mw_plan_claim(&plan->nodes[chips->pics], MW_CLAIM_IO, "elcr");
	if (elcr && elcr->base != ELCR_PORT)
		blame(chips, chips->pics,
		      "has its edge/level registers elsewhere than the kernel's, at 0x4d0");
}

static void check_ioapic_value(const struct mw_plan *plan, struct chip_nodes *chips,
			       const char *property, uint64_t kernels, const char *misfit)
{
	const struct mw_plan_value *value = mw_plan_value(&plan->nodes[chips->ioapic], property);

	if (!value || value->number != kernels)
		blame(chips, chips->ioapic, misfit);
}

static void find_ioapic(const struct mw_plan *plan, struct chip_nodes *chips)
{
	long other;

	chips->ioapic = mw_plan_role(plan, MW_ROLE_IOAPIC, 0);
	if (chips->ioapic < 0) {
		blame(chips, -1, "the machine has no ioapic");
		return;
	}
	other = mw_plan_role(plan, MW_ROLE_IOAPIC, (size_t)chips->ioapic + 1);
	if (other >= 0)
		blame(chips, other, "is a second ioapic; the kernel has one");
	if (!claims(plan, chips->ioapic, MW_CLAIM_MMIO, IOAPIC_ADDRESS))
		blame(chips, chips->ioapic, "is not at 0xfec00000, where the kernel's ioapic is");
	check_ioapic_value(plan, chips, "pins", KVM_IOAPIC_PINS,
			   "does not have the 24 pins of the kernel's ioapic");
	check_ioapic_value(plan, chips, "version", IOAPIC_VERSION,
			   "is not of version 0x11, as the kernel's ioapic is");
}

static struct chip_nodes find_chips(const struct mw_plan *plan)
{
	struct chip_nodes chips = { -1, -1, NULL, -1 };

	find_pics(plan, &chips);
	find_ioapic(plan, &chips);
	return chips;
}

static void report_misfit(const struct mw_plan *plan, const struct chip_nodes *chips,
			  struct mw_diagnostics *diagnostics)
{
	const char *id = chips->culprit < 0 ? "" : plan->nodes[chips->culprit].id;
	struct mw_diag *diag = mw_diagnostics_add(
		diagnostics, MW_SEVERITY_ERROR, "A503", plan->accel.irqchip_span,
		"`irqchip: kernel` does not fit: %s%s%s", id, *id ? " " : "", chips->misfit);

	if (chips->culprit >= 0)
		mw_diag_note(diagnostics, diag, plan->nodes[chips->culprit].span,
			     "`%s` is placed here", id);
	mw_diag_help(diagnostics, diag, "`irqchip: auto` takes the kernel's chips where they fit");
}

/* A route is known by its ioapic's input alone: two ioapics would take each other's. */
static bool allow_split(const struct mw_plan *plan, struct mw_diagnostics *diagnostics)
{
	long first = mw_plan_role(plan, MW_ROLE_IOAPIC, 0);
	long second = first < 0 ? -1 : mw_plan_role(plan, MW_ROLE_IOAPIC, (size_t)first + 1);

	if (second < 0)
		return true;
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "A501", plan->nodes[second].span,
			   "a second ioapic (`%s`) is not implemented yet under kvm",
			   plan->nodes[second].id);
	return false;
}

bool kvm_chips_choose(const struct mw_plan *plan, enum kvm_chips *chips,
		      struct mw_diagnostics *diagnostics)
{
	struct chip_nodes nodes = find_chips(plan);

	*chips = nodes.misfit ? KVM_CHIPS_SPLIT : KVM_CHIPS_KERNEL;
	switch (plan->accel.irqchip) {
	case MW_IRQCHIP_AUTO: return !nodes.misfit || allow_split(plan, diagnostics);
	case MW_IRQCHIP_SPLIT: *chips = KVM_CHIPS_SPLIT; return allow_split(plan, diagnostics);
	case MW_IRQCHIP_KERNEL:
		if (nodes.misfit)
			report_misfit(plan, &nodes, diagnostics);
		return !nodes.misfit;
	case MW_IRQCHIP_USER: *chips = KVM_CHIPS_USER; break;
	}
	return true;
}

bool kvm_chips_runs(const struct mw_plan *plan, enum kvm_chips chips, uint32_t node)
{
	struct chip_nodes nodes;

	if (chips != KVM_CHIPS_KERNEL)
		return false;
	nodes = find_chips(plan);
	return (long)node == nodes.pics || (long)node == nodes.ioapic;
}

bool kvm_chips_is_pic(const struct mw_plan *plan, uint32_t node)
{
	return (long)node == find_chips(plan).pics;
}

bool kvm_runs_node(void *self, uint32_t node)
{
	const struct kvm_vm *vm = self;

	return kvm_chips_runs(vm->plan, vm->chips, node);
}

/* Inputs of all ioapics together: what the split chip reserves routes for. */
static unsigned count_inputs(const struct mw_plan *plan)
{
	uint64_t inputs = 0;

	for (long i = mw_plan_role(plan, MW_ROLE_IOAPIC, 0); i >= 0;
	     i = mw_plan_role(plan, MW_ROLE_IOAPIC, (size_t)i + 1)) {
		const struct mw_plan_value *pins = mw_plan_value(&plan->nodes[i], "pins");

		inputs += pins ? pins->number : KVM_IOAPIC_PINS;
	}
	return inputs > KVM_MAX_ROUTES ? KVM_MAX_ROUTES : (unsigned)inputs;
}

static int create_split(struct kvm_vm *vm)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP };

	vm->routes.inputs = count_inputs(vm->plan);
	vm->routes.items = mw_alloc(vm->routes.inputs + 1, sizeof(*vm->routes.items));
	cap.args[0] = vm->routes.inputs;
	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap) < 0 ? errno : 0;
}

/* A net's route into one chip; false where the sink is none of the kernel's. */
static bool route_to_chip(const struct chip_nodes *nodes, const struct mw_plan_sink *sink,
			  struct kvm_irq_routing_entry *entry)
{
	entry->type = KVM_IRQ_ROUTING_IRQCHIP;
	entry->u.irqchip.pin = sink->index;
	if ((long)sink->node == nodes->ioapic) {
		entry->u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
		return true;
	}
	entry->u.irqchip.irqchip =
		sink->index < CHIP_PINS ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;
	entry->u.irqchip.pin %= CHIP_PINS;
	/* The slave is at the master's pin 2, whatever else the plan has there. */
	return (long)sink->node == nodes->pics && sink->index != CASCADE;
}

static struct kvm_irq_routing *new_routing(size_t entries)
{
	return mw_alloc(1, sizeof(struct kvm_irq_routing) +
				   entries * sizeof(struct kvm_irq_routing_entry));
}

static int route_kernel_chips(struct kvm_vm *vm)
{
	const struct mw_plan *plan = vm->plan;
	struct chip_nodes nodes = find_chips(plan);
	struct kvm_irq_routing *routing;
	size_t sinks = 0;
	int error;

	for (size_t i = 0; i < plan->net_count; i++)
		sinks += plan->nets[i].sink_count;
	routing = new_routing(sinks);
	for (size_t i = 0; i < plan->net_count; i++) {
		const struct mw_plan_net *net = &plan->nets[i];

		for (size_t s = 0; net->gsi != MW_NO_GSI && s < net->sink_count; s++) {
			struct kvm_irq_routing_entry *entry = &routing->entries[routing->nr];

			entry->gsi = net->gsi;
			routing->nr += route_to_chip(&nodes, &net->sinks[s], entry);
		}
	}
	error = ioctl(vm->fd, KVM_SET_GSI_ROUTING, routing) < 0 ? errno : 0;
	free(routing);
	return error;
}

static int create_kernel(struct kvm_vm *vm)
{
	if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) < 0)
		return errno;
	for (uint32_t i = 0; i < 3; i++) {
		vm->reset_chips[i].chip_id = i;
		if (ioctl(vm->fd, KVM_GET_IRQCHIP, &vm->reset_chips[i]) < 0)
			return errno;
	}
	return route_kernel_chips(vm);
}

bool kvm_chips_create(struct kvm_vm *vm, struct mw_diagnostics *diagnostics)
{
	int error = 0;

	pthread_mutex_init(&vm->routes.mutex, NULL);
	switch (vm->chips) {
	case KVM_CHIPS_KERNEL: error = create_kernel(vm); break;
	case KVM_CHIPS_SPLIT: error = create_split(vm); break;
	case KVM_CHIPS_USER: error = kvm_apics_create(vm); break;
	}
	if (!error)
		return true;
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
			   "kvm: the %s interrupt chip cannot be made: %s",
			   kvm_chips_name(vm->chips), strerror(error));
	return false;
}

const char *kvm_chips_name(enum kvm_chips chips)
{
	static const char *const names[] = { [KVM_CHIPS_SPLIT] = "split",
					     [KVM_CHIPS_KERNEL] = "kernel",
					     [KVM_CHIPS_USER] = "user" };

	return names[chips];
}

void kvm_chips_fini(struct kvm_vm *vm)
{
	kvm_apics_fini(vm);
	free(vm->routes.items);
	vm->routes.items = NULL;
}

enum mw_status kvm_chips_reset(struct kvm_vm *vm)
{
	if (vm->chips == KVM_CHIPS_KERNEL) {
		for (unsigned i = 0; i < 3; i++)
			if (ioctl(vm->fd, KVM_SET_IRQCHIP, &vm->reset_chips[i]) < 0)
				return mw_status_from_errno(errno);
		return MW_STATUS_OK;
	}
	kvm_apics_reset(vm);
	pthread_mutex_lock(&vm->routes.mutex);
	for (unsigned i = 0; i < vm->routes.inputs; i++)
		if (vm->routes.items[i].valid) {
			vm->routes.items[i].valid = false;
			atomic_store(&vm->routes.dirty, true);
		}
	pthread_mutex_unlock(&vm->routes.mutex);
	kvm_routes_flush(vm);
	return MW_STATUS_OK;
}

static void fill_routing(const struct kvm_routes *routes, struct kvm_irq_routing *routing)
{
	for (unsigned i = 0; i < routes->inputs; i++) {
		const struct kvm_route *route = &routes->items[i];
		struct kvm_irq_routing_entry *entry = &routing->entries[routing->nr];

		if (!route->valid)
			continue;
		entry->gsi = i;
		entry->type = KVM_IRQ_ROUTING_MSI;
		entry->u.msi.address_lo = (uint32_t)route->address;
		entry->u.msi.address_hi = (uint32_t)(route->address >> 32);
		entry->u.msi.data = route->data;
		routing->nr++;
	}
}

/* A set of routes costs a grace period in the kernel, so changes are gathered: they count from the
 * next message or guest entry on, and whoever comes to one of these first hands them over. */
void kvm_routes_flush(struct kvm_vm *vm)
{
	struct kvm_irq_routing *routing;

	if (!atomic_load(&vm->routes.dirty))
		return;
	pthread_mutex_lock(&vm->routes.mutex);
	if (atomic_load(&vm->routes.dirty)) {
		routing = new_routing(vm->routes.inputs);
		fill_routing(&vm->routes, routing);
		if (ioctl(vm->fd, KVM_SET_GSI_ROUTING, routing) < 0)
			mw_machine_fail(vm->machine, "kvm: interrupt routes are refused: %s",
					strerror(errno));
		atomic_store(&vm->routes.dirty, false);
		free(routing);
	}
	pthread_mutex_unlock(&vm->routes.mutex);
}

/* Only level inputs need a route: it makes KVM report the end of the interrupt. A masked input
 * keeps its last one, since an interrupt in service may still end. */
void kvm_route(void *self, unsigned index, uint64_t address, uint32_t data, bool valid)
{
	struct kvm_vm *vm = self;
	struct kvm_route *route;

	if (index >= vm->routes.inputs || !valid || !(data & LEVEL_TRIGGERED))
		return;
	pthread_mutex_lock(&vm->routes.mutex);
	route = &vm->routes.items[index];
	if (!route->valid || route->address != address || route->data != data) {
		*route = (struct kvm_route){ address, data, true };
		atomic_store(&vm->routes.dirty, true);
	}
	pthread_mutex_unlock(&vm->routes.mutex);
}

/* A message that no CPU takes (EPERM) or that makes no sense (EINVAL) is the guest's doing and gets
 * lost, as on a bus. */
void kvm_msi(void *self, uint64_t address, uint32_t data)
{
	struct kvm_vm *vm = self;
	struct kvm_msi msi = {
		.address_lo = (uint32_t)address,
		.address_hi = (uint32_t)(address >> 32),
		.data = data,
	};

	if (vm->chips == KVM_CHIPS_USER) {
		kvm_apics_message(vm, address, data);
		return;
	}
	kvm_routes_flush(vm);
	if (ioctl(vm->fd, KVM_SIGNAL_MSI, &msi) < 0 && errno != EPERM && errno != EINVAL)
		mw_machine_fail(vm->machine, "kvm: an interrupt message is refused: %s",
				strerror(errno));
}

void kvm_line(void *self, uint32_t gsi, bool level)
{
	struct kvm_vm *vm = self;
	struct kvm_irq_level line = { .irq = gsi, .level = level };

	if (ioctl(vm->fd, KVM_IRQ_LINE, &line) < 0)
		mw_machine_fail(vm->machine, "kvm: interrupt line %u is refused: %s", gsi,
				strerror(errno));
}
