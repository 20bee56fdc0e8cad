/* VNC as a display's far end: who may come, what they see, and what they type. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <mbedtls/des.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/machine.h"
#include "tests/support/peer.h"
#include "tests/support/rfb_client.h"
#include "tests/support/screens.h"

extern const struct mw_device_type vnc_type;

enum { SETTINGS = 10, WIDTH = 160, HEIGHT = 100, CLIENTS = 4 };
enum { CONTROL = 0xffe3, SHIFT = 0xffe1, RETURN = 0xff0d };
enum { DESKTOP_SIZE = -223, ZRLE = 16 };

static struct place *folder;

static const char script[] =
	"set -e; cd \"$0\"; for name in ca stranger; do "
	"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "
	"$name.key -out $name.pem -days 30 -subj /CN=$name; done; "
	"for name in server client; do openssl req -newkey ec -pkeyopt "
	"ec_paramgen_curve:prime256v1 -nodes -keyout $name.key -out $name.csr -subj /CN=$name; "
	"openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out $name.pem "
	"-days 30; done; printf \"secret\\n\" >password; : >empty";

static int make_files(void **state)
{
	char command[sizeof(script) + 128];
	void *made = NULL;

	if (place_make(&made) < 0)
		return -1;
	folder = made;
	snprintf(command, sizeof(command), "sh -c '%s' %s 2>/dev/null", script, folder->folder);
	return system(command) == 0 ? 0 : -1;
}

static int remove_files(void **state)
{
	void *made = folder;

	return place_remove(&made);
}

static const char *file(const char *name)
{
	return place_path(folder, name);
}

/** The bench, and clients of it. */
struct scene {
	struct rig *rig;
	struct fake_display *display;
	struct fake_input *input;
	struct peer peer[CLIENTS];
	struct rfb_client client[CLIENTS];
};

static struct scene *open_scene(const struct rig_setting *settings)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	scene->rig = rig_create(&vnc_type, settings);
	scene->display = rig_far(scene->rig, "display");
	scene->input = rig_far(scene->rig, "input");
	scene->display->width = WIDTH;
	scene->display->height = HEIGHT;
	for (unsigned i = 0; i < CLIENTS; i++)
		scene->peer[i].fd = -1;
	return scene;
}

static struct scene *plain(void)
{
	const struct rig_setting settings[] = { { "path", 0, file("vnc") },
						{ "clients", CLIENTS, NULL },
						{ 0 } };

	return open_scene(settings);
}

static void close_scene(struct scene *scene)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		peer_close(&scene->peer[i]);
		if (scene->client[i].pixels)
			rfb_client_fini(&scene->client[i]);
	}
	rig_destroy(scene->rig);
	free(scene);
}

static void say(struct scene *scene, unsigned i, const void *bytes, size_t count)
{
	struct peer *peer = &scene->peer[i];
	ssize_t sent = peer->tls ? mw_tls_write(peer->tls, bytes, count)
				 : send(peer->fd, bytes, count, MSG_NOSIGNAL);

	assert_int_equal(sent, count);
}

static ssize_t hear(struct scene *scene, unsigned i, void *bytes, size_t count)
{
	struct peer *peer = &scene->peer[i];

	rig_serve(scene->rig, 1);
	return peer->tls ? mw_tls_read(peer->tls, bytes, count) : recv(peer->fd, bytes, count, 0);
}

/* Exactly so many bytes. */
static void get(struct scene *scene, unsigned i, void *bytes, size_t count)
{
	uint8_t *at = bytes;
	size_t got = 0;

	for (unsigned turn = 0; turn < PEER_TURNS && got < count; turn++) {
		ssize_t more = hear(scene, i, at + got, count - got);

		got += more > 0 ? (size_t)more : 0;
	}
	assert_int_equal(got, count);
}

