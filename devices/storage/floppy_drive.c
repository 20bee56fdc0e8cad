/* A floppy disk drive and the disk in it, from 160K to 3.84M. References: IBM PC/AT Technical Reference (1984) and
 * the specifications of Sony's MP-F17W and TEAC's FD-55GFR for the signals; Linux, fd(4), for formats beyond IBM's. */
// SPDX-License-Identifier: MIT
#include "devices/bus/floppy.h"

#include <inttypes.h>
#include <string.h>

#include "core/diagnostics.h"

enum { TYPE_360K, TYPE_1200K, TYPE_720K, TYPE_1440K, TYPE_2880K, TYPE_AUTO };
/* As a controller's rate select has them; a mask has 1u << rate. */
enum { RATE_500K, RATE_300K, RATE_250K, RATE_1M };
enum {
	DOUBLE = 1u << RATE_250K | 1u << RATE_300K,
	HIGH = 1u << RATE_500K,
	EXTRA = 1u << RATE_1M,
	DOUBLE_SECTORS = 14,
	HIGH_SECTORS = 24
};
enum { FEW_CYLINDERS = 42, MANY_CYLINDERS = 84 };
enum { NAME_BYTES = 200 };

struct floppy_drive {
	/* Configuration and wiring. */
	uint32_t type;
	struct mw_image *image;
	void *controller;
	const struct mw_floppy_controller *cable;
	/* What is under way; nothing is, while the machine is stopped. */
	struct mw_image_request transfer, flush;
	uint8_t bytes[MW_FLOPPY_SECTOR_BYTES];
	/* State. */
	uint8_t cylinder, kind; /* `kind`: its type, chosen where that is `auto` */
	bool motor, disk_change, written;
};

struct format {
	uint8_t cylinders, heads, sectors, type; /* `type`: of the drive that it is for */
};

/* By size: IBM's, Microsoft's DMF, and what Linux and others have made of the rest. */
static const struct format formats[] = {
	{ 40, 1, 8, TYPE_360K },   { 40, 1, 9, TYPE_360K },   { 40, 2, 8, TYPE_360K },
	{ 40, 2, 9, TYPE_360K },   { 40, 2, 10, TYPE_360K },  { 41, 2, 10, TYPE_360K },
	{ 42, 2, 10, TYPE_360K },  { 80, 2, 8, TYPE_720K },   { 80, 2, 9, TYPE_720K },
	{ 82, 2, 9, TYPE_720K },   { 80, 2, 10, TYPE_720K },  { 82, 2, 10, TYPE_720K },
	{ 83, 2, 10, TYPE_720K },  { 80, 2, 11, TYPE_720K },  { 80, 2, 12, TYPE_720K },
	{ 80, 2, 13, TYPE_720K },  { 80, 2, 14, TYPE_720K },  { 80, 2, 15, TYPE_1200K },
	{ 80, 2, 16, TYPE_1440K }, { 80, 2, 17, TYPE_1440K }, { 80, 2, 18, TYPE_1440K },
	{ 82, 2, 18, TYPE_1440K }, { 83, 2, 18, TYPE_1440K }, { 80, 2, 20, TYPE_1440K },
	{ 80, 2, 21, TYPE_1440K }, { 82, 2, 21, TYPE_1440K }, { 83, 2, 21, TYPE_1440K },
	{ 80, 2, 22, TYPE_1440K }, { 82, 2, 22, TYPE_1440K }, { 80, 2, 23, TYPE_1440K },
	{ 80, 2, 24, TYPE_1440K }, { 80, 2, 36, TYPE_2880K }, { 80, 2, 39, TYPE_2880K },
	{ 80, 2, 40, TYPE_2880K }, { 80, 2, 44, TYPE_2880K }, { 80, 2, 48, TYPE_2880K },
};

/* What each type of drive can do, and the disk it is named after. */
static const struct kind {
	uint8_t cylinders, rates;
	bool small; /* 5.25 inches */
	struct format native;
} kinds[] = {
	[TYPE_360K] = { FEW_CYLINDERS, DOUBLE, true, { 40, 2, 9, TYPE_360K } },
	[TYPE_1200K] = { MANY_CYLINDERS, DOUBLE | HIGH, true, { 80, 2, 15, TYPE_1200K } },
	[TYPE_720K] = { MANY_CYLINDERS, DOUBLE, false, { 80, 2, 9, TYPE_720K } },
	[TYPE_1440K] = { MANY_CYLINDERS, DOUBLE | HIGH, false, { 80, 2, 18, TYPE_1440K } },
	[TYPE_2880K] = { MANY_CYLINDERS, DOUBLE | HIGH | EXTRA, false, { 80, 2, 36, TYPE_2880K } },
};

static uint64_t format_bytes(const struct format *format)
{
	return (uint64_t)format->cylinders * format->heads * format->sectors *
	       MW_FLOPPY_SECTOR_BYTES;
}

/* Of an image of this size, or of the next larger one; NULL: nothing is there, or no floppy disk. */
static const struct format *format_by_size(uint64_t size)
{
	for (size_t i = 0; size && i < sizeof(formats) / sizeof(formats[0]); i++)
		if (size <= format_bytes(&formats[i]))
			return &formats[i];
	return NULL;
}

