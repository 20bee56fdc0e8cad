/** What the files of core that make up a machine share. Private to core. */
// SPDX-License-Identifier: MIT
#ifndef CORE_MACHINE_INTERNAL_H
#define CORE_MACHINE_INTERNAL_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>

#include "core/clock.h"
#include "core/loop_internal.h"
#include "core/machine.h"
#include "core/space.h"

/** How many deliveries may follow from those that a guest access causes itself, before the chain is
 * cut. */
enum { MW_CHAIN_LIMIT = 1000 };
enum { MW_PAGE_BYTES = 4096 };

/** What limits how much a guest can have logged; guarded by whoever owns it. */
struct mw_log_limit {
	uint64_t window_start_ns;
	unsigned lines, suppressed;
};

/** What is held while a thread is in a device, and that thread. */
struct mw_lock {
	pthread_mutex_t mutex;
	struct mw_actor *actor;
	uint64_t mapped_first,
		mapped_end; /* what may have been written through maps; empty: none */
};

/** Where a region answers that can be moved, or of one that cannot what is memory now; guarded by the machine's
 * place_mutex. */
struct mw_placement {
	struct mw_piece pieces[MW_PIECES_MAX];
	size_t count;
	struct mw_memory *shown; /* whose pieces they are; NULL: the region's own */
};

/** A node of the machine: core's part, followed by the device's own struct. Lives as long as the
 * machine. */
struct mw_node {
	struct mw_machine *machine;
	const struct mw_plan_node *plan;
	const struct mw_device_type *type;
	uint32_t index;
	bool initialised, offloaded;    /* the accelerator runs the chip */
	struct mw_lock own_lock, *lock; /* `lock`: own_lock, or that of the private bus it is on */
	struct mw_loop *loop;
	struct mw_timer *timers;                    /* one per timer row */
	struct mw_memory *memories;                 /* one per region, used by backed ones */
	const struct mw_register_index **registers; /* one per region, of those with a table */
	struct mw_placement *placements;            /* one per region, of those that move or show */
	struct mw_log_limit log;
	alignas(max_align_t) unsigned char device[];
};

static inline struct mw_node *mw_node_of(const void *self)
{
	return (struct mw_node *)((const unsigned char *)self - offsetof(struct mw_node, device));
}

struct mw_memory {
	uint8_t *bytes;
	uint64_t size;
};

/** One end of a line: who drives it. `level` is guarded by the node's lock. */
struct mw_line {
	struct mw_node *node;
	struct mw_net *net; /* NULL: leads nowhere */
	bool level;
};

/** A sink remembers what it was told last; guarded by its node's lock. */
struct mw_net_sink {
	struct mw_node *node;
	const struct mw_wire *wire;
	unsigned index;
	bool told_level;
	uint32_t told_rises;
};
/** The wire-or of its lines: asserted sources in the low half, rising edges in the high half. */
struct mw_net {
	const struct mw_plan_net *plan;
	uint32_t index;
	_Atomic uint64_t state;
	struct mw_net_sink *sinks;
	size_t sink_count;
};

/** A stream's end as its device holds it. */
struct mw_stream {
	struct mw_node *node;
	struct mw_link *link; /* NULL: leads nowhere */
	unsigned side;
};
/** A full-duplex byte link; everything is guarded by `mutex`. `to[s]` holds bytes on their way to
 * end s. */
struct mw_link {
	pthread_mutex_t mutex;
	uint32_t index;
	struct mw_node *node[2];
	const struct mw_wire *wire[2];
	struct mw_ring {
		uint8_t *bytes;
		size_t head, count, capacity;
		size_t credit;
		bool starved; /* it was full, so the sender waits for on_room */
	} to[2];
};

struct mw_msi {
	struct mw_node *node;
};
struct mw_intr {
	struct mw_node *node;
	_Atomic bool level;
};
struct mw_input {
	struct mw_node *node;
	struct mw_node *peer; /* NULL: leads nowhere */
	const struct mw_wire *wire;
};
struct mw_power {
	struct mw_node *node;
};
struct mw_dma {
	struct mw_node *node;
	const struct mw_wire *wire;
	struct mw_node *controller; /* of the channel, NULL: it has none */
	const struct mw_wire *controller_wire;
	unsigned channel;
	bool request, queued; /* DREQ; guarded by the node's lock */
};
struct mw_image {
	struct mw_node *node;
	const struct mw_wire *own_wire;
	struct mw_node *peer; /* NULL: empty */
	const struct mw_wire *wire;
	/* How often the medium was exchanged, guarded by the peer's lock; and so far the device has heard of it,
	 * by the node's. */
	unsigned medium, heard;
	char *inserted; /* what was put in since, "": nothing; NULL: it is the plan's. By the peer's lock */
};
struct mw_display {
	struct mw_node *node;
	struct mw_display_link *link; /* NULL: leads nowhere */
};
/** An adapter and who shows its picture. */
struct mw_display_link {
	struct mw_node *adapter, *host;
	const struct mw_wire *adapter_wire, *host_wire;
	struct mw_canvas canvas; /* guarded by the mutex, as what follows */
	pthread_mutex_t mutex;
	bool asked, again, whole; /* a request is on its way, and another has come meanwhile */
};

