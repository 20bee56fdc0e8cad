/* The guest of the test of sequences. Reference: SDM vol. 3, 4.5 and 6.14. */
// SPDX-License-Identifier: MIT
#include "tests/diff/cpu/sequence.h"

#include <stddef.h>
#include <string.h>

#include "accel/soft/run.h"

#define UPPER UINT64_C(0xffff800000000000)

enum { PRESENT = 1, WRITABLE = 2, USER = 4, ACCESSED = 0x20, DIRTY = 0x40 };
enum { BOARD = 0x300000, CODE = BOARD + 0x10000, LOW_BYTES = 0x20000, USER_GATE = 0x60 };

/** At BOARD; handler_begin uses its offsets. */
struct board {
	uint32_t records;
	int32_t rounds;
	uint64_t window, rip, cs, rsp, ss, flags, gpr[16];
	uint64_t entry, toggle,
		swapped; /* of the page that is swapped: page table entry, address */
	uint8_t rest[0x200 - 0xd0];
	uint64_t log[SEQUENCE_RECORDS][SEQUENCE_RECORD_WORDS];
	/* By offset in the window: where to go on. */
	uint16_t next[PROGRAM_WINDOW];
};
_Static_assert(offsetof(struct board, gpr) == 0x38 && offsetof(struct board, entry) == 0xb8 &&
		       offsetof(struct board, log) == 0x200 &&
		       offsetof(struct board, next) == 0x1200 && PROGRAM_WINDOW == 0x4000,
	       "the handler knows them");

const struct sequence_range sequence_ranges[SEQUENCE_RANGES] = {
	{ 0, LOW_BYTES, "low" },
	{ NATIVE_CODE, PROGRAM_WINDOW + NATIVE_PAGE, "code" },
	{ NATIVE_DATA, NATIVE_DATA_BYTES, "data" },
	{ BOARD, offsetof(struct board, next), "board" },
};

/* On its stack: vector, error, RIP, CS, RFLAGS, RSP, SS. INT 0x80 begins the next round, INT 0x81 swaps a page; the kernel's own
 * exceptions and the last round end in HLT. */
