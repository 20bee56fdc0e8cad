/* Runs batches of single instructions on the host's own CPU. A signal frame is the register file: a handler
 * fills it in with the trap flag set, and the next signal, from the trap or from an exception, brings it back.
 * Built without sanitizers; between start and end of a batch FS is the test's, so nothing here may use
 * thread-local storage. */
// SPDX-License-Identifier: MIT
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/diff/cpu/native.h"

enum { FRAME_TRAP = 1 << 8, FRAME_IF = 1 << 9, STRICT_SS = 4, STACK_BYTES = 1 << 16 };
enum { XSTATE_BV = 512, FX_BYTES = 416, FX_XMM = 160, FX_ST = 32 };
enum { DONE = 1, BLOCK = 256 };

/* A handler has no other way to its data. */
static struct native_batch *batch;
static bool running;
static gregset_t home;
static unsigned steps;
static uint64_t own_fs;

/* Raw, because libc's keeps errno in thread-local storage. */
static long set_base(long which, uint64_t base)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"((long)SYS_arch_prctl), "D"(which), "S"(base)
			 : "rcx", "r11", "memory");
	return result;
}

static const int gpr_of[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
				REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
				REG_R12, REG_R13, REG_R14, REG_R15 };

static void load_segments(const struct native_registers *in)
{
	__asm__ volatile("mov %0, %%ds" : : "r"((uint32_t)in->ds));
	__asm__ volatile("mov %0, %%es" : : "r"((uint32_t)in->es));
	if (batch->mode == NATIVE_64) {
		set_base(ARCH_SET_FS, NATIVE_FS_BASE);
		set_base(ARCH_SET_GS, NATIVE_GS_BASE);
		return;
	}
	__asm__ volatile("mov %0, %%fs" : : "r"((uint32_t)in->fs));
	__asm__ volatile("mov %0, %%gs" : : "r"((uint32_t)in->gs));
}

static void save_segments(struct native_registers *out)
{
	uint32_t ds, es, fs, gs;

	__asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
			 : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	out->ds = (uint16_t)ds;
	out->es = (uint16_t)es;
	out->fs = (uint16_t)fs;
	out->gs = (uint16_t)gs;
}

static uint8_t *fx_image(ucontext_t *context)
{
	return (uint8_t *)context->uc_mcontext.fpregs;
}

static void load_case(ucontext_t *context, const struct native_case *test)
{
	greg_t *gregs = context->uc_mcontext.gregs;
	const struct native_registers *in = &test->in;
	uint64_t components;

	memcpy(batch->code + test->code_offset, test->code, test->code_length);
	for (int i = 0; i < 16; i++)
		gregs[gpr_of[i]] = (greg_t)in->gpr[i];
	gregs[REG_RIP] = (greg_t)in->rip;
	gregs[REG_EFL] = (greg_t)(in->rflags | FRAME_TRAP | FRAME_IF);
	gregs[REG_CSGSFS] = (greg_t)(in->cs | (uint64_t)in->ss << 48);
	context->uc_flags |= STRICT_SS;
	memcpy(fx_image(context), in->fx, FX_BYTES);
	memcpy(&components, fx_image(context) + XSTATE_BV, sizeof(components));
	components |= 3;
	memcpy(fx_image(context) + XSTATE_BV, &components, sizeof(components));
	load_segments(in);
	steps = 0;
}

static void save_fx(ucontext_t *context, uint8_t *fx)
{
	uint64_t components;

	memcpy(fx, fx_image(context), FX_BYTES);
	memcpy(&components, fx_image(context) + XSTATE_BV, sizeof(components));
	/* A component in its initial state need not have been written. */
	if (!(components & 1)) {
		memset(fx, 0, 24);
		memset(fx + FX_ST, 0, FX_XMM - FX_ST);
		fx[0] = 0x7f;
		fx[1] = 3;
	}
	if (!(components & 2))
		memset(fx + FX_XMM, 0, FX_BYTES - FX_XMM);
}

/* Finds what has changed in the data and puts the pattern back. */
static void save_data(struct native_case *test)
{
	uint32_t low = 0, high = NATIVE_WRITABLE;

	while (low < high && !memcmp(batch->data + low, batch->pattern + low, BLOCK))
		low += BLOCK;
	while (low < high && batch->data[low] == batch->pattern[low])
		low++;
	while (high >= low + BLOCK &&
	       !memcmp(batch->data + high - BLOCK, batch->pattern + high - BLOCK, BLOCK))
		high -= BLOCK;
	while (high > low && batch->data[high - 1] == batch->pattern[high - 1])
		high--;
	uint32_t count = high - low;

	test->low = low;
	test->high = high;
	memcpy(test->changed, batch->data + low, count < NATIVE_CHANGED ? count : NATIVE_CHANGED);
	memcpy(batch->data + low, batch->pattern + low, count);
}

