/** The contract between a device model and the machine that hosts it: all a device needs. */
// SPDX-License-Identifier: MIT
#ifndef CORE_DEVICE_H
#define CORE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A device type is a `const struct mw_device_type`: tables (properties, wires, regions, timers,
 * state) and few functions. Core allocates the device's struct from `.size`, zeroed, fills
 * properties and handles, and calls back. The rules a device may rely on:
 *
 *  1. While a callback runs, core holds exactly one device lock: this device's. Device code is
 *     single-threaded without saying so.
 *  2. Callbacks never nest. What a callback does to others (a line, a byte, a message, a timer, a
 *     power request) is recorded and delivered when it has returned and its lock is dropped, on
 *     the same thread, before that CPU executes its next instruction.
 *  3. A guest can cause every access, in any order, of any size the region declares. No assert,
 *     exit, allocation or unbounded loop may be reachable from one.
 *  4. A device never knows its base address, line number or slot.
 */

/** The contract's version. `struct mw_device_type` begins with it and every table carries its row
 * size, so that a module built against an older header keeps loading. */
#define MW_DEVICE_ABI 1u

struct mw_aml;
struct mw_canvas;
struct mw_diagnostics;
struct mw_display;
struct mw_dma;
struct mw_image;
struct mw_input;
struct mw_intr;
struct mw_line;
struct mw_memory;
struct mw_msi;
struct mw_plan;
struct mw_plan_node;
struct mw_power;
struct mw_rect;
struct mw_stream;
struct mw_timer;

/** How a guest access ended. A guest can cause every one of these. Core chooses the value on the
 * bus (all ones) and writes the guest log. DEFERRED is reserved for answers that come later; core
 * takes it as an unanswered access until a device needs it. */
enum mw_io { MW_IO_OK, MW_IO_NO_REGISTER, MW_IO_BAD_SIZE, MW_IO_UNALIGNED, MW_IO_DEFERRED };

struct mw_mac {
	uint8_t bytes[6];
};
struct mw_uuid {
	uint8_t bytes[16];
};
/** Bytes owned by the plan; constant. */
struct mw_blob {
	const uint8_t *bytes;
	size_t size;
};

/** What a field of the device's struct is. Values first, then handles that core fills. */
enum mw_kind {
	MW_KIND_NONE,
	MW_U8,
	MW_U16,
	MW_U32,
	MW_U64,
	MW_BOOL,
	MW_STRING, /* const char *, owned by the plan; "" when empty, never NULL */
	MW_MAC,
	MW_UUID,
	MW_BLOB,
	MW_STRUCT_KIND, /* nested rows, state tables only */
	MW_LINE,        /* an interrupt or reset line: a level and its rising edges */
	MW_STREAM,      /* bytes both ways */
	MW_MSI,         /* message signalled interrupts to the CPUs */
	MW_INTR,        /* the processor's INTR pin and the acknowledge that follows */
	MW_INPUT,       /* keys and pointers */
	MW_POWER,       /* requests to the machine's life cycle */
	MW_DMA,         /* memory access as a bus master */
	MW_IMAGE,       /* a file's bytes: ROMs, disks */
	MW_MEMORY,      /* RAM or ROM that backs a region */
	MW_TIMER,
	MW_DISPLAY, /* a picture towards whoever shows it */
	MW_KIND_COUNT
};
#define MW_KIND_OF(lvalue) \
	_Generic((lvalue), uint8_t: MW_U8, uint16_t: MW_U16, uint32_t: MW_U32, uint64_t: MW_U64,   \
		bool: MW_BOOL, const char *: MW_STRING, struct mw_mac: MW_MAC,                     \
		struct mw_uuid: MW_UUID, struct mw_blob: MW_BLOB, struct mw_line *: MW_LINE,       \
		struct mw_stream *: MW_STREAM, struct mw_msi *: MW_MSI,                            \
		struct mw_intr *: MW_INTR, struct mw_input *: MW_INPUT,                            \
		struct mw_power *: MW_POWER, struct mw_dma *: MW_DMA, struct mw_image *: MW_IMAGE, \
		struct mw_memory *: MW_MEMORY, struct mw_timer *: MW_TIMER,                       \
		struct mw_display *: MW_DISPLAY)

