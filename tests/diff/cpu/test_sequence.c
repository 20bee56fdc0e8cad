/** test_sequence [--seed S] [--cases N] [--case N] [--mode 64|32|16] [--show N]: random programs, run by the software
 * CPU through decoded blocks in turns of any length, and again one instruction at a time; after every turn
 * both are in the same state, and so is memory at the end. The same seed gives the same programs. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel/soft/decode/op.h"
#include "accel/soft/run.h"
#include "tests/diff/cpu/sequence.h"

enum { DEFAULT_CASES = SOFT_THREADED ? 3300 : 250, PASSES = 3, INSTRUCTIONS = 2000, ROUNDS = 4 };
enum {
	LONG_TURN = 20000,
	MOST_TURNS = 4 * INSTRUCTIONS,
	NOP = 0x90,
	MOST_TOLD = 6,
	FXSAVE_BYTES = 416,
	LONGEST = 15
};

struct options {
	uint64_t seed, cases, only; /* only: a case, or UINT64_MAX */
	int mode;                   /* -1: all */
	unsigned shown;
};

struct session {
	struct options options;
	struct guest pristine, blocks, steps;
	struct program program;
	uint64_t number, failures, instructions, exceptions, left_out;
	FILE *out;      /* of differences, or NULL */
	bool rewritten; /* a REP has changed itself, and whether it is fetched again is open */
	bool careful;   /* memory is compared after every turn */
	unsigned wrong;
};

static void differ(struct session *session, const char *what, unsigned number, uint64_t blocks,
		   uint64_t steps)
{
	if (blocks == steps)
		return;
	session->wrong++;
	if (session->out)
		fprintf(session->out, "    %s %x: %" PRIx64 " by blocks, %" PRIx64 " by steps\n",
			what, number, blocks, steps);
}

static void differ_bytes(struct session *session, const char *what, const uint8_t *blocks,
			 const uint8_t *steps, size_t count)
{
	if (memcmp(blocks, steps, count) == 0)
		return;
	for (unsigned i = 0, told = 0; i < count && told < MOST_TOLD; i++) {
		told += blocks[i] != steps[i];
		differ(session, what, i, blocks[i], steps[i]);
	}
}

static void compare_segments(struct session *session, const struct mw_cpu_state *blocks,
			     const struct mw_cpu_state *steps)
{
	for (unsigned i = 0; i < MW_SEGMENT_COUNT; i++) {
		const struct mw_segment *a = &blocks->segment[i], *b = &steps->segment[i];

		differ(session, "selector", i, a->selector, b->selector);
		differ(session, "base", i, a->base, b->base);
		differ(session, "limit", i, a->limit, b->limit);
		differ(session, "attributes", i, a->attributes, b->attributes);
	}
}

static void compare_states(struct session *session)
{
	struct mw_cpu_state blocks, steps;

	soft_rig_get(&session->blocks.rig, &blocks);
	soft_rig_get(&session->steps.rig, &steps);
	for (unsigned i = 0; i < MW_GPR_COUNT; i++)
		differ(session, "register", i, blocks.gpr[i], steps.gpr[i]);
	differ(session, "rip", 0, blocks.rip, steps.rip);
	differ(session, "rflags", 0, blocks.rflags, steps.rflags);
	differ(session, "cr", 0, blocks.cr0, steps.cr0);
	differ(session, "cr", 2, blocks.cr2, steps.cr2);
	differ(session, "dr", 6, blocks.dr6, steps.dr6);
	differ(session, "shadow", 0, blocks.interrupt_shadow, steps.interrupt_shadow);
	differ(session, "run", 0, blocks.run, steps.run);
	compare_segments(session, &blocks, &steps);
	differ_bytes(session, "fxsave", blocks.fxsave, steps.fxsave, FXSAVE_BYTES);
	differ(session, "shutdown", 0, session->blocks.rig.cpu->shutdown,
	       session->steps.rig.cpu->shutdown);
}

static void compare_memory(struct session *session)
{
	for (unsigned i = 0; i < SEQUENCE_RANGES; i++) {
		const struct sequence_range *range = &sequence_ranges[i];

		differ_bytes(session, range->name, session->blocks.rig.ram + range->base,
			     session->steps.rig.ram + range->base, range->bytes);
	}
}

static int64_t choose_turn(struct random *random)
{
	switch (random_below(random, 6)) {
	case 0: return 1 + random_below(random, 4);
	case 1: return 1 + random_below(random, 20);
	case 2: return 1 + random_below(random, 63);
	case 3: return 64 + random_below(random, 40);
	case 4: return 64 + random_below(random, 400);
	default: return LONG_TURN;
	}
}