__asm__(".pushsection .rodata\n"
	"handler_begin:\n"
	"	push %rax\n"
	"	push %rcx\n"
	"	push %rdx\n"
	"	movabs $0xffff800000300000, %rdx\n"
	"	mov (%rdx), %ecx\n"
	"	incl (%rdx)\n"
	"	and $63, %ecx\n"
	"	shl $6, %ecx\n"
	"	lea 0x200(%rdx,%rcx), %rcx\n"
	"	mov 24(%rsp), %rax\n"
	"	mov %rax, (%rcx)\n"
	"	mov 32(%rsp), %rax\n"
	"	mov %rax, 8(%rcx)\n"
	"	mov 40(%rsp), %rax\n"
	"	mov %rax, 16(%rcx)\n"
	"	mov 48(%rsp), %rax\n"
	"	mov %rax, 24(%rcx)\n"
	"	mov 56(%rsp), %rax\n"
	"	mov %rax, 32(%rcx)\n"
	"	mov 64(%rsp), %rax\n"
	"	mov %rax, 40(%rcx)\n"
	"	mov 72(%rsp), %rax\n"
	"	mov %rax, 48(%rcx)\n"
	"	mov %cr2, %rax\n"
	"	mov %rax, 56(%rcx)\n"
	"	testb $3, 48(%rsp)\n"
	"	jz 2f\n"
	"	cmpb $0x80, 24(%rsp)\n"
	"	je 1f\n"
	"	cmpb $0x81, 24(%rsp)\n"
	"	je 3f\n"
	"	mov 40(%rsp), %rax\n"
	"	sub 0x08(%rdx), %rax\n"
	"	cmp $0x4000, %rax\n"
	"	jae 1f\n"
	"	movzwl 0x1200(%rdx,%rax,2), %eax\n"
	"	add 0x08(%rdx), %rax\n"
	"	mov %rax, 40(%rsp)\n"
	"	mov 0x20(%rdx), %rax\n"
	"	mov %rax, 64(%rsp)\n"
	"4:	andl $~0x100, 56(%rsp)\n" /* TF */
	"	pop %rdx\n"
	"	pop %rcx\n"
	"	pop %rax\n"
	"	add $16, %rsp\n"
	"	iretq\n"
	"1:	decl 4(%rdx)\n"
	"	jz 2f\n"
	"	mov 0x10(%rdx), %rax\n"
	"	mov %rax, 40(%rsp)\n"
	"	mov 0x18(%rdx), %rax\n"
	"	mov %rax, 48(%rsp)\n"
	"	mov 0x30(%rdx), %rax\n"
	"	mov %rax, 56(%rsp)\n"
	"	mov 0x20(%rdx), %rax\n"
	"	mov %rax, 64(%rsp)\n"
	"	mov 0x28(%rdx), %rax\n"
	"	mov %rax, 72(%rsp)\n"
	"	mov 0x38(%rdx), %rax\n"
	"	mov 0x40(%rdx), %rcx\n"
	"	mov 0x50(%rdx), %rbx\n"
	"	mov 0x60(%rdx), %rbp\n"
	"	mov 0x68(%rdx), %rsi\n"
	"	mov 0x70(%rdx), %rdi\n"
	"	mov 0x78(%rdx), %r8\n"
	"	mov 0x80(%rdx), %r9\n"
	"	mov 0x88(%rdx), %r10\n"
	"	mov 0x90(%rdx), %r11\n"
	"	mov 0x98(%rdx), %r12\n"
	"	mov 0xa0(%rdx), %r13\n"
	"	mov 0xa8(%rdx), %r14\n"
	"	mov 0xb0(%rdx), %r15\n"
	"	mov 0x48(%rdx), %rdx\n"
	"	add $40, %rsp\n"
	"	iretq\n"
	"2:	hlt\n"
	"	jmp 2b\n"
	"3:	mov 0xb8(%rdx), %rcx\n"
	"	mov 0xc0(%rdx), %rax\n"
	"	xor %rax, (%rcx)\n"
	"	mov 0xc8(%rdx), %rax\n"
	"	invlpg (%rax)\n"
	"	jmp 4b\n"
	"handler_end:\n"
	".popsection\n");
extern const uint8_t handler_begin[], handler_end[];

static uint64_t get(const struct guest *guest, uint64_t at)
{
	uint64_t value;

	memcpy(&value, guest->rig.ram + at, sizeof(value));
	return value;
}

/* Physical address of the page's entry; its table maps its neighbours. */
static uint64_t entry_of(const struct guest *guest, uint64_t linear)
{
	uint64_t at = guest->state.cr3;

	for (unsigned shift = 39; shift > 12; shift -= 9)
		at = get(guest, at + (linear >> shift & 511) * 8) & SOFT_PAGE_MASK;
	return at + (linear >> 12 & 511) * 8;
}

static void map(struct guest *guest, uint64_t linear, uint64_t physical)
{
	uint64_t entry = physical | PRESENT | WRITABLE | USER | ACCESSED | DIRTY;

	memcpy(guest->rig.ram + entry_of(guest, linear), &entry, sizeof(entry));
}

