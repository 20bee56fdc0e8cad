/* What devices exchange by way of core: image requests, DMA channels, pictures, private buses. */
// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/core/toy.h"

enum { GO = 0x10, DISK_BYTES = 4096 };

/* A device with an image, a DMA channel and a display; a write to `go` does what `do_it` says. */
struct chip {
	struct mw_image *image;
	struct mw_dma *dma;
	struct mw_display *display;
	void (*do_it)(struct chip *chip);
	struct mw_image_request request;
	uint8_t bytes[16];
	unsigned done, media, transfers, draws;
	size_t left; /* bytes it has for DMA */
	bool terminal, to_memory;
	uint8_t seen[64];
	size_t seen_count;
};

static enum mw_io go(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct chip *chip = self;

	chip->do_it(chip);
	return MW_IO_OK;
}

static enum mw_io read_left(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	*value = ((struct chip *)self)->left;
	return MW_IO_OK;
}

static void on_done(void *self, struct mw_image_request *request)
{
	struct chip *chip = self;

	assert_false(request->pending);
	chip->done++;
}

static void on_media(void *self)
{
	((struct chip *)self)->media++;
}

static size_t on_transfer(void *self, uint8_t *bytes, size_t count, bool to_memory, bool terminal)
{
	struct chip *chip = self;
	size_t moved = count < chip->left ? count : chip->left;

	chip->transfers++;
	chip->terminal = terminal;
	chip->to_memory = to_memory;
	if (to_memory) {
		for (size_t i = 0; i < moved; i++)
			bytes[i] = (uint8_t)(0x30 + i);
	} else {
		memcpy(chip->seen, bytes, moved);
		chip->seen_count = moved;
	}
	chip->left -= moved;
	if (!chip->left)
		mw_dma_dreq(chip->dma, false);
	return moved;
}

static void on_draw(void *self, struct mw_canvas *canvas, bool whole, struct mw_rect *changed)
{
	struct chip *chip = self;

	chip->draws++;
	whole |= mw_canvas_size(canvas, 8, 4);
	canvas->pixels[9] = 0x123456;
	*changed = whole ? (struct mw_rect){ 0, 0, 8, 4 } : (struct mw_rect){ 1, 1, 100, 1 };
}

static const struct mw_region regions[] = {
	{ "go", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .read = read_left, .write = go },
};
static const struct mw_wire wires[] = {
	{ "image", "A disk.", MW_FIELD(struct chip, image), .optional = true, .on_done = on_done,
	  .on_media = on_media },
	{ "dma", "A channel.", MW_FIELD(struct chip, dma), .optional = true, .channel = true,
	  .on_transfer = on_transfer },
	{ "display", "A picture.", MW_FIELD(struct chip, display), .optional = true,
	  .on_draw = on_draw },
};
static const struct mw_device_type chip_type = {
	MW_DEVICE_TYPE,
	.name = "chip",
	.summary = "exchanges things",
	.size = sizeof(struct chip),
	.regions = MW_TABLE(regions),
	.wires = MW_TABLE(wires),
};

/* The host's side of an image. */
struct disk {
	uint8_t bytes[DISK_BYTES];
	uint64_t size;
	unsigned flushes;
	bool readonly;
};

static uint64_t disk_size(void *self)
{
	return ((struct disk *)self)->size;
}

static bool disk_read(void *self, uint64_t offset, void *bytes, size_t count)
{
	memcpy(bytes, ((struct disk *)self)->bytes + offset, count);
	return true;
}

static bool disk_write(void *self, uint64_t offset, const void *bytes, size_t count)
{
	memcpy(((struct disk *)self)->bytes + offset, bytes, count);
	return true;
}

static bool disk_flush(void *self)
{
	((struct disk *)self)->flushes++;
	return true;
}

static bool disk_writable(void *self)
{
	return !((struct disk *)self)->readonly;
}

static bool disk_change(void *self, const char *path, struct mw_diagnostics *diagnostics)
{
	struct disk *disk = self;

	if (path && strcmp(path, "bad") == 0) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				   "bad");
		return false;
	}
	disk->size = path ? DISK_BYTES : 0;
	return true;
}

