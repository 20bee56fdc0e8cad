/* The software CPU's whole state: taken, put back after a reset, and gone on with as if nothing had been. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "accel/soft/soft.h"
#include "accel/soft/vm.h"
#include "core/machine_internal.h"
#include "tests/unit/core/toy.h"

extern const struct mw_device_type i8259_type;

/* 32-bit code. Sets up both interrupt controllers but for LINT0, which whoever stands for firmware has done,
 * then sleeps and works by turns and notes the vector and the time of every interrupt, until there were
 * enough. */
__asm__(".pushsection .rodata\n"
	"guest:\n"
	".code32\n"
	"	movb $0x11, %al; outb %al, $0x20\n"
	"	movb $0x20, %al; outb %al, $0x21\n"
	"	movb $0x04, %al; outb %al, $0x21\n"
	"	movb $0x01, %al; outb %al, $0x21\n"
	"	movb $0xfe, %al; outb %al, $0x21\n"
	"	movl $0xb, 0xfee003e0\n"
	"	movl $0x20040, 0xfee00320\n"
	"	movl $33333, 0xfee00380\n"
	"	movl $0x10000, %edi\n"
	"1:	sti\n"
	"	incl %ebx\n"
	"	testl $0x1ff, %ebx\n"
	"	jnz 2f\n"
	"	hlt\n"
	"2:	cli\n"
	"	cmpl $0x10000 + 2000 * 8, %edi\n"
	"	jb 1b\n"
	"	movl $1, 0x8000\n"
	"3:	hlt\n"
	"	jmp 3b\n"
	".p2align 6\n" /* 0x80: from the local APIC */
	"	rdtsc\n"
	"	stosl\n"
	"	movl $0x40, %eax\n"
	"	stosl\n"
	"	movl $0, 0xfee000b0\n"
	"	iretl\n"
	".p2align 6\n" /* 0xc0: from the 8259 */
	"	rdtsc\n"
	"	stosl\n"
	"	movl $0x20, %eax\n"
	"	stosl\n"
	"	outb %al, $0x20\n"
	"	iretl\n"
	".p2align 6\n" /* 0x100: lets come what comes */
	"	sti\n"
	"	movl $1000, %ecx\n"
	"4:	loop 4b\n"
	"	cli\n"
	"	movl $1, 0x8000\n"
	"5:	hlt\n"
	"	jmp 5b\n"
	".code64\n"
	"guest_end:\n"
	".popsection\n");
extern const uint8_t guest[], guest_end[];

enum { IDT = 0x1000, GDT = 0x1800, CODE = 0x2000, APIC_HANDLER = 0x80 };
enum { PIC_HANDLER = 0xc0, LET_COME = 0x100 };
enum { DONE = 0x8000, LOG = 0x10000, LOG_BYTES = 2000 * 8, STACK = 0x7000, TIME_PAGE = 0x9000 };
enum { HALF_PERIOD_NS = 31250, MOST_STOPS = 200 };

static const struct mw_cpuid_leaf leaves[] = {
	{ 0, 0, false, 1, 0x756e6547, 0x6c65746e, 0x49656e69 },
	{ 1, 0, false, 0x000006f0, 0, 0, 0x078bfbff },
};

/* A square wave, as an interrupt timer makes it. */
struct ticker {
	struct mw_line *irq;
	struct mw_timer *timer;
	bool level;
};

static void on_tick(void *self)
{
	struct ticker *ticker = self;

	ticker->level = !ticker->level;
	mw_line_set(ticker->irq, ticker->level);
	mw_timer_arm(ticker->timer, mw_now_ns(ticker) + HALF_PERIOD_NS);
}

static void begin_ticking(void *self)
{
	mw_timer_arm(((struct ticker *)self)->timer, HALF_PERIOD_NS);
}

static void drive_again(void *self)
{
	struct ticker *ticker = self;

	mw_line_set(ticker->irq, ticker->level);
}

