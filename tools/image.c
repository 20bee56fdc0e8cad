/** `millwright image`: makes overlays, and tells about them. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "devices/backend/overlay.h"
#include "tools/verbs.h"

enum { COPY_BYTES = 1 << 20 };

static const struct mw_example examples[] = {
	{ "millwright image create disk.img changes.qcow2",
	  "Make an overlay; disk.img is not written." },
	{ "millwright image info changes.qcow2", "See what it is over, and how much it holds." },
	{ "millwright image commit changes.qcow2", "Write the changes into disk.img." },
	{ 0 },
};

/** An overlay with its base, opened by the overlay's name alone. */
struct pair {
	char base_path[PATH_MAX];
	struct mw_medium base, file;
	struct mw_qcow2_info info;
	struct mw_qcow2 *image;
};

static int complain(const char *path, const struct mw_why *why)
{
	fprintf(stderr, "millwright image: %s: %s\n", path, why->text);
	return MW_EXIT_FAILED;
}

static bool open_base(struct pair *pair, const char *path, bool write, struct mw_why *why)
{
	const struct mw_medium_options options = { .write = write };
	struct mw_why reason;

	if (!pair->info.backing[0])
		return mw_why_set(why, "it is no overlay: it has no backing file");
	if (!mw_overlay_backing(&pair->info, path, pair->base_path, sizeof(pair->base_path)))
		return mw_why_set(why, "the name of its backing file is too long");
	return mw_medium_open(&pair->base, pair->base_path, &options, &reason) ||
	       mw_why_set(why, "its backing file %.150s: %.100s", pair->base_path, reason.text);
}

static bool open_pair(struct pair *pair, const char *path, bool write, struct mw_why *why)
{
	const struct mw_medium_options options = { .write = write };

	*pair = (struct pair){ 0 };
	return mw_medium_open(&pair->file, path, &options, why) &&
	       mw_qcow2_info(&pair->file, &pair->info, why) && open_base(pair, path, write, why) &&
	       mw_qcow2_open(&pair->image, &pair->file, &pair->base, why);
}

static bool close_pair(struct pair *pair)
{
	bool good = mw_qcow2_close(pair->image);

	mw_medium_close(&pair->file);
	mw_medium_close(&pair->base);
	return good;
}

static int create(const struct mw_arguments *arguments)
{
	struct mw_why why;

	if (mw_overlay_create(arguments->operands[1], arguments->operands[2], &why))
		return MW_EXIT_OK;
	fprintf(stderr, "millwright image: %s\n", why.text);
	return MW_EXIT_FAILED;
}

static bool count_own(struct mw_qcow2 *image, uint64_t *bytes)
{
	uint64_t size = mw_qcow2_size(image), part;
	bool own;

	*bytes = 0;
	for (uint64_t at = 0; at < size; at += part) {
		part = mw_qcow2_extent(image, at, &own);
		if (!part)
			return false;
		*bytes += own ? part : 0;
	}
	return true;
}

