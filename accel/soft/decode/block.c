/* Decoded blocks: made from the page RIP lies in, found again by physical address and mode, dropped when the
 * page is written. */
// SPDX-License-Identifier: MIT
#include "accel/soft/decode/block.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "accel/soft/memory/paging.h"
#include "accel/soft/system/system.h"
#include "accel/soft/vm.h"
#include "core/alloc.h"

/* The arena is address space; what is never used costs nothing. A full one is started over. */
enum { ARENA_BYTES = 192 << 20, TABLE_ENTRIES = 1 << 16, PAGE_ENTRIES = 1 << 14 };
enum {
	LONGEST = 15,
	CHUNK_SHIFT = 6 /* a page's word of code has a bit per 64 bytes */,
	LONG_WALK = 1024
};

void soft_blocks_init(struct soft_block_cache *cache)
{
	cache->capacity = ARENA_BYTES;
	cache->arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (cache->arena == MAP_FAILED) {
		cache->capacity = ARENA_BYTES / 16;
		cache->arena = NULL;
		cache->heap = mw_alloc(cache->capacity, 1);
	}
	cache->table = mw_alloc(TABLE_ENTRIES, sizeof(struct soft_block *));
	cache->pages = mw_alloc(PAGE_ENTRIES, sizeof(struct soft_block *));
	cache->spans = mw_alloc(SOFT_SPAN_ENTRIES, sizeof(struct soft_span));
}

void soft_blocks_fini(struct soft_block_cache *cache)
{
	if (cache->arena)
		munmap(cache->arena, cache->capacity);
	free(cache->heap);
	free(cache->table);
	free(cache->pages);
	free(cache->spans);
	*cache = (struct soft_block_cache){ 0 };
}

static uint8_t *memory_of(const struct soft_block_cache *cache)
{
	return cache->arena ? cache->arena : cache->heap;
}

static struct soft_block **bucket(const struct soft_block_cache *cache, uint64_t physical,
				  uint64_t key)
{
	/* The limit in a key's upper half counts as well: a guest may run one place under any number of them. */
	uint64_t mixed = ((physical ^ key << 40) + (key >> 32) * UINT64_C(0xc2b2ae3d27d4eb4f)) *
			 UINT64_C(0x9e3779b97f4a7c15);

	return &cache->table[mixed >> 48 & (TABLE_ENTRIES - 1)];
}

static struct soft_block **page_list(const struct soft_block_cache *cache, uint64_t physical)
{
	return &cache->pages[physical >> 12 & (PAGE_ENTRIES - 1)];
}

void soft_spans_forget(struct soft_vm *vm)
{
	for (unsigned i = 0; vm->blocks.has_spans && i < SOFT_SPAN_ENTRIES; i++)
		vm->blocks.spans[i].host[0] = NULL;
	vm->blocks.has_spans = false;
}

static struct soft_span *span_at(struct soft_vm *vm, uint64_t rip)
{
	return &vm->blocks.spans[rip >> 12 & (SOFT_SPAN_ENTRIES - 1)];
}

/* A span that ends in the page begins in the one before. */
void soft_spans_forget_page(struct soft_vm *vm, uint64_t rip)
{
	span_at(vm, rip)->host[0] = NULL;
	span_at(vm, rip - SOFT_PAGE_BYTES)->host[0] = NULL;
}

/* What is clear is not touched: pages without code take no memory here. */
static void forget_code(const struct soft_slot *slot)
{
	for (uint64_t page = 0; page < slot->length >> 12; page++)
		if (slot->code[page])
			slot->code[page] = 0;
}

/* Memory that nothing was ever put into is left alone, as machines flush a few times before they start. */
static void drop_blocks(struct soft_vm *vm)
{
	struct soft_block_cache *cache = &vm->blocks;

	cache->used = 0;
	memset(cache->table, 0, TABLE_ENTRIES * sizeof(struct soft_block *));
	memset(cache->pages, 0, PAGE_ENTRIES * sizeof(struct soft_block *));
	for (size_t i = 0; i < vm->slot_count; i++)
		forget_code(&vm->slots[i]);
	for (unsigned i = 0; i < vm->cpu_count; i++)
		memset(vm->cpus[i]->jumps, 0, SOFT_JUMP_ENTRIES * sizeof(struct soft_jump_entry));
}