static const struct mw_wire ticker_wires[] = {
	{ "irq", "The wave.", MW_FIELD(struct ticker, irq) },
};
static const struct mw_timer_row ticker_timers[] = {
	{ "timer", "Its edges.", MW_FIELD(struct ticker, timer), .on_expire = on_tick, .since = 1 },
};
static const struct mw_state ticker_rows[] = {
	{ "level", MW_FIELD(struct ticker, level), .since = 1 },
};
static const struct mw_device_type ticker_type = {
	MW_DEVICE_TYPE,
	.name = "ticker",
	.summary = "a square wave",
	.size = sizeof(struct ticker),
	.state_version = 1,
	.wires = MW_TABLE(ticker_wires),
	.timers = MW_TABLE(ticker_timers),
	.state = MW_TABLE(ticker_rows),
	.ops = { .after_reset = begin_ticking, .after_load = drive_again },
};

static struct toy toy;
static struct mw_accel *accel;
static uint8_t *ram;
static uint32_t nodes[2];

static void put(uint32_t address, uint64_t value)
{
	memcpy(ram + address, &value, sizeof(value));
}

static void gate(unsigned vector, uint32_t handler)
{
	put(IDT + 8 * vector, (handler & 0xffff) | 8u << 16 | UINT64_C(0x8e00) << 32);
}

static bool enter_guest(void *context, struct mw_machine *machine, struct mw_cpu_state *cpu,
			struct mw_diagnostics *diagnostics)
{
	cpu->cr0 = 0x11;
	cpu->rip = CODE;
	cpu->gpr[MW_RSP] = STACK;
	cpu->mtrr_def_type = 0x806;
	cpu->gdt = (struct mw_table_register){ GDT, 0x17 };
	cpu->idt = (struct mw_table_register){ IDT, 0x7ff };
	for (unsigned i = MW_ES; i <= MW_GS; i++)
		cpu->segment[i] = (struct mw_segment){ 0x10, 0xc093, UINT32_MAX, 0 };
	cpu->segment[MW_CS] = (struct mw_segment){ 0x08, 0xc09b, UINT32_MAX, 0 };
	return true;
}

static int build(void **state)
{
	toy = (struct toy){ 0 };
	nodes[0] = toy_node(&toy, "ticker", &ticker_type);
	nodes[1] = toy_node(&toy, "pic", &i8259_type);
	toy_claim(&toy, nodes[1], "master", 0x20, 2);
	toy_claim(&toy, nodes[1], "slave", 0xa0, 2);
	toy_wire(&toy, nodes[0], "irq", nodes[1], "pin", 0);
	toy_ram(&toy, 0, 1 << 20);
	toy.plan.arch = "x86_64";
	toy.plan.cpu = (struct mw_plan_cpu){ .model = "x86-64-v1",
					     .count = 1,
					     .sockets = 1,
					     .cores = 1,
					     .threads = 1,
					     .hypervisor = MW_HYPERVISOR_KVM,
					     .leaves = leaves,
					     .leaf_count = sizeof(leaves) / sizeof(leaves[0]) };
	toy.plan.accel.instruction_clock = true;
	toy_build(&toy);
	mw_machine_add_reset_hook(toy.machine,
				  (struct mw_reset_hook){ "guest", enter_guest, NULL });
	if (!mw_accel_soft.create(&accel, toy.machine, &toy.diagnostics))
		mw_diagnostics_print(&toy.diagnostics, stderr, MW_DIAG_FULL, false);
	assert_non_null(accel);
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	ram = mw_machine_ram(toy.machine, 0, 1 << 20);
	memset(ram, 0, 1 << 20);
	memcpy(ram + CODE, guest, (size_t)(guest_end - guest));
	gate(0x20, CODE + PIC_HANDLER);
	gate(0x40, CODE + APIC_HANDLER);
	put(GDT + 0x08, 0x00cf9b000000ffff);
	put(GDT + 0x10, 0x00cf93000000ffff);
	return 0;
}

static int tear_down(void **state)
{
	mw_accel_soft.destroy(accel);
	accel = NULL;
	toy_fini(&toy);
	return 0;
}

static const struct mw_executor *executor(void)
{
	return &toy.machine->executor;
}

static void get_cpu(struct mw_cpu_state *cpu)
{
	assert_int_equal(executor()->ops->get_cpu(executor()->self, 0, cpu), MW_STATUS_OK);
}

static void set_cpu(const struct mw_cpu_state *cpu)
{
	assert_int_equal(executor()->ops->set_cpu(executor()->self, 0, cpu), MW_STATUS_OK);
}

/* Guest memory is the guest's: it writes while we look. */
__attribute__((no_sanitize("thread"))) static bool is_done(void)
{
	return __atomic_load_n(ram + DONE, __ATOMIC_SEQ_CST);
}

