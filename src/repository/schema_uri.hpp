#pragma once

#include <string_view>

// The URIs that name schemas: a path in the repositories such as `/test/event/1.0.0`, or an absolute URI. The public
// part is `schema_uri_form` in schema_repository.hpp.

namespace eventgate {

/// Returns true for an http or https URI.
bool is_remote(std::string_view uri);

/// Returns `uri` without a `#` at its end.
std::string_view without_hash(std::string_view uri);

/// Returns the key under which a schema is cached. It is the same for `a/1.0.0`, `/a/1.0.0` and `/a/1.0.0#`.
std::string_view schema_key(std::string_view schema_uri);

/// Returns true if the last segment is `latest`, with or without an extension.
bool is_latest(std::string_view key);

/// Returns true if the last segment has an extension: `.yaml` is one, the `.0` of `1.0.0` is not.
bool has_extension(std::string_view key);

}  // namespace eventgate