/** What a callback did to others, waiting for its lock to drop. */
struct mw_effect {
	enum {
		MW_EFFECT_NET,
		MW_EFFECT_BYTES,
		MW_EFFECT_ROOM,
		MW_EFFECT_MSI,
		MW_EFFECT_POWER,
		MW_EFFECT_INTR,
		MW_EFFECT_INPUT,
		MW_EFFECT_PLACE,
		MW_EFFECT_IMAGE,
		MW_EFFECT_CHANNEL,
		MW_EFFECT_CHANNELS,
		MW_EFFECT_DISPLAY
	} kind;
	union {
		struct mw_net *net;
		struct {
			struct mw_link *link;
			unsigned side;
		} stream;
		struct {
			uint64_t address;
			uint32_t data;
		} msi;
		struct {
			enum mw_power_event event;
			int code;
		} power;
		struct {
			struct mw_input *input;
			struct mw_input_event event;
		} input;
		struct mw_image_request *request;
		struct mw_dma *dma;
		struct mw_node *controller;
		struct mw_display_link *display;
	};
};

/** What other threads want of the main one, in order; everything is guarded by `mutex`. */
struct mw_jobs {
	pthread_mutex_t mutex;
	pthread_cond_t done;
	struct mw_job *first, **end;
	bool closed; /* nobody runs them */
};

/** A thread that enters devices. Its queue and bitmaps are touched by that thread only. */
struct mw_actor {
	struct mw_machine *machine;
	const char *name;
	_Atomic uint64_t epoch;  /* of the address spaces it may be reading; UINT64_MAX: none */
	struct mw_effect *queue; /* ring */
	size_t head, count, capacity;
	size_t messages;     /* MSI and power entries in the queue, bounded */
	uint8_t *net_queued; /* by net */
	bool intr_queued, place_queued;
	uint8_t *link_queued;        /* by link: bits 0-1 bytes to side 0, 1; bits 2-3 room */
	uint64_t turn_epoch;         /* what `epoch` shows during this turn */
	struct mw_map_part last_hit; /* of memory, and in which epoch it was found */
	uint64_t last_hit_epoch;
	bool busy; /* inside a device or delivering */
	struct mw_log_limit log;
};

/** Image requests and the thread that does them; guarded by `mutex`. */
struct mw_image_worker {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct mw_image_request *first, **end;
	uint64_t asked, ended;
	struct mw_actor *actor; /* made before the machine starts */
	pthread_t thread;
	bool started, busy, quit;
};

/** Host memory as the executor has it. */
struct mw_mapped {
	uint64_t base, length;
	uint8_t *host;
	bool readonly;
};

struct mw_machine {
	const struct mw_plan *plan;
	struct mw_node **nodes;
	struct mw_node *functions[256]; /* PCI bus 0, by device and function */
	struct mw_display_link *displays;
	size_t display_count;
	struct mw_image_worker images;
	pthread_mutex_t place_mutex; /* guards what follows */
	bool ports_moved, memory_moved, a20_closed;
	struct mw_mapped *mapped;
	size_t mapped_count;
	struct mw_net *nets;
	struct mw_link *links;
	struct mw_arena arena; /* handles, nets, links: everything of fixed size */
	const struct mw_register_index *register_indices;
	struct mw_address_space ports, memory;
	_Atomic uint64_t epoch; /* of both spaces */
	struct mw_ram_block {
		uint64_t base, length;
		uint8_t *host;
	} * ram;
	size_t ram_count;
	uint8_t *ram_host;
	int ram_fd;
	struct mw_clock clock;
	struct mw_loop *loop; /* the shared one, served by the main thread */
	struct mw_loop **own_loops;
	size_t own_loop_count;
	struct mw_actor *main_actor;
	struct mw_actor **actors;
	size_t actor_count;
	struct mw_executor executor;
	bool executing;                      /* its start has succeeded, its stop not been called */
	bool clock_driven, clock_was_manual; /* by the executor; changes while stopped */
	struct mw_eoi_sink {
		struct mw_node *node;
		const struct mw_wire *wire;
	} * eoi_sinks;
	size_t eoi_sink_count;
	struct mw_intr_source {
		struct mw_node *node;
		const struct mw_wire *wire;
		struct mw_intr *intr;
	} * intrs;
	size_t intr_count;
	_Atomic int intr_asserted; /* how many of them are high */
	struct mw_line_watch line_watch;
	struct mw_machine_observer observer;
	struct mw_items *items; /* what a firmware configuration device was given, or NULL */
	struct mw_reset_hook *hooks;
	size_t hook_count;
	bool running, paused;
	struct mw_jobs jobs;
	unsigned resets;
	_Atomic bool stopping, interrupted;
	pthread_mutex_t power_mutex; /* guards what follows */
	bool power_pending, failed;
	enum mw_power_event power_event;
	int power_code;
	char failure[512];
	pthread_mutex_t log_mutex; /* guards what follows */
	FILE *log;
	struct mw_log_limit guest_log; /* of all nodes together */
};

