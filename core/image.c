/* Images: what devices ask of the host's files, done by a thread of its own so that no CPU waits. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/machine_internal.h"
#include "core/thread.h"

uint64_t mw_image_size(const struct mw_image *image)
{
	if (!image->peer)
		return 0;
	mw_node_enter(image->peer, image->node->lock->actor);
	uint64_t size = image->wire->on_size(image->peer->device);

	mw_node_leave(image->peer);
	return size;
}

bool mw_image_read(struct mw_image *image, uint64_t offset, void *bytes, size_t count)
{
	if (!image->peer)
		return false;
	mw_node_enter(image->peer, image->node->lock->actor);
	bool done = image->wire->on_read(image->peer->device, offset, bytes, count);

	mw_node_leave(image->peer);
	return done;
}

bool mw_image_present(const struct mw_image *image)
{
	return image->peer && mw_image_size(image) > 0;
}

bool mw_image_writable(const struct mw_image *image)
{
	if (!image->peer || !image->wire->on_write)
		return false;
	if (!image->wire->on_writable)
		return true;
	mw_node_enter(image->peer, image->node->lock->actor);
	bool writable = image->wire->on_writable(image->peer->device);

	mw_node_leave(image->peer);
	return writable;
}

static bool do_op(const struct mw_image *image, const struct mw_image_request *request)
{
	const struct mw_wire *wire = image->wire;
	void *self = image->peer->device;

	switch (request->op) {
	case MW_IMAGE_READ:
		return wire->on_read(self, request->offset, request->bytes, request->count);
	case MW_IMAGE_WRITE:
		return wire->on_write && (!wire->on_writable || wire->on_writable(self)) &&
		       wire->on_write(self, request->offset, request->bytes, request->count);
	case MW_IMAGE_FLUSH: return !wire->on_flush || wire->on_flush(self);
	case MW_IMAGE_DISCARD:
		return !wire->on_discard || wire->on_discard(self, request->offset, request->count);
	}
	return false;
}

/* What lies beyond the end is no part of a medium, however the host's file would take it. */
static bool is_inside(const struct mw_image *image, const struct mw_image_request *request)
{
	uint64_t size = image->wire->on_size(image->peer->device);

	return request->op == MW_IMAGE_FLUSH ||
	       (request->offset <= size && request->count <= size - request->offset);
}

static const char *op_text(enum mw_image_op op)
{
	static const char *const texts[] = { "read", "write", "flush", "discard" };

	return texts[op];
}

static void judge(struct mw_image *image, const struct mw_image_request *request)
{
	struct mw_machine *machine = image->node->machine;

	if (request->result != MW_IMAGE_FAILED)
		return;
	if (image->node->plan->on_error == MW_ON_ERROR_STOP)
		mw_machine_fail(machine, "%s: the image of `%s` cannot be used for a %s",
				image->peer->plan->id, image->node->plan->id, op_text(request->op));
	else
		mw_log_line(machine, "%s: a %s of %zu bytes at %llu failed", image->peer->plan->id,
			    op_text(request->op), request->count,
			    (unsigned long long)request->offset);
}

static void do_request(struct mw_image_request *request, struct mw_actor *actor)
{
	struct mw_image *image = request->image;

	if (!image->peer) {
		request->result = MW_IMAGE_NO_MEDIUM;
		return;
	}
	mw_node_enter(image->peer, actor);
	if (request->medium != image->medium || !image->wire->on_size(image->peer->device))
		request->result = MW_IMAGE_NO_MEDIUM;
	else if (is_inside(image, request) && do_op(image, request))
		request->result = MW_IMAGE_DONE;
	else
		request->result = MW_IMAGE_FAILED;
	mw_node_leave(image->peer);
	judge(image, request);
}

static void complete(struct mw_image_request *request, struct mw_actor *actor)
{
	struct mw_image *image = request->image;

	mw_node_enter(image->node, actor);
	request->pending = false;
	if (image->own_wire->on_done)
		image->own_wire->on_done(image->node->device, request);
	mw_node_leave(image->node);
}

void mw_image_deliver(struct mw_image_request *request, struct mw_actor *actor)
{
	do_request(request, actor);
	complete(request, actor);
}

