#pragma once

#include <string_view>

namespace eventgate {

/// The version of the project.
extern const std::string_view kVersion;

/// The OpenAPI document of `/?spec` (openapi.json), with the version in it.
extern const std::string_view kOpenApi;

/// The page of `/?doc` (doc.html). It shows that document.
extern const std::string_view kDocPage;

/// The page of `/live` (live.html). Its script and styles are inline.
extern const std::string_view kLivePage;

}  // namespace eventgate
