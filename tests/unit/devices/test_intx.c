/* Interrupts of PCI slots through a whole board: pins by slot, PIRQs as a guest routes them, the 8259's requests.
 * References: PCI Local Bus Specification 3.0, 2.2.6; PIIX3 (290550), 2.2.13 PIRQRC; 8259A (231468). */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/machine.h"
#include "devices/registry.h"
#include "resolver/resolver.h"

#define ISA_BRIDGE UINT32_C(0x80000800)
enum { CONFADD = 0xcf8, CONFDATA = 0xcfc, PIRQRC = 0x60, DISABLED = 0x80 };
enum { MASTER = 0x20, SLAVE = 0xa0, ELCR_SLAVE = 0x4d1, READ_IRR = 0x0a };
enum { SLOT_2 = 0x300, SLOT_3, SLOT_4, SLOT_5, SLOT_6_PIN_B };
enum { PIRQA, PIRQB, PIRQC, PIRQD };

/* A function with one pin, which is what was written to its port. */
struct puller {
	struct mw_line *irq;
};

static uint64_t read_pin(void *self)
{
	return 0;
}

static void write_pin(void *self, uint64_t value)
{
	mw_line_set(((struct puller *)self)->irq, value);
}

static enum mw_io read_config(void *self, uint32_t offset, unsigned size, uint32_t *value)
{
	*value = 0;
	return MW_IO_OK;
}

static enum mw_io write_config(void *self, uint32_t offset, unsigned size, uint32_t value)
{
	return MW_IO_OK;
}

static const struct mw_wire wires[] = {
	{ "irq", "INTx.", .offset = offsetof(struct puller, irq), .kind = MW_LINE, .intx = true },
};
static const struct mw_register registers[] = {
	{ "pin", 0, 1, .get = read_pin, .set = write_pin },
};
static const struct mw_region regions[] = {
	{ "pull", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .registers = MW_TABLE(registers) },
};
static const struct mw_pci_identity identity = { .vendor = 0x1af4, .device = 1, .pin = 1 };
static const struct mw_config_ops config = { read_config, write_config, &identity };
static const char *const buses[] = { "pci", NULL };
static const struct mw_device_type puller_type = {
	MW_DEVICE_TYPE,
	.name = "puller",
	.summary = "a PCI function with an INTx pin",
	.size = sizeof(struct puller),
	.buses = buses,
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.config = &config,
};

static const char profile[] = "format: machine/1\n"
			      "name: slots\n"
			      "version: 1\n"
			      "extends: chipset/i440fx@1\n"
			      "accel: { prefer: [none] }\n"
			      "cpu: { model: host, tsc_khz: from-host }\n"
			      "memory: { ram: 16MiB, holes: [0xa0000+0x60000] }\n"
			      "devices:\n"
			      "  a: { type: puller, at: 'pci0:02.0', io: 0x300, intx: A }\n"
			      "  b: { type: puller, at: 'pci0:03.0', io: 0x301, intx: A }\n"
			      "  c: { type: puller, at: 'pci0:04.0', io: 0x302, intx: A }\n"
			      "  d: { type: puller, at: 'pci0:05.0', io: 0x303, intx: A }\n"
			      "  e: { type: puller, at: 'pci0:06.0', io: 0x304, intx: B }\n"
			      "boot: { linux: kernel }\n";

static struct mw_registry registry;
static struct mw_diagnostics diagnostics;
static struct mw_plan *plan;
static struct mw_machine *machine;
static struct mw_actor *cpu;

static void out(uint16_t port, unsigned size, uint32_t value)
{
	mw_port_write(cpu, port, size, value);
}

static unsigned requests(void)
{
	uint64_t value;

	out(SLAVE, 1, READ_IRR);
	mw_port_read(cpu, SLAVE, 1, &value);
	return (unsigned)value;
}

static void route(unsigned pirq, unsigned line)
{
	out(CONFADD, 4, ISA_BRIDGE | PIRQRC);
	out((uint16_t)(CONFDATA + pirq), 1, line);
}