static void nap(unsigned turn)
{
	nanosleep(&(struct timespec){ .tv_nsec = turn * 7919 % 100 * 1000 }, NULL);
}

/** A machine's state but for its memory, as a snapshot has it. */
struct saved {
	struct mw_cpu_state cpu;
	uint8_t nodes[2][256];
	size_t bytes[2];
	uint64_t now_ns, clock_ns;
};

static void save(struct saved *saved)
{
	get_cpu(&saved->cpu);
	for (unsigned i = 0; i < 2; i++)
		saved->bytes[i] = mw_node_save(toy.machine, nodes[i], saved->nodes[i],
					       sizeof(saved->nodes[i]));
	saved->now_ns = mw_clock_now(mw_machine_clock(toy.machine));
	assert_int_equal(executor()->ops->get_clock(executor()->self, &saved->clock_ns),
			 MW_STATUS_OK);
}

/* The first node drives the second, which then has what it had. */
static void load(const struct saved *saved)
{
	for (unsigned i = 0; i < 2; i++)
		assert_true(mw_node_load(toy.machine, nodes[i], saved->nodes[i], saved->bytes[i],
					 &toy.diagnostics));
	mw_clock_set(mw_machine_clock(toy.machine), saved->now_ns);
	assert_int_equal(executor()->ops->set_clock(executor()->self, saved->clock_ns),
			 MW_STATUS_OK);
	set_cpu(&saved->cpu);
}

static void run_until_done(void)
{
	assert_int_equal(mw_machine_start(toy.machine), MW_STATUS_OK);
	for (unsigned i = 0; i < 100000 && !is_done(); i++)
		nap(99);
	mw_machine_stop(toy.machine);
	assert_true(is_done());
}

static unsigned count_of(const uint8_t *log, uint32_t vector)
{
	unsigned count = 0;

	for (unsigned i = 0; i < LOG_BYTES; i += 8)
		count += !memcmp(log + i + 4, &vector, sizeof(vector));
	return count;
}

/* The wave has 16 kHz and the local APIC's timer 30 kHz, to the instruction, whatever comes between. */
static void guest_goes_on_as_if_nothing_had_been(void **state)
{
	struct saved *saved = mw_alloc(1, sizeof(*saved));
	struct mw_cpu_state *end = mw_alloc(2, sizeof(*end));
	uint8_t *log = mw_alloc(LOG_BYTES, 1);
	unsigned stops = 0;

	run_until_done();
	get_cpu(&end[0]);
	memcpy(log, ram + LOG, LOG_BYTES);
	assert_int_equal(count_of(log, 0x20) + count_of(log, 0x40), LOG_BYTES / 8);
	assert_in_range(count_of(log, 0x20), 650, 750);
	tear_down(state);
	build(state);
	while (!is_done() && stops < MOST_STOPS) {
		assert_int_equal(mw_machine_start(toy.machine), MW_STATUS_OK);
		nap(stops++);
		mw_machine_stop(toy.machine);
		save(saved);
		assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
		mw_clock_set(mw_machine_clock(toy.machine), 0);
		load(saved);
	}
	assert_true(stops > 0); /* how many depends on the host */
	run_until_done();
	get_cpu(&end[1]);
	assert_memory_equal(ram + LOG, log, LOG_BYTES);
	assert_int_equal(end[1].gpr[MW_RBX], end[0].gpr[MW_RBX]);
	free(log);
	free(end);
	free(saved);
}

