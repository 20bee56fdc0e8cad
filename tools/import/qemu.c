/** A QEMU command line (qemu(1)) into a sketch: options by a table, key=value lists with `,,` for a comma. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "resolver/tree.h"
#include "tools/import/qemu_internal.h"
#include "tools/options.h"

static struct mw_span word_span(const struct qemu *qemu, size_t index)
{
	return (struct mw_span){ qemu->words->source, qemu->words->offsets[index],
				 (uint32_t)strlen(qemu->words->words[index]) };
}

struct mw_span qemu_part(const struct qemu *qemu, const char *at, size_t length)
{
	const char *word = qemu->words->words[qemu->at];
	size_t offset = at >= word && at <= word + strlen(word) ? (size_t)(at - word) : 0;

	return (struct mw_span){ qemu->words->source,
				 qemu->words->offsets[qemu->at] + (uint32_t)offset,
				 (uint32_t)length };
}

bool qemu_next(struct qemu *qemu, const char **cursor, struct qemu_pair *pair)
{
	const char *at = *cursor, *equals = NULL;
	char *text, *to;

	if (!*at)
		return false;
	text = to = mw_arena_alloc(qemu->sketch->arena, strlen(at) + 1, 1);
	for (; *at && (*at != ',' || at[1] == ','); at++) {
		at += *at == ',';
		if (*at == '=' && !equals) {
			equals = to;
			*to++ = '\0';
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
	pair->key = text;
	pair->value = equals ? equals + 1 : NULL;
	pair->span = qemu_part(qemu, *cursor, (size_t)(at - *cursor));
	*cursor = *at ? at + 1 : at;
	return true;
}

/* The first pair is NAME or KEY=NAME. */
static const char *head_of(struct qemu *qemu, const char **cursor, const char *key)
{
	struct qemu_pair pair;

	if (!qemu_next(qemu, cursor, &pair))
		return "";
	if (!pair.value)
		return pair.key;
	return !strcmp(pair.key, key) ? pair.value : "";
}

static void lose_rest(struct qemu *qemu, const char **cursor, const char *what)
{
	struct qemu_pair pair;

	while (qemu_next(qemu, cursor, &pair))
		mw_sketch_loss(qemu->sketch, pair.span, "`%s` of %s is left out", pair.key, what);
}

static void take_machine(struct qemu *qemu, const char *value)
{
	const char *cursor = value, *name = head_of(qemu, &cursor, "type");
	struct qemu_pair pair;

	qemu->sketch->microvm = !strcmp(name, "microvm");
	if (!strncmp(name, "pc", 2) || !strncmp(name, "q35", 3))
		mw_sketch_loss(qemu->sketch, qemu_part(qemu, value, strlen(name)),
			       "`%s` has a PCI bus, which does not exist here yet: linux-pc is the "
			       "nearest",
			       name);
	else if (!qemu->sketch->microvm && strcmp(name, "isapc") != 0)
		mw_sketch_loss(qemu->sketch, qemu_part(qemu, value, strlen(value)),
			       "there is no machine like `%s` here: linux-pc is taken", name);
	while (qemu_next(qemu, &cursor, &pair)) {
		if (!strcmp(pair.key, "accel") && pair.value)
			qemu_take_accel(qemu, pair.value, pair.span);
		else
			mw_sketch_loss(qemu->sketch, pair.span, "`%s` of the machine is left out",
				       pair.key);
	}
}

void qemu_take_accel(struct qemu *qemu, const char *name, struct mw_span span)
{
	size_t length = strcspn(name, ":,");

	if (!strncmp(name, "kvm", length))
		qemu->sketch->prefer = "kvm";
	else if (!strncmp(name, "tcg", length))
		qemu->sketch->prefer = "soft";
	else
		mw_sketch_loss(qemu->sketch, span, "the accelerator `%s` does not exist here",
			       name);
}

static void take_accel(struct qemu *qemu, const char *value)
{
	const char *cursor = value, *name = head_of(qemu, &cursor, "accel");

	qemu_take_accel(qemu, name, qemu_part(qemu, value, strlen(value)));
	lose_rest(qemu, &cursor, "the accelerator");
}

static void take_kvm(struct qemu *qemu, const char *value)
{
	qemu->sketch->prefer = "kvm";
}

/* -cpu MODEL,+feature,-feature,feature=on */
static void take_cpu(struct qemu *qemu, const char *value)
{
	const char *cursor = value, *name = head_of(qemu, &cursor, "model");
	struct qemu_pair pair;

	mw_sketch_model(qemu->sketch, name, qemu_part(qemu, value, strlen(name)));
	while (qemu_next(qemu, &cursor, &pair)) {
		bool sign = pair.key[0] == '+' || pair.key[0] == '-';
		bool wanted = pair.value ? !strcmp(pair.value, "on") || !strcmp(pair.value, "true")
					 : pair.key[0] != '-';

		mw_sketch_feature(qemu->sketch, pair.key + sign, wanted, pair.span);
	}
}

