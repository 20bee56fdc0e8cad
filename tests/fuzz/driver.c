/** Runs a libFuzzer target without libFuzzer: every file of the corpus, then mutations of them, the
 * same ones every time. Usage: TARGET COUNT FOLDER-OR-FILE... */
// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { MOST_BYTES = 1 << 20, ROOM = 4096 };

struct input {
	uint8_t *bytes;
	size_t count;
};
static struct input *inputs;
static size_t input_count;
static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void *reserve(void *old, size_t bytes)
{
	void *memory = realloc(old, bytes);
	if (!memory)
		die("memory");
	return memory;
}

static void add_file(const char *path)
{
	FILE *in = fopen(path, "rb");
	if (!in)
		die(path);
	struct input input = { .bytes = reserve(NULL, MOST_BYTES) };
	input.count = fread(input.bytes, 1, MOST_BYTES, in);
	fclose(in);
	inputs = reserve(inputs, (input_count + 1) * sizeof(*inputs));
	inputs[input_count++] = input;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void add(const char *path)
{
	struct stat status;
	struct dirent **names;
	if (stat(path, &status) < 0)
		die(path);
	if (!S_ISDIR(status.st_mode)) {
		add_file(path);
		return;
	}
	int count = scandir(path, &names, NULL, by_name);
	for (int i = 0; i < count; i++) {
		char name[4096];
		snprintf(name, sizeof(name), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			add_file(name);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}

/** Overwrites 1 to 8 bytes by an extreme or a drawn value. */
static void overwrite(uint8_t *bytes, size_t count)
{
	const uint64_t extremes[] = { 0,          1,          UINT64_MAX, UINT64_MAX - 1,
				      1ull << 63, 0x7fffffff, 0x80000000, 0xfffff000 };
	size_t size = (size_t)1 << draw(4), at = draw(count);
	uint64_t value = draw(2) ? extremes[draw(8)] : draw(UINT64_MAX);
	for (size_t i = 0; i < size && at + i < count; i++)
		bytes[at + i] = (uint8_t)(value >> (8 * i));
}

/** Cuts out, doubles or appends a piece; returns the new count, at most `room`. */
static size_t reshape(uint8_t *bytes, size_t count, size_t room)
{
	size_t at = draw(count + 1), length = draw(64);
	if (draw(3) == 0)
		return at; /* cut off */
	if (length > count - at)
		length = count - at;
	if (draw(2)) {
		memmove(bytes + at, bytes + at + length, count - at - length);
		return count - length;
	}
	if (count + length > room)
		return count;
	memmove(bytes + at + length, bytes + at, count - at);
	return count + length;
}

static void run_mutation(uint8_t *buffer)
{
	const struct input *input = &inputs[draw(input_count)];
	size_t count = input->count;
	memcpy(buffer, input->bytes, count);
	for (uint64_t steps = 1 + draw(6); steps; steps--) {
		if (count && draw(8))
			overwrite(buffer, count);
		else
			count = reshape(buffer, count, MOST_BYTES + ROOM);
	}
	/* a block of exactly this size lets ASan see reads beyond it */
	uint8_t *exact = reserve(NULL, count ? count : 1);
	memcpy(exact, buffer, count);
	LLVMFuzzerTestOneInput(exact, count);
	free(exact);
}

int main(int count, char **arguments)
{
	if (count < 3) {
		fprintf(stderr, "usage: %s COUNT FOLDER-OR-FILE...\n", arguments[0]);
		return 2;
	}
	unsigned long mutations = strtoul(arguments[1], NULL, 0);
	for (int i = 2; i < count; i++)
		add(arguments[i]);
	if (!input_count) {
		fprintf(stderr, "%s: the corpus is empty\n", arguments[0]);
		return 2;
	}
	for (size_t i = 0; i < input_count; i++)
		LLVMFuzzerTestOneInput(inputs[i].bytes, inputs[i].count);
	uint8_t *buffer = reserve(NULL, MOST_BYTES + ROOM);
	for (unsigned long i = 0; i < mutations; i++)
		run_mutation(buffer);
	printf("%zu inputs, %lu mutations\n", input_count, mutations);
	for (size_t i = 0; i < input_count; i++)
		free(inputs[i].bytes);
	free(inputs);
	free(buffer);
	return 0;
}
