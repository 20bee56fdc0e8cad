/* Linear to physical: page walks in all four modes and the TLB they fill. Reference: SDM vol. 3, chapter 4. */
// SPDX-License-Identifier: MIT
#include "accel/soft/memory/paging.h"

#include "accel/soft/decode/block.h"
#include "accel/soft/system/model.h"
#include "accel/soft/system/system.h"
#include "accel/soft/vm.h"

/** Bits of a paging-structure entry (SDM vol. 3, tables 4-4 to 4-20). */
enum entry_bits {
	PRESENT = 1 << 0,
	WRITABLE = 1 << 1,
	USER = 1 << 2,
	ACCESSED = 1 << 5,
	DIRTY = 1 << 6,
	LARGE = 1 << 7,
	GLOBAL = 1 << 8
};
#define NO_EXECUTE (UINT64_C(1) << 63)
/* Physical address bits of a PAE or 4-level entry, and those beyond what this processor has. */
#define ENTRY_ADDRESS  UINT64_C(0x000000fffffff000)
#define ENTRY_RESERVED UINT64_C(0x000fff0000000000)
#define ENTRY_IGNORED  UINT64_C(0x7ff0000000000000)

/** Error code of #PF (SDM vol. 3, figure 4-12). */
enum error_bits {
	ERROR_PRESENT = 1,
	ERROR_WRITE = 2,
	ERROR_USER = 4,
	ERROR_RESERVED = 8,
	ERROR_FETCH = 16
};

/** One way through the page tables. */
struct walk {
	struct soft_cpu *cpu;
	uint64_t linear;
	bool user, write, fetch;
	bool probe;          /* only asks: sets no bits */
	uint64_t entries[4]; /* as read, from the top; and where */
	uint64_t addresses[4];
	unsigned levels, entry_bytes;
	uint64_t rights; /* WRITABLE and USER: anded over all levels; NO_EXECUTE: or-ed */
	uint64_t physical;
	unsigned page_bits;
	uint32_t error; /* of a #PF */
};

static bool fail_walk(struct walk *walk, uint32_t bits)
{
	const struct soft_cpu *cpu = walk->cpu;
	bool tells_fetch = (cpu->cr4 & SOFT_CR4_PAE) && (cpu->efer & SOFT_EFER_NXE);

	walk->error = bits | (walk->write ? ERROR_WRITE : 0u) | (walk->user ? ERROR_USER : 0u) |
		      (walk->fetch && tells_fetch ? ERROR_FETCH : 0u);
	return false;
}

/* PAE paging outside long mode reserves what 4-level paging leaves to software (tables 4-8 to 4-11). */
static uint64_t reserved_bits(const struct soft_cpu *cpu)
{
	return ENTRY_RESERVED | (cpu->efer & SOFT_EFER_NXE ? 0 : NO_EXECUTE) |
	       (soft_long_mode(cpu) ? 0 : ENTRY_IGNORED);
}

/* Reads the entry of the next level. False: not present, or reserved bits are set. */
static bool step(struct walk *walk, uint64_t address, uint64_t reserved)
{
	uint64_t entry = soft_physical_read(walk->cpu, address, walk->entry_bytes);

	walk->entries[walk->levels] = entry;
	walk->addresses[walk->levels++] = address;
	if (!(entry & PRESENT))
		return fail_walk(walk, 0);
	if (entry & reserved)
		return fail_walk(walk, ERROR_PRESENT | ERROR_RESERVED);
	walk->rights &= entry | ~(uint64_t)(WRITABLE | USER);
	walk->rights |= entry & NO_EXECUTE;
	return true;
}

static void end_walk(struct walk *walk, uint64_t frame, unsigned page_bits)
{
	walk->page_bits = page_bits;
	walk->physical = frame | (walk->linear & ((UINT64_C(1) << page_bits) - 1));
}

