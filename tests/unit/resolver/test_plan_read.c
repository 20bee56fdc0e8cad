/* Plans written and read again are the same plans. */
// SPDX-License-Identifier: MIT
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "devices/registry.h"
#include "tests/unit/resolver/reading.h"

static char *write_text(const struct mw_plan *plan)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	mw_plan_write_yaml(plan, MW_PLAN_WHOLE, out);
	fclose(out);
	return text;
}

static void same_text(const char *a, const char *b)
{
	assert_int_equal(!a, !b);
	if (a)
		assert_string_equal(a, b);
}

static void same_names(const char *const *a, const char *const *b)
{
	for (; a && *a; a++, b++)
		same_text(*a, *b);
	assert_true(!b || !*b);
}

static void same_values(const struct mw_plan_node *a, const struct mw_plan_node *b)
{
	assert_int_equal(a->value_count, b->value_count);
	for (size_t i = 0; i < a->value_count; i++) {
		const struct mw_plan_value *left = &a->values[i], *right = &b->values[i];

		assert_ptr_equal(left->property, right->property);
		assert_int_equal(left->number, right->number);
		same_text(left->text, right->text);
		assert_int_equal(left->bytes.size, right->bytes.size);
		if (left->bytes.size)
			assert_memory_equal(left->bytes.bytes, right->bytes.bytes,
					    left->bytes.size);
		assert_int_equal(left->host, right->host);
	}
}

static void same_claims(const struct mw_plan_node *a, const struct mw_plan_node *b)
{
	assert_int_equal(a->claim_count, b->claim_count);
	for (size_t i = 0; i < a->claim_count; i++) {
		const struct mw_plan_claim *left = &a->claims[i], *right = &b->claims[i];

		assert_int_equal(left->kind, right->kind);
		same_text(left->name, right->name);
		assert_ptr_equal(left->region, right->region);
		assert_int_equal(left->base, right->base);
		assert_int_equal(left->length, right->length);
		assert_int_equal(left->net, right->net);
		assert_ptr_equal(left->wire, right->wire);
		assert_int_equal(left->wire_index, right->wire_index);
		assert_int_equal(left->automatic, right->automatic);
		assert_int_equal(left->pin, right->pin);
		assert_int_equal(left->channel, right->channel);
		assert_int_equal(left->vectors, right->vectors);
		same_text(left->overlays, right->overlays);
	}
}

static void same_nodes(const struct mw_plan *a, const struct mw_plan *b)
{
	assert_int_equal(a->node_count, b->node_count);
	for (size_t i = 0; i < a->node_count; i++) {
		const struct mw_plan_node *left = &a->nodes[i], *right = &b->nodes[i];

		same_text(left->id, right->id);
		assert_ptr_equal(left->type, right->type);
		same_text(left->bus, right->bus);
		assert_int_equal(left->bus_node, right->bus_node);
		same_text(left->address, right->address);
		assert_int_equal(left->host, right->host);
		assert_int_equal(left->placement, right->placement);
		assert_int_equal(left->address_automatic, right->address_automatic);
		assert_int_equal(left->on_error, right->on_error);
		assert_int_equal(left->vtl, right->vtl);
		same_values(left, right);
		same_claims(left, right);
	}
}

static void same_nets(const struct mw_plan *a, const struct mw_plan *b)
{
	assert_int_equal(a->net_count, b->net_count);
	for (size_t i = 0; i < a->net_count; i++) {
		const struct mw_plan_net *left = &a->nets[i], *right = &b->nets[i];

		same_text(left->domain, right->domain);
		assert_int_equal(left->line, right->line);
		assert_int_equal(left->gsi, right->gsi);
		assert_int_equal(left->trigger, right->trigger);
		assert_int_equal(left->polarity, right->polarity);
		assert_int_equal(left->shared, right->shared);
		assert_int_equal(left->sink_count, right->sink_count);
		for (size_t s = 0; s < left->sink_count; s++) {
			assert_int_equal(left->sinks[s].node, right->sinks[s].node);
			assert_ptr_equal(left->sinks[s].wire, right->sinks[s].wire);
			assert_int_equal(left->sinks[s].index, right->sinks[s].index);
		}
	}
}

