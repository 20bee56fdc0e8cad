/* A speaker's records as a WAV file, and the 8254 that makes them. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bytes.h"
#include "devices/bus/speaker.h"
#include "tests/support/rig.h"

extern const struct mw_device_type i8254_type, wav_type;

enum { RATE = 44100, HEADER = 44, HIGH = 0x4000, MOST_SAMPLES = 1 << 20 };
#define SECOND_NS UINT64_C(1000000000)
#define HZ        MW_TONE_HZ

struct bench {
	char path[32];
	struct rig *rig;
	size_t count;
	int16_t samples[MOST_SAMPLES];
};

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	const struct rig_setting settings[] = { { "path", 0, bench->path }, { 0 } };

	*state = bench;
	snprintf(bench->path, sizeof(bench->path), "/tmp/mw-wav-XXXXXX");
	close(mkstemp(bench->path));
	bench->rig = rig_create(&wav_type, settings);
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	rig_destroy(bench->rig);
	unlink(bench->path);
	free(bench);
	return 0;
}

/* The file as it is now, which must be whole. */
static void look(struct bench *bench)
{
	uint8_t header[HEADER];
	FILE *file = fopen(bench->path, "rb");
	struct stat status;

	assert_non_null(file);
	assert_int_equal(fread(header, 1, HEADER, file), HEADER);
	assert_memory_equal(header, "RIFF", 4);
	assert_memory_equal(header + 8, "WAVEfmt ", 8);
	assert_int_equal(mw_get_le(header + 16, 4), 16);
	assert_int_equal(mw_get_le(header + 20, 2), 1); /* PCM */
	assert_int_equal(mw_get_le(header + 22, 2), 1); /* mono */
	assert_int_equal(mw_get_le(header + 24, 4), RATE);
	assert_int_equal(mw_get_le(header + 28, 4), RATE * 2);
	assert_int_equal(mw_get_le(header + 32, 2), 2);
	assert_int_equal(mw_get_le(header + 34, 2), 16);
	assert_memory_equal(header + 36, "data", 4);
	bench->count = mw_get_le(header + 40, 4) / 2;
	assert_int_equal(mw_get_le(header + 4, 4), 36 + 2 * bench->count);
	assert_int_equal(fstat(fileno(file), &status), 0);
	assert_true((uint64_t)status.st_size >= HEADER + 2 * bench->count);
	assert_in_range(bench->count, 0, MOST_SAMPLES);
	assert_int_equal(fread(bench->samples, 2, bench->count, file), bench->count);
	fclose(file);
}

static void send(struct rig *rig, struct mw_tone tone)
{
	uint8_t bytes[MW_TONE_BYTES];

	mw_tone_pack(&tone, bytes);
	rig_send(rig, "port", bytes, sizeof(bytes));
}

static uint64_t clock_now(struct rig *rig)
{
	uint64_t now = rig_now(rig);

	return now / SECOND_NS * HZ + now % SECOND_NS * HZ / SECOND_NS;
}

static void square(struct rig *rig, uint32_t period)
{
	send(rig, (struct mw_tone){ .clock = clock_now(rig),
				    .level = true,
				    .left = period / 2,
				    .high = period / 2,
				    .low = period / 2 });
}

static void silence(struct rig *rig)
{
	send(rig, (struct mw_tone){ .clock = clock_now(rig) });
}

/* How often the sound crosses its middle upwards. */
static unsigned rises(const struct bench *bench)
{
	unsigned count = 0;

	for (size_t i = 1; i < bench->count; i++)
		count += bench->samples[i - 1] < HIGH / 2 && bench->samples[i] >= HIGH / 2;
	return count;
}

static void nothing_is_written_while_there_is_no_sound(void **state)
{
	struct bench *bench = *state;

	silence(bench->rig);
	rig_advance(bench->rig, 1000 * SECOND_NS);
	silence(bench->rig);
	rig_stop(bench->rig);
	look(bench);
	assert_int_equal(bench->count, 0);
}

static void a_second_of_a_tone_has_its_pitch_and_length(void **state)
{
	struct bench *bench = *state;

	rig_advance(bench->rig, 5 * SECOND_NS);
	square(bench->rig, 1193); /* 1000.15 Hz */
	rig_advance(bench->rig, SECOND_NS);
	silence(bench->rig);
	for (unsigned i = 0; i < 30; i++)
		rig_advance(bench->rig, SECOND_NS / 10);
	rig_stop(bench->rig);
	look(bench);
	assert_in_range(bench->count, RATE - 1, RATE + 1);
	assert_in_range(rises(bench), 999, 1001);
}

