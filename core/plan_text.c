/* The canonical text of a plan: one walk over it, spelled as block YAML or as JSON. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "core/plan.h"

/* Where the output stands. An open list item of YAML owes its "- ". */
struct writer {
	FILE *out;
	bool json, guest;
	unsigned depth;
	bool first;     /* nothing written yet in this map or list */
	bool item_open; /* the next key follows "- " */
	const struct mw_plan *plan;
};

static void indent(struct writer *writer)
{
	unsigned depth = writer->json ? writer->depth + 1 : writer->depth;

	if (writer->json)
		fputs(writer->first ? "\n" : ",\n", writer->out);
	if (writer->item_open) {
		fprintf(writer->out, "%*s- ", (int)(2 * (depth - 1)), "");
		writer->item_open = false;
	} else {
		fprintf(writer->out, "%*s", (int)(2 * depth), "");
	}
	writer->first = false;
}

/* Names are plain where a YAML 1.1 reader keeps them text too. */
static bool plain(const char *word)
{
	static const char *const traps[] = { "null", "true", "false", "yes", "no",
					     "on",   "off",  "y",     "n" };
	size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_./:@-");

	if (!length || word[length] || word[length - 1] == ':')
		return false;
	if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", word[0]))
		return false;
	for (size_t i = 0; i < sizeof(traps) / sizeof(traps[0]); i++) {
		if (!strcasecmp(word, traps[i]))
			return false;
	}
	return true;
}

/* Decodes one UTF-8 character; a byte that starts none is U+FFFD and one byte long. */
static uint32_t decode(const unsigned char *text, unsigned *length)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned count = text[0] < 0x80           ? 1
			 : (text[0] >> 5) == 0x06 ? 2
			 : (text[0] >> 4) == 0x0e ? 3
			 : (text[0] >> 3) == 0x1e ? 4
						  : 0;
	uint32_t value = count < 2 ? text[0] : text[0] & (0x7fu >> count);

	*length = 1;
	for (unsigned i = 1; i < count; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0xfffd;
		value = value << 6 | (text[i] & 0x3f);
	}
	if (!count || value < least[count] || value > 0x10ffff || (value & 0xfffff800) == 0xd800)
		return 0xfffd;
	*length = count;
	return value;
}

/* Printable in YAML 1.1 (5.1) as well as in JSON, without an escape. */
static bool printable(uint32_t value)
{
	return value >= 0x20 && !(value >= 0x7f && value < 0xa0) && value != 0x2028 &&
	       value != 0x2029 && value != 0xfeff && value != 0xfffe && value != 0xffff;
}

static void quote(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	fputc('"', out);
	while (*at) {
		unsigned length;
		uint32_t value = decode(at, &length);

		if (value == '"' || value == '\\')
			fprintf(out, "\\%c", (char)value);
		else if (value == '\n')
			fputs("\\n", out);
		else if (value == '\t')
			fputs("\\t", out);
		else if (value == 0xfffd)
			fputs("\xef\xbf\xbd", out);
		else if (!printable(value))
			fprintf(out, "\\u%04" PRIx32, value);
		else
			fwrite(at, length, 1, out);
		at += length;
	}
	fputc('"', out);
}

static void put_word(struct writer *writer, const char *word)
{
	if (!writer->json && plain(word))
		fputs(word, writer->out);
	else
		quote(writer->out, word);
}

static void key(struct writer *writer, const char *name)
{
	indent(writer);
	put_word(writer, name);
	fputs(writer->json ? ": " : ":", writer->out);
}

static void end_line(struct writer *writer)
{
	if (!writer->json)
		fputc('\n', writer->out);
}

static void word(struct writer *writer, const char *name, const char *value)
{
	key(writer, name);
	if (!writer->json)
		fputc(' ', writer->out);
	put_word(writer, value);
	end_line(writer);
}

static void text(struct writer *writer, const char *name, const char *value)
{
	key(writer, name);
	if (!writer->json)
		fputc(' ', writer->out);
	quote(writer->out, value);
	end_line(writer);
}

static void number(struct writer *writer, const char *name, uint64_t value)
{
	key(writer, name);
	fprintf(writer->out, writer->json ? "%" PRIu64 : " %" PRIu64, value);
	end_line(writer);
}

static void hex(struct writer *writer, const char *name, uint64_t value)
{
	key(writer, name);
	fprintf(writer->out, writer->json ? "%" PRIu64 : " 0x%" PRIx64, value);
	end_line(writer);
}

static void boolean(struct writer *writer, const char *name, bool value)
{
	key(writer, name);
	if (!writer->json)
		fputc(' ', writer->out);
	fputs(value ? "true" : "false", writer->out);
	end_line(writer);
}

