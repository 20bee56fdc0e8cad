/* The libuv loop: the only file that includes uv.h. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "core/alloc.h"
#include "core/machine_internal.h"

/** Owned by the loop once opened: requests wait in `inbox` until the loop's thread takes them, since
 * libuv handles belong to one thread. */
struct mw_watch {
	struct mw_node *node;
	void (*on_ready)(void *self, unsigned events);
	int fd; /* a duplicate, so that the owner may close its own at any time */
	_Atomic unsigned wanted;
	_Atomic bool closing;
	bool opened, always_ready; /* a regular file: epoll refuses it */
	bool posted;               /* in the inbox; guarded by the loop's mutex */
	union {
		uv_handle_t handle;
		uv_poll_t poll;
		uv_idle_t idle;
	} uv;
	struct mw_watch *next_posted;
};

struct mw_loop {
	struct mw_machine *machine;
	struct mw_actor *actor;
	uv_loop_t uv;
	uv_async_t wake;
	uv_timer_t timer;
	bool own_thread, started;
	_Atomic bool quit;
	pthread_t thread;
	pthread_mutex_t mutex; /* guards what follows */
	struct mw_watch *posted;
	struct mw_timer **due;
	size_t due_count, due_capacity;
	size_t open_watches; /* loop thread only */
};

static void begin(struct mw_loop *loop)
{
	if (loop->own_thread)
		pthread_rwlock_rdlock(&loop->machine->gate);
	mw_actor_begin(loop->actor);
}

static void end(struct mw_loop *loop)
{
	mw_actor_end(loop->actor);
	if (loop->own_thread)
		pthread_rwlock_unlock(&loop->machine->gate);
}

static void call_ready(struct mw_watch *watch, unsigned events)
{
	struct mw_loop *loop = watch->node->loop;

	begin(loop);
	mw_node_enter(watch->node, loop->actor);
	events &= atomic_load(&watch->wanted);
	if (events && !atomic_load(&watch->closing))
		watch->on_ready(watch->node->device, events);
	mw_node_leave(watch->node);
	end(loop);
}

/* An error is readiness: the owner's read or write will name it. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct mw_watch *watch = poll->data;
	unsigned ready = status < 0 ? MW_READABLE | MW_WRITABLE : 0;

	if (events & (UV_READABLE | UV_DISCONNECT))
		ready |= MW_READABLE;
	if (events & (UV_WRITABLE | UV_DISCONNECT))
		ready |= MW_WRITABLE;
	call_ready(watch, ready);
}

static void on_idle(uv_idle_t *idle)
{
	call_ready(idle->data, MW_READABLE | MW_WRITABLE);
}

static void open_watch(struct mw_loop *loop, struct mw_watch *watch)
{
	int flags = fcntl(watch->fd, F_GETFL);

	watch->opened = true;
	loop->open_watches++;
	if (uv_poll_init(&loop->uv, &watch->uv.poll, watch->fd) < 0) {
		watch->always_ready = true;
		uv_idle_init(&loop->uv, &watch->uv.idle);
	}
	/* libuv sets O_NONBLOCK, which a terminal shares with the shell that started us. */
	if (flags >= 0)
		fcntl(watch->fd, F_SETFL, flags);
	watch->uv.handle.data = watch;
}

static void on_closed(uv_handle_t *handle)
{
	struct mw_watch *watch = handle->data;

	watch->node->loop->open_watches--;
	close(watch->fd);
	free(watch);
}

static void apply(struct mw_loop *loop, struct mw_watch *watch)
{
	unsigned wanted = atomic_load(&watch->wanted);
	int events = 0;

	if (!watch->opened)
		open_watch(loop, watch);
	if (atomic_load(&watch->closing)) {
		if (!uv_is_closing(&watch->uv.handle))
			uv_close(&watch->uv.handle, on_closed);
		return;
	}
	if (watch->always_ready) {
		if (wanted)
			uv_idle_start(&watch->uv.idle, on_idle);
		else
			uv_idle_stop(&watch->uv.idle);
		return;
	}
	if (wanted & MW_READABLE)
		events |= UV_READABLE;
	if (wanted & MW_WRITABLE)
		events |= UV_WRITABLE;
	if (events)
		uv_poll_start(&watch->uv.poll, events, on_poll);
	else
		uv_poll_stop(&watch->uv.poll);
}

