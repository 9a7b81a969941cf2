#include "keyword_errors.hpp"

#include <algorithm>
#include <utility>

#include "eventgate/base/edit_distance.hpp"
#include "eventgate/base/quote.hpp"
#include "eventgate/json/json_text.hpp"

namespace eventgate {

namespace {

/// Bytes of a client's property, and of a schema's values, in a hint.
constexpr std::size_t kMaxHintName = 100;
constexpr std::size_t kMaxHintValues = 300;
/// Properties of a schema that are compared with a name, and that a hint lists.
constexpr std::size_t kMaxCompared = 1000;
constexpr std::size_t kMaxListed = 8;

/// Returns the declared property that is most like `name`, or null if none is like it.
const std::string* similar_property(const ObjectRules& rules, std::string_view name) {
  const std::string* best = nullptr;
  std::size_t least = kMaxNameEdits + 1;
  const std::size_t count = std::min<std::size_t>(rules.declared, kMaxCompared);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t edits = name_edits(name, rules.properties[i].key);
    if (edits >= least) continue;
    least = edits;
    best = &rules.properties[i].key;
  }
  return best;
}

}  // namespace

void KeywordErrors::raise_text_limit(std::size_t bytes) { max_text_size_ = std::max(max_text_size_, bytes); }

std::string_view KeywordErrors::set_schema_prefix(std::string_view prefix) { return std::exchange(prefix_, prefix); }

std::string KeywordErrors::data_path() const {
  std::string path;
  for (const Step& step : steps_) switch (step.kind) {
      case Step::Kind::property:
        path += step.path;
        break;
      case Step::Kind::index:
        path += "[" + std::to_string(step.number) + "]";
        break;
      case Step::Kind::key:
        path += "['" + JsonValue(text_, nodes_, step.number).string() + "']";
        break;
    }
  return path;
}

void KeywordErrors::add(const Schema& schema, std::string_view keyword, std::string_view path_end, std::string params,
                        std::string message, std::string hint) {
  if (is_full()) return;
  ValidationError error;
  if (text_size_ > max_text_size_ || errors_.size() == kMaxErrors) {
    error.keyword = "maxErrors";
    error.schema_path = "#";
    error.params = "{\"limit\":" + std::to_string(errors_.size()) + "}";
    error.message = "has more errors";
    full_ = true;
  } else {
    error.keyword = keyword;
    error.data_path = data_path();
    error.schema_path = prefix_;
    error.schema_path += program_.texts[schema.path];
    if (!path_end.empty()) error.schema_path += '/';
    error.schema_path += path_end;
    error.params = std::move(params);
    error.message = std::move(message);
    error.hint = std::move(hint);
    text_size_ += error.data_path.size() + error.schema_path.size() + error.params.size() + error.message.size() +
                  error.hint.size();
  }
  errors_.push_back(std::move(error));
}

void KeywordErrors::add_plain(const Schema& schema, std::string_view keyword, std::string_view message) {
  add(schema, keyword, keyword, "{}", std::string(message));
}

void KeywordErrors::add_type(const Schema& schema, bool is_empty_list) {
  const std::string& name = program_.texts[schema.type_name];
  const bool is_of_php = is_empty_list && (schema.types & type_bit(JsonType::object)) != 0;
  add(schema, "type", "type", R"({"type":")" + name + "\"}", "should be " + name,
      is_of_php ? "is an empty list; PHP writes an empty object so" : "");
}

void KeywordErrors::add_additional_items(const Schema& schema, std::size_t limit) {
  const std::string text = std::to_string(limit);
  add(schema, "additionalItems", "additionalItems", "{\"limit\":" + text + "}",
      "should NOT have more than " + text + " items");
}

void KeywordErrors::add_equal_items(const Schema& schema, Index first, Index second) {
  const std::string i = std::to_string(first), j = std::to_string(second);
  add(schema, "uniqueItems", "uniqueItems", "{\"i\":" + i + ",\"j\":" + j + "}",
      "should NOT have duplicate items (items ## " + j + " and " + i + " are identical)");
}

void KeywordErrors::add_dependency(const Schema& schema, const ObjectRules& rules, const Dependency& dependency,
                                   Index missing) {
  const std::string& property = rules.properties[dependency.property].key;
  const std::size_t count = dependency.required.size();
  add(schema, "dependencies", "dependencies",
      "{\"property\":" + json_string(property) + ",\"missingProperty\":" + json_string(rules.properties[missing].key) +
          ",\"depsCount\":" + std::to_string(count) + ",\"deps\":" + json_string(dependency.required_text) + "}",
      std::string("should have ") + (count == 1 ? "property " : "properties ") + dependency.required_text +
          " when property " + property + " is present");
}

void KeywordErrors::add_property_name(const Schema& schema, std::string_view key, std::size_t first_error) {
  const std::string name(key);
  for (std::size_t i = first_error; i < errors_.size(); ++i) {
    errors_[i].property_name = name;
    text_size_ += name.size();
  }
  add(schema, "propertyNames", "propertyNames", "{\"propertyName\":" + json_string(name) + "}",
      "property name '" + name + "' is invalid");
}