static bool is_over(const struct guest *guest)
{
	return !soft_cpu_runnable(guest->rig.cpu);
}

/* The bytes at RIP, which may be on two pages; zeros where nothing is. */
static void read_code(const struct guest *guest, uint8_t bytes[LONGEST])
{
	struct soft_cpu *cpu = guest->rig.cpu;
	uint64_t linear = cpu->rip + (soft_64bit(cpu) ? 0 : cpu->segment[MW_CS].base), physical;
	unsigned first = NATIVE_PAGE - linear % NATIVE_PAGE;

	memset(bytes, 0, LONGEST);
	first = first < LONGEST ? first : LONGEST;
	if (soft_translate(cpu, linear, &physical) && physical < SOFT_RIG_RAM_BYTES)
		memcpy(bytes, guest->rig.ram + physical, first);
	if (first < LONGEST && soft_translate(cpu, linear + first, &physical) &&
	    physical < SOFT_RIG_RAM_BYTES)
		memcpy(bytes + first, guest->rig.ram + physical, LONGEST - first);
}

static void step(struct session *session)
{
	struct soft_cpu *cpu = session->steps.rig.cpu;
	uint64_t rip = cpu->rip;
	uint8_t before[LONGEST], after[LONGEST];

	/* What crosses pages would be kept here too. */
	soft_spans_forget_page(cpu->vm, rip);
	read_code(&session->steps, before);
	soft_step(cpu);
	if (cpu->rip != rip)
		return;
	read_code(&session->steps, after);
	if (memcmp(before, after, LONGEST) != 0)
		session->rewritten = true;
}

/* One at a time, until as many have run. */
static int64_t follow(struct session *session, int64_t count)
{
	struct soft_cpu *cpu = session->steps.rig.cpu;
	uint64_t begin = cpu->counters.instructions;
	int64_t ran = 0, tries = 0;

	while (ran < count && !session->rewritten && !is_over(&session->steps) &&
	       tries++ < 2 * count + 16) {
		step(session);
		ran = (int64_t)(cpu->counters.instructions - begin);
	}
	return ran;
}

static bool take_turn(struct session *session, struct random *random, int64_t left)
{
	int64_t turn = choose_turn(random), ran, followed;

	uint64_t rip = session->blocks.rig.cpu->rip;

	ran = soft_run_cpu(session->blocks.rig.cpu, turn < left ? turn : left);
	if (ran < 0 || ran > turn)
		differ(session, "count of a turn", 0, (uint64_t)ran, (uint64_t)turn);
	session->instructions += (uint64_t)ran;
	followed = follow(session, ran);
	if (session->rewritten)
		return false;
	differ(session, "count", 0, (uint64_t)ran, (uint64_t)followed);
	compare_states(session);
	if (session->careful)
		compare_memory(session);
	if (session->wrong && session->out)
		fprintf(session->out, "    after a turn of %" PRId64 " from %" PRIx64 "\n", ran,
			rip);
	return !session->wrong && !is_over(&session->blocks);
}

/* All rounds from the start. True: no difference. */
static bool run_pass(struct session *session, unsigned pass)
{
	struct random random = random_for(~session->options.seed, session->number * PASSES + pass);
	const struct soft_counters *counters = &session->blocks.rig.cpu->counters;
	uint64_t begin = counters->instructions;
	unsigned turns = 0;

	session->rewritten = false;
	sequence_load(&session->blocks, &session->pristine, &session->program, ROUNDS);
	sequence_load(&session->steps, &session->pristine, &session->program, ROUNDS);
	while (counters->instructions - begin < INSTRUCTIONS && turns++ < MOST_TURNS)
		if (!take_turn(session, &random,
			       INSTRUCTIONS - (int64_t)(counters->instructions - begin)))
			break;
	if (session->rewritten)
		return true;
	differ(session, "turns without end", 0, turns > MOST_TURNS, 0);
	compare_memory(session);
	return !session->wrong;
}

static bool run_program(struct session *session)
{
	session->wrong = 0;
	soft_blocks_flush(session->blocks.rig.vm);
	soft_blocks_flush(session->steps.rig.vm);
	for (unsigned pass = 0; pass < PASSES; pass++)
		if (!run_pass(session, pass))
			return false;
	return true;
}