static const struct mw_wire disk_wires[] = {
	{ "image", "The device.", .kind = MW_IMAGE, .direction = MW_RECEIVES, .on_size = disk_size,
	  .on_read = disk_read, .on_write = disk_write, .on_flush = disk_flush,
	  .on_writable = disk_writable, .on_change = disk_change },
};
static const struct mw_device_type disk_type = {
	MW_DEVICE_TYPE,           .name = "disk",
	.summary = "holds bytes", .size = sizeof(struct disk),
	.backend = "disk",        .wires = MW_TABLE(disk_wires),
};

struct fixture {
	struct toy toy;
	struct chip *chip;
	struct disk *disk;
};

static void build(struct fixture *fixture)
{
	struct toy *toy = &fixture->toy;
	uint32_t chip = toy_node(toy, "chip", &chip_type), disk = toy_node(toy, "disk", &disk_type);

	toy_claim(toy, chip, "go", GO, 1);
	toy_link(toy, chip, "image", disk, "image");
	toy->nodes[disk].host = true;
	toy_build(toy);
	fixture->chip = toy_device(toy, chip);
	fixture->disk = toy_device(toy, disk);
	fixture->disk->size = DISK_BYTES;
}

static void run(struct fixture *fixture, void (*what)(struct chip *chip))
{
	fixture->chip->do_it = what;
	toy_out(&fixture->toy, GO, 1, 0);
}

static void submit(struct chip *chip, enum mw_image_op op, uint64_t offset)
{
	chip->request = (struct mw_image_request){
		.op = op, .offset = offset, .bytes = chip->bytes, .count = sizeof(chip->bytes)
	};
	mw_image_submit(chip->image, &chip->request);
	assert_true(chip->request.pending); /* never within the call */
}

static void write_16(struct chip *chip)
{
	memset(chip->bytes, 0xab, sizeof(chip->bytes));
	submit(chip, MW_IMAGE_WRITE, 512);
}

static void read_16(struct chip *chip)
{
	memset(chip->bytes, 0, sizeof(chip->bytes));
	submit(chip, MW_IMAGE_READ, 512);
}

static void read_over_the_end(struct chip *chip)
{
	submit(chip, MW_IMAGE_READ, DISK_BYTES - 8);
}

static void flush(struct chip *chip)
{
	submit(chip, MW_IMAGE_FLUSH, 0);
}

static void requests_end_after_the_callback_that_made_them(void **state)
{
	struct fixture f = { 0 };

	build(&f);
	run(&f, write_16);
	assert_int_equal(f.chip->done, 1);
	assert_int_equal(f.chip->request.result, MW_IMAGE_DONE);
	assert_int_equal(f.disk->bytes[512 + 15], 0xab);
	run(&f, read_16);
	assert_int_equal(f.chip->bytes[15], 0xab);
	run(&f, flush);
	assert_int_equal(f.disk->flushes, 1);
	toy_fini(&f.toy);
}

static void what_cannot_be_done_fails_and_is_logged(void **state)
{
	struct fixture f = { 0 };

	build(&f);
	run(&f, read_over_the_end);
	assert_int_equal(f.chip->request.result, MW_IMAGE_FAILED);
	assert_non_null(strstr(toy_log(&f.toy), "disk: a read of 16 bytes at 4088 failed"));
	f.disk->readonly = true;
	run(&f, write_16);
	assert_int_equal(f.chip->request.result, MW_IMAGE_FAILED);
	assert_int_equal(f.disk->bytes[512], 0);
	toy_fini(&f.toy);
}

static void a_medium_is_exchanged_and_the_device_told(void **state)
{
	struct fixture f = { 0 };

	build(&f);
	assert_true(mw_machine_change_medium(f.toy.machine, 0, NULL, &f.toy.diagnostics));
	assert_int_equal(f.chip->media, 1);
	run(&f, read_16);
	assert_int_equal(f.chip->request.result, MW_IMAGE_NO_MEDIUM);
	assert_false(mw_machine_change_medium(f.toy.machine, 0, "bad", &f.toy.diagnostics));
	assert_int_equal(f.chip->media, 1);
	assert_true(mw_machine_change_medium(f.toy.machine, 0, "good", &f.toy.diagnostics));
	run(&f, read_16);
	assert_int_equal(f.chip->request.result, MW_IMAGE_DONE);
	assert_false(mw_machine_change_medium(f.toy.machine, 1, "good", &f.toy.diagnostics));
	toy_fini(&f.toy);
}