static void put_range(struct writer *writer, uint64_t base, uint64_t length)
{
	fprintf(writer->out,
		writer->json ? "{ \"base\": %" PRIu64 ", \"length\": %" PRIu64 " }"
			     : " 0x%" PRIx64 "+0x%" PRIx64,
		base, length);
	end_line(writer);
}

static void range(struct writer *writer, const char *name, uint64_t base, uint64_t length)
{
	key(writer, name);
	put_range(writer, base, length);
}

static void open_with(struct writer *writer, const char *name, char bracket)
{
	key(writer, name);
	if (writer->json)
		fputc(bracket, writer->out);
	end_line(writer);
	writer->depth++;
	writer->first = true;
}

static void close_with(struct writer *writer, char bracket)
{
	writer->depth--;
	if (writer->json)
		fprintf(writer->out, "\n%*s%c", (int)(2 * (writer->depth + 1)), "", bracket);
	writer->first = false;
}

static void open_map(struct writer *writer, const char *name)
{
	open_with(writer, name, '{');
}

static void close_map(struct writer *writer)
{
	close_with(writer, '}');
}

static void open_list(struct writer *writer, const char *name)
{
	open_with(writer, name, '[');
}

static void close_list(struct writer *writer)
{
	close_with(writer, ']');
}

/* A scalar item: the caller writes it and ends the line. */
static void item(struct writer *writer)
{
	indent(writer);
	if (!writer->json)
		fputs("- ", writer->out);
}

static void word_item(struct writer *writer, const char *value)
{
	item(writer);
	put_word(writer, value);
	end_line(writer);
}

static void text_item(struct writer *writer, const char *value)
{
	item(writer);
	quote(writer->out, value);
	end_line(writer);
}

static void open_item(struct writer *writer)
{
	if (writer->json) {
		indent(writer);
		fputc('{', writer->out);
	}
	writer->depth++;
	writer->first = true;
	writer->item_open = !writer->json;
}

static void words(struct writer *writer, const char *name, const char *const *items)
{
	if (!items || !items[0])
		return;
	open_list(writer, name);
	for (; *items; items++)
		word_item(writer, *items);
	close_list(writer);
}

static void write_features(struct writer *writer, const struct mw_plan_cpu *cpu)
{
	bool some = (cpu->features_add && cpu->features_add[0]) ||
		    (cpu->features_remove && cpu->features_remove[0]);

	if (!some)
		return;
	open_map(writer, "features");
	for (const char *const *name = cpu->features_add; name && *name; name++)
		boolean(writer, *name, true);
	for (const char *const *name = cpu->features_remove; name && *name; name++)
		boolean(writer, *name, false);
	close_map(writer);
}

static void write_leaf(struct writer *writer, const struct mw_cpuid_leaf *leaf)
{
	char name[40];

	snprintf(name, sizeof(name),
		 leaf->has_subleaf ? "leaf_%" PRIx32 ".%" PRIu32 : "leaf_%" PRIx32, leaf->leaf,
		 leaf->subleaf);
	key(writer, name);
	fprintf(writer->out,
		writer->json ? "[%" PRIu32 ", %" PRIu32 ", %" PRIu32 ", %" PRIu32 "]"
			     : " 0x%08" PRIx32 " 0x%08" PRIx32 " 0x%08" PRIx32 " 0x%08" PRIx32,
		leaf->eax, leaf->ebx, leaf->ecx, leaf->edx);
	end_line(writer);
}

static void write_cpu(struct writer *writer)
{
	static const char *const hypervisors[] = { "none", "kvm", "hyperv" };
	const struct mw_plan_cpu *cpu = &writer->plan->cpu;

	open_map(writer, "cpu");
	word(writer, "model", cpu->model);
	number(writer, "count", cpu->count);
	number(writer, "sockets", cpu->sockets);
	number(writer, "cores", cpu->cores);
	number(writer, "threads", cpu->threads);
	word(writer, "hypervisor", hypervisors[cpu->hypervisor]);
	if (!cpu->tsc_told)
		word(writer, "tsc_khz", "untold");
	else if (!cpu->tsc_khz)
		word(writer, "tsc_khz", "from-host");
	else
		number(writer, "tsc_khz", cpu->tsc_khz);
	write_features(writer, cpu);
	if (cpu->leaf_count)
		open_map(writer, "cpuid");
	for (size_t i = 0; i < cpu->leaf_count; i++)
		write_leaf(writer, &cpu->leaves[i]);
	if (cpu->leaf_count)
		close_map(writer);
	if (cpu->msr_count)
		open_map(writer, "msrs");
	for (size_t i = 0; i < cpu->msr_count; i++) {
		char name[16];

		snprintf(name, sizeof(name), "msr_%" PRIx32, cpu->msrs[i].index);
		hex(writer, name, cpu->msrs[i].value);
	}
	if (cpu->msr_count)
		close_map(writer);
	close_map(writer);
}

