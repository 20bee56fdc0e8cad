/* The life cycle: reset, start, stop, power events, and the run in between. */
// SPDX-License-Identifier: MIT
#include "core/machine.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/diagnostics.h"
#include "core/machine_internal.h"

struct mw_actor *mw_machine_add_actor(struct mw_machine *machine, const char *name)
{
	struct mw_actor *actor = mw_actor_create(machine, name);

	machine->actors =
		mw_grow(machine->actors, machine->actor_count + 1, sizeof(*machine->actors));
	machine->actors[machine->actor_count++] = actor;
	return actor;
}

const struct mw_plan *mw_machine_plan(const struct mw_machine *machine)
{
	return machine->plan;
}

void *mw_machine_device(struct mw_machine *machine, size_t index)
{
	return machine->nodes[index]->device;
}

unsigned mw_machine_resets(const struct mw_machine *machine)
{
	return machine->resets;
}

void mw_machine_watch_lines(struct mw_machine *machine, struct mw_line_watch watch)
{
	assert(!machine->running && "lines are watched from the start");
	machine->line_watch = watch;
}

struct mw_clock *mw_machine_clock(struct mw_machine *machine)
{
	return &machine->clock;
}

void mw_machine_set_log(struct mw_machine *machine, FILE *out)
{
	pthread_mutex_lock(&machine->log_mutex);
	machine->log = out;
	pthread_mutex_unlock(&machine->log_mutex);
}

void mw_machine_swap_map(struct mw_machine *machine, struct mw_address_space *space,
			 struct mw_map *map)
{
	uint64_t oldest = UINT64_MAX;

	mw_space_swap(space, map);
	for (size_t i = 0; i < machine->actor_count; i++) {
		uint64_t epoch = atomic_load(&machine->actors[i]->epoch);

		if (epoch < oldest)
			oldest = epoch;
	}
	mw_space_reclaim(space, oldest);
}

void mw_machine_add_reset_hook(struct mw_machine *machine, struct mw_reset_hook hook)
{
	machine->hooks = mw_grow(machine->hooks, machine->hook_count + 1, sizeof(*machine->hooks));
	machine->hooks[machine->hook_count++] = hook;
}

enum mw_status mw_machine_set_executor(struct mw_machine *machine, struct mw_executor executor)
{
	assert(!machine->executor.ops && "a machine has one executor");
	machine->executor = executor;
	for (size_t i = 0; i < machine->plan->node_count; i++)
		machine->nodes[i]->offloaded = executor.ops->runs_node &&
					       executor.ops->runs_node(executor.self, (uint32_t)i);
	return mw_machine_map_all(machine);
}

void mw_machine_drop_executor(struct mw_machine *machine)
{
	mw_machine_stop(machine);
	machine->executor = (struct mw_executor){ 0 };
	free(machine->mapped);
	machine->mapped = NULL;
	machine->mapped_count = 0;
	if (machine->clock_driven)
		mw_clock_set_manual(&machine->clock, machine->clock_was_manual);
	machine->clock_driven = false;
	for (size_t i = 0; i < machine->plan->node_count; i++)
		machine->nodes[i]->offloaded = false;
}

void mw_machine_drive_clock(struct mw_machine *machine)
{
	assert(machine->executor.ops && !machine->running && "a stopped machine's executor drives");
	if (machine->clock_driven)
		return;
	machine->clock_was_manual = machine->clock.manual;
	machine->clock_driven = true;
	mw_clock_set_manual(&machine->clock, true);
}

void mw_machine_advance(struct mw_actor *actor, uint64_t now_ns)
{
	struct mw_machine *machine = actor->machine;
	bool here = machine->plan->accel.instruction_clock;

	mw_clock_step(&machine->clock, now_ns);
	for (unsigned i = 0; i < MW_TIMER_BATCH; i++) {
		struct mw_timer *timer = mw_clock_pop_due(&machine->clock);

		if (!timer)
			return;
		if (here)
			mw_timer_fire(timer, actor);
		else
			mw_loop_post_timer(timer->node->loop, timer);
	}
}

