/* No CPU at all, as an accelerator: making it, and core's view of it. */
// SPDX-License-Identifier: MIT
#include "accel/none/none.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "accel/none/vm.h"
#include "core/alloc.h"
#include "core/diagnostics.h"
#include "core/machine.h"

enum { PAGE_BYTES = 4096 };

static bool is_whole_pages(uint64_t base, uint64_t length)
{
	return length && !((base | length) & (PAGE_BYTES - 1)) && base + length - 1 >= base;
}

/* Accesses go through core, which knows the memory. */
static enum mw_status map(void *self, uint64_t base, uint64_t length, void *host, bool readonly)
{
	return is_whole_pages(base, length) ? MW_STATUS_OK : MW_STATUS_INVALID;
}

static enum mw_status unmap(void *self, uint64_t base, uint64_t length)
{
	return is_whole_pages(base, length) ? MW_STATUS_OK : MW_STATUS_INVALID;
}

static enum mw_status reset(void *self)
{
	struct none_vm *vm = self;

	for (unsigned i = 0; i < vm->plan->cpu.count; i++)
		mw_cpu_state_reset(&vm->cpus[i], i == 0);
	none_intercept_reset(vm);
	return MW_STATUS_OK;
}

static enum mw_status set_cpu(void *self, unsigned index, const struct mw_cpu_state *state)
{
	struct none_vm *vm = self;

	if (index >= vm->plan->cpu.count)
		return MW_STATUS_INVALID;
	vm->cpus[index] = *state;
	return MW_STATUS_OK;
}

static enum mw_status get_cpu(void *self, unsigned index, struct mw_cpu_state *state)
{
	struct none_vm *vm = self;

	if (index >= vm->plan->cpu.count)
		return MW_STATUS_INVALID;
	*state = vm->cpus[index];
	return MW_STATUS_OK;
}

static enum mw_status start(void *self)
{
	none_thread_start(self);
	return MW_STATUS_OK;
}

static void stop(void *self)
{
	none_thread_stop(self);
}

/* Nobody is there to be interrupted. */
static void line(void *self, uint32_t gsi, bool level)
{
}

static void msi(void *self, uint64_t address, uint32_t data)
{
}

static void intr(void *self, bool level)
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
	.start = start,
	.stop = stop,
	.line = line,
	.msi = msi,
	.intr = intr,
	.route = route,
};

static bool fail(struct mw_diagnostics *diagnostics, const char *what, const char *why)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
			   "none: %s: %s", what, why);
	return false;
}

static bool set_up(struct none_vm *vm, struct mw_diagnostics *diagnostics)
{
	enum mw_status status;
	int error;

	vm->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vm->wake < 0)
		return fail(diagnostics, "no event descriptor", strerror(errno));
	error = none_thread_create(vm);
	if (error)
		return fail(diagnostics, "no thread", strerror(error));
	status = mw_machine_set_executor(
		vm->machine,
		(struct mw_executor){ .ops = &executor_ops, .self = vm, .by_hand = true });
	if (status == MW_STATUS_OK)
		mw_machine_drive_clock(vm->machine);
	else
		mw_machine_drop_executor(vm->machine);
	return status == MW_STATUS_OK ||
	       fail(diagnostics, "guest memory cannot be mapped", mw_status_text(status));
}

static void tear_down(struct none_vm *vm)
{
	none_thread_join(vm);
	none_channel_close(vm);
	none_intercept_fini(vm);
	if (vm->wake >= 0)
		close(vm->wake);
	pthread_cond_destroy(&vm->changed);
	pthread_mutex_destroy(&vm->mutex);
	free(vm->cpus);
	free(vm);
}

static bool create(struct mw_accel **out, struct mw_machine *machine,
		   struct mw_diagnostics *diagnostics)
{
	struct none_vm *vm = mw_alloc(1, sizeof(*vm));

	*out = NULL;
	vm->machine = machine;
	vm->plan = mw_machine_plan(machine);
	vm->in = vm->out = vm->listener = -1;
	vm->cpus = mw_alloc(vm->plan->cpu.count, sizeof(*vm->cpus));
	vm->actor = mw_machine_add_actor(machine, "driver");
	pthread_mutex_init(&vm->mutex, NULL);
	pthread_cond_init(&vm->changed, NULL);
	none_intercept_init(vm);
	if (!set_up(vm, diagnostics)) {
		tear_down(vm);
		return false;
	}
	*out = (struct mw_accel *)vm;
	return true;
}

static void destroy(struct mw_accel *accel)
{
	struct none_vm *vm = (struct none_vm *)accel;

	if (!vm)
		return;
	mw_machine_drop_executor(vm->machine);
	mw_machine_watch_lines(vm->machine, (struct mw_line_watch){ 0 });
	tear_down(vm);
}

static void describe(const struct mw_accel *accel, char *text, size_t capacity)
{
	const struct none_vm *vm = (const struct none_vm *)accel;

	snprintf(text, capacity, "none: %u CPU%s that nobody runs, driven over qtest",
		 vm->plan->cpu.count, vm->plan->cpu.count == 1 ? "" : "s");
}

static void drive(struct mw_accel *accel, const struct mw_accel_driver *driver)
{
	struct none_vm *vm = (struct none_vm *)accel;

	vm->in = driver->in;
	vm->out = driver->out;
	vm->listener = driver->listener;
}

/* Every chip is in user space, and what CPUs alone could tell is not there to be missed. */
static void probe(struct mw_accel_probe *probe)
{
	*probe = (struct mw_accel_probe){
		.verdict = MW_ACCEL_GOOD,
		.caps = { .pio = true,
			  .msi = true,
			  .ioeventfd = true,
			  .irqfd = true,
			  .a20 = true,
			  .smm = true,
			  .x2apic = true,
			  .synic = true,
			  .isolation = true,
			  .dirty_log = true,
			  .readonly_memory = true,
			  .kernel_irqchip = true,
			  .split_irqchip = true,
			  .user_irqchip = true,
			  .tsc_deadline = true,
			  .instruction_clock = true,
			  .vtl = 2,
			  .max_vcpus = 1024,
			  .gpa_bits = 52,
			  .memslots = 32768 },
	};
}

const struct mw_accel_ops mw_accel_none = {
	.name = "none",
	.summary = "no CPUs; a program outside makes the accesses and the time (--qtest)",
	.only_by_name = true,
	.probe = probe,
	.create = create,
	.destroy = destroy,
	.describe = describe,
	.drive = drive,
};
