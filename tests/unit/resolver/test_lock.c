/* Lock files: what is locked stays, what is new goes round it. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/resolver/back.h"

#define EVERYTHING                                                            \
	"  a: { type: chip, at: sys, mmio: auto, io: auto, irq: gsi:auto }\n" \
	"  f: { type: floppy, at: isa, dma: auto }\n"                         \
	"  n: { type: nic, at: pci, intx: A, msi: { vectors: 2 } }\n"
#define PCI_IRQ                                                                             \
	"irq: { gsi: { lines: 24, to: apic }, isa: { lines: 16, to: pic, reserve: [2] },\n" \
	"  pci: { swizzle: 4, pins: [10, 10, 11, 11], to: isa } }\n"
#define MACHINE BACK_CPU BACK_MEMORY BACK_BOOT PCI_IRQ BACK_WINDOWS BACK_DEVICES
#define HEADER  "format: lock/1\nname: t\nversion: 1\nabi: none\n"

static void a_lock_has_every_place_and_gives_the_same_machine(void **state)
{
	struct back free_back, locked;

	back_resolve(&free_back, MACHINE, EVERYTHING, NULL);
	back_clean(&free_back);
	assert_non_null(strstr(free_back.lock, "\nplaces:\n"
					       "  a.io.ports: 0xc000+0x8\n"
					       "  a.mmio.regs: 0xe0000000+0x1000\n"
					       "  a.irq.irq: gsi:0\n"
					       "  f.dma.dma: 0\n"
					       "  n.at: pci:01.0\n"));
	assert_int_equal(free_back.state.lacking, 5);
	back_locked(&locked, free_back.lock, MACHINE, EVERYTHING, NULL);
	back_clean(&locked);
	assert_string_equal(locked.text, free_back.text);
	assert_string_equal(locked.lock, free_back.lock);
	assert_int_equal(locked.state.lacking + locked.state.stale + locked.state.changed, 0);
	back_fini(&free_back);
	back_fini(&locked);
}

static void what_is_gone_keeps_its_place(void **state)
{
	static const char x[] = "  x: { type: chip, at: sys, mmio: auto, io: auto, irq: auto }\n"
				"  g: { type: floppy, at: isa, dma: auto }\n"
				"  m: { type: nic, at: pci }\n";
	struct back first, without, with;

	back_resolve(&first, MACHINE, EVERYTHING, NULL);
	back_locked(&without, first.lock, MACHINE, x, NULL);
	assert_int_equal(without.diagnostics.errors, 0);
	assert_int_equal(back_base(&without, "x", "regs"), 0xe0001000);
	assert_int_equal(back_base(&without, "x", "ports"), 0xc008);
	assert_int_equal(back_net(&without, "x", "irq")->line, 1);
	assert_string_equal(back_node(&without, "m")->address, "02.0");
	assert_int_equal(back_node(&without, "g")->claims[0].channel, 1);
	assert_int_equal(without.state.stale, 5);
	assert_non_null(strstr(without.lock, "\ngone:\n  a.io.ports: 0xc000+0x8\n"));
	back_locked(&with, without.lock, MACHINE, x, EVERYTHING, NULL);
	assert_int_equal(with.diagnostics.errors, 0);
	assert_int_equal(back_base(&with, "a", "regs"), 0xe0000000);
	assert_int_equal(back_base(&with, "x", "regs"), 0xe0001000);
	assert_string_equal(back_node(&with, "n")->address, "01.0");
	assert_null(strstr(with.lock, "gone:"));
	back_fini(&first);
	back_fini(&without);
	back_fini(&with);
}

/* Resolves `text` under a lock with one place in it. */
static void drifts(const char *place, const char *part, const char *text)
{
	char lock[200];
	struct back back;

	snprintf(lock, sizeof(lock), HEADER "places:\n  %s\n", place);
	back_locked(&back, lock, text, NULL);
	back_expect(&back, "R309", part);
	back_fini(&back);
}