static void expect(struct scene *scene, unsigned i, const char *bytes, size_t count)
{
	uint8_t got[64];

	get(scene, i, got, count);
	assert_memory_equal(got, bytes, count);
}
#define EXPECT(scene, i, text) expect((scene), (i), (text), sizeof(text) - 1)
#define SAY(scene, i, text)    say((scene), (i), (text), sizeof(text) - 1)

static void knock(struct scene *scene, unsigned i)
{
	scene->peer[i] = (struct peer){ .fd = peer_connect_unix(file("vnc")) };
	assert_true(scene->peer[i].fd >= 0);
	EXPECT(scene, i, "RFB 003.008\n");
	SAY(scene, i, "RFB 003.008\n");
}

/* From the ClientInit on. */
static void enter(struct scene *scene, unsigned i)
{
	uint8_t bytes[24], name[64];

	SAY(scene, i, "\1");
	get(scene, i, bytes, sizeof(bytes));
	assert_in_range(bytes[23], 1, sizeof(name));
	get(scene, i, name, bytes[23]);
	rfb_client_init(&scene->client[i], (uint32_t)bytes[0] << 8 | bytes[1],
			(uint32_t)bytes[2] << 8 | bytes[3]);
}

static void connect_plain(struct scene *scene, unsigned i)
{
	knock(scene, i);
	EXPECT(scene, i, "\1\1");
	SAY(scene, i, "\1");
	EXPECT(scene, i, "\0\0\0\0");
	enter(scene, i);
}

static void expect_end(struct scene *scene, unsigned i)
{
	uint8_t bytes[4096];
	ssize_t count = -1;

	for (unsigned turn = 0; turn < PEER_TURNS && count; turn++) {
		count = hear(scene, i, bytes, sizeof(bytes));
		if (count < 0 && errno != EAGAIN)
			count = 0;
	}
	assert_int_equal(count, 0);
}

static void listen_until(struct scene *scene, unsigned i, unsigned updates)
{
	static uint8_t bytes[65536];
	struct rfb_client *client = &scene->client[i];

	for (unsigned turn = 0;
	     turn < PEER_TURNS && (client->updates < updates || !rfb_client_rests(client));
	     turn++) {
		ssize_t count = hear(scene, i, bytes, sizeof(bytes));

		if (count > 0)
			assert_true(rfb_client_take(client, bytes, (size_t)count));
	}
	assert_int_equal(client->updates, updates);
}

static void ask(struct scene *scene, unsigned i, bool incremental)
{
	uint8_t bytes[10];

	say(scene, i, bytes, rfb_client_request(&scene->client[i], bytes, incremental));
}

static void accept_encodings(struct scene *scene, unsigned i)
{
	const int32_t encodings[] = { ZRLE, DESKTOP_SIZE };
	uint8_t bytes[64];

	say(scene, i, bytes, rfb_client_set_encodings(bytes, encodings, 2));
}

static void paint(struct scene *scene, uint32_t x, uint32_t y, uint32_t rgb)
{
	scene->display->pixels[y * FAKE_SIDE + x] = rgb;
	scene->display->changed = (struct mw_rect){ x, y, 1, 1 };
}

static void serve_ms(struct scene *scene, unsigned ms)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		rig_serve(scene->rig, 1);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < ms);
}

/* Pictures */

static void client_sees_the_picture(void **state)
{
	struct scene *scene = plain();

	paint(scene, 3, 4, 0xabcdef);
	connect_plain(scene, 0);
	assert_int_equal(scene->client[0].width, WIDTH);
	assert_int_equal(scene->client[0].height, HEIGHT);
	ask(scene, 0, false);
	listen_until(scene, 0, 1);
	assert_int_equal(rfb_client_pixel(&scene->client[0], 3, 4), 0xabcdef);
	close_scene(scene);
}

