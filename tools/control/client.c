/* Requests to a running machine, each with a bound on how long its answer may take. */
// SPDX-License-Identifier: MIT
#include "tools/control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/text.h"
#include "tools/control/control_internal.h"

/* A second client waits until the first has left. */
enum {
	GREETING_MS = 5000,
	ANSWER_MS = 60000,
	SNAPSHOT_MS = 600000,
	MOST_KEYS = 16,
	PART = 256,
	NAME_BYTES = 64
};

struct mw_client {
	int fd;
	bool good;
	struct control_frame frame;
	char error[400];
};

/* What the other side says may not speak to the terminal. */
static void no_controls(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

__attribute__((format(printf, 2, 3))) static bool fail(struct mw_client *client, const char *format,
						       ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(client->error, sizeof(client->error), format, arguments);
	va_end(arguments);
	no_controls(client->error);
	client->good = false;
	return false;
}

bool mw_client_good(const struct mw_client *client)
{
	return client->good;
}

const char *mw_client_error(const struct mw_client *client)
{
	return client->error;
}

static bool read_more(struct mw_client *client, int wait_ms)
{
	struct pollfd polled = { client->fd, POLLIN, 0 };
	char bytes[4096];
	int ready;

	do
		ready = poll(&polled, 1, wait_ms);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return fail(client,
			    "no answer in %d s: the machine may be speaking to someone else",
			    wait_ms / 1000);
	ssize_t count = ready < 0 ? -1 : recv(client->fd, bytes, sizeof(bytes), 0);

	if (count < 0)
		return fail(client, "the connection is broken: %s", strerror(errno));
	if (count == 0)
		return fail(client, "the machine has closed the connection");
	control_frame_feed(&client->frame, bytes, (size_t)count);
	return true;
}

/** The next message; NULL: it failed. */
static json_t *receive(struct mw_client *client, int wait_ms)
{
	for (;;) {
		const char *text;
		size_t length;

		switch (control_frame_next(&client->frame, &text, &length)) {
		case CONTROL_VALUE: {
			json_t *message = json_loadb(text, length, 0, NULL);

			if (json_is_object(message))
				return message;
			json_decref(message);
			fail(client, "this is no control socket of a machine");
			return NULL;
		}
		case CONTROL_NOTHING:
			if (!read_more(client, wait_ms))
				return NULL;
			break;
		case CONTROL_BROKEN:
		case CONTROL_TOO_MUCH:
			fail(client, "this is no control socket of a machine");
			return NULL;
		}
	}
}

static bool send_all(struct mw_client *client, const char *bytes, size_t count)
{
	while (count) {
		ssize_t sent = send(client->fd, bytes, count, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			return fail(client, "the connection is broken: %s", strerror(errno));
		bytes += sent > 0 ? sent : 0;
		count -= sent > 0 ? (size_t)sent : 0;
	}
	return true;
}

/** Events and whatever else comes before the answer are passed over. */
static json_t *receive_answer(struct mw_client *client, int wait_ms)
{
	for (;;) {
		json_t *message = receive(client, wait_ms), *result;
		const char *why;

		if (!message)
			return NULL;
		result = json_incref(json_object_get(message, "return"));
		why = json_string_value(json_object_get(json_object_get(message, "error"), "desc"));
		if (why)
			fail(client, "%s", why);
		json_decref(message);
		if (result || !client->good)
			return result;
	}
}

/** Takes `arguments`; NULL: it failed. */
static json_t *request(struct mw_client *client, const char *command, json_t *arguments,
		       int wait_ms)
{
	json_t *message = json_pack("{s:s, s:o}", "execute", command, "arguments", arguments);
	char *text = json_dumps(message, 0);
	json_t *answer = NULL;

	json_decref(message);
	if (text && client->good && send_all(client, text, strlen(text)))
		answer = receive_answer(client, wait_ms);
	free(text);
	return answer;
}

static bool done(struct mw_client *client, json_t *answer)
{
	json_decref(answer);
	return client->good;
}

static void greet(struct mw_client *client)
{
	json_t *greeting = receive(client, GREETING_MS);

	if (greeting && !json_object_get(greeting, "QMP"))
		fail(client, "this is no control socket of a machine");
	json_decref(greeting);
	if (client->good)
		done(client, request(client, "qmp_capabilities", json_object(), GREETING_MS));
}

struct mw_client *mw_client_open(const char *text)
{
	struct mw_client *client = mw_alloc(1, sizeof(*client));
	struct mw_address address;
	char why[300];

	client->fd = -1;
	client->good = true;
	if (!mw_address_parse(&address, text, false, why, sizeof(why))) {
		fail(client, "%s", why);
		return client;
	}
	if (address.is_stdio) {
		fail(client, "a machine is spoken to at a socket");
		return client;
	}
	client->fd = mw_address_connect(address.path);
	if (client->fd < 0)
		fail(client, "%s: %s", address.path, strerror(errno));
	else
		greet(client);
	return client;
}

void mw_client_close(struct mw_client *client)
{
	if (!client)
		return;
	if (client->fd >= 0)
		close(client->fd);
	control_frame_fini(&client->frame);
	free(client);
}

/** Other names that people give to keys. */
static const char *key_name(const char *name)
{
	static const struct {
		const char *alias, *name;
	} aliases[] = {
		{ "enter", "ret" },    { "return", "ret" },         { "space", "spc" },
		{ "escape", "esc" },   { "control", "ctrl" },       { "del", "delete" },
		{ "ins", "insert" },   { "pageup", "pgup" },        { "pagedown", "pgdn" },
		{ "super", "meta_l" }, { "win", "meta_l" },         { "meta", "meta_l" },
		{ "altgr", "alt_r" },  { "capslock", "caps_lock" }, { "printscreen", "print" },
	};

	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (strcmp(aliases[i].alias, name) == 0)
			return aliases[i].name;
	return name;
}

/** An array of KeyValue, or NULL. */
static json_t *read_keys(struct mw_client *client, char *text)
{
	json_t *keys = json_array();
	char *word;

	while (client->good && (word = strsep(&text, "-"))) {
		const char *name = key_name(word);

		if (!control_key(name))
			fail(client,
			     "there is no key `%.60s`; names are as in a, 1, f5, ret, esc, "
			     "spc, tab, up, delete, ctrl, alt, shift, minus",
			     word);
		else if (json_array_size(keys) == MOST_KEYS)
			fail(client, "at most %d keys are pressed together", MOST_KEYS);
		else
			json_array_append_new(
				keys, json_pack("{s:s, s:s}", "type", "qcode", "data", name));
	}
	if (client->good)
		return keys;
	json_decref(keys);
	return NULL;
}

bool mw_client_press(struct mw_client *client, const char *keys)
{
	char *copy = mw_strdup(keys);
	json_t *values = client->good ? read_keys(client, copy) : NULL;

	free(copy);
	return values && done(client, request(client, "send-key",
					      json_pack("{s:o}", "keys", values), ANSWER_MS));
}

/** A path as another program in another folder understands it; NULL: it failed. */
static json_t *whole_path(struct mw_client *client, const char *path)
{
	char *folder = path[0] == '/' ? mw_strdup("") : getcwd(NULL, 0);
	json_t *whole;

	if (!folder) {
		fail(client, "the current folder has no path: %s", strerror(errno));
		return NULL;
	}
	whole = json_sprintf("%s%s%s", folder, *folder ? "/" : "", path);
	free(folder);
	if (!whole)
		fail(client, "the path is not UTF-8");
	return whole;
}

/** Texts and keys, in order, of what is to be typed. */
struct typing {
	struct mw_client *client;
	const char *text, *layout;
	size_t length;
	bool plain;
};

/* The keys between `<` and `>` at the text's start: names that are all known, and one of them longer than a
 * letter. Returns how much of the text that is; 0: it is text. */
static size_t named_keys(const char *text, char name[NAME_BYTES])
{
	size_t length = strcspn(text, ">");
	char copy[NAME_BYTES], *rest = copy, *word;
	bool longer = false;

	if (text[0] != '<' || !text[length] || length < 2 || length > NAME_BYTES)
		return 0;
	memcpy(name, text + 1, length - 1);
	name[length - 1] = '\0';
	memcpy(copy, name, length);
	while ((word = strsep(&rest, "-"))) {
		if (!control_key(key_name(word)))
			return 0;
		longer |= word[0] && word[1];
	}
	return longer ? length + 1 : 0;
}

static bool type_part(const struct typing *typing, const char *text, size_t length)
{
	struct mw_client *client = typing->client;
	json_t *arguments =
		json_pack("{s:s%, s:s}", "text", text, length, "layout", typing->layout);

	if (!arguments)
		return fail(client, "the text is not UTF-8");
	return done(client, request(client, "x-millwright-type", arguments, ANSWER_MS));
}

/* The next part of the text, of whole characters, or the keys that come next. */
static size_t next_part(const struct typing *typing, size_t at, char name[NAME_BYTES])
{
	size_t end = at;
	uint32_t point;

	name[0] = '\0';
	while (end < typing->length && end - at < PART) {
		char found[NAME_BYTES];
		size_t keys = typing->plain ? 0 : named_keys(typing->text + end, found);

		if (keys && end == at) {
			memcpy(name, found, NAME_BYTES);
			return keys;
		}
		if (keys)
			break;
		end += mw_utf8_decode(typing->text + end, typing->length - end, &point);
	}
	return end - at;
}

static bool check_typing(const struct typing *typing, uint32_t layout)
{
	char name[NAME_BYTES];
	size_t part;

	for (size_t at = 0; at < typing->length; at += part) {
		part = next_part(typing, at, name);
		for (size_t i = 0; !name[0] && i < part;) {
			struct control_stroke stroke;
			uint32_t point;
			size_t bytes = mw_utf8_decode(typing->text + at + i, part - i, &point);

			if (!control_stroke_for(point, layout, &stroke))
				return fail(typing->client,
					    "character %zu (byte) is on no key of a %s keyboard",
					    at + i + 1, typing->layout);
			i += bytes;
		}
	}
	return true;
}

/* What cannot be typed is found before the first key is pressed. */
bool mw_client_type(struct mw_client *client, const char *text, const char *layout, bool plain)
{
	struct typing typing = { client, text, layout, strlen(text), plain };
	char name[NAME_BYTES];
	uint32_t number;
	size_t part;

	if (!control_layout(layout, &number))
		return fail(client, "there is no layout `%.20s`; there are us, gb, de and fr",
			    layout);
	if (!client->good || !check_typing(&typing, number))
		return false;
	for (size_t at = 0; at < typing.length && client->good; at += part) {
		part = next_part(&typing, at, name);
		if (name[0])
			mw_client_press(client, name);
		else
			type_part(&typing, text + at, part);
	}
	return client->good;
}

bool mw_client_medium(struct mw_client *client, const char *drive, const char *path)
{
	json_t *whole = path ? whole_path(client, path) : NULL;

	if (!path)
		return done(client,
			    request(client, "eject", json_pack("{s:s}", "id", drive), ANSWER_MS));
	return whole &&
	       done(client,
		    request(client, "blockdev-change-medium",
			    json_pack("{s:s, s:o}", "id", drive, "filename", whole), ANSWER_MS));
}

bool mw_client_snapshot(struct mw_client *client, const char *path)
{
	json_t *whole = whole_path(client, path);

	return whole && done(client, request(client, "x-millwright-snapshot",
					     json_pack("{s:o}", "path", whole), SNAPSHOT_MS));
}

bool mw_client_screenshot(struct mw_client *client, const char *path, const char *node)
{
	json_t *whole = whole_path(client, path);

	return whole && done(client, request(client, "screendump",
					     json_pack("{s:o, s:s, s:s*}", "filename", whole,
						       "format", "png", "device", node),
					     ANSWER_MS));
}

bool mw_client_screen_text(struct mw_client *client, const char *node, FILE *out)
{
	json_t *answer = request(client, "x-millwright-screen-text",
				 json_pack("{s:s*}", "node", node), ANSWER_MS);
	const char *text = json_string_value(json_object_get(answer, "text"));

	for (; text && *text; text++)
		fputc(((unsigned char)*text < 0x20 && *text != '\n') || *text == 0x7f ? '?' : *text,
		      out);
	return done(client, answer);
}

/* Printing what inspect answers. Nothing of it may speak to the terminal. */

static void put(FILE *out, const json_t *object, const char *name, int width)
{
	const char *text = json_string_value(json_object_get(object, name));
	int used = 0;

	for (; text && *text; text++, used++)
		fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, out);
	fprintf(out, "%*s", used < width ? width - used : 0, "");
}

static int widest(const json_t *array, const char *name)
{
	size_t width = 0;

	for (size_t i = 0; i < json_array_size(array); i++) {
		size_t length = json_string_length(json_object_get(json_array_get(array, i), name));

		width = length > width ? length : width;
	}
	return width < 40 ? (int)width : 40;
}

static void print_nodes(const json_t *nodes, FILE *out)
{
	int id = widest(nodes, "id") + 2, type = widest(nodes, "type") + 2;

	for (size_t i = 0; i < json_array_size(nodes); i++) {
		const json_t *node = json_array_get(nodes, i);

		fputs("  ", out);
		put(out, node, "id", id);
		put(out, node, "type", type);
		put(out, node, "summary", 0);
		fputc('\n', out);
	}
}

static void print_rows(const json_t *rows, FILE *out)
{
	int name = widest(rows, "name") + 2;

	if (!json_array_size(rows))
		fputs("    it has no state\n", out);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		fputs("    ", out);
		put(out, json_array_get(rows, i), "name", name);
		put(out, json_array_get(rows, i), "value", 0);
		fputc('\n', out);
	}
}

static void print_all(const json_t *answer, bool rows, FILE *out)
{
	json_int_t ns = json_integer_value(json_object_get(answer, "clock-ns"));
	json_int_t resets = json_integer_value(json_object_get(answer, "resets"));

	put(out, answer, "name", 0);
	fputs(": ", out);
	put(out, answer, "status", 0);
	fprintf(out, ", %lld.%09lld s, %lld reset%s\n", (long long)(ns / 1000000000),
		(long long)(ns % 1000000000), (long long)resets, resets == 1 ? "" : "s");
	print_nodes(json_object_get(answer, "nodes"), out);
	if (rows)
		print_rows(json_object_get(answer, "rows"), out);
}

bool mw_client_inspect(struct mw_client *client, const char *node, bool json, FILE *out)
{
	json_t *arguments = node ? json_pack("{s:s}", "node", node) : json_object();
	json_t *answer;

	if (!arguments)
		return fail(client, "the node's name is not UTF-8");
	answer = request(client, "x-millwright-inspect", arguments, ANSWER_MS);
	if (answer && json) {
		json_dumpf(answer, out, JSON_INDENT(2));
		fputc('\n', out);
	} else if (answer) {
		print_all(answer, node, out);
	}
	return done(client, answer);
}