/* Edges at exact places: 4 samples are 108.2 clocks. */
static void a_sample_is_the_mean_of_its_time(void **state)
{
	struct bench *bench = *state;
	const uint64_t clock = 1000000;

	send(bench->rig, (struct mw_tone){ .clock = clock, .level = true, .left = 40 });
	send(bench->rig, (struct mw_tone){ .clock = clock + 109, .level = false });
	rig_advance(bench->rig, 2 * SECOND_NS);
	rig_stop(bench->rig);
	look(bench);
	assert_int_equal(bench->samples[0], HIGH);
	assert_int_equal(bench->samples[1], HIGH * (40 * (uint64_t)RATE - HZ) / HZ);
	assert_int_equal(bench->samples[2], 0);
}

static void silence_between_sounds_is_there_at_no_cost(void **state)
{
	struct bench *bench = *state;
	struct stat status;

	square(bench->rig, 2000);
	rig_advance(bench->rig, SECOND_NS / 100);
	silence(bench->rig);
	rig_advance(bench->rig, 10 * SECOND_NS);
	square(bench->rig, 2000);
	rig_advance(bench->rig, SECOND_NS / 100);
	silence(bench->rig);
	rig_stop(bench->rig);
	look(bench);
	assert_in_range(bench->count, 10.02 * RATE - 2, 10.02 * RATE + 2);
	assert_in_range(rises(bench), 10, 14);
	for (size_t i = RATE; i < 9 * RATE; i++)
		assert_int_equal(bench->samples[i], 0);
	stat(bench->path, &status);
	assert_true(status.st_blocks * 512 < 100000); /* of 880 KB */
}

static void the_file_is_whole_while_a_tone_lasts(void **state)
{
	struct bench *bench = *state;

	square(bench->rig, 1193);
	for (unsigned i = 0; i < 30; i++)
		rig_advance(bench->rig, SECOND_NS / 10);
	look(bench);
	assert_in_range(bench->count, 2.4 * RATE, 3 * RATE + 1);
}

static void a_level_that_stays_high_becomes_silence(void **state)
{
	struct bench *bench = *state;

	send(bench->rig, (struct mw_tone){ .clock = clock_now(bench->rig), .level = true });
	for (unsigned i = 0; i < 30; i++)
		rig_advance(bench->rig, SECOND_NS / 10);
	rig_stop(bench->rig);
	look(bench);
	assert_in_range(bench->count, RATE / 20, RATE);
	assert_int_equal(bench->samples[RATE / 20 - 2], HIGH);
}

static void sound_ends_at_the_limit(void **state)
{
	struct bench *bench = *state;
	char path[] = "/tmp/mw-wav-XXXXXX";
	const struct rig_setting settings[] = { { "path", 0, path },
						{ "limit_s", 2, NULL },
						{ 0 } };

	close(mkstemp(path));
	struct rig *rig = rig_create(&wav_type, settings);

	square(rig, 1193);
	for (unsigned i = 0; i < 40; i++)
		rig_advance(rig, SECOND_NS / 10);
	assert_non_null(strstr(rig_log(rig), "2 s of sound are there"));
	square(rig, 1193);
	rig_destroy(rig);
	unlink(bench->path);
	memcpy(bench->path, path, sizeof(path));
	look(bench);
	assert_int_equal(bench->count, 2 * RATE);
}

/* Whatever bytes come, and wherever time goes. */
static void other_bytes_and_jumps_of_time_do_no_harm(void **state)
{
	struct bench *bench = *state;
	uint8_t bytes[1000];
	unsigned random = 1;

	for (unsigned round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			random = random * 1103515245 + 12345;
			bytes[i] = (uint8_t)(random >> 16);
		}
		rig_send(bench->rig, "port", bytes, sizeof(bytes));
		rig_advance(bench->rig, round * SECOND_NS);
	}
	rig_stop(bench->rig);
}

/* The 8254's side */

static void out(struct rig *rig, unsigned reg, unsigned value)
{
	rig_write(rig, "timer", reg, 1, value);
}

static void out61(struct rig *rig, unsigned value)
{
	rig_write(rig, "port61", 0, 1, value);
}