static bool number_of(struct qemu *qemu, const struct qemu_pair *pair, const char *text,
		      uint64_t *value)
{
	if (mw_tree_int(text, value) && *value && *value < 4096)
		return true;
	mw_sketch_loss(qemu->sketch, pair->span, "`%s` is no number of CPUs", text);
	return false;
}

static void take_smp(struct qemu *qemu, const char *value)
{
	struct mw_sketch *sketch = qemu->sketch;
	const struct {
		const char *key;
		uint64_t *field;
	} fields[] = { { "cpus", &sketch->cpus },
		       { "sockets", &sketch->sockets },
		       { "cores", &sketch->cores },
		       { "threads", &sketch->threads } };
	struct qemu_pair pair;

	while (qemu_next(qemu, &value, &pair)) {
		const char *key = pair.value ? pair.key : "cpus",
			   *text = pair.value ? pair.value : pair.key;
		uint64_t *field = NULL, number;

		for (size_t i = 0; i < 4; i++)
			if (!strcmp(fields[i].key, key))
				field = fields[i].field;
		if (!field)
			mw_sketch_loss(sketch, pair.span, "`%s` of -smp is left out", pair.key);
		else if (number_of(qemu, &pair, text, &number))
			*field = number;
	}
	qemu_complete_topology(sketch);
}

void qemu_complete_topology(struct mw_sketch *sketch)
{
	if (!sketch->sockets && !sketch->cores && !sketch->threads)
		return;
	sketch->threads = sketch->threads ? sketch->threads : 1;
	if (!sketch->cores)
		sketch->cores = sketch->cpus && sketch->sockets
					? (sketch->cpus + sketch->sockets * sketch->threads - 1) /
						  (sketch->sockets * sketch->threads)
					: 1;
	if (!sketch->sockets)
		sketch->sockets = sketch->cpus ? (sketch->cpus + sketch->cores * sketch->threads -
						  1) / (sketch->cores * sketch->threads)
					       : 1;
	if (!sketch->cpus)
		sketch->cpus = sketch->sockets * sketch->cores * sketch->threads;
}

/* A number of MiB, or with a suffix. */
static bool read_ram(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	char *end;
	unsigned long long number = strtoull(text, &end, 10);
	const char *unit = *end ? memchr(units, *end & ~0x20, 4) : units + 1;
	unsigned shift = unit ? 10 + 10 * (unsigned)(unit - units) : 0;

	if (end == text || text[0] == '-' || (!unit && *end != 'b' && *end != 'B') ||
	    (*end && end[1]) || number > UINT64_MAX >> shift)
		return false;
	*bytes = (uint64_t)number << shift;
	return true;
}

static void take_ram(struct qemu *qemu, const char *value)
{
	struct qemu_pair pair;

	while (qemu_next(qemu, &value, &pair)) {
		const char *text = pair.value ? pair.value : pair.key;

		if (pair.value && strcmp(pair.key, "size") != 0)
			mw_sketch_loss(qemu->sketch, pair.span, "`%s` of -m is left out", pair.key);
		else if (!read_ram(text, &qemu->sketch->ram))
			mw_sketch_loss(qemu->sketch, pair.span, "`%s` is no size of RAM", text);
	}
}

static void take_name(struct qemu *qemu, const char *value)
{
	qemu->sketch->name = head_of(qemu, &value, "guest");
}

static void take_kernel(struct qemu *qemu, const char *value)
{
	qemu->sketch->kernel = value;
}
static void take_initrd(struct qemu *qemu, const char *value)
{
	qemu->sketch->initrd = value;
}
static void take_append(struct qemu *qemu, const char *value)
{
	qemu->sketch->cmdline = value;
}
static void take_bios(struct qemu *qemu, const char *value)
{
	qemu->sketch->firmware = value;
}
static void take_no_reboot(struct qemu *qemu, const char *value)
{
	qemu->sketch->reset = "exit";
}
static void take_no_shutdown(struct qemu *qemu, const char *value)
{
	qemu->sketch->off = "stop";
}

static void take_nographic(struct qemu *qemu, const char *value)
{
	qemu->nographic = true;
}

static void take_display(struct qemu *qemu, const char *value)
{
	if (strcmp(value, "none") != 0)
		mw_sketch_loss(qemu->sketch, qemu_part(qemu, value, strlen(value)),
			       "displays do not exist here yet");
}