static void write_accel(struct writer *writer)
{
	static const char *const irqchips[] = { "auto", "kernel", "split", "user" };
	const struct mw_plan_accel *accel = &writer->plan->accel;

	if (writer->guest && !accel->need_count)
		return;
	open_map(writer, "accel");
	if (!writer->guest) {
		words(writer, "prefer", accel->prefer);
		word(writer, "irqchip", irqchips[accel->irqchip]);
		word(writer, "clock", accel->instruction_clock ? "instructions" : "host");
	}
	if (accel->need_count)
		open_map(writer, "need");
	for (size_t i = 0; i < accel->need_count; i++) {
		if (accel->needs[i].optional)
			word(writer, accel->needs[i].name, "optional");
		else
			number(writer, accel->needs[i].name, accel->needs[i].value);
	}
	if (accel->need_count)
		close_map(writer);
	close_map(writer);
}

static void write_power(struct writer *writer)
{
	static const char *const actions[] = { "reset", "stop", "exit" };
	const struct mw_plan_power *power = &writer->plan->power;

	open_map(writer, "power");
	word(writer, "off", actions[power->off]);
	word(writer, "reset", actions[power->reset]);
	word(writer, "panic", actions[power->panic]);
	word(writer, "triple_fault", actions[power->triple_fault]);
	close_map(writer);
}

/* Host files stay out of the guest's view; that a kernel is started directly does not. */
static void write_boot(struct writer *writer)
{
	static const char *const tables[] = { "acpi", "smbios", "mptable", "pir" };
	const struct mw_plan_boot *boot = &writer->plan->boot;
	bool kernel = boot->linux_path || boot->elf_path;

	open_map(writer, "boot");
	word(writer, "loader",
	     boot->linux_path ? "linux"
	     : boot->elf_path ? "elf"
	     : boot->firmware ? "firmware"
			      : "none");
	if (boot->linux_path && !writer->guest)
		text(writer, "linux", boot->linux_path);
	if (boot->elf_path && !writer->guest)
		text(writer, "elf", boot->elf_path);
	if (boot->initrd_path && !writer->guest)
		text(writer, "initrd", boot->initrd_path);
	if (kernel && !(writer->guest && boot->cmdline_host))
		text(writer, "cmdline", boot->cmdline);
	if (boot->module_count && !writer->guest) {
		open_list(writer, "modules");
		for (size_t i = 0; i < boot->module_count; i++)
			text_item(writer, boot->modules[i].text);
		close_list(writer);
	}
	if (boot->firmware)
		word(writer, "firmware", boot->firmware);
	if (boot->tables)
		open_list(writer, "tables");
	for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (boot->tables & 1u << i)
			word_item(writer, tables[i]);
	}
	if (boot->tables)
		close_list(writer);
	close_map(writer);
}

/* Which texts of `boot` a host-scoped parameter is part of. */
static void write_boot_origin(struct writer *writer)
{
	if (writer->guest || !writer->plan->boot.cmdline_host)
		return;
	open_list(writer, "boot_from_host");
	word_item(writer, "cmdline");
	close_list(writer);
}

static void write_memory(struct writer *writer)
{
	const struct mw_plan *plan = writer->plan;

	open_map(writer, "memory");
	number(writer, "ram_bytes", plan->ram_bytes);
	if (plan->ram_count)
		open_list(writer, "ranges");
	for (size_t i = 0; i < plan->ram_count; i++) {
		indent(writer);
		fputs(writer->json ? "" : "-", writer->out);
		put_range(writer, plan->ram[i].base, plan->ram[i].length);
	}
	if (plan->ram_count)
		close_list(writer);
	close_map(writer);
}

static void write_bytes(struct writer *writer, const char *name, const struct mw_plan_value *value)
{
	const char *between = value->property->kind == MW_MAC ? ":" : "";

	key(writer, name);
	fputs(writer->json ? "\"" : " \"", writer->out);
	for (size_t i = 0; i < value->bytes.size; i++) {
		bool dash =
			value->property->kind == MW_UUID && (i == 4 || i == 6 || i == 8 || i == 10);

		fprintf(writer->out, "%s%02x",
			dash ? "-"
			: i  ? between
			     : "",
			value->bytes.bytes[i]);
	}
	fputc('"', writer->out);
	end_line(writer);
}

