/** A libvirt domain (https://libvirt.org/formatdomain.html) into a sketch, by expat. A document type is refused, so
 * there are no entities that grow; depth and size are bounded. */
// SPDX-License-Identifier: MIT
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/tree.h"
#include "tools/import/sketch.h"

enum { DEPTH = 32, TEXT = 64 * 1024 };

struct domain {
	struct mw_sketch *sketch;
	XML_Parser parser;
	uint32_t source;
	const char *path[DEPTH]; /* names of the open elements */
	struct mw_span spans[DEPTH];
	unsigned depth;
	char *text; /* of the innermost element */
	size_t text_length;
	const char *unit;                 /* of <memory> */
	struct mw_sketch_backend *serial; /* the open <serial> or <console> */
	bool microvm, serial_seen, stopped;
};

static struct mw_span here(struct domain *domain)
{
	XML_Index at = XML_GetCurrentByteIndex(domain->parser);
	int count = XML_GetCurrentByteCount(domain->parser);

	return (struct mw_span){ domain->source, at > 0 ? (uint32_t)at : 0,
				 count > 0 ? (uint32_t)count : 1 };
}

static const char *attribute(const char **attributes, const char *name)
{
	for (; attributes[0]; attributes += 2)
		if (!strcmp(attributes[0], name))
			return attributes[1];
	return NULL;
}

static const char *keep(struct domain *domain, const char *text)
{
	return text ? mw_arena_strdup(domain->sketch->arena, text) : NULL;
}

static bool inside(const struct domain *domain, const char *parent)
{
	return domain->depth >= 2 && !strcmp(domain->path[domain->depth - 2], parent);
}

/* <type arch= machine=> of <os>. */
static void take_type(struct domain *domain, const char **attributes)
{
	const char *arch = attribute(attributes, "arch"),
		   *machine = attribute(attributes, "machine");

	if (arch && strcmp(arch, "x86_64") != 0 && strcmp(arch, "i686") != 0)
		mw_sketch_error(domain->sketch, here(domain),
				"machines of the architecture `%s` do not exist here yet", arch);
	if (!machine)
		return;
	domain->sketch->microvm = !strcmp(machine, "microvm");
	if (!domain->sketch->microvm && strcmp(machine, "isapc") != 0)
		mw_sketch_loss(domain->sketch, here(domain),
			       "`%s` has a PCI bus, which does not exist here yet: linux-pc is the "
			       "nearest",
			       machine);
}

static void take_cpu(struct domain *domain, const char **attributes)
{
	const char *mode = attribute(attributes, "mode");

	if (mode && strcmp(mode, "custom") != 0)
		mw_sketch_model(domain->sketch, mode, here(domain));
}

static void take_feature(struct domain *domain, const char **attributes)
{
	const char *name = attribute(attributes, "name"), *policy = attribute(attributes, "policy");

	if (name && inside(domain, "cpu"))
		mw_sketch_feature(domain->sketch, name,
				  !policy || (strcmp(policy, "disable") != 0 &&
					      strcmp(policy, "forbid") != 0),
				  here(domain));
}

static uint64_t small_number(const char *text)
{
	uint64_t number = 0;

	return text && mw_tree_int(text, &number) && number < 4096 ? number : 0;
}

static void take_topology(struct domain *domain, const char **attributes)
{
	domain->sketch->sockets = small_number(attribute(attributes, "sockets"));
	domain->sketch->cores = small_number(attribute(attributes, "cores"));
	domain->sketch->threads = small_number(attribute(attributes, "threads"));
}

static void take_domain(struct domain *domain, const char **attributes)
{
	const char *type = attribute(attributes, "type");

	if (type && !strcmp(type, "kvm"))
		domain->sketch->prefer = "kvm";
	else if (type && !strcmp(type, "qemu"))
		domain->sketch->prefer = "soft";
	else
		mw_sketch_loss(domain->sketch, here(domain),
			       "the hypervisor `%s` does not exist here", type ? type : "");
}

