/* PNG (W3C Recommendation, second edition) by libpng 1.6. */
// SPDX-License-Identifier: MIT
#include "devices/backend/png_file.h"

#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Fast; screens have few colours. */
enum { LEVEL = 3, ROW_BYTES = MW_CANVAS_MAX * 3, PATH_BYTES = 4096 };

/** One file on its way; what libpng has to say is kept. */
struct writing {
	char *why;
	size_t capacity;
	FILE *out;
	png_struct *png;
	png_info *info;
};

static void on_error(png_struct *png, const char *message)
{
	struct writing *writing = png_get_error_ptr(png);

	snprintf(writing->why, writing->capacity, "%s", errno ? strerror(errno) : message);
	longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_struct *png, const char *message)
{
}

static void put_row(png_struct *png, const uint32_t *pixels, uint32_t width)
{
	uint8_t row[ROW_BYTES], *at = row;

	for (uint32_t x = 0; x < width; x++) {
		*at++ = (uint8_t)(pixels[x] >> 16);
		*at++ = (uint8_t)(pixels[x] >> 8);
		*at++ = (uint8_t)pixels[x];
	}
	png_write_row(png, row);
}

/* What libpng jumps over has no state of its own here. */
static bool put_picture(struct writing *writing, const struct mw_canvas *canvas)
{
	png_struct *png = writing->png;

	errno = 0;
	if (setjmp(png_jmpbuf(png)))
		return false;
	png_init_io(png, writing->out);
	png_set_compression_level(png, LEVEL);
	png_set_IHDR(png, writing->info, canvas->width, canvas->height, 8, PNG_COLOR_TYPE_RGB,
		     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, writing->info);
	for (uint32_t y = 0; y < canvas->height; y++)
		put_row(png, canvas->pixels + (size_t)y * canvas->width, canvas->width);
	png_write_end(png, writing->info);
	return true;
}

static bool write_to(struct writing *writing, const struct mw_canvas *canvas)
{
	writing->png =
		png_create_write_struct(PNG_LIBPNG_VER_STRING, writing, on_error, on_warning);
	if (writing->png)
		writing->info = png_create_info_struct(writing->png);
	bool good = writing->info && put_picture(writing, canvas);

	if (!writing->info)
		snprintf(writing->why, writing->capacity, "libpng does not start");
	png_destroy_write_struct(&writing->png, &writing->info);
	return good;
}

static bool fail(char *why, size_t capacity)
{
	snprintf(why, capacity, "%s", strerror(errno));
	return false;
}

static bool write_part(const char *part, const struct mw_canvas *canvas, char *why, size_t capacity)
{
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	struct writing writing = { .why = why, .capacity = capacity };

	if (fd < 0)
		return fail(why, capacity);
	writing.out = fdopen(fd, "wb");
	if (!writing.out) {
		close(fd);
		return fail(why, capacity);
	}
	bool good = write_to(&writing, canvas);

	if (fclose(writing.out) != 0 && good)
		return fail(why, capacity);
	return good;
}

bool mw_png_write(const char *path, const struct mw_canvas *canvas, char *why, size_t capacity)
{
	char part[PATH_BYTES];
	int length = snprintf(part, sizeof(part), "%s.part", path);

	if (!canvas->width || !canvas->height || canvas->width > MW_CANVAS_MAX) {
		snprintf(why, capacity, "there is no picture");
		return false;
	}
	if (length < 0 || (size_t)length >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return fail(why, capacity);
	}
	bool good = write_part(part, canvas, why, capacity);

	if (good && rename(part, path) < 0)
		good = fail(why, capacity);
	if (!good)
		unlink(part);
	return good;
}
