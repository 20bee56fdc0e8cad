/* The software processor as an accelerator: making a machine's CPUs, and core's view of them. */
// SPDX-License-Identifier: MIT
#include "accel/soft/soft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel/soft/memory/physical.h"
#include "accel/soft/schedule.h"
#include "accel/soft/system/model.h"
#include "accel/soft/system/system.h"
#include "accel/soft/thread.h"
#include "accel/soft/trace.h"
#include "accel/soft/vm.h"
#include "core/alloc.h"
#include "core/cpu_topology.h"
#include "core/diagnostics.h"

/* What the guest is told where the profile leaves it to the host. */
enum { DEFAULT_TSC_KHZ = 1000000, MOST_CPUS = 64 };

static bool is_whole_pages(uint64_t base, uint64_t length)
{
	return length && !((base | length) & ~SOFT_PAGE_MASK) && base + length - 1 >= base;
}

static enum mw_status map(void *self, uint64_t base, uint64_t length, void *host, bool readonly)
{
	struct soft_vm *vm = self;

	if (!is_whole_pages(base, length))
		return MW_STATUS_INVALID;
	soft_thread_remap(vm, &(struct soft_slot){ base, length, host, readonly, NULL });
	return MW_STATUS_OK;
}

static enum mw_status unmap(void *self, uint64_t base, uint64_t length)
{
	struct soft_vm *vm = self;

	if (!is_whole_pages(base, length))
		return MW_STATUS_INVALID;
	soft_thread_remap(vm, &(struct soft_slot){ .base = base, .length = length });
	return MW_STATUS_OK;
}

static void drop_messages(struct soft_vm *vm)
{
	pthread_mutex_lock(&vm->mutex);
	vm->message_count = 0;
	pthread_mutex_unlock(&vm->mutex);
}

/* Memory was written by loaders, so nothing decoded holds. */
static enum mw_status reset(void *self)
{
	struct soft_vm *vm = self;

	drop_messages(vm);
	soft_blocks_flush(vm);
	for (unsigned i = 0; i < vm->cpu_count; i++)
		soft_cpu_reset(vm->cpus[i], i == 0);
	return MW_STATUS_OK;
}

static enum mw_status set_cpu(void *self, unsigned index, const struct mw_cpu_state *state)
{
	struct soft_vm *vm = self;

	if (index >= vm->cpu_count)
		return MW_STATUS_INVALID;
	soft_time_follow(vm);
	soft_thread_take(vm);
	soft_cpu_set_state(vm->cpus[index], state);
	soft_blocks_flush(vm);
	return MW_STATUS_OK;
}

static enum mw_status get_cpu(void *self, unsigned index, struct mw_cpu_state *state)
{
	struct soft_vm *vm = self;

	if (index >= vm->cpu_count)
		return MW_STATUS_INVALID;
	soft_time_follow(vm);
	soft_thread_take(vm);
	mw_lapic_advance(&vm->cpus[index]->lapic, vm->now_ns);
	soft_cpu_get_state(vm->cpus[index], state);
	return MW_STATUS_OK;
}

static enum mw_status get_clock(void *self, uint64_t *ns)
{
	struct soft_vm *vm = self;

	soft_time_follow(vm);
	*ns = vm->now_ns + vm->clock_offset;
	return MW_STATUS_OK;
}

static enum mw_status set_clock(void *self, uint64_t ns)
{
	struct soft_vm *vm = self;

	soft_time_follow(vm);
	vm->clock_offset = ns - vm->now_ns;
	return MW_STATUS_OK;
}

static void identity(void *self, struct mw_cpu_identity *identity)
{
	const struct soft_vm *vm = self;

	*identity = (struct mw_cpu_identity){ vm->tsc_khz, vm->cpuid[0], vm->cpuid_count[0] };
}

static enum mw_status start(void *self)
{
	soft_thread_start(self);
	return MW_STATUS_OK;
}

static void stop(void *self)
{
	soft_thread_stop(self);
}

static void msi(void *self, uint64_t address, uint32_t data)
{
	soft_thread_message(self, address, data);
}

static void intr(void *self, bool level)
{
	soft_thread_intr(self);
}

static void written(void *self, uint64_t base, uint64_t length)
{
	soft_thread_written(self, base, length);
}

/* No chip runs here, and the local APICs tell the end of every level interrupt. */
static void line(void *self, uint32_t gsi, bool level)
{
}

static void route(void *self, unsigned index, uint64_t address, uint32_t data, bool valid)
{
}