/* No pointer to a block may outlive it: chains are in blocks, the rest is here. */
void soft_blocks_flush(struct soft_vm *vm)
{
	if (vm->blocks.used)
		drop_blocks(vm);
	soft_spans_forget(vm);
	for (unsigned i = 0; i < vm->cpu_count; i++) {
		vm->cpus[i]->chain = NULL;
		soft_tlb_flush(vm->cpus[i]);
	}
}

static void *take(struct soft_vm *vm, size_t bytes)
{
	struct soft_block_cache *cache = &vm->blocks;
	uint8_t *memory;

	bytes = (bytes + 63) & ~(size_t)63;
	if (cache->capacity - cache->used < bytes)
		soft_blocks_flush(vm);
	memory = memory_of(cache) + cache->used;
	cache->used += bytes;
	return memory;
}

const struct soft_op *soft_op_dead(struct soft_cpu *cpu, const struct soft_op *op)
{
	cpu->rip = soft_rip_here(cpu, op);
	cpu->left += cpu->block->instructions - op->number;
	cpu->chain = NULL;
	return NULL;
}

/* The block may be running: what is left of it leads out. */
static void kill(struct soft_vm *vm, struct soft_block *block)
{
	struct soft_block **link = bucket(&vm->blocks, block->physical, block->key);

	while (*link != block)
		link = &(*link)->hash_next;
	*link = block->hash_next;
	block->dead = true;
	block->count = SOFT_DEAD_COUNT;
	for (unsigned i = 0; i < block->op_count; i++)
		block->ops[i].run = soft_op_dead;
	if (vm->running)
		vm->running->counters.blocks_invalidated++;
}

static uint64_t chunks_of(uint64_t physical, uint64_t bytes)
{
	unsigned first = physical >> CHUNK_SHIFT & 63,
		 last = (physical + bytes - 1) >> CHUNK_SHIFT & 63;

	return (UINT64_C(2) << last) - (UINT64_C(1) << first);
}

/* Variables right beside code, as boot loaders and BIOSes have them: there was nothing to drop last time, and
 * nothing was decoded since. */

static struct soft_quiet *quiet_at(struct soft_block_cache *cache, uint64_t physical)
{
	return &cache->quiet[(physical ^ physical >> 12) & (SOFT_QUIET_ENTRIES - 1)];
}

static bool is_quiet(struct soft_block_cache *cache, uint64_t physical, unsigned count)
{
	const struct soft_quiet *quiet = quiet_at(cache, physical);

	return quiet->physical == physical && quiet->count >= count &&
	       quiet->decoded == cache->decoded;
}

static void note_quiet(struct soft_block_cache *cache, uint64_t physical, unsigned count)
{
	*quiet_at(cache, physical) = (struct soft_quiet){ physical, cache->decoded, count };
}

void soft_blocks_invalidate(struct soft_vm *vm, uint64_t physical, unsigned count)
{
	struct soft_slot *slot = soft_slot_find(vm, physical);
	struct soft_block **link = page_list(&vm->blocks, physical);
	uint64_t page = physical & SOFT_PAGE_MASK;
	uint64_t *code = &slot->code[(physical - slot->base) >> 12], left = 0;
	unsigned walked = 0;

	if (!(*code & chunks_of(physical, count)) || is_quiet(&vm->blocks, physical, count))
		return;
	while (*link) {
		struct soft_block *block = *link;

		walked++;
		if ((block->physical & SOFT_PAGE_MASK) == page) {
			if (block->physical < physical + count &&
			    physical < block->physical + block->bytes) {
				*link = block->page_next;
				kill(vm, block);
				continue;
			}
			left |= chunks_of(block->physical, block->bytes);
		}
		link = &block->page_next;
	}
	/* A guest that makes this long does so on purpose; a stop must not wait for its turn's end. */
	if (walked > LONG_WALK && vm->running)
		soft_look(vm->running);
	*code = left;
	if (!left)
		soft_tlb_unwatch(vm, page);
	note_quiet(&vm->blocks, physical, count);
}