/** A row's field: the kind follows from the member's C type, so a row cannot disagree with it. */
#define MW_FIELD(type, member) \
	.offset = offsetof(type, member), .kind = MW_KIND_OF(((type *)0)->member)
/** The same for an array member: one row for all elements. */
#define MW_ARRAY(type, member)                                                        \
	.offset = offsetof(type, member), .kind = MW_KIND_OF(((type *)0)->member[0]), \
	.count = sizeof(((type *)0)->member) / sizeof(((type *)0)->member[0]),        \
	.stride = sizeof(((type *)0)->member[0])
/** A nested struct, or with MW_STRUCTS an array of them, described by its own state rows. */
#define MW_STRUCT(type, member, nested)                                       \
	.offset = offsetof(type, member), .kind = MW_STRUCT_KIND, .count = 1, \
	.stride = sizeof(((type *)0)->member), .rows = (nested),              \
	.row_count = sizeof(nested) / sizeof((nested)[0])
#define MW_STRUCTS(type, member, nested)                                       \
	.offset = offsetof(type, member), .kind = MW_STRUCT_KIND,              \
	.count = sizeof(((type *)0)->member) / sizeof(((type *)0)->member[0]), \
	.stride = sizeof(((type *)0)->member[0]), .rows = (nested),            \
	.row_count = sizeof(nested) / sizeof((nested)[0])
#define MW_ACCESS(min, max) .min_access = (min), .max_access = (max)

#define MW_ROWS(row_type)              \
	struct {                       \
		const row_type *items; \
		size_t count;          \
		size_t row_bytes;      \
	}
#define MW_TABLE(array)                                                         \
	{                                                                       \
		(array), sizeof(array) / sizeof((array)[0]), sizeof((array)[0]) \
	}

/** A value a profile sets under `props:`. */
struct mw_property {
	const char *name, *help;
	size_t offset;
	enum mw_kind kind;
	uint64_t fallback;
	bool required;
	bool is_size;               /* an integer written with units: 64KiB */
	bool is_path;               /* a string that names a host file */
	uint64_t min, max;          /* integers; max 0 means what the field can hold */
	const char *const *members; /* enum: names ended by NULL; the u32 field holds the index */
	const char *fallback_text;  /* strings */
	bool is_written;            /* is_path: the file is written, so it has one user */
	bool is_secret;             /* is_path: the file holds a key, for its owner alone */
};

/** What a person does at a keyboard or a pointer. */
enum mw_input_kind {
	MW_INPUT_KEY,    /* `code`: usage of the keyboard page (USB HID usage tables, page 0x07) */
	MW_INPUT_BUTTON, /* `code`: 0 left, 1 right, 2 middle, 3 and 4 at the side */
	MW_INPUT_MOVE,   /* `x` to the right, `y` down, relative */
	MW_INPUT_WHEEL   /* `y`: steps away from the person */
};
struct mw_input_event {
	enum mw_input_kind kind;
	uint16_t code;
	bool pressed; /* keys and buttons */
	int32_t x, y;
};

/** What a device asks of the image behind it, and how it ended. */
enum mw_image_op { MW_IMAGE_READ, MW_IMAGE_WRITE, MW_IMAGE_FLUSH, MW_IMAGE_DISCARD };
enum mw_image_result {
	MW_IMAGE_DONE,
	MW_IMAGE_FAILED,   /* the host could not: a medium error for the guest */
	MW_IMAGE_NO_MEDIUM /* nothing is there, or no more */
};
/** One request; the device's memory, its bytes too, and core's until on_done. FLUSH: all that was done
 * before survives a loss of power. DISCARD: `count` bytes are of no more use and may read as anything. */
struct mw_image_request {
	enum mw_image_op op;
	enum mw_image_result result;
	uint64_t offset;
	void *bytes;
	size_t count;
	bool pending; /* core has it */
	struct mw_image *image;
	unsigned medium; /* which of those that were in it the request is for */
	struct mw_image_request *next;
};

/** What the host side of an image says of what is in it, so that a snapshot finds the same again. */
struct mw_image_facts {
	uint64_t size;        /* 0: nothing is in it */
	uint64_t modified_ns; /* of the file; 0: nobody knows */
	bool fleeting;        /* has been written to, and is gone when the machine is */
};