/* An image of no format's size was cut short: it is the drive's own format if that has room for it, and reads
 * as zeros behind its end. */
static const struct format *format_of(const struct floppy_drive *drive)
{
	uint64_t size = mw_image_size(drive->image);
	const struct format *format = format_by_size(size), *native = &kinds[drive->kind].native;

	if (!format || size == format_bytes(format) || size > format_bytes(native))
		return format;
	return native;
}

/* Disks of double density go by two clocks: a drive of 5.25 inches turns at 300 or 360 rpm, and firmware is
 * not of one mind which it has. */
static unsigned rates_of(const struct format *format)
{
	if (format->sectors <= DOUBLE_SECTORS)
		return DOUBLE;
	return format->sectors <= HIGH_SECTORS ? HIGH : EXTRA;
}

static void motor(void *self, bool on)
{
	struct floppy_drive *drive = self;

	drive->motor = on;
	if (on || !drive->written || drive->flush.pending)
		return;
	drive->written = false;
	drive->flush = (struct mw_image_request){ .op = MW_IMAGE_FLUSH };
	mw_image_submit(drive->image, &drive->flush);
}

/* A step tells that the change was seen, if there is a disk again. */
static void step(void *self, bool inwards)
{
	struct floppy_drive *drive = self;

	if (inwards && drive->cylinder + 1u < kinds[drive->kind].cylinders)
		drive->cylinder++;
	else if (!inwards && drive->cylinder)
		drive->cylinder--;
	if (drive->disk_change && mw_image_present(drive->image))
		drive->disk_change = false;
}

static void look(void *self, struct mw_floppy_lines *lines)
{
	struct floppy_drive *drive = self;

	*lines = (struct mw_floppy_lines){
		.track0 = !drive->cylinder,
		.write_protected = !mw_image_writable(drive->image),
		.disk_change = drive->disk_change,
	};
}

/* The format where the head is over a track of it; *cylinder is the one that its ID fields name. A drive with
 * 80 cylinders on 5.25 inches passes each one of a disk with 40 in two steps. */
static const struct format *under_head(const struct floppy_drive *drive, unsigned head,
				       uint8_t *cylinder)
{
	const struct kind *kind = &kinds[drive->kind];
	const struct format *format = format_of(drive);
	bool twice = kind->small && kind->cylinders == MANY_CYLINDERS && format &&
		     format->cylinders <= FEW_CYLINDERS;

	*cylinder = twice ? drive->cylinder / 2 : drive->cylinder;
	return format && head < format->heads && *cylinder < format->cylinders ? format : NULL;
}

static bool track(void *self, unsigned head, unsigned rate, struct mw_floppy_track *found)
{
	const struct floppy_drive *drive = self;
	uint8_t cylinder;
	const struct format *format = drive->motor ? under_head(drive, head, &cylinder) : NULL;

	if (!format || !(rates_of(format) & kinds[drive->kind].rates & 1u << rate))
		return false;
	*found = (struct mw_floppy_track){ cylinder, format->sectors };
	return true;
}

/* *count bytes of the sector are in the image, from *offset on. */
static bool place_of(const struct floppy_drive *drive, unsigned head, unsigned sector,
		     uint64_t *offset, size_t *count)
{
	uint64_t size = mw_image_size(drive->image), left;
	uint8_t cylinder;
	const struct format *format = under_head(drive, head, &cylinder);

	if (!format || !sector || sector > format->sectors)
		return false;
	*offset = (((uint64_t)cylinder * format->heads + head) * format->sectors + sector - 1) *
		  MW_FLOPPY_SECTOR_BYTES;
	left = *offset < size ? size - *offset : 0;
	*count = left < MW_FLOPPY_SECTOR_BYTES ? (size_t)left : MW_FLOPPY_SECTOR_BYTES;
	return true;
}

static enum mw_floppy_start start(struct floppy_drive *drive, enum mw_image_op op, uint64_t offset,
				  size_t count)
{
	drive->transfer = (struct mw_image_request){
		.op = op, .offset = offset, .bytes = drive->bytes, .count = count
	};
	mw_image_submit(drive->image, &drive->transfer);
	return MW_FLOPPY_STARTED;
}

static enum mw_floppy_start read_sector(void *self, unsigned head, unsigned sector)
{
	struct floppy_drive *drive = self;
	uint64_t offset;
	size_t count;

	if (drive->transfer.pending)
		return MW_FLOPPY_BUSY;
	if (!place_of(drive, head, sector, &offset, &count))
		return MW_FLOPPY_FAILED;
	memset(drive->bytes + count, 0, MW_FLOPPY_SECTOR_BYTES - count);
	return count ? start(drive, MW_IMAGE_READ, offset, count) : MW_FLOPPY_READY;
}