static void state_is_the_same_after_a_round(void **state)
{
	struct mw_cpu_state *cpu = mw_alloc(2, sizeof(*cpu));

	assert_int_equal(mw_machine_start(toy.machine), MW_STATUS_OK);
	nap(50);
	mw_machine_stop(toy.machine);
	get_cpu(&cpu[0]);
	cpu[0].extra.mtrr_fixed[3] = 0x0606060606060606;
	cpu[0].extra.mtrr_base[7] = 0xc0000000;
	cpu[0].extra.mtrr_mask[7] = 0xffc0000800;
	cpu[0].extra.mc[5] = 0x1234;
	cpu[0].extra.misc_enable ^= 1;
	cpu[0].extra.kvm_system_time = TIME_PAGE | 1;
	cpu[0].extra.kvm_wall_clock = TIME_PAGE + 64;
	cpu[0].sipi_pending = true;
	cpu[0].sipi_vector = 0x12;
	cpu[0].init_pending = true;
	cpu[0].nmi_pending = true;
	cpu[0].interrupt_injected = true;
	cpu[0].interrupt_vector = 0x55;
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	set_cpu(&cpu[0]);
	get_cpu(&cpu[1]);
	assert_memory_equal(&cpu[1], &cpu[0], sizeof(cpu[0]));
	cpu[0].interrupt_injected = cpu[0].init_pending = false;
	cpu[0].interrupt_vector = 0;
	cpu[0].exception_injected = cpu[0].exception_has_code = true;
	cpu[0].exception_vector = 13;
	cpu[0].exception_code = 0x18;
	set_cpu(&cpu[0]);
	get_cpu(&cpu[1]);
	assert_memory_equal(&cpu[1], &cpu[0], sizeof(cpu[0]));
	free(cpu);
}

static void parts_that_are_not_valid_stay_as_reset_left_them(void **state)
{
	struct mw_cpu_state *cpu = mw_alloc(2, sizeof(*cpu));

	get_cpu(&cpu[0]);
	assert_int_equal(cpu[0].lapic.registers[0x350 / 16], 0x700);
	cpu[1] = cpu[0];
	memset(&cpu[1].lapic, 0xff, sizeof(cpu[1].lapic));
	memset(&cpu[1].extra, 0xff, sizeof(cpu[1].extra));
	cpu[1].lapic.valid = cpu[1].extra.valid = false;
	set_cpu(&cpu[1]);
	get_cpu(&cpu[1]);
	assert_memory_equal(&cpu[1], &cpu[0], sizeof(cpu[0]));
	free(cpu);
}

/* What is on its way into the local APICs from other threads is in them when they are asked. */
static void message_under_way_is_part_of_the_state(void **state)
{
	struct mw_cpu_state *cpu = mw_alloc(1, sizeof(*cpu));

	executor()->ops->msi(executor()->self, 0xfee00000, 0x66);
	executor()->ops->msi(executor()->self, 0xfee00000, 0x400);
	get_cpu(cpu);
	assert_int_equal(cpu->lapic.registers[(0x200 + 0x30) / 16], 1 << (0x66 - 0x60));
	assert_true(cpu->nmi_pending);
	free(cpu);
}

static void timer_that_is_due_has_fired_when_the_state_is_taken(void **state)
{
	struct mw_cpu_state *cpu = mw_alloc(1, sizeof(*cpu));

	get_cpu(cpu);
	cpu->lapic.registers[0x3e0 / 16] = 0xb;
	cpu->lapic.registers[0x320 / 16] = 0x44;
	cpu->lapic.registers[0x380 / 16] = cpu->lapic.registers[0x390 / 16] = 5000;
	set_cpu(cpu);
	mw_clock_set(mw_machine_clock(toy.machine), 5000);
	get_cpu(cpu);
	assert_int_equal(cpu->lapic.registers[0x390 / 16], 0);
	assert_int_equal(cpu->lapic.registers[(0x200 + 0x20) / 16], 1 << (0x44 - 0x40));
	free(cpu);
}

/* incb DONE; cli; hlt */
static void stop_at(uint32_t address)
{
	static const uint8_t code[] = { 0xfe, 0x05, 0x00, 0x80, 0x00, 0x00, 0xfa, 0xf4 };

	memcpy(ram + address, code, sizeof(code));
}

/* Whatever IF, priorities and the interrupt shadow say: it was accepted. */
static void accepted_interrupt_is_delivered_first(void **state)
{
	struct mw_cpu_state *cpu = mw_alloc(1, sizeof(*cpu));
	uint32_t frame[3];

	get_cpu(cpu);
	cpu->rflags = 0x2;
	cpu->cr8 = 15;
	cpu->run = MW_CPU_HALTED;
	cpu->interrupt_injected = true;
	cpu->interrupt_vector = 0x55;
	gate(0x55, 0x3000);
	stop_at(0x3000);
	set_cpu(cpu);
	run_until_done();
	get_cpu(cpu);
	assert_false(cpu->interrupt_injected);
	assert_int_equal(cpu->gpr[MW_RSP], STACK - 12);
	memcpy(frame, ram + STACK - 12, sizeof(frame));
	assert_int_equal(frame[0], CODE);
	assert_int_equal(frame[2], 0x2);
	free(cpu);
}