void KeywordErrors::add_additional_property(const Schema& schema, std::string_view name) {
  add(schema, "additionalProperties", "additionalProperties", "{\"additionalProperty\":" + json_string(name) + "}",
      "should NOT have additional properties", additional_property_hint(schema, name));
}

/// Names the property, and the one that was meant or those that there are.
std::string KeywordErrors::additional_property_hint(const Schema& schema, std::string_view name) {
  std::string hint = "has " + quote(name, kMaxHintName);
  if (name_searches_ == 0 || schema.object == kNone) return hint;
  --name_searches_;
  const ObjectRules& rules = program_.objects[schema.object];
  if (const std::string* const similar = similar_property(rules, name))
    return hint + "; did you mean " + quote(*similar, kMaxHintName) + "?";
  if (rules.declared == 0) return hint;
  hint += "; known are ";
  const std::size_t listed = std::min<std::size_t>(rules.declared, kMaxListed);
  for (std::size_t i = 0; i < listed; ++i) hint += (i == 0 ? "" : ", ") + quote(rules.properties[i].key, kMaxHintName);
  if (listed < rules.declared) hint += " and " + std::to_string(rules.declared - listed) + " more";
  return hint;
}

void KeywordErrors::add_const(const Schema& schema, const AnyTypeRules& rules) {
  add(schema, "const", "const", "{\"allowedValue\":" + rules.constant_text + "}", "should be equal to constant",
      "has to be " + shorten(rules.constant_text, kMaxHintValues));
}

void KeywordErrors::add_enum(const Schema& schema, const AnyTypeRules& rules) {
  add(schema, "enum", "enum", "{\"allowedValues\":" + rules.enumeration_text + "}",
      "should be equal to one of the allowed values",
      "has to be one of " + shorten(rules.enumeration_text, kMaxHintValues));
}

void KeywordErrors::add_one_of(const Schema& schema, std::array<std::size_t, 2> passing, std::size_t count) {
  add(schema, "oneOf", "oneOf",
      count ? "{\"passingSchemas\":[" + std::to_string(passing[0]) + "," + std::to_string(passing[1]) + "]}"
            : "{\"passingSchemas\":null}",
      "should match exactly one schema in oneOf",
      count ? "matches numbers " + std::to_string(passing[0]) + " and " + std::to_string(passing[1]) + ", from 0 on"
            : std::string());
}

void KeywordErrors::add_condition(const Schema& schema, std::string_view clause_name) {
  const std::string clause(clause_name);
  add(schema, "if", "if", "{\"failingKeyword\":\"" + clause + "\"}", "should match \"" + clause + "\" schema");
}

void KeywordErrors::add_limit(const Schema& schema, bool maximum, const Limit& limit) {
  const std::string keyword =
      limit.exclusive ? (maximum ? "exclusiveMaximum" : "exclusiveMinimum") : (maximum ? "maximum" : "minimum");
  const std::string comparison = std::string(maximum ? "<" : ">") + (limit.exclusive ? "" : "=");
  add(schema, keyword, keyword,
      "{\"comparison\":\"" + comparison + "\",\"limit\":" + limit.text +
          ",\"exclusive\":" + (limit.exclusive ? "true" : "false") + "}",
      "should be " + comparison + " " + limit.text);
}

void KeywordErrors::add_multiple_of(const Schema& schema, const NumberRules& rules) {
  add(schema, "multipleOf", "multipleOf", "{\"multipleOf\":" + rules.divisor_text + "}",
      "should be multiple of " + rules.divisor_text);
}

void KeywordErrors::add_pattern(const Schema& schema, const std::string& pattern) {
  add(schema, "pattern", "pattern", "{\"pattern\":" + json_string(pattern) + "}",
      "should match pattern \"" + pattern + "\"");
}

void KeywordErrors::add_format(const Schema& schema, const std::string& format) {
  add(schema, "format", "format", "{\"format\":" + json_string(format) + "}", "should match format \"" + format + "\"");
}

void KeywordErrors::add_count(const Schema& schema, std::string_view keyword, const Count& count, std::string_view more,
                              std::string_view fewer, std::string_view unit) {
  const bool maximum = keyword.starts_with("max");
  std::string message = "should NOT ";
  message += maximum ? more : fewer;
  message += " than " + count.text + " ";
  message += unit;
  add(schema, keyword, keyword, "{\"limit\":" + count.text + "}", std::move(message));
}

void KeywordErrors::add_required(const Schema& schema, const Property& property) {
  add(schema, "required", "required", "{\"missingProperty\":" + json_string(property.key) + "}",
      "should have required property '" + property.key + "'");
}

void KeywordErrors::add_duplicate_key(const Schema& schema, const std::string& name) {
  add(schema, "duplicateKey", "", "{\"key\":" + json_string(name) + "}",
      "should NOT have duplicate key '" + name + "'");
}

}  // namespace eventgate