/* One at a time: a CPU may post again what is still in the list, and with it change the links. */
static struct mw_watch *take_posted(struct mw_loop *loop)
{
	pthread_mutex_lock(&loop->mutex);
	struct mw_watch *watch = loop->posted;

	if (watch) {
		loop->posted = watch->next_posted;
		watch->posted = false;
	}
	pthread_mutex_unlock(&loop->mutex);
	return watch;
}

static void serve_watches(struct mw_loop *loop)
{
	struct mw_watch *watch;

	while ((watch = take_posted(loop)))
		apply(loop, watch);
}

static void post_watch(struct mw_watch *watch)
{
	struct mw_loop *loop = watch->node->loop;

	pthread_mutex_lock(&loop->mutex);
	if (!watch->posted) {
		watch->posted = true;
		watch->next_posted = loop->posted;
		loop->posted = watch;
	}
	pthread_mutex_unlock(&loop->mutex);
	mw_loop_wake(loop);
}

enum mw_status mw_watch_open(struct mw_watch **out, void *self, int fd,
			     void (*on_ready)(void *self, unsigned events))
{
	struct mw_watch *watch = mw_alloc(1, sizeof(*watch));

	watch->node = mw_node_of(self);
	watch->on_ready = on_ready;
	watch->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (watch->fd < 0) {
		free(watch);
		*out = NULL;
		return mw_status_from_errno(errno);
	}
	*out = watch;
	post_watch(watch);
	return MW_STATUS_OK;
}

void mw_watch_set(struct mw_watch *watch, unsigned events)
{
	if (atomic_exchange(&watch->wanted, events) != events)
		post_watch(watch);
}

void mw_watch_close(struct mw_watch *watch)
{
	if (!watch)
		return;
	atomic_store(&watch->closing, true);
	post_watch(watch);
}

/* Fires a timer that was due unless its device has armed or cancelled it since. */
static void fire(struct mw_loop *loop, struct mw_timer *timer)
{
	begin(loop);
	mw_node_enter(timer->node, loop->actor);
	if (mw_timer_take_due(timer))
		timer->on_expire(timer->node->device);
	mw_node_leave(timer->node);
	end(loop);
}

static void fire_posted(struct mw_loop *loop)
{
	for (;;) {
		pthread_mutex_lock(&loop->mutex);
		struct mw_timer *timer = loop->due_count ? loop->due[--loop->due_count] : NULL;

		pthread_mutex_unlock(&loop->mutex);
		if (!timer)
			return;
		fire(loop, timer);
	}
}

void mw_loop_post_timer(struct mw_loop *loop, struct mw_timer *timer)
{
	pthread_mutex_lock(&loop->mutex);
	for (size_t i = 0; i < loop->due_count; i++) {
		if (loop->due[i] == timer) { /* armed again before it was served */
			pthread_mutex_unlock(&loop->mutex);
			return;
		}
	}
	if (loop->due_count == loop->due_capacity) {
		loop->due_capacity = loop->due_capacity ? loop->due_capacity * 2 : 8;
		loop->due = mw_grow(loop->due, loop->due_capacity, sizeof(*loop->due));
	}
	loop->due[loop->due_count++] = timer;
	pthread_mutex_unlock(&loop->mutex);
	mw_loop_wake(loop);
}

/* Timers of the whole machine come due on the shared loop, which hands on those placed elsewhere.
 * At most so many in one go: a device that arms in the past must not hold up the others. */
