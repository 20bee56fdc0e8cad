/* PCI functions: their identity, and kind and size of what their base address registers place. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "tools/verify/verify.h"

enum { HEADER_BYTES = 64, BARS = 6, ROM = 6, IO_RESOURCE = 0x100, MEMORY_RESOURCE = 0x200 };
enum { ADDRESS_BYTES = sizeof("0000:00:1f.7") + 8 };

static bool resource_line(const char *line, uint64_t *first, uint64_t *last, uint64_t *flags)
{
	return sscanf(line, "0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64, first, last, flags) == 3;
}

size_t verify_bars(const struct verify_facts *facts, struct verify_bar *bars, size_t capacity)
{
	const struct verify_section *section = verify_section(facts, "resource", NULL);
	size_t count = 0;

	for (; section; section = verify_section(facts, "resource", section)) {
		for (size_t i = 0; i < section->count && i <= ROM && count < capacity; i++) {
			uint64_t first, last, flags;

			if (resource_line(section->lines[i], &first, &last, &flags) && last)
				bars[count++] =
					(struct verify_bar){ first, last, flags & IO_RESOURCE };
		}
	}
	return count;
}

/* "0000:00:01.1" of a node on bus 0; false: it is no function. */
static bool address_of(const struct mw_plan *plan, const struct mw_plan_node *node,
		       char text[ADDRESS_BYTES])
{
	unsigned slot = 0, function = 0;

	if (!node->type->config ||
	    (!mw_plan_pci_root(node) && !mw_plan_pci_address(plan, node, &slot, &function)))
		return false;
	snprintf(text, ADDRESS_BYTES, "0000:00:%02x.%x", slot & 0x1f, function & 7);
	return true;
}

static const struct verify_section *named(const struct verify_facts *facts, const char *kind,
					  const char *name)
{
	const struct verify_section *section = verify_section(facts, kind, NULL);

	while (section && strcmp(section->name, name) != 0)
		section = verify_section(facts, kind, section);
	return section;
}

static void check_identity(struct verify *verify, const char *address,
			   const struct mw_pci_identity *identity, const uint8_t *header)
{
	const struct {
		const char *what;
		unsigned at, bytes;
		uint32_t wanted;
	} rows[] = {
		{ "vendor", 0x00, 2, identity->vendor },
		{ "device", 0x02, 2, identity->device },
		{ "revision", 0x08, 1, identity->revision },
		{ "interface", 0x09, 1, identity->class_code & 0xff },
		{ "class", 0x0a, 2, identity->class_code >> 8 },
		{ "header type", 0x0e, 1, identity->header },
		{ "subsystem vendor", 0x2c, 2, identity->subsystem_vendor },
		{ "subsystem", 0x2e, 2, identity->subsystem },
		{ "interrupt pin", 0x3d, 1, identity->pin },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t value = header[rows[i].at];

		if (rows[i].bytes == 2)
			value |= (uint32_t)header[rows[i].at + 1] << 8;
		if (value != rows[i].wanted)
			verify_say(verify, address, "its %s is 0x%x, the plan's 0x%x", rows[i].what,
				   value, rows[i].wanted);
	}
}

static bool is_ide(const struct mw_plan_node *node)
{
	const struct mw_pci_identity *identity = node->type->config->identity;

	return identity && identity->class_code >> 8 == 0x0101;
}

/* A base address register that the plan gives a size has that size and kind; others are not there. */
static void check_bars(struct verify *verify, const char *address, const struct mw_plan_node *node,
		       const struct verify_section *resources)
{
	for (unsigned bar = 0; bar <= ROM && bar < resources->count; bar++) {
		const struct mw_plan_claim *claim = NULL;
		uint64_t first = 0, last = 0, flags = 0;

		for (size_t c = 0; c < node->claim_count; c++)
			if (node->claims[c].region && node->claims[c].region->bar == bar + 1)
				claim = &node->claims[c];
		bool there = resource_line(resources->lines[bar], &first, &last, &flags) && last;
		uint64_t kind = claim && claim->kind == MW_CLAIM_IO ? IO_RESOURCE : MEMORY_RESOURCE;

		/* Linux adds the compatibility ports of IDE, and VGA's shadowed ROM, by itself. */
		if (there && !claim && bar < 4 && is_ide(node))
			continue;
		if (there && !claim && bar == ROM && first == 0xc0000)
			continue;
		if (there != (claim != NULL))
			verify_say(verify, address,
				   "base address register %u is %s, in the plan %s", bar,
				   there ? "there" : "not there", claim ? "it is" : "it is not");
		else if (claim && (!(flags & kind) || last - first + 1 != claim->length) &&
			 !(bar == ROM && first == 0xc0000))
			verify_say(verify, address,
				   "base address register %u places 0x%" PRIx64
				   " bytes, `%s.%s` has 0x%" PRIx64,
				   bar, last - first + 1, node->id, claim->name, claim->length);
	}
}

static void check_function(struct verify *verify, const struct mw_plan_node *node,
			   const char *address)
{
	const struct verify_section *section = named(verify->facts, "pci", address);
	const struct verify_section *resources = named(verify->facts, "resource", address);
	size_t count = 0;
	const uint8_t *header = section ? verify_bytes(verify->facts, section, &count) : NULL;

	if (count < HEADER_BYTES || !resources) {
		verify_say(verify, address, "`%s` is not there", node->id);
		return;
	}
	verify->functions++;
	if (node->type->config->identity)
		check_identity(verify, address, node->type->config->identity, header);
	check_bars(verify, address, node, resources);
}

static bool is_planned(const struct mw_plan *plan, const char *name)
{
	char address[ADDRESS_BYTES];

	for (size_t i = 0; i < plan->node_count; i++)
		if (address_of(plan, &plan->nodes[i], address) && !strcmp(address, name))
			return true;
	return false;
}

void verify_functions(struct verify *verify)
{
	const struct verify_section *section = verify_section(verify->facts, "pci", NULL);
	char address[ADDRESS_BYTES];

	for (size_t i = 0; i < verify->plan->node_count; i++)
		if (address_of(verify->plan, &verify->plan->nodes[i], address))
			check_function(verify, &verify->plan->nodes[i], address);
	for (; section; section = verify_section(verify->facts, "pci", section))
		if (!is_planned(verify->plan, section->name))
			verify_say(verify, section->name, "the plan has no such function");
}
