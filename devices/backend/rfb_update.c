/* Updates of a client's picture: RFC 6143, sections 7.5.3 and 7.6.1. One is on its way at most, and of it one
 * piece at a time, made when the one before has gone: a client that reads slowly skips pictures. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "devices/backend/rfb.h"

enum { FRAMEBUFFER_UPDATE = 0, SET_COLOUR_MAP = 1, MAP_ENTRIES = 256 };
enum { DESKTOP_SIZE = -223, QEMU_POINTER = -257, QEMU_KEY = -258, EXTENDED_DESKTOP_SIZE = -308 };

static unsigned tiles(uint32_t pixels)
{
	return (pixels + MW_RFB_TILE - 1) / MW_RFB_TILE;
}

/* Bits `from` to `end` - 1. */
static uint64_t bits(unsigned from, unsigned end)
{
	uint64_t below = end >= 64 ? UINT64_MAX : (UINT64_C(1) << end) - 1;

	return from >= end ? 0 : below & ~((UINT64_C(1) << from) - 1);
}

/* The tiles of the client's picture that the area touches, as a mask of each row's. */
static void select(const struct mw_rfb *rfb, const struct mw_rect *area,
		   uint64_t rows[MW_RFB_TILES])
{
	uint32_t right = area->x + area->width, bottom = area->y + area->height;

	memset(rows, 0, MW_RFB_TILES * sizeof(*rows));
	right = right > rfb->width ? rfb->width : right;
	bottom = bottom > rfb->height ? rfb->height : bottom;
	if (area->x >= right || area->y >= bottom)
		return;
	for (unsigned i = area->y / MW_RFB_TILE; i < tiles(bottom); i++)
		rows[i] = bits(area->x / MW_RFB_TILE, tiles(right));
}

void mw_rfb_request(struct mw_rfb *rfb, const struct mw_rect *area, bool incremental)
{
	uint64_t rows[MW_RFB_TILES];

	rfb->wants = true;
	rfb->area = *area;
	if (incremental)
		return;
	rfb->stale = true;
	select(rfb, area, rows);
	for (unsigned i = 0; i < MW_RFB_TILES; i++)
		rfb->dirty[i] |= rows[i];
}

bool mw_rfb_waits(const struct mw_rfb *rfb)
{
	return rfb->wants && !rfb->updating && rfb->sent == rfb->count;
}

void mw_rfb_touch(struct mw_rfb *rfb, unsigned column, unsigned row)
{
	rfb->dirty[row] |= UINT64_C(1) << column;
}

void mw_rfb_refreshed(struct mw_rfb *rfb)
{
	rfb->stale = false;
}

void mw_rfb_resized(struct mw_rfb *rfb)
{
	memset(rfb->dirty, 0xff, sizeof(rfb->dirty));
	if (!rfb->resizes_well) {
		rfb->tell_size |= rfb->resizes;
		return;
	}
	rfb->tell_size = true;
	rfb->size_reason = rfb->size_status = 0;
}

/* A run of tiles in a row of what is being sent; false: the row has none left. */
static bool next_run(uint64_t row, unsigned *from, unsigned *count)
{
	if (!row)
		return false;
	*from = (unsigned)__builtin_ctzll(row);
	uint64_t rest = ~(row >> *from);

	*count = rest ? (unsigned)__builtin_ctzll(rest) : 64 - *from;
	if (*count > MW_RFB_RUN)
		*count = MW_RFB_RUN;
	return true;
}

static unsigned count_pieces(const struct mw_rfb *rfb)
{
	unsigned pieces = 0, from, count;

	for (unsigned i = 0; i < MW_RFB_TILES; i++) {
		uint64_t row = rfb->sending[i];

		for (; next_run(row, &from, &count); pieces++)
			row &= ~bits(from, from + count);
	}
	return pieces;
}

static void put_header(struct mw_rfb *rfb, unsigned rectangles)
{
	mw_rfb_put8(rfb, FRAMEBUFFER_UPDATE);
	mw_rfb_put8(rfb, 0);
	mw_rfb_put16(rfb, (uint16_t)rectangles);
}

static void put_rectangle(struct mw_rfb *rfb, const struct mw_rect *rect, int32_t encoding)
{
	mw_rfb_put16(rfb, (uint16_t)rect->x);
	mw_rfb_put16(rfb, (uint16_t)rect->y);
	mw_rfb_put16(rfb, (uint16_t)rect->width);
	mw_rfb_put16(rfb, (uint16_t)rect->height);
	mw_rfb_put32(rfb, (uint32_t)encoding);
}

