/* Three loops whose instructions are counted, run in a guest as its only program: integer, memory and
 * SSE2 work. Each says when it begins, then how many instructions it was and what it computed, which
 * is the same on every correct CPU. `loops -f` powers the machine off afterwards. */
// SPDX-License-Identifier: MIT
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

enum { ROUNDS = 12 << 20 };
enum { INTEGER_LENGTH = 24, MEMORY_LENGTH = 22, SSE2_LENGTH = 20 };
enum { BUFFER_BYTES = 4 << 20 };

static _Alignas(64) uint64_t buffer[BUFFER_BYTES / 8 + 8];

/* A multiplication, shifts, carries, a call, and a branch whose two ways are equally long. */
static uint64_t integer(void)
{
	uint64_t x = 1, sum = 0, rounds = ROUNDS;

	__asm__ volatile("mov $6364136223846793005, %%r10\n"
			 "1:\n\t"
			 "imul %%r10, %[x]\n\t"
			 "add $12345, %[x]\n\t"
			 "mov %[x], %%rdx\n\t"
			 "shr $17, %%rdx\n\t"
			 "xor %[x], %%rdx\n\t"
			 "lea 7(%%rdx, %%rdx, 2), %%rsi\n\t"
			 "rol $5, %%rsi\n\t"
			 "add %%rsi, %[sum]\n\t"
			 "cmp %%rsi, %%rdx\n\t"
			 "sbb %%r8, %%r8\n\t"
			 "and %%rdx, %%r8\n\t"
			 "sub %%r8, %[sum]\n\t"
			 "call 4f\n\t"
			 "test $0x100000, %%edx\n\t"
			 "jz 2f\n\t"
			 "xor %%rdx, %[sum]\n\t"
			 "jmp 3f\n"
			 "2:\n\t"
			 "not %[sum]\n\t"
			 "add $3, %[sum]\n"
			 "3:\n\t"
			 "dec %[rounds]\n\t"
			 "jnz 1b\n\t"
			 "jmp 5f\n"
			 "4:\n\t"
			 "movzbl %b[sum], %%r9d\n\t"
			 "bswap %%r9d\n\t"
			 "adc %%r9, %[sum]\n\t"
			 "ror $7, %[sum]\n\t"
			 "ret\n"
			 "5:"
			 : [x] "+&r"(x), [sum] "+&r"(sum), [rounds] "+&r"(rounds)
			 :
			 : "rdx", "rsi", "r8", "r9", "r10", "cc", "memory");
	return sum;
}

/* Loads, stores and read-modify-write, in order and at random places, some across cache lines. */
static uint64_t memory(void)
{
	uint64_t x = 1, sum = 0, place = 0, rounds = ROUNDS;

	__asm__ volatile(
		"1:\n\t"
		"imul $1103515245, %[x], %[x]\n\t"
		"add $12345, %[x]\n\t"
		"mov %[x], %%rdx\n\t"
		"shr $13, %%rdx\n\t"
		"and $0x3fffff, %%edx\n\t"
		"mov (%[at], %%rdx), %%rsi\n\t"
		"add %%rsi, %[sum]\n\t"
		"and $0x3ffff8, %%edx\n\t"
		"add %[x], (%[at], %%rdx)\n\t"
		"mov (%[at], %[place]), %%rsi\n\t"
		"xor %[sum], %%rsi\n\t"
		"mov %%rsi, 8(%[at], %[place])\n\t"
		"movzbl 3(%[at], %[place]), %%r8d\n\t"
		"add %%r8, %[sum]\n\t"
		"movb %b[sum], 5(%[at], %[place])\n\t"
		"push %%rsi\n\t"
		"incl 16(%[at], %[place])\n\t"
		"pop %%r8\n\t"
		"add $8, %[place]\n\t"
		"and $0x3fffff, %[place]\n\t"
		"dec %[rounds]\n\t"
		"jnz 1b"
		: [x] "+&r"(x), [sum] "+&r"(sum), [place] "+&r"(place), [rounds] "+&r"(rounds)
		: [at] "r"(buffer)
		: "rdx", "rsi", "r8", "cc", "memory");
	return sum;
}

/* Packed doubles and integers, aligned and unaligned. */
static uint64_t sse2(void)
{
	uint64_t sum, place = 0, rounds = ROUNDS;

	for (size_t i = 0; i < sizeof buffer / 8; i++)
		buffer[i] = i * 0x9e3779b97f4a7c15;
	__asm__ volatile("pxor %%xmm4, %%xmm4\n\t"
			 "pxor %%xmm5, %%xmm5\n"
			 "1:\n\t"
			 "movdqa (%[at], %[place]), %%xmm0\n\t"
			 "movdqu 8(%[at], %[place]), %%xmm1\n\t"
			 "paddd %%xmm1, %%xmm0\n\t"
			 "pshufd $0x1b, %%xmm0, %%xmm2\n\t"
			 "pxor %%xmm2, %%xmm4\n\t"
			 "cvtdq2pd %%xmm0, %%xmm3\n\t"
			 "movapd %%xmm3, %%xmm2\n\t"
			 "mulpd %%xmm3, %%xmm3\n\t"
			 "sqrtpd %%xmm3, %%xmm3\n\t"
			 "subpd %%xmm2, %%xmm3\n\t"
			 "addpd %%xmm3, %%xmm5\n\t"
			 "psrlq $3, %%xmm1\n\t"
			 "punpckldq %%xmm0, %%xmm1\n\t"
			 "pmuludq %%xmm1, %%xmm0\n\t"
			 "paddq %%xmm0, %%xmm4\n\t"
			 "movdqa %%xmm4, (%[at], %[place])\n\t"
			 "add $16, %[place]\n\t"
			 "and $0x3ffff0, %[place]\n\t"
			 "dec %[rounds]\n\t"
			 "jnz 1b\n\t"
			 "pxor %%xmm5, %%xmm4\n\t"
			 "movq %%xmm4, %[sum]"
			 : [place] "+&r"(place), [rounds] "+&r"(rounds), [sum] "=&r"(sum)
			 : [at] "r"(buffer)
			 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "cc", "memory");
	return sum;
}

static const struct loop {
	const char *name;
	uint64_t (*run)(void);
	unsigned length;
} loops[] = {
	{ "integer", integer, INTEGER_LENGTH },
	{ "memory", memory, MEMORY_LENGTH },
	{ "sse2", sse2, SSE2_LENGTH },
};

int main(int count, char **words)
{
	memset(buffer, 1, sizeof buffer); /* no page fault is to be measured */
	for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
		printf("@@ %s begins\n", loops[i].name);
		fflush(stdout);
		uint64_t result = loops[i].run();

		printf("@@ %s ends: %llu instructions, result %016llx\n", loops[i].name,
		       (unsigned long long)loops[i].length * ROUNDS, (unsigned long long)result);
		fflush(stdout);
	}
	if (count > 1 && strcmp(words[1], "-f") == 0) {
		usleep(50000); /* until a slow serial line has sent it all */
		reboot(RB_POWER_OFF);
	}
	return 0;
}