/** What an 8237 channel does next: one run of bytes without a wrap. */
struct mw_dma_cycle {
	uint64_t address;
	size_t count;
	bool to_memory; /* the device is read */
	bool verify;    /* no memory is touched */
	bool terminal;  /* the run ends in terminal count */
	bool down;      /* addresses fall: `address` is the first byte's */
};

/** Who may speak first on a wire. Streams, MSI, INTR, power and DMA are always MW_DRIVES: the
 * device holds a handle; a stream answers through its handlers as well. */
enum mw_direction { MW_DRIVES, MW_RECEIVES };

/** A typed connection to another node. One handler per kind; the contract test rejects a row with
 * a handler of another kind. `count` elements share the row (`pin[24]`). */
struct mw_wire {
	const char *name, *help;
	size_t offset; /* of the handle, or of the array of handles; unused by a receiving line */
	enum mw_kind kind;
	size_t count, stride; /* 0: one */
	enum mw_direction direction;
	bool optional;
	const char *count_property; /* name of the property that lowers `count`, or NULL */
	/** MW_LINE, receiving: the level now. A pulse that came and went arrives as high, then low. */
	void (*on_level)(void *self, unsigned index, bool level);
	/** MW_STREAM: bytes from the other end, one at a time or in runs; one of the two. */
	void (*on_byte)(void *self, uint8_t byte);
	void (*on_bytes)(void *self, const uint8_t *bytes, size_t count);
	/** MW_STREAM: a link that was full has room again. Who wants to hear of it sends until
	 * mw_stream_room is 0; one that is not full may empty without a word. */
	void (*on_room)(void *self);
	/** MW_MSI: a CPU ended the level interrupt with this vector. */
	void (*on_eoi)(void *self, uint8_t vector);
	/** MW_INTR: the CPU's acknowledge cycle. Returns the vector, 0 to 255; a controller whose
	 * request has gone away answers with its spurious one. */
	int (*on_acknowledge)(void *self);
	/** MW_INPUT, receiving: false when the device has no room for it now. */
	bool (*on_input)(void *self, const struct mw_input_event *event);
	unsigned takes;     /* MW_INPUT, receiving: a mask of 1u << enum mw_input_kind */
	const char *unless; /* MW_INPUT: a bool property; nodes that have it set take nothing */
	/** MW_IMAGE, receiving (the host side): all `count` bytes or false. Called on the thread of
	 * whoever holds the image, under the backend's lock. */
	uint64_t (*on_size)(void *self);
	bool (*on_read)(void *self, uint64_t offset, void *bytes, size_t count);
	/** MW_LINE, driving, one element: one of a PCI function's INTA# to INTD#. Profiles claim it with
	 * `intx: A` and the slot decides where it leads; `irq` does not take it. */
	bool intx;
	/** MW_MSI: the most vectors that a profile may give with `msi: { vectors: N }`; 0: the wire is
	 * not claimed, as an I/O APIC's. */
	unsigned vectors;
	/** MW_DMA: its accesses go through a channel of the machine's 8237s, which the profile gives with
	 * `dma: N`; false: it is a bus master of its own. */
	bool channel;
	/** MW_IMAGE, driving: a request of mw_image_submit has ended. */
	void (*on_done)(void *self, struct mw_image_request *request);
	/** MW_IMAGE, driving: the medium has come, gone or been exchanged. NULL: it never is. */
	void (*on_media)(void *self);
	/** MW_IMAGE, driving: it writes where the image can be written, so who shows an entry of a profile says
	 * `raw` and not `file`. */
	bool writes;
	/** MW_IMAGE, receiving, as on_read. NULL: the image is read-only; flush and discard may be NULL where
	 * there is nothing to do. May be called on any thread, one at a time; they may block, and call nothing
	 * of core's. */
	bool (*on_write)(void *self, uint64_t offset, const void *bytes, size_t count);
	bool (*on_flush)(void *self);
	bool (*on_discard)(void *self, uint64_t offset, uint64_t count);
	/** MW_IMAGE, receiving: whether writes are possible now (the file may be read-only). NULL: as on_write. */
	bool (*on_writable)(void *self);
	/** MW_IMAGE, receiving: another file, or none (NULL), from now on; on false diagnostics say why and all is
	 * as before. NULL: it cannot be exchanged. */
	bool (*on_change)(void *self, const char *path, struct mw_diagnostics *diagnostics);
	/** MW_IMAGE, receiving, optional. */
	void (*on_facts)(void *self, struct mw_image_facts *facts);
	/** MW_DMA with `channel`: moves at most `count` bytes of a cycle and returns how many; fewer than
	 * `count` where it has or takes no more now. `terminal`: these are the last before terminal count. */
	size_t (*on_transfer)(void *self, uint8_t *bytes, size_t count, bool to_memory,
			      bool terminal);
	/** MW_DMA, receiving: an 8237 pair's eight channels. DREQ of `channel` is `request`, `moved` bytes of the
	 * cycle it gave last have been done; true and *next when it grants one now. The channel's device is held
	 * meanwhile, so that nobody sees it done before the channel has counted. */
	bool (*on_cycle)(void *self, unsigned channel, bool request, size_t moved,
			 struct mw_dma_cycle *next);
	/** MW_DISPLAY, a display adapter's side: draws what has changed since the last call, or all of it if
	 * `whole`, into the canvas (mw_canvas_size sets its size) and says which part that was; an empty part:
	 * nothing. */
	void (*on_draw)(void *self, struct mw_canvas *canvas, bool whole, struct mw_rect *changed);
	/** The same side, optional: the characters on a screen that shows text, as UTF-8, a line end after each row.
	 * Writes at most `capacity` bytes and returns how many; 0: no text is shown. */
	size_t (*on_text)(void *self, char *utf8, size_t capacity);
	/** MW_DISPLAY, the host side: the answer to mw_display_request. The canvas is borrowed for the call. */
	void (*on_frame)(void *self, const struct mw_canvas *canvas, const struct mw_rect *changed);
};
/** A receiving line of `n` elements needs no field. */
#define MW_SINK(n) .kind = MW_LINE, .count = (n), .direction = MW_RECEIVES