static bool take(struct rig *rig, struct mw_tone *tone)
{
	uint8_t bytes[MW_TONE_BYTES];
	size_t count = rig_take(rig, "speaker", bytes, sizeof(bytes));

	assert_true(count == 0 || count == sizeof(bytes));
	if (count)
		*tone = mw_tone_unpack(bytes);
	return count;
}

static struct mw_tone last(struct rig *rig)
{
	struct mw_tone tone = { .clock = UINT64_MAX };

	while (take(rig, &tone))
		;
	assert_true(tone.clock != UINT64_MAX);
	return tone;
}

static struct rig *pit(void)
{
	struct rig *rig = rig_create(&i8254_type, NULL);

	last(rig); /* reset is silence */
	return rig;
}

static void a_timer_that_nobody_is_to_hear_tells_nothing(void **state)
{
	struct rig *rig = pit();
	struct mw_tone tone;

	out(rig, 3, 0xb6);
	out(rig, 2, 0x34);
	out(rig, 2, 0x12);
	out61(rig, 1);
	rig_read(rig, "port61", 0, 1);
	out61(rig, 0);
	assert_false(take(rig, &tone));
	rig_destroy(rig);
}

static void a_beep_is_two_records(void **state)
{
	struct rig *rig = pit();
	struct mw_tone tone;

	rig_advance(rig, SECOND_NS);
	out(rig, 3, 0xb6);
	out(rig, 2, 0x35);
	out(rig, 2, 0x12);
	out61(rig, 3);
	tone = last(rig);
	assert_int_equal(tone.clock, HZ);
	assert_true(tone.level);
	assert_int_equal(tone.high, 0x91b);
	assert_int_equal(tone.low, 0x91a);
	assert_in_range(tone.left, 0x91b, 0x91c);
	rig_advance(rig, SECOND_NS);
	out61(rig, 0);
	assert_true(take(rig, &tone));
	assert_int_equal(tone.clock, 2 * HZ);
	assert_false(tone.level);
	assert_int_equal(tone.left, 0);
	assert_false(take(rig, &tone));
	rig_destroy(rig);
}

/* Sound by the width of pulses: mode 0, a count for each sample. */
static void a_count_to_its_end_is_one_pulse(void **state)
{
	struct rig *rig = pit();
	struct mw_tone tone;

	out(rig, 3, 0x90);
	out61(rig, 3);
	out(rig, 2, 40);
	tone = last(rig);
	assert_false(tone.level);
	assert_int_equal(tone.left, 41); /* one clock to load it */
	assert_int_equal(tone.high, 0);
	rig_destroy(rig);
}

static void a_level_by_port_61_alone_is_told(void **state)
{
	struct rig *rig = pit();
	struct mw_tone tone;

	out(rig, 3, 0xb6);
	out61(rig, 2); /* the gate is low, OUT high */
	tone = last(rig);
	assert_true(tone.level);
	assert_int_equal(tone.left, 0);
	out61(rig, 0);
	assert_false(last(rig).level);
	rig_destroy(rig);
}

static void a_tone_under_way_is_told_anew_after_a_restore(void **state)
{
	struct rig *rig = pit();
	uint8_t bytes[1024];
	size_t count;

	out(rig, 3, 0xb6);
	out(rig, 2, 0x35);
	out(rig, 2, 0x12);
	out61(rig, 3);
	const uint8_t *saved = rig_save(rig, &count);

	assert_true(count <= sizeof(bytes));
	memcpy(bytes, saved, count);
	out61(rig, 0);
	last(rig);
	assert_true(rig_load(rig, bytes, count));
	assert_int_equal(last(rig).high, 0x91b);
	rig_destroy(rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_written_while_there_is_no_sound),
		TEST(a_second_of_a_tone_has_its_pitch_and_length),
		TEST(a_sample_is_the_mean_of_its_time),
		TEST(silence_between_sounds_is_there_at_no_cost),
		TEST(the_file_is_whole_while_a_tone_lasts),
		TEST(a_level_that_stays_high_becomes_silence),
		TEST(sound_ends_at_the_limit),
		TEST(other_bytes_and_jumps_of_time_do_no_harm),
		cmocka_unit_test(a_timer_that_nobody_is_to_hear_tells_nothing),
		cmocka_unit_test(a_beep_is_two_records),
		cmocka_unit_test(a_count_to_its_end_is_one_pulse),
		cmocka_unit_test(a_level_by_port_61_alone_is_told),
		cmocka_unit_test(a_tone_under_way_is_told_anew_after_a_restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
