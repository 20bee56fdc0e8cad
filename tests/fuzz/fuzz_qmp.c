/** Bytes as what a client sends to the control socket of a machine that is over: every request is answered by
 * one JSON object, and what is no request does no harm. */
// SPDX-License-Identifier: MIT
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/registry.h"
#include "resolver/resolver.h"
#include "tests/fuzz/check.h"
#include "tools/control/control_internal.h"

static struct mw_registry registry;
static struct mw_plan *plan;
static struct mw_machine *machine;

static void set_up(void)
{
	static const char *const search[] = { "." };
	struct mw_diagnostics diagnostics = { 0 };

	CHECK(mw_builtin_devices(&registry, &diagnostics));
	CHECK(mw_resolve(&plan,
			 &(struct mw_resolve_options){ .profile = "tests/fuzz/qtest.yaml",
						       .search = search,
						       .search_count = 1,
						       .registry = &registry },
			 &diagnostics));
	CHECK(mw_machine_build(&machine, plan, &diagnostics));
	mw_diagnostics_fini(&diagnostics);
}

static void check_answers(const struct control_text *answer)
{
	size_t at = 0;

	while (at < answer->count) {
		const char *end = memchr(answer->bytes + at, '\n', answer->count - at);
		json_t *message;

		CHECK(end);
		message =
			json_loadb(answer->bytes + at, (size_t)(end - answer->bytes) - at, 0, NULL);
		CHECK(json_is_object(message));
		CHECK(!json_object_get(message, "return") != !json_object_get(message, "error"));
		json_decref(message);
		at = (size_t)(end - answer->bytes) + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct mw_control control = { .machine = machine, .wake = -1 };
	size_t half = count / 2;

	if (!machine)
		set_up();
	control.machine = machine;
	pthread_mutex_init(&control.mutex, NULL);
	atomic_store(&control.ended, true);
	control.negotiated = count && bytes[0] % 8;
	/* However it is cut. */
	control_take(&control, (const char *)bytes, half);
	control_take(&control, (const char *)bytes + half, count - half);
	check_answers(&control.answer);
	control_frame_fini(&control.frame);
	free(control.answer.bytes);
	free(control.events.bytes);
	pthread_mutex_destroy(&control.mutex);
	return 0;
}