/* SDM vol. 3, 4.3. PSE-36: bits 13-20 of a 4 MiB entry are address bits 32-39. */
static bool walk_32(struct walk *walk)
{
	const struct soft_cpu *cpu = walk->cpu;
	uint32_t linear = (uint32_t)walk->linear;
	uint64_t entry;

	walk->entry_bytes = 4;
	if (!step(walk, (cpu->cr3 & 0xfffff000) + (linear >> 22) * 4, 0))
		return false;
	entry = walk->entries[0];
	if (entry & LARGE && cpu->cr4 & SOFT_CR4_PSE) {
		if (entry & 1 << 21)
			return fail_walk(walk, ERROR_PRESENT | ERROR_RESERVED);
		end_walk(walk, (entry & 0xffc00000) | (entry >> 13 & 0xff) << 32, 22);
		return true;
	}
	if (!step(walk, (entry & 0xfffff000) + (linear >> 12 & 0x3ff) * 4, 0))
		return false;
	end_walk(walk, walk->entries[1] & 0xfffff000, 12);
	return true;
}

/* The last two levels of PAE and 4-level paging. `table` is the page directory. */
static bool walk_directory(struct walk *walk, uint64_t table)
{
	uint64_t reserved = reserved_bits(walk->cpu), entry;

	if (!step(walk, table + (walk->linear >> 21 & 0x1ff) * 8, reserved))
		return false;
	entry = walk->entries[walk->levels - 1];
	if (entry & LARGE) {
		if (entry & 0x1fe000)
			return fail_walk(walk, ERROR_PRESENT | ERROR_RESERVED);
		end_walk(walk, entry & ENTRY_ADDRESS & ~UINT64_C(0x1fffff), 21);
		return true;
	}
	if (!step(walk, (entry & ENTRY_ADDRESS) + (walk->linear >> 12 & 0x1ff) * 8, reserved))
		return false;
	end_walk(walk, walk->entries[walk->levels - 1] & ENTRY_ADDRESS, 12);
	return true;
}

/* SDM vol. 3, 4.4. The four pointers were checked when they were loaded. */
static bool walk_pae(struct walk *walk)
{
	uint64_t pointer = walk->cpu->pdpte[walk->linear >> 30 & 3];

	walk->entry_bytes = 8;
	if (!(pointer & PRESENT))
		return fail_walk(walk, 0);
	return walk_directory(walk, pointer & ENTRY_ADDRESS);
}

/* SDM vol. 3, 4.5. */
static bool walk_long(struct walk *walk)
{
	uint64_t reserved = reserved_bits(walk->cpu), entry;

	walk->entry_bytes = 8;
	if (!step(walk, (walk->cpu->cr3 & ENTRY_ADDRESS) + (walk->linear >> 39 & 0x1ff) * 8,
		  reserved | LARGE))
		return false;
	if (!step(walk, (walk->entries[0] & ENTRY_ADDRESS) + (walk->linear >> 30 & 0x1ff) * 8,
		  reserved))
		return false;
	entry = walk->entries[1];
	if (!(entry & LARGE))
		return walk_directory(walk, entry & ENTRY_ADDRESS);
	if (entry & 0x3fffe000 || !soft_has(walk->cpu, SOFT_HAS_PDPE1GB))
		return fail_walk(walk, ERROR_PRESENT | ERROR_RESERVED);
	end_walk(walk, entry & ENTRY_ADDRESS & ~UINT64_C(0x3fffffff), 30);
	return true;
}

static bool is_allowed(const struct walk *walk)
{
	const struct soft_cpu *cpu = walk->cpu;

	if (walk->user && !(walk->rights & USER))
		return false;
	if (walk->write && !(walk->rights & WRITABLE) && (walk->user || cpu->cr0 & SOFT_CR0_WP))
		return false;
	return !(walk->fetch && walk->rights & NO_EXECUTE);
}

/* Accessed in every entry used, dirty in the last one of a write. */
static void mark_entries(struct walk *walk)
{
	for (unsigned i = 0; i < walk->levels; i++) {
		bool last = i + 1 == walk->levels;
		uint64_t wanted = ACCESSED | (last && walk->write ? DIRTY : 0);

		if ((walk->entries[i] & wanted) == wanted)
			continue;
		walk->entries[i] |= wanted;
		soft_physical_write(walk->cpu, walk->addresses[i], walk->entry_bytes,
				    walk->entries[i]);
	}
}