/* What an image has no room for cannot be kept. */
static enum mw_floppy_start write_sector(void *self, unsigned head, unsigned sector,
					 const uint8_t *bytes)
{
	struct floppy_drive *drive = self;
	uint64_t offset;
	size_t count;

	if (drive->transfer.pending)
		return MW_FLOPPY_BUSY;
	if (!place_of(drive, head, sector, &offset, &count) || count < MW_FLOPPY_SECTOR_BYTES)
		return MW_FLOPPY_FAILED;
	drive->written = true;
	memcpy(drive->bytes, bytes, sizeof(drive->bytes));
	return start(drive, MW_IMAGE_WRITE, offset, count);
}

static const uint8_t *bytes_of(void *self)
{
	return ((struct floppy_drive *)self)->bytes;
}

static unsigned cmos_type(const void *self)
{
	const struct floppy_drive *drive = self;

	return drive->kind + 1u;
}

static const struct mw_floppy_drive interface = {
	.motor = motor,
	.step = step,
	.look = look,
	.track = track,
	.read = read_sector,
	.write = write_sector,
	.bytes = bytes_of,
};

static void on_done(void *self, struct mw_image_request *request)
{
	struct floppy_drive *drive = self;

	if (request == &drive->transfer && drive->cable)
		drive->cable->done(drive->controller, drive, request->result == MW_IMAGE_DONE);
}

/* Why what is in the drive is nothing that it can read, and the file's name; NULL: it is, or nothing is in. */
static const char *misfit(const struct floppy_drive *drive, char name[NAME_BYTES])
{
	const struct format *format = format_of(drive);

	mw_image_name(drive->image, name, NAME_BYTES);
	if (!name[0])
		return NULL;
	if (!format)
		return "no floppy disk, which has up to 3932160";
	return rates_of(format) & kinds[drive->kind].rates
		       ? NULL
		       : "a floppy disk for another type of drive";
}

static void on_media(void *self)
{
	struct floppy_drive *drive = self;

	char name[NAME_BYTES];

	drive->disk_change = true;
	drive->written = false;
	const char *why = misfit(drive, name);

	if (why)
		mw_guest_log(drive, "%s has %" PRIu64 " bytes: %s", name,
			     mw_image_size(drive->image), why);
}

/* `auto` is the drive that the first disk is for. */
static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct floppy_drive *drive = self;
	const struct format *format;
	char name[NAME_BYTES];
	const void *cable;

	drive->controller = mw_bus_parent(drive, &cable);
	drive->cable = cable;
	drive->kind = (uint8_t)drive->type;
	if (drive->type == TYPE_AUTO) {
		format = format_by_size(mw_image_size(drive->image));
		drive->kind = format ? format->type : TYPE_1440K;
	}
	const char *why = misfit(drive, name);

	if (why)
		mw_diagnostics_add(diagnostics, MW_SEVERITY_WARNING, "", (struct mw_span){ 0 },
				   "%s: %s has %" PRIu64 " bytes: %s", mw_device_id(drive), name,
				   mw_image_size(drive->image), why);
	return true;
}

/* What was written is kept, too, when the machine is reset with the motor on. */
static void after_reset(void *self)
{
	motor(self, false);
}

static void after_load(void *self)
{
	struct floppy_drive *drive = self;

	if (drive->kind >= TYPE_AUTO)
		drive->kind = TYPE_1440K;
	if (drive->cylinder >= kinds[drive->kind].cylinders)
		drive->cylinder = 0;
}

static const char *const types[] = { "360K", "1.2M", "720K", "1.44M", "2.88M", "auto", NULL };
static const struct mw_property properties[] = {
	{ "type", "What disks it takes; `auto`: such as is in it at first, 1.44M if none is.",
	  MW_FIELD(struct floppy_drive, type), .fallback = TYPE_1440K, .members = types },
};
static const struct mw_wire wires[] = {
	{ "image", "The disk: its sectors, 160K to 3.84M of them.",
	  MW_FIELD(struct floppy_drive, image), .optional = true, .on_done = on_done,
	  .on_media = on_media, .writes = true },
};
/* A reset of the machine moves no head and puts no disk in. */
static const struct mw_state state[] = {
	{ "cylinder", MW_FIELD(struct floppy_drive, cylinder), .since = 1, .survives_reset = true },
	{ "kind", MW_FIELD(struct floppy_drive, kind), .since = 1, .survives_reset = true },
	{ "motor", MW_FIELD(struct floppy_drive, motor), .since = 1 },
	{ "disk_change", MW_FIELD(struct floppy_drive, disk_change), .reset = true, .since = 1,
	  .survives_reset = true },
	{ "written", MW_FIELD(struct floppy_drive, written), .since = 1, .survives_reset = true },
};
static const char *const buses[] = { "floppy", NULL };

const struct mw_device_type floppy_drive_type = {
	MW_DEVICE_TYPE,
	.name = "floppy-drive",
	.summary = "floppy disk drive of 3.5 or 5.25 inches",
	.size = sizeof(struct floppy_drive),
	.state_version = 1,
	.buses = buses,
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.state = MW_TABLE(state),
	.ops = { .init = init, .after_reset = after_reset, .after_load = after_load },
	.firmware = { .floppy = cmos_type },
	.interface = &interface,
};
