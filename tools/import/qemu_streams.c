/** Serial ports, the debug console and their host sides, from -serial, -chardev and -device. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tools/import/qemu_internal.h"

static bool starts(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool is_on(const char *value)
{
	return !value || !strcmp(value, "on") || !strcmp(value, "yes") || !strcmp(value, "true");
}

/* What follows the address of a socket: server, nowait, wait=off, reconnect=N. */
static void socket_flags(struct qemu *qemu, struct mw_sketch_backend *backend, const char *cursor)
{
	bool server = false, wait = false;
	struct qemu_pair pair;

	while (qemu_next(qemu, &cursor, &pair)) {
		if (!strcmp(pair.key, "server"))
			server = wait = is_on(pair.value);
		else if (!strcmp(pair.key, "nowait"))
			wait = false;
		else if (!strcmp(pair.key, "wait"))
			wait = is_on(pair.value);
		else
			mw_sketch_loss(qemu->sketch, pair.span, "`%s` of the socket is left out",
				       pair.key);
	}
	if (server)
		mw_sketch_prop(backend, "server", "true");
	if (wait)
		mw_sketch_prop(backend, "wait", "true");
}

/* Up to the first comma, as a text of its own. */
static const char *until_comma(struct qemu *qemu, const char *text, const char **rest)
{
	size_t length = strcspn(text, ",");

	*rest = text[length] ? text + length + 1 : text + length;
	return mw_arena_strndup(qemu->sketch->arena, text, length);
}

static void socket_backend(struct qemu *qemu, struct mw_sketch_backend *backend, const char *key,
			   const char *text)
{
	const char *rest, *address = until_comma(qemu, text, &rest);

	backend->key = key;
	if (!strcmp(key, "tcp") && address[0] == ':')
		address = mw_arena_printf(qemu->sketch->arena, "localhost%s", address);
	mw_sketch_prop(backend, key, address);
	socket_flags(qemu, backend, rest);
}

static void wait_for(struct qemu *qemu, const char *id, struct mw_sketch_backend *backend,
		     struct mw_span span)
{
	if (qemu->waiting_count == QEMU_CHARDEVS)
		return;
	qemu->waiting[qemu->waiting_count].id = id;
	qemu->waiting[qemu->waiting_count].backend = backend;
	qemu->waiting[qemu->waiting_count++].span = span;
}

/* A `dev` of -serial, -debugcon (qemu(1), "-serial dev"). */
static void read_dev(struct qemu *qemu, struct mw_sketch_backend *backend, const char *dev)
{
	static const char *const words[][2] = { { "stdio", "stdio" }, { "mon:stdio", "stdio" },
						{ "pty", "pty" },     { "null", "null" },
						{ "none", "null" },   { "vc", "log" } };
	struct mw_span span = qemu_part(qemu, dev, strlen(dev));
	const char *plain = starts(dev, "mon:") ? dev + 4 : dev;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(words[i][0], dev)) {
			backend->key = words[i][1];
			return;
		}
	}
	if (starts(plain, "file:")) {
		backend->key = "file";
		mw_sketch_prop(backend, "file", plain + 5);
	} else if (starts(plain, "unix:")) {
		socket_backend(qemu, backend, "unix", plain + 5);
	} else if (starts(plain, "tcp:")) {
		socket_backend(qemu, backend, "tcp", plain + 4);
	} else if (starts(plain, "chardev:")) {
		wait_for(qemu, plain + 8, backend, span);
	} else {
		backend->key = "null";
		mw_sketch_loss(qemu->sketch, span, "there is no backend like `%s`: `null` is taken",
			       dev);
	}
}

void qemu_take_serial(struct qemu *qemu, const char *value)
{
	struct mw_sketch *sketch = qemu->sketch;

	if (sketch->serial_count == MW_SKETCH_SERIALS) {
		mw_sketch_loss(sketch, qemu_part(qemu, value, strlen(value)),
			       "a PC has four serial ports; more are added by hand");
		return;
	}
	read_dev(qemu, &sketch->serial[sketch->serial_count++], value);
}

static struct mw_sketch_device *add_device(struct qemu *qemu, const char *type, const char *claim,
					   struct mw_span span)
{
	struct mw_sketch *sketch = qemu->sketch;
	struct mw_sketch_device *device = &sketch->devices[sketch->device_count];

