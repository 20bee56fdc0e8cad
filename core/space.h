/** Address spaces: immutable maps from addresses to regions, swapped as a whole. */
// SPDX-License-Identifier: MIT
#ifndef CORE_SPACE_H
#define CORE_SPACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_node;
struct mw_region;

/** Who wins where ranges overlap: the later. */
enum mw_map_layer {
	MW_LAYER_BAR,   /* what a guest has placed by a base address register */
	MW_LAYER_FIXED, /* RAM and claims, which do not overlap each other */
	MW_LAYER_SHOWN, /* memory that a device shows where its registers would answer */
	MW_LAYER_TOP,   /* permitted overlays */
	MW_LAYER_MOVED  /* what a chipset lays over it (PAM) */
};

/** A range that answers: a node's region, or plain memory (host != NULL). `last` is inclusive. */
struct mw_map_entry {
	uint64_t base, last;
	uint64_t offset;      /* in the region, at `base` */
	struct mw_node *node; /* NULL for RAM */
	const struct mw_region *region;
	uint8_t *host;
	uint8_t *write_host; /* where writes go instead; `host` is then only read */
	bool readonly;
	bool write_only; /* given to mw_map_create: reads go to what lies below */
	enum mw_map_layer layer;
};

/** One state of a space; never changes once published. */
struct mw_map {
	size_t count, piece_count, piece_capacity;
	struct mw_map_entry *entries;
	/** Memory: pieces that do not overlap, ascending; each names an entry. */
	struct mw_map_piece {
		uint64_t base, last;
		uint32_t entry;
	} * pieces;
	/** Ports: entry + 1 for each port, by pages of 256; NULL pages are empty. */
	uint32_t *port_pages[256];
	struct mw_map *retired; /* next in the list of maps that await their last reader */
	uint64_t retired_epoch;
};

/** Lock-free for readers. Writers are serialised by the caller. */
struct mw_address_space {
	_Atomic(struct mw_map *) map;
	bool ports;
	_Atomic uint64_t *epoch; /* counts swaps; one counter for all spaces of a machine */
	struct mw_map *retired;
};

/** Returns a new map over a copy of `entries`; of one layer the later ones win. */
struct mw_map *mw_map_create(const struct mw_map_entry *entries, size_t count, bool ports);
void mw_map_destroy(struct mw_map *map);

void mw_space_init(struct mw_address_space *space, bool ports, _Atomic uint64_t *epoch);
void mw_space_fini(struct mw_address_space *space);
/** Publishes a map (takes it); the old one waits until `oldest_reader` (the smallest epoch any reader
 * may still use) has passed it. */
void mw_space_swap(struct mw_address_space *space, struct mw_map *map);
void mw_space_reclaim(struct mw_address_space *space, uint64_t oldest_reader);

/** A stretch of memory that one entry answers, or nobody (NULL). */
struct mw_map_part {
	uint64_t base, last;
	const struct mw_map_entry *entry;
};
/** The part an address lies in. O(log n). */
struct mw_map_part mw_map_look(const struct mw_map *map, uint64_t address);
/** The entry at an address, or NULL. Ports: O(1). Memory: O(log n). */
const struct mw_map_entry *mw_map_find(const struct mw_map *map, uint64_t address);
const struct mw_map_entry *mw_map_find_port(const struct mw_map *map, uint16_t port);

#endif