static void same_links(const struct mw_plan *a, const struct mw_plan *b)
{
	assert_int_equal(a->link_count, b->link_count);
	for (size_t i = 0; i < a->link_count; i++) {
		for (unsigned side = 0; side < 2; side++) {
			assert_int_equal(a->links[i].node[side], b->links[i].node[side]);
			assert_ptr_equal(a->links[i].wire[side], b->links[i].wire[side]);
			assert_int_equal(a->links[i].index[side], b->links[i].index[side]);
		}
	}
	assert_int_equal(a->domain_count, b->domain_count);
	for (size_t i = 0; i < a->domain_count; i++) {
		same_text(a->domains[i].name, b->domains[i].name);
		assert_int_equal(a->domains[i].lines, b->domains[i].lines);
		assert_int_equal(a->domains[i].swizzle, b->domains[i].swizzle);
		assert_int_equal(a->domains[i].sink.node, b->domains[i].sink.node);
		assert_ptr_equal(a->domains[i].sink.wire, b->domains[i].sink.wire);
		assert_int_equal(a->domains[i].sink.index, b->domains[i].sink.index);
		same_text(a->domains[i].to, b->domains[i].to);
		if (a->domains[i].swizzle)
			assert_memory_equal(a->domains[i].pins, b->domains[i].pins,
					    a->domains[i].swizzle * sizeof(uint32_t));
	}
}

static void same_cpu(const struct mw_plan_cpu *a, const struct mw_plan_cpu *b)
{
	same_text(a->model, b->model);
	assert_int_equal(a->host_model, b->host_model);
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->sockets, b->sockets);
	assert_int_equal(a->cores, b->cores);
	assert_int_equal(a->threads, b->threads);
	assert_int_equal(a->hypervisor, b->hypervisor);
	assert_int_equal(a->tsc_khz, b->tsc_khz);
	assert_int_equal(a->tsc_told, b->tsc_told);
	same_names(a->features_add, b->features_add);
	same_names(a->features_remove, b->features_remove);
	assert_int_equal(a->leaf_count, b->leaf_count);
	assert_int_equal(a->msr_count, b->msr_count);
	for (size_t i = 0; i < a->leaf_count; i++) {
		assert_int_equal(a->leaves[i].has_subleaf, b->leaves[i].has_subleaf);
		assert_int_equal(a->leaves[i].leaf, b->leaves[i].leaf);
		assert_int_equal(a->leaves[i].subleaf, b->leaves[i].subleaf);
		assert_int_equal(a->leaves[i].eax, b->leaves[i].eax);
		assert_int_equal(a->leaves[i].ebx, b->leaves[i].ebx);
		assert_int_equal(a->leaves[i].ecx, b->leaves[i].ecx);
		assert_int_equal(a->leaves[i].edx, b->leaves[i].edx);
	}
	for (size_t i = 0; i < a->msr_count; i++) {
		assert_int_equal(a->msrs[i].index, b->msrs[i].index);
		assert_int_equal(a->msrs[i].value, b->msrs[i].value);
	}
}

static void same_blocks(const struct mw_plan *a, const struct mw_plan *b)
{
	same_text(a->name, b->name);
	same_text(a->summary, b->summary);
	same_text(a->arch, b->arch);
	assert_int_equal(a->version, b->version);
	same_names(a->bases, b->bases);
	assert_int_equal(a->ram_bytes, b->ram_bytes);
	assert_int_equal(a->ram_count, b->ram_count);
	assert_memory_equal(a->ram, b->ram, a->ram_count * sizeof(*a->ram));
	same_names(a->accel.prefer, b->accel.prefer);
	assert_int_equal(a->accel.irqchip, b->accel.irqchip);
	assert_int_equal(a->accel.instruction_clock, b->accel.instruction_clock);
	assert_int_equal(a->accel.need_count, b->accel.need_count);
	for (size_t i = 0; i < a->accel.need_count; i++) {
		same_text(a->accel.needs[i].name, b->accel.needs[i].name);
		assert_int_equal(a->accel.needs[i].value, b->accel.needs[i].value);
		assert_int_equal(a->accel.needs[i].optional, b->accel.needs[i].optional);
	}
	assert_memory_equal(&a->power, &b->power, sizeof(a->power));
	same_text(a->boot.linux_path, b->boot.linux_path);
	same_text(a->boot.elf_path, b->boot.elf_path);
	same_text(a->boot.initrd_path, b->boot.initrd_path);
	assert_int_equal(a->boot.module_count, b->boot.module_count);
	for (size_t i = 0; i < a->boot.module_count; i++)
		same_text(a->boot.modules[i].text, b->boot.modules[i].text);
	same_text(a->boot.cmdline, b->boot.cmdline);
	assert_int_equal(a->boot.cmdline_host, b->boot.cmdline_host);
	same_text(a->boot.firmware, b->boot.firmware);
	same_text(a->boot.igvm_path, b->boot.igvm_path);
	assert_int_equal(!a->boot.order, !b->boot.order);
	same_names(a->boot.order, b->boot.order);
	assert_int_equal(a->boot.secure_boot, b->boot.secure_boot);
	assert_int_equal(a->boot.measure, b->boot.measure);
	assert_int_equal(a->vtl2.range.base, b->vtl2.range.base);
	assert_int_equal(a->vtl2.range.length, b->vtl2.range.length);
	assert_int_equal(a->vtl2.is_private, b->vtl2.is_private);
	assert_int_equal(a->boot.tables, b->boot.tables);
}

