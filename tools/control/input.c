/* Commands that press keys and move the pointer (QEMU 7.2, qapi/ui.json). A device that has no room is asked
 * again, so that a guest that reads slowly loses nothing. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/text.h"
#include "devices/backend/keymap.h"
#include "tools/control/control_internal.h"

enum { HOLD_MS = 100, MOST_HOLD_MS = 10000, RETRY_MS = 5, MOST_RETRIES = 400 };
/* Firmware keeps 15 characters, and some guests ask for them rarely. */
enum { BETWEEN_KEYS_MS = 20, MOST_KEYS = 16, MOST_EVENTS = 256, MOST_TEXT = 1024 };

struct attempt {
	const struct mw_input_event *event;
	enum mw_status status;
};

static void attempt(void *context, struct mw_machine *machine)
{
	struct attempt *attempt = context;

	attempt->status = mw_machine_input(machine, attempt->event);
}

/* A key that ended the machine needs no release. */
static bool is_release(const struct mw_input_event *event)
{
	return event->kind == MW_INPUT_KEY && !event->pressed;
}

static bool send(struct mw_control *control, const struct mw_input_event *event,
		 struct control_error *error)
{
	struct attempt once = { event, MW_STATUS_BUSY };

	for (unsigned i = 0; i < MOST_RETRIES; i++) {
		if (!control_on_main(control, attempt, &once))
			return is_release(event) || control_fail(error, "the machine is over");
		if (once.status != MW_STATUS_BUSY)
			break;
		control_sleep(control, RETRY_MS);
	}
	if (once.status == MW_STATUS_BUSY)
		return control_fail(error, "the guest takes no more keys or movements");
	if (once.status != MW_STATUS_OK)
		return control_fail(error, "the machine has no %s",
				    event->kind == MW_INPUT_KEY ? "keyboard" : "pointer");
	return true;
}

static bool send_key(struct mw_control *control, uint16_t usage, bool pressed,
		     struct control_error *error)
{
	return send(
		control,
		&(struct mw_input_event){ .kind = MW_INPUT_KEY, .code = usage, .pressed = pressed },
		error);
}

static const json_t *member(const json_t *object, const char *where, const char *name,
			    json_type type, struct control_error *error)
{
	const json_t *value = json_object_get(object, name);

	if (!value) {
		control_fail(error, "Parameter '%s.%s' is missing", where, name);
		return NULL;
	}
	/* true and false are two types. */
	if (type == JSON_TRUE ? json_is_boolean(value) : json_typeof(value) == type)
		return value;
	control_fail(error, "Invalid parameter type for '%s.%s'", where, name);
	return NULL;
}

static const char *text_of(const json_t *object, const char *where, const char *name,
			   struct control_error *error)
{
	const json_t *value = member(object, where, name, JSON_STRING, error);

	return value ? json_string_value(value) : NULL;
}

/** A KeyValue: by QEMU's name; scan codes belong to one keyboard, and there may be another. */
static uint16_t usage_of(const json_t *key, struct control_error *error)
{
	const char *type, *name;
	uint16_t usage;

	if (!json_is_object(key)) {
		control_fail(error, "Invalid parameter type for 'key', expected: object");
		return 0;
	}
	type = text_of(key, "key", "type", error);
	if (!type)
		return 0;
	if (strcmp(type, "qcode") != 0) {
		control_fail(error, "Parameter 'type' does not accept value '%.40s'", type);
		return 0;
	}
	name = text_of(key, "key", "data", error);
	if (!name)
		return 0;
	usage = control_key(name);
	if (!usage)
		control_fail(error, "Parameter 'data' does not accept value '%.40s'", name);
	return usage;
}

/** Presses all in order; what is pressed is released, whatever happens. */
static bool press_together(struct mw_control *control, const uint16_t *usages, size_t count,
			   unsigned hold_ms, struct control_error *error)
{
	struct control_error ignored;
	size_t pressed = 0;
	bool good = true;

	while (good && pressed < count) {
		good = send_key(control, usages[pressed], true, error);
		pressed += good;
	}
	if (good)
		control_sleep(control, hold_ms);
	while (pressed) {
		bool released =
			send_key(control, usages[--pressed], false, good ? error : &ignored);

		good &= released;
	}
	return good;
}

json_t *control_send_key(struct mw_control *control, const json_t *arguments,
			 struct control_error *error)
{
	const json_t *keys = json_object_get(arguments, "keys");
	const json_t *hold = json_object_get(arguments, "hold-time");
	json_int_t hold_ms = hold ? json_integer_value(hold) : HOLD_MS;
	uint16_t usages[MOST_KEYS];
	size_t count = json_array_size(keys);

	if (count > MOST_KEYS)
		return control_fail(error, "at most %d keys at once", MOST_KEYS);
	if (hold_ms > MOST_HOLD_MS)
		return control_fail(error, "keys are held for at most %d ms", MOST_HOLD_MS);
	for (size_t i = 0; i < count; i++) {
		usages[i] = usage_of(json_array_get(keys, i), error);
		if (!usages[i])
			return NULL;
	}
	if (!press_together(control, usages, count, hold_ms > 0 ? (unsigned)hold_ms : 0, error))
		return NULL;
	return json_object();
}

static bool read_key(const json_t *data, struct mw_input_event *event, struct control_error *error)
{
	const json_t *key = member(data, "data", "key", JSON_OBJECT, error);
	const json_t *down = member(data, "data", "down", JSON_TRUE, error);

	if (!key || !down)
		return false;
	event->kind = MW_INPUT_KEY;
	event->code = usage_of(key, error);
	event->pressed = json_is_true(down);
	return event->code;
}