static void serve_timers(struct mw_loop *loop)
{
	enum { BATCH = 64 };
	struct mw_clock *clock = &loop->machine->clock;

	fire_posted(loop);
	if (loop->own_thread || !loop->machine->running)
		return;
	for (unsigned i = 0; i < BATCH; i++) {
		struct mw_timer *timer = mw_clock_pop_due(clock);

		if (!timer)
			return;
		if (timer->node->loop == loop)
			fire(loop, timer);
		else
			mw_loop_post_timer(timer->node->loop, timer);
	}
}

static void on_wake(uv_async_t *async)
{
}

static void on_timer(uv_timer_t *timer)
{
}

/* How long the loop may sleep, in ms rounded up; libuv's timers know nothing finer. */
static uint64_t sleep_ms(struct mw_loop *loop, uint64_t wait_ns)
{
	struct mw_machine *machine = loop->machine;

	if (!loop->own_thread && machine->running && !machine->clock.manual) {
		uint64_t next = mw_clock_next(&machine->clock), now = mw_clock_now(&machine->clock);
		uint64_t until = next <= now ? 0 : next - now;

		if (until < wait_ns)
			wait_ns = until;
	}
	return wait_ns == UINT64_MAX ? UINT64_MAX : (wait_ns + 999999) / 1000000;
}

void mw_loop_serve(struct mw_loop *loop, uint64_t wait_ns)
{
	serve_watches(loop);
	serve_timers(loop);
	uint64_t ms = sleep_ms(loop, wait_ns);

	uv_update_time(&loop->uv);
	if (ms && ms != UINT64_MAX)
		uv_timer_start(&loop->timer, on_timer, ms, 0);
	uv_run(&loop->uv, ms ? UV_RUN_ONCE : UV_RUN_NOWAIT);
	uv_timer_stop(&loop->timer);
	serve_watches(loop);
	serve_timers(loop);
}

void mw_loop_wake(struct mw_loop *loop)
{
	uv_async_send(&loop->wake);
}

static void *run_thread(void *context)
{
	struct mw_loop *loop = context;

	while (!atomic_load(&loop->quit))
		mw_loop_serve(loop, UINT64_MAX);
	return NULL;
}

enum mw_status mw_loop_create(struct mw_loop **out, struct mw_machine *machine, const char *name,
			      bool own_thread)
{
	struct mw_loop *loop = mw_alloc(1, sizeof(*loop));
	int error = uv_loop_init(&loop->uv);

	*out = NULL;
	if (error < 0) {
		free(loop);
		return mw_status_from_errno(-error);
	}
	uv_async_init(&loop->uv, &loop->wake, on_wake);
	uv_timer_init(&loop->uv, &loop->timer);
	pthread_mutex_init(&loop->mutex, NULL);
	loop->machine = machine;
	loop->own_thread = own_thread;
	loop->actor = mw_machine_add_actor(machine, name);
	*out = loop;
	return MW_STATUS_OK;
}

void mw_loop_start(struct mw_loop *loop)
{
	if (!loop->own_thread || loop->started)
		return;
	loop->started = pthread_create(&loop->thread, NULL, run_thread, loop) == 0;
}

void mw_loop_join(struct mw_loop *loop)
{
	if (!loop->started)
		return;
	atomic_store(&loop->quit, true);
	mw_loop_wake(loop);
	pthread_join(loop->thread, NULL);
	loop->started = false;
}

void mw_loop_destroy(struct mw_loop *loop)
{
	if (!loop)
		return;
	mw_loop_join(loop);
	serve_watches(loop);
	while (loop->open_watches)
		uv_run(&loop->uv, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&loop->wake, NULL);
	uv_close((uv_handle_t *)&loop->timer, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	uv_loop_close(&loop->uv);
	pthread_mutex_destroy(&loop->mutex);
	free(loop->due);
	free(loop);
}

struct mw_actor *mw_loop_actor(struct mw_loop *loop)
{
	return loop->actor;
}