/* What a file says of itself may not speak to the terminal. */
static void print_name(const char *name)
{
	for (; *name; name++)
		putchar((unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name);
}

static int info(const struct mw_arguments *arguments)
{
	const char *path = arguments->operands[1];
	struct mw_why why, unfit;
	struct pair pair;
	uint64_t own = 0;
	bool good = open_pair(&pair, path, false, &why), fits = false;

	if (good && !count_own(pair.image, &own))
		good = mw_why_set(&why, "it cannot be read");
	if (good) {
		fits = mw_overlay_fits(&pair.info, path, &pair.base, false, &unfit);
		printf("size: %" PRIu64 "\nown: %" PRIu64 "\nfile: %" PRIu64 "\nbase: ",
		       pair.info.size, own, pair.file.size);
		print_name(pair.base_path);
		printf("\nbase is: %s\n", fits ? "unchanged" : unfit.text);
	}
	close_pair(&pair);
	return good ? MW_EXIT_OK : complain(path, &why);
}

static int check(const struct mw_arguments *arguments)
{
	const char *path = arguments->operands[1];
	struct pair pair;
	struct mw_why why;
	bool good = open_pair(&pair, path, false, &why) &&
		    mw_overlay_fits(&pair.info, path, &pair.base, false, &why);

	close_pair(&pair);
	return good ? MW_EXIT_OK : complain(path, &why);
}

static bool copy_range(struct pair *pair, uint64_t at, uint64_t count, uint8_t *bytes)
{
	while (count) {
		size_t part = count < COPY_BYTES ? (size_t)count : COPY_BYTES;

		if (!mw_qcow2_read(pair->image, at, bytes, part) ||
		    !mw_medium_write(&pair->base, at, bytes, part))
			return false;
		at += part;
		count -= part;
	}
	return true;
}

static bool copy_own(struct pair *pair)
{
	uint64_t size = pair->base.size, part;
	uint8_t *bytes = mw_alloc(1, COPY_BYTES);
	bool good = true, own;

	for (uint64_t at = 0; at < size && good; at += part) {
		part = mw_qcow2_extent(pair->image, at, &own);
		good = part > 0;
		if (good && part > size - at)
			part = size - at;
		good = good && (!own || copy_range(pair, at, part, bytes));
	}
	free(bytes);
	return good && mw_medium_flush(&pair->base);
}

/* From the first byte that is written the base is no longer what the overlay was made over, which is why the overlay
 * says so before. Until the empty overlay has taken the place of the full one, the full one says the same as the base. */
static bool replace(struct pair *pair, const char *path, struct mw_why *why)
{
	char fresh[PATH_MAX];
	int length = snprintf(fresh, sizeof(fresh), "%s.%ld.new", path, (long)getpid());

	mw_medium_close(&pair->base);
	if (length < 0 || (size_t)length >= sizeof(fresh))
		return mw_why_set(why, "its name is too long");
	unlink(fresh);
	if (!mw_overlay_create(pair->base_path, fresh, why))
		return false;
	if (rename(fresh, path) == 0)
		return true;
	mw_why_set(why, "%s", strerror(errno));
	unlink(fresh);
	return false;
}

static int commit(const struct mw_arguments *arguments)
{
	const char *path = arguments->operands[1];
	struct pair pair;
	struct mw_why why;
	bool good = open_pair(&pair, path, true, &why) &&
		    mw_overlay_fits(&pair.info, path, &pair.base, true, &why);

	if (good && pair.info.size > (pair.base.size + 511) / 512 * 512)
		good = mw_why_set(&why, "its disk is larger than its base");
	if (good && !mw_qcow2_begin_merge(&pair.file, &pair.info))
		good = mw_why_set(&why, "it cannot be written");
	if (good && !copy_own(&pair))
		good = mw_why_set(&why,
				  "the base cannot be written; what was begun goes on with the "
				  "next commit");
	good = good && replace(&pair, path, &why);
	close_pair(&pair);
	return good ? MW_EXIT_OK : complain(path, &why);
}

static int image(const struct mw_arguments *arguments)
{
	static const struct {
		const char *name;
		size_t operands;
		int (*run)(const struct mw_arguments *arguments);
	} rows[] = { { "create", 3, create },
		     { "info", 2, info },
		     { "check", 2, check },
		     { "commit", 2, commit } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].name, arguments->operands[0]) == 0 &&
		    rows[i].operands == arguments->operand_count)
			return rows[i].run(arguments);
	}
	fputs("millwright image: expected create BASE FILE, info FILE, check FILE or commit FILE\n"
	      "Try `millwright help image`.\n",
	      stderr);
	return MW_EXIT_USAGE;
}

const struct mw_verb mw_verb_image = {
	.name = "image",
	.summary = "Make overlay images, look at them, write them back.",
	.operands = "create BASE FILE | info FILE | check FILE | commit FILE",
	.min_operands = 2,
	.max_operands = 3,
	.details =
		"An overlay is a qcow2 file that holds what a machine has changed on the raw image "
		"BASE, "
		"which is only read; the backend `overlay` uses it. `info` says how much it holds, "
		"`check` whether it is whole and its base unchanged, `commit` writes the changes "
		"into the base and empties the overlay; one that was interrupted goes on with the "
		"next `commit`, and no machine takes the overlay before that. `qemu-img` reads "
		"these files too. "
		"No machine may be using the overlay meanwhile.",
	.examples = examples,
	.exits = "0; 1 when a file cannot be used or does not fit its base; 2 for usage.",
	.run = image,
};
