/* Look-ups, canonical text and hash of a plan made by hand; SHA-256; CPU features by name. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cpu_features.h"
#include "core/plan.h"
#include "core/trust.h"

struct chip {
	uint32_t mode;
	const char *name;
	struct mw_mac mac;
	struct mw_uuid uuid;
	struct mw_blob blob;
	bool flag;
	struct mw_line *irq;
	struct mw_stream *port;
};

static const char *const modes[] = { "off", "fast", NULL };
static const struct mw_property properties[] = {
	{ "mode", "", MW_FIELD(struct chip, mode), .members = modes },
	{ "name", "", MW_FIELD(struct chip, name) },
	{ "mac", "", MW_FIELD(struct chip, mac) },
	{ "uuid", "", MW_FIELD(struct chip, uuid) },
	{ "blob", "", MW_FIELD(struct chip, blob) },
	{ "flag", "", MW_FIELD(struct chip, flag) },
};
static const struct mw_wire wires[] = {
	{ "irq", "", MW_FIELD(struct chip, irq) },
	{ "port", "", MW_FIELD(struct chip, port) },
	{ "pin", "", MW_SINK(4) },
};
static const struct mw_region regions[] = { { "bank", MW_SPACE_PORT, 8 } };
static const struct mw_role_row roles[] = { { MW_ROLE_IOAPIC } };
static const struct mw_device_type chip_type = {
	MW_DEVICE_TYPE,
	.name = "chip",
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.firmware = { .roles = MW_TABLE(roles) },
};
static const struct mw_device_type host_type = { MW_DEVICE_TYPE, .name = "stdio",
						 .wires = MW_TABLE(wires) };

static const uint8_t bytes[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xff };
static const char *text_value = "a \"b\"\\\n\x01\xc3\xa9\xff\xe2\x80\xa8";

/* One chip with its backend; whatever a test changes is its own copy. */
struct example {
	struct mw_plan plan;
	struct mw_plan_value values[6];
	struct mw_plan_claim claims[2];
	struct mw_plan_node nodes[2];
	struct mw_plan_sink sink;
	struct mw_plan_net net;
	struct mw_plan_link link;
	struct mw_plan_range ram;
	struct mw_plan_domain domain;
	struct mw_cpuid_leaf leaf[2];
	struct mw_msr_value msr;
	const char *prefer[2];
};

static void init(struct example *example)
{
	*example = (struct example){
		.values = { { .property = &properties[0], .number = 0 },
			    { .property = &properties[1], .text = text_value },
			    { .property = &properties[2], .bytes = { bytes, 6 } },
			    { .property = &properties[3], .bytes = { bytes, 16 } },
			    { .property = &properties[4], .bytes = { bytes, 2 } },
			    { .property = &properties[5], .number = 1, .host = true } },
		.claims = { { .kind = MW_CLAIM_IO,
			      .name = "bank",
			      .region = regions,
			      .base = 0x3f8,
			      .length = 8,
			      .automatic = true },
			    { .kind = MW_CLAIM_IRQ, .name = "irq", .wire = wires } },
		.sink = { .node = 0, .wire = &wires[2], .index = 3 },
		.ram = { 0, 0x100000 },
		.domain = { "gsi", 24 },
		.leaf = { { .leaf = 1, .eax = 0x6fb },
			  { .leaf = 4, .subleaf = 1, .has_subleaf = true } },
		.msr = { 0x1a0, 1 },
		.prefer = { "kvm", NULL },
	};
	example->nodes[0] = (struct mw_plan_node){ .id = "on",
						   .type = &chip_type,
						   .bus = "sys",
						   .bus_node = UINT32_MAX,
						   .address = "04.0",
						   .values = example->values,
						   .value_count = 6,
						   .claims = example->claims,
						   .claim_count = 2 };
	example->nodes[1] = (struct mw_plan_node){
		.id = "on.backend", .type = &host_type, .bus = "sys", .host = true
	};
	example->net = (struct mw_plan_net){
		.domain = "gsi", .line = 4, .gsi = 4, .sinks = &example->sink, .sink_count = 1
	};
	example->link =
		(struct mw_plan_link){ { 0, 1 }, { &wires[1], &wires[1] }, { 0, 0 }, { 0 } };
	example->plan = (struct mw_plan){
		.name = "t",
		.summary = "a test",
		.arch = "x86_64",
		.version = 2,
		.ram = &example->ram,
		.ram_count = 1,
		.ram_bytes = 0x100000,
		.nodes = example->nodes,
		.node_count = 2,
		.nets = &example->net,
		.net_count = 1,
		.links = &example->link,
		.link_count = 1,
		.domains = &example->domain,
		.domain_count = 1,
		.cpu = { .model = "m",
			 .count = 1,
			 .sockets = 1,
			 .cores = 1,
			 .threads = 1,
			 .tsc_told = true,
			 .leaves = example->leaf,
			 .leaf_count = 2,
			 .msrs = &example->msr,
			 .msr_count = 1 },
		.accel = { .prefer = example->prefer },
		.boot = { .linux_path = "/k", .cmdline = "quiet" },
	};
}