static void same_hash(const struct mw_plan *a, const struct mw_plan *b)
{
	uint8_t left[32], right[32];

	mw_plan_hash(a, left);
	mw_plan_hash(b, right);
	assert_memory_equal(left, right, sizeof(left));
}

static void same_plan(const struct mw_plan *a, const struct mw_plan *b)
{
	same_blocks(a, b);
	same_cpu(&a->cpu, &b->cpu);
	same_nodes(a, b);
	same_nets(a, b);
	same_links(a, b);
	same_hash(a, b);
}

/* Reads what was resolved; frees. */
static void round_trip(struct back *back)
{
	struct reading reading;

	assert_non_null(back->plan);
	reading_text(&reading, &back->registry, back->text);
	if (!reading.plan)
		reading_print(&reading);
	assert_non_null(reading.plan);
	if (reading.diagnostics.count)
		reading_print(&reading);
	assert_int_equal(reading.diagnostics.count, 0);
	char *again = write_text(reading.plan);

	assert_string_equal(again, back->text);
	same_plan(back->plan, reading.plan);
	free(again);
	reading_end(&reading);
	back_fini(back);
}

static char *slurp(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	assert_non_null(file);
	assert_true(getdelim(&text, &size, '\0', file) > 0);
	fclose(file);
	return text;
}

