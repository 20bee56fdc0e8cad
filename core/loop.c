/* The libuv loop: the only file that includes uv.h. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <uv.h>

#include "core/alloc.h"
#include "core/machine_internal.h"
#include "core/thread.h"

/** Owned by the loop: requests wait in its list until the loop's thread takes them, since libuv
 * handles belong to one thread. `wanted` and `closing` change with both the node and the loop's mutex
 * held, so that holding either is enough to read them. */
struct mw_watch {
	struct mw_node *node;
	void (*on_ready)(void *self, unsigned events);
	int fd; /* a duplicate, so that the owner may close its own at any time */
	unsigned wanted;
	bool closing;
	bool posted; /* in the list; guarded by the loop's mutex */
	/* The loop's thread only: */
	enum { WATCH_UNOPENED, WATCH_POLLED, WATCH_ALWAYS_READY, WATCH_REFUSED } how;
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
	/* libuv's own timers know nothing finer than a ms, and a PIT ticks faster. */
	uv_poll_t alarm;
	int alarm_fd;
	bool own_thread, started; /* main thread only */
	pthread_t thread;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t changed;
	bool running, resting, quit; /* the own thread's */
	struct mw_watch *posted;
	struct mw_timer *due, **due_end; /* in the order in which they came due */
};

static void call_ready(struct mw_watch *watch, unsigned events)
{
	struct mw_loop *loop = watch->node->loop;

	mw_actor_begin(loop->actor);
	mw_node_enter(watch->node, loop->actor);
	events &= watch->wanted;
	if (events && !watch->closing)
		watch->on_ready(watch->node->device, events);
	mw_node_leave(watch->node);
	mw_actor_end(loop->actor);
}

static void post_watch_locked(struct mw_watch *watch)
{
	struct mw_loop *loop = watch->node->loop;

	if (watch->posted)
		return;
	watch->posted = true;
	watch->next_posted = loop->posted;
	loop->posted = watch;
	mw_loop_wake(loop);
}

/* An error is readiness: the owner's read or write will name it. libuv stops polling on one, which is
 * taken back, since not every error lasts. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct mw_watch *watch = poll->data;
	unsigned ready = status < 0 ? MW_READABLE | MW_WRITABLE : 0;

	if (events & (UV_READABLE | UV_DISCONNECT))
		ready |= MW_READABLE;
	if (events & (UV_WRITABLE | UV_DISCONNECT))
		ready |= MW_WRITABLE;
	call_ready(watch, ready);
	if (status < 0) {
		pthread_mutex_lock(&watch->node->loop->mutex);
		post_watch_locked(watch);
		pthread_mutex_unlock(&watch->node->loop->mutex);
	}
}

static void on_idle(uv_idle_t *idle)
{
	call_ready(idle->data, MW_READABLE | MW_WRITABLE);
}

static void open_watch(struct mw_loop *loop, struct mw_watch *watch)
{
	int flags = fcntl(watch->fd, F_GETFL);
	int error = uv_poll_init(&loop->uv, &watch->uv.poll, watch->fd);

	watch->how = WATCH_POLLED;
	if (error < 0) {
		/* A regular file: epoll refuses it. */
		watch->how = error == UV_EPERM ? WATCH_ALWAYS_READY : WATCH_REFUSED;
		uv_idle_init(&loop->uv, &watch->uv.idle);
	}
	if (watch->how == WATCH_REFUSED)
		mw_log_line(loop->machine, "%s: a descriptor cannot be watched: %s",
			    watch->node->plan->id, uv_strerror(error));
	/* libuv sets O_NONBLOCK, which a terminal shares with the shell that started us. */
	if (flags >= 0)
		fcntl(watch->fd, F_SETFL, flags);
	watch->uv.handle.data = watch;
}

static void free_watch(struct mw_watch *watch)
{
	close(watch->fd);
	free(watch);
}

static void on_closed(uv_handle_t *handle)
{
	free_watch(handle->data);
}

static void apply_events(struct mw_watch *watch, unsigned wanted)
{
	int events = 0;

	if (wanted & MW_READABLE)
		events |= UV_READABLE;
	if (wanted & MW_WRITABLE)
		events |= UV_WRITABLE;
	if (watch->how == WATCH_POLLED && events)
		uv_poll_start(&watch->uv.poll, events, on_poll);
	else if (watch->how == WATCH_POLLED)
		uv_poll_stop(&watch->uv.poll);
	else if (watch->how == WATCH_ALWAYS_READY && events)
		uv_idle_start(&watch->uv.idle, on_idle);
	else
		uv_idle_stop(&watch->uv.idle);
}

/* Nobody posts a watch that was seen closing: whoever closes it posts it last. */
static void apply(struct mw_loop *loop, struct mw_watch *watch, unsigned wanted, bool closing)
{
	if (closing && watch->how == WATCH_UNOPENED) {
		free_watch(watch);
		return;
	}
	if (closing) {
		uv_close(&watch->uv.handle, on_closed);
		return;
	}
	if (watch->how == WATCH_UNOPENED)
		open_watch(loop, watch);
	apply_events(watch, wanted);
}