static const struct mw_executor_ops executor_ops = {
	.map = map,
	.unmap = unmap,
	.reset = reset,
	.set_cpu = set_cpu,
	.get_cpu = get_cpu,
	.identity = identity,
	.get_clock = get_clock,
	.set_clock = set_clock,
	.start = start,
	.stop = stop,
	.line = line,
	.msi = msi,
	.intr = intr,
	.route = route,
	.written = written,
	.time_changed = soft_time_changed,
	.now = soft_time_now,
};

/* What the local APICs ask. All of it happens on the CPU thread. */

static struct soft_cpu *cpu_of(void *context, unsigned index)
{
	struct soft_vm *vm = context;

	return vm->cpus[index];
}

static void look(void *context, unsigned index)
{
	struct soft_vm *vm = context;

	if (vm->running)
		soft_look(vm->running);
}

static void on_init(void *context, unsigned index)
{
	struct soft_cpu *cpu = cpu_of(context, index);

	cpu->init_pending = true;
	cpu->sipi_pending = false;
	look(context, index);
}

static void on_start_up(void *context, unsigned index, uint8_t vector)
{
	struct soft_cpu *cpu = cpu_of(context, index);

	cpu->sipi_pending = true;
	cpu->sipi_vector = vector;
	look(context, index);
}

static void on_nmi(void *context, unsigned index)
{
	cpu_of(context, index)->nmi_pending = true;
	look(context, index);
}

/* There is no system management mode yet. */
static void on_smi(void *context, unsigned index)
{
	mw_actor_log(cpu_of(context, index)->actor,
		     "an SMI is ignored: system management mode is not implemented");
}

/* What passes through LINT0 goes on while the pin is high; a message is for once. */
static void on_ext_int(void *context, unsigned index)
{
	struct soft_cpu *cpu = cpu_of(context, index);

	cpu->ext_int |= !mw_lapic_passes_intr(&cpu->lapic);
	look(context, index);
}

static void on_end_of_interrupt(void *context, unsigned index, uint8_t vector)
{
	mw_machine_eoi(cpu_of(context, index)->actor, vector);
}

static uint64_t on_tsc_to_ns(void *context, unsigned index, uint64_t tsc)
{
	return soft_tsc_to_ns(cpu_of(context, index), tsc);
}

static const struct mw_lapic_ops lapic_ops = {
	.init = on_init,
	.start_up = on_start_up,
	.nmi = on_nmi,
	.smi = on_smi,
	.ext_int = on_ext_int,
	.end_of_interrupt = on_end_of_interrupt,
	.changed = look,
	.tsc_to_ns = on_tsc_to_ns,
};

/* Making it. */

static bool refuse(struct mw_diagnostics *diagnostics, struct mw_span span, const char *text)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "A501", span, "%s", text);
	return false;
}

static bool check_plan(const struct soft_vm *vm, struct mw_diagnostics *diagnostics)
{
	const struct mw_plan *plan = vm->plan;

	if (strcmp(plan->arch, "x86_64") != 0)
		return refuse(diagnostics, plan->accel.span, "soft is an x86_64 processor");
	if (plan->cpu.hypervisor == MW_HYPERVISOR_HYPERV)
		return refuse(diagnostics, plan->cpu.span,
			      "`hypervisor: hyperv` is not implemented under soft");
	if (plan->cpu.count > MOST_CPUS)
		return refuse(diagnostics, plan->cpu.span, "soft runs at most 64 CPUs");
	if (plan->accel.irqchip == MW_IRQCHIP_KERNEL)
		return refuse(diagnostics, plan->accel.irqchip_span,
			      "`irqchip: kernel` is KVM's: soft has its chips in user space");
	return true;
}

static void create_cpu(struct soft_vm *vm, unsigned index)
{
	struct soft_cpu *cpu = mw_alloc(1, sizeof(*cpu));
	char name[32];

	cpu->vm = vm;
	cpu->index = index;
	cpu->generation = 1;
	for (unsigned i = 0; i < 3; i++)
		cpu->tlbs[i] = mw_alloc(SOFT_TLB_ENTRIES, sizeof(struct soft_tlb_entry));
	cpu->jumps = mw_alloc(SOFT_JUMP_ENTRIES, sizeof(struct soft_jump_entry));
	cpu->tlb = cpu->tlbs[0];
	snprintf(name, sizeof(name), "cpu %u", index);
	cpu->actor = mw_machine_add_actor(vm->machine, name);
	mw_lapic_init(&cpu->lapic, &vm->lapics, mw_apic_id(&vm->plan->cpu, index));
	vm->cpus[index] = cpu;
}