/* NOPs in place of every instruction that is not needed for a difference. */
static void shrink(struct session *session)
{
	struct program *program = &session->program;
	bool again = true;

	for (unsigned round = 0; again && round < 3; round++) {
		again = false;
		for (unsigned i = program->count; i-- > 0;) {
			uint32_t at = program->at[i], count = program->at[i + 1] - at;
			uint8_t kept[PROGRAM_BYTES];

			memcpy(kept, program->bytes + at, count);
			memset(program->bytes + at, NOP, count);
			if (memcmp(kept, program->bytes + at, count) == 0)
				continue;
			if (run_program(session))
				memcpy(program->bytes + at, kept, count);
			else
				again = true;
		}
	}
}

static void show_program(const struct program *program)
{
	static const char *const modes[] = { "64", "32", "16" };

	printf("  %s bits at %x, rsp %" PRIx64 " flags %" PRIx64 " ds %x es %x\n    gpr",
	       modes[program->mode], NATIVE_CODE + program->offset, program->in.gpr[4],
	       program->in.rflags, program->in.ds, program->in.es);
	for (unsigned i = 0; i < 16; i++)
		printf(" %" PRIx64, program->in.gpr[i]);
	puts("");
	for (unsigned i = 0; i <= program->count; i++) {
		uint32_t at = program->at[i],
			 end = i < program->count ? program->at[i + 1] : program->length;

		if (program->bytes[at] == NOP && end - at > 1 && program->bytes[end - 1] == NOP)
			continue;
		printf("    %x:", NATIVE_CODE + program->offset + at);
		for (; at < end; at++)
			printf(" %02x", program->bytes[at]);
		puts("");
	}
}

static void show_records(const struct session *session)
{
	unsigned count;
	const uint64_t *words = sequence_records(&session->blocks, &count);

	for (unsigned i = count > 6 ? count - 6 : 0; i < count; i++) {
		const uint64_t *record =
			words + (size_t)(i % SEQUENCE_RECORDS) * SEQUENCE_RECORD_WORDS;

		printf("    exception %" PRIx64 " error %" PRIx64 " at %" PRIx64 " cr2 %" PRIx64
		       "\n",
		       record[0], record[1], record[2], record[7]);
	}
}

static void show_failure(struct session *session)
{
	printf("seed %" PRIu64 " case %" PRIu64 ":\n", session->options.seed, session->number);
	session->careful = true;
	if (run_program(session))
		puts("  not again");
	shrink(session);
	session->out = stdout;
	run_program(session);
	session->out = NULL;
	session->careful = false;
	show_program(&session->program);
	show_records(session);
}

static void run_case(struct session *session)
{
	struct random random = random_for(session->options.seed, session->number);
	unsigned records;

	program_make(&session->program, &random, (enum native_mode)(session->number % 3));
	if (!run_program(session) && session->failures++ < session->options.shown)
		show_failure(session);
	session->left_out += session->rewritten;
	sequence_records(&session->blocks, &records);
	session->exceptions += records;
}

static bool parse(struct options *options, int count, char **arguments)
{
	for (int i = 1; i + 1 < count; i += 2) {
		const char *name = arguments[i], *value = arguments[i + 1];
		uint64_t number = strtoull(value, NULL, 0);

		if (!strcmp(name, "--seed"))
			options->seed = number;
		else if (!strcmp(name, "--cases"))
			options->cases = number;
		else if (!strcmp(name, "--case"))
			options->only = number;
		else if (!strcmp(name, "--show"))
			options->shown = (unsigned)number;
		else if (!strcmp(name, "--mode"))
			options->mode = number == 64 ? 0 : number == 32 ? 1 : 2;
		else
			return false;
	}
	return count % 2 == 1;
}

int main(int count, char **arguments)
{
	static struct session session;
	struct options *options = &session.options;

	*options = (struct options){
		.seed = 1, .cases = DEFAULT_CASES, .only = UINT64_MAX, .mode = -1, .shown = 3
	};
	if (!parse(options, count, arguments)) {
		fputs("usage: see the top of test_sequence.c\n", stderr);
		return 2;
	}
	sequence_create(&session.pristine);
	sequence_create(&session.blocks);
	sequence_create(&session.steps);
	for (uint64_t i = 0; i < options->cases; i++) {
		session.number = options->only == UINT64_MAX ? i : options->only;
		if (options->mode < 0 || (int)(session.number % 3) == options->mode)
			run_case(&session);
		if (options->only != UINT64_MAX)
			break;
	}
	printf("%" PRIu64 " instructions, %" PRIu64 " exceptions, %" PRIu64
	       " programs that change their REP, %" PRIu64 " differ\n",
	       session.instructions, session.exceptions, session.left_out, session.failures);
	guest_destroy(&session.steps);
	guest_destroy(&session.blocks);
	guest_destroy(&session.pristine);
	return session.failures ? 1 : 0;
}