/* One at a time: a CPU may post again what is still in the list, and with it change the links. */
static struct mw_watch *take_posted(struct mw_loop *loop, unsigned *wanted, bool *closing)
{
	pthread_mutex_lock(&loop->mutex);
	struct mw_watch *watch = loop->posted;

	if (watch) {
		loop->posted = watch->next_posted;
		watch->posted = false;
		*wanted = watch->wanted;
		*closing = watch->closing;
	}
	pthread_mutex_unlock(&loop->mutex);
	return watch;
}

static void serve_watches(struct mw_loop *loop)
{
	struct mw_watch *watch;
	unsigned wanted;
	bool closing;

	while ((watch = take_posted(loop, &wanted, &closing)))
		apply(loop, watch, wanted, closing);
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
	pthread_mutex_lock(&watch->node->loop->mutex);
	post_watch_locked(watch);
	pthread_mutex_unlock(&watch->node->loop->mutex);
	return MW_STATUS_OK;
}

void mw_watch_set(struct mw_watch *watch, unsigned events)
{
	struct mw_loop *loop = watch->node->loop;

	pthread_mutex_lock(&loop->mutex);
	if (watch->wanted != events) {
		watch->wanted = events;
		post_watch_locked(watch);
	}
	pthread_mutex_unlock(&loop->mutex);
}

void mw_watch_close(struct mw_watch *watch)
{
	if (!watch)
		return;
	struct mw_loop *loop = watch->node->loop;

	pthread_mutex_lock(&loop->mutex);
	watch->closing = true;
	post_watch_locked(watch);
	pthread_mutex_unlock(&loop->mutex);
}

void mw_timer_fire(struct mw_timer *timer, struct mw_actor *actor)
{
	mw_actor_begin(actor);
	mw_node_enter(timer->node, actor);
	if (mw_timer_take_due(timer))
		timer->on_expire(timer->node->device);
	mw_node_leave(timer->node);
	mw_actor_end(actor);
}

static struct mw_timer *take_due(struct mw_loop *loop)
{
	pthread_mutex_lock(&loop->mutex);
	struct mw_timer *timer = loop->due;

	if (timer) {
		loop->due = timer->next_posted;
		if (!loop->due)
			loop->due_end = &loop->due;
		timer->posted = false;
	}
	pthread_mutex_unlock(&loop->mutex);
	return timer;
}

static bool has_due(struct mw_loop *loop)
{
	pthread_mutex_lock(&loop->mutex);
	bool due = loop->due;

	pthread_mutex_unlock(&loop->mutex);
	return due;
}

void mw_loop_post_timer(struct mw_loop *loop, struct mw_timer *timer)
{
	pthread_mutex_lock(&loop->mutex);
	if (!timer->posted) { /* else it was armed again before it was served */
		timer->posted = true;
		timer->next_posted = NULL;
		*loop->due_end = timer;
		loop->due_end = &timer->next_posted;
	}
	pthread_mutex_unlock(&loop->mutex);
	mw_loop_wake(loop);
}

static void serve_posted_timers(struct mw_loop *loop)
{
	struct mw_timer *timer;

	for (unsigned i = 0; i < MW_TIMER_BATCH && (timer = take_due(loop)); i++)
		mw_timer_fire(timer, loop->actor);
}

/* Timers of the whole machine come due on the shared loop, which hands on those placed elsewhere. Where the
 * executor makes time, it hands out those that are due. */
static void serve_clock(struct mw_loop *loop)
{
	for (unsigned i = 0; i < MW_TIMER_BATCH; i++) {
		struct mw_timer *timer = mw_clock_pop_due(&loop->machine->clock);

		if (!timer)
			return;
		if (timer->node->loop == loop)
			mw_timer_fire(timer, loop->actor);
		else
			mw_loop_post_timer(timer->node->loop, timer);
	}
}

static void serve_timers(struct mw_loop *loop)
{
	if (!loop->own_thread && !loop->machine->running)
		return;
	if (!loop->own_thread && !loop->machine->clock_driven)
		serve_clock(loop);
	serve_posted_timers(loop);
}

static void on_wake(uv_async_t *async)
{
}

/* Rearming it takes its readiness back. */
static void on_alarm(uv_poll_t *alarm, int status, int events)
{
}

static uint64_t until_timer_ns(struct mw_loop *loop)
{
	if (!loop->own_thread && !loop->machine->running)
		return UINT64_MAX;
	if (has_due(loop))
		return 0;
	if (loop->own_thread || loop->machine->clock_driven)
		return UINT64_MAX;
	return mw_clock_wait(&loop->machine->clock);
}

/* How long the loop may sleep. */
static uint64_t sleep_ns(struct mw_loop *loop, uint64_t wait_ns)
{
	uint64_t until = until_timer_ns(loop);

	return until < wait_ns ? until : wait_ns;
}

/* 0 takes it back. */
static void set_alarm(struct mw_loop *loop, uint64_t ns)
{
	struct itimerspec when = { .it_value = { (time_t)(ns / 1000000000),
						 (long)(ns % 1000000000) } };

	timerfd_settime(loop->alarm_fd, 0, &when, NULL);
}