/* The kinds of a character device, as ours; NULL where there is none. */
static const char *stream_key(const char *type)
{
	static const char *const keys[][2] = { { "pty", "pty" },   { "stdio", "stdio" },
					       { "null", "null" }, { "file", "file" },
					       { "unix", "unix" }, { "tcp", "tcp" } };

	for (size_t i = 0; type && i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(keys[i][0], type))
			return keys[i][1];
	return NULL;
}

/* libvirt writes the first port twice, as serial and as console. */
static void take_serial(struct domain *domain, const char *name, const char **attributes)
{
	struct mw_sketch *sketch = domain->sketch;
	const char *type = attribute(attributes, "type"), *key = stream_key(type);

	domain->serial = NULL;
	if (!strcmp(name, "console") && domain->serial_seen)
		return;
	domain->serial_seen = true;
	if (sketch->serial_count == MW_SKETCH_SERIALS) {
		mw_sketch_loss(sketch, here(domain),
			       "a PC has four serial ports; more are added by hand");
		return;
	}
	domain->serial = &sketch->serial[sketch->serial_count++];
	domain->serial->key = key ? key : "null";
	if (!key)
		mw_sketch_loss(sketch, here(domain),
			       "there is no backend like `%s`: `null` is taken", type ? type : "");
}

static void take_source(struct domain *domain, const char **attributes)
{
	struct mw_sketch_backend *backend = domain->serial;
	const char *path = attribute(attributes, "path"), *host = attribute(attributes, "host");
	const char *port = attribute(attributes, "service"), *mode = attribute(attributes, "mode");

	if (!backend || backend->prop_count)
		return;
	if (path && (!strcmp(backend->key, "file") || !strcmp(backend->key, "unix")))
		mw_sketch_prop(backend, backend->key, keep(domain, path));
	if (port && !strcmp(backend->key, "tcp"))
		mw_sketch_prop(backend, "tcp",
			       mw_arena_printf(domain->sketch->arena, "%s:%s",
					       host ? host : "localhost", port));
	if (mode && !strcmp(mode, "bind") && backend->prop_count)
		mw_sketch_prop(backend, "server", "true");
}

/* Children of <devices> and of <domain> that have no counterpart. */
static const struct {
	const char *name, *parent, *reason;
} lost[] = {
	{ "disk", "devices", "disks do not exist here yet" },
	{ "interface", "devices", "network cards do not exist here yet" },
	{ "graphics", "devices", "displays do not exist here yet" },
	{ "video", "devices", "displays do not exist here yet" },
	{ "sound", "devices", "sound does not exist here yet" },
	{ "audio", "devices", "sound does not exist here yet" },
	{ "hostdev", "devices", "host devices do not exist here yet" },
	{ "filesystem", "devices", "shared folders do not exist here yet" },
	{ "tpm", "devices", "TPMs do not exist here yet" },
	{ "rng", "devices", "virtio devices do not exist here yet" },
	{ "memballoon", "devices", "virtio devices do not exist here yet" },
	{ "channel", "devices", "virtio devices do not exist here yet" },
	{ "vsock", "devices", "virtio devices do not exist here yet" },
	{ "watchdog", "devices", "watchdogs do not exist here yet" },
	{ "panic", "devices", "the panic device does not exist here yet" },
	{ "parallel", "devices", "the parallel port does not exist here yet" },
	{ "redirdev", "devices", "USB does not exist here yet" },
	{ "hub", "devices", "USB does not exist here yet" },
	{ "smartcard", "devices", "USB does not exist here yet" },
	{ "iommu", "devices", "IOMMUs do not exist here yet" },
	{ "shmem", "devices", "shared memory does not exist here yet" },
	{ "loader", "os", "UEFI does not exist here yet" },
	{ "nvram", "os", "UEFI does not exist here yet" },
	{ "boot", "os", "disks do not exist here yet" },
	{ "smbios", "os", "SMBIOS tables follow from the plan here: nothing sets their texts" },
	{ "sysinfo", "domain",
	  "SMBIOS tables follow from the plan here: nothing sets their texts" },
	{ "cputune", "domain", "the host's scheduler is not steered" },
	{ "numatune", "domain", "NUMA does not exist here yet" },
	{ "blkiotune", "domain", "the host's I/O is not steered" },
	{ "memoryBacking", "domain", "memory is the process's own" },
	{ "launchSecurity", "domain", "no accelerator here isolates guests yet" },
	{ "hyperv", "features", "Hyper-V's interface does not exist here yet" },
	{ "smm", "features", "SMM does not exist here yet" },
	{ "commandline", "domain", "read it with `millwright import qemu`" },
};

