/* Plans' texts that lie: a finding at the place of the lie. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "tests/unit/resolver/reading.h"

/* A machine with one of everything, for the lies below. */
static const char *const honest[] = {
	"  a: { type: chip, at: isa, io: 0x3f8, irq: 4 }\n"
	"  b: { type: chip, at: isa, io: 0x2f8, mmio: 0xd0000000, irq: 3, props: { mode: slow } }\n"
	"  c: { type: chip, at: isa, wires: { irq: a.in } }\n"
	"  card0: { type: card, at: 'pci:04.0' }\n"
	"  card1: { type: card, at: 'pci:05.0' }\n"
	"  over: { type: span, at: sys, io: 0x3f0+0x20, overlays: a.ports }\n"
	"  rom: { type: rom, at: sys, mmio: 0xfff00000+0x10000, backend: { file: x } }\n"
	"  u1: { type: uart, at: isa, backend: stdio }\n"
	"  u2: { type: uart, at: isa, wires: { port: u3.port } }\n"
	"  u3: { type: uart, at: isa }\n"
};

static void replace(const char *text, const char *from, const char *to, char **out)
{
	const char *at = strstr(text, from);

	if (!at)
		fail_msg("there is no `%s`", from);
	assert_true(asprintf(out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) >= 0);
}

struct lie {
	const char *from, *to, *code, *caret, *part;
};

static bool is_found(const struct reading *reading, const struct lie *lie)
{
	for (size_t i = 0; i < reading->diagnostics.count; i++) {
		const struct mw_diag *diag = reading->diagnostics.items[i];
		const struct mw_source *source =
			diag->span.source ? &reading->diagnostics.sources[diag->span.source - 1]
					  : NULL;

		if (strcmp(diag->code, lie->code) != 0 || !strstr(diag->message, lie->part) ||
		    !source)
			continue;
		assert_string_equal(source->name, "test.plan");
		if (strlen(lie->caret) == diag->span.length &&
		    !memcmp(source->text + diag->span.byte, lie->caret, diag->span.length))
			return true;
	}
	return false;
}

static void refuse(const struct lie *lies, size_t count)
{
	struct back back;

	back_resolve(&back, BACK_MACHINE, honest[0], NULL);
	assert_non_null(back.plan);
	for (size_t i = 0; i < count; i++) {
		struct reading reading;
		char *text;

		replace(back.text, lies[i].from, lies[i].to, &text);
		reading_text(&reading, &back.registry, text);
		if (reading.plan || !is_found(&reading, &lies[i])) {
			reading_print(&reading);
			fail_msg("`%s`: expected %s at `%s` with `%s`", lies[i].to, lies[i].code,
				 lies[i].caret, lies[i].part);
		}
		reading_end(&reading);
		free(text);
	}
	back_fini(&back);
}
#define REFUSE(lies) refuse(lies, sizeof(lies) / sizeof((lies)[0]))

static void what_is_no_plan_is_refused(void **state)
{
	static const struct lie lies[] = {
		{ "plan/1", "plan/2", "S102", "plan/2", "unknown format" },
		{ "plan/1", "machine/1", "S102", "machine/1", "expected a plan" },
		{ "version: 1", "version: 4294967296", "C706", "4294967296", "up to 4294967295" },
		{ "version: 1", "version: $(x)", "C706", "$(x)", "expected a number" },
		{ "x86_64", "riscv64", "C706", "riscv64", "not implemented" },
		{ "power:", "powre:", "S101", "powre", "unknown key" },
		{ "name: t\n", "name: t\nname: t\n", "Y001", "name", "duplicate" },
		{ "format", "&a format", "Y002", "&a", "anchors" },
		{ "nodes:\n", "nodes: 3\nx-y:\n", "S102", "3", "expected a map" },
	};

	REFUSE(lies);
}