static char *write_as(const struct mw_plan *plan, enum mw_plan_text what, bool json)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (json)
		mw_plan_write_json(plan, what, out);
	else
		mw_plan_write_yaml(plan, what, out);
	fclose(out);
	return text;
}

static void nodes_claims_and_values_are_found(void **state)
{
	struct example example;

	init(&example);
	assert_int_equal(mw_plan_find(&example.plan, "on.backend"), 1);
	assert_int_equal(mw_plan_find(&example.plan, "off"), -1);
	assert_ptr_equal(mw_plan_claim(&example.nodes[0], MW_CLAIM_IRQ, "irq"), &example.claims[1]);
	assert_null(mw_plan_claim(&example.nodes[0], MW_CLAIM_IO, "irq"));
	assert_ptr_equal(mw_plan_value(&example.nodes[0], "flag"), &example.values[5]);
	assert_null(mw_plan_value(&example.nodes[0], "flags"));
	assert_int_equal(mw_plan_role(&example.plan, MW_ROLE_IOAPIC, 0), 0);
	assert_int_equal(mw_plan_role(&example.plan, MW_ROLE_IOAPIC, 1), -1);
	assert_int_equal(mw_plan_role(&example.plan, MW_ROLE_PIC, 0), -1);
	mw_plan_destroy(NULL);
}

static void the_text_is_canonical(void **state)
{
	struct example example;

	init(&example);
	char *text = write_as(&example.plan, MW_PLAN_WHOLE, false);

	assert_string_equal(
		text,
		"format: plan/1\nname: t\nversion: 2\nsummary: \"a test\"\narch: x86_64\n"
		"cpu:\n  model: m\n  count: 1\n  sockets: 1\n  cores: 1\n  threads: 1\n"
		"  hypervisor: none\n  tsc_khz: from-host\n"
		"  cpuid:\n    leaf_1: 0x000006fb 0x00000000 0x00000000 0x00000000\n"
		"    leaf_4.1: 0x00000000 0x00000000 0x00000000 0x00000000\n"
		"  msrs:\n    msr_1a0: 0x1\n"
		"memory:\n  ram_bytes: 1048576\n  ranges:\n    - 0x0+0x100000\n"
		"accel:\n  prefer:\n    - kvm\n  irqchip: auto\n  clock: host\n"
		"power:\n  \"off\": reset\n  reset: reset\n  panic: reset\n  triple_fault: reset\n"
		"boot:\n  loader: linux\n  linux: \"/k\"\n  cmdline: \"quiet\"\n"
		"domains:\n  gsi: 24\n"
		"nodes:\n  \"on\":\n    type: chip\n    bus: sys\n    address: \"04.0\"\n"
		"    placement: shared\n"
		"    props:\n      mode: \"off\"\n"
		"      name: \"a \\\"b\\\"\\\\\\n\\u0001\xc3\xa9\xef\xbf\xbd\\u2028\"\n"
		"      mac: \"01:02:03:04:05:06\"\n"
		"      uuid: \"01020304-0506-0708-090a-0b0c0d0e0fff\"\n"
		"      blob: \"0102\"\n      flag: true\n    from_host:\n      - flag\n"
		"    io:\n      bank: 0x3f8+0x8\n    irq:\n      irq: gsi:4\n"
		"    auto:\n      - bank\n"
		"  on.backend:\n    type: stdio\n    host: true\n    placement: shared\n"
		"nets:\n  - domain: gsi\n    line: 4\n    gsi: 4\n    trigger: edge\n"
		"    polarity: high\n    shared: false\n    sinks:\n      - on.pin:3\n"
		"links:\n  - from: on.port\n    to: on.backend.port\n");
	free(text);
}

static void json_says_the_same_with_numbers(void **state)
{
	struct example example;

	init(&example);
	char *text = write_as(&example.plan, MW_PLAN_WHOLE, true);

	assert_non_null(strstr(text, "\"bank\": { \"base\": 1016, \"length\": 8 }"));
	assert_non_null(strstr(text, "\"leaf_1\": [1787, 0, 0, 0]"));
	assert_non_null(strstr(text, "\"sinks\": [\n        \"on.pin:3\"\n      ]\n    }\n  ]"));
	assert_non_null(strstr(text, "\"flag\": true"));
	assert_int_equal(text[0], '{');
	assert_string_equal(text + strlen(text) - 3, "\n}\n");
	free(text);
}