/* TLBs keep stores to the page off the fast path from now on, or let them there again at the next walk. */
void soft_tlb_watch(struct soft_vm *vm, uint64_t physical)
{
	for (unsigned i = 0; i < vm->cpu_count; i++)
		for (unsigned user = 0; user < 2; user++) {
			struct soft_tlb_entry *entry = vm->cpus[i]->tlbs[user];

			for (unsigned e = 0; e < SOFT_TLB_ENTRIES; e++, entry++) {
				if ((entry->physical & SOFT_PAGE_MASK) != physical ||
				    !entry->write_tag)
					continue;
				entry->write_tag = 0;
				entry->physical |= SOFT_TLB_WATCHED;
			}
		}
}

void soft_tlb_unwatch(struct soft_vm *vm, uint64_t physical)
{
	for (unsigned i = 0; i < vm->cpu_count; i++)
		for (unsigned user = 0; user < 2; user++) {
			struct soft_tlb_entry *entry = vm->cpus[i]->tlbs[user];

			for (unsigned e = 0; e < SOFT_TLB_ENTRIES; e++, entry++)
				if ((entry->physical & SOFT_PAGE_MASK) == physical &&
				    entry->physical & SOFT_TLB_WATCHED) {
					entry->physical &= ~(uint64_t)SOFT_TLB_WATCHED;
					entry->write_tag = entry->read_tag;
				}
		}
}

/* Code bytes at a linear address; crosses into the next page only when asked for more. */

/** Where the next instruction's bytes are. */
struct window {
	uint64_t linear, physical;
	unsigned offset; /* in the page */
};

static bool find_window(struct soft_cpu *cpu, struct window *window)
{
	window->linear = soft_linear_rip(cpu, cpu->rip);
	if (soft_64bit(cpu) && !soft_canonical(window->linear))
		return soft_raise_error(cpu, SOFT_GP, 0);
	if (!soft_64bit(cpu) && cpu->rip > cpu->segment[MW_CS].limit)
		return soft_raise_error(cpu, SOFT_GP, 0);
	window->offset = window->linear & ~SOFT_PAGE_MASK;
	return soft_page_find(cpu, window->linear, cpu->cpl == 3, SOFT_FETCH, &window->physical);
}

/* How many bytes the code segment's limit leaves from RIP on. */
static uint64_t limit_bytes(const struct soft_cpu *cpu, uint64_t rip)
{
	if (soft_64bit(cpu))
		return UINT64_MAX;
	return rip > cpu->segment[MW_CS].limit ? 0 : (uint64_t)cpu->segment[MW_CS].limit - rip + 1;
}

static void begin(struct soft_decoder *decoder, struct soft_cpu *cpu, unsigned offset)
{
	decoder->cpu = cpu;
	decoder->op_count = 0;
	decoder->instruction = 0;
	decoder->offset = offset;
	decoder->ends = false;
}

/* Every block ends with an op that leads out: where the last instruction does not, or does not always. It is
 * numbered behind the last instruction, which has run when a dead block is left here. */
static void end(struct soft_decoder *decoder)
{
	struct soft_op *op;

	decoder->insn =
		(struct soft_insn){ .operand_size = decoder->cpu->mode.code_bits == 64 ? 8u : 4u };
	op = soft_emit(decoder, soft_op_fall_through);
	op->extra = soft_chain_bits(decoder, 0);
}

/* Decodes from `bytes`, which hold the rest of the page, until the block is full or ends. */
static void decode_run(struct soft_decoder *decoder, const uint8_t *bytes, unsigned available,
		       unsigned limit)
{
	const struct soft_mode *mode = &decoder->cpu->mode;
	unsigned at = 0;

	while (decoder->instruction < limit && !decoder->ends &&
	       decoder->op_count + 8 < SOFT_BLOCK_OPS) {
		int length = soft_decode_insn(&decoder->insn, mode, bytes + at, available - at);

		if (length <= 0 ||
		    limit_bytes(decoder->cpu, decoder->cpu->rip + at) < (unsigned)length)
			break;
		soft_decode_emit(decoder);
		decoder->instruction++;
		decoder->offset += (unsigned)length;
		at += (unsigned)length;
	}
}

