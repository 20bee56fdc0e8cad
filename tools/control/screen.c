/* Pictures of the screen (QEMU 7.2, qapi/ui.json), and the text on it. Drawn on the main thread; the client's
 * writes the file. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/backend/png_file.h"
#include "tools/control/control_internal.h"

/* 4096 pixels each way hold no more characters of 8 by 8, and none of UTF-8 has more than 4 bytes. */
enum { MOST_TEXT = 512 * 513 * 4 };

struct look {
	long node;
	struct mw_canvas canvas;
	char *text; /* MOST_TEXT bytes, or NULL: the picture is wanted */
	size_t length;
	bool found;
};

static void draw(void *context, struct mw_machine *machine)
{
	struct look *look = context;

	if (look->text)
		look->found = mw_machine_screen_text(machine, (size_t)look->node, look->text,
						     MOST_TEXT, &look->length);
	else
		look->found = mw_machine_draw(machine, (size_t)look->node, &look->canvas);
}

/* By a display adapter's name; without one, the first. */
static bool look_at(struct mw_control *control, const char *id, struct look *look,
		    struct control_error *error)
{
	look->node = id ? mw_plan_find(mw_machine_plan(control->machine), id)
			: mw_machine_display(control->machine, 0);
	if (look->node < 0)
		return id ? control_fail(error, "the machine has no node `%.60s`", id)
			  : control_fail(error, "the machine has no display");
	if (!control_on_main(control, draw, look))
		return control_fail(error, "the machine is over");
	return look->found || control_fail(error, "`%.60s` has no %s", id ? id : "the display",
					   look->text ? "text" : "picture");
}

static bool write_ppm(const char *path, const struct mw_canvas *canvas, char *why, size_t capacity)
{
	FILE *out = fopen(path, "wbe");

	if (!out) {
		snprintf(why, capacity, "%s", strerror(errno));
		return false;
	}
	fprintf(out, "P6\n%u %u\n255\n", canvas->width, canvas->height);
	for (size_t i = 0; i < (size_t)canvas->width * canvas->height; i++) {
		fputc((int)(canvas->pixels[i] >> 16 & 0xff), out);
		fputc((int)(canvas->pixels[i] >> 8 & 0xff), out);
		fputc((int)(canvas->pixels[i] & 0xff), out);
	}
	bool good = !ferror(out);

	if (fclose(out) == 0 && good)
		return true;
	snprintf(why, capacity, "%s", strerror(errno));
	return false;
}

json_t *control_screendump(struct mw_control *control, const json_t *arguments,
			   struct control_error *error)
{
	const char *path = json_string_value(json_object_get(arguments, "filename"));
	const char *format = json_string_value(json_object_get(arguments, "format"));
	const char *id = json_string_value(json_object_get(arguments, "device"));
	bool ppm = !format || strcmp(format, "ppm") == 0;
	struct look look = { 0 };
	char why[160] = "";

	if (!ppm && strcmp(format, "png") != 0)
		return control_fail(error, "Parameter 'format' does not accept value '%.40s'",
				    format);
	bool good = look_at(control, id, &look, error);

	if (good && (!look.canvas.width || !look.canvas.height))
		good = control_fail(error, "the screen is off");
	else if (good && !(ppm ? write_ppm : mw_png_write)(path, &look.canvas, why, sizeof(why)))
		good = control_fail(error, "cannot write %.160s: %s", path, why);
	free(look.canvas.pixels);
	return good ? json_object() : NULL;
}

json_t *control_screen_text(struct mw_control *control, const json_t *arguments,
			    struct control_error *error)
{
	const char *id = json_string_value(json_object_get(arguments, "node"));
	struct look look = { .text = mw_alloc(MOST_TEXT, 1) };
	json_t *result = NULL;

	if (look_at(control, id, &look, error)) {
		result = json_pack("{s:s%}", "text", look.text, look.length);
		if (!result)
			control_fail(error, "the text is no UTF-8");
	}
	free(look.text);
	return result;
}