/* Calls one op of every node that runs in user space, in build order, as one turn. */
static void call_nodes(struct mw_machine *machine, size_t op_offset)
{
	for (size_t i = 0; i < machine->plan->node_count; i++) {
		struct mw_node *node = machine->nodes[i];
		void (*op)(void *self);

		memcpy(&op, (const char *)&node->type->ops + op_offset, sizeof(op));
		if (!op || node->offloaded)
			continue;
		mw_node_enter(node, machine->main_actor);
		op(node->device);
		mw_node_leave(node);
	}
}
#define CALL_NODES(machine, op) call_nodes(machine, offsetof(struct mw_device_ops, op))

static void take_down(void *context, struct mw_line *line)
{
	line->level = false;
}

static void reset_lines(struct mw_machine *machine)
{
	for (size_t i = 0; i < machine->plan->net_count; i++)
		mw_net_reset(&machine->nets[i]);
	mw_intr_reset(machine);
	mw_lines_each(machine, take_down, NULL);
}

/* What stands for firmware gives all CPUs the same MTRRs, as firmware does (SDM vol. 3, 12.11.8). */
static enum mw_status set_cpus(struct mw_machine *machine, const struct mw_cpu_state *boot_cpu)
{
	const struct mw_executor *executor = &machine->executor;
	enum mw_status status = executor->ops->set_cpu(executor->self, 0, boot_cpu);

	for (unsigned i = 1; i < machine->plan->cpu.count && boot_cpu->mtrr_def_type; i++) {
		struct mw_cpu_state state;

		mw_cpu_state_reset(&state, false);
		state.mtrr_def_type = boot_cpu->mtrr_def_type;
		if (status == MW_STATUS_OK)
			status = executor->ops->set_cpu(executor->self, i, &state);
	}
	return status;
}

/* A hook that stood for firmware has set up memory types; the rest of what an OS expects of one is here. */
static void stand_for_firmware(const struct mw_plan *plan, struct mw_cpu_state *boot_cpu)
{
	if (boot_cpu->mtrr_def_type && mw_plan_role(plan, MW_ROLE_PIC, 0) >= 0)
		mw_lapic_state_virtual_wire(&boot_cpu->lapic);
}

static bool reset_cpus(struct mw_machine *machine, struct mw_diagnostics *diagnostics)
{
	const struct mw_executor *executor = &machine->executor;
	struct mw_cpu_state boot_cpu;

	mw_cpu_state_reset(&boot_cpu, true);
	for (size_t i = 0; i < machine->hook_count; i++) {
		const struct mw_reset_hook *hook = &machine->hooks[i];

		if (!hook->run(hook->context, machine, &boot_cpu, diagnostics))
			return false;
	}
	if (!executor->ops)
		return true;
	stand_for_firmware(machine->plan, &boot_cpu);
	enum mw_status status = executor->ops->reset(executor->self);

	if (status == MW_STATUS_OK)
		status = set_cpus(machine, &boot_cpu);
	if (status != MW_STATUS_OK)
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				   "the CPUs cannot be reset: %s", mw_status_text(status));
	return status == MW_STATUS_OK;
}

bool mw_machine_reset(struct mw_machine *machine, struct mw_diagnostics *diagnostics)
{
	assert(!machine->running && "a machine is stopped before it is reset");
	for (size_t i = 0; i < machine->actor_count; i++)
		mw_actor_forget_messages(machine->actors[i]);
	mw_actor_begin(machine->main_actor);
	for (size_t i = 0; i < machine->plan->node_count; i++)
		mw_node_reset_state(machine->nodes[i]);
	reset_lines(machine);
	mw_places_reset(machine);
	CALL_NODES(machine, after_reset);
	mw_place_deliver(machine->main_actor);
	bool good = reset_cpus(machine, diagnostics);

	mw_actor_end(machine->main_actor);
	return good;
}