static void nodes_are_checked_against_their_types(void **state)
{
	static const struct lie lies[] = {
		{ "type: uart\n", "type: uarts\n", "S102", "uarts", "no device type" },
		{ "type: uart\n", "type: null-stream\n", "S102", "null-stream", "host side" },
		{ "    bus: isa\n", "", "S117", "a", "does not say where" },
		{ "bus: isa", "bus: nowhere", "G201", "nowhere", "no node `nowhere`" },
		{ "bus: isa", "bus: a", "G202", "a", "opens no bus" },
		{ "bus: isa", "bus: 'isa:3'", "G204", "'isa:3'", "has no addresses" },
		{ "\"05.0\"", "\"04.0\"", "G203", "pci", "is held by" },
		{ "\"05.0\"", "\"05.1\"", "G204", "pci", "function 0" },
		{ "placement: shared", "placement: cpu", "S110", "cpu", "not implemented" },
		{ "small: 3", "small: 10", "S103", "10", "outside of 1 to 9" },
		{ "small: 3", "small: three", "S102", "three", "expected a number" },
		{ "mode: fast", "mode: quick", "S102", "quick", "is none of" },
		{ "mac: \"00:", "mac: \"0:", "S102", "\"0:00:00:00:00:00\"", "MAC" },
		{ "small: 3", "tiny: 3", "S101", "tiny", "no property `tiny`" },
		{ "path: \"x\"", "path: [x]", "S102", "[x]", "found a list" },
		{ "  a:\n", "  A:\n", "C706", "A", "no id" },
		{ "    props:\n      small: 3\n",
		  "    from_host:\n      - nay\n    props:\n"
		  "      small: 3\n",
		  "C706", "nay", "`props` has no `nay`" },
		{ "  isa:\n    type: bridge\n    bus: sys",
		  "  isa:\n    type: bridge\n    bus: isa", "G205", "isa", "leads back to itself" },
	};

	REFUSE(lies);
}

static void claims_are_checked_like_a_profiles(void **state)
{
	static const struct lie lies[] = {
		{ "0x2f8+0x8", "0x3ff+0x8", "R301", "0x3ff+0x8", "overlaps" },
		{ "0x2f8+0x8", "0x2f8+0x10", "S103", "0x2f8+0x10", "is 0x8 bytes long" },
		{ "0x2f8+0x8", "0x2f8+0x0", "S103", "0x2f8+0x0", "no length" },
		{ "0x2f8+0x8", "0xfff9+0x8", "S103", "0xfff9+0x8", "beyond the last port" },
		{ "0x2f8+0x8", "auto", "R307", "auto", "nowhere to go" },
		{ "ports: 0x2f8", "prots: 0x2f8", "S101", "prots", "no range `prots`" },
		{ "0xd0000000+0x1000", "0xd0000800+0x1000", "R308", "0xd0000800+0x1000",
		  "not aligned" },
		{ "0xd0000000+0x1000", "0x1000000+0x1000", "R302", "0x1000000+0x1000",
		  "lies in RAM" },
		{ "0xd0000000+0x1000", "0xfee00000+0x1000", "R302", "0xfee00000+0x1000",
		  "local APICs" },
		{ "0xd0000000+0x1000", "0xffffffffffffe000+0x1000", "S103",
		  "0xffffffffffffe000+0x1000", "beyond the last address" },
		{ "0xfff00000+0x10000", "0xfff00000+0x10800", "R308", "0xfff00000+0x10800",
		  "4 KiB pages" },
		{ "io: a.ports", "io: a.regs", "S102", "a.regs", "no claim `regs`" },
		{ "io: a.ports", "io: b.ports", "R301", "0x3f8+0x8", "overlaps" },
		{ "io: a.ports", "io: over.io", "R301", "0x3f8+0x8", "overlaps" },
		{ "    overlays:\n      io: a.ports\n", "", "R301", "0x3f8+0x8", "overlaps" },
		{ "overlays:\n", "overlays:\n      mmio: b.io\n", "C706", "a.ports",
		  "lies over `b.io`" },
		{ "overlays:\n", "overlays:\n      mmio: a.ports\n", "C706", "mmio",
		  "does not follow" },
		{ "    io:\n      ports: 0x2f8+0x8\n",
		  "    io:\n      ports: 0x2f8+0x8\n    auto:\n      - nil\n", "C706", "nil",
		  "no claim `nil`" },
		{ "    io:\n      ports: 0x2f8",
		  "    dma:\n      x: 1\n    io:\n      ports: 0x2f8", "S101", "dma",
		  "takes no `dma`" },
	};

	REFUSE(lies);
}

