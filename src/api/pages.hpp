#pragma once

#include <string_view>

namespace eventgate {

/// The version of the project.
extern const std::string_view kVersion;

/// The OpenAPI document of `/?spec` (openapi.json), with the version in it.
extern const std::string_view kOpenApi;

// The pages of the folder pages/. Each is one text: its styles and its script are inline.

/// The page of `/?doc`. It shows that document, and the schemas shipped.
extern const std::string_view kDocPage;

/// The page of `/live`.
extern const std::string_view kLivePage;

/// The page for a browser that may not see `/live`.
extern const std::string_view kLiveDeniedPage;

/// The page of `/v2/ui`.
extern const std::string_view kStreamsPage;

/// The page of `/`.
extern const std::string_view kIndexPage;

}  // namespace eventgate