static bool do_walk(struct walk *walk)
{
	const struct soft_cpu *cpu = walk->cpu;

	walk->rights = WRITABLE | USER;
	walk->levels = 0;
	if (!(cpu->cr0 & SOFT_CR0_PG)) {
		end_walk(walk, walk->linear & SOFT_PAGE_MASK, 12);
		return true;
	}
	if (!(soft_long_mode(cpu)       ? walk_long(walk)
	      : cpu->cr4 & SOFT_CR4_PAE ? walk_pae(walk)
					: walk_32(walk)))
		return false;
	if (!is_allowed(walk))
		return fail_walk(walk, ERROR_PRESENT);
	if (!walk->probe)
		mark_entries(walk);
	return true;
}

static void note_large(struct soft_cpu *cpu, const struct walk *walk)
{
	uint64_t bytes = UINT64_C(1) << walk->page_bits, low = walk->linear & ~(bytes - 1);
	unsigned half = (unsigned)(walk->linear >> 63);

	if (walk->page_bits == 12)
		return;
	if (low < cpu->large_low[half])
		cpu->large_low[half] = low;
	if (low + (bytes - 1) > cpu->large_high[half])
		cpu->large_high[half] = low + (bytes - 1);
}

/* Whether stores may go straight to the page: the entry is dirty, and nothing watches. */
static bool may_write_directly(const struct walk *walk, const struct soft_slot *slot)
{
	const struct soft_cpu *cpu = walk->cpu;
	bool dirty = !walk->levels || walk->entries[walk->levels - 1] & DIRTY;
	bool allowed = walk->rights & WRITABLE || (!walk->user && !(cpu->cr0 & SOFT_CR0_WP));

	return dirty && allowed && !slot->readonly;
}

static void fill(struct walk *walk, struct soft_tlb_entry *entry)
{
	struct soft_cpu *cpu = walk->cpu;
	uint64_t page = walk->linear & SOFT_PAGE_MASK, frame = walk->physical & SOFT_PAGE_MASK;
	struct soft_slot *slot = soft_slot_find_for(cpu, frame);

	cpu->counters.tlb_misses++;
	note_large(cpu, walk);
	*entry = (struct soft_tlb_entry){ .physical = frame };
	if (!(walk->rights & NO_EXECUTE))
		entry->physical |= SOFT_TLB_EXECUTE;
	if (!slot || soft_debug_covers_page(cpu, page))
		return;
	entry->read_tag = page | cpu->generation;
	entry->host = (uintptr_t)(slot->host + (frame - slot->base)) - (uintptr_t)page;
	if (!may_write_directly(walk, slot))
		return;
	if (slot->code[(frame - slot->base) >> 12])
		entry->physical |= SOFT_TLB_WATCHED;
	else
		entry->write_tag = page | cpu->generation;
}

static bool hits(const struct soft_cpu *cpu, const struct soft_tlb_entry *entry, uint64_t linear,
		 enum soft_access access)
{
	uint64_t tag = (linear & SOFT_PAGE_MASK) | cpu->generation;

	switch (access) {
	case SOFT_READ: return entry->read_tag == tag;
	case SOFT_FETCH: return entry->read_tag == tag && entry->physical & SOFT_TLB_EXECUTE;
	case SOFT_WRITE: break;
	}
	return entry->write_tag == tag ||
	       (entry->read_tag == tag && entry->physical & SOFT_TLB_WATCHED);
}

static struct soft_tlb_entry *entry_of(const struct soft_cpu *cpu, uint64_t linear, bool user)
{
	return &cpu->tlbs[user][linear >> 12 & (SOFT_TLB_ENTRIES - 1)];
}

static struct walk walk_for(struct soft_cpu *cpu, uint64_t linear, bool user,
			    enum soft_access access)
{
	return (struct walk){ .cpu = cpu,
			      .linear = linear,
			      .user = user,
			      .write = access == SOFT_WRITE,
			      .fetch = access == SOFT_FETCH };
}