static void accepted_exception_has_its_error_code(void **state)
{
	struct mw_cpu_state *cpu = mw_alloc(1, sizeof(*cpu));
	uint32_t frame[4];

	get_cpu(cpu);
	cpu->rflags = 0x10002;
	cpu->cr2 = 0x1234;
	cpu->exception_injected = cpu->exception_has_code = true;
	cpu->exception_vector = 14;
	cpu->exception_code = 6;
	gate(14, 0x3000);
	stop_at(0x3000);
	set_cpu(cpu);
	run_until_done();
	get_cpu(cpu);
	assert_false(cpu->exception_injected);
	assert_int_equal(cpu->cr2, 0x1234);
	memcpy(frame, ram + STACK - 16, sizeof(frame));
	assert_int_equal(frame[0], 6);
	assert_int_equal(frame[1], CODE);
	assert_int_equal(frame[3], 0x10002);
	free(cpu);
}

/* It is begun again, as RIP is still at it. */
static void software_interrupt_under_way_is_left_to_its_instruction(void **state)
{
	struct mw_cpu_state *cpu = mw_alloc(1, sizeof(*cpu));

	get_cpu(cpu);
	cpu->interrupt_injected = cpu->interrupt_soft = true;
	cpu->interrupt_vector = 0x55;
	stop_at(CODE);
	set_cpu(cpu);
	run_until_done();
	get_cpu(cpu);
	assert_int_equal(cpu->gpr[MW_RSP], STACK);
	free(cpu);
}

static void kvmclock_goes_on_from_the_time_that_was_set(void **state)
{
	struct mw_cpu_state *cpu = mw_alloc(1, sizeof(*cpu));
	uint64_t system_time, tsc, now;

	stop_at(CODE);
	get_cpu(cpu);
	cpu->tsc = 700000;
	cpu->extra.kvm_system_time = TIME_PAGE | 1;
	set_cpu(cpu);
	assert_int_equal(executor()->ops->set_clock(executor()->self, UINT64_C(123456789000)),
			 MW_STATUS_OK);
	run_until_done();
	memcpy(&tsc, ram + TIME_PAGE + 8, 8);
	memcpy(&system_time, ram + TIME_PAGE + 16, 8);
	/* Both from the same moment on, 1 GHz; a busy host lets some time pass before the page is written. */
	assert_in_range(tsc, 700000, 1000000000);
	assert_int_equal(system_time - UINT64_C(123456789000), tsc - 700000);
	assert_int_equal(executor()->ops->get_clock(executor()->self, &now), MW_STATUS_OK);
	assert_in_range(now - system_time, 0, 1000000000);
	free(cpu);
}

/* The guest is about to let come what waits: at the 8259, IRQ 0, and at the local APIC, vector 0x40. */
static void prepare(struct mw_cpu_state *cpu, uint32_t lint0, uint64_t irr, bool has_vector)
{
	uint64_t base = 0x20, mask = 0;
	uint8_t pic[256];
	size_t bytes;

	mw_machine_row(toy.machine, nodes[1], "chip.vector_base", 0, &base, true);
	mw_machine_row(toy.machine, nodes[1], "chip.imr", 0, &mask, true);
	mw_machine_row(toy.machine, nodes[1], "chip.irr", 0, &irr, true);
	bytes = mw_node_save(toy.machine, nodes[1], pic, sizeof(pic));
	assert_true(mw_node_load(toy.machine, nodes[1], pic, bytes, &toy.diagnostics));
	mw_timer_cancel(((struct ticker *)toy_device(&toy, nodes[0]))->timer);
	get_cpu(cpu);
	cpu->rip = CODE + LET_COME;
	cpu->gpr[MW_RDI] = LOG;
	cpu->lapic.registers[0x350 / 16] = lint0;
	cpu->lapic.registers[(0x200 + 0x20) / 16] = has_vector;
}

static uint32_t noted(unsigned number)
{
	uint32_t vector;

	memcpy(&vector, ram + LOG + 8 * number + 4, sizeof(vector));
	return vector;
}