static void fill_block(struct soft_block *block, const struct soft_decoder *decoder,
		       const struct window *window)
{
	*block = (struct soft_block){
		.count = decoder->instruction,
		.instructions = (uint16_t)decoder->instruction,
		.physical = window->physical,
		.key = decoder->cpu->mode.key,
		.bytes = decoder->offset - window->offset,
		.op_count = (uint16_t)decoder->op_count,
	};
	memcpy(block->ops, decoder->ops, decoder->op_count * sizeof(struct soft_op));
}

static void link_block(struct soft_vm *vm, struct soft_block *block, struct soft_slot *slot)
{
	struct soft_block **hashed = bucket(&vm->blocks, block->physical, block->key);
	struct soft_block **paged = page_list(&vm->blocks, block->physical);
	uint64_t *code = &slot->code[(block->physical - slot->base) >> 12];

	vm->blocks.decoded++;
	block->hash_next = *hashed;
	*hashed = block;
	block->page_next = *paged;
	*paged = block;
	if (!*code)
		soft_tlb_watch(vm, block->physical & SOFT_PAGE_MASK);
	*code |= chunks_of(block->physical, block->bytes);
}

/* NULL: the first instruction needs more than the page has, or is no plain one. */
static struct soft_block *decode_block(struct soft_cpu *cpu, const struct window *window,
				       struct soft_slot *slot)
{
	struct soft_decoder decoder;
	struct soft_block *block;

	begin(&decoder, cpu, window->offset);
	decode_run(&decoder, slot->host + (window->physical - slot->base),
		   SOFT_PAGE_BYTES - window->offset, SOFT_BLOCK_INSTRUCTIONS);
	if (!decoder.instruction)
		return NULL;
	end(&decoder);
	block = take(cpu->vm, sizeof(*block) + decoder.op_count * sizeof(struct soft_op));
	fill_block(block, &decoder, window);
	block->kept = true;
	link_block(cpu->vm, block, slot);
	cpu->counters.blocks_decoded++;
	return block;
}

static struct soft_block *look_up(const struct soft_cpu *cpu, uint64_t physical)
{
	struct soft_block *block = *bucket(&cpu->vm->blocks, physical, cpu->mode.key);

	while (block && (block->physical != physical || block->key != cpu->mode.key))
		block = block->hash_next;
	return block;
}

struct soft_block *soft_block_find(struct soft_cpu *cpu)
{
	struct soft_jump_entry *entry = soft_jump_entry(cpu, cpu->rip);
	struct window window = { 0 };
	struct soft_slot *slot;
	struct soft_block *block;

	if (entry->rip == cpu->rip && entry->key == cpu->jump_key && !entry->block->dead)
		return entry->block;
	cpu->counters.jump_misses++;
	if (!find_window(cpu, &window))
		return NULL;
	block = look_up(cpu, window.physical);
	if (!block) {
		slot = soft_slot_find_for(cpu, window.physical);
		block = slot ? decode_block(cpu, &window, slot) : NULL;
		if (!block)
			return soft_block_single(cpu);
		entry = soft_jump_entry(cpu, cpu->rip);
	}
	*entry = (struct soft_jump_entry){ cpu->rip, cpu->jump_key, block };
	return block;
}

/* One instruction from bytes gathered anew: it may cross a page, lie in a device, or need a look after it. Nothing is
 * kept but of those that cross a page, which loops may run through. */

static bool gather(struct soft_cpu *cpu, const struct window *window, uint8_t bytes[LONGEST],
		   unsigned most)
{
	unsigned in_page = SOFT_PAGE_BYTES - window->offset,
		 first = most < in_page ? most : in_page;
	uint64_t next = soft_wrapped(cpu, window->linear + first), physical;

	soft_physical_fetch(cpu, window->physical, bytes, first);
	if (most == first)
		return true;
	if (soft_64bit(cpu) && !soft_canonical(next))
		return soft_raise_error(cpu, SOFT_GP, 0);
	if (!soft_page_find(cpu, next, cpu->cpl == 3, SOFT_FETCH, &physical))
		return false;
	soft_physical_fetch(cpu, physical, bytes + first, most - first);
	return true;
}