static void nodes_stand_in_their_order(void **state)
{
	static const struct lie lies[] = {
		{ "  apic:\n", "  zz:\n    type: chip\n    bus: sys\n  apic:\n", "C706", "apic",
		  "out of order" },
		{ "    bus: sys\n    placement: shared\n", "    placement: shared\n    bus: sys\n",
		  "C706", "bus", "out of order" },
	};

	REFUSE(lies);
}

static void lines_are_checked(void **state)
{
	static const struct lie lies[] = {
		{ "irq: isa:4", "irq: isa:5", "C706", "isa:5", "`nets` has no line" },
		{ "irq: isa:4", "irq: nine", "C706", "nine", "`nets` has no line" },
		{ "irq: isa:4", "irq: isa:3", "C706", "4", "nothing drives line `4`" },
		{ "irq: isa:4", "in: isa:4", "S101", "in", "drives no line" },
		{ "irq: isa:4", "\"outs:7\": isa:4", "S103", "\"outs:7\"", "is one of" },
		{ "irq: a.in", "irq: a.irq", "S102", "a.irq", "a wire that drives" },
		{ "irq: a.in", "irq: u1.port", "S102", "u1.port", "is a stream" },
		{ "irq: a.in", "irq: a.in:1", "S103", "a.in:1", "has elements" },
		{ "irq: a.in", "irq: zz.in", "S102", "zz.in", "no node `zz`" },
		{ "line: 3\n", "line: 99\n", "C706", "isa:3", "`nets` has no line" },
		{ "line: 3\n", "line: 4\n", "C706", "4", "twice" },
		{ "    line: 3\n", "", "C706", "domain", "belong together" },
		{ "domain: isa", "domain: esa", "C706", "esa", "`domains` has no" },
		{ "isa: 16", "isa: 3", "R305", "3", "`isa` has lines 0-2" },
		{ "isa: 16", "isa: 0", "S103", "0", "outside of 1 to 4096" },
		{ "isa: 16", "isa: 999999999", "C706", "999999999", "up to" },
		{ "isa: 16", "\"17\": 16\n  isa: 16", "S118", "\"17\"", "no id" },
		{ "- pic.ir:3", "- pic.ir:16", "R305", "pic.ir:16", "has pins 0-15" },
		{ "- pic.ir:3", "- pic.ir:4", "R305", "isa:3", "where line 4 of `isa` ends too" },
		{ "- pic.ir:3", "- pic.rx:3", "C706", "pic.rx:3", "follows `pic.ir:3`" },
		{ "- pic.ir:3", "- zz.ir:3", "R305", "zz.ir:3", "no node `zz`" },
		{ "- pic.ir:3", "- u1.port", "R305", "u1.port", "no one row" },
		{ "sinks:\n      - pic.ir:3", "sinks: []", "R305", "isa:3", "leads to no pin" },
		{ "trigger: edge", "trigger: blunt", "S102", "blunt", "is none of" },
		{ "polarity: high", "polarity: medium", "S102", "medium", "is none of" },
		{ "shared: false", "shared: maybe", "S102", "maybe", "expected true or false" },
		{ "  - domain: isa\n    line: 3\n", "  - domain: isa\n    line: 3\n    gsi: 3\n",
		  "C706", "gsi", "does not follow" },
		{ "nets:\n",
		  "nets:\n  - trigger: edge\n    polarity: high\n    shared: false\n"
		  "    sinks:\n      - pic.ir:9\n",
		  "C706", "nets", "entries" },
	};

	REFUSE(lies);
}