/* An 8237 with one cycle to give. */
struct controller {
	struct mw_dma_cycle cycle;
	bool granted;
	unsigned asked, channel;
	size_t moved;
	void (*before_count)(void);
};

static bool on_cycle(void *self, unsigned channel, bool request, size_t moved,
		     struct mw_dma_cycle *next)
{
	struct controller *controller = self;

	if (moved && controller->before_count)
		controller->before_count();
	controller->asked++;
	controller->channel = channel;
	controller->moved += moved;
	controller->cycle.count -= moved;
	controller->cycle.address += controller->cycle.down ? -moved : moved;
	*next = controller->cycle;
	return request && controller->granted && controller->cycle.count;
}

static const struct mw_wire controller_wires[] = {
	{ "channel", "Eight.", .kind = MW_DMA, .count = 8, .direction = MW_RECEIVES,
	  .on_cycle = on_cycle },
};
static const struct mw_device_type controller_type = {
	MW_DEVICE_TYPE,
	.name = "controller",
	.summary = "grants cycles",
	.size = sizeof(struct controller),
	.wires = MW_TABLE(controller_wires),
};

static struct controller *build_dma(struct fixture *fixture)
{
	struct toy *toy = &fixture->toy;
	uint32_t chip = toy_node(toy, "chip", &chip_type);
	uint32_t controller = toy_node(toy, "dma", &controller_type);

	toy_claim(toy, chip, "go", GO, 1);
	toy->claims[chip][toy->nodes[chip].claim_count++] = (struct mw_plan_claim){
		.kind = MW_CLAIM_DMA, .name = "dma", .wire = &wires[1], .channel = 2
	};
	toy_ram(toy, 0, 0x10000);
	toy_build(toy);
	fixture->chip = toy_device(toy, chip);
	return toy_device(toy, controller);
}

static void ask(struct chip *chip)
{
	chip->left = 40;
	mw_dma_dreq(chip->dma, true);
}

static void a_channel_moves_bytes_until_the_count_is_over(void **state)
{
	struct fixture f = { 0 };
	struct controller *controller = build_dma(&f);

	controller->granted = true;
	controller->cycle = (struct mw_dma_cycle){
		.address = 0x1000, .count = 32, .to_memory = true, .terminal = true
	};
	run(&f, ask);
	assert_int_equal(controller->channel, 2);
	assert_int_equal(controller->moved, 32);
	assert_true(f.chip->terminal);
	assert_int_equal(f.chip->left, 8);
	assert_int_equal(toy_peek(&f.toy, 0x101f, 1), 0x30 + 31);
	assert_int_equal(toy_peek(&f.toy, 0x1020, 1), 0);
	toy_fini(&f.toy);
}

static void a_device_that_has_no_more_ends_the_cycle_early(void **state)
{
	struct fixture f = { 0 };
	struct controller *controller = build_dma(&f);

	controller->granted = true;
	controller->cycle = (struct mw_dma_cycle){ .address = 0x1000, .count = 60 };
	toy_poke(&f.toy, 0x1000, 1, 0x77);
	run(&f, ask);
	assert_int_equal(controller->moved, 40);
	assert_int_equal(f.chip->seen_count, 40);
	assert_int_equal(f.chip->seen[0], 0x77);
	assert_false(f.chip->terminal);
	toy_fini(&f.toy);
}

static void addresses_may_fall_and_memory_may_be_left_alone(void **state)
{
	struct fixture f = { 0 };
	struct controller *controller = build_dma(&f);

	controller->granted = true;
	controller->cycle = (struct mw_dma_cycle){
		.address = 0x101f, .count = 32, .to_memory = true, .down = true
	};
	run(&f, ask);
	assert_int_equal(toy_peek(&f.toy, 0x101f, 1), 0x30);
	assert_int_equal(toy_peek(&f.toy, 0x1000, 1), 0x30 + 31);
	toy_fini(&f.toy);
	controller = build_dma(&f);
	controller->granted = true;
	controller->cycle = (struct mw_dma_cycle){
		.address = 0x1000, .count = 32, .to_memory = true, .verify = true
	};
	run(&f, ask);
	assert_int_equal(controller->moved, 32);
	assert_int_equal(toy_peek(&f.toy, 0x1000, 1), 0);
	toy_fini(&f.toy);
}