static bool read_button(const json_t *data, struct mw_input_event *event,
			struct control_error *error)
{
	static const char *const names[] = { "left",  "right",    "middle",    "side",
					     "extra", "wheel-up", "wheel-down" };
	enum { WHEEL_UP = 5, NAMES = 7 };
	const char *name = text_of(data, "data", "button", error);
	const json_t *down = member(data, "data", "down", JSON_TRUE, error);
	unsigned found = 0;

	if (!name || !down)
		return false;
	while (found < NAMES && strcmp(names[found], name) != 0)
		found++;
	if (found == NAMES)
		return control_fail(error, "Parameter 'button' does not accept value '%.40s'",
				    name);
	event->kind = MW_INPUT_BUTTON;
	event->code = (uint16_t)found;
	event->pressed = json_is_true(down);
	if (found >= WHEEL_UP)
		*event = (struct mw_input_event){ .kind = MW_INPUT_WHEEL,
						  .y = !json_is_true(down) ? 0
						       : found == WHEEL_UP ? 1
									   : -1 };
	return true;
}

static bool read_movement(const json_t *data, struct mw_input_event *event,
			  struct control_error *error)
{
	const char *axis = text_of(data, "data", "axis", error);
	const json_t *value = member(data, "data", "value", JSON_INTEGER, error);

	if (!axis || !value)
		return false;
	if (strcmp(axis, "x") != 0 && strcmp(axis, "y") != 0)
		return control_fail(error, "Parameter 'axis' does not accept value '%.40s'", axis);
	json_int_t way = json_integer_value(value);

	if (way < INT16_MIN || way > INT16_MAX)
		return control_fail(error, "a movement of more than 32767");
	event->kind = MW_INPUT_MOVE;
	*(axis[0] == 'x' ? &event->x : &event->y) = (int32_t)way;
	return true;
}

static bool read_event(const json_t *object, struct mw_input_event *event,
		       struct control_error *error)
{
	static const struct {
		const char *type;
		bool (*read)(const json_t *data, struct mw_input_event *event,
			     struct control_error *error);
	} kinds[] = { { "key", read_key }, { "btn", read_button }, { "rel", read_movement } };
	const char *type;
	const json_t *data;

	*event = (struct mw_input_event){ 0 };
	if (!json_is_object(object))
		return control_fail(error, "Invalid parameter type for 'events', expected: array");
	type = text_of(object, "events", "type", error);
	if (!type)
		return false;
	data = member(object, "events", "data", JSON_OBJECT, error);
	for (size_t i = 0; data && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].type, type) == 0)
			return kinds[i].read(data, event, error);
	if (data)
		control_fail(error, "Parameter 'type' does not accept value '%.40s'", type);
	return false;
}

/* All are read before the first is sent. */
json_t *control_input_send_event(struct mw_control *control, const json_t *arguments,
				 struct control_error *error)
{
	const json_t *events = json_object_get(arguments, "events");
	size_t count = json_array_size(events);
	struct mw_input_event read[MOST_EVENTS];

	if (count > MOST_EVENTS)
		return control_fail(error, "at most %d events at once", MOST_EVENTS);
	for (size_t i = 0; i < count; i++)
		if (!read_event(json_array_get(events, i), &read[i], error))
			return NULL;
	for (size_t i = 0; i < count; i++) {
		bool nothing = read[i].kind == MW_INPUT_WHEEL && !read[i].y;

		if (!nothing && !send(control, &read[i], error))
			return NULL;
	}
	return json_object();
}

static bool press_stroke(struct mw_control *control, const struct control_stroke *stroke,
			 struct control_error *error)
{
	bool pressed = press_together(control, stroke->usages, stroke->count, 0, error);

	control_sleep(control, BETWEEN_KEYS_MS);
	return pressed;
}

static bool type_character(struct mw_control *control, uint32_t point, uint32_t layout,
			   struct control_error *error)
{
	struct control_stroke stroke, space;

	return control_stroke_for(point, layout, &stroke) &&
	       press_stroke(control, &stroke, error) &&
	       (!stroke.dead ||
		(control_stroke_for(' ', layout, &space) && press_stroke(control, &space, error)));
}

/* All of it can be typed, or nothing is. */
static bool check_text(const char *text, size_t length, uint32_t layout,
		       struct control_error *error)
{
	struct control_stroke stroke;
	uint32_t point;
	unsigned character = 0;

	for (size_t i = 0; i < length;) {
		i += mw_utf8_decode(text + i, length - i, &point);
		character++;
		if (!control_stroke_for(point, layout, &stroke))
			return control_fail(error, "character %u is on no key of a %s keyboard",
					    character, mw_keymap_names[layout]);
	}
	return true;
}

json_t *control_type(struct mw_control *control, const json_t *arguments,
		     struct control_error *error)
{
	const json_t *typed = json_object_get(arguments, "text");
	const char *name = json_string_value(json_object_get(arguments, "layout"));
	const char *text = json_string_value(typed);
	size_t length = json_string_length(typed);
	uint32_t layout = 0, point;

	if (length > MOST_TEXT)
		return control_fail(error, "at most %d characters at once", MOST_TEXT);
	if (name && !control_layout(name, &layout))
		return control_fail(error, "Parameter 'layout' does not accept value '%.40s'",
				    name);
	if (!check_text(text, length, layout, error))
		return NULL;
	for (size_t i = 0; i < length;) {
		i += mw_utf8_decode(text + i, length - i, &point);
		if (!type_character(control, point, layout, error))
			return NULL;
	}
	return json_object();
}