static void take_lost(struct domain *domain, const char *name)
{
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
		if (!strcmp(lost[i].name, name) && inside(domain, lost[i].parent))
			mw_sketch_loss(domain->sketch, here(domain), "<%s> is left out: %s", name,
				       lost[i].reason);
}

static void take_controller(struct domain *domain, const char **attributes)
{
	const char *type = attribute(attributes, "type");

	if (type && (!strcmp(type, "usb") || !strcmp(type, "scsi") || !strncmp(type, "virtio", 6)))
		mw_sketch_no_device(domain->sketch, type, here(domain));
}

static void take_clock(struct domain *domain, const char **attributes)
{
	const char *offset = attribute(attributes, "offset");

	if (offset && strcmp(offset, "utc") != 0)
		mw_sketch_loss(domain->sketch, here(domain), "the clock is UTC here, not `%s`",
			       offset);
}

static void open_element(struct domain *domain, const char *name, const char **attributes)
{
	if (!strcmp(name, "domain") && domain->depth == 1)
		take_domain(domain, attributes);
	else if (!strcmp(name, "type") && inside(domain, "os"))
		take_type(domain, attributes);
	else if (!strcmp(name, "cpu") && inside(domain, "domain"))
		take_cpu(domain, attributes);
	else if (!strcmp(name, "feature"))
		take_feature(domain, attributes);
	else if (!strcmp(name, "topology"))
		take_topology(domain, attributes);
	else if (!strcmp(name, "memory"))
		domain->unit = keep(domain, attribute(attributes, "unit"));
	else if (!strcmp(name, "controller"))
		take_controller(domain, attributes);
	else if (!strcmp(name, "clock"))
		take_clock(domain, attributes);
	else if ((!strcmp(name, "serial") || !strcmp(name, "console")) && inside(domain, "devices"))
		take_serial(domain, name, attributes);
	else if (!strcmp(name, "source"))
		take_source(domain, attributes);
	else
		take_lost(domain, name);
}

static void stop(struct domain *domain, const char *why)
{
	if (!domain->stopped)
		mw_sketch_error(domain->sketch, here(domain), "%s", why);
	domain->stopped = true;
	XML_StopParser(domain->parser, XML_FALSE);
}

static void on_start(void *context, const char *name, const char **attributes)
{
	struct domain *domain = context;

	if (domain->depth == 0 && strcmp(name, "domain") != 0) {
		stop(domain, "this is no domain: the outermost element is <domain>");
		return;
	}
	if (domain->depth == DEPTH) {
		stop(domain, "nested more than 32 deep");
		return;
	}
	domain->spans[domain->depth] = here(domain);
	domain->path[domain->depth++] = keep(domain, name);
	domain->text_length = 0;
	open_element(domain, name, attributes);
}

static void on_text(void *context, const char *text, int length)
{
	struct domain *domain = context;
	size_t room = TEXT - 1 - domain->text_length, count = (size_t)length;

	if (count > room)
		count = room;
	memcpy(domain->text + domain->text_length, text, count);
	domain->text_length += count;
}

static const char *trimmed(struct domain *domain)
{
	const char *from = domain->text, *to = domain->text + domain->text_length;

	while (from < to && strchr(" \t\r\n", *from))
		from++;
	while (to > from && strchr(" \t\r\n", to[-1]))
		to--;
	return mw_arena_strndup(domain->sketch->arena, from, (size_t)(to - from));
}

