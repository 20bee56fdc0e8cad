/* SHA-256 by mbedcrypto. */
// SPDX-License-Identifier: MIT
#include "core/trust.h"

#include <assert.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>

void mw_sha256(const void *bytes, size_t count, uint8_t hash[32])
{
	/* Up to 2.28 the call that reports hardware failures has a name of its own. */
#if MBEDTLS_VERSION_MAJOR < 3
	int status = mbedtls_sha256_ret(bytes, count, hash, 0);
#else
	int status = mbedtls_sha256(bytes, count, hash, 0);
#endif

	assert(status == 0 && "the software implementation cannot fail");
	(void)status;
}
