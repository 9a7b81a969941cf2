#include "stream_query.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "eventgate/base/utf8.hpp"
#include "eventgate/json/json_text.hpp"
#include "eventgate/streams/wiki_declarations.hpp"

namespace eventgate {

namespace {

/// Bytes of a client's text in an error.
constexpr std::size_t kMaxQuoted = 100;

/// Separates values that contain `|`, if it is the first character of a list: MediaWiki's multi-value parameters.
constexpr char kUnitSeparator = '\x1f';

const std::string* parameter(const Query& query, std::string_view name) {
  const auto found =
      std::find_if(query.rbegin(), query.rend(), [&](const auto& parameter) { return parameter.first == name; });
  return found == query.rend() ? nullptr : &found->second;
}

StreamQueryError bad_value(const std::string& name, std::string_view value) {
  return {"badvalue",
          "Unrecognized value for parameter \"" + name + "\": " + std::string(utf8_prefix(value, kMaxQuoted)) + "."};
}

/// Splits a multi-value parameter, at most kMaxStreamQueryValues + 1 values. An empty text has none.
std::vector<std::string> values_of(std::string_view list) {
  std::vector<std::string> values;
  char separator = '|';
  if (list.starts_with(kUnitSeparator)) {
    separator = kUnitSeparator;
    list.remove_prefix(1);
  }
  while (!list.empty() && values.size() <= kMaxStreamQueryValues) {
    const std::size_t end = std::min(list.find(separator), list.size());
    values.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return values;
}

std::optional<StreamQueryError> too_many(const char* name, const std::vector<std::string>& values) {
  if (values.size() <= kMaxStreamQueryValues) return std::nullopt;
  return StreamQueryError{"toomanyvalues", std::string("Too many values supplied for parameter \"") + name +
                                               "\". The limit is " + std::to_string(kMaxStreamQueryValues) + "."};
}

/// Reads `a[b][c]=value`. Without `=` the value is empty.
StreamConstraint constraint_of(std::string_view text) {
  StreamConstraint constraint;
  const std::size_t equals = std::min(text.find('='), text.size());
  constraint.value = text.substr(std::min(equals + 1, text.size()));
  std::string_view name = text.substr(0, equals);
  const std::size_t bracket = std::min(name.find('['), name.size());
  constraint.path.emplace_back(name.substr(0, bracket));
  for (name.remove_prefix(bracket); name.starts_with('[');) {
    const std::size_t end = name.find(']');
    if (end == std::string_view::npos) break;
    constraint.path.emplace_back(name.substr(1, end - 1));
    name.remove_prefix(end + 1);
  }
  return constraint;
}

}  // namespace

boost::system::result<StreamQuery, StreamQueryError> parse_stream_query(const Query& query) {
  StreamQuery result;
  if (const std::string* const streams = parameter(query, "streams")) {
    result.selection.streams = values_of(*streams);
    if (auto error = too_many("streams", *result.selection.streams)) return *std::move(error);
  }
  if (const std::string* const constraints = parameter(query, "constraints")) {
    const std::vector<std::string> values = values_of(*constraints);
    if (auto error = too_many("constraints", values)) return *std::move(error);
    for (const std::string& value : values) result.selection.constraints.push_back(constraint_of(value));
  }
  if (const std::string* const wiki = parameter(query, "wiki")) {
    if (!is_wiki_name(*wiki)) return bad_value("wiki", *wiki);
    result.wiki = *wiki;
  }
  return result;
}

std::optional<StreamQueryError> action_error(const Query& query) {
  const std::string* const action = parameter(query, "action");
  if (!action) return StreamQueryError{"missingparam", "The \"action\" parameter must be set."};
  if (*action != "streamconfigs") return bad_value("action", *action);
  if (const std::string* const format = parameter(query, "format"); format && *format != "json")
    return bad_value("format", *format);
  if (const std::string* const version = parameter(query, "formatversion");
      version && *version != "2" && *version != "latest")
    return bad_value("formatversion", *version);
  return std::nullopt;
}

std::string error_json(const StreamQueryError& error) {
  return "{\"error\":{\"code\":" + json_string(error.code) + ",\"info\":" + json_string(error.info) + "}}";
}

}  // namespace eventgate
