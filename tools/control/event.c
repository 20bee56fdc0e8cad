/* Events: what happened to the machine, told to the client that listens (QEMU 7.2, qapi/run-state.json). */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "tools/control/control_internal.h"
#include "tools/guard.h"

/* Of a client that does not read. */
enum { MOST_EVENT_BYTES = 1 << 16 };

static json_t *timestamp(void)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	return json_pack("{s:I, s:I}", "seconds", (json_int_t)now.tv_sec, "microseconds",
			 (json_int_t)now.tv_usec);
}

void control_event(struct mw_control *control, const char *name, json_t *data)
{
	json_t *event = json_pack("{s:o, s:s}", "timestamp", timestamp(), "event", name);
	char *text;

	if (data)
		json_object_set_new(event, "data", data);
	text = json_dumps(event, 0);
	json_decref(event);
	if (!text)
		return;
	pthread_mutex_lock(&control->mutex);
	if (control->events.count < MOST_EVENT_BYTES) {
		control_append(&control->events, text, strlen(text));
		control_append(&control->events, "\r\n", 2);
	}
	pthread_mutex_unlock(&control->mutex);
	free(text);
	control_wake(control);
}

static json_t *reason(bool guest, const char *text)
{
	return json_pack("{s:b, s:s}", "guest", guest, "reason", text);
}

static const char *guest_reason(enum mw_power_event cause)
{
	switch (cause) {
	case MW_POWER_RESET:
	case MW_POWER_TRIPLE_FAULT: return "guest-reset";
	case MW_POWER_PANIC: return "guest-panic";
	case MW_POWER_OFF:
	case MW_POWER_EXIT: break;
	}
	return "guest-shutdown";
}

static json_t *reset_reason(struct mw_control *control, enum mw_power_event cause)
{
	if (atomic_exchange(&control->resetting, false))
		return reason(false, "host-qmp-system-reset");
	return reason(true, guest_reason(cause));
}

static json_t *end_reason(struct mw_control *control, enum mw_power_event cause)
{
	if (mw_guard_ended_by())
		return reason(false, "host-signal");
	if (atomic_load(&control->quitting))
		return reason(false, "host-qmp-quit");
	return reason(true, guest_reason(cause));
}

void control_on_event(void *context, enum mw_machine_event event, enum mw_power_event cause)
{
	struct mw_control *control = context;

	switch (event) {
	case MW_MACHINE_PAUSED: control_event(control, "STOP", NULL); break;
	case MW_MACHINE_RESUMED: control_event(control, "RESUME", NULL); break;
	case MW_MACHINE_WAS_RESET:
		control_event(control, "RESET", reset_reason(control, cause));
		break;
	case MW_MACHINE_ENDED:
		atomic_store(&control->ended, true);
		control_event(control, "SHUTDOWN", end_reason(control, cause));
		break;
	}
}
