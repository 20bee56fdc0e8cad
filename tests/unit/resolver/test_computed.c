/* What an expression makes is checked as strictly as what is written. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tests/unit/resolver/back.h"

struct row {
	const char *code, *part, *text;
};

static const char params[] = "params:\n"
			     "  word: { type: string, default: abc }\n"
			     "  far: { type: string, default: 0xffffffffff000+0x2000 }\n"
			     "  own: { type: int, scope: host, default: 1 }\n"
			     "  none: { type: int, optional: true }\n";

static void refuse(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct back back;

		back_resolve(&back, params, rows[i].text, NULL);
		back_expect(&back, rows[i].code, rows[i].part);
		back_fini(&back);
	}
}
#define REFUSE(rows) refuse(rows, sizeof(rows) / sizeof((rows)[0]))

#define CPU(rest)    "cpu: { model: host, " rest " }\n" BACK_MEMORY BACK_BOOT
#define MEMORY(rest) BACK_CPU BACK_BOOT "memory: { " rest " }\n"
#define WINDOW(rest) BACK_CPU BACK_BOOT BACK_MEMORY "windows: { " rest " }\n"

static void numbers_and_words_of_sections_are_such(void **state)
{
	static const struct row rows[] = {
		{ "S102", "expected an int, found `abc`", CPU("tsc_khz: 1000, count: $(word)") },
		{ "S102", "expected an int, found `abc`",
		  CPU("tsc_khz: 1000, topology: { cores: $(word) }") },
		{ "S102", "expected an int or `from-host`", CPU("tsc_khz: $(word)") },
		{ "S102", "expected true or false", CPU("tsc_khz: 1000, x2apic: $(word)") },
		{ "S102", "expected a map such as", CPU("tsc_khz: 1000, features: [avx]") },
		{ "S102", "expected a size such as", MEMORY("ram: $(word)") },
		{ "S102", "expected a range such as", MEMORY("ram: 64MiB, holes: [$(word)]") },
		{ "S103", "goes beyond 0xfffffffffffff", MEMORY("ram: 64MiB, holes: [$(far)]") },
		{ "S102", "expected `up` or `down`",
		  WINDOW("io: { range: 0xc000+0x100, pack: $(word) }") },
		{ "S103", "goes beyond 0xfffffffffffff", WINDOW("mmio32: { range: $(far) }") },
		{ "S102", "expected true or false",
		  BACK_CPU BACK_MEMORY "boot: { linux: k, secure_boot: $(word) }\n" },
	};

	REFUSE(rows);
}

#define DOMAINS(text) BACK_CPU BACK_MEMORY BACK_BOOT "irq: { " text " }\n" BACK_DEVICES
#define DEVICE(text)  BACK_MACHINE "  x: { type: " text " }\n"

static void lines_are_lines(void **state)
{
	static const struct row rows[] = {
		{ "S102", "expected an int", DOMAINS("isa: { lines: $(word), to: pic }") },
		{ "S102", "expected a number, found `abc`",
		  DOMAINS("isa: { lines: 16, to: 'pic:$(word)' }") },
		{ "S102", "expected an int",
		  DOMAINS("pci: { swizzle: 2, pins: [1, $(word)], to: apic }") },
		{ "S102", "expected a number, found `abc`", DEVICE("chip, at: isa, irq: $(word)") },
		{ "S102", "a line may depend on guest parameters only",
		  DEVICE("chip, at: isa, irq: $(own)") },
		{ "S102", "expected `true` or `false`",
		  DEVICE("chip, at: isa, irq: { line: 4, share: $(word) }") },
	};

	REFUSE(rows);
}

static void claims_and_wires_are_such(void **state)
{
	static const struct row rows[] = {
		{ "S102", "expected a number, found `abc`", DEVICE("chip, at: isa, io: $(word)") },
		{ "S114", "places of devices are not known here",
		  DEVICE("chip, at: isa, io: $(dev.apic.regs)") },
		{ "S102", "a trust level may depend on guest parameters only",
		  DEVICE("chip, at: isa, vtl: $(own)") },
		{ "S102", "expected NODE.WIRE, found `1`",
		  DEVICE("chip, at: isa, wires: { irq: $(own) }") },
		{ "S102", "is not connected by `wires`",
		  DEVICE("rom, at: sys, mmio: 0xfff00000+0x1000, wires: { image: x.image }") },
	};

	REFUSE(rows);
}

static void a_bus_without_lines_says_so(void **state)
{
	static const struct row rows[] = {
		{ "R305", "a bus of kind ide has no interrupt lines; name a domain, such as gsi:4",
		  BACK_MACHINE "  hd: { type: ide, at: 'pci:03.0' }\n"
			       "  x: { type: drive, at: 'hd:0.0', irq: 4 }\n" },
		{ "R305", "`intx` is a pin of a PCI function, and `hd` is a bus of kind ide",
		  BACK_MACHINE "  hd: { type: ide, at: 'pci:03.0' }\n"
			       "  x: { type: drive, at: 'hd:0.0', intx: A }\n" },
	};

	REFUSE(rows);
}

static void a_link_to_what_is_absent_says_why(void **state)
{
	static const struct row rows[] = {
		{ "G206", "the device `y2` is absent",
		  BACK_MACHINE "  y: { type: chip, at: isa, io: auto, count: 2 }\n"
			       "  x: { type: chip, at: isa, props: { size: $(dev.y2.ports) } }\n" },
		{ "S105", "`x` has no placed claim `irq`",
		  DEVICE("chip, at: isa, wires: { irq: 'apic.pin:9' }, props: { size: $(dev.x.irq) "
			 "}") },
		{ "S114", "`none` has no value",
		  DEVICE("chip, at: isa, io: 0x100, props: { size: $(dev.x.ports + none) }") },
	};

	REFUSE(rows);
}

static void a_link_to_a_channel_is_its_number(void **state)
{
	struct back back;

	back_resolve(&back, BACK_MACHINE "  f: { type: floppy, at: isa, dma: 2 }\n",
		     "  x: { type: chip, at: isa, props: { size: $(dev.f.dma) } }\n", NULL);
	back_clean(&back);
	assert_non_null(strstr(back.text, "      size: 2\n"));
	back_fini(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_words_of_sections_are_such),
		cmocka_unit_test(lines_are_lines),
		cmocka_unit_test(claims_and_wires_are_such),
		cmocka_unit_test(a_bus_without_lines_says_so),
		cmocka_unit_test(a_link_to_what_is_absent_says_why),
		cmocka_unit_test(a_link_to_a_channel_is_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