static struct mw_image_request *take(struct mw_image_worker *worker)
{
	struct mw_image_request *request = worker->first;

	worker->first = request->next;
	if (!worker->first)
		worker->end = &worker->first;
	return request;
}

/* The request's own bytes move with no device held; on_done is a callback like any other. */
static void *run_worker(void *context)
{
	struct mw_machine *machine = context;
	struct mw_image_worker *worker = &machine->images;

	pthread_mutex_lock(&worker->mutex);
	for (;;) {
		while (!worker->first && !worker->quit)
			pthread_cond_wait(&worker->changed, &worker->mutex);
		if (!worker->first)
			break;
		struct mw_image_request *request = take(worker);

		worker->busy = true;
		pthread_mutex_unlock(&worker->mutex);
		mw_actor_begin(worker->actor);
		mw_image_deliver(request, worker->actor);
		mw_actor_end(worker->actor);
		pthread_mutex_lock(&worker->mutex);
		worker->busy = false;
		worker->ended++;
		pthread_cond_broadcast(&worker->changed);
	}
	pthread_mutex_unlock(&worker->mutex);
	return NULL;
}

/* Where time is made by hand or by instructions, or nobody runs, the thread that asks does it. */
static bool is_here(const struct mw_machine *machine)
{
	return !machine->running || !machine->executor.ops || machine->executor.by_hand ||
	       machine->plan->accel.instruction_clock ||
	       (machine->clock.manual && !machine->clock_driven);
}

static bool hand_over(struct mw_machine *machine, struct mw_image_request *request)
{
	struct mw_image_worker *worker = &machine->images;

	pthread_mutex_lock(&worker->mutex);
	if (!worker->started)
		worker->started = mw_thread_create(&worker->thread, run_worker, machine) == 0;
	bool started = worker->started;

	if (started) {
		request->next = NULL;
		*worker->end = request;
		worker->end = &request->next;
		worker->asked++;
		pthread_cond_broadcast(&worker->changed);
	}
	pthread_mutex_unlock(&worker->mutex);
	return started;
}

void mw_image_submit(struct mw_image *image, struct mw_image_request *request)
{
	struct mw_machine *machine = image->node->machine;

	request->pending = true;
	request->image = image;
	request->medium = image->heard;
	if (is_here(machine) || !hand_over(machine, request))
		mw_effect_once(image->node->lock->actor,
			       (struct mw_effect){ .kind = MW_EFFECT_IMAGE, .request = request });
}

void mw_images_init(struct mw_machine *machine)
{
	struct mw_image_worker *worker = &machine->images;

	worker->end = &worker->first;
	pthread_mutex_init(&worker->mutex, NULL);
	pthread_cond_init(&worker->changed, NULL);
	worker->actor = mw_machine_add_actor(machine, "images");
}

void mw_images_drain(struct mw_machine *machine)
{
	struct mw_image_worker *worker = &machine->images;

	pthread_mutex_lock(&worker->mutex);
	while (worker->started && (worker->first || worker->busy))
		pthread_cond_wait(&worker->changed, &worker->mutex);
	pthread_mutex_unlock(&worker->mutex);
}

void mw_images_fini(struct mw_machine *machine)
{
	struct mw_image_worker *worker = &machine->images;

	if (!worker->actor)
		return;
	pthread_mutex_lock(&worker->mutex);
	worker->quit = true;
	pthread_cond_broadcast(&worker->changed);
	pthread_mutex_unlock(&worker->mutex);
	if (worker->started)
		pthread_join(worker->thread, NULL);
	worker->started = false;
	mw_media_fini(machine);
	pthread_mutex_destroy(&worker->mutex);
	pthread_cond_destroy(&worker->changed);
	worker->actor = NULL;
}

void mw_images_settle(struct mw_machine *machine)
{
	struct mw_image_worker *worker = &machine->images;

	pthread_mutex_lock(&worker->mutex);
	for (uint64_t asked = worker->asked; worker->ended < asked;)
		pthread_cond_wait(&worker->changed, &worker->mutex);
	pthread_mutex_unlock(&worker->mutex);
}