	if (sketch->device_count == MW_SKETCH_DEVICES) {
		mw_sketch_loss(sketch, span, "this `%s` is one too many", type);
		return NULL;
	}
	device->id = mw_arena_printf(sketch->arena, "%s%zu", type[5] == '-' ? "exit" : "debug",
				     sketch->device_count);
	device->type = type;
	device->claim = claim;
	sketch->device_count++;
	return device;
}

void qemu_take_debugcon(struct qemu *qemu, const char *value)
{
	struct mw_sketch_device *device =
		add_device(qemu, "debugcon", "io: 0xe9", qemu_part(qemu, value, strlen(value)));

	if (device)
		read_dev(qemu, &device->backend, value);
}

/* A chardev's kind and ours. */
static void chardev_kind(struct qemu *qemu, struct mw_sketch_backend *backend, const char *kind,
			 struct mw_span span)
{
	static const char *const same[] = { "stdio", "pty", "null", "file" };

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (!strcmp(same[i], kind))
			backend->key = same[i];
	if (!strcmp(kind, "socket"))
		backend->key = "unix";
	if (backend->key)
		return;
	backend->key = "null";
	mw_sketch_loss(qemu->sketch, span, "there is no backend like `%s`: `null` is taken", kind);
}

/* What a chardev says beside its kind. */
struct chardev_text {
	const char *path, *host, *port;
	bool server, wait;
};

static void read_chardev_pair(struct qemu *qemu, struct qemu_chardev *chardev,
			      struct chardev_text *text, const struct qemu_pair *pair)
{
	const char *value = pair->value ? pair->value : "";

	if (!strcmp(pair->key, "id"))
		chardev->id = value;
	else if (!strcmp(pair->key, "path"))
		text->path = value;
	else if (!strcmp(pair->key, "host"))
		text->host = value;
	else if (!strcmp(pair->key, "port"))
		text->port = value;
	else if (!strcmp(pair->key, "server"))
		text->server = text->wait = is_on(pair->value);
	else if (!strcmp(pair->key, "wait"))
		text->wait = is_on(pair->value);
	else if (!strcmp(pair->key, "nowait"))
		text->wait = false;
	else if (strcmp(pair->key, "mux") != 0 && strcmp(pair->key, "signal") != 0)
		mw_sketch_loss(qemu->sketch, pair->span, "`%s` of the chardev is left out",
			       pair->key);
}

static void settle_chardev(struct qemu *qemu, struct mw_sketch_backend *backend,
			   const struct chardev_text *text, struct mw_span span)
{
	bool socket = !strcmp(backend->key, "unix");

	if (socket && text->port) {
		backend->key = "tcp";
		mw_sketch_prop(backend, "tcp",
			       mw_arena_printf(qemu->sketch->arena, "%s:%s",
					       text->host && *text->host ? text->host : "localhost",
					       text->port));
	} else if (text->path && (socket || !strcmp(backend->key, "file"))) {
		mw_sketch_prop(backend, backend->key, text->path);
	} else if (socket || !strcmp(backend->key, "file")) {
		backend->key = "null";
		mw_sketch_loss(qemu->sketch, span, "this chardev names no %s: `null` is taken",
			       socket ? "socket" : "file");
		return;
	}
	if (socket && text->server)
		mw_sketch_prop(backend, "server", "true");
	if (socket && text->wait)
		mw_sketch_prop(backend, "wait", "true");
}

void qemu_take_chardev(struct qemu *qemu, const char *value)
{
	struct qemu_chardev *chardev = &qemu->chardevs[qemu->chardev_count];
	struct chardev_text text = { 0 };
	struct qemu_pair pair;

	if (qemu->chardev_count == QEMU_CHARDEVS || !qemu_next(qemu, &value, &pair))
		return;
	*chardev = (struct qemu_chardev){ .id = "" };
	struct mw_span span = pair.span;

	chardev_kind(qemu, &chardev->backend, pair.value ? pair.value : pair.key, span);
	while (qemu_next(qemu, &value, &pair))
		read_chardev_pair(qemu, chardev, &text, &pair);
	settle_chardev(qemu, &chardev->backend, &text, span);
	qemu->chardev_count++;
}

/* -device isa-serial,chardev=X; isa-debugcon,iobase=0x402,chardev=X; isa-debug-exit,iobase=0xf4,iosize=4 */
struct device_text {
	const char *chardev, *iobase, *iosize;
};