/* The map that `mapped` in rfb_pixel.c stands for. */
static void put_map(struct mw_rfb *rfb)
{
	mw_rfb_put8(rfb, SET_COLOUR_MAP);
	mw_rfb_put8(rfb, 0);
	mw_rfb_put16(rfb, 0);
	mw_rfb_put16(rfb, MAP_ENTRIES);
	for (unsigned i = 0; i < MAP_ENTRIES; i++) {
		mw_rfb_put16(rfb, (uint16_t)((i >> 5 & 7) * 0xffff / 7));
		mw_rfb_put16(rfb, (uint16_t)((i >> 2 & 7) * 0xffff / 7));
		mw_rfb_put16(rfb, (uint16_t)((i & 3) * 0xffff / 3));
	}
	rfb->tell_map = false;
}

/* One screen, as large as all. */
static void put_size(struct mw_rfb *rfb)
{
	const struct mw_canvas *canvas = &rfb->screen->canvas;
	struct mw_rect rect = { .width = canvas->width, .height = canvas->height };

	rfb->width = canvas->width;
	rfb->height = canvas->height;
	if (!rfb->resizes_well) {
		put_rectangle(rfb, &rect, DESKTOP_SIZE);
		return;
	}
	rect.x = rfb->size_reason;
	rect.y = rfb->size_status;
	put_rectangle(rfb, &rect, EXTENDED_DESKTOP_SIZE);
	mw_rfb_put32(rfb, UINT32_C(1) << 24);
	mw_rfb_put32(rfb, 0);
	mw_rfb_put32(rfb, 0);
	mw_rfb_put16(rfb, (uint16_t)rfb->width);
	mw_rfb_put16(rfb, (uint16_t)rfb->height);
	mw_rfb_put32(rfb, 0);
	rfb->size_reason = rfb->size_status = 0;
}

/* Such an update has no pixels: after a change of size the client asks anew. */
static bool tell(struct mw_rfb *rfb)
{
	const struct mw_rect none = { 0 };
	const struct mw_rect all = { .width = rfb->width, .height = rfb->height };
	unsigned count = (unsigned)rfb->tell_size + rfb->tell_relative + rfb->tell_scan_codes;

	if (!count)
		return false;
	put_header(rfb, count);
	if (rfb->tell_size)
		put_size(rfb);
	if (rfb->tell_relative)
		put_rectangle(rfb, &all, QEMU_POINTER);
	if (rfb->tell_scan_codes)
		put_rectangle(rfb, &none, QEMU_KEY);
	rfb->tell_size = rfb->tell_relative = rfb->tell_scan_codes = false;
	rfb->wants = false;
	return true;
}

/* False: what the client has asked for has not changed. */
static bool begin(struct mw_rfb *rfb)
{
	uint64_t any = 0;

	select(rfb, &rfb->area, rfb->sending);
	for (unsigned i = 0; i < MW_RFB_TILES; i++) {
		rfb->sending[i] &= rfb->dirty[i];
		rfb->dirty[i] &= ~rfb->sending[i];
		any |= rfb->sending[i];
	}
	if (!any)
		return false;
	put_header(rfb, count_pieces(rfb));
	rfb->updating = true;
	rfb->wants = false;
	rfb->row = 0;
	return true;
}

static void send_piece(struct mw_rfb *rfb, unsigned from, unsigned count)
{
	struct mw_rect rect = { .x = from * MW_RFB_TILE,
				.y = rfb->row * MW_RFB_TILE,
				.width = count * MW_RFB_TILE,
				.height = MW_RFB_TILE };

	rfb->sending[rfb->row] &= ~bits(from, from + count);
	if (rect.width > rfb->width - rect.x)
		rect.width = rfb->width - rect.x;
	if (rect.height > rfb->height - rect.y)
		rect.height = rfb->height - rect.y;
	put_rectangle(rfb, &rect, rfb->encoding);
	mw_rfb_encode(rfb, &rect);
}

static void go_on(struct mw_rfb *rfb)
{
	unsigned from, count;

	while (rfb->row < MW_RFB_TILES && !rfb->sending[rfb->row])
		rfb->row++;
	if (rfb->row < MW_RFB_TILES && next_run(rfb->sending[rfb->row], &from, &count))
		send_piece(rfb, from, count);
	else
		rfb->updating = false;
}

bool mw_rfb_fill(struct mw_rfb *rfb)
{
	if (rfb->sent < rfb->count)
		return true;
	rfb->sent = rfb->count = 0;
	if (rfb->updating)
		go_on(rfb);
	if (rfb->updating || !rfb->wants || rfb->leaving)
		return rfb->count;
	if (rfb->tell_map)
		put_map(rfb);
	if (!tell(rfb) && !rfb->stale && begin(rfb))
		go_on(rfb);
	return rfb->count;
}