static void a_masked_channel_moves_nothing(void **state)
{
	struct fixture f = { 0 };
	struct controller *controller = build_dma(&f);

	controller->cycle = (struct mw_dma_cycle){ .address = 0x1000, .count = 32 };
	run(&f, ask);
	assert_int_equal(controller->asked, 1);
	assert_int_equal(f.chip->transfers, 0);
	toy_fini(&f.toy);
}

enum { POLLS = 100, POLL_US = 1000 };
static _Atomic bool saw_done, over;

/* Another CPU, which looks at the device until that has nothing left to move. */
static void *look(void *cpu)
{
	uint64_t left = 1;

	while (left && !over)
		mw_port_read(cpu, GO, 1, &left);
	saw_done = !left && !over;
	return NULL;
}

static void give_time_to_look(void)
{
	for (unsigned i = 0; i < POLLS && !saw_done; i++)
		usleep(POLL_US);
	over = true;
}

static void a_device_is_seen_done_only_once_the_channel_has_counted(void **state)
{
	struct fixture f = { 0 };
	struct controller *controller = build_dma(&f);
	pthread_t thread;

	saw_done = over = false;
	controller->granted = true;
	controller->before_count = give_time_to_look;
	controller->cycle =
		(struct mw_dma_cycle){ .address = 0x1000, .count = 40, .terminal = true };
	f.chip->left = 40;
	assert_int_equal(
		pthread_create(&thread, NULL, look, mw_machine_add_actor(f.toy.machine, "cpu1")),
		0);
	run(&f, ask);
	pthread_join(thread, NULL);
	assert_int_equal(controller->moved, 40);
	assert_false(saw_done);
	toy_fini(&f.toy);
}

/* Who shows pictures. */
struct viewer {
	struct mw_display *display;
	unsigned frames;
	struct mw_rect changed;
	uint32_t pixel;
};

static void on_frame(void *self, const struct mw_canvas *canvas, const struct mw_rect *changed)
{
	struct viewer *viewer = self;

	viewer->frames++;
	viewer->changed = *changed;
	viewer->pixel = canvas->pixels[9];
}

static enum mw_io ask_frame(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	mw_display_request(((struct viewer *)self)->display, value);
	return MW_IO_OK;
}

static const struct mw_region viewer_regions[] = {
	{ "ask", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .write = ask_frame },
};
static const struct mw_wire viewer_wires[] = {
	{ "display", "A picture.", MW_FIELD(struct viewer, display), .on_frame = on_frame },
};
static const struct mw_device_type viewer_type = {
	MW_DEVICE_TYPE,
	.name = "viewer",
	.summary = "shows pictures",
	.size = sizeof(struct viewer),
	.regions = MW_TABLE(viewer_regions),
	.wires = MW_TABLE(viewer_wires),
};

static void a_picture_comes_when_it_is_asked_for(void **state)
{
	struct fixture f = { 0 };
	struct toy *toy = &f.toy;
	uint32_t chip = toy_node(toy, "chip", &chip_type),
		 viewer = toy_node(toy, "viewer", &viewer_type);
	struct mw_canvas canvas = { 0 };
	struct viewer *seen;

	toy_claim(toy, chip, "go", GO, 1);
	toy_claim(toy, viewer, "ask", 0x20, 1);
	toy_link(toy, chip, "display", viewer, "display");
	toy_build(toy);
	seen = toy_device(toy, viewer);
	assert_int_equal(seen->frames, 0);
	toy_out(toy, 0x20, 1, 0);
	assert_int_equal(seen->frames, 1);
	assert_int_equal(seen->pixel, 0x123456);
	assert_int_equal(seen->changed.height, 4);
	toy_out(toy, 0x20, 1, 0);
	assert_int_equal(seen->changed.width, 7); /* cut to the canvas */
	assert_int_equal(mw_machine_display(toy->machine, 0), chip);
	assert_true(mw_machine_draw(toy->machine, chip, &canvas));
	assert_int_equal(canvas.width, 8);
	toy_out(toy, 0x20, 1, 0); /* what was drawn for another is drawn again */
	assert_int_equal(seen->changed.height, 4);
	free(canvas.pixels);
	toy_fini(toy);
}

