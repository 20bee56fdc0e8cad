/* A display's picture in a file, as PNG: for scripts, and for machines that nobody looks at. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core/device.h"
#include "core/loop.h"
#include "devices/backend/connection.h"
#include "devices/backend/png_file.h"

struct png {
	const char *path;
	uint32_t every_ms;
	struct mw_display *display;
	/* private */
	bool opened, failed; /* and that was said */
	bool written;        /* the file is there */
	int timer;
	struct mw_watch *timer_watch;
};

/* The first one is written whatever it shows: whoever waits for the file finds it. */
static void on_frame(void *self, const struct mw_canvas *canvas, const struct mw_rect *changed)
{
	struct png *png = self;
	char why[160];

	if (!canvas->width || !canvas->height ||
	    (png->written && (!changed->width || !changed->height)))
		return;
	bool good = mw_png_write(png->path, canvas, why, sizeof(why));

	if (!good && !png->failed)
		mw_guest_log(png, "cannot write %s: %s", png->path, why);
	png->failed = !good;
	png->written |= good;
}

static void on_timer(void *self, unsigned events)
{
	struct png *png = self;
	uint64_t times;

	/* What could not be written is missing from the file. */
	if (read(png->timer, &times, sizeof(times)) > 0)
		mw_display_request(png->display, png->failed);
}

/* Host time: who looks at the file is the host's. */
static void arm(struct png *png, uint32_t ms)
{
	const struct timespec each = { ms / 1000, (long)(ms % 1000) * 1000000 };
	const struct itimerspec when = { .it_value = each, .it_interval = each };

	timerfd_settime(png->timer, 0, &when, NULL);
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct png *png = self;

	png->opened = true;
	png->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (png->timer < 0 ||
	    mw_watch_open(&png->timer_watch, png, png->timer, on_timer) != MW_STATUS_OK)
		return mw_connection_fail(png, diagnostics, "no timer: %s", strerror(errno));
	mw_watch_set(png->timer_watch, MW_READABLE);
	return true;
}

static void start(void *self)
{
	struct png *png = self;

	arm(png, png->every_ms);
}

static void stop(void *self)
{
	struct png *png = self;

	arm(png, 0);
	mw_display_request(png->display, png->failed);
}

static void fini(void *self)
{
	struct png *png = self;

	if (!png->opened)
		return;
	mw_watch_close(png->timer_watch);
	if (png->timer >= 0)
		close(png->timer);
	png->opened = false;
}

static const struct mw_property properties[] = {
	{ "path",
	  "The file; each picture takes the place of the one before, so that it is whole at any "
	  "time.",
	  MW_FIELD(struct png, path), .required = true, .is_path = true, .is_written = true },
	{ "every_ms", "How often it is looked whether the picture has changed.",
	  MW_FIELD(struct png, every_ms), .fallback = 1000, .min = 1000, .max = 3600000 },
};
static const struct mw_wire wires[] = {
	{ "display", "The display that is written.", MW_FIELD(struct png, display),
	  .on_frame = on_frame },
};

const struct mw_device_type png_type = {
	MW_DEVICE_TYPE,
	.name = "png",
	.summary = "a display's picture in a PNG file, when it changes and at the end",
	.size = sizeof(struct png),
	.state_version = 1,
	.backend = "png",
	.main_property = "path",
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.ops = { .init = init, .start = start, .stop = stop, .fini = fini },
};