static void save_case(ucontext_t *context, struct native_case *test)
{
	const greg_t *gregs = context->uc_mcontext.gregs;
	struct native_registers *out = &test->out;

	for (int i = 0; i < 16; i++)
		out->gpr[i] = (uint64_t)gregs[gpr_of[i]];
	out->rip = (uint64_t)gregs[REG_RIP];
	out->rflags = (uint64_t)gregs[REG_EFL];
	out->cs = (uint16_t)gregs[REG_CSGSFS];
	out->ss = (uint16_t)((uint64_t)gregs[REG_CSGSFS] >> 48);
	save_segments(out);
	save_fx(context, out->fx);
	test->vector = (uint32_t)gregs[REG_TRAPNO];
	test->error = (uint32_t)gregs[REG_ERR];
	test->address = (uint64_t)gregs[REG_CR2];
	save_data(test);
	memset(batch->code + test->code_offset, 0xcc, test->code_length);
}

static bool goes_on(const ucontext_t *context, const struct native_case *test)
{
	const greg_t *gregs = context->uc_mcontext.gregs;

	return test->repeats && gregs[REG_TRAPNO] == DONE &&
	       (uint64_t)gregs[REG_RIP] == test->in.rip && ++steps < NATIVE_STEPS;
}

static void go_home(ucontext_t *context)
{
	running = false;
	memcpy(context->uc_mcontext.gregs, home, sizeof(home));
	memset(fx_image(context), 0, FX_BYTES);
	fx_image(context)[0] = 0x7f;
	fx_image(context)[1] = 3;
	fx_image(context)[24] = 0x80;
	fx_image(context)[25] = 0x1f;
	__asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" : : "r"(0));
	set_base(ARCH_SET_FS, own_fs);
}

static void on_signal(int number, siginfo_t *info, void *argument)
{
	ucontext_t *context = argument;

	/* The instruction may have left AC, NT or ID set. */
	__asm__ volatile("pushq $2\n\tpopfq" : : : "memory", "cc");
	if (!running) {
		if (number != SIGUSR1)
			_exit(3);
		memcpy(home, context->uc_mcontext.gregs, sizeof(home));
		running = true;
	} else {
		struct native_case *test = &batch->cases[batch->current];

		if (goes_on(context, test))
			return;
		save_case(context, test);
		batch->current++;
	}
	if (batch->current == batch->count)
		go_home(context);
	else
		load_case(context, &batch->cases[batch->current]);
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void map_at(uint32_t address, size_t offset, size_t bytes, int protection)
{
	void *wanted = (void *)(uintptr_t)address;

	if (mmap(wanted, bytes, protection, MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE,
		 STDERR_FILENO + 1, (off_t)offset) != wanted)
		die("a fixed address");
}

static void make_ldt(void)
{
	static const struct native_descriptor entries[NATIVE_LDT_ENTRIES] = NATIVE_LDT;

	for (unsigned i = 0; i < NATIVE_LDT_ENTRIES; i++) {
		struct user_desc entry = { .entry_number = i,
					   .base_addr = entries[i].base,
					   .limit = entries[i].limit,
					   .seg_32bit = entries[i].wide,
					   .contents = entries[i].contents,
					   .read_exec_only = entries[i].readonly,
					   .seg_not_present = entries[i].absent };

		if (syscall(SYS_modify_ldt, 1, &entry, sizeof(entry)) != 0)
			die("modify_ldt");
	}
}

static void make_handlers(void)
{
	static const int numbers[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGUSR1 };
	stack_t stack = { .ss_size = STACK_BYTES };
	struct sigaction action = { .sa_sigaction = on_signal,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK };

	stack.ss_sp =
		mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) < 0)
		die("sigaltstack");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
}

/* The batch is descriptor 3. */
static void map_batch(void)
{
	const size_t data = offsetof(struct native_batch, data);

	batch = mmap(NULL, sizeof(*batch), PROT_READ | PROT_WRITE, MAP_SHARED, STDERR_FILENO + 1,
		     0);
	if (batch == MAP_FAILED)
		die("the batch");
	map_at(NATIVE_CODE, offsetof(struct native_batch, code), NATIVE_PAGE,
	       PROT_READ | PROT_EXEC);
	map_at(NATIVE_DATA, data, NATIVE_WRITABLE, PROT_READ | PROT_WRITE);
	map_at(NATIVE_READONLY, data + NATIVE_READONLY - NATIVE_DATA, NATIVE_PAGE, PROT_READ);
	memset(batch->code, 0xcc, NATIVE_PAGE);
}

int main(void)
{
	char byte = 'r';

	map_batch();
	make_ldt();
	make_handlers();
	syscall(SYS_arch_prctl, ARCH_GET_FS, &own_fs);
	if (write(STDOUT_FILENO, &byte, 1) != 1)
		return 2;
	while (read(STDIN_FILENO, &byte, 1) == 1) {
		memcpy(batch->data, batch->pattern, sizeof(batch->data));
		batch->current = 0;
		if (batch->count)
			raise(SIGUSR1);
		if (write(STDOUT_FILENO, &byte, 1) != 1)
			return 2;
	}
	return 0;
}
