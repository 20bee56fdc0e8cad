/* The picture: what is on the screen, line by line, and which part of it has changed. References: IBM PS/2 Hardware
 * Interface Technical Reference, "Video Subsystem"; "Bochs VBE display API". */
// SPDX-License-Identifier: MIT
#include "devices/display/vga_internal.h"

#include <string.h>

/* A line is drawn when a hash of what it is made of is another than last time: the guest may write the memory without
 * a word to anyone. What is drawn is compared with the canvas, so that only what looks otherwise is reported. */

enum { BLANK_WIDTH = 720, BLANK_HEIGHT = 400, SYNC = 0x80, ATTRIBUTE_COLOURS = 16 };

/* What holds for all lines. */
struct frame {
	struct vga_format format;
	unsigned width, height;
	unsigned count; /* what vga_pixels takes for a line */
	unsigned words; /* of the source */
	bool vbe;
	uint64_t seed;
};

/* The part of the canvas that has changed; empty where the ends cross. */
struct bounds {
	unsigned left, top, right, bottom;
};

bool vga_is_text(const struct vga *vga)
{
	return !vga_vbe_is_on(vga) && !(vga->graphics[GFX_MISC] & MISC_GRAPHICS);
}

bool vga_is_shown(const struct vga *vga)
{
	return vga->attribute_index & ATTR_SHOWN &&
	       !(vga->sequencer[SEQ_CLOCKING] & CLOCKING_SCREEN_OFF) &&
	       (vga_vbe_is_on(vga) || vga->crtc[CRTC_MODE] & SYNC);
}

/* Colours */

static uint32_t dac_colour(const struct vga *vga, unsigned number)
{
	const uint8_t *parts = &vga->palette[3 * (number & vga->pel_mask)];
	uint32_t colour = (uint32_t)parts[0] << 16 | (uint32_t)parts[1] << 8 | parts[2];

	if (vga->vbe[VBE_ENABLE] & VBE_8_BIT_DAC)
		return colour;
	colour &= 0x3f3f3f;
	return colour << 2 | (colour >> 4 & 0x030303);
}

/* Attribute controller: the palette, which colour select completes. */
static unsigned attribute_colour(const struct vga *vga, unsigned attribute)
{
	unsigned colour = vga->attributes[attribute & vga->attributes[ATTR_PLANES]];
	unsigned select = vga->attributes[ATTR_SELECT];

	if (vga->attributes[ATTR_MODE] & ATTR_COLOUR_SELECT)
		colour = (colour & 0x0f) | (select & 3) << 4;
	return colour | (select & 0xc) << 4;
}

static void make_colours(struct vga *vga, enum vga_layout layout)
{
	bool numbers = layout == VGA_BYTES;

	for (unsigned i = 0; i < (numbers ? VGA_COLOURS : ATTRIBUTE_COLOURS); i++)
		vga->picture.colours[i] = dac_colour(vga, numbers ? i : attribute_colour(vga, i));
}

/* Hashes */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* Four lanes at once. As an array they would stay in memory, at a quarter of the speed. */
struct hash {
	uint64_t a, b, c, d;
};

static struct hash hash_begin(uint64_t seed)
{
	return (struct hash){ seed, seed + 1, seed + 2, seed + 3 };
}

static struct hash hash_add(struct hash hash, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return (struct hash){ mix(hash.a, a), mix(hash.b, b), mix(hash.c, c), mix(hash.d, d) };
}

static uint64_t hash_end(struct hash hash)
{
	return mix(mix(mix(hash.a, hash.b), hash.c), hash.d);
}

/* `count` is a multiple of eight. */
static uint64_t hash_of(uint64_t seed, const uint32_t *words, unsigned count)
{
	struct hash hash = hash_begin(seed);

	for (unsigned i = 0; i < count; i += 8) {
		uint64_t values[4];

		memcpy(values, words + i, sizeof(values));
		hash = hash_add(hash, values[0], values[1], values[2], values[3]);
	}
	return hash_end(hash);
}

static uint64_t load(const uint64_t *memory, bool there)
{
	return there ? __atomic_load_n(memory, __ATOMIC_RELAXED) : 0;
}

/* The same of what the guest may write meanwhile, with zeros up to a whole number of steps. */
static uint64_t hash_of_memory(uint64_t seed, const uint64_t *memory, unsigned count)
{
	struct hash hash = hash_begin(seed);

	for (; count >= 4; count -= 4, memory += 4)
		hash = hash_add(hash, load(memory, true), load(memory + 1, true),
				load(memory + 2, true), load(memory + 3, true));
	if (count)
		hash = hash_add(hash, load(memory, true), load(memory + 1, count > 1),
				load(memory + 2, count > 2), 0);
	return hash_end(hash);
}

