/* What KVM hands over, reason by reason: each exit is written by hand into a real CPU's page. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "accel/kvm/kvm_internal.h"
#include "core/machine_internal.h"
#include "tests/boot/bench.h"

/** A bench whose log is kept. */
struct desk {
	struct bench bench;
	struct kvm_cpu *cpu;
	FILE *log;
	char *text;
	size_t length;
};

static int open_desk(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));

	assert_non_null(desk);
	bench_create(&desk->bench, "exit", 1);
	desk->cpu = &((struct kvm_vm *)desk->bench.accel)->cpus[0];
	desk->log = open_memstream(&desk->text, &desk->length);
	mw_machine_set_log(desk->bench.machine, desk->log);
	*state = desk;
	return 0;
}

static int close_desk(void **state)
{
	struct desk *desk = *state;

	bench_destroy(&desk->bench);
	fclose(desk->log);
	free(desk->text);
	free(desk);
	return 0;
}

/* An empty exit of this reason, to be filled in. */
static struct kvm_run *fresh_exit(struct desk *desk, uint32_t reason)
{
	memset(desk->cpu->run, 0, sizeof(*desk->cpu->run));
	desk->cpu->run->exit_reason = reason;
	return desk->cpu->run;
}

static const char *failure(const struct desk *desk)
{
	return desk->bench.machine->failed ? desk->bench.machine->failure : NULL;
}

static void assert_failure_says(const struct desk *desk, const char *text)
{
	assert_non_null(failure(desk));
	if (!strstr(failure(desk), text))
		fail_msg("`%s` lacks `%s`", failure(desk), text);
}

/* Forgets the failure and the event, so that the next exit starts afresh. */
static void clear(struct desk *desk)
{
	desk->bench.machine->failed = false;
	desk->bench.machine->power_pending = false;
	atomic_store(&desk->bench.machine->stopping, false);
}

static void every_number_goes_on_or_ends_the_machine(void **state)
{
	struct desk *desk = *state;

	for (uint32_t reason = 0; reason < 200; reason++) {
		bool goes_on;

		fresh_exit(desk, reason)->mmio.phys_addr = 0x80000000;
		goes_on = kvm_exit_handle(desk->cpu);
		assert_int_equal(goes_on, !desk->bench.machine->power_pending);
		if (!goes_on && reason != KVM_EXIT_SHUTDOWN)
			assert_failure_says(desk, "kvm: CPU 0 ended with exit");
		clear(desk);
	}
}

static void unknown_reason_tells_its_number_and_the_registers(void **state)
{
	struct desk *desk = *state;

	fresh_exit(desk, 4711);
	assert_false(kvm_exit_handle(desk->cpu));
	assert_failure_says(desk, "4711, which this version does not know");
	fflush(desk->log);
	assert_non_null(strstr(desk->text, "rip 000000000000fff0"));
	assert_non_null(strstr(desk->text, "cr0 60000010"));
	assert_non_null(strstr(desk->text, "rdx 0000000000000600"));
	assert_non_null(strstr(desk->text, "cs f000+ffff0000"));
}

static void known_failures_tell_what_they_are(void **state)
{
	struct desk *desk = *state;
	struct kvm_run *run = fresh_exit(desk, KVM_EXIT_FAIL_ENTRY);

	run->fail_entry.hardware_entry_failure_reason = 0x80000021;
	assert_false(kvm_exit_handle(desk->cpu));
	assert_failure_says(desk, "FAIL_ENTRY: hardware reason 0x80000021");
	clear(desk);
	run = fresh_exit(desk, KVM_EXIT_EXCEPTION);
	run->ex.exception = 13;
	assert_false(kvm_exit_handle(desk->cpu));
	assert_failure_says(desk, "EXCEPTION: exception 13");
	clear(desk);
	run = fresh_exit(desk, 39);
	memcpy(run->padding + 8, &(uint64_t){ 0xabc000 }, 8);
	assert_false(kvm_exit_handle(desk->cpu));
	assert_failure_says(desk, "MEMORY_FAULT: guest memory 0xabc000");
}

static void emulation_failure_shows_the_instruction(void **state)
{
	static const uint8_t bytes[] = { 0xf0, 0x48, 0x0f, 0xc7, 0x0f };
	struct desk *desk = *state;
	struct kvm_run *run = fresh_exit(desk, KVM_EXIT_INTERNAL_ERROR);

	run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	run->emulation_failure.ndata = 4;
	run->emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
	run->emulation_failure.insn_size = sizeof(bytes);
	memcpy(run->emulation_failure.insn_bytes, bytes, sizeof(bytes));
	assert_false(kvm_exit_handle(desk->cpu));
	assert_failure_says(desk, "cannot emulate (1): f0 48 0f c7 0f");
}

static void shutdown_is_a_triple_fault(void **state)
{
	struct desk *desk = *state;

	fresh_exit(desk, KVM_EXIT_SHUTDOWN);
	assert_false(kvm_exit_handle(desk->cpu));
	assert_null(failure(desk));
	assert_true(desk->bench.machine->power_pending);
	assert_int_equal(desk->bench.machine->power_event, MW_POWER_TRIPLE_FAULT);
}

