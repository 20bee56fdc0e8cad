/** A sentence for every key of the language, and what the shape tables leave to later phases. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tools/schema/schema_internal.h"

#define FINAL(section)                                                                             \
	{                                                                                          \
		section ".final", MW_FACT_SHAPE,                                                   \
			"Keys of this section that whatever extends this file must leave as they " \
			"are."                                                                     \
	}

/* "FORMAT:PATH" is for one format, "PATH" for the others. Sorted as the language's text has them. */
static const struct mw_fact facts[] = {
	/* every file */
	{ "format", MW_FACT_FORMAT, "What kind of file this is; its first line." },
	{ "name", MW_FACT_SHAPE, "The name others know this file by." },
	{ "version", MW_FACT_VERSION,
	  "Version of what a guest sees; others pin it as name@VERSION." },
	{ "summary", MW_FACT_SHAPE, "One line about it." },
	{ "deprecated", MW_FACT_SHAPE, "The end of this file's life: since when, what to use." },
	{ "deprecated.since", MW_FACT_SHAPE, "Since when it is not to be used any more." },
	{ "deprecated.remove", MW_FACT_SHAPE, "When it will be gone." },
	{ "deprecated.use", MW_FACT_SHAPE, "What to use instead." },
	{ "deprecated.why", MW_FACT_SHAPE, "The reason." },
	{ "extends", MW_FACT_SHAPE,
	  "What this file is based on: name@version, kind/name@version or a path; or a list of "
	  "them." },
	{ "final", MW_FACT_SHAPE, "Keys that whatever extends this file must leave as they are." },
	{ "arch", MW_FACT_SHAPE, "The CPUs' architecture; x86_64 when not said." },
	{ "guests", MW_FACT_SHAPE,
	  "The systems this machine is meant for; each switches on rules of its own." },
	{ "history", MW_FACT_SHAPE,
	  "What older versions looked like: each number is laid over the version after it." },
	{ "history.*", MW_FACT_SHAPE, "How this version differs from the one after it." },
	{ "lint", MW_FACT_SHAPE, "What the linter does with this file." },
	{ "lint.allow", MW_FACT_SHAPE, "Findings that are meant so: CODE: reason." },
	{ "lint.allow.*", MW_FACT_SCALAR, "Why this finding is meant so." },

	/* params and checks */
	{ "params", MW_FACT_SHAPE, "What a user can set with --set NAME=VALUE; read as $(NAME)." },
	{ "params.*", MW_FACT_PARAMETER, "A parameter: its type, its default, what it may be." },
	{ "params.*.type", MW_FACT_SHAPE, "What its values are." },
	{ "params.*.default", MW_FACT_SHAPE, "The value when nobody sets one." },
	{ "params.*.optional", MW_FACT_SHAPE, "It may stay without a value." },
	{ "params.*.min", MW_FACT_SCALAR, "The least value." },
	{ "params.*.max", MW_FACT_SCALAR, "The greatest value." },
	{ "params.*.multiple", MW_FACT_SCALAR, "Values are multiples of this." },
	{ "params.*.of", MW_FACT_SHAPE, "enum: its members; list: the type of an item." },
	{ "params.*.match", MW_FACT_SHAPE, "string: the pattern that values match." },
	{ "params.*.help", MW_FACT_SHAPE, "One line about it." },
	{ "params.*.scope", MW_FACT_SHAPE,
	  "guest: it is part of what a guest sees; host: it is not, such as a path." },
	{ "params.*.deprecated", MW_FACT_SHAPE, "Why it is not to be set any more." },
	{ "checks", MW_FACT_SHAPE,
	  "Conditions that must hold, with what to say when one does not." },
	{ "checks.*.that", MW_FACT_SHAPE, "The condition, as a bare expression." },
	{ "checks.*.say", MW_FACT_SHAPE, "The message when it does not hold." },

	/* sections of a machine */
	{ "power", MW_FACT_SHAPE, "What the guest's requests do to the machine." },
	{ "power.off", MW_FACT_SHAPE, "The guest turns itself off." },
	{ "power.reset", MW_FACT_SHAPE, "The guest resets itself." },
	{ "power.panic", MW_FACT_SHAPE, "The guest says that it crashed." },
	{ "power.triple_fault", MW_FACT_SHAPE, "A CPU shuts down." },
	FINAL("power"),
	{ "cpu", MW_FACT_SHAPE, "The CPUs." },
	{ "cpu.model", MW_FACT_SHAPE, "host, or the name of a cpu/1 file." },
	{ "cpu.count", MW_FACT_SHAPE, "How many there are." },
	{ "cpu.topology", MW_FACT_SHAPE, "How they are grouped; the product is the count." },
	{ "cpu.topology.sockets", MW_FACT_SHAPE, "Packages." },
	{ "cpu.topology.cores", MW_FACT_SHAPE, "Cores of a package." },
	{ "cpu.topology.threads", MW_FACT_SHAPE, "Threads of a core." },
	{ "cpu.features", MW_FACT_FEATURES, "Features that are added to the model or taken away." },
	{ "cpu.hypervisor", MW_FACT_SHAPE, "What CPUID says about who runs the guest." },
	{ "cpu.tsc_khz", MW_FACT_SHAPE, "Rate of the time stamp counter in kHz, or from-host." },
	{ "cpu.x2apic", MW_FACT_SHAPE, "Whether the local APICs have the x2APIC mode." },
	FINAL("cpu"),
	{ "boot", MW_FACT_SHAPE, "What runs first." },
	{ "boot.linux", MW_FACT_SHAPE, "Path of a kernel: bzImage, vmlinux or multiboot." },
	{ "boot.elf", MW_FACT_SHAPE, "Path of an ELF kernel: PVH or multiboot." },
	{ "boot.initrd", MW_FACT_SHAPE, "Path of an initial RAM disk." },
	{ "boot.modules", MW_FACT_SHAPE, "PATH ARGUMENTS of multiboot and PVH modules." },
	{ "boot.cmdline", MW_FACT_SHAPE, "The kernel's command line." },
	{ "boot.firmware", MW_FACT_SHAPE, "The device that holds the reset vector." },
	{ "boot.igvm", MW_FACT_SHAPE, "Path of an IGVM file." },
	{ "boot.order", MW_FACT_SHAPE, "Devices to boot from, the first one first." },
	{ "boot.secure_boot", MW_FACT_SHAPE, "Whether the firmware verifies what it starts." },
	{ "boot.measure", MW_FACT_SHAPE, "The hash by which the start is measured." },
	{ "boot.tables", MW_FACT_TABLES, "Tables that describe the machine to the guest." },
	FINAL("boot"),
	{ "accel", MW_FACT_SHAPE, "What executes the guest's code." },
	{ "accel.prefer", MW_FACT_PREFER, "Accelerators to try, the best one first." },
	{ "accel.need", MW_FACT_NEEDS, "What the accelerator must have; `optional` asks only." },
	{ "accel.irqchip", MW_FACT_SHAPE, "Where the interrupt controllers are." },
	{ "accel.clock", MW_FACT_SHAPE, "What drives the guest's time." },
	FINAL("accel"),
	{ "memory", MW_FACT_SHAPE, "The guest's memory." },
	{ "memory.ram", MW_FACT_SHAPE, "How much RAM there is." },
	{ "memory.holes", MW_FACT_SHAPE, "Ranges without RAM, as BASE+LENGTH." },
	{ "memory.below_4g", MW_FACT_SHAPE, "Where RAM below 4 GiB ends at most." },
	{ "memory.vtl2", MW_FACT_SHAPE, "Memory of virtual trust level 2." },
	{ "memory.vtl2.size", MW_FACT_SHAPE, "How much it has." },
	{ "memory.vtl2.place", MW_FACT_SHAPE, "Where it lies." },
	{ "memory.vtl2.private", MW_FACT_SHAPE, "Whether lower levels cannot see it." },
	FINAL("memory"),
	{ "windows", MW_FACT_SHAPE,
	  "Ranges that `auto` places things in: io, mmio32, mmio64, gsi." },
	{ "windows.*", MW_FACT_SHAPE, "A range to place things in." },
	{ "windows.*.range", MW_FACT_SHAPE, "BASE+LENGTH." },
	{ "windows.*.pack", MW_FACT_SHAPE, "From which end it fills." },
	{ "windows.*.after", MW_FACT_SHAPE, "Begin behind the RAM, with align and size." },
	{ "windows.*.align", MW_FACT_SHAPE, "Alignment of its base, with after." },
	{ "windows.*.size", MW_FACT_SHAPE, "Its length, with after." },
	{ "irq", MW_FACT_SHAPE, "Interrupt domains: numbered lines and where they lead." },
	{ "irq.*", MW_FACT_SHAPE, "An interrupt domain." },
	{ "irq.*.lines", MW_FACT_SHAPE, "How many lines it has." },
	{ "irq.*.to", MW_FACT_PIN, "The controller whose pin N is line N, or several." },
	{ "irq.*.to.*", MW_FACT_PIN, NULL },
	{ "irq.*.map", MW_FACT_MAP, "Lines that lead elsewhere: LINE: [NODE:PIN, ...]." },
	{ "irq.*.reserve", MW_FACT_SHAPE, "Lines that nobody may use." },
	{ "irq.*.swizzle", MW_FACT_SHAPE, "How many lines the pins of PCI slots rotate over." },
	{ "irq.*.pins", MW_FACT_SHAPE,
	  "The lines that they rotate over; a guest may change them." },

	/* devices */
	{ "devices", MW_FACT_SHAPE, "The devices, each under its id." },
	{ "devices.*", MW_FACT_DEVICE,
	  "A device. Without `type` it changes an inherited one; `remove` takes that away." },
	{ "devices.*.type", MW_FACT_SHAPE,
	  "The device type (`millwright devices`), or part/NAME." },
	{ "devices.*.at", MW_FACT_AT,
	  "The bus it sits on, with BUS:ADDRESS where it has addresses." },
	{ "devices.*.io", MW_FACT_CLAIM, "Its ports: BASE, BASE+LENGTH or auto; several by name." },
	{ "devices.*.io.*", MW_FACT_CLAIM, NULL },
	{ "devices.*.mmio", MW_FACT_CLAIM,
	  "Its memory: BASE, BASE+LENGTH or auto; several by name." },
	{ "devices.*.mmio.*", MW_FACT_CLAIM, NULL },
	{ "devices.*.irq", MW_FACT_LINE,
	  "Its interrupt line: N, DOMAIN:N, auto, { line, trigger, polarity, share }, or by "
	  "wire." },
	{ "devices.*.dma", MW_FACT_CHANNEL,
	  "Its DMA channel: 0 to 7 or auto, or channels by wire." },
	{ "devices.*.dma.*", MW_FACT_CHANNEL, NULL },
	{ "devices.*.msi", MW_FACT_SHAPE, "Its message interrupts: { vectors: N }." },
	{ "devices.*.msi.*", MW_FACT_VECTORS, NULL },
	{ "devices.*.intx", MW_FACT_INTX, "Its PCI interrupt pin: A, B, C or D." },
	{ "devices.*.intx.*", MW_FACT_INTX, NULL },
	{ "devices.*.props", MW_FACT_SHAPE, "The properties of its type." },
	{ "devices.*.wires", MW_FACT_SHAPE, "Wires to other devices: WIRE: NODE.WIRE." },
	{ "devices.*.wires.*", MW_FACT_WIRE, NULL },
	{ "devices.*.backend", MW_FACT_BACKEND, "The host side: KEY or { KEY: VALUE, ... }." },
	{ "devices.*.placement", MW_FACT_SHAPE, "The thread that runs it." },
	{ "devices.*.on_error", MW_FACT_SHAPE, "What a failure of the host side does." },
	{ "devices.*.vtl", MW_FACT_SHAPE, "The virtual trust level it belongs to." },
	{ "devices.*.when", MW_FACT_SHAPE, "It is there when this expression is true." },
	{ "devices.*.count", MW_FACT_SHAPE,
	  "How many there are: ID0, ID1, ...; $(i) is the number." },
	{ "devices.*.overlays", MW_FACT_SHAPE, "NODE.CLAIM that its claims may lie over." },
	{ "devices.*.notes", MW_FACT_SHAPE, "Remarks; nothing reads them." },
	FINAL("devices.*"),

	/* CPU models and lock files */
	{ "cpu:vendor", MW_FACT_SHAPE, "GenuineIntel or AuthenticAMD." },
	{ "cpu:family", MW_FACT_SHAPE, "Its family, extended fields added." },
	{ "cpu:model", MW_FACT_SHAPE, "Its model, extended fields added." },
	{ "cpu:stepping", MW_FACT_SHAPE, "Its stepping." },
	{ "cpu:brand", MW_FACT_SHAPE, "The brand string, up to 47 characters." },
	{ "cpu:features", MW_FACT_SHAPE, "What it has, by the names of core/cpu_features.c." },
	{ "cpu:features.*", MW_FACT_FEATURE, NULL },
	{ "cpu:leaves", MW_FACT_LEAVES, "CPUID leaves as LEAF or LEAF.SUBLEAF; they win." },
	{ "cpu:msrs", MW_FACT_MSRS, "MSRs that differ from reset: NUMBER: VALUE." },
	{ "lock:abi", MW_FACT_SHAPE, "SHA-256 of what a guest sees." },
	{ "lock:places", MW_FACT_PLACES, "Where `auto` put things: NODE.CLAIM: PLACE." },
	{ "lock:gone", MW_FACT_PLACES, "Places of what is gone, kept free." },

	/* frozen versions */
	{ "abi:name", MW_FACT_SHAPE, "The machine's name." },
	{ "abi:versions", MW_FACT_SHAPE, "What guests of each version see." },
	{ "abi:versions.*", MW_FACT_SHAPE, "One version: a row for each set of parameters." },
	{ "abi:versions.*.*", MW_FACT_SHAPE, "What a guest sees with these parameters." },
	{ "abi:versions.*.*.with", MW_FACT_SHAPE,
	  "The parameters that are set; none: all have their defaults." },
	{ "abi:versions.*.*.with.*", MW_FACT_SCALAR, "The parameter's value." },
	{ "abi:versions.*.*.sha256", MW_FACT_SHA256, "SHA-256 of what a guest sees." },
	{ "abi:versions.*.*.text", MW_FACT_SHAPE,
	  "What `sha256` is of, kept so that a change can be named." },

	/* known findings */
	{ "baseline:findings", MW_FACT_SHAPE, "Findings that the linter does not tell again." },
	{ "baseline:findings.*", MW_FACT_SHAPE, "A finding, known by all but its line." },
	{ "baseline:findings.*.code", MW_FACT_RULE, "The rule's code." },
	{ "baseline:findings.*.file", MW_FACT_SHAPE, "The file, from the baseline's folder." },
	{ "baseline:findings.*.node", MW_FACT_SHAPE, "The device or other thing it is about." },
	{ "baseline:findings.*.message", MW_FACT_SHAPE,
	  "What it says, with `*` for lines and columns." },
	{ "baseline:findings.*.count", MW_FACT_COUNT, "How often it is there; 1 when not said." },

	/* .millwright.yaml */
	{ "config:select", MW_FACT_CODE,
	  "Rules that count, by code or how codes begin; all when not said." },
	{ "config:select.*", MW_FACT_CODE, NULL },
	{ "config:ignore", MW_FACT_CODE, "Rules that do not count, by code or how codes begin." },
	{ "config:ignore.*", MW_FACT_CODE, NULL },
	{ "config:severity", MW_FACT_LEVELS, "How much a rule counts: CODE: LEVEL." },
	{ "config:severity.*", MW_FACT_SHAPE, "The level; `off` drops the finding." },
	{ "config:per-file", MW_FACT_SHAPE,
	  "Rules that do not count in some files: PATTERN: { ignore: [CODE, ...] }." },
	{ "config:per-file.*", MW_FACT_SHAPE,
	  "Files whose path from this folder matches, with * and ?." },
	{ "config:per-file.*.ignore", MW_FACT_CODE, "Rules that do not count in them." },
	{ "config:per-file.*.ignore.*", MW_FACT_CODE, NULL },
	{ "config:profile_path", MW_FACT_SHAPE,
	  "Folders to look for profiles in, from this file's folder." },
	{ "config:module_path", MW_FACT_SHAPE,
	  "Kept for device modules: the folders to look for them in." },
	{ "config:trust", MW_FACT_SHAPE, "Kept for device modules: those that may be loaded." },
	{ "config:fail_on", MW_FACT_SHAPE, "The least severity that makes the linter fail." },
	{ "config:format", MW_FACT_SHAPE, "How findings are reported." },
	{ "config:baseline", MW_FACT_SHAPE,
	  "The file of findings that are not told again, from this file's folder." },
};

static const struct mw_fact *find(const char *format, const char *path)
{
	size_t length = strlen(format);

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		const char *name = facts[i].path;

		if (length) {
			if (strncmp(name, format, length) != 0 || name[length] != ':')
				continue;
			name += length + 1;
		}
		if (!strcmp(name, path))
			return &facts[i];
	}
	return NULL;
}

const struct mw_fact *mw_fact_find(const struct mw_format *format, const char *path)
{
	const char *version = "history.*.";
	const struct mw_fact *fact;

	if (!strncmp(path, version, strlen(version)))
		path += strlen(version);
	fact = find(format->name, path);
	return fact ? fact : find("", path);
}

const char *mw_schema_help(const struct mw_format *format, const char *path)
{
	const struct mw_fact *fact = mw_fact_find(format, path);

	return fact ? fact->help : NULL;
}
