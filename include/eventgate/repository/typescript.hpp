#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

// TypeScript's types of what JSON Schemas admit, as far as types can say it: bounds, formats and patterns are left out.

namespace eventgate {

/// Returns the name of the interface of a title: `AnalyticsLinkHover` of `analytics/link_hover`.
std::string typescript_name(std::string_view title);

/// Returns `text` as a literal of TypeScript, in single quotes.
std::string typescript_literal(std::string_view text);

/// Returns the comment for a description, indented, with its line end. Returns an empty text for an empty description.
std::string typescript_comment(std::string_view description, std::size_t indent);

/// Returns the interface `name` of the events that `schema` admits. `uri` is the only value of `uri_field`. `schema`
/// has no
/// `$ref` but those to itself, whose type is `unknown`.
std::string typescript_interface(const std::string& name, const nlohmann::ordered_json& schema, const std::string& uri,
                                 const std::string& uri_field);

}  // namespace eventgate