static void what_would_move_is_told_with_both_parties(void **state)
{
	drifts("a.mmio.regs: 0xe0000000+0x1000",
	       "`a.regs` is locked at `0xe0000000+0x1000`, and overlaps `b.mmio` "
	       "0xe0000800-0xe000080f",
	       MACHINE "  a: { type: chip, at: sys, mmio: auto }\n"
		       "  b: { type: span, at: sys, mmio: 0xe0000800+16 }\n");
	drifts("a.mmio.regs: 0xd0000000+0x1000", "outside of the window `mmio32`",
	       MACHINE "  a: { type: chip, at: sys, mmio: auto }\n");
	drifts("a.mmio.regs: mmio64:0x0+0x1000", "and there is no window `mmio64`",
	       MACHINE "  a: { type: chip, at: sys, mmio: auto }\n");
	drifts("a.mmio.regs: 0xe0000800+0x1000", "not aligned",
	       MACHINE "  a: { type: chip, at: sys, mmio: auto }\n");
	drifts("a.mmio.mmio: 0xe0000000+0x10",
	       "and the 32 bytes that it needs now overlap `b.mmio`",
	       MACHINE "  a: { type: span, at: sys, mmio: auto+32 }\n"
		       "  b: { type: span, at: sys, mmio: 0xe0000010+16 }\n");
	drifts("a.irq.irq: gsi:9", "locked at `gsi:9`, which `b` drives now",
	       MACHINE "  a: { type: chip, at: sys, irq: auto }\n"
		       "  b: { type: chip, at: sys, irq: 9 }\n");
	drifts("a.irq.irq: isa:2", "reserved or leads to no free pin",
	       MACHINE "  a: { type: chip, at: isa, irq: auto }\n");
	drifts("a.irq.irq: isa:16", "not among the lines for `auto`",
	       MACHINE "  a: { type: chip, at: isa, irq: auto }\n");
	drifts("a.dma.dma: 2", "locked at `2`, which `b` has now",
	       MACHINE "  a: { type: floppy, at: isa, dma: auto }\n"
		       "  b: { type: floppy, at: isa, dma: 2 }\n");
	drifts("a.dma.dma: 4", "which is no channel for a device",
	       MACHINE "  a: { type: floppy, at: isa, dma: auto }\n");
	drifts("a.at: pci:04.0", "`a` is locked at `pci:04.0`, which `b` has now",
	       MACHINE "  a: { type: nic, at: pci }\n  b: { type: nic, at: \"pci:04.0\" }\n");
}

static void two_of_a_lock_at_one_place_is_one_finding(void **state)
{
	struct back back;

	back_locked(&back,
		    HEADER "places:\n  a.mmio.regs: 0xe0000000+0x1000\n"
			   "  b.mmio.regs: 0xe0000000+0x1000\n",
		    MACHINE "  a: { type: chip, at: sys, mmio: auto }\n"
			    "  b: { type: chip, at: sys, mmio: auto }\n",
		    NULL);
	back_expect(&back, "R309", "`b.regs` is locked at `0xe0000000+0x1000`, and overlaps");
	back_fini(&back);
}

