#pragma once

#include <re2/re2.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/json/decimal.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/schema/compiled_schema.hpp"
#include "formats.hpp"
#include "key_table.hpp"

namespace eventgate {

/// Where a thing is in one of the program's arrays.
using Index = std::uint32_t;

/// There is no such thing; as a schema: one that everything is valid under.
inline constexpr Index kNone = std::numeric_limits<Index>::max();

/// A set of JSON types, a bit for each, and one for integers.
using TypeSet = std::uint8_t;
inline constexpr TypeSet type_bit(JsonType type) { return static_cast<TypeSet>(1u << static_cast<unsigned>(type)); }
inline constexpr TypeSet kIntegerBit = 1u << 6;
inline constexpr TypeSet kAnyType = 0x7F;

/// AJV's groups of rules, in its order.
enum class Group : std::uint8_t { none, number, string, array, object };

/// What the rules for numbers compare with.
struct Limit {
  bool present = false;
  bool exclusive = false;
  bool small = false;  ///< It is `integer`.
  std::int64_t integer = 0;
  double value = 0;
  ExactNumber exact;
  std::string text;
};

struct NumberRules {
  bool small = false;  ///< Of an integer with few digits these bounds say it all.
  std::int64_t smallest = std::numeric_limits<std::int64_t>::min();
  std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  Limit maximum, minimum;
  bool has_divisor = false;
  Divisor divisor;
  std::string divisor_text;
};

/// A keyword such as maxLength.
struct Count {
  std::uint64_t value;
  std::string text;  ///< Empty: the keyword is not there.
};

struct StringRules {
  Index pattern = kNone;
  std::optional<Format> format;
  Count maximum{std::numeric_limits<std::uint64_t>::max(), {}};
  Count minimum{0, {}};
  std::string format_name;
};

struct ArrayRules {
  Count maximum{std::numeric_limits<std::uint64_t>::max(), {}};
  Count minimum{0, {}};
  bool is_tuple = false;
  bool no_more_items = false;  ///< additionalItems is false.
  Index items = kNone;         ///< Of all items, or of those behind the tuple.
  std::vector<Index> tuple;
  std::vector<Index> tuple_defaults;  ///< Constants, or kNone; empty if there are none.
  bool has_contains = false;
  Index contains = kNone;
  bool unique = false;
  /// If the items have a type without objects and arrays, AJV compares those of that type only, from the end.
  TypeSet unique_types = 0;
};

/// A name that an object's rules know.
struct Property {
  std::string key;
  std::string path;    ///< AJV's path to it.
  Index name = kNone;  ///< The number of the key among all keys of the program.
  Index schema = kNone;
  Index default_value = kNone;  ///< A constant.
  bool required = false;        ///< Looked for where the property is, since it has a schema.
};

struct Dependency {
  Index property;               ///< Of the same rules.
  std::vector<Index> required;  ///< Properties.
  std::string required_text;    ///< Their keys, with commas.
  Index schema = kNone;
};

struct PatternProperty {
  Index pattern;
  Index schema;
};

struct ObjectRules {
  Count maximum{std::numeric_limits<std::uint64_t>::max(), {}};
  Count minimum{0, {}};
  /// Those of `properties` first, in their order; then what `required` and `dependencies` name besides.
  std::vector<Property> properties;
  std::vector<Index> required;  ///< Looked for before the properties.
  std::vector<Dependency> dependencies;
  Index property_names = kNone;
  bool no_additional = false;
  Index additional = kNone;
  std::vector<PatternProperty> patterns;

  KeyTable keys;
  std::uint32_t declared = 0;      ///< So many properties, from the first on, are in `properties`.
  std::vector<Index> schemas;      ///< Of those.
  std::uint64_t all_required = 0;  ///< Bits of properties, if there are no more than 64.
  std::vector<Index> defaults;     ///< Properties that have one.
  /// Only properties, required and additionalProperties, which is false or says types and no more; not more than 64.
  bool simple = false;
  TypeSet additional_types = kAnyType;  ///< Of a simple one: what members that are no property must be.

  /// The property named `key`, behind which 8 bytes can be read.
  Index find(std::string_view key) const { return keys.find(key); }
};

/// A `$ref`.
struct Reference {
  Index function = kNone;
  std::string prefix;  ///< What schemaPaths behind it start with: `#`, or the reference if AJV would inline its schema.
};

struct OtherRules {
  Index reference = kNone;
  Index constant = kNone;
  std::string constant_text;
  bool has_enumeration = false;
  std::vector<Index> enumeration;  ///< Constants, without the strings.
  KeyTable strings;                ///< Of the enumeration.
  std::string enumeration_text;
  bool has_negation = false;
  Index negation = kNone;
  std::vector<Index> any_of, one_of, all_of;
  bool has_any_of = false, has_one_of = false;
  bool has_condition = false;
  Index condition = kNone, then_schema = kNone, else_schema = kNone;
};

/// One schema that says something.
struct Schema {
  TypeSet types = kAnyType;
  Group type_group = Group::none;  ///< The group whose end has the type's error; none: it comes first.
  bool never = false;              ///< `false`: no type will do.
  bool only_types = false;         ///< There is no other rule.
  bool has_defaults = false;       ///< In it, or behind its references, where AJV fills them.
  /// A string or an integer (without fraction and exponent) of the right type that is written with fewer bytes than
  /// this is valid, whatever it says: most rules of real schemas are but bounds that are seldom met. 0: it takes a
  /// look.
  std::uint32_t short_string = 0, short_integer = 0;
  Index number = kNone, string = kNone, array = kNone, object = kNone, other = kNone;
  Index path = kNone;  ///< schemaPath from the start of its function.
  Index type_name = kNone;
};

/// What a `$ref` leads to, or the document itself.
struct Function {
  Index schema = kNone;
  bool remembered = false;  ///< Several references lead here: verdicts are kept, for linear time.
};

/// A value of the schema: of `const`, `enum` or `default`.
struct Constant {
  std::string text;  ///< As JSON.stringify writes it, and kJsonPadding bytes.
  std::size_t size = 0;
  JsonNodes nodes;

  std::string_view json() const { return {text.data(), size}; }
  JsonValue value() const { return nodes.root(); }
};

struct Pattern {
  std::string text;
  std::unique_ptr<const RE2> re2;
};

struct CompiledSchema::Program {
  std::string uri;
  std::optional<std::string> title;
  Index root = kNone;

  std::vector<Schema> schemas;
  std::vector<NumberRules> numbers;
  std::vector<StringRules> strings;
  std::vector<ArrayRules> arrays;
  std::vector<ObjectRules> objects;
  std::vector<OtherRules> others;
  std::vector<Reference> references;
  std::vector<Function> functions;
  std::vector<std::unique_ptr<const Constant>> constants;
  std::vector<Pattern> patterns;
  std::vector<std::string> texts;  ///< Paths, and the names of types.
};

/// Notes the defaults that `value`, of a text that `splice` works on, lacks under `schema`. Returns whether there are
/// any.
bool complete_value(const CompiledSchema::Program& program, Index schema, JsonValue value, EventPatch& splice);

}  // namespace eventgate
