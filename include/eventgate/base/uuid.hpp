#pragma once

#include <cstddef>
#include <string>

namespace eventgate {

/// Bytes of a UUID as text: `0c7f1f6e-4c1b-4a35-9f0a-3a0a3a2f7c11`.
inline constexpr std::size_t kUuidSize = 36;

/// Writes a random UUID (RFC 9562, version 4) in lower case to `out`, which must have room for `kUuidSize` bytes.
///
/// Thread-safe: each thread has its own generator, seeded by the kernel. Do not use it as a secret.
void write_random_uuid(char* out);

/// Returns what `write_random_uuid` writes.
std::string random_uuid();

}  // namespace eventgate