static enum mw_status start_threads(struct mw_machine *machine)
{
	enum mw_status status = MW_STATUS_OK;

	for (size_t i = 0; i < machine->own_loop_count && status == MW_STATUS_OK; i++)
		status = mw_loop_start(machine->own_loops[i]);
	if (status == MW_STATUS_OK && machine->executor.ops) {
		status = machine->executor.ops->start(machine->executor.self);
		machine->executing = status == MW_STATUS_OK;
	}
	return status;
}

enum mw_status mw_machine_start(struct mw_machine *machine)
{
	if (machine->running)
		return MW_STATUS_OK;
	/* Who asked for the machine's end while it was stopped is still to be heard. */
	pthread_mutex_lock(&machine->power_mutex);
	atomic_store(&machine->stopping,
		     machine->power_pending || atomic_load(&machine->interrupted));
	pthread_mutex_unlock(&machine->power_mutex);
	machine->running = true;
	mw_clock_start(&machine->clock);
	mw_actor_begin(machine->main_actor);
	CALL_NODES(machine, start);
	mw_actor_end(machine->main_actor);
	enum mw_status status = start_threads(machine);

	if (status != MW_STATUS_OK)
		mw_machine_stop(machine);
	return status;
}

/* The CPUs first, then the loops; from there on this thread alone enters devices. */
void mw_machine_stop(struct mw_machine *machine)
{
	if (!machine->running)
		return;
	atomic_store(&machine->stopping, true);
	if (machine->executing)
		machine->executor.ops->stop(machine->executor.self);
	machine->executing = false;
	for (size_t i = 0; i < machine->own_loop_count; i++)
		mw_loop_rest(machine->own_loops[i]);
	mw_images_drain(machine);
	mw_clock_stop(&machine->clock);
	machine->running = false;
	mw_actor_begin(machine->main_actor);
	CALL_NODES(machine, stop);
	mw_actor_end(machine->main_actor);
}

bool mw_machine_stopping(const struct mw_machine *machine)
{
	return atomic_load(&machine->stopping);
}

/* The first event wins, but leaving outranks all that a guest may ask for. The main thread judges it
 * with the CPUs out of guest mode. */
void mw_machine_power(struct mw_machine *machine, enum mw_power_event event, int code)
{
	pthread_mutex_lock(&machine->power_mutex);
	if (!machine->power_pending ||
	    (event == MW_POWER_EXIT && machine->power_event != MW_POWER_EXIT)) {
		machine->power_pending = true;
		machine->power_event = event;
		machine->power_code = code;
	}
	pthread_mutex_unlock(&machine->power_mutex);
	atomic_store(&machine->stopping, true);
	mw_loop_wake(machine->loop);
}

void mw_machine_fail(struct mw_machine *machine, const char *format, ...)
{
	va_list arguments;

	pthread_mutex_lock(&machine->power_mutex);
	if (!machine->failed) {
		va_start(arguments, format);
		vsnprintf(machine->failure, sizeof(machine->failure), format, arguments);
		va_end(arguments);
		machine->failed = true;
	}
	pthread_mutex_unlock(&machine->power_mutex);
	mw_machine_power(machine, MW_POWER_EXIT, 1);
}

/* A signal handler's way to end the machine: atomics and uv_async_send only. */
void mw_machine_interrupt(struct mw_machine *machine)
{
	atomic_store(&machine->interrupted, true);
	atomic_store(&machine->stopping, true);
	mw_loop_wake(machine->loop);
}

void mw_machine_serve(struct mw_machine *machine, uint64_t wait_ns)
{
	mw_loop_serve(machine->loop, wait_ns);
}

