/* ZRLE's stream of deflated bytes (RFC 1950), by zlib. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <zlib.h>

#include "core/alloc.h"
#include "devices/backend/rfb.h"

/* Fast: the rest of the way is the host's own, more often than not. */
enum { LEVEL = 2 };

struct mw_rfb_deflate {
	z_stream stream;
};

struct mw_rfb_deflate *mw_rfb_deflate_open(void)
{
	struct mw_rfb_deflate *deflate = mw_alloc(1, sizeof(*deflate));

	if (deflateInit(&deflate->stream, LEVEL) == Z_OK)
		return deflate;
	free(deflate);
	return NULL;
}

void mw_rfb_deflate_close(struct mw_rfb_deflate *deflate)
{
	if (!deflate)
		return;
	deflateEnd(&deflate->stream);
	free(deflate);
}

/* Room that is used up to its end may have been too little. */
bool mw_rfb_deflate_add(struct mw_rfb_deflate *self, const uint8_t *bytes, size_t count, bool last,
			uint8_t *out, size_t room, size_t *used)
{
	z_stream *stream = &self->stream;

	stream->next_in = (z_const Bytef *)(uintptr_t)bytes;
	stream->avail_in = (uInt)count;
	stream->next_out = out;
	stream->avail_out = (uInt)room;
	int status = deflate(stream, last ? Z_SYNC_FLUSH : Z_NO_FLUSH);

	*used = room - stream->avail_out;
	return status == Z_OK && !stream->avail_in && stream->avail_out;
}
