/** Any text as a profile to lay out: what comes out means the same, stays as it is when laid out once
 * more, and no text is a bug. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "tools/fmt/fmt.h"

static void run(const char *text, size_t count)
{
	struct mw_diagnostics diagnostics = { 0 };
	size_t length = 0, again_length = 0;
	char *out, *again;
	enum mw_fmt_result result = mw_fmt(&diagnostics, "fuzz", text, count, &out, &length);

	/* BUG is not a crash: the file is left alone. But what comes out has to stay. */
	CHECK((result == MW_FMT_DONE) == (out != NULL));
	CHECK(result != MW_FMT_WRONG || diagnostics.errors);
	if (out) {
		CHECK(length == 0 || out[length - 1] == '\n');
		CHECK(mw_fmt(&diagnostics, "again", out, length, &again, &again_length) ==
		      MW_FMT_DONE);
		CHECK(again_length == length && memcmp(again, out, length) == 0);
		free(again);
	}
	free(out);
	mw_diagnostics_fini(&diagnostics);
}

/* Bytes that no profile may hold become ones that mean something to YAML. */
static void wash(const uint8_t *bytes, size_t count, char *washed)
{
	static const char alphabet[] = "\n\n    ::--[]{},,#\"'|>$()?0123456789abix";

	for (size_t i = 0; i < count; i++)
		washed[i] = (bytes[i] >= 0x20 && bytes[i] < 0x7f) || bytes[i] == '\n'
				    ? (char)bytes[i]
				    : alphabet[bytes[i] % (sizeof(alphabet) - 1)];
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	char *washed = malloc(count + 1);

	CHECK(washed);
	run((const char *)bytes, count);
	wash(bytes, count, washed);
	run(washed, count);
	free(washed);
	return 0;
}