static void write_value(struct writer *writer, const struct mw_plan_value *value)
{
	const struct mw_property *property = value->property;

	switch (property->kind) {
	case MW_BOOL: boolean(writer, property->name, value->number); break;
	case MW_STRING: text(writer, property->name, value->text); break;
	case MW_MAC:
	case MW_UUID:
	case MW_BLOB: write_bytes(writer, property->name, value); break;
	default:
		if (property->members)
			word(writer, property->name, property->members[value->number]);
		else
			number(writer, property->name, value->number);
	}
}

static void write_values(struct writer *writer, const struct mw_plan_node *node)
{
	bool open = false;

	for (size_t i = 0; i < node->value_count; i++) {
		if (writer->guest && node->values[i].host)
			continue;
		if (!open)
			open_map(writer, "props");
		open = true;
		write_value(writer, &node->values[i]);
	}
	if (open)
		close_map(writer);
}

/* "NODE.WIRE", with ":N" for one of several. */
static void put_end(struct writer *writer, uint32_t node, const struct mw_wire *wire,
		    uint32_t index)
{
	char end[200];
	int length = snprintf(end, sizeof(end), "%s.%s", writer->plan->nodes[node].id, wire->name);

	if (wire->count > 1 && length > 0 && (size_t)length < sizeof(end))
		snprintf(end + length, sizeof(end) - (size_t)length, ":%" PRIu32, index);
	put_word(writer, end);
	end_line(writer);
}

/* The name, with ":N" for one of several lines. */
static void name_claim(const struct mw_plan_claim *claim, char *name, size_t size)
{
	if (claim->kind == MW_CLAIM_IRQ && claim->wire->count > 1)
		snprintf(name, size, "%s:%" PRIu32, claim->name, claim->wire_index);
	else
		snprintf(name, size, "%s", claim->name);
}

static void write_line(struct writer *writer, const struct mw_plan_claim *claim)
{
	const struct mw_plan_net *net = &writer->plan->nets[claim->net];
	char name[100];

	name_claim(claim, name, sizeof(name));
	key(writer, name);
	if (!writer->json)
		fputc(' ', writer->out);
	if (net->domain) {
		snprintf(name, sizeof(name), "%s:%" PRIu32, net->domain, net->line);
		put_word(writer, name);
		end_line(writer);
	} else {
		put_end(writer, net->sinks[0].node, net->sinks[0].wire, net->sinks[0].index);
	}
}

static void write_claims_of(struct writer *writer, const struct mw_plan_node *node,
			    enum mw_claim_kind kind, const char *name)
{
	bool open = false;

	for (size_t i = 0; i < node->claim_count; i++) {
		const struct mw_plan_claim *claim = &node->claims[i];

		if (claim->kind != kind)
			continue;
		if (!open)
			open_map(writer, name);
		open = true;
		if (kind == MW_CLAIM_IRQ)
			write_line(writer, claim);
		else
			range(writer, claim->name, claim->base, claim->length);
	}
	if (open)
		close_map(writer);
}

static void write_overlays(struct writer *writer, const struct mw_plan_node *node)
{
	bool open = false;

	for (size_t i = 0; i < node->claim_count; i++) {
		if (!node->claims[i].overlays)
			continue;
		if (!open)
			open_map(writer, "overlays");
		open = true;
		word(writer, node->claims[i].name, node->claims[i].overlays);
	}
	if (open)
		close_map(writer);
}

/* Which claims the allocator placed: for readers, not for guests. */
static void write_automatic(struct writer *writer, const struct mw_plan_node *node)
{
	bool open = false;

	for (size_t i = 0; i < node->claim_count; i++) {
		char name[100];

		if (!node->claims[i].automatic)
			continue;
		if (!open)
			open_list(writer, "auto");
		open = true;
		name_claim(&node->claims[i], name, sizeof(name));
		word_item(writer, name);
	}
	if (open)
		close_list(writer);
}

/* Which values a host-scoped parameter is part of: their text does not show it. */
static void write_origin(struct writer *writer, const struct mw_plan_node *node)
{
	bool open = false;

	for (size_t i = 0; i < node->value_count; i++) {
		if (!node->values[i].host)
			continue;
		if (!open)
			open_list(writer, "from_host");
		open = true;
		word_item(writer, node->values[i].property->name);
	}
	if (open)
		close_list(writer);
}