/** A part of the state: reset, saved and restored by core. Exists from the first version on.
 * Guest-visible integers, bools, arrays of them and nested structs. */
struct mw_state {
	const char *name;
	size_t offset;
	enum mw_kind kind;
	uint64_t reset;       /* every element's */
	unsigned since;       /* the type's state version that brought this row */
	size_t count, stride; /* 0: one */
	const struct mw_state *rows;
	size_t row_count;
	/** CMOS, flash: a reset leaves it, and nested rows with it; it has its reset value from
	 * power on. */
	bool survives_reset;
};

/** One register of a region. The simple form names a field (MW_FIELD), the bits a guest may write
 * and at most a function that runs after a write; anything else is `get` and `set`. Several rows
 * may share an address: the first that is `selected` answers. */
struct mw_register {
	const char *name;
	uint64_t at;   /* byte offset in the region */
	unsigned size; /* bytes; 0: one */
	size_t offset;
	enum mw_kind kind;
	uint64_t writable;
	void (*changed)(void *self);
	uint64_t (*get)(void *self);
	void (*set)(void *self, uint64_t value);
	bool (*selected)(const void *self);
	bool write_only; /* reads are MW_IO_NO_REGISTER */
};

enum mw_space { MW_SPACE_PORT, MW_SPACE_MEMORY };
enum mw_backing { MW_BACKING_CALLS, MW_BACKING_ROM, MW_BACKING_RAM };

/** A range of ports or memory, named by a claim of the profile (`io: { NAME: ... }`). Core splits an
 * access wider than max_access, little end first, and refuses one below min_access or unaligned
 * (to its own size) unless `unaligned`. */
