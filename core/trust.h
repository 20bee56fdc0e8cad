/** Hashes, later signatures; wraps mbedcrypto. */
// SPDX-License-Identifier: MIT
#ifndef CORE_TRUST_H
#define CORE_TRUST_H

#include <stddef.h>
#include <stdint.h>

/** A hash over bytes that come in parts: begun, fed, ended once (which frees it). */
struct mw_sha256;
struct mw_sha256 *mw_sha256_begin(void);
void mw_sha256_add(struct mw_sha256 *sha, const void *bytes, size_t count);
void mw_sha256_end(struct mw_sha256 *sha, uint8_t hash[32]);

void mw_sha256(const void *bytes, size_t count, uint8_t hash[32]);

#endif
