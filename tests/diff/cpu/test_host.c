/** test_host [--seed S] [--cases N | --seconds N] [--mode 64|32|16] [--only MAP:OPCODE] [--show N]
 * [--alignment 1]: random user-mode instructions, executed by the host's CPU and by ours, in 64-bit, 32-bit
 * compatibility and 16-bit protected mode; every defined result is equal. The same seed gives the same
 * cases. */
// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "accel/soft/decode/op.h"
#include "tests/diff/cpu/compare.h"
#include "tests/diff/cpu/generate.h"

enum { PATIENCE_MS = 60000, SKIP = 77, BATCH_DESCRIPTOR = 3 };
enum { DEFAULT_CASES = SOFT_THREADED ? 400000 : 60000, KEYS = 3 * 2 * 256 * 8 };

struct host {
	struct native_batch *batch;
	pid_t child;
	int requests, answers;
};

struct options {
	uint64_t seed, cases, seconds;
	int mode, map, opcode; /* -1: all */
	unsigned shown;        /* of each form */
	bool alignment;
};

struct session {
	struct options options;
	struct host host;
	struct guest guest;
	struct insn insns[NATIVE_BATCH];
	uint64_t numbers[NATIVE_BATCH];
	unsigned failed[KEYS];
	uint64_t cases, failures;
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void run_child(int memory, int requests, int answers)
{
	if (memory < 0 || dup2(requests, STDIN_FILENO) < 0 || dup2(answers, STDOUT_FILENO) < 0 ||
	    dup2(memory, BATCH_DESCRIPTOR) < 0)
		die("dup2");
	execl(MW_NATIVE, MW_NATIVE, (char *)NULL);
	die(MW_NATIVE);
}

/* False where the answer does not come. */
static bool wait_for_host(struct host *host)
{
	struct pollfd waiting = { .fd = host->answers, .events = POLLIN };
	char byte;

	return poll(&waiting, 1, PATIENCE_MS) == 1 && read(host->answers, &byte, 1) == 1;
}

static bool start_host(struct host *host)
{
	int memory = memfd_create("millwright-native", 0), down[2], up[2];

	if (memory < 0 || ftruncate(memory, sizeof(struct native_batch)) < 0 ||
	    pipe2(down, O_CLOEXEC) < 0 || pipe2(up, O_CLOEXEC) < 0)
		die("the batch");
	host->batch =
		mmap(NULL, sizeof(*host->batch), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (host->batch == MAP_FAILED)
		die("the batch");
	host->child = fork();
	if (host->child < 0)
		die("fork");
	if (host->child == 0)
		run_child(fcntl(memory, F_DUPFD, 10), down[0], up[1]);
	close(memory);
	close(down[0]);
	close(up[1]);
	host->requests = down[1];
	host->answers = up[0];
	return wait_for_host(host);
}

static void stop_host(struct host *host)
{
	close(host->requests);
	close(host->answers);
	if (host->child > 0)
		waitpid(host->child, NULL, 0);
	munmap(host->batch, sizeof(*host->batch));
}

static bool run_host(struct host *host)
{
	char byte = 'b';

	return write(host->requests, &byte, 1) == 1 && wait_for_host(host);
}

static void show_bytes(const struct native_case *test)
{
	for (unsigned i = 0; i < test->code_length; i++)
		printf("%s%02x", i ? " " : "", test->code[i]);
}

static const char *mode_name(int mode)
{
	return mode == NATIVE_64 ? "64" : mode == NATIVE_32 ? "32" : "16";
}

static void show_case(const struct session *session, unsigned index,
		      const struct guest_outcome *ours)
{
	const struct native_case *test = &session->host.batch->cases[index];
	const struct insn *insn = &session->insns[index];
	const struct native_registers *in = &test->in;

	printf("  %s bits, seed %" PRIu64 " case %" PRIu64 ": ", mode_name((int)insn->mode),
	       session->options.seed, session->numbers[index]);
	show_bytes(test);
	printf("\n    with");
	for (unsigned i = 0; i < 16; i++)
		printf("%s %" PRIx64, i % 4 ? "" : i ? "\n        " : " gpr", in->gpr[i]);
	printf("\n    rip %" PRIx64 " flags %" PRIx64 " cs %x ss %x ds %x es %x memory %" PRIx64,
	       in->rip, in->rflags, in->cs, in->ss, in->ds, in->es, insn->memory);
	printf(" fcw %02x%02x fsw %02x%02x mxcsr %02x%02x\n", in->fx[1], in->fx[0], in->fx[3],
	       in->fx[2], in->fx[25], in->fx[24]);
	compare(insn, test, ours, guest_data(&session->guest), session->host.batch->pattern,
		stdout);
}

static unsigned key_of(const struct insn *insn)
{
	unsigned reg = insn->has_modrm ? insn_reg(insn) : 0;

	return (((unsigned)insn->mode * 2 + insn->form.map) * 256 + insn->form.opcode) * 8 + reg;
}

static void judge(struct session *session, unsigned index)
{
	struct native_batch *batch = session->host.batch;
	const struct native_case *test = &batch->cases[index];
	const struct insn *insn = &session->insns[index];
	const uint8_t *data = guest_data(&session->guest);
	struct guest_outcome ours;

	guest_run(&session->guest, test, &ours);
	session->cases++;
	if (compare(insn, test, &ours, data, batch->pattern, NULL)) {
		session->failures++;
		if (session->failed[key_of(insn)]++ < session->options.shown)
			show_case(session, index, &ours);
	}
	guest_set_data(&session->guest, batch->pattern);
}

/* The next numbers that make a case; `number` moves on. */
static void fill_batch(struct session *session, enum native_mode mode, uint64_t *number,
		       uint64_t end)
{
	struct native_batch *batch = session->host.batch;
	const struct options *options = &session->options;
	uint64_t seed = options->seed * 4 + mode;
	struct random random = random_for(~seed, *number / NATIVE_BATCH);

	generate_pattern(&random, batch->pattern);
	batch->mode = mode;
	batch->count = 0;
	do {
		struct form form = form_at(*number % form_count());
		unsigned at = batch->count;

		random = random_for(seed, *number);
		session->numbers[at] = (*number)++;
		if ((options->map >= 0 && form.map != options->map) ||
		    (options->opcode >= 0 && form.opcode != options->opcode))
			continue;
		if (generate_case(&random, mode, form, options->alignment, &batch->cases[at],
				  &session->insns[at]))
			batch->count++;
	} while (*number < end && *number % NATIVE_BATCH);
}

static void run_batch(struct session *session, enum native_mode mode, uint64_t *number,
		      uint64_t end)
{
	struct native_batch *batch = session->host.batch;

	fill_batch(session, mode, number, end);
	if (!run_host(&session->host)) {
		unsigned at = batch->current;

		printf("the host's half ended at case %" PRIu64 ": ", session->numbers[at]);
		show_bytes(&batch->cases[at]);
		puts("");
		exit(1);
	}
	guest_set_data(&session->guest, batch->pattern);
	for (unsigned i = 0; i < batch->count; i++)
		judge(session, i);
}

static void run_all(struct session *session)
{
	const struct options *options = &session->options;
	uint64_t numbers[3] = { 0 };
	time_t end = time(NULL) + (time_t)options->seconds;

	/* Whole batches of each mode in turn. */
	for (bool more = true; more;) {
		more = false;
		for (int mode = NATIVE_64; mode <= NATIVE_16; mode++) {
			if (options->mode >= 0 && mode != options->mode)
				continue;
			if (options->seconds ? time(NULL) >= end
					     : numbers[mode] >= options->cases / 3)
				continue;
			run_batch(session, (enum native_mode)mode, &numbers[mode],
				  options->seconds ? UINT64_MAX : options->cases / 3);
			more = true;
		}
	}
}

static void summarise(const struct session *session)
{
	for (unsigned key = 0; key < KEYS; key++) {
		unsigned opcode = key / 8 % 256;

		if (session->failed[key])
			printf("%s bits %s%02x /%u: %u\n", mode_name((int)(key / 8 / 256 / 2)),
			       key / 8 / 256 % 2 ? "0f " : "", opcode, key % 8,
			       session->failed[key]);
	}
	printf("%" PRIu64 " cases, %" PRIu64 " differ\n", session->cases, session->failures);
}

static bool parse(struct options *options, int count, char **arguments)
{
	for (int i = 1; i + 1 < count; i += 2) {
		const char *name = arguments[i], *value = arguments[i + 1];
		char *end;
		uint64_t number = strtoull(value, &end, 0);

		if (!strcmp(name, "--seed"))
			options->seed = number;
		else if (!strcmp(name, "--cases"))
			options->cases = number;
		else if (!strcmp(name, "--seconds"))
			options->seconds = number;
		else if (!strcmp(name, "--show"))
			options->shown = (unsigned)number;
		else if (!strcmp(name, "--alignment"))
			options->alignment = number;
		else if (!strcmp(name, "--mode"))
			options->mode = number == 64 ? 0 : number == 32 ? 1 : 2;
		else if (!strcmp(name, "--only")) {
			options->map = (int)number;
			options->opcode = *end ? (int)strtol(end + 1, NULL, 16) : -1;
		} else
			return false;
	}
	return count % 2 == 1;
}

int main(int count, char **arguments)
{
	static struct session session;

	session.options = (struct options){
		.seed = 1, .cases = DEFAULT_CASES, .mode = -1, .map = -1, .opcode = -1, .shown = 1
	};
	if (!parse(&session.options, count, arguments)) {
		fputs("usage: see the top of test_host.c\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	if (!start_host(&session.host)) {
		puts("skip: this host does not let a program have its segments and addresses");
		return SKIP;
	}
	guest_create(&session.guest);
	run_all(&session);
	summarise(&session);
	guest_destroy(&session.guest);
	stop_host(&session.host);
	return session.failures ? 1 : 0;
}