/* All that a line looks like but for its own source. */
static uint64_t look_of(const struct vga *vga, const struct frame *frame)
{
	const struct vga_format *format = &frame->format;
	unsigned colours = format->layout == VGA_BYTES  ? VGA_COLOURS
			   : format->layout < VGA_BYTES ? ATTRIBUTE_COLOURS
							: 0;
	uint64_t seed = mix((uint64_t)format->layout << 32 | format->dots << 16 | format->wide,
			    (uint64_t)frame->width << 32 | frame->height);

	return hash_of(seed, vga->picture.colours, colours);
}

/* Frames */

static struct frame text_frame(const struct vga *vga)
{
	unsigned clocks = vga_clocks(vga), dots = vga_dots(vga);

	return (struct frame){ .format = { VGA_CELLS, dots, 1 },
			       .width = clocks * dots,
			       .count = clocks + 1 };
}

/* Graphics mode chooses how the maps are shifted out. Of eight bits each, pixels take two dots. */
static struct frame graphics_frame(const struct vga *vga)
{
	unsigned clocks = vga_clocks(vga), mode = vga->graphics[GFX_MODE];
	struct frame frame = { .format = { VGA_PLANAR, 8, 1 },
			       .width = 8 * clocks,
			       .count = clocks + 1 };

	if (mode & MODE_256) {
		frame.format = (struct vga_format){ VGA_BYTES, 8, 2 };
		frame.count = 4 * (clocks + 1);
	} else if (mode & MODE_INTERLEAVE) {
		frame.format.layout = VGA_PAIRS;
	}
	return frame;
}

static struct frame legacy_frame(const struct vga *vga)
{
	struct frame frame = vga_is_text(vga) ? text_frame(vga) : graphics_frame(vga);

	if (vga->sequencer[SEQ_CLOCKING] & CLOCKING_HALF) {
		frame.format.wide *= 2;
		frame.width *= 2;
	}
	frame.words = vga_clocks(vga) + 1;
	frame.height = vga_lines(vga);
	return frame;
}

static enum vga_layout vbe_layout(unsigned depth)
{
	switch (depth) {
	case 4: return VGA_PLANAR;
	case 15: return VGA_RGB_555;
	case 16: return VGA_RGB_565;
	case 24: return VGA_RGB_24;
	case 32: return VGA_RGB_32;
	default: return VGA_BYTES;
	}
}

static struct frame vbe_frame(const struct vga *vga)
{
	unsigned width = vga->vbe[VBE_WIDTH];
	struct frame frame = { .format = { vbe_layout(vga->vbe[VBE_DEPTH]), 8, 1 },
			       .width = width,
			       .height = vga->vbe[VBE_HEIGHT],
			       .count = width,
			       .vbe = true };

	if (frame.format.layout == VGA_PLANAR)
		frame.count = frame.words = width / 8 + 1;
	return frame;
}

/* Sources */

/* Bytes of the memory, from the eight on that the first one is in, of which the line skips some. */
struct packed {
	const uint64_t *memory;
	unsigned skip, count;
};

static struct packed packed_line(const struct vga *vga, const struct frame *frame, unsigned line)
{
	unsigned bits = vga_vbe_bits(vga);
	uint32_t at = (vga->vbe[VBE_Y] + line) * vga_vbe_pitch(vga) + vga->vbe[VBE_X] * bits / 8;

	return (struct packed){ (const uint64_t *)(const void *)vga_memory(vga) + at / 8, at & 7,
				((at & 7) + frame->width * bits / 8 + 7) / 8 };
}

static unsigned fetch_packed(struct vga *vga, struct frame *frame, unsigned line)
{
	struct packed packed = packed_line(vga, frame, line);

	for (unsigned i = 0; i < packed.count; i++) {
		uint64_t value = __atomic_load_n(&packed.memory[i], __ATOMIC_RELAXED);

		memcpy(&vga->picture.source[2 * (size_t)i], &value, sizeof(value));
	}
	frame->words = 2 * packed.count;
	return packed.skip;
}

/* Of packed pixels that can be told where they are: most lines of most pictures are as they were. */
static bool is_as_it_was(const struct vga *vga, const struct frame *frame, unsigned line)
{
	struct packed packed = packed_line(vga, frame, line);

	return vga->picture.seen[line] ==
	       hash_of_memory(mix(frame->seed, packed.skip), packed.memory, packed.count);
}

/* A line of the Bochs interface. Returns the bytes to skip, or at four bits the pixels. */
static unsigned fetch_vbe(struct vga *vga, struct frame *frame, unsigned line)
{
	unsigned x = vga->vbe[VBE_X];
	uint32_t at = (vga->vbe[VBE_Y] + line) * vga_vbe_pitch(vga) + x / 8;

	if (vga_vbe_bits(vga) > 4)
		return fetch_packed(vga, frame, line);
	for (unsigned i = 0; i < frame->words; i++)
		vga->picture.source[i] = vga_word(vga_memory(vga), (at + i) % VGA_WORDS);
	return x & 7;
}

