#pragma once

#include <boost/system/result.hpp>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "eventgate/schema/compiled_schema.hpp"

namespace eventgate {

/// Returns the document that a `$ref` needs: `path` is its absolute path in the repositories, or an absolute URI.
/// Returns the reason if there is none. The pointer must be valid until the compilation ends.
using RefReader =
    std::function<boost::system::result<const nlohmann::ordered_json*, std::string>(const std::string& path)>;

/// Limits of one compilation, so that a hostile schema takes neither much time nor much memory.
struct CompilerLimits {
  std::size_t depth = 64;                ///< Levels of objects and arrays in a document.
  std::size_t ref_chain = 64;            ///< References that lead to references.
  std::size_t pattern_memory = 8 << 20;  ///< RE2's max_mem for each pattern, bytes.
  std::size_t patterns = 500'000;        ///< Instructions of all patterns together (RE2's ProgramSize), 16 bytes each.
  std::size_t id = 4096;                 ///< Bytes of an id once it is resolved.
  std::size_t pointer = 16 * 1024;       ///< Bytes of the JSON pointer to a schema.
  std::size_t texts = 32 << 20;          ///< Bytes of all pointers and ids together.
};

/// Compiles `document`, which was found at `uri` (absolute path in the repositories). Reads referenced documents by
/// `refs`.
///
/// The error names the place (JSON pointer), what is wrong there and what was expected: an unknown format, a pattern
/// that RE2 does not support, a `$ref` that leads nowhere, an exceeded limit. This does not check the document against
/// its metaschema; `check_schema` does. Thread-safe if `refs` is.
boost::system::result<std::shared_ptr<const CompiledSchema>, std::string> compile_schema(
    const std::string& uri, const nlohmann::ordered_json& document, const RefReader& refs,
    const CompilerLimits& limits = {});

}  // namespace eventgate