static void intr_goes_before_vectors_of_the_local_apic(void **state)
{
	struct mw_cpu_state *cpu = mw_alloc(1, sizeof(*cpu));

	prepare(cpu, 0x700, 1, true);
	set_cpu(cpu);
	run_until_done();
	assert_int_equal(noted(0), 0x20);
	assert_int_equal(noted(1), 0x40);
	assert_int_equal(noted(2), 0);
	free(cpu);
}

static void intr_has_no_priority(void **state)
{
	struct mw_cpu_state *cpu = mw_alloc(1, sizeof(*cpu));

	prepare(cpu, 0x700, 1, true);
	cpu->lapic.registers[0x80 / 16] = 0xff;
	cpu->cr8 = 15;
	set_cpu(cpu);
	run_until_done();
	assert_int_equal(noted(0), 0x20);
	assert_int_equal(noted(1), 0);
	free(cpu);
}

static void ext_int_message_asks_the_8259_once(void **state)
{
	struct mw_cpu_state *cpu = mw_alloc(1, sizeof(*cpu));

	prepare(cpu, 0x10700, 1, false);
	set_cpu(cpu);
	executor()->ops->msi(executor()->self, 0xfee00000, 0x700);
	run_until_done();
	assert_int_equal(noted(0), 0x20);
	assert_int_equal(noted(1), 0);
	free(cpu);
}

static void ext_int_message_without_a_request_is_nothing(void **state)
{
	struct mw_cpu_state *cpu = mw_alloc(1, sizeof(*cpu));

	prepare(cpu, 0x10700, 0, true);
	set_cpu(cpu);
	executor()->ops->msi(executor()->self, 0xfee00000, 0x700);
	run_until_done();
	assert_int_equal(noted(0), 0x40);
	assert_int_equal(noted(1), 0);
	free(cpu);
}

static void intr_needs_no_local_apic_that_is_off(void **state)
{
	struct mw_cpu_state *cpu = mw_alloc(1, sizeof(*cpu));

	prepare(cpu, 0x10700, 1, false);
	cpu->apic_base &= ~UINT64_C(0x800);
	set_cpu(cpu);
	run_until_done();
	assert_int_equal(noted(0), 0x20);
	free(cpu);
}

static uint64_t random_word(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

/* Any bytes at all: the CPU runs on somehow, and what it shows can be set again. */
static void hostile_state_does_no_harm(void **state)
{
	struct mw_cpu_state *cpu = mw_alloc(1, sizeof(*cpu));
	uint64_t random = 0x9e3779b97f4a7c15;

	for (unsigned round = 0; round < 300; round++) {
		uint64_t sparse = round & 1 ? UINT64_MAX : 0;

		for (size_t i = 0; i < sizeof(*cpu); i++)
			((uint8_t *)cpu)[i] =
				(uint8_t)(random_word(&random) & (sparse | random_word(&random)));
		for (size_t i = 0; i < mw_cpu_row_count; i++)
			if (mw_cpu_rows[i].kind == MW_BOOL)
				((uint8_t *)cpu)[mw_cpu_rows[i].offset] &= 1;
		cpu->lapic.valid = round & 2;
		cpu->extra.valid = round & 4;
		cpu->run = round % 3;
		set_cpu(cpu);
		assert_int_equal(mw_machine_start(toy.machine), MW_STATUS_OK);
		nap(round);
		mw_machine_stop(toy.machine);
		get_cpu(cpu);
		set_cpu(cpu);
	}
	free(cpu);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, build, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(guest_goes_on_as_if_nothing_had_been),
		TEST(state_is_the_same_after_a_round),
		TEST(parts_that_are_not_valid_stay_as_reset_left_them),
		TEST(message_under_way_is_part_of_the_state),
		TEST(timer_that_is_due_has_fired_when_the_state_is_taken),
		TEST(accepted_interrupt_is_delivered_first),
		TEST(accepted_exception_has_its_error_code),
		TEST(software_interrupt_under_way_is_left_to_its_instruction),
		TEST(kvmclock_goes_on_from_the_time_that_was_set),
		TEST(intr_goes_before_vectors_of_the_local_apic),
		TEST(intr_has_no_priority),
		TEST(ext_int_message_asks_the_8259_once),
		TEST(ext_int_message_without_a_request_is_nothing),
		TEST(intr_needs_no_local_apic_that_is_off),
		TEST(hostile_state_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