static void take_control(struct qemu *qemu, const char *value)
{
	mw_sketch_loss(qemu->sketch, qemu_part(qemu, value, strlen(value)),
		       "the control socket is no part of a machine: `millwright run --qmp SOCKET`");
}

/* What is no part of a machine, or has no meaning here. */
static void take_nothing(struct qemu *qemu, const char *value)
{
}

static const struct qemu_option options[] = {
	{ "accel", true, take_accel, NULL },
	{ "append", true, take_append, NULL },
	{ "bios", true, take_bios, NULL },
	{ "chardev", true, qemu_take_chardev, NULL },
	{ "cpu", true, take_cpu, NULL },
	{ "daemonize", false, NULL, "millwright stays in the foreground" },
	{ "debugcon", true, qemu_take_debugcon, NULL },
	{ "device", true, qemu_take_device, NULL },
	{ "display", true, take_display, NULL },
	{ "enable-kvm", false, take_kvm, NULL },
	{ "initrd", true, take_initrd, NULL },
	{ "kernel", true, take_kernel, NULL },
	{ "m", true, take_ram, NULL },
	{ "M", true, take_machine, NULL },
	{ "machine", true, take_machine, NULL },
	{ "mon", true, take_nothing, NULL },
	{ "monitor", true, take_nothing, NULL },
	{ "msg", true, take_nothing, NULL },
	{ "name", true, take_name, NULL },
	{ "net", true, NULL, "network cards do not exist here yet" },
	{ "nodefaults", false, qemu_take_nodefaults, NULL },
	{ "nographic", false, take_nographic, NULL },
	{ "no-acpi", false, NULL, "write `boot: { tables: [] }`" },
	{ "no-hpet", false, take_nothing, NULL },
	{ "no-reboot", false, take_no_reboot, NULL },
	{ "no-shutdown", false, take_no_shutdown, NULL },
	{ "no-user-config", false, take_nothing, NULL },
	{ "pidfile", true, NULL, "it is no part of a machine" },
	{ "qmp", true, take_control, NULL },
	{ "qmp-pretty", true, take_control, NULL },
	{ "serial", true, qemu_take_serial, NULL },
	{ "smp", true, take_smp, NULL },
	{ "audio", true, NULL, "sound does not exist here yet" },
	{ "audiodev", true, NULL, "sound does not exist here yet" },
	{ "blockdev", true, NULL, "disks do not exist here yet" },
	{ "boot", true, NULL, "disks do not exist here yet" },
	{ "cdrom", true, NULL, "disks do not exist here yet" },
	{ "drive", true, NULL, "disks do not exist here yet" },
	{ "fda", true, NULL, "disks do not exist here yet" },
	{ "fdb", true, NULL, "disks do not exist here yet" },
	{ "hda", true, NULL, "disks do not exist here yet" },
	{ "hdb", true, NULL, "disks do not exist here yet" },
	{ "hdc", true, NULL, "disks do not exist here yet" },
	{ "hdd", true, NULL, "disks do not exist here yet" },
	{ "snapshot", false, NULL, "disks do not exist here yet" },
	{ "netdev", true, NULL, "network cards do not exist here yet" },
	{ "nic", true, NULL, "network cards do not exist here yet" },
	{ "fsdev", true, NULL, "shared folders do not exist here yet" },
	{ "virtfs", true, NULL, "shared folders do not exist here yet" },
	{ "fw_cfg", true, NULL, "fw_cfg does not exist here yet" },
	{ "parallel", true, NULL, "the parallel port does not exist here yet" },
	{ "pflash", true, NULL, "flash memory does not exist here yet" },
	{ "smbios", true, NULL,
	  "SMBIOS tables follow from the plan here: nothing sets their texts" },
	{ "acpitable", true, NULL, "tables come from the machine alone" },
	{ "spice", true, NULL, "displays do not exist here yet" },
	{ "vga", true, NULL, "displays do not exist here yet" },
	{ "vnc", true, NULL, "displays do not exist here yet" },
	{ "full-screen", false, NULL, "displays do not exist here yet" },
	{ "tpmdev", true, NULL, "TPMs do not exist here yet" },
	{ "usb", false, NULL, "USB does not exist here yet" },
	{ "usbdevice", true, NULL, "USB does not exist here yet" },
	{ "dtb", true, NULL, "x86 machines have no device tree" },
	{ "global", true, NULL, "properties are set at the node itself" },
	{ "set", true, NULL, "properties are set at the node itself" },
	{ "mem-path", true, NULL, "memory is the process's own" },
	{ "mem-prealloc", false, NULL, "memory is the process's own" },
	{ "numa", true, NULL, "NUMA does not exist here yet" },
	{ "object", true, NULL, "it has no counterpart here" },
	{ "overcommit", true, NULL, "memory is the process's own" },
	{ "rtc", true, NULL, "the clock is UTC and the host's" },
	{ "icount", true, NULL, "write `accel: { clock: instructions }`" },
	{ "S", false, NULL, "send `stop` to the control socket" },
	{ "s", false, NULL, "there is no debugger's stub yet" },
	{ "gdb", true, NULL, "there is no debugger's stub yet" },
	{ "loadvm", true, NULL, "QEMU's snapshots are in its own format" },
	{ "incoming", true, NULL, "QEMU's migration is in its own format" },
	{ "sandbox", true, take_nothing, NULL },
	{ "run-with", true, take_nothing, NULL },
	{ "runas", true, take_nothing, NULL },
	{ "chroot", true, take_nothing, NULL },
	{ "D", true, take_nothing, NULL },
	{ "d", true, take_nothing, NULL },
	{ "k", true, take_nothing, NULL },
	{ "L", true, take_nothing, NULL },
	{ "trace", true, take_nothing, NULL },
	{ "uuid", true, NULL, "SMBIOS tables follow from the plan here: nothing sets their texts" },
	{ "readconfig", true, NULL, "the file is not read" },
	{ "watchdog-action", true, NULL, "watchdogs do not exist here yet" },
};

