/* A speaker's sound as a WAV file: PCM, 16 bits, mono, 44.1 kHz. References: Microsoft and IBM, Multimedia
 * Programming Interface and Data Specifications 1.0 (1991), "Waveform Audio File Format"; devices/bus/speaker.h. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/device.h"
#include "core/diagnostics.h"
#include "devices/bus/speaker.h"

enum { RATE = 44100, SAMPLE_BYTES = 2, BUFFERED = 4096, HEADER_BYTES = 44, HIGH_LEVEL = 0x4000 };
enum { PCM = 1, MONO = 1, FORMAT_BYTES = 16, RIFF_REST = HEADER_BYTES - 8 };
enum { DEFAULT_LIMIT_S = 3600, MOST_S = 48000 }; /* 4 GiB are 48,695 s */
/* The header follows the sound so often, and a longer time without is a jump of the clock. */
#define UPDATE_NS UINT64_C(500000000)
#define SECOND_NS UINT64_C(1000000000)
#define NEVER     UINT64_MAX
/* Time is counted in units of which a clock of the speaker's has RATE, and a sample MW_TONE_HZ. */
#define SECOND (MW_TONE_HZ * RATE)
#define JUMP   (10 * SECOND)
#define HOLD   (SECOND / 20) /* a level that is high for longer is silence */

struct wav {
	const char *path;
	uint32_t limit_s;
	struct mw_stream *port;
	struct mw_timer *update;
	int fd; /* + 1; 0: none */
	bool begun, ended;
	uint8_t record[MW_TONE_BYTES];
	size_t record_bytes;
	struct mw_tone tone;     /* its `level` is that of the moment */
	uint64_t tone_at;        /* where `tone.clock` is in the file */
	uint64_t at, edge, hold; /* so far it is rendered; next change; end of a high level */
	uint64_t sum;            /* of the sample under way: how long it was high */
	uint64_t samples;        /* before those in `buffer` */
	uint64_t length;         /* of what the file holds, without the silence at its end */
	size_t count;
	uint8_t buffer[BUFFERED * SAMPLE_BYTES];
};

static void fail(struct wav *wav)
{
	mw_guest_log(wav, "sound is lost from here on: %s", strerror(errno));
	wav->ended = true;
}

static void put(struct wav *wav, const uint8_t *bytes, size_t count, uint64_t offset)
{
	while (count && !wav->ended) {
		ssize_t written = pwrite(wav->fd - 1, bytes, count, (off_t)offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			fail(wav);
			return;
		}
		bytes += written;
		offset += (uint64_t)written;
		count -= (size_t)written;
	}
}

static void flush(struct wav *wav)
{
	if (!wav->count)
		return;
	put(wav, wav->buffer, wav->count * SAMPLE_BYTES,
	    HEADER_BYTES + wav->samples * SAMPLE_BYTES);
	wav->samples += wav->count;
	wav->length = wav->samples;
	wav->count = 0;
}

/* Sizes are those of what has been written: the file is whole whenever this has run. */
static void write_header(struct wav *wav)
{
	uint64_t data = wav->length * SAMPLE_BYTES;
	uint8_t header[HEADER_BYTES] = "RIFF....WAVEfmt ";

	mw_put_le(header + 4, 4, RIFF_REST + data);
	mw_put_le(header + 16, 4, FORMAT_BYTES);
	mw_put_le(header + 20, 2, PCM);
	mw_put_le(header + 22, 2, MONO);
	mw_put_le(header + 24, 4, RATE);
	mw_put_le(header + 28, 4, RATE * SAMPLE_BYTES);
	mw_put_le(header + 32, 2, SAMPLE_BYTES);
	mw_put_le(header + 34, 2, 8 * SAMPLE_BYTES);
	memcpy(header + 36, "data", 4);
	mw_put_le(header + 40, 4, data);
	put(wav, header, sizeof(header), 0);
}

/* Each sample is the mean of its time, so that edges are where they are. */
static void emit(struct wav *wav)
{
	mw_put_le(wav->buffer + wav->count * SAMPLE_BYTES, SAMPLE_BYTES,
		  wav->sum * HIGH_LEVEL / MW_TONE_HZ);
	wav->sum = 0;
	if (++wav->count == BUFFERED)
		flush(wav);
}

static uint64_t sample_end(const struct wav *wav)
{
	return (wav->samples + wav->count + 1) * MW_TONE_HZ;
}

static bool is_high(const struct wav *wav)
{
	return wav->tone.level && (wav->edge != NEVER || wav->at < wav->hold);
}

static bool is_silent(const struct wav *wav)
{
	return wav->edge == NEVER && !is_high(wav);
}