static void every_golden_plan_reads_back(void **state)
{
	struct mw_registry registry = { 0 };
	struct mw_diagnostics diagnostics = { 0 };
	glob_t found;

	assert_true(mw_builtin_devices(&registry, &diagnostics));
	assert_int_equal(glob("tests/golden/*.plan", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char *text = slurp(found.gl_pathv[i]);
		struct reading reading;

		reading_text(&reading, &registry, text);
		if (!reading.plan) {
			reading_print(&reading);
			fail_msg("%s is refused", found.gl_pathv[i]);
		}
		char *again = write_text(reading.plan);

		assert_string_equal(again, text);
		free(again);
		free(text);
		reading_end(&reading);
	}
	globfree(&found);
	mw_registry_fini(&registry);
	mw_diagnostics_fini(&diagnostics);
}

static void values_of_every_kind_survive(void **state)
{
	struct back back;

	back_resolve(&back, BACK_MACHINE,
		     "  plain: { type: chip, at: sys }\n"
		     "  x:\n    type: chip\n    at: sys\n    props:\n"
		     "      small: 9\n      medium: 0xffff\n      size: 64KiB\n      mode: slow\n"
		     "      flag: true\n      mac: 52:54:00:12:34:56\n"
		     "      uuid: 01234567-89ab-cdef-0123-456789abcdef\n      blob: \"00ff10\"\n"
		     "      name: \"a \\\"b\\\" \\\\ : # 'c' \\n\\t\\x01\\x7f\\u2028\\uFEFF\\xe9 "
		     "\\U0001F600 $$(x) $$ \"\n"
		     "  y: { type: chip, at: sys, props: { name: \"\", blob: \"\", size: 0 } }\n"
		     "  z: { type: chip, at: sys, props: { name: \"yes\", flag: false } }\n",
		     NULL);
	round_trip(&back);
}

static void a_text_that_looks_like_an_expression_is_none(void **state)
{
	struct back back;

	back_resolve(&back, BACK_MACHINE,
		     "  x: { type: chip, at: sys, props: { name: \"$$(ram) unset\" } }\n"
		     "  y: { type: chip, at: sys, props: { name: \"unset\" } }\n",
		     NULL);
	assert_non_null(strstr(back.text, "\"$(ram) unset\""));
	round_trip(&back);
}

static void a_value_at_its_default_is_taken_for_one(void **state)
{
	struct back back;
	struct reading reading;

	back_resolve(&back, BACK_MACHINE,
		     "  x: { type: chip, at: sys, props: { small: 3, mode: slow, name: none } }\n",
		     NULL);
	reading_text(&reading, &back.registry, back.text);
	assert_non_null(reading.plan);
	const struct mw_plan_node *node = &reading.plan->nodes[mw_plan_find(reading.plan, "x")];

	assert_true(mw_plan_value(node, "small")->is_default);
	assert_true(mw_plan_value(node, "name")->is_default);
	assert_true(mw_plan_value(node, "flag")->is_default);
	assert_false(mw_plan_value(node, "mode")->is_default);
	reading_end(&reading);
	back_fini(&back);
}

static void wiring_of_every_kind_survives(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_CPU BACK_MEMORY BACK_BOOT
		     "irq:\n"
		     "  gsi: { lines: 24, to: apic }\n"
		     "  isa: { lines: 16, to: pic, reserve: [2], map: { 5: [pic:5, apic:20] } }\n"
		     "  pci: { lines: 4, to: 'apic:10' }\n" BACK_WINDOWS BACK_DEVICES
		     "  a: { type: chip, at: isa, irq: { irq: 5, outs:0: 6, outs:2: isa:auto } }\n"
		     "  b: { type: chip, at: sys, irq: { line: isa:5, share: true } }\n"
		     "  c: { type: chip, at: sys, irq: { line: pci:1, share: true } }\n"
		     "  d: { type: chip, at: sys, wires: { irq: c.in, outs:1: a.in } }\n"
		     "  e: { type: chip, at: sys, wires: { irq: c.in } }\n"
		     "  f: { type: chip, at: sys, irq: { line: gsi:3, trigger: level, polarity: "
		     "low } }\n",
		     NULL);
	assert_non_null(back.plan);
	assert_non_null(strstr(back.text, "- outs:2\n"));
	round_trip(&back);
}

static void places_and_overlays_survive(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_MACHINE
		     "  a: { type: chip, at: sys, io: auto, mmio: auto }\n"
		     "  b: { type: span, at: sys, io: 0x100+0x40, mmio: 0xd0000000+0x8000 }\n"
		     "  c: { type: chip, at: isa, io: 0x110, overlays: b.io }\n"
		     "  d: { type: card, at: 'pci:04.0', mmio: 0xd1000000 }\n"
		     "  e: { type: card, at: 'pci:04.3', mmio: auto }\n",
		     NULL);
	round_trip(&back);
}

static void links_and_backends_survive(void **state)
{
	struct back back;

	back_resolve(&back,
		     "params: { log: { type: path, scope: host, default: l.log } }\n" BACK_MACHINE
		     "  u1: { type: uart, at: isa, wires: { port: u2.port } }\n"
		     "  u2: { type: uart, at: isa }\n"
		     "  u3: { type: uart, at: isa, backend: { file: $(log) }, placement: own }\n"
		     "  u4: { type: twin, at: isa, backend: stdio }\n"
		     "  u5: { type: twin, at: isa, wires: { a: u6.b } }\n"
		     "  u6: { type: twin, at: isa }\n"
		     "  r: { type: rom, at: sys, mmio: 0xfff00000+0x1000, backend: { file: x } }\n",
		     NULL);
	assert_non_null(strstr(back.text, "    from_host:\n      - path\n"));
	round_trip(&back);
}