static void system_events_are_power_events(void **state)
{
	static const struct {
		uint32_t type;
		enum mw_power_event event;
	} rows[] = { { KVM_SYSTEM_EVENT_SHUTDOWN, MW_POWER_OFF },
		     { KVM_SYSTEM_EVENT_RESET, MW_POWER_RESET },
		     { KVM_SYSTEM_EVENT_CRASH, MW_POWER_PANIC } };
	struct desk *desk = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fresh_exit(desk, KVM_EXIT_SYSTEM_EVENT)->system_event.type = rows[i].type;
		assert_false(kvm_exit_handle(desk->cpu));
		assert_true(desk->bench.machine->power_pending);
		assert_int_equal(desk->bench.machine->power_event, rows[i].event);
		clear(desk);
	}
	fresh_exit(desk, KVM_EXIT_SYSTEM_EVENT)->system_event.type = 99;
	assert_false(kvm_exit_handle(desk->cpu));
	assert_failure_says(desk, "event type 99");
}

static void unknown_msr_faults_in_the_guest(void **state)
{
	struct desk *desk = *state;

	assert_int_equal(fresh_exit(desk, KVM_EXIT_X86_WRMSR)->msr.error, 0);
	assert_true(kvm_exit_handle(desk->cpu));
	assert_int_equal(desk->cpu->run->msr.error, 1);
}

static void unserved_hypercall_answers_enosys(void **state)
{
	struct desk *desk = *state;

	fresh_exit(desk, KVM_EXIT_HYPERCALL);
	assert_true(kvm_exit_handle(desk->cpu));
	assert_int_equal(desk->cpu->run->hypercall.ret, (uint64_t)-1000);
}

/* The sizes an access is cut into, as `3 at 1` gives "1@1 2@2". */
static void assert_parts(struct desk *desk, unsigned length, uint64_t at, const char *wanted)
{
	struct kvm_run *run = fresh_exit(desk, KVM_EXIT_MMIO);
	char parts[80] = "";

	desk->bench.device->count = 0;
	run->mmio.phys_addr = 0xfea00000 + at;
	run->mmio.len = length;
	run->mmio.is_write = 1;
	for (unsigned i = 0; i < 8; i++)
		run->mmio.data[i] = (uint8_t)(0x11 * (i + 1));
	assert_true(kvm_exit_handle(desk->cpu));
	for (size_t i = 0; i < desk->bench.device->count; i++) {
		const struct bench_access *access = &desk->bench.device->accesses[i];
		uint64_t first = 0x11 * (access->offset - at + 1);

		assert_int_equal(access->value & 0xff, first);
		snprintf(parts + strlen(parts), sizeof(parts) - strlen(parts), "%s%u@%u",
			 i ? " " : "", access->size, (unsigned)access->offset);
	}
	assert_string_equal(parts, wanted);
}

static void odd_lengths_are_cut_into_aligned_parts(void **state)
{
	struct desk *desk = *state;

	assert_parts(desk, 8, 0, "8@0");
	assert_parts(desk, 4, 1, "4@1"); /* the guest's own unaligned access stays whole */
	assert_parts(desk, 3, 0, "2@0 1@2");
	assert_parts(desk, 3, 1, "1@1 2@2");
	assert_parts(desk, 5, 3, "1@3 4@4");
	assert_parts(desk, 6, 2, "2@2 4@4");
	assert_parts(desk, 7, 1, "1@1 2@2 4@4");
}

static void odd_lengths_read_all_bytes(void **state)
{
	static const uint8_t wanted[] = { 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0 };
	struct desk *desk = *state;
	struct kvm_run *run = fresh_exit(desk, KVM_EXIT_MMIO);

	run->mmio.phys_addr = 0xfea00001;
	run->mmio.len = 7;
	assert_true(kvm_exit_handle(desk->cpu));
	assert_memory_equal(run->mmio.data, wanted, 8);
}

static void guest_in_the_void_ends_with_the_reason(void **state)
{
	struct desk *desk = *state;
	struct bench bench;

	bench_create(&bench, "nowhere", 1);
	mw_machine_set_log(bench.machine, desk->log);
	assert_int_equal(mw_machine_run(bench.machine, &bench.diagnostics), 1);
	assert_int_equal(bench.diagnostics.errors, 1);
	assert_non_null(strstr(bench.diagnostics.items[0]->message, "INTERNAL_ERROR"));
	fflush(desk->log);
	assert_non_null(strstr(desk->text, "rbx 0000000012345678"));
	bench_destroy(&bench);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_number_goes_on_or_ends_the_machine),
		TEST(unknown_reason_tells_its_number_and_the_registers),
		TEST(known_failures_tell_what_they_are),
		TEST(emulation_failure_shows_the_instruction),
		TEST(shutdown_is_a_triple_fault),
		TEST(system_events_are_power_events),
		TEST(unknown_msr_faults_in_the_guest),
		TEST(unserved_hypercall_answers_enosys),
		TEST(odd_lengths_are_cut_into_aligned_parts),
		TEST(odd_lengths_read_all_bytes),
		TEST(guest_in_the_void_ends_with_the_reason),
	};
	const char *obstacle = bench_obstacle();

	if (obstacle) {
		printf("SKIP: %s\n", obstacle);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