static void changes_arrive_once_asked_for(void **state)
{
	struct scene *scene = plain();

	connect_plain(scene, 0);
	accept_encodings(scene, 0);
	ask(scene, 0, false);
	listen_until(scene, 0, 1);
	ask(scene, 0, true);
	serve_ms(scene, 50);
	assert_int_equal(scene->client[0].updates, 1);
	paint(scene, 100, 90, 0x13579b);
	listen_until(scene, 0, 2);
	assert_int_equal(rfb_client_pixel(&scene->client[0], 100, 90), 0x13579b);
	close_scene(scene);
}

static void nothing_is_drawn_for_nobody(void **state)
{
	struct scene *scene = plain();

	serve_ms(scene, 100);
	assert_int_equal(scene->display->draws, 0);
	connect_plain(scene, 0);
	ask(scene, 0, false);
	listen_until(scene, 0, 1);
	unsigned before = scene->display->draws;

	serve_ms(scene, 200); /* it has not asked again */
	assert_in_range(scene->display->draws, before, before + 1);
	ask(scene, 0, true);
	serve_ms(scene, 400);
	assert_in_range(scene->display->draws, before + 1, before + 20);
	close_scene(scene);
}

static void whole_picture_is_the_one_of_now(void **state)
{
	struct scene *scene = plain();

	connect_plain(scene, 0);
	for (unsigned i = 0; i < 3; i++) {
		paint(scene, 50, 50, 0x111111 * i);
		ask(scene, 0, false);
		listen_until(scene, 0, i + 1);
		assert_int_equal(rfb_client_pixel(&scene->client[0], 50, 50), 0x111111 * i);
	}
	close_scene(scene);
}

static void picture_changes_its_size(void **state)
{
	struct scene *scene = plain();

	connect_plain(scene, 0);
	accept_encodings(scene, 0);
	ask(scene, 0, false);
	listen_until(scene, 0, 1);
	scene->display->width = 720;
	scene->display->height = 400;
	ask(scene, 0, true);
	listen_until(scene, 0, 2);
	assert_int_equal(scene->client[0].width, 720);
	ask(scene, 0, true);
	listen_until(scene, 0, 3);
	assert_int_equal(rfb_client_pixel(&scene->client[0], 719, 399), FAKE_FAR);
	close_scene(scene);
}

static void display_without_a_picture_is_black(void **state)
{
	struct scene *scene = plain();

	scene->display->width = scene->display->height = 0;
	connect_plain(scene, 0);
	assert_int_equal(scene->client[0].width, 640);
	ask(scene, 0, false);
	listen_until(scene, 0, 1);
	assert_int_equal(rfb_client_pixel(&scene->client[0], 9, 9), 0);
	close_scene(scene);
}

static void several_see_the_same(void **state)
{
	struct scene *scene = plain();

	for (unsigned i = 0; i < CLIENTS; i++) {
		connect_plain(scene, i);
		ask(scene, i, false);
		listen_until(scene, i, 1);
		ask(scene, i, true);
	}
	paint(scene, 7, 7, 0x777777);
	for (unsigned i = 0; i < CLIENTS; i++) {
		listen_until(scene, i, 2);
		assert_int_equal(rfb_client_pixel(&scene->client[i], 7, 7), 0x777777);
	}
	close_scene(scene);
}

static void one_too_many_is_refused(void **state)
{
	struct scene *scene = plain();

	for (unsigned i = 0; i < CLIENTS; i++)
		connect_plain(scene, i);
	peer_close(&scene->peer[0]);
	rfb_client_fini(&scene->client[0]);
	connect_plain(scene, 0);
	int fd = peer_connect_unix(file("vnc"));

	peer_expect_log(scene->rig, "a client is refused: there are 4 already");
	close(fd);
	close_scene(scene);
}