/* Attribute controller, horizontal pel panning: how many pixels of the picture are off its left edge. */
static unsigned panned(const struct frame *frame, unsigned pan)
{
	if (frame->format.layout == VGA_CELLS && frame->format.dots == VGA_DOTS)
		pan = pan >= 8 ? 0 : pan + 1;
	else
		pan = frame->format.layout == VGA_BYTES ? (pan & 7) / 2 : pan & 7;
	return pan * frame->format.wide;
}

static void fetch_legacy(struct vga *vga, const struct frame *frame, const struct vga_scan *scan)
{
	uint32_t *source = vga->picture.source;

	if (frame->format.layout == VGA_CELLS) {
		vga_text_cells(vga, scan, frame->words, source);
		return;
	}
	for (unsigned i = 0; i < frame->words; i++)
		source[i] = vga_word(vga_memory(vga), vga_scan_word(scan, i));
}

/* Lines */

static void put_line(struct mw_canvas *canvas, unsigned line, const uint32_t *pixels,
		     struct bounds *bounds)
{
	uint32_t *row = canvas->pixels + (size_t)line * canvas->width;
	unsigned left = 0, right = canvas->width;

	if (!memcmp(row, pixels, (size_t)right * sizeof(*row)))
		return;
	while (row[left] == pixels[left])
		left++;
	while (row[right - 1] == pixels[right - 1])
		right--;
	memcpy(row + left, pixels + left, (size_t)(right - left) * sizeof(*row));
	bounds->left = left < bounds->left ? left : bounds->left;
	bounds->right = right > bounds->right ? right : bounds->right;
	bounds->top = line < bounds->top ? line : bounds->top;
	bounds->bottom = line + 1;
}

/* Fills the source up to a whole number of steps and says whether it is another than last time. */
static bool is_news(struct vga *vga, const struct frame *frame, unsigned line, unsigned offset)
{
	unsigned words = frame->words, whole = (words + 7) & ~7u;
	uint64_t hash;

	for (; words < whole; words++)
		vga->picture.source[words] = 0;
	hash = hash_of(mix(frame->seed, offset), vga->picture.source, whole);
	if (vga->picture.seen[line] == hash)
		return false;
	vga->picture.seen[line] = hash;
	return true;
}

static void draw_lines(struct vga *vga, struct frame *frame, struct mw_canvas *canvas, bool whole,
		       struct bounds *bounds)
{
	struct vga_scan scan = vga_scan_begin(vga);
	bool planar = frame->format.layout <= VGA_PAIRS;

	for (unsigned line = 0; line < canvas->height; line++) {
		unsigned skip = 0, offset;

		if (frame->vbe && !planar && !whole && is_as_it_was(vga, frame, line))
			continue;
		if (frame->vbe) {
			offset = fetch_vbe(vga, frame, line);
			skip = planar ? 0 : offset;
		} else {
			fetch_legacy(vga, frame, &scan);
			offset = panned(frame, scan.pan);
			vga_scan_next(vga, &scan);
		}
		if (!is_news(vga, frame, line, offset) && !whole)
			continue;
		vga_pixels(&vga->picture, &frame->format, skip, frame->count);
		put_line(canvas, line, vga->picture.pixels + offset - skip, bounds);
	}
}

static void draw_blank(struct vga *vga, struct mw_canvas *canvas, bool whole,
		       struct mw_rect *changed)
{
	if (!canvas->width || !canvas->height)
		mw_canvas_size(canvas, BLANK_WIDTH, BLANK_HEIGHT);
	if (vga->picture.blank && !whole)
		return;
	memset(canvas->pixels, 0, (size_t)canvas->width * canvas->height * sizeof(*canvas->pixels));
	*changed = (struct mw_rect){ 0, 0, canvas->width, canvas->height };
	vga->picture.blank = true;
}

void vga_draw(void *self, struct mw_canvas *canvas, bool whole, struct mw_rect *changed)
{
	struct vga *vga = self;
	struct bounds bounds = { UINT32_MAX, UINT32_MAX, 0, 0 };
	struct frame frame;

	*changed = (struct mw_rect){ 0 };
	if (!vga_is_shown(vga)) {
		draw_blank(vga, canvas, whole, changed);
		return;
	}
	frame = vga_vbe_is_on(vga) ? vbe_frame(vga) : legacy_frame(vga);
	whole |= mw_canvas_size(canvas, frame.width, frame.height);
	make_colours(vga, frame.format.layout);
	frame.seed = look_of(vga, &frame);
	draw_lines(vga, &frame, canvas, whole || vga->picture.blank, &bounds);
	vga->picture.blank = false;
	if (whole)
		*changed = (struct mw_rect){ 0, 0, canvas->width, canvas->height };
	else if (bounds.bottom)
		*changed = (struct mw_rect){ bounds.left, bounds.top, bounds.right - bounds.left,
					     bounds.bottom - bounds.top };
}
