/* One clock, its timers in a binary heap ordered by deadline and age. */
// SPDX-License-Identifier: MIT
#include "core/clock.h"

#include <stdlib.h>
#include <time.h>

#include "core/alloc.h"
#include "core/device.h"
#include "core/machine_internal.h"

static uint64_t host_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void mw_clock_init(struct mw_clock *clock, bool manual)
{
	*clock = (struct mw_clock){ .manual = manual };
	pthread_mutex_init(&clock->mutex, NULL);
}

void mw_clock_fini(struct mw_clock *clock)
{
	free(clock->heap);
	clock->heap = NULL;
	pthread_mutex_destroy(&clock->mutex);
}

static uint64_t now_locked(const struct mw_clock *clock)
{
	if (clock->manual || !clock->running)
		return clock->base_ns;
	return clock->base_ns + (host_ns() - clock->host_start_ns);
}

uint64_t mw_clock_now(struct mw_clock *clock)
{
	pthread_mutex_lock(&clock->mutex);
	uint64_t now = now_locked(clock);

	pthread_mutex_unlock(&clock->mutex);
	return now;
}

void mw_clock_start(struct mw_clock *clock)
{
	pthread_mutex_lock(&clock->mutex);
	if (!clock->running) {
		clock->running = true;
		clock->host_start_ns = host_ns();
	}
	pthread_mutex_unlock(&clock->mutex);
}

void mw_clock_stop(struct mw_clock *clock)
{
	pthread_mutex_lock(&clock->mutex);
	clock->base_ns = now_locked(clock);
	clock->running = false;
	pthread_mutex_unlock(&clock->mutex);
}

void mw_clock_set_manual(struct mw_clock *clock, bool manual)
{
	pthread_mutex_lock(&clock->mutex);
	clock->base_ns = now_locked(clock);
	clock->host_start_ns = host_ns();
	clock->manual = manual;
	pthread_mutex_unlock(&clock->mutex);
}

void mw_clock_set(struct mw_clock *clock, uint64_t now_ns)
{
	pthread_mutex_lock(&clock->mutex);
	clock->base_ns = now_ns;
	pthread_mutex_unlock(&clock->mutex);
}

void mw_clock_step(struct mw_clock *clock, uint64_t when_ns)
{
	pthread_mutex_lock(&clock->mutex);
	if (clock->manual && when_ns > clock->base_ns)
		clock->base_ns = when_ns;
	bool due = clock->count && clock->heap[0]->when_ns <= now_locked(clock);

	pthread_mutex_unlock(&clock->mutex);
	if (due && clock->on_earlier)
		clock->on_earlier(clock->context);
}

static bool before(const struct mw_timer *a, const struct mw_timer *b)
{
	return a->when_ns != b->when_ns ? a->when_ns < b->when_ns : a->sequence < b->sequence;
}

static void place(struct mw_clock *clock, size_t index, struct mw_timer *timer)
{
	clock->heap[index] = timer;
	timer->slot = index + 1;
}

static void sift_up(struct mw_clock *clock, size_t index)
{
	struct mw_timer *timer = clock->heap[index];

	while (index && before(timer, clock->heap[(index - 1) / 2])) {
		place(clock, index, clock->heap[(index - 1) / 2]);
		index = (index - 1) / 2;
	}
	place(clock, index, timer);
}

static void sift_down(struct mw_clock *clock, size_t index)
{
	struct mw_timer *timer = clock->heap[index];

	for (;;) {
		size_t child = 2 * index + 1;

		if (child >= clock->count)
			break;
		if (child + 1 < clock->count && before(clock->heap[child + 1], clock->heap[child]))
			child++;
		if (!before(clock->heap[child], timer))
			break;
		place(clock, index, clock->heap[child]);
		index = child;
	}
	place(clock, index, timer);
}

static void remove_locked(struct mw_clock *clock, struct mw_timer *timer)
{
	size_t index = timer->slot - 1;
	struct mw_timer *last = clock->heap[--clock->count];

	timer->slot = 0;
	if (last == timer)
		return;
	place(clock, index, last);
	sift_up(clock, index);
	sift_down(clock, last->slot - 1);
}

void mw_timer_arm(struct mw_timer *timer, uint64_t when_ns)
{
	struct mw_clock *clock = timer->clock;

	pthread_mutex_lock(&clock->mutex);
	timer->due = false;
	if (timer->slot)
		remove_locked(clock, timer);
	if (clock->count == clock->capacity) {
		clock->capacity = clock->capacity ? clock->capacity * 2 : 16;
		clock->heap = mw_grow(clock->heap, clock->capacity, sizeof(*clock->heap));
	}
	timer->when_ns = when_ns;
	timer->sequence = ++clock->sequence;
	clock->heap[clock->count++] = timer;
	sift_up(clock, clock->count - 1);
	bool earlier = timer->slot == 1;

	pthread_mutex_unlock(&clock->mutex);
	if (earlier && clock->on_earlier)
		clock->on_earlier(clock->context);
}

void mw_timer_cancel(struct mw_timer *timer)
{
	pthread_mutex_lock(&timer->clock->mutex);
	timer->due = false;
	if (timer->slot)
		remove_locked(timer->clock, timer);
	pthread_mutex_unlock(&timer->clock->mutex);
}

bool mw_timer_armed(const struct mw_timer *timer, uint64_t *when_ns)
{
	pthread_mutex_lock(&timer->clock->mutex);
	bool armed = timer->slot || timer->due;

	if (when_ns)
		*when_ns = timer->when_ns;
	pthread_mutex_unlock(&timer->clock->mutex);
	return armed;
}

uint64_t mw_clock_next(struct mw_clock *clock)
{
	pthread_mutex_lock(&clock->mutex);
	uint64_t next = clock->count ? clock->heap[0]->when_ns : UINT64_MAX;

	pthread_mutex_unlock(&clock->mutex);
	return next;
}

uint64_t mw_clock_wait(struct mw_clock *clock)
{
	uint64_t wait = UINT64_MAX;

	pthread_mutex_lock(&clock->mutex);
	if (clock->count) {
		uint64_t next = clock->heap[0]->when_ns, now = now_locked(clock);

		if (next <= now)
			wait = 0;
		else if (!clock->manual)
			wait = next - now;
	}
	pthread_mutex_unlock(&clock->mutex);
	return wait;
}

struct mw_timer *mw_clock_pop_due(struct mw_clock *clock)
{
	struct mw_timer *timer = NULL;

	pthread_mutex_lock(&clock->mutex);
	if (clock->count && clock->heap[0]->when_ns <= now_locked(clock)) {
		timer = clock->heap[0];
		remove_locked(clock, timer);
		timer->due = true;
	}
	pthread_mutex_unlock(&clock->mutex);
	return timer;
}

bool mw_timer_take_due(struct mw_timer *timer)
{
	pthread_mutex_lock(&timer->clock->mutex);
	bool due = timer->due;

	timer->due = false;
	pthread_mutex_unlock(&timer->clock->mutex);
	return due;
}

uint64_t mw_now_ns(void *self)
{
	struct mw_machine *machine = mw_node_of(self)->machine;
	const struct mw_executor *executor = &machine->executor;
	uint64_t told = mw_clock_now(&machine->clock), now = 0;

	if (machine->clock_driven && executor->ops->now)
		now = executor->ops->now(executor->self);
	return now > told ? now : told;
}