static void who_reads_nothing_costs_nothing(void **state)
{
	struct scene *scene = plain();
	uint32_t random = 1;

	scene->display->width = scene->display->height = 4000;
	connect_plain(scene, 0); /* raw: 64 MB for it */
	connect_plain(scene, 1);
	accept_encodings(scene, 1);
	ask(scene, 0, false);
	ask(scene, 1, false);
	listen_until(scene, 1, 1);
	for (unsigned i = 0; i < 3; i++) {
		random = random * 1664525u + 1013904223u;
		paint(scene, 5, 5, random >> 8);
		ask(scene, 0, true);
		ask(scene, 1, true);
		listen_until(scene, 1, i + 2);
	}
	assert_int_equal(rfb_client_pixel(&scene->client[1], 5, 5), random >> 8);
	close_scene(scene);
}

static void hostile_bytes_end_one_client_only(void **state)
{
	struct scene *scene = plain();

	connect_plain(scene, 0);
	connect_plain(scene, 1);
	SAY(scene, 0, "\xee\xee\xee");
	expect_end(scene, 0);
	assert_non_null(strstr(rig_log(scene->rig), "a message that is not known"));
	ask(scene, 1, false);
	listen_until(scene, 1, 1);
	close_scene(scene);
}

/* Input */

static void press(struct scene *scene, uint32_t keysym, bool pressed)
{
	uint8_t bytes[8];

	say(scene, 0, bytes, rfb_client_key(bytes, keysym, pressed));
}

static void expect_events(struct scene *scene, const struct mw_input_event *events, size_t count)
{
	for (unsigned i = 0; i < PEER_TURNS && scene->input->count < count; i++)
		rig_serve(scene->rig, 1);
	serve_ms(scene, 30);
	assert_int_equal(scene->input->count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(scene->input->events[i].kind, events[i].kind);
		assert_int_equal(scene->input->events[i].code, events[i].code);
		assert_int_equal(scene->input->events[i].pressed, events[i].pressed);
		assert_int_equal(scene->input->events[i].x, events[i].x);
		assert_int_equal(scene->input->events[i].y, events[i].y);
	}
}
#define EXPECT_EVENTS(scene, ...)                                              \
	expect_events((scene), (const struct mw_input_event[]){ __VA_ARGS__ }, \
		      sizeof((const struct mw_input_event[]){ __VA_ARGS__ }) / \
			      sizeof(struct mw_input_event))
#define DOWN(usage)                               \
	{                                         \
		MW_INPUT_KEY, (usage), true, 0, 0 \
	}
#define UP(usage)                                  \
	{                                          \
		MW_INPUT_KEY, (usage), false, 0, 0 \
	}

static void keys_arrive_in_order(void **state)
{
	struct scene *scene = plain();

	connect_plain(scene, 0);
	press(scene, 'h', true);
	press(scene, 'h', false);
	press(scene, RETURN, true);
	press(scene, RETURN, false);
	EXPECT_EVENTS(scene, DOWN(0x0b), UP(0x0b), DOWN(0x28), UP(0x28));
	close_scene(scene);
}

static void modifiers_follow_the_guests_layout(void **state)
{
	struct scene *scene = plain();

	connect_plain(scene, 0);
	press(scene, SHIFT, true); /* a German client's Shift and 7 */
	press(scene, '/', true);
	press(scene, '/', false);
	press(scene, SHIFT, false);
	EXPECT_EVENTS(scene, DOWN(0xe1), UP(0xe1), DOWN(0x38), DOWN(0xe1), UP(0x38), UP(0xe1));
	close_scene(scene);
}

static void shift_comes_with_what_needs_it(void **state)
{
	struct scene *scene = plain();

	connect_plain(scene, 0);
	press(scene, 'A', true); /* a script does not press Shift */
	press(scene, 'A', false);
	EXPECT_EVENTS(scene, DOWN(0xe1), DOWN(0x04), UP(0xe1), UP(0x04));
	close_scene(scene);
}

static void commands_keep_their_modifiers(void **state)
{
	struct scene *scene = plain();

	connect_plain(scene, 0);
	press(scene, CONTROL, true);
	press(scene, 'C', true);
	press(scene, 'C', false);
	press(scene, CONTROL, false);
	EXPECT_EVENTS(scene, DOWN(0xe0), DOWN(0x06), UP(0x06), UP(0xe0));
	close_scene(scene);
}

