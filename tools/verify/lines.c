/* Interrupt lines and CPUs: /proc/interrupts. */
// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/verify/verify.h"

/* The I/O APIC's input `pin`, or the 8259s' where the kernel uses those. */
static const struct mw_plan_net *net_of(const struct mw_plan *plan, const char *chip, unsigned pin)
{
	bool apic = !strcmp(chip, "IO-APIC");

	for (size_t i = 0; i < plan->net_count; i++) {
		const struct mw_plan_net *net = &plan->nets[i];

		if (apic ? net->gsi == pin
			 : net->domain && !strcmp(net->domain, "isa") && net->line == pin)
			return net;
	}
	return NULL;
}

/* What begins a line: "  4:" and a counter for each CPU. Moves *at behind them; false: no such line. */
static bool skip_counters(const char **at, size_t cpus)
{
	while (isspace((unsigned char)**at))
		(*at)++;
	if (!isdigit((unsigned char)**at))
		return false;
	*at += strspn(*at, "0123456789");
	if (*(*at)++ != ':')
		return false;
	for (size_t i = 0; i < cpus; i++) {
		*at += strspn(*at, " ");
		size_t digits = strspn(*at, "0123456789");

		if (!digits)
			return false;
		*at += digits;
	}
	*at += strspn(*at, " ");
	return true;
}

static void check_line(struct verify *verify, const char *line, size_t cpus)
{
	char chip[20], trigger[20];
	unsigned pin;
	const char *at = line;

	if (!skip_counters(&at, cpus))
		return;
	if (sscanf(at, "%19s %u-%19s", chip, &pin, trigger) != 3)
		return;
	if (strcmp(chip, "IO-APIC") != 0 && strcmp(chip, "XT-PIC") != 0)
		return; /* messages have no line */
	const struct mw_plan_net *net = net_of(verify->plan, chip, pin);
	bool edge = !strcmp(trigger, "edge");

	verify->lines++;
	if (!net)
		verify_say(verify, "/proc/interrupts", "input %u is no line of the plan: `%.60s`",
			   pin, at);
	else if (!strcmp(chip, "IO-APIC") && edge != (net->trigger == MW_TRIGGER_EDGE))
		verify_say(verify, "/proc/interrupts", "input %u is triggered by %s, not by %s",
			   pin, edge ? "edges" : "levels", edge ? "levels" : "edges");
}

void verify_lines(struct verify *verify)
{
	const struct verify_section *section = verify_section(verify->facts, "file", NULL);
	size_t cpus = 0;

	while (section && strcmp(section->name, "/proc/interrupts") != 0)
		section = verify_section(verify->facts, "file", section);
	if (!section || !section->count) {
		verify_say(verify, "/proc/interrupts", "is not in the report");
		return;
	}
	for (const char *at = section->lines[0]; (at = strstr(at, "CPU")); at++)
		cpus++;
	if (cpus != verify->plan->cpu.count)
		verify_say(verify, "/proc/interrupts", "has %zu CPUs, the plan %u", cpus,
			   verify->plan->cpu.count);
	for (size_t i = 1; i < section->count; i++)
		check_line(verify, section->lines[i], cpus);
}