bool soft_page_probe(struct soft_cpu *cpu, uint64_t linear, bool user, enum soft_access access)
{
	struct walk walk = walk_for(cpu, linear, user, access);

	walk.probe = true;
	return hits(cpu, entry_of(cpu, linear, user), linear, access) || do_walk(&walk) ||
	       soft_raise_page(cpu, linear, walk.error);
}

bool soft_page_find(struct soft_cpu *cpu, uint64_t linear, bool user, enum soft_access access,
		    uint64_t *physical)
{
	struct soft_tlb_entry *entry = entry_of(cpu, linear, user);
	struct walk walk = walk_for(cpu, linear, user, access);

	if (!hits(cpu, entry, linear, access)) {
		if (!do_walk(&walk))
			return soft_raise_page(cpu, linear, walk.error);
		fill(&walk, entry);
	}
	*physical = (entry->physical & SOFT_PAGE_MASK) | (linear & ~SOFT_PAGE_MASK);
	return true;
}

bool soft_translate(struct soft_cpu *cpu, uint64_t linear, uint64_t *physical)
{
	struct walk walk = { .cpu = cpu, .linear = linear, .probe = true };

	if (!do_walk(&walk))
		return false;
	*physical = walk.physical;
	return true;
}

bool soft_load_pdptes(struct soft_cpu *cpu, uint64_t cr3)
{
	/* SDM vol. 3, table 4-8. */
	const uint64_t reserved = ENTRY_RESERVED | UINT64_C(0xfff0000000000000) | 0x1e6;
	uint64_t loaded[4];

	for (unsigned i = 0; i < 4; i++) {
		loaded[i] = soft_physical_read(cpu, (cr3 & 0xffffffe0) + i * 8, 8);
		if (loaded[i] & PRESENT && loaded[i] & reserved)
			return soft_raise_error(cpu, SOFT_GP, 0);
	}
	memcpy(cpu->pdpte, loaded, sizeof(loaded));
	return true;
}

static void forget_large(struct soft_cpu *cpu)
{
	for (unsigned half = 0; half < 2; half++) {
		cpu->large_low[half] = UINT64_MAX;
		cpu->large_high[half] = 0;
	}
}

/* A new generation makes every tag stale; when they run out, the tags are cleared. */
void soft_tlb_flush(struct soft_cpu *cpu)
{
	cpu->counters.flushes++;
	cpu->based_code = false;
	forget_large(cpu);
	if (++cpu->generation == SOFT_PAGE_BYTES) {
		memset(cpu->tlbs[0], 0, SOFT_TLB_ENTRIES * sizeof(struct soft_tlb_entry));
		memset(cpu->tlbs[1], 0, SOFT_TLB_ENTRIES * sizeof(struct soft_tlb_entry));
		memset(cpu->jumps, 0, SOFT_JUMP_ENTRIES * sizeof(struct soft_jump_entry));
		soft_spans_forget(cpu->vm);
		cpu->generation = 1;
	}
	soft_mode_update(cpu);
}

void soft_tlb_flush_nonglobal(struct soft_cpu *cpu)
{
	soft_tlb_flush(cpu);
}

void soft_tlb_flush_page(struct soft_cpu *cpu, uint64_t linear)
{
	unsigned half = (unsigned)(linear >> 63), index = linear >> 12 & (SOFT_TLB_ENTRIES - 1);
	struct soft_jump_entry *jumps;

	/* Jumps and spans are kept by RIP, which is not linear where the code segment has a base. */
	if ((linear >= cpu->large_low[half] && linear <= cpu->large_high[half]) ||
	    cpu->based_code) {
		soft_tlb_flush(cpu);
		return;
	}
	for (unsigned user = 0; user < 2; user++)
		cpu->tlbs[user][index] = (struct soft_tlb_entry){ 0 };
	jumps = soft_jump_group(cpu, linear);
	for (unsigned i = 0; i < SOFT_JUMP_GROUP; i++)
		if (((jumps[i].rip ^ linear) & SOFT_PAGE_MASK) == 0)
			jumps[i].key = 0;
	soft_spans_forget_page(cpu->vm, linear);
}