static const struct qemu_option *find_option(const char *name)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (!strcmp(options[i].name, name))
			return &options[i];
	return NULL;
}

static void take_unknown(struct qemu *qemu, size_t index)
{
	const char *next = index + 1 < qemu->words->count ? qemu->words->words[index + 1] : "-";

	mw_sketch_loss(qemu->sketch, word_span(qemu, index), "`%s` is not known here",
		       qemu->words->words[index]);
	qemu->at = index + (*next != '-');
}

/* A profile is UTF-8 (RFC 3629), and words of a command line may be any bytes. */
static bool is_utf8(const char *text)
{
	uint32_t point;
	size_t count;

	for (size_t left = strlen(text); left; text += count, left -= count) {
		count = mw_utf8_decode(text, left, &point);
		if (count == 1 && point == 0xfffd)
			return false;
	}
	return true;
}

static bool check_words(struct qemu *qemu)
{
	bool good = true;

	for (size_t i = 0; i < qemu->words->count; i++) {
		if (is_utf8(qemu->words->words[i]))
			continue;
		mw_sketch_error(qemu->sketch, word_span(qemu, i),
				"this is not UTF-8, and a profile is");
		good = false;
	}
	return good;
}

/* A word without a dash is a disk's image. */
static void take_option(struct qemu *qemu, size_t index)
{
	const char *word = qemu->words->words[index];
	const struct qemu_option *option;

	qemu->at = index;
	if (*word != '-') {
		mw_sketch_loss(qemu->sketch, word_span(qemu, index),
			       "`%s` is a disk, and disks do not exist here yet", word);
		return;
	}
	option = find_option(word + 1 + (word[1] == '-'));
	if (!option) {
		take_unknown(qemu, index);
		return;
	}
	if (option->argument && index + 1 == qemu->words->count) {
		mw_sketch_error(qemu->sketch, word_span(qemu, index), "`%s` needs a value", word);
		return;
	}
	qemu->at = index + option->argument;
	if (option->take)
		option->take(qemu, option->argument ? qemu->words->words[qemu->at] : NULL);
	else
		mw_sketch_loss(qemu->sketch, word_span(qemu, index), "`%s` is left out: %s", word,
			       option->reason);
}

static bool is_program(const char *word)
{
	const char *slash = strrchr(word, '/');
	const char *name = slash ? slash + 1 : word;

	return !strncmp(name, "qemu", 4) || !strcmp(name, "kvm");
}

static bool check_program(struct qemu *qemu)
{
	const char *system = strstr(qemu->words->words[0], "qemu-system-");

	if (!system || !strcmp(system + 12, "x86_64") || !strcmp(system + 12, "i386"))
		return true;
	mw_sketch_error(qemu->sketch, word_span(qemu, 0),
			"machines of this architecture do not exist here yet");
	return false;
}

void mw_import_qemu(struct mw_sketch *sketch, const struct mw_import_words *words)
{
	struct qemu qemu = { .sketch = sketch, .words = words };
	size_t index = words->count && is_program(words->words[0]);

	sketch->origin = "a QEMU command line";
	if (!check_words(&qemu) || (index && !check_program(&qemu)))
		return;
	for (; index < words->count; index = qemu.at + 1)
		take_option(&qemu, index);
	qemu_settle_streams(&qemu);
}