struct mw_region {
	const char *name;
	enum mw_space space;
	uint64_t size; /* bytes; 0: the claim's own length */
	unsigned min_access, max_access;
	enum mw_io (*read)(void *self, uint64_t offset, unsigned size, uint64_t *value);
	enum mw_io (*write)(void *self, uint64_t offset, unsigned size, uint64_t value);
	MW_ROWS(struct mw_register) registers; /* instead of read and write */
	enum mw_backing backing;
	size_t memory_offset; /* of the `struct mw_memory *` of a backed region */
	uint64_t align;       /* power of two the base must meet; 0: one byte, backed: 4 KiB */
	bool optional;        /* the profile may leave it unclaimed */
	bool unaligned;
	/** Writes may come late: together and in order, before the CPU does anything else that leaves the guest and
	 * before a display is drawn. For memory that is looked at now and then; saves exits. */
	bool collects;
	/** Base address register N as N + 1, 7 the expansion ROM's: the guest places it. The claim is where
	 * a boot loader puts it; until mw_region_move it answers nowhere. What is fixed wins over it. */
	unsigned bar;
	/** Placed at run time in another way (PMBASE, PAM): answers where mw_region_place says, over all else.
	 * One that is backed and has a size of its own needs no claim: its memory is there at any rate. */
	bool movable;
	/** A host bridge's window: true where the access is one of a function's configuration space, which
	 * core then makes at *address (bus << 20 | device << 15 | function << 12 | register). Otherwise
	 * read and write answer. */
	bool (*config_window)(void *self, uint64_t offset, unsigned size, uint32_t *address);
};

/** Where a part of a region answers from now on. Backed regions: whole pages of 4 KiB. */
enum { MW_PIECE_READ = 1u, MW_PIECE_WRITE = 2u };
struct mw_piece {
	uint64_t offset, length; /* in the region */
	uint64_t base;
	unsigned
		access; /* backed regions: who of reads and writes comes here; the others go to what is below */
};
enum { MW_PIECES_MAX = 16 };

/** What a PCI function says it is (PCI 3.0, 6.2.1 to 6.2.4), for its own registers and for whoever tells of it. */
struct mw_pci_identity {
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint32_t class_code; /* class, subclass, interface: 0x010180 */
	uint8_t revision, header;
	uint8_t pin; /* INTA# to INTD# as 1 to 4, 0: none */
};

/** Configuration space of a PCI function (256 or 4096 bytes): 1, 2 or 4 bytes, aligned. `self` is what lies at
 * `offset` of the device's struct, so that a part of it can answer for all functions alike. */
struct mw_config_ops {
	enum mw_io (*read)(void *self, uint32_t offset, unsigned size, uint32_t *value);
	enum mw_io (*write)(void *self, uint32_t offset, unsigned size, uint32_t value);
	const struct mw_pci_identity *identity;
	size_t offset;
};

/** A timer of the device. `on_expire` is a callback like any other. Saved by core. */
struct mw_timer_row {
	const char *name, *help;
	size_t offset; /* of the `struct mw_timer *` */
	enum mw_kind kind;
	void (*on_expire)(void *self);
	unsigned since; /* 0: the first version */
};

/** What firmware tables say about a node (ACPI 6.5; `core/tables/`). A role names the register that
 * plays it; numbers come from the plan's claim of `region`. */
enum mw_role {
	MW_ROLE_NONE,
	MW_ROLE_IOAPIC,        /* MADT I/O APIC; region: its registers */
	MW_ROLE_PIC,           /* MADT PCAT_COMPAT */
	MW_ROLE_LEGACY,        /* IAPC_BOOT_ARCH bit 0: user-visible devices on an LPC or ISA bus */
	MW_ROLE_8042,          /* IAPC_BOOT_ARCH bit 1: a keyboard controller with its devices */
	MW_ROLE_RTC,           /* a CMOS clock, `value` is the index of its century; without one
				* IAPC_BOOT_ARCH bit 5 is set */
	MW_ROLE_VGA,           /* without one IAPC_BOOT_ARCH bit 2 is set */
	MW_ROLE_SLEEP_CONTROL, /* FADT.SLEEP_CONTROL_REG, `value` is SLP_TYP of S5 (off) */
	MW_ROLE_SLEEP_STATUS,  /* FADT.SLEEP_STATUS_REG */
	MW_ROLE_RESET,         /* FADT.RESET_REG, `value` is RESET_VALUE */
	MW_ROLE_DEBUG_EXIT,
	/** Fixed ACPI hardware, so the machine is not hardware-reduced: PM1a_EVT_BLK. The line of
	 * the node's wire `sci` is SCI_INT. */
	MW_ROLE_PM1,
	MW_ROLE_PM1_CONTROL, /* PM1a_CNT_BLK, `value` is SLP_TYP of S5 (off) */
	MW_ROLE_PM_TIMER,    /* PM_TMR_BLK */
	MW_ROLE_TIMER, /* a clock of known rate that an OS calibrates by: PIT, HPET, PM timer */
	MW_ROLE_HPET,  /* the HPET table; region: its registers, `value` is Event_Timer_Block_ID */
	MW_ROLE_SMI_COMMAND, /* FADT.SMI_CMD, `value`: ACPI_ENABLE | ACPI_DISABLE << 8 */
	MW_ROLE_GPE0         /* FADT.GPE0_BLK: status registers, then as many that enable them */
};
struct mw_role_row {
	enum mw_role role;
	const char *region;
	uint64_t offset;
	unsigned size; /* bytes */
	uint64_t value;
};
/** A register of a PCI function as a BIOS leaves it: 1, 2 or 4 bytes at `at`. To `value` the base of the claim of
 * `region` is added; a row whose region the profile has left out is passed over. */
