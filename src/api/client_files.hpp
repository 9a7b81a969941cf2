#pragma once

#include <array>
#include <string_view>

namespace eventgate {

/// A file of the browser client (clients/js), which the gate serves.
struct ClientFile {
  std::string_view path;
  std::string_view operation;  ///< `operationId` in the OpenAPI document.
  std::string_view text;
  std::string_view tag;  ///< A weak entity tag: the text may be sent compressed.
  bool immutable;        ///< The path has the hash of the text.
};

/// All of them. CMake makes them from the files of clients/js.
extern const std::array<ClientFile, 5> kClientFiles;

}  // namespace eventgate