static void explicit_nets_follow_from_their_drivers(void **state)
{
	struct back back;
	struct reading reading;
	char *text;

	back_resolve(&back, BACK_MACHINE, honest[0], NULL);
	replace(back.text, "  - trigger: edge", "  - trigger: level", &text);
	reading_text(&reading, &back.registry, text);
	assert_null(reading.plan);
	assert_string_equal(reading.diagnostics.items[0]->code, "C706");
	assert_non_null(strstr(reading.diagnostics.items[0]->message, "follows `edge`"));
	reading_end(&reading);
	free(text);
	back_fini(&back);
}

static void links_are_checked(void **state)
{
	static const struct lie lies[] = {
		{ "from: u2.port\n", "from: u1.port\n", "S102", "u3.port", "connected already" },
		{ "to: u3.port\n", "to: a.in\n", "S102", "a.in", "is a line" },
		{ "to: u3.port\n", "to: u9.port\n", "C706", "u9.port", "no node `u9`" },
		{ "to: u3.port\n", "to: port\n", "C706", "port", "NODE.WIRE" },
		{ "from: u2.port\n    to: u3.port", "from: u3.port\n    to: u2.port", "C706",
		  "u3.port", "follows `u2.port`" },
		{ "from: u1.port", "from: u1.backend.port", "C706", "u1.backend.port",
		  "begins at a device" },
		{ "from: u1.port", "from: u1.prt", "C706", "u1.prt", "to the host side" },
		{ "from: u1.port", "from: a.irq", "C706", "a.irq", "to the host side" },
		{ "from: u1.port\n    to: u1.backend.port",
		  "from: u1.port\n    to: rom.backend.port", "C706", "rom.backend.port",
		  "linked twice" },
		{ "from: u1.port", "from: u2.port", "C706", "u1.backend",
		  "is `u2.backend`, not `u1.backend`" },
		{ "type: stdio-stream", "type: file-image", "C706", "file-image",
		  "no backend for a stream" },
		{ "type: stdio-stream", "type: uart", "C706", "uart", "no backend for a stream" },
		{ "  - from: u1.port\n    to: u1.backend.port\n", "", "C706", "u1.backend",
		  "connects nothing" },
		{ "host: true\n    placement: shared\n    props:\n      path",
		  "host: true\n    placement: own\n    props:\n      path", "C706", "own",
		  "follows `shared`" },
		{ "      path: \"x\"\n", "", "S117", "rom.backend", "needs the property" },
		{ "from: rom.image", "from: u1.port", "C706", "file-image",
		  "no backend for a stream" },
		{ "from: u1.port", "from: port", "C706", "port", "NODE.WIRE" },
	};

	REFUSE(lies);
}

static void every_required_wire_is_connected(void **state)
{
	struct back back;
	struct reading reading;
	char *one, *two;

	back_resolve(&back, BACK_MACHINE, honest[0], NULL);
	replace(back.text, "  - from: rom.image\n    to: rom.backend.image\n", "", &one);
	replace(one,
		"  rom.backend:\n    type: file-image\n    host: true\n    placement: shared\n"
		"    props:\n      path: \"x\"\n      flag: false\n",
		"", &two);
	reading_text(&reading, &back.registry, two);
	assert_null(reading.plan);
	assert_string_equal(reading.diagnostics.items[0]->code, "S117");
	reading_end(&reading);
	free(one);
	free(two);
	back_fini(&back);
}