struct mw_setup_row {
	uint8_t at, size;
	uint32_t value;
	const char *region; /* NULL: none */
};
struct mw_firmware_hints {
	const char *acpi_hid, *acpi_cid; /* NULL: no Device object; claims then go to PNP0C02 */
	bool acpi_only_irqs; /* _CRS holds interrupts alone, as a GED's must; the rest: PNP0C02 */
	/** Extra AML inside the node's Device(), after _HID, _UID and _CRS. */
	void (*aml)(struct mw_aml *aml, const struct mw_plan *plan,
		    const struct mw_plan_node *node);
	MW_ROWS(struct mw_role_row) roles;
	const char *fdt_compatible;
	/** A bool property: nodes that have it set say nothing of all this. NULL: none. */
	const char *unless;
	/** Claims, by name and ended by NULL, that `aml` describes; they stay out of _CRS. */
	const char *const *aml_claims;
	/** CMOS memory: stores a byte that follows from the plan, as a BIOS does at power-on. The
	 * node is held. */
	void (*cmos)(void *self, unsigned index, uint8_t value);
	/** A firmware configuration device: takes an item under a key (QEMU's fw_cfg selectors) or, key 0, a
	 * file under its name; bytes stay valid until the next reset. The node is held. */
	void (*item)(void *self, unsigned key, const char *name, const uint8_t *bytes, size_t size);
	/** A floppy disk drive: what CMOS memory calls it (1: 360K, 2: 1.2M, 3: 720K, 4: 1.44M, 5: 2.88M). The
	 * node is held. */
	unsigned (*floppy)(const void *self);
	/** A PCI function that routes INTx to ISA lines: the configuration register of PIRQA#; those of the others
	 * follow, one byte each: bits 0 to 3 are the line, bit 7 takes it off (PIIX3's PIRQRC). 0: it does not. */
	uint8_t pirq;
	/** A hard disk: its cylinders, heads and sectors of a track, which CMOS memory has too. The node is held. */
	void (*disk)(const void *self, unsigned geometry[3]);
	/** A PCI function's: what is written, as a guest does it, where a kernel is booted without a BIOS. Base
	 * addresses, the command register's I/O and memory bits, the interrupt line and `pirq` need no row. */
	MW_ROWS(struct mw_setup_row) setup;
	/** An interrupt controller, likewise: bit n says that ISA line n is triggered by level. The node is held. */
	void (*levels)(void *self, uint16_t lines);
};

/** All optional: most devices have none. init: after properties and handles are filled; on false it
 * has said why and fini is still called. after_reset: when every node has its reset values; may
 * drive lines. start/stop: the machine begins or ceases to run. after_load: after a restore.
 * fini: frees what init took; NULL-safe. */
struct mw_device_ops {
	bool (*init)(void *self, struct mw_diagnostics *diagnostics);
	void (*after_reset)(void *self);
	void (*start)(void *self);
	void (*stop)(void *self);
	void (*after_load)(void *self);
	void (*fini)(void *self);
};