static void the_guest_text_leaves_the_host_out(void **state)
{
	struct example example;

	init(&example);
	char *text = write_as(&example.plan, MW_PLAN_GUEST, false);

	for (const char *const *word =
		     (const char *const[]){ "summary", "placement", "backend", "links", "/k",
					    "prefer", "flag", "auto", NULL };
	     *word; word++) {
		if (strstr(text, *word))
			fail_msg("`%s` is in the guest text", *word);
	}
	assert_non_null(strstr(text, "loader: linux\n  cmdline: \"quiet\""));
	free(text);
	example.plan.boot.cmdline_host = true;
	text = write_as(&example.plan, MW_PLAN_GUEST, false);
	assert_null(strstr(text, "quiet"));
	free(text);
}

/* As the files are, they are the host's. */
static void modules_are_in_the_whole_text(void **state)
{
	static const struct mw_plan_module modules[] = { { .text = "/m/one root=x quiet" },
							 { .text = "two" } };
	struct example example;

	init(&example);
	example.plan.boot.linux_path = NULL;
	example.plan.boot.elf_path = "/k";
	example.plan.boot.modules = modules;
	example.plan.boot.module_count = 2;
	char *text = write_as(&example.plan, MW_PLAN_WHOLE, false);

	assert_non_null(strstr(text, "boot:\n  loader: elf\n  elf: \"/k\"\n  cmdline: \"quiet\"\n"
				     "  modules:\n    - \"/m/one root=x quiet\"\n    - \"two\"\n"
				     "domains"));
	free(text);
	text = write_as(&example.plan, MW_PLAN_GUEST, false);
	assert_non_null(strstr(text, "boot:\n  loader: elf\n  cmdline: \"quiet\"\ndomains"));
	free(text);
	text = write_as(&example.plan, MW_PLAN_WHOLE, true);
	assert_non_null(strstr(text, "\"/m/one root=x quiet\",\n"));
	free(text);
}

static void the_hash_is_that_of_the_guest_text(void **state)
{
	struct example example;
	uint8_t hash[32], wanted[32], other[32];

	init(&example);
	char *text = write_as(&example.plan, MW_PLAN_GUEST, false);

	mw_sha256(text, strlen(text), wanted);
	mw_plan_hash(&example.plan, hash);
	assert_memory_equal(hash, wanted, 32);
	free(text);
	example.plan.summary = "another";
	example.plan.boot.linux_path = "/other";
	example.nodes[0].placement = MW_PLACEMENT_OWN;
	mw_plan_hash(&example.plan, other);
	assert_memory_equal(hash, other, 32);
	example.claims[0].base++;
	mw_plan_hash(&example.plan, other);
	assert_memory_not_equal(hash, other, 32);
}

/* FIPS 180-4, the examples "abc" and the empty message. */
static void sha256_gives_the_standards_values(void **state)
{
	static const uint8_t abc[32] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
					 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
					 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
					 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad };
	static const uint8_t none[4] = { 0xe3, 0xb0, 0xc4, 0x42 };
	uint8_t hash[32];

	mw_sha256("abc", 3, hash);
	assert_memory_equal(hash, abc, 32);
	mw_sha256("", 0, hash);
	assert_memory_equal(hash, none, 4);
}

static void features_have_one_row_and_one_bit_each(void **state)
{
	const struct mw_cpu_feature *sse2 = mw_cpu_feature_find("sse2");

	assert_non_null(sse2);
	assert_int_equal(sse2->leaf, 1);
	assert_int_equal(sse2->where, MW_EDX);
	assert_int_equal(sse2->bit, 26);
	assert_null(mw_cpu_feature_find("sse9"));
	for (const struct mw_cpu_feature *a = mw_cpu_features; a->name; a++) {
		assert_ptr_equal(mw_cpu_feature_find(a->name), a);
		assert_true(a->bit < 32);
		for (const struct mw_cpu_feature *b = mw_cpu_features; b != a; b++)
			assert_false(a->leaf == b->leaf && a->subleaf == b->subleaf &&
				     a->where == b->where && a->bit == b->bit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_claims_and_values_are_found),
		cmocka_unit_test(the_text_is_canonical),
		cmocka_unit_test(json_says_the_same_with_numbers),
		cmocka_unit_test(the_guest_text_leaves_the_host_out),
		cmocka_unit_test(modules_are_in_the_whole_text),
		cmocka_unit_test(the_hash_is_that_of_the_guest_text),
		cmocka_unit_test(sha256_gives_the_standards_values),
		cmocka_unit_test(features_have_one_row_and_one_bit_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