static void create_cpus(struct soft_vm *vm)
{
	vm->cpus = mw_alloc(vm->plan->cpu.count, sizeof(struct soft_cpu *));
	for (unsigned i = 0; i < vm->plan->cpu.count; i++) {
		create_cpu(vm, i);
		vm->cpu_count = i + 1;
	}
	for (unsigned i = 0; i < vm->cpu_count; i++)
		soft_cpu_reset(vm->cpus[i], i == 0);
}

static bool set_executor(struct soft_vm *vm, struct mw_diagnostics *diagnostics)
{
	enum mw_status status = mw_machine_set_executor(
		vm->machine, (struct mw_executor){ &executor_ops, vm, "soft" });

	if (status == MW_STATUS_OK) {
		soft_time_begin(vm);
		return true;
	}
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
			   "soft: guest memory cannot be mapped: %s", mw_status_text(status));
	mw_machine_drop_executor(vm->machine);
	return false;
}

static bool set_up(struct soft_vm *vm, struct mw_diagnostics *diagnostics)
{
	int error;

	if (!check_plan(vm, diagnostics))
		return false;
	vm->tsc_khz = vm->plan->cpu.tsc_khz ? vm->plan->cpu.tsc_khz : DEFAULT_TSC_KHZ;
	if (!soft_cpuid_prepare(vm, diagnostics))
		return false;
	create_cpus(vm);
	error = soft_thread_create(vm);
	if (error) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				   "soft: no thread for the CPUs: %s", strerror(error));
		return false;
	}
	return set_executor(vm, diagnostics);
}

static void destroy_cpu(struct soft_cpu *cpu)
{
	if (!cpu)
		return;
	for (unsigned i = 0; i < 3; i++)
		free(cpu->tlbs[i]);
	free(cpu->jumps);
	free(cpu);
}

static void tear_down(struct soft_vm *vm)
{
	soft_thread_join(vm);
	soft_trace_end(vm);
	for (unsigned i = 0; i < vm->cpu_count; i++)
		destroy_cpu(vm->cpus[i]);
	free(vm->cpus);
	soft_cpuid_fini(vm);
	mw_lapic_bus_fini(&vm->lapics);
	soft_slots_fini(vm);
	soft_blocks_fini(&vm->blocks);
	free(vm->messages);
	pthread_cond_destroy(&vm->changed);
	pthread_mutex_destroy(&vm->mutex);
	free(vm);
}

static bool create(struct mw_accel **out, struct mw_machine *machine,
		   struct mw_diagnostics *diagnostics)
{
	struct soft_vm *vm = mw_alloc(1, sizeof(*vm));
	pthread_condattr_t monotonic;

	*out = NULL;
	vm->machine = machine;
	vm->plan = mw_machine_plan(machine);
	pthread_mutex_init(&vm->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&vm->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	soft_blocks_init(&vm->blocks);
	mw_lapic_bus_init(&vm->lapics, &lapic_ops, vm);
	if (!set_up(vm, diagnostics)) {
		tear_down(vm);
		return false;
	}
	*out = (struct mw_accel *)vm;
	return true;
}

static void destroy(struct mw_accel *accel)
{
	struct soft_vm *vm = (struct soft_vm *)accel;

	if (!vm)
		return;
	mw_machine_drop_executor(vm->machine);
	tear_down(vm);
}

static void trace(struct mw_accel *accel, FILE *out, uint64_t limit)
{
	soft_trace_begin((struct soft_vm *)accel, out, limit);
}

static void counters(const struct mw_accel *accel)
{
	soft_counters_log((const struct soft_vm *)accel);
}

static void describe(const struct mw_accel *accel, char *text, size_t capacity)
{
	const struct soft_vm *vm = (const struct soft_vm *)accel;

	snprintf(text, capacity, "soft: user irqchip, %u CPU%s, TSC %u.%03u GHz", vm->cpu_count,
		 vm->cpu_count == 1 ? "" : "s", vm->tsc_khz / 1000000, vm->tsc_khz / 1000 % 1000);
}

static void probe(struct mw_accel_probe *probe)
{
	*probe = (struct mw_accel_probe){
		.verdict = MW_ACCEL_GOOD,
		.caps = { .pio = true,
			  .msi = true,
			  .readonly_memory = true,
			  .split_irqchip = true,
			  .user_irqchip = true,
			  .tsc_deadline = true,
			  .instruction_clock = true,
			  .max_vcpus = MOST_CPUS,
			  .gpa_bits = SOFT_PHYSICAL_BITS,
			  .memslots = 32768 },
	};
}

const struct mw_accel_ops mw_accel_soft = {
	.name = "soft",
	.summary = "the built-in software CPU; slower than a hypervisor, but runs anywhere",
	.probe = probe,
	.create = create,
	.destroy = destroy,
	.describe = describe,
	.trace = trace,
	.counters = counters,
};