struct mw_device_type {
	uint32_t abi;        /* MW_DEVICE_ABI */
	uint32_t type_bytes; /* sizeof(struct mw_device_type) */
	const char *name, *summary;
	size_t size; /* of the device's struct; 0: no state at all */
	unsigned state_version;
	const char *const
		*buses; /* bus kinds it plugs into, ended by NULL; NULL: any memory or port bus */
	const char *provides; /* bus kind it opens for children, or NULL */
	const char *
		backend; /* host side of a wire: the short key in `backend:`; NULL: guest hardware */
	const char *main_property; /* of a backend: what `{ KEY: value }` sets; NULL: none */
	MW_ROWS(struct mw_property) properties;
	MW_ROWS(struct mw_wire) wires;
	MW_ROWS(struct mw_region) regions;
	MW_ROWS(struct mw_timer_row) timers;
	MW_ROWS(struct mw_state) state;
	struct mw_device_ops ops;
	struct mw_firmware_hints firmware;
	bool exclusive; /* a backend that a machine can have once: there is one terminal */
	/** A PCI function's, and the host bridge's own, which is 00:00.0. NULL: it is none. */
	const struct mw_config_ops *config;
	/** The bus it provides is a private one (IDE, a floppy cable): it and its children share one lock and may
	 * call each other. What the header of that bus in devices/bus/ says a parent or a child offers: */
	bool private_bus;
	const void *bus_interface; /* to the children */
	const void *interface;     /* to the parent */
};
/** Opens every definition: `const struct mw_device_type x_type = { MW_DEVICE_TYPE, .name = ...`. */
#define MW_DEVICE_TYPE .abi = MW_DEVICE_ABI, .type_bytes = sizeof(struct mw_device_type)

/* What a callback may call. `self` is the device's own struct. All of it is cheap and cannot fail.
 * An unconnected optional wire is a handle that goes nowhere, never NULL. */

void mw_line_set(struct mw_line *line, bool level);
bool mw_line_level(const struct mw_line *line);
/** Whether it leads anywhere. */
bool mw_line_wired(const struct mw_line *line);
/** The global system interrupt that the plan makes of a driven line, UINT32_MAX where it is none: for a chip
 * whose registers tell the guest where its interrupts can go. Constant for the machine's life. */
uint32_t mw_line_gsi(const struct mw_line *line);

/** Bytes towards the other end; beyond mw_stream_room they are dropped and logged. */
void mw_stream_put(struct mw_stream *stream, uint8_t byte);
void mw_stream_write(struct mw_stream *stream, const uint8_t *bytes, size_t count);
/** How many bytes the link takes now. */
size_t mw_stream_room(const struct mw_stream *stream);
/** From now on at most `bytes` more are handed to on_byte or on_bytes, until the next call. A device
 * that never calls it is given everything. */
void mw_stream_credit(struct mw_stream *stream, size_t bytes);

/** Guest time in ns: starts at 0, stands still while the machine does. */
uint64_t mw_now_ns(void *self);
/** Arms for an absolute guest time; one that has passed expires at once (never within the call). */
void mw_timer_arm(struct mw_timer *timer, uint64_t when_ns);
void mw_timer_cancel(struct mw_timer *timer);
bool mw_timer_armed(const struct mw_timer *timer, uint64_t *when_ns);

/** Sends a message; the address and data have the form of SDM vol. 3, 11.11. */
void mw_msi_send(struct mw_msi *msi, uint64_t address, uint32_t data);
/** Publishes what input `index` would send, so that the accelerator reports the end of its level
 * interrupts (on_eoi); a masked input publishes `valid` false. */
void mw_msi_route(struct mw_msi *msi, unsigned index, uint64_t address, uint32_t data, bool valid);

/** The level of the processor's INTR pin. While it is high the CPU comes with on_acknowledge. */
void mw_intr_set(struct mw_intr *intr, bool level);

/** Sends an event to whoever is at the other end. */
void mw_input_send(struct mw_input *input, const struct mw_input_event *event);

enum mw_power_event {
	MW_POWER_OFF,
	MW_POWER_RESET,
	MW_POWER_PANIC,
	MW_POWER_TRIPLE_FAULT,
	MW_POWER_EXIT /* leave with `code`, whatever the profile's power actions say */
};
void mw_power_request(struct mw_power *power, enum mw_power_event event, int code);

/** RAM and ROM only; false where any byte is elsewhere: then a read gives ones and a write is
 * dropped, and the guest log has a line. Marks written pages dirty. Never enters a device. */