static void key_that_is_held_is_pressed_once(void **state)
{
	struct scene *scene = plain();

	connect_plain(scene, 0);
	for (unsigned i = 0; i < 5; i++)
		press(scene, 'x', true);
	press(scene, 'x', false);
	EXPECT_EVENTS(scene, DOWN(0x1b), UP(0x1b));
	close_scene(scene);
}

static void what_a_client_held_is_let_go_when_it_leaves(void **state)
{
	struct scene *scene = plain();
	uint8_t bytes[6];

	connect_plain(scene, 0);
	press(scene, CONTROL, true);
	say(scene, 0, bytes, rfb_client_pointer(bytes, 1, 10, 10));
	EXPECT_EVENTS(scene, DOWN(0xe0), { MW_INPUT_BUTTON, 0, true, 0, 0 });
	peer_close(&scene->peer[0]);
	EXPECT_EVENTS(scene, DOWN(0xe0), { MW_INPUT_BUTTON, 0, true, 0, 0 }, UP(0xe0),
		      { MW_INPUT_BUTTON, 0, false, 0, 0 });
	close_scene(scene);
}

static void pointer_moves_by_what_it_moved(void **state)
{
	static const uint8_t steps[][4] = { { 0, 50, 50 }, { 0, 53, 46 }, { 4, 53, 46 },
					    { 2, 54, 46 }, { 8, 54, 46 }, { 0, 54, 46 },
					    { 16, 54, 46 } };
	struct scene *scene = plain();
	uint8_t bytes[6];

	connect_plain(scene, 0);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		say(scene, 0, bytes,
		    rfb_client_pointer(bytes, steps[i][0], steps[i][1], steps[i][2]));
		serve_ms(scene, 30);
	}
	EXPECT_EVENTS(scene, { MW_INPUT_MOVE, 0, false, 3, -4 }, { MW_INPUT_BUTTON, 1, true, 0, 0 },
		      { MW_INPUT_MOVE, 0, false, 1, 0 }, { MW_INPUT_BUTTON, 2, true, 0, 0 },
		      { MW_INPUT_BUTTON, 1, false, 0, 0 }, { MW_INPUT_BUTTON, 2, false, 0, 0 },
		      { MW_INPUT_WHEEL, 0, false, 0, 1 }, { MW_INPUT_WHEEL, 0, false, 0, -1 });
	close_scene(scene);
}

static void flood_of_keys_is_bounded_and_ends(void **state)
{
	struct scene *scene = plain();

	connect_plain(scene, 0);
	for (unsigned i = 0; i < 2000; i++) {
		press(scene, 'a' + i % 26, true);
		press(scene, 'a' + i % 26, false);
		if (i % 50 == 0)
			rig_serve(scene->rig, 1);
	}
	serve_ms(scene, 100);
	assert_in_range(scene->input->count, 2, 1000);
	close_scene(scene);
}

static void stopped_machine_takes_no_keys(void **state)
{
	struct scene *scene = plain();

	connect_plain(scene, 0);
	rig_stop(scene->rig);
	press(scene, 'a', true);
	press(scene, 'a', false);
	serve_ms(scene, 60);
	assert_int_equal(scene->input->count, 0);
	ask(scene, 0, false); /* but it can be looked at */
	listen_until(scene, 0, 1);
	rig_start(scene->rig);
	close_scene(scene);
}

/* Who may come */

static void answer(struct scene *scene, unsigned i, const char *password)
{
	uint8_t key[8] = { 0 }, challenge[16], out[16];
	mbedtls_des_context des;

	get(scene, i, challenge, sizeof(challenge));
	for (size_t at = 0; at < strnlen(password, 8); at++)
		for (unsigned bit = 0; bit < 8; bit++)
			if (password[at] >> bit & 1)
				key[at] |= (uint8_t)(0x80 >> bit);
	mbedtls_des_init(&des);
	mbedtls_des_setkey_enc(&des, key);
	mbedtls_des_crypt_ecb(&des, challenge, out);
	mbedtls_des_crypt_ecb(&des, challenge + 8, out + 8);
	say(scene, i, out, sizeof(out));
}