/* Units of <memory>: bytes, KB and KiB and their like; without one, KiB. */
static bool read_memory(const char *text, const char *unit, uint64_t *bytes)
{
	static const struct {
		const char *name;
		uint64_t factor;
	} units[] = { { "b", 1 },       { "bytes", 1 },     { "KB", 1000 },
		      { "k", 1024 },    { "KiB", 1024 },    { "MB", 1000000 },
		      { "M", 1 << 20 }, { "MiB", 1 << 20 }, { "GB", 1000000000 },
		      { "G", 1 << 30 }, { "GiB", 1 << 30 }, { "TiB", UINT64_C(1) << 40 } };
	uint64_t number;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(units[i].name, unit ? unit : "KiB") != 0)
			continue;
		if (!mw_tree_int(text, &number) || number > (UINT64_C(1) << 60) / units[i].factor)
			return false;
		*bytes = number * units[i].factor;
		return true;
	}
	return false;
}

static const char *action_of(const char *text)
{
	if (!strcmp(text, "destroy"))
		return "exit";
	if (!strcmp(text, "preserve"))
		return "stop";
	return !strcmp(text, "restart") ? "reset" : NULL;
}

static void take_action(struct domain *domain, const char **action, const char *text)
{
	*action = action_of(text);
	if (!*action)
		mw_sketch_loss(domain->sketch, domain->spans[domain->depth - 1],
			       "there is no action like `%s`", text);
}

/* An element with a text. */
static void close_element(struct domain *domain, const char *name, const char *text)
{
	struct mw_sketch *sketch = domain->sketch;
	struct mw_span span = domain->spans[domain->depth - 1];

	if (!strcmp(name, "name") && inside(domain, "domain"))
		sketch->name = text;
	else if (!strcmp(name, "memory") && inside(domain, "domain")) {
		if (!read_memory(text, domain->unit, &sketch->ram))
			mw_sketch_loss(sketch, span, "`%s` is no size of RAM", text);
	} else if (!strcmp(name, "vcpu"))
		sketch->cpus = small_number(text);
	else if (!strcmp(name, "model") && inside(domain, "cpu"))
		mw_sketch_model(sketch, text, span);
	else if (!strcmp(name, "kernel") && inside(domain, "os"))
		sketch->kernel = text;
	else if (!strcmp(name, "initrd") && inside(domain, "os"))
		sketch->initrd = text;
	else if (!strcmp(name, "cmdline") && inside(domain, "os"))
		sketch->cmdline = text;
	else if (!strcmp(name, "on_poweroff"))
		take_action(domain, &sketch->off, text);
	else if (!strcmp(name, "on_reboot"))
		take_action(domain, &sketch->reset, text);
	else if (!strcmp(name, "on_crash"))
		take_action(domain, &sketch->panic, text);
}

static void on_end(void *context, const char *name)
{
	struct domain *domain = context;

	if (domain->text_length)
		close_element(domain, name, trimmed(domain));
	domain->text_length = 0;
	if (!strcmp(name, "serial") || !strcmp(name, "console"))
		domain->serial = NULL;
	domain->depth--;
}

static void on_doctype(void *context, const char *name, const char *system, const char *public,
		       int internal)
{
	stop(context, "a document type is refused: a domain has none");
}

static void parse(struct domain *domain, const char *text, size_t length)
{
	XML_SetUserData(domain->parser, domain);
	XML_SetElementHandler(domain->parser, on_start, on_end);
	XML_SetCharacterDataHandler(domain->parser, on_text);
	XML_SetStartDoctypeDeclHandler(domain->parser, on_doctype);
	if (XML_Parse(domain->parser, text, (int)length, XML_TRUE) != XML_STATUS_OK &&
	    !domain->stopped)
		mw_sketch_error(domain->sketch, here(domain), "%s",
				XML_ErrorString(XML_GetErrorCode(domain->parser)));
}

void mw_import_libvirt(struct mw_sketch *sketch, uint32_t source, const char *text, size_t length)
{
	struct domain domain = { .sketch = sketch,
				 .source = source,
				 .parser = XML_ParserCreate(NULL),
				 .text = mw_alloc(TEXT, 1) };

	sketch->origin = "a libvirt domain";
	if (domain.parser) {
		parse(&domain, text, length);
		XML_ParserFree(domain.parser);
	}
	free(domain.text);
}