/* access.c */
/** The writes that the executor still has are made; within a turn. */
void mw_actor_collect(struct mw_actor *actor);

/* actor.c */
struct mw_actor *mw_actor_create(struct mw_machine *machine, const char *name);
void mw_actor_destroy(struct mw_actor *actor);
/** Brackets what a thread does from outside: begin before the first node is entered, end delivers
 * all effects. Ending with mw_actor_hold keeps them for the end of the next turn. */
void mw_actor_begin(struct mw_actor *actor);
void mw_actor_end(struct mw_actor *actor);
void mw_actor_hold(struct mw_actor *actor);
/** Drops the messages in the queue; lines and bytes stay. Not during a turn. */
void mw_actor_forget_messages(struct mw_actor *actor);
void mw_node_enter(struct mw_node *node, struct mw_actor *actor);
void mw_node_leave(struct mw_node *node);
void mw_effect_net(struct mw_actor *actor, struct mw_net *net);
void mw_effect_stream(struct mw_actor *actor, struct mw_link *link, unsigned side, bool room);
void mw_effect_intr(struct mw_actor *actor);
void mw_effect_message(struct mw_actor *actor, struct mw_effect effect);
/** For effects that come once for each of something, so that their number is bounded by the plan. */
void mw_effect_once(struct mw_actor *actor, struct mw_effect effect);

/** Publishes a map of one of the machine's spaces and frees those no actor can be reading any more.
 * The caller serialises changes. */
void mw_machine_swap_map(struct mw_machine *machine, struct mw_address_space *space,
			 struct mw_map *map);

/* drive.c */
/** The node drives its line or INTR pin `handle` to a new level; whoever watches is told. */
void mw_tell_output(struct mw_node *node, const void *handle, bool level);

/* line.c, stream.c: deliver one effect; no lock is held */
void mw_net_deliver(struct mw_net *net, struct mw_actor *actor);
/** Calls for every end of a line that a node drives, in the order of nodes and wires. */
void mw_lines_each(struct mw_machine *machine, void (*visit)(void *context, struct mw_line *line),
		   void *context);
/** The lines have levels out of a snapshot: the net knows them, its sinks need not be told. Chips in the
 * accelerator are told of levels that stay. */
void mw_net_restore(struct mw_net *net, uint32_t asserted);
/** Takes the line down; chips in the accelerator are told, the others get reset themselves. */
void mw_net_reset(struct mw_net *net);
void mw_link_deliver(struct mw_link *link, unsigned side, struct mw_actor *actor);
void mw_link_deliver_room(struct mw_link *link, unsigned side, struct mw_actor *actor);
/** Bytes on their way to an end: how many there are, and all of them into a buffer of that size. */
size_t mw_link_save(struct mw_link *link, unsigned side, uint8_t *bytes, bool *starved);
/** Puts them back, at most 64 KiB; false where there are more. */
bool mw_link_restore(struct mw_link *link, unsigned side, const uint8_t *bytes, size_t count,
		     bool starved);
void mw_link_init(struct mw_link *link, uint32_t index);
void mw_link_fini(struct mw_link *link);

/* intr.c */
void mw_intr_deliver(struct mw_machine *machine);
/** Takes all of them down and tells the executor. */
void mw_intr_reset(struct mw_machine *machine);

/* place.c */
void mw_places_init(struct mw_node *node);
/** Takes all that can be moved away; the machine is stopped. */
void mw_places_reset(struct mw_machine *machine);
/** Both spaces anew from the plan and the placements, and the executor told of what has changed. */
enum mw_status mw_place_spaces(struct mw_machine *machine);
/** The same after a callback, on its thread. */
void mw_place_deliver(struct mw_actor *actor);

/* config.c */
void mw_functions_init(struct mw_machine *machine);
/** A configuration access of 1, 2 or 4 bytes within a double word; no lock is held. */
void mw_config_access(struct mw_actor *actor, uint32_t address, unsigned size, uint64_t *value,
		      bool write);