static unsigned bytes_in_reach(const struct soft_cpu *cpu, unsigned wanted)
{
	uint64_t limit = limit_bytes(cpu, cpu->rip);

	return limit < wanted ? (unsigned)limit : wanted;
}

/* Takes the page's bytes first; the next page only if the instruction really reaches it. */
static bool decode_single(struct soft_cpu *cpu, const struct window *window, struct soft_insn *insn)
{
	unsigned in_page = SOFT_PAGE_BYTES - window->offset,
		 count = bytes_in_reach(cpu, in_page < LONGEST ? in_page : LONGEST);
	uint8_t bytes[LONGEST];
	int length;

	if (!gather(cpu, window, bytes, count))
		return false;
	length = soft_decode_insn(insn, &cpu->mode, bytes, count);
	if (!length && in_page < LONGEST) {
		count = bytes_in_reach(cpu, LONGEST);
		if (!gather(cpu, window, bytes, count))
			return false;
		length = soft_decode_insn(insn, &cpu->mode, bytes, count);
	}
	/* Longer than 15 bytes, or beyond the segment's limit (SDM vol. 3, 6.15, interrupt 13). */
	return length > 0 || soft_raise_error(cpu, SOFT_GP, 0);
}

/* The bytes are compared each time, so nothing has to watch the pages. */
static bool span_holds(struct soft_cpu *cpu, const struct soft_span *span)
{
	unsigned first = SOFT_PAGE_BYTES - (soft_linear_rip(cpu, cpu->rip) & ~SOFT_PAGE_MASK);

	return span->rip == cpu->rip && span->key == cpu->jump_key && span->cpu == cpu->index &&
	       span->host[0] && memcmp(span->host[0], span->bytes, first) == 0 &&
	       memcmp(span->host[1], span->bytes + first, span->length - first) == 0;
}

static const uint8_t *host_of(struct soft_cpu *cpu, uint64_t linear)
{
	struct soft_slot *slot;
	uint64_t physical;

	if (!soft_page_find(cpu, linear, cpu->cpl == 3, SOFT_FETCH, &physical))
		return NULL;
	slot = soft_slot_find_for(cpu, physical);
	return slot ? slot->host + (physical - slot->base) : NULL;
}

static void note_span(struct soft_cpu *cpu, struct soft_span *span, const struct soft_insn *insn,
		      const struct window *window)
{
	*span = (struct soft_span){
		.rip = cpu->rip, .key = cpu->jump_key, .cpu = cpu->index, .length = insn->length
	};
	memcpy(span->bytes, insn->bytes, insn->length);
	span->host[0] = host_of(cpu, window->linear);
	span->host[1] = host_of(cpu, (window->linear & SOFT_PAGE_MASK) + SOFT_PAGE_BYTES);
	if (!span->host[1])
		span->host[0] = NULL;
	cpu->vm->blocks.has_spans = true;
}

static void build_single(struct soft_cpu *cpu, struct soft_block *block,
			 const struct window *window, struct soft_decoder *decoder)
{
	soft_decode_emit(decoder);
	decoder->instruction = 1;
	decoder->offset += decoder->insn.length;
	end(decoder);
	fill_block(block, decoder, window);
}

struct soft_block *soft_block_single(struct soft_cpu *cpu)
{
	struct soft_span *span = span_at(cpu->vm, cpu->rip);
	struct soft_decoder decoder;
	struct soft_block *block = (struct soft_block *)cpu->vm->blocks.single;
	struct window window = { 0 };

	if (span_holds(cpu, span))
		return (struct soft_block *)span->block;
	if (!find_window(cpu, &window))
		return NULL;
	begin(&decoder, cpu, window.offset);
	if (!decode_single(cpu, &window, &decoder.insn))
		return NULL;
	if (window.offset + decoder.insn.length > SOFT_PAGE_BYTES && !cpu->fault.raised) {
		note_span(cpu, span, &decoder.insn, &window);
		if (cpu->fault.raised)
			return NULL;
		block = (struct soft_block *)span->block;
	}
	build_single(cpu, block, &window, &decoder);
	return block;
}