/* ICW1 to ICW4 of both, nothing masked; lines 10 and 11 by level. */
static void start_interrupts(void)
{
	static const uint8_t words[2][4] = { { 0x11, 0x20, 0x04, 0x01 },
					     { 0x11, 0x28, 0x02, 0x01 } };

	for (unsigned chip = 0; chip < 2; chip++) {
		uint16_t port = chip ? SLAVE : MASTER;

		out(port, 1, words[chip][0]);
		for (unsigned i = 1; i < 4; i++)
			out((uint16_t)(port + 1), 1, words[chip][i]);
		out((uint16_t)(port + 1), 1, 0);
	}
	out(ELCR_SLAVE, 1, 0x0c);
	for (unsigned pirq = PIRQA; pirq <= PIRQD; pirq++)
		route(pirq, DISABLED);
}

static int begin(void **state)
{
	static const char *const search[] = { "." };
	char path[] = "/tmp/intx-XXXXXX.yaml";
	int file = mkstemps(path, 5);
	struct mw_resolve_options options = { .profile = path,
					      .search = search,
					      .search_count = 1,
					      .registry = &registry,
					      .lock = "" };
	bool good;

	assert_true(file >= 0);
	assert_int_equal(write(file, profile, sizeof(profile) - 1), sizeof(profile) - 1);
	close(file);
	assert_true(mw_builtin_devices(&registry, &diagnostics));
	assert_true(mw_registry_add(&registry, &puller_type, &diagnostics));
	good = mw_resolve(&plan, &options, &diagnostics) &&
	       mw_machine_build(&machine, plan, &diagnostics);
	unlink(path);
	if (!good)
		mw_diagnostics_print(&diagnostics, stderr, MW_DIAG_CONCISE, false);
	assert_true(good);
	cpu = mw_machine_add_actor(machine, "cpu0");
	assert_true(mw_machine_reset(machine, &diagnostics));
	start_interrupts();
	return 0;
}

static int end(void **state)
{
	mw_machine_destroy(machine);
	mw_plan_destroy(plan);
	mw_registry_fini(&registry);
	mw_diagnostics_fini(&diagnostics);
	return 0;
}

static void check_pirq(uint16_t port, unsigned pirq)
{
	for (unsigned i = PIRQA; i <= PIRQD; i++) {
		route(i, 10);
		out(port, 1, 1);
		assert_int_equal(requests(), i == pirq ? 1 << 2 : 0);
		out(port, 1, 0);
		assert_int_equal(requests(), 0);
		route(i, DISABLED);
	}
}

static void each_slot_begins_with_the_next_pirq(void **state)
{
	check_pirq(SLOT_2, PIRQB);
	check_pirq(SLOT_3, PIRQC);
	check_pirq(SLOT_4, PIRQD);
	check_pirq(SLOT_5, PIRQA);
	check_pirq(SLOT_6_PIN_B, PIRQC);
}

static void a_pirq_goes_where_the_guest_routes_it_while_it_is_asserted(void **state)
{
	route(PIRQB, 10);
	out(SLOT_2, 1, 1);
	assert_int_equal(requests(), 1 << 2);
	route(PIRQB, 11);
	assert_int_equal(requests(), 1 << 3);
	route(PIRQB, DISABLED);
	assert_int_equal(requests(), 0);
	out(SLOT_2, 1, 0);
}

static void who_shares_a_line_holds_it(void **state)
{
	route(PIRQC, 11);
	route(PIRQD, 11);
	out(SLOT_3, 1, 1);
	out(SLOT_6_PIN_B, 1, 1);
	out(SLOT_4, 1, 1);
	for (uint16_t port = SLOT_3; port <= SLOT_4; port++) {
		out(port, 1, 0);
		assert_int_equal(requests(), 1 << 3);
	}
	out(SLOT_6_PIN_B, 1, 0);
	assert_int_equal(requests(), 0);
	route(PIRQC, DISABLED);
	route(PIRQD, DISABLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_slot_begins_with_the_next_pirq),
		cmocka_unit_test(a_pirq_goes_where_the_guest_routes_it_while_it_is_asserted),
		cmocka_unit_test(who_shares_a_line_holds_it),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