/* image.c */
void mw_images_init(struct mw_machine *machine);
void mw_images_fini(struct mw_machine *machine);
/** Waits until nothing is pending; the CPUs and loops rest. */
void mw_images_drain(struct mw_machine *machine);
/** Waits for what was asked for before the call. */
void mw_images_settle(struct mw_machine *machine);
/** Does one request on the calling thread. */
void mw_image_deliver(struct mw_image_request *request, struct mw_actor *actor);

/* medium.c */
void mw_media_fini(struct mw_machine *machine);
/** The image of a link that is one. */
struct mw_image *mw_image_of(struct mw_machine *machine, const struct mw_plan_link *link);
/** Whether what is in it can be exchanged. */
bool mw_image_opens(const struct mw_wire *own, const struct mw_wire *host);
/** The path that is in the plan, of a link's host side; NULL: none is. */
const char *mw_image_planned(const struct mw_plan_node *host);
/** Another medium, of which the device is not told yet; inside a turn of the main thread's. */
bool mw_image_put(struct mw_image *image, const char *path, struct mw_diagnostics *diagnostics);
/** The device knows which medium is in it now; with `tell` it is told that it is another. */
void mw_image_know(struct mw_image *image, bool tell);
/** All zero where nobody says. */
void mw_image_find_facts(const struct mw_image *image, struct mw_image_facts *facts);

/* channel.c */
void mw_channels_init(struct mw_machine *machine);
void mw_channel_deliver(struct mw_dma *dma, struct mw_actor *actor);
void mw_channels_deliver(struct mw_node *controller, struct mw_actor *actor);

/* display.c */
void mw_displays_init(struct mw_machine *machine);
void mw_displays_fini(struct mw_machine *machine);
void mw_display_deliver(struct mw_display_link *display, struct mw_actor *actor);

/* input.c */
void mw_input_deliver(struct mw_input *input, struct mw_actor *actor,
		      const struct mw_input_event *event);

/* control.c */
void mw_jobs_init(struct mw_jobs *jobs);
void mw_jobs_fini(struct mw_jobs *jobs);
void mw_jobs_open(struct mw_jobs *jobs);
/** From here on none is taken; who waits is told. */
void mw_jobs_close(struct mw_jobs *jobs);
/** False when there was none. */
bool mw_jobs_run_one(struct mw_machine *machine);

void mw_machine_tell(struct mw_machine *machine, enum mw_machine_event event,
		     enum mw_power_event cause);

/* memory.c */
/** The node's callback has ended: what it mapped for writing is written. */
void mw_node_end_maps(struct mw_node *node);
bool mw_ram_init(struct mw_machine *machine, struct mw_diagnostics *diagnostics);
void mw_ram_fini(struct mw_machine *machine);
/** Host memory behind what a CPU reads and writes at [address, address + count) now, shadow RAM too; NULL unless
 * it is one piece of memory. */
uint8_t *mw_machine_seen(struct mw_machine *machine, uint64_t address, uint64_t count);
bool mw_memories_init(struct mw_node *node, struct mw_diagnostics *diagnostics);
void mw_memories_fini(struct mw_node *node);

/* register.c */
void mw_registers_init(struct mw_node *node);
enum mw_io mw_register_access(struct mw_node *node, const struct mw_region *region, uint64_t offset,
			      unsigned size, uint64_t *value, bool write);

static inline uint64_t mw_ones(unsigned bytes)
{
	return bytes >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * bytes)) - 1;
}

/* state.c */
/** Gives every row its reset value, those too that survive resets; before init. */
void mw_node_power_on(struct mw_node *node);
void mw_node_reset_state(struct mw_node *node);
/** A node's saved form in an older version of its type, or in this one: what rows it has, whether bytes
 * are such a form, and taking them (checked ones) without a word to the device, which
 * mw_node_loaded says when all nodes are loaded. */
void mw_node_layout(const struct mw_node *node, unsigned version, FILE *out);
bool mw_node_check(const struct mw_node *node, unsigned version, const uint8_t *bytes, size_t count,
		   struct mw_diagnostics *diagnostics);
void mw_node_take(struct mw_node *node, unsigned version, const uint8_t *bytes);
void mw_node_loaded(struct mw_node *node, struct mw_actor *actor);

/* log.c */
/** Tells how many lines were left out. */
void mw_log_rest(struct mw_machine *machine);
void mw_log_line(struct mw_machine *machine, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* loop.c */
/** How many timers are served in one go: a device that arms in the past must not hold up the others. */
enum { MW_TIMER_BATCH = 64 };
/** Fires a timer that was due unless its device has armed or cancelled it since. */
void mw_timer_fire(struct mw_timer *timer, struct mw_actor *actor);

#endif