/* A private bus: a parent that calls its child, and is called back. */
struct part {
	struct mw_line *line;
	void *other;
	const void *interface;
};
struct part_ops {
	void (*poke)(void *self);
};

static void raise_line(void *self)
{
	mw_line_set(((struct part *)self)->line, true);
}

static enum mw_io poke_child(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct part *part = self;

	((const struct part_ops *)part->interface)->poke(part->other);
	return MW_IO_OK;
}

static bool find_child(void *self, struct mw_diagnostics *diagnostics)
{
	struct part *part = self;

	part->other = mw_bus_child(self, "0.1", &part->interface);
	return true;
}

static bool find_parent(void *self, struct mw_diagnostics *diagnostics)
{
	struct part *part = self;

	part->other = mw_bus_parent(self, &part->interface);
	return true;
}

static void hear(void *self, unsigned index, bool level)
{
	((struct part *)self)->other = level ? self : NULL;
}

static const struct part_ops part_ops = { raise_line };
static const struct mw_region part_regions[] = {
	{ "poke", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .write = poke_child, .optional = true },
};
static const struct mw_wire part_wires[] = {
	{ "line", "A line.", MW_FIELD(struct part, line), .optional = true },
};
static const struct mw_wire ear_wires[] = {
	{ "in", "A line.", MW_SINK(1), .on_level = hear },
};
static const struct mw_device_type parent_type = {
	MW_DEVICE_TYPE,
	.name = "parent",
	.summary = "has a child",
	.size = sizeof(struct part),
	.private_bus = true,
	.bus_interface = &part_ops,
	.regions = MW_TABLE(part_regions),
	.wires = MW_TABLE(part_wires),
	.ops = { .init = find_child },
};
static const struct mw_device_type child_type = {
	MW_DEVICE_TYPE,
	.name = "child",
	.summary = "has a parent",
	.size = sizeof(struct part),
	.interface = &part_ops,
	.wires = MW_TABLE(part_wires),
	.ops = { .init = find_parent },
};
static const struct mw_device_type ear_type = {
	MW_DEVICE_TYPE,
	.name = "ear",
	.summary = "hears a line",
	.size = sizeof(struct part),
	.wires = MW_TABLE(ear_wires),
};

static void a_parent_and_its_child_call_each_other(void **state)
{
	struct fixture f = { 0 };
	struct toy *toy = &f.toy;
	uint32_t parent = toy_node(toy, "parent", &parent_type),
		 child = toy_node(toy, "child", &child_type), ear = toy_node(toy, "ear", &ear_type);
	struct part *below;

	toy->nodes[child].bus_node = parent;
	toy->nodes[child].address = "0.1";
	toy_claim(toy, parent, "poke", GO, 1);
	toy_wire(toy, child, "line", ear, "in", 0);
	toy_build(toy);
	below = toy_device(toy, child);
	assert_ptr_equal(below->other, toy_device(toy, parent));
	assert_ptr_equal(below->interface, &part_ops);
	toy_out(toy, GO, 1, 0);
	assert_non_null(((struct part *)toy_device(toy, ear))->other);
	toy_fini(toy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_end_after_the_callback_that_made_them),
		cmocka_unit_test(what_cannot_be_done_fails_and_is_logged),
		cmocka_unit_test(a_medium_is_exchanged_and_the_device_told),
		cmocka_unit_test(a_channel_moves_bytes_until_the_count_is_over),
		cmocka_unit_test(a_device_that_has_no_more_ends_the_cycle_early),
		cmocka_unit_test(addresses_may_fall_and_memory_may_be_left_alone),
		cmocka_unit_test(a_masked_channel_moves_nothing),
		cmocka_unit_test(a_device_is_seen_done_only_once_the_channel_has_counted),
		cmocka_unit_test(a_picture_comes_when_it_is_asked_for),
		cmocka_unit_test(a_parent_and_its_child_call_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