static void read_device_pairs(struct qemu *qemu, const char *cursor, const char *driver,
			      struct device_text *text)
{
	struct qemu_pair pair;

	while (qemu_next(qemu, &cursor, &pair)) {
		if (!strcmp(pair.key, "chardev"))
			text->chardev = pair.value;
		else if (!strcmp(pair.key, "iobase"))
			text->iobase = pair.value;
		else if (!strcmp(pair.key, "iosize"))
			text->iosize = pair.value;
		else if (strcmp(pair.key, "id") != 0)
			mw_sketch_loss(qemu->sketch, pair.span, "`%s` of `%s` is left out",
				       pair.key, driver);
	}
}

static bool is_hex(const char *text)
{
	return starts(text, "0x") && text[2] && strlen(text) <= 6 &&
	       strspn(text + 2, "0123456789abcdef") == strlen(text + 2);
}

static void take_debug_device(struct qemu *qemu, const char *type, const char *fallback,
			      const struct device_text *text, struct mw_span span)
{
	const char *base = text->iobase && is_hex(text->iobase) ? text->iobase : fallback;
	bool exits = !strcmp(type, "debug-exit"); /* which has no stream */
	const char *length = exits ? "+4" : "";
	struct mw_sketch_device *device = add_device(
		qemu, type, mw_arena_printf(qemu->sketch->arena, "io: %s%s", base, length), span);

	if (device && text->chardev && !exits)
		wait_for(qemu, text->chardev, &device->backend, span);
}

void qemu_take_device(struct qemu *qemu, const char *value)
{
	struct device_text text = { 0 };
	const char *cursor = value;
	struct qemu_pair pair;

	if (!qemu_next(qemu, &cursor, &pair))
		return;
	const char *driver = pair.value ? pair.value : pair.key;

	if (!strcmp(driver, "isa-debugcon") || !strcmp(driver, "isa-debug-exit") ||
	    !strcmp(driver, "isa-serial"))
		read_device_pairs(qemu, cursor, driver, &text);
	if (!strcmp(driver, "isa-debugcon")) {
		take_debug_device(qemu, "debugcon", "0xe9", &text, pair.span);
	} else if (!strcmp(driver, "isa-debug-exit")) {
		take_debug_device(qemu, "debug-exit", "0x501", &text, pair.span);
	} else if (!strcmp(driver, "isa-serial") && text.chardev) {
		struct mw_sketch *sketch = qemu->sketch;

		if (sketch->serial_count < MW_SKETCH_SERIALS)
			wait_for(qemu, text.chardev, &sketch->serial[sketch->serial_count++],
				 pair.span);
	} else {
		mw_sketch_no_device(qemu->sketch, driver, pair.span);
	}
}

void qemu_take_nodefaults(struct qemu *qemu, const char *value)
{
	qemu->nodefaults = true;
}

void qemu_settle_streams(struct qemu *qemu)
{
	struct mw_sketch *sketch = qemu->sketch;
	size_t terminals = 0;

	for (size_t w = 0; w < qemu->waiting_count; w++) {
		struct mw_sketch_backend *backend = qemu->waiting[w].backend;

		for (size_t i = 0; i < qemu->chardev_count; i++)
			if (!strcmp(qemu->chardevs[i].id, qemu->waiting[w].id))
				*backend = qemu->chardevs[i].backend;
		if (!backend->key) {
			backend->key = "null";
			mw_sketch_loss(sketch, qemu->waiting[w].span,
				       "there is no chardev `%s`: `null` is taken",
				       qemu->waiting[w].id);
		}
	}
	/* A window of QEMU's shows the first port where nothing is said; a terminal has to do here. */
	if (!sketch->serial_count && (qemu->nographic || !qemu->nodefaults))
		sketch->serial[sketch->serial_count++].key = "stdio";
	if (!sketch->serial_count)
		sketch->serial[sketch->serial_count++].key = "null";
	for (size_t i = 0; i < sketch->serial_count + sketch->device_count; i++) {
		struct mw_sketch_backend *backend =
			i < sketch->serial_count
				? &sketch->serial[i]
				: &sketch->devices[i - sketch->serial_count].backend;

		if (!backend->key || strcmp(backend->key, "stdio") != 0 || terminals++ == 0)
			continue;
		mw_sketch_loss(sketch, sketch->whole,
			       "two streams share the terminal: one became `log`");
		backend->key = "log";
	}
}