static void write_node(struct writer *writer, const struct mw_plan_node *node)
{
	static const char *const placements[] = { "shared", "own", "cpu" };

	open_map(writer, node->id);
	word(writer, "type", node->type->name);
	if (node->host) {
		boolean(writer, "host", true);
	} else {
		word(writer, "bus", node->bus);
		if (node->address)
			text(writer, "address", node->address);
	}
	if (!writer->guest)
		word(writer, "placement", placements[node->placement]);
	write_values(writer, node);
	if (!writer->guest)
		write_origin(writer, node);
	write_claims_of(writer, node, MW_CLAIM_IO, "io");
	write_claims_of(writer, node, MW_CLAIM_MMIO, "mmio");
	write_claims_of(writer, node, MW_CLAIM_IRQ, "irq");
	write_claims_of(writer, node, MW_CLAIM_DMA, "dma");
	write_overlays(writer, node);
	if (!writer->guest)
		write_automatic(writer, node);
	close_map(writer);
}

static void write_nodes(struct writer *writer)
{
	const struct mw_plan *plan = writer->plan;
	bool open = false;

	for (size_t i = 0; i < plan->node_count; i++) {
		if (writer->guest && plan->nodes[i].host)
			continue;
		if (!open)
			open_map(writer, "nodes");
		open = true;
		write_node(writer, &plan->nodes[i]);
	}
	if (open)
		close_map(writer);
}

static void write_net(struct writer *writer, const struct mw_plan_net *net)
{
	open_item(writer);
	if (net->domain) {
		word(writer, "domain", net->domain);
		number(writer, "line", net->line);
	}
	if (net->gsi != MW_NO_GSI)
		number(writer, "gsi", net->gsi);
	word(writer, "trigger", net->trigger == MW_TRIGGER_LEVEL ? "level" : "edge");
	word(writer, "polarity", net->polarity == MW_POLARITY_LOW ? "low" : "high");
	boolean(writer, "shared", net->shared);
	if (net->sink_count)
		open_list(writer, "sinks");
	for (size_t i = 0; i < net->sink_count; i++) {
		item(writer);
		put_end(writer, net->sinks[i].node, net->sinks[i].wire, net->sinks[i].index);
	}
	if (net->sink_count)
		close_list(writer);
	close_map(writer);
}

static void write_links(struct writer *writer)
{
	const struct mw_plan *plan = writer->plan;
	bool open = false;

	for (size_t i = 0; i < plan->link_count; i++) {
		const struct mw_plan_link *link = &plan->links[i];
		bool host = plan->nodes[link->node[0]].host || plan->nodes[link->node[1]].host;

		if (writer->guest && host)
			continue;
		if (!open)
			open_list(writer, "links");
		open = true;
		open_item(writer);
		for (unsigned side = 0; side < 2; side++) {
			key(writer, side ? "to" : "from");
			if (!writer->json)
				fputc(' ', writer->out);
			put_end(writer, link->node[side], link->wire[side], link->index[side]);
		}
		close_map(writer);
	}
	if (open)
		close_list(writer);
}

static void write_wiring(struct writer *writer)
{
	const struct mw_plan *plan = writer->plan;

	if (plan->domain_count)
		open_map(writer, "domains");
	for (size_t i = 0; i < plan->domain_count; i++)
		number(writer, plan->domains[i].name, plan->domains[i].lines);
	if (plan->domain_count)
		close_map(writer);
	write_nodes(writer);
	if (plan->net_count)
		open_list(writer, "nets");
	for (size_t i = 0; i < plan->net_count; i++)
		write_net(writer, &plan->nets[i]);
	if (plan->net_count)
		close_list(writer);
	write_links(writer);
}

static void write_plan(struct writer *writer)
{
	const struct mw_plan *plan = writer->plan;

	word(writer, "format", "plan/1");
	word(writer, "name", plan->name);
	number(writer, "version", plan->version);
	if (!writer->guest && plan->summary && *plan->summary)
		text(writer, "summary", plan->summary);
	word(writer, "arch", plan->arch);
	if (!writer->guest)
		words(writer, "bases", plan->bases);
	write_cpu(writer);
	write_memory(writer);
	write_accel(writer);
	write_power(writer);
	write_boot(writer);
	write_boot_origin(writer);
	write_wiring(writer);
}

void mw_plan_write_yaml(const struct mw_plan *plan, enum mw_plan_text what, FILE *out)
{
	struct writer writer = { .out = out, .plan = plan, .guest = what == MW_PLAN_GUEST };

	write_plan(&writer);
}

void mw_plan_write_json(const struct mw_plan *plan, enum mw_plan_text what, FILE *out)
{
	struct writer writer = { .out = out,
				 .plan = plan,
				 .guest = what == MW_PLAN_GUEST,
				 .json = true,
				 .first = true };

	fputc('{', out);
	write_plan(&writer);
	fputs("\n}\n", out);
}