static void password_is_asked_for(void **state)
{
	const struct rig_setting settings[] = { { "path", 0, file("vnc") },
						{ "password_file", 0, file("password") },
						{ 0 } };
	struct scene *scene = open_scene(settings);

	knock(scene, 0);
	EXPECT(scene, 0, "\1\2");
	SAY(scene, 0, "\2");
	answer(scene, 0, "secret");
	EXPECT(scene, 0, "\0\0\0\0");
	enter(scene, 0);
	ask(scene, 0, false);
	listen_until(scene, 0, 1);

	knock(scene, 1);
	EXPECT(scene, 1, "\1\2");
	SAY(scene, 1, "\2");
	answer(scene, 1, "guess");
	EXPECT(scene, 1, "\0\0\0\1\0\0\0\x15the password is wrong");
	expect_end(scene, 1);
	peer_expect_log(scene->rig, "its password is wrong");
	close_scene(scene);
}

static struct mw_tls tls;

static struct mw_tls *secure(const char *name)
{
	const struct mw_tls_options options = {
		.cert = name ? file(strcmp(name, "client") ? "stranger.pem" : "client.pem") : "",
		.key = name ? file(strcmp(name, "client") ? "stranger.key" : "client.key") : "",
		.ca = file("ca.pem"),
		.name = "server"
	};

	mw_tls_fini(&tls);
	memset(&tls, 0, sizeof(tls));
	assert_true(mw_tls_init(&tls, &options));
	return &tls;
}

static struct scene *encrypted(const char *password, const char *ca)
{
	const struct rig_setting settings[] = { { "path", 0, file("vnc") },
						{ "tls", true, NULL },
						{ "cert", 0, file("server.pem") },
						{ "key", 0, file("server.key") },
						{ "password_file", 0,
						  password[0] ? file(password) : "" },
						{ "ca", 0, ca[0] ? file(ca) : "" },
						{ 0 } };

	return open_scene(settings);
}

static enum mw_tls_step begin_tls(struct scene *scene, const char *subtype, const char *name)
{
	knock(scene, 0);
	EXPECT(scene, 0, "\1\x13");
	SAY(scene, 0, "\x13");
	EXPECT(scene, 0, "\0\2");
	SAY(scene, 0, "\0\2");
	EXPECT(scene, 0, "\0\1");
	expect(scene, 0, subtype, 4);
	say(scene, 0, subtype, 4);
	EXPECT(scene, 0, "\1");
	return peer_secure(scene->rig, &scene->peer[0], secure(name));
}

static void tls_hides_the_password_and_the_picture(void **state)
{
	struct scene *scene = encrypted("password", "");

	paint(scene, 1, 1, 0x424242);
	assert_int_equal(begin_tls(scene, "\0\0\1\5", NULL), MW_TLS_DONE);
	answer(scene, 0, "secret");
	EXPECT(scene, 0, "\0\0\0\0");
	enter(scene, 0);
	ask(scene, 0, false);
	listen_until(scene, 0, 1);
	assert_int_equal(rfb_client_pixel(&scene->client[0], 1, 1), 0x424242);
	close_scene(scene);
}

static void certificate_opens_as_well(void **state)
{
	struct scene *scene = encrypted("", "ca.pem");

	assert_int_equal(begin_tls(scene, "\0\0\1\4", "client"), MW_TLS_DONE);
	EXPECT(scene, 0, "\0\0\0\0");
	enter(scene, 0);
	close_scene(scene);

	scene = encrypted("", "ca.pem");
	begin_tls(scene, "\0\0\1\4", "stranger");
	peer_expect_log(scene->rig, "the peer's certificate is not accepted");
	close_scene(scene);
}

