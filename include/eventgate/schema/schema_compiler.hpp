#pragma once

#include <boost/system/result.hpp>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "eventgate/schema/compiled_schema.hpp"

namespace eventgate {

/// Gives the document at an absolute path of the repositories, for a `$ref`, or why there is none.
/// The pointer lives as long as the compilation.
using RefReader =
    std::function<boost::system::result<const nlohmann::ordered_json*, std::string>(const std::string& path)>;

struct CompilerLimits {
  std::size_t depth = 64;                ///< Of the document.
  std::size_t ref_chain = 64;            ///< `$ref` to `$ref`.
  std::size_t pattern_memory = 8 << 20;  ///< RE2's max_mem, bytes.
  std::size_t patterns = 500'000;        ///< Instructions of all patterns together, RE2's ProgramSize: 16 bytes each.
  std::size_t id = 4096;                 ///< Bytes of an id, resolved.
  std::size_t pointer = 16 * 1024;       ///< Bytes of the JSON pointer to a schema.
  std::size_t texts = 32 << 20;          ///< Bytes of all pointers and ids that are kept.
};

/// Compiles `document`, found at `uri` (absolute path in the repositories). The document's metaschema checks are not
/// its business (`schema_check`). The error says what is wrong, where (JSON pointer) and what was expected: unknown
/// format, pattern RE2 cannot take,
/// `$ref` that leads nowhere, unknown metaschema, depth.
boost::system::result<std::shared_ptr<const CompiledSchema>, std::string> compile_schema(
    const std::string& uri, const nlohmann::ordered_json& document, const RefReader& refs,
    const CompilerLimits& limits = {});

}  // namespace eventgate