static bool has_error(unsigned vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

/* Where the IDT's gate leads: pushes what is missing, and the vector. */
static void make_handler(struct guest *guest, unsigned vector)
{
	uint64_t gate = guest->state.idt.base - UPPER + 16 * vector, low = get(guest, gate);
	uint64_t at = (low & 0xffff) | (low >> 32 & 0xffff0000); /* physical, as it is mapped */
	uint8_t bytes[12] = { 0x6a, 0, 0x68, (uint8_t)vector, 0, 0, 0, 0xe9 };
	uint32_t skipped = has_error(vector) ? 2 : 0, count = 12 - skipped;
	uint32_t displacement = (uint32_t)(CODE - (at + count));

	memcpy(bytes + 8, &displacement, 4);
	memcpy(guest->rig.ram + at, bytes + skipped, count);
}

void sequence_create(struct guest *guest)
{
	guest_create(guest);
	memset(guest->rig.ram + NATIVE_CODE, 0xcc, PROGRAM_WINDOW);
	for (unsigned at = 0; at < PROGRAM_WINDOW; at += NATIVE_PAGE) {
		map(guest, NATIVE_CODE + at, NATIVE_CODE + at);
		map(guest, PROGRAM_ALIAS + at, NATIVE_CODE + at);
	}
	for (unsigned vector = 0; vector < 256; vector++)
		make_handler(guest, vector);
	guest->rig.ram[guest->state.idt.base - UPPER + 16 * PROGRAM_SWAP + 5] |= USER_GATE;
	memcpy(guest->rig.ram + CODE, handler_begin, (size_t)(handler_end - handler_begin));
}

static void write_changed(struct guest *guest, uint32_t at, const void *bytes, uint32_t count)
{
	const uint8_t *wanted = bytes, *ram = guest->rig.ram + at;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t first = i;

		if (i % 64 == 0 && i + 64 <= count && memcmp(ram + i, wanted + i, 64) == 0) {
			i += 63;
			continue;
		}
		while (i < count && ram[i] != wanted[i])
			i++;
		if (i > first)
			soft_rig_write(&guest->rig, at + first, wanted + first, i - first);
	}
}

static void load_board(struct guest *guest, const struct program *program, unsigned rounds)
{
	static struct board board;
	uint32_t at = 0;

	board = (struct board){ .rounds = (int32_t)rounds,
				.window = program->mode == NATIVE_16 ? 0 : NATIVE_CODE,
				.rip = program->in.rip,
				.cs = program->in.cs,
				.ss = program->in.ss,
				.rsp = program->in.gpr[MW_RSP],
				.flags = program->in.rflags | SOFT_IF,
				.entry = UPPER + entry_of(guest, PROGRAM_SWAPPED),
				.toggle = PROGRAM_SWAPPED ^ PROGRAM_OTHER,
				.swapped = PROGRAM_SWAPPED };
	memcpy(board.gpr, program->in.gpr, sizeof(board.gpr));
	for (uint32_t i = 0; i < PROGRAM_WINDOW; i++) {
		uint32_t end = program->offset + program->at[program->count];

		while (at < program->count && i >= program->offset + program->at[at])
			at++;
		board.next[i] =
			(uint16_t)(i < program->offset ? end : program->offset + program->at[at]);
	}
	write_changed(guest, BOARD, &board, sizeof(board));
}

/* Code for the window, and its third page once more, with some instructions that are others. */
static void make_code(const struct program *program, uint8_t code[PROGRAM_WINDOW + NATIVE_PAGE])
{
	uint8_t *third = code + (PROGRAM_SWAPPED - NATIVE_CODE), *other = code + PROGRAM_WINDOW;

	memset(code, 0xcc, PROGRAM_WINDOW + NATIVE_PAGE);
	memcpy(code + program->offset, program->bytes, program->length);
	memcpy(other, third, NATIVE_PAGE);
	for (uint32_t i = 0; i < program->count; i++) {
		const uint8_t *last = code + program->offset + program->at[i + 1] - 1;

		if (last >= third && i % 3 == 0)
			other[last - third] ^= 1;
		else if (last >= third && i % 3 == 1)
			other[last - third] = 0x90;
	}
}

void sequence_load(struct guest *guest, const struct guest *pristine, const struct program *program,
		   unsigned rounds)
{
	static uint8_t code[PROGRAM_WINDOW + NATIVE_PAGE];

	make_code(program, code);
	write_changed(guest, 0, pristine->rig.ram, LOW_BYTES);
	write_changed(guest, NATIVE_CODE, code, sizeof(code));
	write_changed(guest, NATIVE_DATA, program->data, sizeof(program->data));
	load_board(guest, program, rounds);
	guest_set_registers(guest, &program->in);
}

const uint64_t *sequence_records(const struct guest *guest, unsigned *count)
{
	const struct board *board = (const void *)(guest->rig.ram + BOARD);

	*count = board->records;
	return board->log[0];
}
