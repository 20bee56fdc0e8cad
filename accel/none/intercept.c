/* Lines as the client sees them: what it listens to, and inputs that it drives. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel/none/vm.h"
#include "core/alloc.h"
#include "core/machine.h"

/* Lines of a client that does not read, or of one command that moves them without end. */
enum { MOST_EVENTS = 1 << 20 };

static bool is_own_thread(const struct none_vm *vm)
{
	return vm->has_thread && pthread_equal(pthread_self(), vm->thread);
}

static void tell_locked(struct none_intercept *intercept, unsigned number, bool level)
{
	char text[40];
	int length;

	if (number >= intercept->level_count || intercept->levels[number] == level)
		return;
	if (intercept->events.count > MOST_EVENTS) {
		intercept->overflowed = true;
		return;
	}
	intercept->levels[number] = level;
	length = snprintf(text, sizeof(text), "IRQ %s %u\n", level ? "raise" : "lower", number);
	none_append(&intercept->events, text, (size_t)length);
}

static void tell(struct none_vm *vm, int what, uint32_t node, unsigned number, bool level)
{
	struct none_intercept *intercept = &vm->intercept;
	bool wakes;

	pthread_mutex_lock(&intercept->mutex);
	if ((int)intercept->what == what && intercept->node == node)
		tell_locked(intercept, number, level);
	wakes = intercept->events.count;
	pthread_mutex_unlock(&intercept->mutex);
	if (wakes && !is_own_thread(vm))
		none_wake(vm);
}

/* Inputs are counted through the rows that receive lines. */
static unsigned first_input(const struct mw_device_type *type, const struct mw_wire *wire)
{
	unsigned number = 0;

	for (size_t i = 0; i < type->wires.count && &type->wires.items[i] != wire; i++) {
		const struct mw_wire *row = &type->wires.items[i];

		if (row->kind == MW_LINE && row->direction == MW_RECEIVES)
			number += row->count ? (unsigned)row->count : 1;
	}
	return number;
}

static void on_line(void *context, uint32_t node, const struct mw_wire *wire, unsigned index,
		    bool level)
{
	struct none_vm *vm = context;

	tell(vm, NONE_WATCH_INPUTS, node, first_input(vm->plan->nodes[node].type, wire) + index,
	     level);
}

static void on_output(void *context, uint32_t node, unsigned number, bool level)
{
	tell(context, NONE_WATCH_OUTPUTS, node, number, level);
}

void none_intercept_init(struct none_vm *vm)
{
	pthread_mutex_init(&vm->intercept.mutex, NULL);
	mw_machine_watch_lines(vm->machine, (struct mw_line_watch){ .on_line = on_line,
								    .on_output = on_output,
								    .context = vm });
}

void none_intercept_fini(struct none_vm *vm)
{
	free(vm->intercept.levels);
	free(vm->intercept.events.bytes);
	pthread_mutex_destroy(&vm->intercept.mutex);
}

long none_find(const struct none_vm *vm, const char *path)
{
	const char *slash = strrchr(path, '/');

	return mw_plan_find(vm->plan, slash ? slash + 1 : path);
}

static unsigned count_lines(const struct mw_device_type *type)
{
	unsigned count = 0;

	for (size_t i = 0; i < type->wires.count; i++)
		if (type->wires.items[i].kind == MW_LINE || type->wires.items[i].kind == MW_INTR)
			count += type->wires.items[i].count ? (unsigned)type->wires.items[i].count
							    : 1;
	return count;
}

static bool begin_locked(struct none_vm *vm, uint32_t node, bool outputs)
{
	struct none_intercept *intercept = &vm->intercept;

	if (intercept->what != NONE_WATCH_NOTHING)
		return intercept->node == node;
	intercept->what = outputs ? NONE_WATCH_OUTPUTS : NONE_WATCH_INPUTS;
	intercept->node = node;
	intercept->level_count = count_lines(vm->plan->nodes[node].type);
	intercept->levels = mw_alloc(intercept->level_count + 1, 1);
	return true;
}

void none_intercept(struct none_vm *vm, char **words, bool outputs)
{
	long node = none_find(vm, words[1]);
	bool good;

	if (node < 0) {
		none_refuse(vm, "Unknown device");
		return;
	}
	pthread_mutex_lock(&vm->intercept.mutex);
	good = begin_locked(vm, (uint32_t)node, outputs);
	pthread_mutex_unlock(&vm->intercept.mutex);
	if (good)
		none_say(vm, "OK\n");
	else
		none_refuse(vm, "IRQ intercept already enabled");
}

void none_set_irq_in(struct none_vm *vm, char **words)
{
	bool unnamed = strcmp(words[2], "unnamed-gpio-in") == 0;
	long node = none_find(vm, words[1]);
	uint64_t index, level;

	if (node < 0) {
		none_refuse(vm, "Unknown device");
		return;
	}
	if (!none_number(words[3], &index) || !none_number(words[4], &level) ||
	    index > UINT32_MAX) {
		none_refuse(vm, "an input and a level are numbers");
		return;
	}
	if (mw_machine_set_input(vm->actor, (uint32_t)node, unnamed ? NULL : words[2],
				 (unsigned)index, level) != MW_STATUS_OK) {
		none_refuse(vm, "there is no such input");
		return;
	}
	none_settle(vm);
	none_say(vm, "OK\n");
}

void none_intercept_forget(struct none_vm *vm)
{
	struct none_intercept *intercept = &vm->intercept;

	pthread_mutex_lock(&intercept->mutex);
	if (intercept->levels)
		memset(intercept->levels, 0, intercept->level_count);
	intercept->events.count = 0;
	pthread_mutex_unlock(&intercept->mutex);
}

void none_intercept_reset(struct none_vm *vm)
{
	struct none_intercept *intercept = &vm->intercept;

	pthread_mutex_lock(&intercept->mutex);
	for (unsigned i = 0; i < intercept->level_count; i++)
		tell_locked(intercept, i, false);
	pthread_mutex_unlock(&intercept->mutex);
	none_wake(vm);
}

void none_take_events(struct none_vm *vm)
{
	struct none_intercept *intercept = &vm->intercept;
	bool overflowed;

	pthread_mutex_lock(&intercept->mutex);
	none_append(&vm->answer, intercept->events.bytes, intercept->events.count);
	intercept->events.count = 0;
	overflowed = intercept->overflowed;
	intercept->overflowed = false;
	pthread_mutex_unlock(&intercept->mutex);
	if (overflowed)
		mw_log_line(vm->machine, "none: too many lines moved at once; some are not told");
}
