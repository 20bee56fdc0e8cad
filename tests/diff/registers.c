/** registers TYPE: one device on the bench, driven by lines of standard input: `r REGION OFFSET SIZE`
 * prints a value, `w REGION OFFSET SIZE VALUE` prints `-`; numbers are hexadecimal. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "devices/registry.h"
#include "tests/support/rig.h"

static const struct mw_device_type *find(const char *name)
{
	for (size_t i = 0; mw_device_types[i]; i++) {
		if (!strcmp(mw_device_types[i]->name, name))
			return mw_device_types[i];
	}
	return NULL;
}

/* Keeps the way out of a stream from filling up. */
static void empty_streams(struct rig *rig, const struct mw_device_type *type)
{
	char bytes[4096];

	for (size_t i = 0; i < type->wires.count; i++) {
		if (type->wires.items[i].kind == MW_STREAM)
			rig_take(rig, type->wires.items[i].name, bytes, sizeof(bytes));
	}
}

int main(int count, char **arguments)
{
	const struct mw_device_type *type = count == 2 ? find(arguments[1]) : NULL;
	char line[128], what, region[32];
	uint64_t offset, value;
	unsigned size;

	if (!type) {
		fputs("usage: registers TYPE\n", stderr);
		return 2;
	}
	struct rig *rig = rig_create(type, NULL);

	while (fgets(line, sizeof(line), stdin)) {
		int fields = sscanf(line, "%c %31s %" SCNx64 " %x %" SCNx64, &what, region, &offset,
				    &size, &value);

		if (what == 'r' && fields == 4) {
			printf("%" PRIx64 "\n", rig_read(rig, region, offset, size));
		} else if (what == 'w' && fields == 5) {
			rig_write(rig, region, offset, size, value);
			puts("-");
		} else {
			fprintf(stderr, "registers: what is %s", line);
			return 2;
		}
		empty_streams(rig, type);
	}
	rig_destroy(rig);
	return 0;
}