static bool take_power(struct mw_machine *machine, enum mw_power_event *event, int *code)
{
	pthread_mutex_lock(&machine->power_mutex);
	bool pending = machine->power_pending;

	*event = machine->power_event;
	*code = machine->power_code;
	machine->power_pending = false;
	pthread_mutex_unlock(&machine->power_mutex);
	if (atomic_load(&machine->interrupted)) {
		*event = MW_POWER_EXIT;
		*code = MW_EXIT_INTERRUPTED;
		return true;
	}
	return pending;
}

/* What the other CPUs asked for while they were being stopped belongs to the machine that was. */
static void drop_late_events(struct mw_machine *machine)
{
	pthread_mutex_lock(&machine->power_mutex);
	if (machine->power_event != MW_POWER_EXIT)
		machine->power_pending = false;
	pthread_mutex_unlock(&machine->power_mutex);
}

static enum mw_power_action action_for(const struct mw_plan_power *power, enum mw_power_event event)
{
	switch (event) {
	case MW_POWER_OFF: return power->off;
	case MW_POWER_RESET: return power->reset;
	case MW_POWER_PANIC: return power->panic;
	case MW_POWER_TRIPLE_FAULT: return power->triple_fault;
	case MW_POWER_EXIT: break;
	}
	return MW_ACTION_EXIT;
}

static const char *event_text(enum mw_power_event event)
{
	switch (event) {
	case MW_POWER_OFF: return "power-off";
	case MW_POWER_RESET: return "reset";
	case MW_POWER_PANIC: return "panic";
	case MW_POWER_TRIPLE_FAULT: return "triple fault";
	case MW_POWER_EXIT: break;
	}
	return "exit";
}

static bool start_or_say(struct mw_machine *machine, struct mw_diagnostics *diagnostics)
{
	enum mw_status status = mw_machine_start(machine);

	if (status != MW_STATUS_OK)
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				   "the machine does not start: %s", mw_status_text(status));
	return status == MW_STATUS_OK;
}

/* Returns true when the machine is over; *code is then what run returns. */
static bool judge(struct mw_machine *machine, enum mw_power_event event, int *code,
		  struct mw_diagnostics *diagnostics)
{
	enum mw_power_action action = action_for(&machine->plan->power, event);

	if (machine->failed) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 }, "%s",
				   machine->failure);
		*code = 1;
		return true;
	}
	switch (action) {
	case MW_ACTION_EXIT:
		if (event != MW_POWER_EXIT)
			*code = event == MW_POWER_OFF || event == MW_POWER_RESET ? 0 : 1;
		return true;
	case MW_ACTION_STOP:
		mw_log_line(machine, "the guest is stopped after a %s", event_text(event));
		mw_machine_tell(machine, MW_MACHINE_PAUSED, event);
		return false;
	case MW_ACTION_RESET: break;
	}
	machine->resets++;
	*code = 1;
	if (!mw_machine_reset(machine, diagnostics))
		return true;
	mw_machine_tell(machine, MW_MACHINE_WAS_RESET, event);
	return !machine->paused && !start_or_say(machine, diagnostics);
}

static int run(struct mw_machine *machine, struct mw_diagnostics *diagnostics)
{
	enum mw_power_event event;
	int code = 1;

	for (;;) {
		if (take_power(machine, &event, &code)) {
			mw_machine_stop(machine);
			drop_late_events(machine);
			if (judge(machine, event, &code, diagnostics)) {
				mw_machine_tell(machine, MW_MACHINE_ENDED, event);
				return code;
			}
		} else if (!mw_jobs_run_one(machine)) {
			mw_machine_serve(machine, UINT64_MAX);
		}
	}
}

int mw_machine_run(struct mw_machine *machine, struct mw_diagnostics *diagnostics)
{
	if (!machine->paused && !start_or_say(machine, diagnostics))
		return 1;
	mw_jobs_open(&machine->jobs);
	int code = run(machine, diagnostics);

	mw_jobs_close(&machine->jobs);
	return code;
}
