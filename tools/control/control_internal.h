/** The parts of the control socket. jansson is included in this folder only. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_CONTROL_CONTROL_INTERNAL_H
#define TOOLS_CONTROL_CONTROL_INTERNAL_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "tools/control/control.h"

enum { CONTROL_MOST_BYTES = 1 << 20, CONTROL_MOST_LEVELS = 32 };

/** Splits a stream into JSON values, which need not stand on lines of their own. Zeroed, freed with
 * control_frame_fini. */
struct control_frame {
	char *bytes;
	size_t count, capacity;
	size_t scanned, begin; /* what was looked at, and where the value begins */
	char closers[CONTROL_MOST_LEVELS];
	unsigned depth;
	bool inside, in_string, escaped;
};
void control_frame_feed(struct control_frame *frame, const char *bytes, size_t count);
/** The next value's text, borrowed until the next call. BROKEN: what came since the last one is no JSON and is
 * forgotten. TOO_MUCH: nobody needs so much, and the client had better go. */
enum control_found { CONTROL_NOTHING, CONTROL_VALUE, CONTROL_BROKEN, CONTROL_TOO_MUCH };
enum control_found control_frame_next(struct control_frame *frame, const char **text,
				      size_t *length);
void control_frame_fini(struct control_frame *frame);

struct control_text {
	char *bytes;
	size_t count, capacity;
};

struct mw_control {
	struct mw_machine *machine;
	pthread_t thread;
	int wake;                         /* an eventfd that ends waits */
	_Atomic bool ended;               /* the machine runs no job any more */
	_Atomic bool closing;             /* the thread is to end */
	_Atomic bool resetting, quitting; /* on whose account the next event of that kind is */
	struct mw_endpoint end;
	/* The thread's own: */
	struct control_frame frame;
	struct control_text answer;
	size_t sent; /* of the answer */
	bool negotiated, leaving;
	pthread_mutex_t mutex; /* guards what follows */
	struct control_text events;
};

/** Why a command failed, as QMP has it. */
struct control_error {
	const char *class;
	char text[256];
};
/** Returns NULL, for commands to return. */
json_t *control_fail(struct control_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* control.c */
void control_append(struct control_text *text, const char *bytes, size_t count);
/** Has the main thread run the job; false: the machine is over. */
bool control_on_main(struct mw_control *control,
		     void (*job)(void *context, struct mw_machine *machine), void *context);
/** Any thread: has the client's thread look up. */
void control_wake(struct mw_control *control);
/** Waits; false: there is no more time, for the machine is over. */
bool control_sleep(struct mw_control *control, unsigned ms);
/** Puts a message behind those that wait, events that have happened before it first. */
void control_send(struct mw_control *control, json_t *message);

/* command.c */
/** What the client has sent, however cut; answers wait in `answer`. */
void control_take(struct mw_control *control, const char *bytes, size_t count);
json_t *control_greeting(void);

/* event.c */
/** Told by the machine on the main thread. */
void control_on_event(void *context, enum mw_machine_event event, enum mw_power_event cause);
void control_event(struct mw_control *control, const char *name, json_t *data);

/* input.c, inspect.c, machine.c, medium.c: commands. What they return is the answer's `return`; NULL: `error` has
 * the reason. Arguments are there and of the right type, as the table of commands says. */
typedef json_t *control_command(struct mw_control *control, const json_t *arguments,
				struct control_error *error);
control_command control_send_key, control_input_send_event, control_type;
control_command control_inspect;
control_command control_change_medium, control_eject;
control_command control_query_status, control_query_name, control_query_version, control_query_cpus,
	control_stop, control_cont, control_reset, control_powerdown, control_quit,
	control_snapshot;

/* keys.c */
/** USB HID usage (page 7) of a key by QEMU's name for it; 0: there is none. */
uint16_t control_key(const char *name);
/** What is pressed together for a character; a dead key's waits for a space. */
struct control_stroke {
	uint16_t usages[3];
	size_t count;
	bool dead;
};
/** False: the layout has no such character. */
bool control_stroke_for(uint32_t point, uint32_t layout, struct control_stroke *stroke);
/** The number of a layout ("us"); false: there is no such layout. */
bool control_layout(const char *name, uint32_t *layout);

/* screen.c */
control_command control_screendump, control_screen_text;

#endif