static void a_machines_own_blocks_survive(void **state)
{
	struct back back;

	back_resolve(&back,
		     "summary: \"a: b\"\n"
		     "params: { who: { type: string, scope: host, default: me } }\n"
		     "cpu: { model: host, count: 6, topology: { sockets: 2, cores: 2, threads: 2 },"
		     " features: { nx: false, aes: true }, tsc_khz: 2000000 }\n"
		     "memory: { ram: 5GiB, holes: [0xa0000+0x60000] }\n"
		     "accel: { prefer: [kvm, soft], irqchip: split, clock: instructions, "
		     "need: { a20: true, gpa_bits: 40, isolation: snp, vtl: 1, smm: optional } }\n"
		     "power: { off: stop, reset: exit, panic: reset, triple_fault: stop }\n"
		     "boot: { linux: 'k l', initrd: i, cmdline: 'a=\"$(who)\"', tables: [acpi] }\n",
		     BACK_IRQ BACK_WINDOWS BACK_DEVICES, NULL);
	assert_non_null(strstr(back.text, "boot_from_host:\n  - cmdline\n"));
	round_trip(&back);
}

static void what_pci_and_isa_take_survives(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_CPU BACK_MEMORY BACK_BOOT
		     "irq: { gsi: { lines: 24, to: apic }, isa: { lines: 16, to: pic },\n"
		     "  pci: { swizzle: 4, pins: [10, 10, 11, 11], to: isa },\n"
		     "  pcx: { swizzle: 2, pins: [16, 17], to: \"apic:1\" } }\n" BACK_WINDOWS
			     BACK_DEVICES
		     "  n: { type: nic, at: pci, intx: A, msi: { vectors: 3 }, mmio: auto }\n"
		     "  m: { type: nic, at: \"pci:04.0\", intx: A, vtl: 1, on_error: stop }\n"
		     "  s: { type: sound, at: isa, dma: { low: auto, high: 5 }, irq: 9 }\n"
		     "  b: { type: pci-bridge, at: pci }\n  k: { type: nic, at: b, intx: D }\n"
		     "accel: { need: { vtl: 1 } }\n",
		     NULL);
	round_trip(&back);
}

static void a_paravisors_own_keys_survive(void **state)
{
	struct back back;

	back_resolve(&back,
		     "cpu: { model: host, tsc_khz: from-host, x2apic: true }\n"
		     "memory: { ram: 64MiB, vtl2: { size: 2MiB, private: true } }\n"
		     "boot: { igvm: f, measure: sha256, order: [pic, apic] }\n"
		     "accel: { need: { vtl: 2 } }\n" BACK_WINDOWS BACK_DEVICES
		     "  a: { type: chip, at: sys, mmio: auto }\n",
		     NULL);
	round_trip(&back);
}

static void an_elf_kernel_and_its_modules_survive(void **state)
{
	struct back back;

	back_resolve(&back,
		     BACK_CPU BACK_MEMORY
		     "boot: { elf: k, initrd: i, modules: [\"a b=\\\"c\\\"\", d], cmdline: x }\n",
		     BACK_IRQ BACK_WINDOWS BACK_DEVICES, NULL);
	round_trip(&back);
}

static void values_that_another_program_did_not_know_are_defaults(void **state)
{
	struct back back;
	struct reading reading;

	back_resolve(&back, BACK_MACHINE, "  x: { type: chip, at: sys }\n", NULL);
	char *line = strstr(back.text, "      medium: 0\n");

	assert_non_null(line);
	memmove(line, line + strlen("      medium: 0\n"),
		strlen(line + strlen("      medium: 0\n")) + 1);
	reading_text(&reading, &back.registry, back.text);
	assert_non_null(reading.plan);
	same_plan(back.plan, reading.plan);
	reading_end(&reading);
	back_fini(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_golden_plan_reads_back),
		cmocka_unit_test(values_of_every_kind_survive),
		cmocka_unit_test(a_text_that_looks_like_an_expression_is_none),
		cmocka_unit_test(a_value_at_its_default_is_taken_for_one),
		cmocka_unit_test(wiring_of_every_kind_survives),
		cmocka_unit_test(places_and_overlays_survive),
		cmocka_unit_test(links_and_backends_survive),
		cmocka_unit_test(a_machines_own_blocks_survive),
		cmocka_unit_test(what_pci_and_isa_take_survives),
		cmocka_unit_test(a_paravisors_own_keys_survive),
		cmocka_unit_test(an_elf_kernel_and_its_modules_survive),
		cmocka_unit_test(values_that_another_program_did_not_know_are_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