static void cpus_are_checked(void **state)
{
	static const struct lie lies[] = {
		{ "count: 1", "count: 0", "S103", "0", "outside of 1 to 4096" },
		{ "count: 1", "count: 4097", "S103", "4097", "outside of 1 to 4096" },
		{ "count: 1", "count: 2", "S103", "2", "fewer than 2 CPUs" },
		{ "sockets: 1", "sockets: 99999999999999999999", "S102", "99999999999999999999",
		  "expected an int" },
		{ "hypervisor: none", "hypervisor: hyperv", "S110", "hyperv", "not implemented" },
		{ "tsc_khz: from-host", "tsc_khz: 7", "S103", "7", "outside of 1000" },
		{ "tsc_khz: from-host", "tsc_khz: untold", "F404", "cpu", "no clock" },
		{ "model: host", "model: other", "C706", "other", "needs its leaves" },
		{ "memory:", "  cpuid:\n    leaf_0: 0x0 0x0 0x0 0x0\nmemory:", "C706", "cpuid",
		  "has what the host has" },
		{ "memory:", "  features:\n    warp: true\nmemory:", "S102", "warp",
		  "no CPU feature" },
		{ "memory:", "  features:\n    aes: 2\nmemory:", "S102", "2", "expected `true`" },
	};

	REFUSE(lies);
}

/* `host` becomes a model with leaves. */
static void refuse_leaves(const char *rows, const char *caret, const char *part)
{
	char *block = NULL;
	struct back back;
	struct reading reading;
	char *one, *two;

	back_resolve(&back, BACK_MACHINE, NULL);
	assert_true(asprintf(&block, "%smemory:", rows) > 0);
	replace(back.text, "model: host", "model: made", &one);
	replace(one, "memory:", block, &two);
	reading_text(&reading, &back.registry, two);
	if (part) {
		const struct lie lie = { "", rows, "C706", caret, part };

		if (!is_found(&reading, &lie)) {
			reading_print(&reading);
			fail_msg("expected `%s` at `%s`", part, caret);
		}
	} else {
		assert_non_null(reading.plan);
	}
	reading_end(&reading);
	free(one);
	free(two);
	free(block);
	back_fini(&back);
}

static void leaves_and_msrs_are_checked(void **state)
{
#define LEAF(name) "    leaf_" name ": 0x00000000 0x00000001 0x00000002 0x00000003\n"
	refuse_leaves("  cpuid:\n" LEAF("0") LEAF("4.0") LEAF("4.1") "  msrs:\n    msr_1a0: 0x1\n",
		      NULL, NULL);
	refuse_leaves("  cpuid:\n" LEAF("1") LEAF("0"), "leaf_0", "does not come behind");
	refuse_leaves("  cpuid:\n" LEAF("4") LEAF("4.1"), "leaf_4.1", "does not come behind");
	refuse_leaves("  cpuid:\n" LEAF("123456789"), "leaf_123456789", "is no leaf");
	refuse_leaves("  cpuid:\n    leaf_0: 0x0 0x1 0x2\n", "leaf_0", "is no leaf");
	refuse_leaves("  cpuid:\n    leaf_0: 0x0 0x1 0x2 0x3 0x4\n", "leaf_0", "is no leaf");
	refuse_leaves("  cpuid:\n    leaf_0: 0 1 2 3\n", "leaf_0", "is no leaf");
	refuse_leaves("  cpuid:\n    leaf_0: 0x0 0x1 0x2 0x3\n", "0x0 0x1 0x2 0x3", "follows");
	refuse_leaves("  cpuid:\n" LEAF("0") "  msrs:\n    msr_2: 0x1\n    msr_1: 0x1\n", "msr_1",
		      "ascending");
	refuse_leaves("  cpuid:\n" LEAF("0") "  msrs:\n    mrs_2: 0x1\n", "mrs_2", "expected MSRs");
}