static void refuse(const struct rig_setting *settings, const char *why)
{
	peer_expect_refusal(&vnc_type, settings, why);
}
#define REFUSE(why, ...) refuse((const struct rig_setting[]){ __VA_ARGS__, { 0 } }, (why))

static void network_is_not_for_everybody(void **state)
{
	REFUSE("can be reached from other hosts", { "address", 0, "0.0.0.0:0" });
	REFUSE("can be reached from other hosts", { "address", 0, "[::]:0" });
	REFUSE("can be reached from other hosts", { "address", 0, "0.0.0.0:0" },
	       { "tls", true, NULL }, { "cert", 0, file("server.pem") },
	       { "key", 0, file("server.key") });
	const struct rig_setting guarded[] = { { "address", 0, "0.0.0.0:0" },
					       { "password_file", 0, file("password") },
					       { 0 } };
	struct scene *scene = open_scene(guarded);

	assert_non_null(strstr(rig_log(scene->rig), "listens at 0.0.0.0:"));
	close_scene(scene);
}

static void settings_without_sense_are_refused(void **state)
{
	REFUSE("is not HOST:PORT", { "address", 0, "5900" });
	REFUSE("need `tls: true`", { "cert", 0, file("server.pem") });
	REFUSE("a server needs `cert` and `key`", { "tls", true, NULL });
	REFUSE("there is no password in", { "password_file", 0, file("empty") });
	REFUSE("cannot read", { "password_file", 0, file("nowhere") });
}

static void address_may_be_a_local_socket(void **state)
{
	char address[80];

	snprintf(address, sizeof(address), "unix:%s", file("vnc"));
	const struct rig_setting settings[] = { { "address", 0, address }, { 0 } };
	struct scene *scene = open_scene(settings);

	connect_plain(scene, 0);
	close_scene(scene);
	assert_int_equal(access(file("vnc"), F_OK), -1);
}

static void port_is_told(void **state)
{
	const struct rig_setting settings[] = { { "address", 0, "localhost:0" }, { 0 } };
	struct scene *scene = open_scene(settings);
	const char *line = strstr(rig_log(scene->rig), "listens at 127.0.0.1:");

	assert_non_null(line);
	scene->peer[0].fd = peer_connect_tcp((unsigned)strtoul(line + 21, NULL, 10));
	EXPECT(scene, 0, "RFB 003.008\n");
	close_scene(scene);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(client_sees_the_picture),
		TEST(changes_arrive_once_asked_for),
		TEST(nothing_is_drawn_for_nobody),
		TEST(whole_picture_is_the_one_of_now),
		TEST(picture_changes_its_size),
		TEST(display_without_a_picture_is_black),
		TEST(several_see_the_same),
		TEST(one_too_many_is_refused),
		TEST(who_reads_nothing_costs_nothing),
		TEST(hostile_bytes_end_one_client_only),
		TEST(keys_arrive_in_order),
		TEST(modifiers_follow_the_guests_layout),
		TEST(shift_comes_with_what_needs_it),
		TEST(commands_keep_their_modifiers),
		TEST(key_that_is_held_is_pressed_once),
		TEST(what_a_client_held_is_let_go_when_it_leaves),
		TEST(pointer_moves_by_what_it_moved),
		TEST(flood_of_keys_is_bounded_and_ends),
		TEST(stopped_machine_takes_no_keys),
		TEST(password_is_asked_for),
		TEST(tls_hides_the_password_and_the_picture),
		TEST(certificate_opens_as_well),
		TEST(network_is_not_for_everybody),
		TEST(settings_without_sense_are_refused),
		TEST(address_may_be_a_local_socket),
		TEST(port_is_told),
	};
	int failed = cmocka_run_group_tests(tests, make_files, remove_files);

	mw_tls_fini(&tls);
	return failed;
}