bool mw_dma_read(struct mw_dma *dma, uint64_t address, void *bytes, size_t count);
bool mw_dma_write(struct mw_dma *dma, uint64_t address, const void *bytes, size_t count);
/** Borrows the host memory behind a range that is RAM throughout, else NULL. Valid until the
 * callback returns. */
void *mw_dma_map(struct mw_dma *dma, uint64_t address, size_t count, bool writing);

/** The bytes behind a MW_BACKING region; constant for the machine's life. */
uint8_t *mw_memory_bytes(struct mw_memory *memory, uint64_t *size);

/** A movable region or a BAR, by its name: these pieces, at most MW_PIECES_MAX, are where it answers once
 * the callback has returned; none: nowhere. A later piece lies over an earlier one. Reset takes all away,
 * after_load has to say it again. */
void mw_region_place(void *self, const char *region, const struct mw_piece *pieces, size_t count);
/** The same for all of it in one piece, readable and writable. */
void mw_region_move(void *self, const char *region, uint64_t base, bool enabled);
/** A region that answers by calls where the profile has claimed it: these pieces of it, whole pages, are `memory`
 * from now on, as soon as the callback has returned, and the device hears of no access there; none: it answers all
 * of them. A piece's `base` counts from the region's first byte, its `offset` is in the memory, which may be
 * another region's. Each call costs a new map, so that it should not come with every access. Reset takes all away,
 * after_load has to say it again. */
void mw_region_show(void *self, const char *region, struct mw_memory *memory,
		    const struct mw_piece *pieces, size_t count);
/** Address line 20 of the whole machine: while it is closed, 1 MiB and the 64 KiB after it are what lies at 0. Open
 * after a reset, as no firmware here starts with it closed. */
void mw_a20_set(void *self, bool open);
/** How many bytes the plan has given it; 0: it is not claimed. */
uint64_t mw_region_length(const void *self, const char *region);

/** On a private bus: the child at an address ("0.1"), or NULL; and the node whose bus it is. `interface` is
 * what its type offers. From init on; a child is initialised after its parent. */
void *mw_bus_child(void *self, const char *address, const void **interface);
void *mw_bus_parent(void *self, const void **interface);

/** The level of a DMA channel's DREQ. While it is high the 8237 comes with on_transfer. */
void mw_dma_dreq(struct mw_dma *dma, bool level);
/** The 8237's own: it would grant now what it did not before (a mask, a mode), so on_cycle shall come for
 * every channel, once this callback has returned. */
void mw_dma_poll(void *self);

/** A picture of 32-bit pixels, 0x00RRGGBB, rows from the top. Core's. */
struct mw_canvas {
	uint32_t width, height;
	uint32_t *pixels; /* width * height */
};
struct mw_rect {
	uint32_t x, y, width, height; /* width or height 0: empty */
};
enum { MW_CANVAS_MAX = 4096 };
/** Gives the canvas another size, black all over, and returns true; false where it has it already. Larger
 * than MW_CANVAS_MAX each way is cut to it. In on_draw only. */
bool mw_canvas_size(struct mw_canvas *canvas, uint32_t width, uint32_t height);
/** The host side asks for a picture: on_draw, then on_frame, once this callback has returned. */
void mw_display_request(struct mw_display *display, bool whole);

/** Hands a request over. on_done comes later, never within the call, and before the machine is stopped. */
void mw_image_submit(struct mw_image *image, struct mw_image_request *request);
/** Whether there is a medium, and whether it can be written. */
bool mw_image_present(const struct mw_image *image);
bool mw_image_writable(const struct mw_image *image);

uint64_t mw_image_size(const struct mw_image *image);
/** Reads all `count` bytes at `offset`, or returns false. */
bool mw_image_read(struct mw_image *image, uint64_t offset, void *bytes, size_t count);
/** The path of the file that is in it, for messages; empty: there is none. Cut to `capacity`. */
void mw_image_name(const struct mw_image *image, char *name, size_t capacity);

/** One line in the guest log: the guest did something odd. Rate-limited per node. */
void mw_guest_log(void *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The node's id in the profile, for messages. */
const char *mw_device_id(const void *self);

#endif
