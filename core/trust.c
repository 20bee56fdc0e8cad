/* SHA-256 by mbedcrypto. */
// SPDX-License-Identifier: MIT
#include "core/trust.h"

#include <assert.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>
#include <stdlib.h>

#include "core/alloc.h"

/* Up to 2.28 the calls that report hardware failures have names of their own. */
#if MBEDTLS_VERSION_MAJOR < 3
#define SHA256(call) mbedtls_sha256_##call##_ret
#else
#define SHA256(call) mbedtls_sha256_##call
#endif

struct mw_sha256 {
	mbedtls_sha256_context context;
};

static void check(int status)
{
	assert(status == 0 && "the software implementation cannot fail");
	(void)status;
}

struct mw_sha256 *mw_sha256_begin(void)
{
	struct mw_sha256 *sha = mw_alloc(1, sizeof(*sha));

	mbedtls_sha256_init(&sha->context);
	check(SHA256(starts)(&sha->context, 0));
	return sha;
}

void mw_sha256_add(struct mw_sha256 *sha, const void *bytes, size_t count)
{
	check(SHA256(update)(&sha->context, bytes, count));
}

void mw_sha256_end(struct mw_sha256 *sha, uint8_t hash[32])
{
	check(SHA256(finish)(&sha->context, hash));
	mbedtls_sha256_free(&sha->context);
	free(sha);
}

void mw_sha256(const void *bytes, size_t count, uint8_t hash[32])
{
	struct mw_sha256 *sha = mw_sha256_begin();

	mw_sha256_add(sha, bytes, count);
	mw_sha256_end(sha, hash);
}
