#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/streams/stream_config_source.hpp"
#include "eventgate/streams/wiki_declarations.hpp"

namespace eventgate {

/// Reads the declarations at the dotted `object_path` of the document at `uri`. Calls `warn` with each warning about
/// it. Throws a std::exception with the reason if there are none. Blocks.
nlohmann::ordered_json read_stream_document(ObjectReader& reader, const std::string& uri,
                                            const std::string& object_path,
                                            const std::function<void(const std::string&)>& warn);

/// Returns `stream_config_default_settings`. Throws std::runtime_error if it is no JSON.
nlohmann::ordered_json default_stream_settings(const StreamConfigOptions& options);

/// Reads `uris` once and merges them by `options`. Throws std::runtime_error that names the URI. Blocks.
WikiDeclarations read_declarations(const StreamConfigOptions& options, const std::vector<std::string>& uris,
                                   ObjectReader& reader);

}  // namespace eventgate
