/* An adapter and a keyboard of the bench's. */
// SPDX-License-Identifier: MIT
#include "tests/support/screens.h"

static void on_draw(void *self, struct mw_canvas *canvas, bool whole, struct mw_rect *changed)
{
	struct fake_display *fake = self;

	fake->draws++;
	fake->whole += whole;
	if (mw_canvas_size(canvas, fake->width, fake->height) || whole)
		fake->changed = (struct mw_rect){ .width = fake->width, .height = fake->height };
	for (uint32_t y = 0; y < canvas->height; y++) {
		for (uint32_t x = 0; x < canvas->width; x++) {
			bool near = x < FAKE_SIDE && y < FAKE_SIDE;

			canvas->pixels[y * canvas->width + x] =
				near ? fake->pixels[y * FAKE_SIDE + x] : FAKE_FAR;
		}
	}
	*changed = fake->changed;
	fake->changed = (struct mw_rect){ 0 };
}

static const struct mw_wire display_wires[] = {
	{ "display", "Who shows the picture.", MW_FIELD(struct fake_display, display),
	  .on_draw = on_draw },
};

const struct mw_device_type fake_display_type = {
	MW_DEVICE_TYPE,
	.name = "fake-display",
	.summary = "a display adapter that shows what a test has painted",
	.size = sizeof(struct fake_display),
	.state_version = 1,
	.wires = MW_TABLE(display_wires),
};

static bool on_input(void *self, const struct mw_input_event *event)
{
	struct fake_input *fake = self;

	if (fake->count == FAKE_EVENTS)
		return false;
	fake->events[fake->count++] = *event;
	return true;
}

static const struct mw_wire input_wires[] = {
	{ "input", "Who sends.", .kind = MW_INPUT, .direction = MW_RECEIVES, .on_input = on_input,
	  .takes = 1u << MW_INPUT_KEY | 1u << MW_INPUT_BUTTON | 1u << MW_INPUT_MOVE |
		   1u << MW_INPUT_WHEEL },
};

const struct mw_device_type fake_input_type = {
	MW_DEVICE_TYPE,
	.name = "fake-input",
	.summary = "a keyboard and a mouse that write down what they are sent",
	.size = sizeof(struct fake_input),
	.state_version = 1,
	.wires = MW_TABLE(input_wires),
};
