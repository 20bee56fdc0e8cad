/* What the keys of the language are for, in a sentence each. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tools/lsp/lsp_internal.h"

/* `where` is a pattern as of lsp_outline_is; "" is the root. */
static const struct help {
	const char *where, *key, *text;
} helps[] = {
	{ "", "format",
	  "What kind of file this is and which version of the language: machine/1, "
	  "chipset/1, part/1, overlay/1, cpu/1." },
	{ "", "name", "The name others extend it by." },
	{ "", "version", "An integer: which guest ABI this file describes. `name@N` pins it." },
	{ "", "summary", "One line for lists of profiles." },
	{ "", "deprecated", "Since when, until when, and what to use in its place." },
	{ "", "extends",
	  "The base or bases: `chipset/NAME@VERSION`, `NAME@VERSION`, or a path. What "
	  "this file says beats what they say." },
	{ "", "params", "Values that `--set NAME=VALUE` can give; `$(NAME)` reads one." },
	{ "", "checks", "Conditions that must hold, with what to say when they do not." },
	{ "", "power", "What the machine does when the guest turns it off, resets or breaks it." },
	{ "", "cpu", "Model, number and features of the CPUs." },
	{ "", "boot", "What the machine runs at power on." },
	{ "", "accel", "Which accelerators may run it, and what it needs of them." },
	{ "", "memory", "How much RAM there is and where." },
	{ "", "windows",
	  "Pools that `auto` claims are placed in: io, mmio32, mmio64, or an interrupt "
	  "domain's name." },
	{ "", "irq", "Interrupt domains: how many lines each has and where they lead." },
	{ "", "devices",
	  "The devices, keyed by id. An entry without a `type` changes one of a base." },
	{ "", "history", "What older versions looked like: changes keyed by version." },
	{ "", "lint", "Findings that are expected here, each with a reason." },
	{ "", "arch", "The CPUs' architecture; x86_64 when absent." },
	{ "", "guests", "Which systems are meant to run here; switches on rules about them." },
	{ "", "final", "Keys that whoever extends this file may not change." },
	{ "params/*", "type",
	  "bool, int, size, freq, duration, string, enum, path, mac, uuid, range, "
	  "secret or list." },
	{ "params/*", "default", "The value when `--set` gives none; may be an expression." },
	{ "params/*", "optional",
	  "true: may stay without a value; keys made of it alone are absent "
	  "then." },
	{ "params/*", "min", "The least value." },
	{ "params/*", "max", "The largest value." },
	{ "params/*", "multiple", "The value is a multiple of this." },
	{ "params/*", "of", "An enum's members, or the type of a list's items." },
	{ "params/*", "match", "A pattern that the text must fit." },
	{ "params/*", "help", "One line for those who set it." },
	{ "params/*", "scope",
	  "guest: part of what the guest sees (the default); host: no part of "
	  "it." },
	{ "checks/-", "that", "An expression that must be true." },
	{ "checks/-", "say", "What is said when it is not." },
	{ "cpu", "model", "A CPU model (a cpu/1 file), or `host`." },
	{ "cpu", "count", "How many CPUs." },
	{ "cpu", "topology", "Sockets, cores and threads; what is absent follows from the count." },
	{ "cpu", "features", "Features by name: true adds one, false takes it away." },
	{ "cpu", "hypervisor", "Which hypervisor the guest is told of: none, kvm or hyperv." },
	{ "cpu", "tsc_khz", "The rate of the time stamp counter, or `from-host`." },
	{ "boot", "linux", "A kernel: bzImage, vmlinux by PVH, or one by multiboot." },
	{ "boot", "elf", "A kernel that is an ELF file." },
	{ "boot", "initrd", "The initial RAM disk." },
	{ "boot", "cmdline", "The kernel's command line." },
	{ "boot", "modules", "Files loaded beside the kernel: PATH or \"PATH ARGUMENTS\"." },
	{ "boot", "firmware", "The node that holds the reset vector." },
	{ "boot", "order", "Nodes to boot from, the first one first." },
	{ "boot", "tables", "Firmware tables to make: acpi, smbios, mptable, pir." },
	{ "accel", "prefer", "Accelerators to try, in order; `auto` stands for all." },
	{ "accel", "need", "What the accelerator must offer; `optional` where it may." },
	{ "accel", "irqchip",
	  "Who models the interrupt controllers: auto, kernel, split or user." },
	{ "accel", "clock", "host: time passes as outside; instructions: by what was executed." },
	{ "memory", "ram", "How much RAM." },
	{ "memory", "holes", "Ranges (BASE+LENGTH) without RAM." },
	{ "memory", "below_4g", "How much of the RAM is below 4 GiB at most." },
	{ "power", "off", "When the guest turns itself off: exit, reset or stop." },
	{ "power", "reset", "When the guest resets itself." },
	{ "power", "panic", "When the guest reports that it crashed." },
	{ "power", "triple_fault", "When a CPU shuts down." },
	{ "windows/*", "range",
	  "BASE+LENGTH; for an interrupt domain the first line and a count." },
	{ "windows/*", "pack", "up: the lowest free place first; down: the highest." },
	{ "windows/*", "after", "`ram`: begins where the RAM ends." },
	{ "windows/*", "align", "With `after`: its start is a multiple of this." },
	{ "windows/*", "size", "With `after`: how long it is." },
	{ "irq/*", "lines", "How many lines the domain has." },
	{ "irq/*", "to", "The controllers that line n reaches as pin n." },
	{ "irq/*", "map", "Lines that lead elsewhere: LINE: NODE:PIN, or a list of them." },
	{ "irq/*", "reserve", "Lines that no device may use." },
	{ "devices/*", "type", "The device type; `millwright devices` lists them." },
	{ "devices/*", "at",
	  "The bus it sits on: a node that opens one, or `sys`; with an address where "
	  "the bus has some (`pci0:04.0`)." },
	{ "devices/*", "io", "Its ports: BASE, BASE+LENGTH or auto; several by name." },
	{ "devices/*", "mmio", "Its memory ranges: BASE, BASE+LENGTH or auto; several by name." },
	{ "devices/*", "irq",
	  "Its interrupt line: a number, DOMAIN:NUMBER, auto, or { line, trigger, "
	  "polarity, share }; several by wire." },
	{ "devices/*", "dma", "Its ISA DMA channel." },
	{ "devices/*", "msi", "Its message signalled interrupts." },
	{ "devices/*", "intx", "Its PCI interrupt pin: A to D." },
	{ "devices/*", "props", "The type's properties." },
	{ "devices/*", "wires", "Connections to other nodes: WIRE: NODE.WIRE." },
	{ "devices/*", "backend", "The host side of its stream or image." },
	{ "devices/*", "placement", "Which thread runs it: shared, own or cpu." },
	{ "devices/*", "on_error", "When the device breaks: stop the machine, or report." },
	{ "devices/*", "when", "An expression; false takes the device out." },
	{ "devices/*", "count", "How many of it, with ids rp0, rp1 and so on; `i` is the number." },
	{ "devices/*", "overlays", "NODE.CLAIM: the one claim that this device may lie over." },
	{ "devices/*", "vtl", "The virtual trust level it belongs to." },
	{ "devices/*", "notes", "For readers." },
	{ "devices/*", "final", "Keys that whoever extends this may not change." },
	{ "devices/*/irq", "line", "The line: a number, DOMAIN:NUMBER or auto." },
	{ "devices/*/irq", "trigger", "edge or level." },
	{ "devices/*/irq", "polarity", "high or low." },
	{ "devices/*/irq", "share", "true: others may drive the line as well." },
};

const char *lsp_key_help(const struct lsp_outline *outline, uint32_t parent, const char *key)
{
	for (size_t i = 0; i < sizeof(helps) / sizeof(helps[0]); i++) {
		if (strcmp(helps[i].key, key) == 0 &&
		    (parent == LSP_NO_ITEM
			     ? !*helps[i].where
			     : *helps[i].where && lsp_outline_is(outline, parent, helps[i].where)))
			return helps[i].text;
	}
	return NULL;
}