void mw_loop_serve(struct mw_loop *loop, uint64_t wait_ns)
{
	serve_watches(loop);
	serve_timers(loop);
	uint64_t ns = sleep_ns(loop, wait_ns);
	bool timed = ns && ns != UINT64_MAX;

	if (timed)
		set_alarm(loop, ns);
	uv_run(&loop->uv, ns ? UV_RUN_ONCE : UV_RUN_NOWAIT);
	if (timed)
		set_alarm(loop, 0);
	serve_watches(loop);
	serve_timers(loop);
}

void mw_loop_wake(struct mw_loop *loop)
{
	uv_async_send(&loop->wake);
}

/* Rests while the machine does; false when the thread is to end. */
static bool may_run(struct mw_loop *loop)
{
	pthread_mutex_lock(&loop->mutex);
	while (!loop->running && !loop->quit) {
		loop->resting = true;
		pthread_cond_broadcast(&loop->changed);
		pthread_cond_wait(&loop->changed, &loop->mutex);
	}
	loop->resting = false;
	bool run = !loop->quit;

	pthread_mutex_unlock(&loop->mutex);
	return run;
}

static void *run_thread(void *context)
{
	struct mw_loop *loop = context;

	while (may_run(loop))
		mw_loop_serve(loop, UINT64_MAX);
	return NULL;
}

static int open_handles(struct mw_loop *loop)
{
	int error = uv_poll_init(&loop->uv, &loop->alarm, loop->alarm_fd);

	if (error < 0)
		return error;
	error = uv_async_init(&loop->uv, &loop->wake, on_wake);
	if (error >= 0)
		return uv_poll_start(&loop->alarm, UV_READABLE, on_alarm);
	uv_close((uv_handle_t *)&loop->alarm, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	return error;
}

static int open_loop(struct mw_loop *loop)
{
	int error = uv_loop_init(&loop->uv);

	if (error < 0)
		return error;
	loop->alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	error = loop->alarm_fd < 0 ? -errno : open_handles(loop);
	if (error >= 0)
		return 0;
	if (loop->alarm_fd >= 0)
		close(loop->alarm_fd);
	uv_loop_close(&loop->uv);
	return error;
}

enum mw_status mw_loop_create(struct mw_loop **out, struct mw_machine *machine, const char *name,
			      bool own_thread)
{
	struct mw_loop *loop = mw_alloc(1, sizeof(*loop));
	int error = open_loop(loop);

	*out = NULL;
	if (error < 0) {
		free(loop);
		return mw_status_from_errno(-error);
	}
	pthread_mutex_init(&loop->mutex, NULL);
	pthread_cond_init(&loop->changed, NULL);
	loop->due_end = &loop->due;
	loop->machine = machine;
	loop->own_thread = own_thread;
	loop->actor = mw_machine_add_actor(machine, name);
	*out = loop;
	return MW_STATUS_OK;
}

enum mw_status mw_loop_start(struct mw_loop *loop)
{
	if (!loop->started) {
		int error = mw_thread_create(&loop->thread, run_thread, loop);

		if (error)
			return mw_status_from_errno(error);
		loop->started = true;
	}
	pthread_mutex_lock(&loop->mutex);
	loop->running = true;
	pthread_cond_broadcast(&loop->changed);
	pthread_mutex_unlock(&loop->mutex);
	return MW_STATUS_OK;
}

/* The wake-up comes after the word, so a thread that has not seen the word yet does not sleep. */
void mw_loop_rest(struct mw_loop *loop)
{
	if (!loop->started)
		return;
	pthread_mutex_lock(&loop->mutex);
	loop->running = false;
	mw_loop_wake(loop);
	while (!loop->resting)
		pthread_cond_wait(&loop->changed, &loop->mutex);
	pthread_mutex_unlock(&loop->mutex);
}

void mw_loop_join(struct mw_loop *loop)
{
	if (!loop->started)
		return;
	pthread_mutex_lock(&loop->mutex);
	loop->quit = true;
	mw_loop_wake(loop);
	pthread_cond_broadcast(&loop->changed);
	pthread_mutex_unlock(&loop->mutex);
	pthread_join(loop->thread, NULL);
	loop->started = false;
}

/* What its owner has forgotten to close. */
static void close_watch(uv_handle_t *handle, void *context)
{
	if (handle->data && !uv_is_closing(handle))
		uv_close(handle, on_closed);
}

void mw_loop_destroy(struct mw_loop *loop)
{
	if (!loop)
		return;
	mw_loop_join(loop);
	serve_watches(loop);
	uv_walk(&loop->uv, close_watch, NULL);
	uv_close((uv_handle_t *)&loop->wake, NULL);
	uv_close((uv_handle_t *)&loop->alarm, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	uv_loop_close(&loop->uv);
	close(loop->alarm_fd);
	pthread_cond_destroy(&loop->changed);
	pthread_mutex_destroy(&loop->mutex);
	free(loop);
}

struct mw_actor *mw_loop_actor(struct mw_loop *loop)
{
	return loop->actor;
}