static void a_lock_is_checked_like_any_file(void **state)
{
	static const struct {
		const char *code, *part, *lock;
	} cases[] = {
		{ "S117", "`abi` is missing", "format: lock/1\nname: t\nversion: 1\n" },
		{ "S102", "this is the lock of `u`",
		  "format: lock/1\nname: u\nversion: 1\nabi: x\n" },
		{ "S101", "`a.b.c` is no NODE.at", HEADER "places:\n  a.b.c: 1\n" },
		{ "S101", "is no NODE.at", HEADER "places:\n  .io.c: 1+1\n" },
		{ "S102", "expected BASE+LENGTH, found `1`", HEADER "places:\n  a.io.c: 1\n" },
		{ "S102", "expected BASE+LENGTH", HEADER "places:\n  a.io.c: 1+0\n" },
		{ "S102", "expected BASE+LENGTH or WINDOW",
		  HEADER "places:\n  a.mmio.c: 0xffffffffffffffff+2\n" },
		{ "S102", "expected DOMAIN:LINE", HEADER "places:\n  a.irq.c: gsi\n" },
		{ "S102", "expected a channel", HEADER "places:\n  a.dma.c: two\n" },
		{ "S102", "expected BUS:ADDRESS", HEADER "places:\n  a.at: pci\n" },
		{ "S102", "no address of a bus of kind pci", HEADER "places:\n  n.at: pci:99\n" },
		{ "S101", "unknown key `devices`", HEADER "devices: {}\n" },
		{ "S102", "expected a map", HEADER "places: []\n" },
		{ "S102", "expected DOMAIN:LINE, found `gsi:$(ram)`",
		  HEADER "places:\n  a.irq.c: gsi:$(ram)\n" },
		{ "S102", "expected BASE+LENGTH, found a map",
		  HEADER "places:\n  a.io.c: { x: 1 }\n" },
		{ "S102", "expected a map of places", HEADER "gone: 1\n" },
		{ "S102", "this file is `machine/1`", "format: machine/1\nname: t\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct back back;

		back_locked(&back, cases[i].lock, MACHINE "  n: { type: nic, at: pci }\n", NULL);
		back_expect(&back, cases[i].code, cases[i].part);
		back_fini(&back);
	}
}

/* The profile has said something else since. */
static void a_place_elsewhere_is_no_drift(void **state)
{
	struct back back;

	back_locked(&back,
		    HEADER "places:\n  a.irq.irq: isa:5\n  n.at: pcx:09.0\n"
			   "  b.mmio.regs: 0xe0000000+0x1000\n",
		    MACHINE "  a: { type: chip, at: sys, irq: gsi:auto }\n"
			    "  b: { type: chip, at: sys, mmio: 0xd0000000 }\n"
			    "  n: { type: nic, at: pci }\n",
		    NULL);
	assert_int_equal(back.diagnostics.errors, 0);
	assert_string_equal(back_net(&back, "a", "irq")->domain, "gsi");
	assert_string_equal(back_node(&back, "n")->address, "01.0");
	assert_null(strstr(back.lock, "b.mmio"));
	back_fini(&back);
}

/* Places far away, of nothing, of one another: all of it is only kept free. */
static void nonsense_in_a_lock_has_no_power(void **state)
{
	struct back back;

	back_locked(&back,
		    HEADER
		    "places:\n  q.at: nowhere:04.0\n  q.irq.x: none:1\n  q.irq.y: gsi:99999\n"
		    "  q.dma.z: 99\n  q.mmio.a: 0x0+0xffffffffffffffff\n"
		    "gone:\n  a.mmio.regs: 0xe0000000+0x1000\n  sys.at: sys:1\n"
		    "  p.at: apic:1\n  p.mmio.b: gsi:0xffffffffffffffff+1\n",
		    MACHINE "  a: { type: chip, at: sys, mmio: auto, irq: auto }\n"
			    "  f: { type: floppy, at: isa, dma: auto }\n"
			    "  n: { type: nic, at: pci }\n",
		    NULL);
	assert_int_equal(back.diagnostics.errors, 0);
	assert_int_equal(back_base(&back, "a", "regs"), 0xe0000000);
	back_fini(&back);
	back_locked(&back, HEADER "places:\ngone:\n", MACHINE, NULL);
	assert_int_equal(back.diagnostics.errors, 0);
	back_fini(&back);
}

static void another_function_holds_the_whole_slot(void **state)
{
	struct back back;

	back_locked(&back, HEADER "places:\n  n.at: pci:04.2\n",
		    MACHINE "  n: { type: nic, at: pci }\n  other: { type: nic, at: 'pci:04.0' }\n",
		    NULL);
	back_expect(&back, "R309", "which `other` has now");
	back_fini(&back);
}

static void another_guest_view_at_the_same_places_is_a_hint(void **state)
{
	struct back first, second;

	back_resolve(&first, MACHINE, EVERYTHING, NULL);
	back_locked(&second, first.lock, MACHINE, EVERYTHING, "  u: { type: uart, at: sys }\n",
		    NULL);
	back_expect(&second, "R309", "what the guest sees is not what was locked");
	assert_int_equal(second.diagnostics.items[0]->severity, MW_SEVERITY_HINT);
	assert_true(second.state.changed);
	back_fini(&first);
	back_fini(&second);
	/* Where it runs and what a failure does is no business of the guest's. */
	back_resolve(&first, MACHINE, EVERYTHING, "  u: { type: uart, at: sys }\n", NULL);
	back_locked(&second, first.lock, MACHINE, EVERYTHING,
		    "  u: { type: uart, at: sys, on_error: stop, placement: own, "
		    "backend: stdio }\n",
		    NULL);
	back_clean(&second);
	back_fini(&first);
	back_fini(&second);
}

static void places_above_ram_are_kept_by_their_offset(void **state)
{
	static const char machine[] = BACK_CPU BACK_BOOT
		"windows: { mmio64: { after: ram, align: 1MiB, size: 16MiB } }\n";
	static const char nodes[] = BACK_DEVICES "  b: { type: chip, at: sys, mmio: auto }\n";
	struct back small, large;

	back_resolve(&small, machine, "memory: { ram: 64MiB }\n", nodes, NULL);
	back_clean(&small);
	assert_non_null(strstr(small.lock, "  b.mmio.regs: mmio64:0x0+0x1000\n"));
	back_locked(&large, small.lock, machine, "memory: { ram: 8GiB }\n", nodes,
		    "  a: { type: chip, at: sys, mmio: auto }\n", NULL);
	assert_int_equal(large.diagnostics.errors, 0);
	assert_int_equal(back_base(&large, "b", "regs"), 0x240000000);
	assert_int_equal(back_base(&large, "a", "regs"), 0x240001000);
	back_fini(&small);
	back_fini(&large);
}

/* A machine grows and shrinks at random; nothing that was ever placed moves. */
static void adding_and_removing_never_moves_anything(void **state)
{
	enum { NODES = 24, ROUNDS = 60 };
	static const char *const bodies[] = {
		"type: chip, at: sys, mmio: auto, io: auto",
		"type: span, at: sys, mmio: auto+0x230",
		"type: chip, at: isa, io: auto, irq: gsi:auto",
		"type: nic, at: pci, mmio: auto, intx: B",
		"type: span, at: sys, io: auto+3",
	};
	char *lock = NULL, places[NODES][5][64] = { 0 };
	unsigned seed = 12345;

	for (unsigned round = 0; round < ROUNDS; round++) {
		char *text = NULL;
		size_t length = 0;
		FILE *out = open_memstream(&text, &length);
		struct back back;

		for (unsigned i = 0; i < NODES; i++) {
			seed = seed * 1103515245 + 12345;
			if (seed >> 16 & 1)
				fprintf(out, "  n%u: { %s }\n", (i * 7 + round) % NODES,
					bodies[(i * 7 + round) % NODES % 5]);
		}
		fclose(out);
		back_locked(&back, lock, MACHINE, text, NULL);
		if (back.diagnostics.errors)
			mw_diagnostics_print(&back.diagnostics, stderr, MW_DIAG_FULL, false);
		assert_int_equal(back.diagnostics.errors, 0);
		for (size_t i = 0; i < back.plan->node_count; i++) {
			const struct mw_plan_node *node = &back.plan->nodes[i];
			unsigned number;

			if (sscanf(node->id, "n%u", &number) != 1)
				continue;
			for (size_t c = 0; c <= node->claim_count; c++) {
				char *place = places[number][c], now[64];

				if (c == node->claim_count)
					snprintf(now, sizeof(now), "%s",
						 node->address ? node->address : "");
				else if (node->claims[c].kind == MW_CLAIM_IRQ)
					snprintf(now, sizeof(now), "line %u",
						 back.plan->nets[node->claims[c].net].line);
				else
					snprintf(now, sizeof(now), "%llx",
						 (unsigned long long)node->claims[c].base);
				if (*place)
					assert_string_equal(place, now);
				snprintf(place, sizeof(places[0][0]), "%s", now);
			}
		}
		free(lock);
		lock = strdup(back.lock);
		free(text);
		back_fini(&back);
	}
	free(lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lock_has_every_place_and_gives_the_same_machine),
		cmocka_unit_test(what_is_gone_keeps_its_place),
		cmocka_unit_test(what_would_move_is_told_with_both_parties),
		cmocka_unit_test(two_of_a_lock_at_one_place_is_one_finding),
		cmocka_unit_test(a_lock_is_checked_like_any_file),
		cmocka_unit_test(a_place_elsewhere_is_no_drift),
		cmocka_unit_test(nonsense_in_a_lock_has_no_power),
		cmocka_unit_test(another_function_holds_the_whole_slot),
		cmocka_unit_test(another_guest_view_at_the_same_places_is_a_hint),
		cmocka_unit_test(places_above_ram_are_kept_by_their_offset),
		cmocka_unit_test(adding_and_removing_never_moves_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