static void toggle(struct wav *wav)
{
	uint64_t length;

	wav->tone.level = !wav->tone.level;
	length = wav->tone.level ? wav->tone.high : wav->tone.low;
	wav->edge = length ? wav->at + length * RATE : NEVER;
	wav->hold = wav->at + HOLD;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Whole samples of silence are a hole in the file. */
static void skip(struct wav *wav, uint64_t until)
{
	uint64_t samples = until / MW_TONE_HZ;

	if (samples <= wav->samples + wav->count)
		return;
	if (wav->sum)
		emit(wav);
	flush(wav);
	wav->samples = samples;
}

static void advance(struct wav *wav, uint64_t until)
{
	if (is_silent(wav) || until - wav->at > JUMP) {
		skip(wav, until);
		wav->at = until;
		if (wav->edge < until)
			wav->edge = until;
	}
	while (wav->at < until) {
		uint64_t end = sample_end(wav), next = least(least(until, end), wav->edge);

		if (wav->at < wav->hold)
			next = least(next, wav->hold);
		if (is_high(wav))
			wav->sum += next - wav->at;
		wav->at = next;
		if (next == wav->edge)
			toggle(wav);
		if (next == end)
			emit(wav);
	}
}

/* Where a moment lies in the file. Time that goes back, as with a snapshot, goes on from here. */
static uint64_t place_of(const struct wav *wav, uint64_t clock)
{
	uint64_t clocks = clock > wav->tone.clock ? clock - wav->tone.clock : 0;
	uint64_t at = wav->tone_at + least(clocks, wav->limit_s * MW_TONE_HZ) * RATE;

	return at < wav->at ? wav->at : at;
}

static void render(struct wav *wav, uint64_t clock)
{
	uint64_t until = place_of(wav, clock), limit = wav->limit_s * SECOND;

	if (!wav->begun || wav->ended)
		return;
	advance(wav, least(until, limit));
	if (until < limit)
		return;
	flush(wav);
	write_header(wav);
	mw_guest_log(wav, "%u s of sound are there; what follows is lost", (unsigned)wav->limit_s);
	wav->ended = true;
}

static uint64_t clock_now(struct wav *wav)
{
	uint64_t ns = mw_now_ns(wav);

	return ns / SECOND_NS * MW_TONE_HZ + ns % SECOND_NS * MW_TONE_HZ / SECOND_NS;
}

static void catch_up(struct wav *wav)
{
	render(wav, clock_now(wav));
	flush(wav);
	write_header(wav);
}

/* While there is sound the file follows. */
static void on_update(void *self)
{
	struct wav *wav = self;

	if (!wav->begun || wav->ended)
		return;
	catch_up(wav);
	if (!wav->ended && !is_silent(wav))
		mw_timer_arm(wav->update, mw_now_ns(wav) + UPDATE_NS);
}

/* The file begins with the first sound. */
static void take_tone(struct wav *wav, struct mw_tone tone)
{
	if (wav->ended || (!wav->begun && !tone.level && !tone.left))
		return;
	if (wav->begun)
		render(wav, tone.clock);
	wav->begun = true;
	wav->tone = tone;
	wav->tone_at = wav->at;
	wav->edge = tone.left ? wav->at + (uint64_t)tone.left * RATE : NEVER;
	wav->hold = wav->at + HOLD;
	if (!wav->ended && !mw_timer_armed(wav->update, NULL))
		mw_timer_arm(wav->update, mw_now_ns(wav) + UPDATE_NS);
}

static void on_bytes(void *self, const uint8_t *bytes, size_t count)
{
	struct wav *wav = self;

	for (size_t i = 0; i < count; i++) {
		wav->record[wav->record_bytes++] = bytes[i];
		if (wav->record_bytes < MW_TONE_BYTES)
			continue;
		wav->record_bytes = 0;
		take_tone(wav, mw_tone_unpack(wav->record));
	}
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct wav *wav = self;

	wav->fd = open(wav->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		       0666) +
		  1;
	if (wav->fd && lseek(wav->fd - 1, 0, SEEK_SET) == 0) {
		write_header(wav);
		return true;
	}
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
			   "%s: cannot write %s: %s", mw_device_id(self), wav->path,
			   strerror(errno));
	return false;
}

static void stop(void *self)
{
	struct wav *wav = self;

	if (wav->begun && !wav->ended)
		catch_up(wav);
}

static void fini(void *self)
{
	struct wav *wav = self;

	if (!wav->fd)
		return;
	if (wav->begun && !wav->ended) {
		flush(wav);
		write_header(wav);
	}
	close(wav->fd - 1);
}

static const struct mw_property properties[] = {
	{ "path", "The file that is written.", MW_FIELD(struct wav, path), .required = true,
	  .is_path = true, .is_written = true },
	{ "limit_s", "How many seconds the file holds at most, from the first sound on.",
	  MW_FIELD(struct wav, limit_s), .fallback = DEFAULT_LIMIT_S, .min = 1, .max = MOST_S },
};
static const struct mw_wire wires[] = {
	{ "port", "The device whose speaker it is.", MW_FIELD(struct wav, port),
	  .on_bytes = on_bytes },
};
static const struct mw_timer_row timers[] = {
	{ "update", "The file follows the sound.", MW_FIELD(struct wav, update),
	  .on_expire = on_update },
};

const struct mw_device_type wav_type = {
	MW_DEVICE_TYPE,
	.name = "wav",
	.summary = "a speaker's sound into a WAV file",
	.size = sizeof(struct wav),
	.state_version = 1,
	.backend = "wav",
	.main_property = "path",
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.timers = MW_TABLE(timers),
	.ops = { .init = init, .stop = stop, .fini = fini },
};