static void ram_is_checked(void **state)
{
	static const struct lie lies[] = {
		{ "ram_bytes: 67108864", "ram_bytes: 0", "C706", "0", "not 0" },
		{ "ram_bytes: 67108864", "ram_bytes: 67112960", "C706", "67112960", "hold" },
		{ "0x0+0x4000000", "0x800+0x4000000", "C706", "0x800+0x4000000", "whole pages" },
		{ "0x0+0x4000000", "0x1000000+0xffffffffff000000", "C706",
		  "0x1000000+0xffffffffff000000", "beyond" },
		{ "0x0+0x4000000", "0xffffffffff000+0x4000000", "C706", "0xffffffffff000+0x4000000",
		  "beyond" },
		{ "- 0x0+0x4000000", "- 0x0+0x2000000\n    - 0x1000000+0x2000000", "C706",
		  "0x1000000+0x2000000", "apart" },
		{ "- 0x0+0x4000000", "- 0x0+0x2000000\n    - 0x2000000+0x2000000", "C706",
		  "0x2000000+0x2000000", "apart" },
		{ "- 0x0+0x4000000", "- 0x4000000+0x2000000\n    - 0x0+0x2000000", "C706",
		  "0x0+0x2000000", "behind" },
		{ "0x0+0x4000000", "0xfd000000+0x4000000", "R302", "67108864", "local APICs" },
	};

	REFUSE(lies);
}

static void accelerator_power_and_boot_are_checked(void **state)
{
	static const struct lie lies[] = {
		{ "irqchip: auto", "irqchip: magic", "S102", "magic", "is none of" },
		{ "clock: host", "clock: sun", "S102", "sun", "is none of" },
		{ "  clock: host\n", "  clock: host\n  need:\n    warp: 1\n", "S101", "warp",
		  "no key `warp`" },
		{ "  clock: host\n", "  clock: host\n  need:\n    pio: 2\n", "S102", "2",
		  "expected `true`" },
		{ "  clock: host\n", "  clock: host\n  need:\n    isolation: 9\n", "S102", "9",
		  "is none of" },
		{ "  clock: host\n", "  clock: host\n  need:\n    pio: [1]\n", "S102", "[1]",
		  "found a list" },
		{ "reset: reset", "reset: maybe", "S102", "maybe", "is none of" },
		{ "  linux: \"kernel\"\n", "", "F401", "boot", "nothing runs" },
		{ "  linux: \"kernel\"\n", "  linux: \"kernel\"\n  firmware: rom\n", "S102",
		  "firmware", "one of them" },
		{ "  linux: \"kernel\"\n", "  firmware: nil\n", "G206", "nil", "no node `nil`" },
		{ "  linux: \"kernel\"\n", "  firmware: a\n", "F402", "a", "reset vector" },
		{ "  linux: \"kernel\"\n", "  modules: [a]\n", "S117", "[a]", "is missing" },
		{ "loader: linux", "loader: magic", "C706", "magic", "follows `linux`" },
		{ "domains:", "boot_from_host:\n  - linux\ndomains:", "C706", "linux",
		  "no text `linux`" },
	};

	REFUSE(lies);
}

static void a_text_too_large_is_not_read(void **state)
{
	struct mw_registry registry = { 0 };
	struct reading reading = { 0 };
	size_t length = MW_PLAN_TEXT_BYTES + 1;
	char *text = malloc(length);

	assert_non_null(text);
	memset(text, ' ', length);
	assert_false(mw_plan_read(&reading.plan, text, length, "test.plan", &registry,
				  &reading.diagnostics));
	assert_string_equal(reading.diagnostics.items[0]->code, "Y010");
	free(text);
	reading_end(&reading);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_plan_is_refused),
		cmocka_unit_test(nodes_are_checked_against_their_types),
		cmocka_unit_test(claims_are_checked_like_a_profiles),
		cmocka_unit_test(nodes_stand_in_their_order),
		cmocka_unit_test(lines_are_checked),
		cmocka_unit_test(explicit_nets_follow_from_their_drivers),
		cmocka_unit_test(links_are_checked),
		cmocka_unit_test(every_required_wire_is_connected),
		cmocka_unit_test(cpus_are_checked),
		cmocka_unit_test(leaves_and_msrs_are_checked),
		cmocka_unit_test(ram_is_checked),
		cmocka_unit_test(accelerator_power_and_boot_are_checked),
		cmocka_unit_test(a_text_too_large_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
