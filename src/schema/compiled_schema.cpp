#include "eventgate/schema/compiled_schema.hpp"

#include <algorithm>
#include <bit>
#include <random>
#include <span>
#include <utility>

#include "eventgate/json/json_text.hpp"
#include "eventgate/schema/ajv_text.hpp"
#include "program.hpp"

namespace eventgate {
namespace {

using Program = CompiledSchema::Program;

/// Arrays and objects of no more values than this are compared pair by pair.
constexpr std::size_t kFew = 8;

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Group group_of(JsonType type) {
  constexpr std::array<Group, 6> kGroups = {Group::none,   Group::none,   Group::number,
                                            Group::string, Group::object, Group::array};
  return kGroups[static_cast<std::size_t>(type)];
}

/// A hash that whoever sends an event cannot foresee.
class Hash {
 public:
  void add(std::uint64_t value) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{state_ ^ value} * 0x9E3779B97F4A7C15u;
    state_ = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^ seed();
  }
  void add(std::string_view text) {
    add(text.size());
    std::uint64_t word = 0;
    for (; text.size() >= 8; text.remove_prefix(8)) {
      std::memcpy(&word, text.data(), 8);
      add(word);
    }
    word = 0;
    std::memcpy(&word, text.data(), text.size());
    add(word);
  }
  std::uint64_t value() const { return state_; }

 private:
  static std::uint64_t seed() {
    static const std::uint64_t value = [] {
      std::random_device device;
      return std::uint64_t{device()} << 32 | device();
    }();
    return value;
  }
  std::uint64_t state_ = seed();
};

/// A hash table of 64-bit keys that is emptied at once. Keeps its memory.
class Table {
 public:
  void clear() {
    if (slots_.size() > kLargestKept) slots_ = {};
    if (++epoch_ == 0) {
      slots_ = {};
      epoch_ = 1;
    }
    count_ = 0;
  }
  /// The value of `key`, and whether it was there; a new one is 0.
  std::pair<std::uint32_t*, bool> at(std::uint64_t key) {
    if ((count_ + 1) * 2 > slots_.size()) grow();
    Slot& slot = slots_[place(key)];
    if (slot.epoch == epoch_) return {&slot.value, true};
    slot = {key, epoch_, 0};
    ++count_;
    return {&slot.value, false};
  }
  const std::uint32_t* find(std::uint64_t key) const {
    if (count_ == 0) return nullptr;
    const Slot& slot = slots_[place(key)];
    return slot.epoch == epoch_ ? &slot.value : nullptr;
  }

 private:
  static constexpr std::size_t kLargestKept = 1 << 16;
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t epoch = 0;
    std::uint32_t value = 0;
  };
  std::size_t place(std::uint64_t key) const {
    const std::size_t mask = slots_.size() - 1;
    Hash hash;
    hash.add(key);
    std::size_t i = static_cast<std::size_t>(hash.value()) & mask;
    while (slots_[i].epoch == epoch_ && slots_[i].key != key) i = (i + 1) & mask;
    return i;
  }
  void grow() {
    std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(std::max<std::size_t>(slots_.size() * 2, 64)));
    for (const Slot& slot : old)
      if (slot.epoch == epoch_) slots_[place(slot.key)] = slot;
  }
  std::vector<Slot> slots_;
  std::uint32_t epoch_ = 1;
  std::size_t count_ = 0;
};

/// A member of an object, the last of its name, at the place of the first.
struct Member {
  Index key;  ///< Its node; the value's is the next.
  bool repeated = false;
};

/// What a thread works with; nothing in it outlives a call.
struct Scratch {
  std::string text;
  std::string key, other_key;
  ExactNumber number, other_number;
  std::vector<Member> members;  ///< Of the objects being looked at, one behind the other.
  std::vector<Index> values;    ///< Of the properties of those objects.
  std::vector<std::pair<std::uint64_t, Index>> hashes;
  std::vector<Index> items;
  Table names;       ///< Of the members of one object.
  Table equals;      ///< Of the items of one array.
  Table verdicts;    ///< Of functions on values.
  Table conditions;  ///< The same, of conditions while defaults are filled in.
  Table added;
};

/// The thread's own, emptied. What a huge event made it grow to is given back.
Scratch& scratch() {
  constexpr std::size_t kLargestKept = 1 << 16;
  thread_local Scratch kept;
  const auto empty = [](auto& list) {
    list.clear();
    if (list.capacity() > kLargestKept) [[unlikely]]
      list.shrink_to_fit();
  };
  empty(kept.text);
  empty(kept.key);
  empty(kept.other_key);
  empty(kept.members);
  empty(kept.values);
  empty(kept.hashes);
  empty(kept.items);
  return kept;
}

std::string_view key_of(JsonValue key, std::string& buffer) { return key.string(buffer); }

std::uint64_t hash_of(std::string_view text) {
  Hash hash;
  hash.add(text);
  return hash.value();
}

/// Whether two of the keys of `members`, which are those of `object`, may be the same. Mostly a bit of each tells that
/// none are.
bool may_repeat(JsonValue object, std::span<const Member> members) {
  std::array<std::uint64_t, 256> taken;
  const int bits = members.size() <= kFew ? 9 : 14;
  std::memset(taken.data(), 0, std::size_t{1} << (bits - 3));
  for (const Member& member : members) {
    const JsonNode& key = object.nodes()[member.key];
    if (key.flags & JsonNode::kEscaped) return true;
    const char* const text = object.base() + key.begin + 1;
    const std::size_t size = std::size_t{key.end} - key.begin - 2;
    std::uint64_t first, last;  // there is padding behind every text
    std::memcpy(&first, text, 8);
    if (size < 8) {
      last = first &= (std::uint64_t{1} << (8 * size)) - 1;
    } else {
      std::memcpy(&last, text + size - 8, 8);
    }
    const std::uint64_t place = ((first ^ std::rotl(last, 29)) + size) * 0x9E3779B97F4A7C15u >> (64 - bits);
    std::uint64_t& word = taken[place / 64];
    const std::uint64_t bit = std::uint64_t{1} << place % 64;
    if (word & bit) return true;
    word |= bit;
  }
  return false;
}

/// Appends the members of `object` to `members`, each name once, where it was first.
/// Returns whether a name was there twice.
bool list_members(JsonValue object, Scratch& s) {
  const std::size_t begin = s.members.size();
  const JsonNode* nodes = object.nodes();
  const Index end = object.node().next;
  for (Index i = object.index() + 1; i < end; i = nodes[i + 1].next) s.members.push_back({i});
  const std::size_t count = s.members.size() - begin;
  if (!may_repeat(object, std::span(s.members).subspan(begin))) return false;
  bool repeats = false;
  const auto key = [&](Index i, std::string& buffer) { return key_of({object.base(), nodes, i}, buffer); };
  std::size_t kept = begin;
  if (count > kFew) s.names.clear();
  // Keys of equal hash are taken for equal only if they are; of different keys with the same hash the second is
  // looked up further on.
  for (std::size_t i = begin; i < begin + count; ++i) {
    const Index node = s.members[i].key;
    const std::string_view name = key(node, s.key);
    std::size_t same = kept;
    if (count <= kFew) {
      for (same = begin; same < kept && key(s.members[same].key, s.other_key) != name;) ++same;
    } else {
      for (std::uint64_t hash = hash_of(name);; ++hash) {
        const auto [place, known] = s.names.at(hash);
        if (!known) {
          *place = static_cast<std::uint32_t>(kept);
          break;
        }
        if (key(s.members[*place].key, s.other_key) == name) {
          same = *place;
          break;
        }
      }
    }
    if (same < kept) {
      s.members[same] = {node, true};
      repeats = true;
    } else {
      s.members[kept++] = {node};
    }
  }
  s.members.resize(kept);
  return repeats;
}

/// Puts the members of `object`, those from `begin` on, into JavaScript's order.
void sort_members(JsonValue object, std::size_t begin, Scratch& s) {
  const auto key = [&](const Member& member, std::string& buffer) {
    return key_of({object.base(), object.nodes(), member.key}, buffer);
  };
  const auto first = s.members.begin() + static_cast<std::ptrdiff_t>(begin);
  if (std::none_of(first, s.members.end(), [&](const Member& one) { return array_index(key(one, s.key)); })) return;
  std::stable_sort(first, s.members.end(),
                   [&](const Member& a, const Member& b) { return !precedes(key(b, s.key), key(a, s.other_key)); });
}

int compare_numbers(JsonValue a, JsonValue b, Scratch& s) {
  s.number.read(a.source());
  s.other_number.read(b.source());
  return compare(s.number, s.other_number);
}

/// The value of an integer without fraction, exponent and more than 18 digits.
std::optional<std::int64_t> small_integer(JsonValue number) {
  const JsonNode& node = number.node();
  if ((node.flags & JsonNode::kFraction) || node.end - node.begin > 18) return std::nullopt;
  const char* at = number.base() + node.begin;
  const char* end = number.base() + node.end;
  const bool negative = *at == '-';
  std::int64_t value = 0;
  for (at += negative; at != end; ++at) value = value * 10 + (*at - '0');
  return negative ? -value : value;
}

bool equal_strings(JsonValue a, JsonValue b, Scratch& s) {
  if (!b.escaped()) return a.string_equals(b.raw_string());
  if (!a.escaped()) return b.string_equals(a.raw_string());
  return a.string(s.key) == b.string(s.other_key);
}

/// Deep equality, as fast-deep-equal has it. Recursive in the lesser depth of both.
bool equal(JsonValue a, JsonValue b, Scratch& s) {
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case JsonType::null:
      return true;
    case JsonType::boolean:
      return a.is_true() == b.is_true();
    case JsonType::number: {
      const auto x = small_integer(a), y = small_integer(b);
      return x && y ? *x == *y : compare_numbers(a, b, s) == 0;
    }
    case JsonType::string:
      return equal_strings(a, b, s);
    case JsonType::array: {
      auto i = a.begin(), j = b.begin();
      for (; !(i == a.end()) && !(j == b.end()); ++i, ++j)
        if (!equal(*i, *j, s)) return false;
      return i == a.end() && j == b.end();
    }
    case JsonType::object: {
      const std::size_t first = s.members.size();
      list_members(a, s);
      const std::size_t second = s.members.size();
      list_members(b, s);
      const std::size_t end = s.members.size();
      const std::size_t count = second - first;
      bool same = count == end - second;
      if (same && count > kFew) {
        // In the same order, so that each has one to be compared with.
        for (const auto& [from, to, object] : {std::tuple{first, second, a}, std::tuple{second, end, b}})
          std::sort(s.members.begin() + static_cast<std::ptrdiff_t>(from),
                    s.members.begin() + static_cast<std::ptrdiff_t>(to),
                    [&s, of = object](const Member& x, const Member& y) {
                      return key_of({of.base(), of.nodes(), x.key}, s.key) <
                             key_of({of.base(), of.nodes(), y.key}, s.other_key);
                    });
      }
      for (std::size_t i = first; same && i < second; ++i) {
        const JsonValue key(a.base(), a.nodes(), s.members[i].key);
        std::size_t other = second + (i - first);
        if (count <= kFew)
          for (other = second; other < end && !equal_strings(key, {b.base(), b.nodes(), s.members[other].key}, s);)
            ++other;
        same = other < end && equal_strings(key, {b.base(), b.nodes(), s.members[other].key}, s) &&
               equal({a.base(), a.nodes(), s.members[i].key + 1}, {b.base(), b.nodes(), s.members[other].key + 1}, s);
      }
      s.members.resize(first);
      return same;
    }
  }
  return false;
}

/// The same for values that are equal.
std::uint64_t hash_value(JsonValue value, Scratch& s) {
  Hash hash;
  hash.add(static_cast<std::uint64_t>(value.type()));
  switch (value.type()) {
    case JsonType::null:
      break;
    case JsonType::boolean:
      hash.add(value.is_true());
      break;
    case JsonType::number: {
      s.number.read(value.source());
      if (s.number.exact) {
        hash.add(s.number.digits);
        hash.add(static_cast<std::uint64_t>(s.number.exponent) * 2 + s.number.negative);
      } else {
        hash.add(std::bit_cast<std::uint64_t>(s.number.value));
      }
      break;
    }
    case JsonType::string:
      hash.add(value.string(s.key));
      break;
    case JsonType::array:
      for (const JsonValue item : value) hash.add(hash_value(item, s));
      break;
    case JsonType::object: {
      const std::size_t first = s.members.size();
      list_members(value, s);
      const std::size_t end = s.members.size();
      std::uint64_t sum = 0;
      for (std::size_t i = first; i < end; ++i) {
        Hash member;
        member.add(key_of({value.base(), value.nodes(), s.members[i].key}, s.key));
        member.add(hash_value({value.base(), value.nodes(), s.members[i].key + 1}, s));
        sum += member.value();
      }
      hash.add(sum);
      s.members.resize(first);
      break;
    }
  }
  return hash.value();
}

enum class Mode {
  quick,    ///< Whether it is valid, stopping at the first error; a key of a schema that is there twice is one.
  verdict,  ///< The same, but the last value of a key counts, as in JavaScript.
  collect,  ///< With every error.
};

/// One walk of a program over an event.
class Walk {
 public:
  Walk(const Program& program, JsonValue event, Validation* validation, Scratch& kept)
      : p(program), text_(event.base()), nodes_(event.nodes()), out_(validation), s(kept) {}

  template <Mode kMode>
  bool check(Index schema, Index value);
  /// Lets the errors' texts have `bytes`, if that is more than kMaxErrorTexts.
  void allow_texts(std::size_t bytes) { max_texts_ = std::max(max_texts_, bytes); }
  /// Whether a quick check came upon a key twice: its verdict is then void, inside a `not` for example.
  bool met_duplicate() const { return met_duplicate_; }
  /// Adds an error for each key of an object that is there twice and known to a schema applied to it.
  void find_duplicates(Index schema, Index value);

 private:
  struct Segment {
    enum class Kind : std::uint8_t { property, index, key };
    Kind kind;
    Index number;           ///< The index, or the node of the key.
    std::string_view path;  ///< Of a property.
  };

  void find_duplicates(Index schema, Index value, Segment segment);
  [[gnu::noinline]] void find_duplicates(const Schema& schema, const ObjectRules& rules, Index value);

  JsonValue value(Index node) const { return {text_, nodes_, node}; }
  /// The content of a string or key.
  [[gnu::always_inline]] std::string_view content(Index node, std::string& buffer) const {
    const JsonNode& n = nodes_[node];
    if (n.flags & JsonNode::kEscaped) [[unlikely]]
      return value(node).string(buffer);
    return {text_ + n.begin + 1, std::size_t{n.end} - n.begin - 2};
  }
  bool full() const { return full_ || out_->errors.size() > kMaxErrors; }

  static bool passes_at_a_glance(const Schema& schema, const JsonNode& node);
  template <Mode kMode>
  [[gnu::noinline]] bool check_rules(const Schema& schema, Index node);
  bool collect(const Schema& schema, Index node);
  template <Mode kMode>
  bool check_type(const Schema& schema, Index node);
  template <Mode kMode>
  bool check_group(const Schema& schema, Index node, Group group);
  template <Mode kMode>
  [[gnu::noinline]] bool check_number(const Schema& schema, const NumberRules& rules, Index node);
  template <Mode kMode>
  [[gnu::noinline]] bool check_string(const Schema& schema, const StringRules& rules, Index node);
  template <Mode kMode>
  [[gnu::noinline]] bool check_array(const Schema& schema, const ArrayRules& rules, Index node);
  template <Mode kMode>
  [[gnu::noinline]] bool check_object(const Schema& schema, const ObjectRules& rules, Index node);
  bool check_plain_object(const Schema& schema, const ObjectRules& rules, Index node);
  template <Mode kMode>
  [[gnu::noinline]] bool check_members(const Schema& schema, const ObjectRules& rules, Index node, std::size_t members,
                                       std::size_t values);
  template <Mode kMode>
  [[gnu::noinline]] bool check_other(const Schema& schema, const OtherRules& rules, Index node);
  template <Mode kMode>
  bool call(const Reference& reference, Index node);

  [[gnu::noinline]] bool is_constant(Index constant, Index node);
  [[gnu::noinline]] bool is_enumerated(const OtherRules& rules, Index node);
  int compare_with(Index node, const Limit& limit);
  bool is_integer(Index node) const;
  bool matches(Index pattern, std::string_view content) const {
    return p.patterns[pattern].re2->Match(content, 0, content.size(), RE2::UNANCHORED, nullptr, 0);
  }
  bool any_pattern_matches(const ObjectRules& rules, std::string_view key) const {
    return std::any_of(rules.patterns.begin(), rules.patterns.end(),
                       [&](const PatternProperty& one) { return matches(one.pattern, key); });
  }
  std::optional<std::pair<Index, Index>> find_equal_items(const ArrayRules& rules, Index node);

  // Not inlined: what recurses has small frames.
  [[gnu::noinline]] void add(const Schema& schema, std::string_view keyword, std::string_view rest, std::string params,
                             std::string message);
  [[gnu::noinline]] void add_plain(const Schema& schema, std::string_view keyword, std::string_view message);
  [[gnu::noinline]] void add_type(const Schema& schema);
  [[gnu::noinline]] void add_limit(const Schema& schema, bool maximum, const Limit& limit);
  [[gnu::noinline]] void add_count(const Schema& schema, std::string_view keyword, const Count& count,
                                   std::string_view more, std::string_view fewer, std::string_view unit);
  [[gnu::noinline]] void add_more_items(const Schema& schema, std::size_t limit);
  [[gnu::noinline]] void add_equal_items(const Schema& schema, Index i, Index j);
  [[gnu::noinline]] void add_required(const Schema& schema, const Property& property);
  [[gnu::noinline]] void add_dependency(const Schema& schema, const ObjectRules& rules, const Dependency& dependency,
                                        Index missing);
  [[gnu::noinline]] void add_property_name(const Schema& schema, std::string_view name, std::size_t first_error);
  [[gnu::noinline]] void add_additional_property(const Schema& schema, std::string_view name);
  [[gnu::noinline]] void add_values(const Schema& schema, std::string_view keyword, std::string_view param,
                                    std::string_view values, std::string_view message);
  [[gnu::noinline]] void add_one_of(const Schema& schema, std::array<std::size_t, 2> passing, std::size_t count);
  [[gnu::noinline]] void add_duplicate_key(const Schema& schema, const std::string& name);
  [[gnu::noinline]] void add_condition(const Schema& schema, std::string_view clause);
  std::string data_path() const;

  const Program& p;
  const char* text_;
  const JsonNode* nodes_;
  Validation* out_;
  bool full_ = false;      // no further error is listed
  std::size_t texts_ = 0;  // bytes of the errors' texts
  std::size_t max_texts_ = kMaxErrorTexts;
  Scratch& s;
  bool met_duplicate_ = false;
  std::vector<Segment> path_;
  std::string_view prefix_ = "#";
};

/// Whether type and size say it all, as they do of most values.
inline bool Walk::passes_at_a_glance(const Schema& schema, const JsonNode& node) {
  const bool integer = node.type == JsonType::number && !(node.flags & JsonNode::kFraction);
  if (!(schema.types & type_bit(node.type)) && !(integer && (schema.types & kIntegerBit))) return false;
  if (schema.only_types) return true;
  const Index size = node.end - node.begin;
  return node.type == JsonType::string ? size < schema.short_string : integer && size < schema.short_integer;
}

template <Mode kMode>
bool Walk::check(Index index, Index node) {
  if (index == kNone) return true;
  const Schema& schema = p.schemas[index];
  if (passes_at_a_glance(schema, nodes_[node])) return true;
  if constexpr (kMode == Mode::collect) {
    return collect(schema, node);
  } else {
    if (!check_type<kMode>(schema, node)) return false;
    return schema.only_types || check_rules<kMode>(schema, node);
  }
}

template <Mode kMode>
bool Walk::check_rules(const Schema& schema, Index node) {
  return check_group<kMode>(schema, node, group_of(nodes_[node].type)) &&
         (schema.other == kNone || check_other<kMode>(schema, p.others[schema.other], node));
}

/// As AJV orders it: the type's error comes first, or at the end of the rules for values of that type.
bool Walk::collect(const Schema& schema, Index node) {
  if (full()) return false;
  if (schema.never) {
    add_plain(schema, "false schema", "boolean schema is false");
    return false;
  }
  const Group group = group_of(nodes_[node].type);
  const bool type_first = group == Group::none || schema.type_group < group;
  bool valid = true;
  if (type_first) valid = check_type<Mode::collect>(schema, node);
  valid = check_group<Mode::collect>(schema, node, group) && valid;
  if (!type_first) valid = check_type<Mode::collect>(schema, node) && valid;
  if (schema.other != kNone) valid = check_other<Mode::collect>(schema, p.others[schema.other], node) && valid;
  return valid;
}

bool Walk::is_integer(Index node) const {
  return !(nodes_[node].flags & JsonNode::kFraction) || is_whole(value(node).source());
}

template <Mode kMode>
bool Walk::check_type(const Schema& schema, Index node) {
  const JsonNode& n = nodes_[node];
  if (schema.types & type_bit(n.type)) return true;
  if (n.type == JsonType::number && (schema.types & kIntegerBit) && is_integer(node)) {
    if constexpr (kMode == Mode::quick)
      if (n.flags & JsonNode::kFraction) out_->integers.push_back(node);
    return true;
  }
  if constexpr (kMode == Mode::collect) {
    add_type(schema);
  }
  return false;
}

template <Mode kMode>
bool Walk::check_group(const Schema& schema, Index node, Group group) {
  switch (group) {
    case Group::none:
      return true;
    case Group::number:
      return schema.number == kNone || check_number<kMode>(schema, p.numbers[schema.number], node);
    case Group::string:
      return schema.string == kNone || check_string<kMode>(schema, p.strings[schema.string], node);
    case Group::array:
      return schema.array == kNone || check_array<kMode>(schema, p.arrays[schema.array], node);
    case Group::object:
      if (schema.object == kNone) return true;
      if constexpr (kMode == Mode::quick)
        if (p.objects[schema.object].simple) return check_plain_object(schema, p.objects[schema.object], node);
      return check_object<kMode>(schema, p.objects[schema.object], node);
  }
  return true;
}

int Walk::compare_with(Index node, const Limit& limit) {
  const JsonValue number = value(node);
  const auto integer = small_integer(number);
  if (integer && limit.small) return *integer < limit.integer ? -1 : *integer > limit.integer;
  // Rounding does not change an order, but may make two numbers equal.
  const double nearest = integer ? static_cast<double>(*integer) : to_double(number.source());
  if (nearest != limit.value) return nearest < limit.value ? -1 : 1;
  s.number.read(number.source());
  return compare(s.number, limit.exact);
}

template <Mode kMode>
bool Walk::check_number(const Schema& schema, const NumberRules& rules, Index node) {
  bool valid = true;
  if constexpr (kMode == Mode::quick) {
    if (rules.small) {
      const auto integer = small_integer(value(node));
      if (integer) return *integer >= rules.smallest && *integer <= rules.largest;
    }
  }
  if (rules.maximum.present && compare_with(node, rules.maximum) > -static_cast<int>(rules.maximum.exclusive)) {
    if constexpr (kMode != Mode::collect) return false;
    add_limit(schema, true, rules.maximum);
    valid = false;
  }
  if (rules.minimum.present && compare_with(node, rules.minimum) < static_cast<int>(rules.minimum.exclusive)) {
    if constexpr (kMode != Mode::collect) return false;
    add_limit(schema, false, rules.minimum);
    valid = false;
  }
  if (rules.has_divisor && !rules.divisor.divides(value(node).source())) {
    if constexpr (kMode != Mode::collect) return false;
    add(schema, "multipleOf", "multipleOf", "{\"multipleOf\":" + rules.divisor_text + "}",
        "should be multiple of " + rules.divisor_text);
    valid = false;
  }
  return valid;
}

template <Mode kMode>
bool Walk::check_string(const Schema& schema, const StringRules& rules, Index node) {
  const std::string_view text = content(node, s.text);
  bool valid = true;
  // Code points are no more than bytes, and no fewer than a quarter of them.
  const std::size_t size = text.size();
  const bool counted = size > rules.maximum.value || size / 4 < rules.minimum.value;
  const std::size_t length = counted ? code_points(text) : size;
  if (length > rules.maximum.value) {
    if constexpr (kMode != Mode::collect) return false;
    add_count(schema, "maxLength", rules.maximum, "be longer", "be shorter", "characters");
    valid = false;
  }
  if (length < rules.minimum.value) {
    if constexpr (kMode != Mode::collect) return false;
    add_count(schema, "minLength", rules.minimum, "be longer", "be shorter", "characters");
    valid = false;
  }
  if (rules.pattern != kNone && !matches(rules.pattern, text)) {
    if constexpr (kMode != Mode::collect) return false;
    const std::string& pattern = p.patterns[rules.pattern].text;
    add(schema, "pattern", "pattern", "{\"pattern\":" + json_string(pattern) + "}",
        "should match pattern \"" + pattern + "\"");
    valid = false;
  }
  if (rules.format && !matches_format(*rules.format, text)) {
    if constexpr (kMode != Mode::collect) return false;
    add(schema, "format", "format", "{\"format\":" + json_string(rules.format_name) + "}",
        "should match format \"" + rules.format_name + "\"");
    valid = false;
  }
  return valid;
}

template <Mode kMode>
bool Walk::check_array(const Schema& schema, const ArrayRules& rules, Index node) {
  constexpr Mode kTest = kMode == Mode::quick ? Mode::quick : Mode::verdict;
  const Index end = nodes_[node].next;
  bool valid = true;
  if (!rules.maximum.text.empty() || !rules.minimum.text.empty() || rules.no_more_items) {
    std::uint64_t count = 0;
    for (Index i = node + 1; i < end; i = nodes_[i].next) ++count;
    if (count > rules.maximum.value) {
      if constexpr (kMode != Mode::collect) return false;
      add_count(schema, "maxItems", rules.maximum, "have more", "have fewer", "items");
      valid = false;
    }
    if (count < rules.minimum.value) {
      if constexpr (kMode != Mode::collect) return false;
      add_count(schema, "minItems", rules.minimum, "have more", "have fewer", "items");
      valid = false;
    }
    if (rules.no_more_items && count > rules.tuple.size()) {
      if constexpr (kMode != Mode::collect) return false;
      add_more_items(schema, rules.tuple.size());
      valid = false;
    }
  }
  const auto check_item = [&](Index item_schema, Index item, Index at) {
    if constexpr (kMode == Mode::collect) path_.push_back({Segment::Kind::index, at, {}});
    const bool good = check<kMode>(item_schema, item);
    if constexpr (kMode == Mode::collect) path_.pop_back();
    return good;
  };
  if (rules.items != kNone || !rules.tuple.empty()) {
    Index at = 0;
    for (Index i = node + 1; i < end; i = nodes_[i].next, ++at) {
      const Index item_schema = at < rules.tuple.size() ? rules.tuple[at] : rules.items;
      if (item_schema == kNone || check_item(item_schema, i, at)) continue;
      if constexpr (kMode != Mode::collect) return false;
      valid = false;
    }
  }
  if (rules.has_contains) {
    bool found = false;
    for (Index i = node + 1; i < end && !found; i = nodes_[i].next) found = check<kTest>(rules.contains, i);
    if (!found) {
      if constexpr (kMode != Mode::collect) return false;
      Index at = 0;
      for (Index i = node + 1; i < end && !full(); i = nodes_[i].next, ++at) check_item(rules.contains, i, at);
      add_plain(schema, "contains", "should contain a valid item");
      valid = false;
    }
  }
  if (rules.unique) {
    if (const auto equal_items = find_equal_items(rules, node)) {
      if constexpr (kMode != Mode::collect) return false;
      add_equal_items(schema, equal_items->first, equal_items->second);
      valid = false;
    }
  }
  return valid;
}

/// The pair of equal items that AJV names: it looks from the end, at items of any type for an earlier one, at those of
/// the items' own type for a later one.
std::optional<std::pair<Index, Index>> Walk::find_equal_items(const ArrayRules& rules, Index node) {
  const Index end = nodes_[node].next;
  const bool typed = rules.unique_types != 0;
  s.items.clear();
  for (Index i = node + 1; i < end; i = nodes_[i].next) s.items.push_back(i);
  const auto counts = [&](Index i) {
    return !typed || (rules.unique_types & type_bit(nodes_[i].type)) ||
           (nodes_[i].type == JsonType::number && (rules.unique_types & kIntegerBit) && is_integer(i));
  };
  const auto count = static_cast<Index>(s.items.size());
  std::optional<std::pair<Index, Index>> found;
  if (count <= kFew) {
    for (Index i = count; i-- > 0;) {
      if (!counts(s.items[i])) continue;
      if (typed) {
        for (Index j = i + 1; j < count; ++j)
          if (counts(s.items[j]) && equal(value(s.items[i]), value(s.items[j]), s)) return std::pair{i, j};
      } else {
        for (Index j = i; j-- > 0;)
          if (equal(value(s.items[i]), value(s.items[j]), s)) return std::pair{i, j};
      }
    }
    return std::nullopt;
  }
  s.hashes.clear();
  for (Index i = 0; i < count; ++i)
    if (counts(s.items[i])) s.hashes.emplace_back(hash_value(value(s.items[i]), s), i);
  if (typed) std::reverse(s.hashes.begin(), s.hashes.end());
  s.equals.clear();
  // Values with the hash of a different one go to the next hash, and are found there.
  for (const auto& [item_hash, i] : s.hashes) {
    for (std::uint64_t hash = item_hash;; ++hash) {
      const auto [place, known] = s.equals.at(hash);
      if (known && !equal(value(s.items[i]), value(s.items[*place]), s)) continue;
      if (known) found = {i, *place};
      *place = i;
      break;
    }
    if (typed && found) break;
  }
  return found;
}

/// The objects of most events, in one pass over their members.
bool Walk::check_plain_object(const Schema& schema, const ObjectRules& rules, Index node) {
  const Index end = nodes_[node].next;
  std::uint64_t seen = 0;
  for (Index i = node + 1; i < end; i = nodes_[i + 1].next) {
    const Index index = rules.find(content(i, s.key));
    if (index >= rules.declared) {
      if (rules.no_additional) return false;
      // Of a key that is there twice the last value counts, and that may be another one.
      if (!(rules.additional_types & type_bit(nodes_[i + 1].type)))
        return check_object<Mode::quick>(schema, rules, node);
      if (index != kNone) seen |= std::uint64_t{1} << index;
      continue;
    }
    const std::uint64_t bit = std::uint64_t{1} << index;
    if (seen & bit) [[unlikely]] {
      met_duplicate_ = true;
      return false;
    }
    seen |= bit;
    const Index property = rules.schemas[index];
    if (property == kNone || passes_at_a_glance(p.schemas[property], nodes_[i + 1])) continue;
    if (!check<Mode::quick>(property, i + 1)) return false;
  }
  return (seen & rules.all_required) == rules.all_required;
}

template <Mode kMode>
bool Walk::check_object(const Schema& schema, const ObjectRules& rules, Index node) {
  const std::size_t members = s.members.size();
  const std::size_t values = s.values.size();
  list_members(value(node), s);
  if constexpr (kMode == Mode::collect) sort_members(value(node), members, s);
  s.values.resize(values + rules.properties.size(), kNone);
  const bool valid = check_members<kMode>(schema, rules, node, members, values);
  s.members.resize(members);
  s.values.resize(values);
  return valid;
}

/// Of the object `node`, whose members are those of the scratch from `members` on, and the values of its properties
/// those from `values` on.
template <Mode kMode>
bool Walk::check_members(const Schema& schema, const ObjectRules& rules, Index node, std::size_t members,
                         std::size_t values) {
  bool valid = true;
  const std::size_t members_end = s.members.size();
  const std::size_t count = members_end - members;
  const auto key = [&](std::size_t i) { return content(s.members[i].key, s.key); };
  const auto declared = [&](std::string_view name) { return rules.find(name) < rules.declared; };
  for (std::size_t i = members; i < members_end; ++i) {
    const Index index = rules.find(key(i));
    if (index == kNone) continue;
    if constexpr (kMode == Mode::quick)
      if (s.members[i].repeated && index < rules.declared) {
        met_duplicate_ = true;
        return false;
      }
    s.values[values + index] = s.members[i].key + 1;
  }
  const auto has = [&](Index property) { return s.values[values + property] != kNone; };

  if (count > rules.maximum.value) {
    if constexpr (kMode != Mode::collect) return false;
    add_count(schema, "maxProperties", rules.maximum, "have more", "have fewer", "properties");
    valid = false;
  }
  if (count < rules.minimum.value) {
    if constexpr (kMode != Mode::collect) return false;
    add_count(schema, "minProperties", rules.minimum, "have more", "have fewer", "properties");
    valid = false;
  }
  for (const Index required : rules.required) {
    if (has(required)) continue;
    if constexpr (kMode != Mode::collect) return false;
    if (full()) return false;
    add_required(schema, rules.properties[required]);
    valid = false;
  }
  for (const Dependency& dependency : rules.dependencies) {
    if (!has(dependency.property)) continue;
    for (const Index required : dependency.required) {
      if (has(required)) continue;
      if constexpr (kMode != Mode::collect) return false;
      if (full()) return false;
      add_dependency(schema, rules, dependency, required);
      valid = false;
    }
    if (!check<kMode>(dependency.schema, node)) {
      if constexpr (kMode != Mode::collect) return false;
      valid = false;
    }
  }
  if (rules.property_names != kNone) {
    for (std::size_t i = members; i < members_end; ++i) {
      const std::size_t before = out_->errors.size();
      if (check<kMode>(rules.property_names, s.members[i].key)) continue;
      if constexpr (kMode != Mode::collect) return false;
      valid = false;
      if (full()) break;
      add_property_name(schema, key(i), before);
    }
  }
  const auto check_member = [&](Index member_schema, std::size_t i) {
    const Index member = s.members[i].key;
    if constexpr (kMode == Mode::collect) path_.push_back({Segment::Kind::key, member, {}});
    const bool good = check<kMode>(member_schema, member + 1);
    if constexpr (kMode == Mode::collect) path_.pop_back();
    return good;
  };
  if (rules.no_additional || rules.additional != kNone) {
    for (std::size_t i = members; i < members_end; ++i) {
      const std::string_view name = key(i);
      if (declared(name) || any_pattern_matches(rules, name)) continue;
      if (rules.no_additional) {
        if constexpr (kMode != Mode::collect) return false;
        if (full()) return false;
        add_additional_property(schema, name);
        valid = false;
      } else if (!check_member(rules.additional, i)) {
        if constexpr (kMode != Mode::collect) return false;
        valid = false;
      }
    }
  }
  for (std::size_t i = 0; i < rules.declared; ++i) {
    const Property& property = rules.properties[i];
    const Index found = s.values[values + i];
    if (found == kNone) {
      if (!property.required) continue;
      if constexpr (kMode != Mode::collect) return false;
      if (full()) return false;
      add_required(schema, property);
      valid = false;
      continue;
    }
    if (property.schema == kNone) continue;
    if constexpr (kMode == Mode::collect) path_.push_back({Segment::Kind::property, 0, property.path});
    const bool good = check<kMode>(property.schema, found);
    if constexpr (kMode == Mode::collect) path_.pop_back();
    if (good) continue;
    if constexpr (kMode != Mode::collect) return false;
    valid = false;
  }
  for (const PatternProperty& one : rules.patterns) {
    if (one.schema == kNone) continue;
    for (std::size_t i = members; i < members_end; ++i) {
      if (!matches(one.pattern, key(i)) || check_member(one.schema, i)) continue;
      if constexpr (kMode != Mode::collect) return false;
      valid = false;
    }
  }
  return valid;
}

template <Mode kMode>
bool Walk::call(const Reference& reference, Index node) {
  const Function& function = p.functions[reference.function];
  if (!function.remembered) {
    if constexpr (kMode != Mode::collect) return check<kMode>(function.schema, node);
  } else {
    constexpr Mode kTest = kMode == Mode::quick ? Mode::quick : Mode::verdict;
    const std::uint64_t key = std::uint64_t{reference.function} << 32 | node;
    const std::uint32_t* known = s.verdicts.find(key);
    const bool valid = known ? *known != 0 : check<kTest>(function.schema, node);
    if (!known) *s.verdicts.at(key).first = valid;
    if (kMode != Mode::collect || valid) return valid;
  }
  if constexpr (kMode == Mode::collect) {
    const std::string_view outer = std::exchange(prefix_, reference.prefix);
    const bool valid = check<kMode>(function.schema, node);
    prefix_ = outer;
    return valid;
  }
}

bool Walk::is_constant(Index constant, Index node) { return equal(value(node), p.constants[constant]->value(), s); }

bool Walk::is_enumerated(const OtherRules& rules, Index node) {
  if (nodes_[node].type == JsonType::string) return rules.strings.find(content(node, s.text)) != kNone;
  return std::any_of(rules.enumeration.begin(), rules.enumeration.end(),
                     [&](Index constant) { return is_constant(constant, node); });
}

template <Mode kMode>
bool Walk::check_other(const Schema& schema, const OtherRules& rules, Index node) {
  constexpr Mode kTest = kMode == Mode::quick ? Mode::quick : Mode::verdict;
  if (rules.reference != kNone) return call<kMode>(p.references[rules.reference], node);
  bool valid = true;
  if (rules.constant != kNone && !is_constant(rules.constant, node)) {
    if constexpr (kMode != Mode::collect) return false;
    add_values(schema, "const", "allowedValue", rules.constant_text, "should be equal to constant");
    valid = false;
  }
  if (rules.has_enumeration && !is_enumerated(rules, node)) {
    if constexpr (kMode != Mode::collect) return false;
    add_values(schema, "enum", "allowedValues", rules.enumeration_text, "should be equal to one of the allowed values");
    valid = false;
  }
  if (rules.has_negation && check<kTest>(rules.negation, node)) {
    if constexpr (kMode != Mode::collect) return false;
    add_plain(schema, "not", "should NOT be valid");
    valid = false;
  }
  if (rules.has_any_of) {
    bool passes = false;
    for (const Index branch : rules.any_of)
      if ((passes = check<kTest>(branch, node))) break;
    if (!passes) {
      if constexpr (kMode != Mode::collect) return false;
      for (const Index branch : rules.any_of) check<kMode>(branch, node);
      add_plain(schema, "anyOf", "should match some schema in anyOf");
      valid = false;
    }
  }
  if (rules.has_one_of) {
    std::array<std::size_t, 2> passing{};
    std::size_t count = 0;
    for (std::size_t i = 0; i < rules.one_of.size() && count < 2; ++i)
      if (check<kTest>(rules.one_of[i], node)) passing[count++] = i;
    if (count != 1) {
      if constexpr (kMode != Mode::collect) return false;
      const std::size_t end = count ? passing[1] : rules.one_of.size();
      for (std::size_t i = 0; i < end; ++i)
        if (!count || i != passing[0]) check<kMode>(rules.one_of[i], node);
      add_one_of(schema, passing, count);
      valid = false;
    }
  }
  for (const Index one : rules.all_of) {
    if (check<kMode>(one, node)) continue;
    if constexpr (kMode != Mode::collect) return false;
    valid = false;
  }
  if (rules.has_condition) {
    const bool holds = check<kTest>(rules.condition, node);
    if (!check<kMode>(holds ? rules.then_schema : rules.else_schema, node)) {
      if constexpr (kMode != Mode::collect) return false;
      add_condition(schema, holds ? "then" : "else");
      valid = false;
    }
  }
  return valid;
}

std::string Walk::data_path() const {
  std::string path;
  for (const Segment& segment : path_) switch (segment.kind) {
      case Segment::Kind::property:
        path += segment.path;
        break;
      case Segment::Kind::index:
        path += "[" + std::to_string(segment.number) + "]";
        break;
      case Segment::Kind::key:
        path += "['" + value(segment.number).string() + "']";
        break;
    }
  return path;
}

/// `rest` is what follows the schema's own path in schemaPath.
void Walk::add(const Schema& schema, std::string_view keyword, std::string_view rest, std::string params,
               std::string message) {
  if (full()) return;
  ValidationError error;
  if (texts_ > max_texts_ || out_->errors.size() == kMaxErrors) {
    error.keyword = "maxErrors";
    error.schema_path = "#";
    error.params = "{\"limit\":" + std::to_string(out_->errors.size()) + "}";
    error.message = "has more errors";
    full_ = true;
  } else {
    error.keyword = keyword;
    error.data_path = data_path();
    error.schema_path = prefix_;
    error.schema_path += p.texts[schema.path];
    if (!rest.empty()) error.schema_path += '/';
    error.schema_path += rest;
    error.params = std::move(params);
    error.message = std::move(message);
    texts_ += error.data_path.size() + error.schema_path.size() + error.params.size() + error.message.size();
  }
  out_->errors.push_back(std::move(error));
}

void Walk::add_plain(const Schema& schema, std::string_view keyword, std::string_view message) {
  add(schema, keyword, keyword, "{}", std::string(message));
}

void Walk::add_type(const Schema& schema) {
  const std::string& name = p.texts[schema.type_name];
  add(schema, "type", "type", R"({"type":")" + name + "\"}", "should be " + name);
}

void Walk::add_more_items(const Schema& schema, std::size_t limit) {
  const std::string text = std::to_string(limit);
  add(schema, "additionalItems", "additionalItems", "{\"limit\":" + text + "}",
      "should NOT have more than " + text + " items");
}

void Walk::add_equal_items(const Schema& schema, Index first, Index second) {
  const std::string i = std::to_string(first), j = std::to_string(second);
  add(schema, "uniqueItems", "uniqueItems", "{\"i\":" + i + ",\"j\":" + j + "}",
      "should NOT have duplicate items (items ## " + j + " and " + i + " are identical)");
}

void Walk::add_dependency(const Schema& schema, const ObjectRules& rules, const Dependency& dependency, Index missing) {
  const std::string& property = rules.properties[dependency.property].key;
  const std::size_t count = dependency.required.size();
  add(schema, "dependencies", "dependencies",
      "{\"property\":" + json_string(property) + ",\"missingProperty\":" + json_string(rules.properties[missing].key) +
          ",\"depsCount\":" + std::to_string(count) + ",\"deps\":" + json_string(dependency.required_text) + "}",
      std::string("should have ") + (count == 1 ? "property " : "properties ") + dependency.required_text +
          " when property " + property + " is present");
}

/// The errors from `first_error` on are about the key `name`.
void Walk::add_property_name(const Schema& schema, std::string_view key, std::size_t first_error) {
  const std::string name(key);
  for (std::size_t i = first_error; i < out_->errors.size(); ++i) {
    out_->errors[i].property_name = name;
    texts_ += name.size();
  }
  add(schema, "propertyNames", "propertyNames", "{\"propertyName\":" + json_string(name) + "}",
      "property name '" + name + "' is invalid");
}

void Walk::add_additional_property(const Schema& schema, std::string_view name) {
  add(schema, "additionalProperties", "additionalProperties", "{\"additionalProperty\":" + json_string(name) + "}",
      "should NOT have additional properties");
}

void Walk::add_values(const Schema& schema, std::string_view keyword, std::string_view param, std::string_view values,
                      std::string_view message) {
  std::string params = "{\"";
  params += param;
  params += "\":";
  params += values;
  add(schema, keyword, keyword, params + "}", std::string(message));
}

void Walk::add_one_of(const Schema& schema, std::array<std::size_t, 2> passing, std::size_t count) {
  add(schema, "oneOf", "oneOf",
      count ? "{\"passingSchemas\":[" + std::to_string(passing[0]) + "," + std::to_string(passing[1]) + "]}"
            : "{\"passingSchemas\":null}",
      "should match exactly one schema in oneOf");
}

void Walk::add_condition(const Schema& schema, std::string_view clause_name) {
  const std::string clause(clause_name);
  add(schema, "if", "if", "{\"failingKeyword\":\"" + clause + "\"}", "should match \"" + clause + "\" schema");
}

void Walk::add_limit(const Schema& schema, bool maximum, const Limit& limit) {
  const std::string keyword =
      limit.exclusive ? (maximum ? "exclusiveMaximum" : "exclusiveMinimum") : (maximum ? "maximum" : "minimum");
  const std::string comparison = std::string(maximum ? "<" : ">") + (limit.exclusive ? "" : "=");
  add(schema, keyword, keyword,
      "{\"comparison\":\"" + comparison + "\",\"limit\":" + limit.text +
          ",\"exclusive\":" + (limit.exclusive ? "true" : "false") + "}",
      "should be " + comparison + " " + limit.text);
}

void Walk::add_count(const Schema& schema, std::string_view keyword, const Count& count, std::string_view more,
                     std::string_view fewer, std::string_view unit) {
  const bool maximum = keyword.starts_with("max");
  std::string message = "should NOT ";
  message += maximum ? more : fewer;
  message += " than " + count.text + " ";
  message += unit;
  add(schema, keyword, keyword, "{\"limit\":" + count.text + "}", std::move(message));
}

void Walk::add_required(const Schema& schema, const Property& property) {
  add(schema, "required", "required", "{\"missingProperty\":" + json_string(property.key) + "}",
      "should have required property '" + property.key + "'");
}

void Walk::add_duplicate_key(const Schema& schema, const std::string& name) {
  add(schema, "duplicateKey", "", "{\"key\":" + json_string(name) + "}",
      "should NOT have duplicate key '" + name + "'");
}

void Walk::find_duplicates(Index index, Index node, Segment segment) {
  path_.push_back(segment);
  find_duplicates(index, node);
  path_.pop_back();
}

void Walk::find_duplicates(const Schema& schema, const ObjectRules& rules, Index node) {
  const std::size_t members = s.members.size();
  list_members(value(node), s);
  sort_members(value(node), members, s);
  const std::size_t end = s.members.size();
  for (std::size_t i = members; i < end; ++i) {
    const Member member = s.members[i];
    const std::string name = value(member.key).string();
    const Index found = rules.find(name);
    const bool declared = found < rules.declared;
    // Once for each object and key, whatever number of schemas knows it.
    if (declared && member.repeated && !s.added.at(std::uint64_t{node} << 32 | member.key).second)
      add_duplicate_key(schema, name);
    if (declared)
      find_duplicates(rules.properties[found].schema, member.key + 1,
                      {Segment::Kind::property, 0, rules.properties[found].path});
    bool matched = false;
    for (const PatternProperty& one : rules.patterns)
      if (matches(one.pattern, name)) {
        matched = true;
        find_duplicates(one.schema, member.key + 1, {Segment::Kind::key, member.key, {}});
      }
    if (!declared && !matched) find_duplicates(rules.additional, member.key + 1, {Segment::Kind::key, member.key, {}});
  }
  s.members.resize(members);
  for (const Dependency& dependency : rules.dependencies) find_duplicates(dependency.schema, node);
}

void Walk::find_duplicates(Index index, Index node) {
  if (index == kNone || full()) return;
  const Schema& schema = p.schemas[index];
  const JsonNode& n = nodes_[node];
  if (n.type == JsonType::array && schema.array != kNone) {
    const ArrayRules& rules = p.arrays[schema.array];
    Index at = 0;
    for (Index i = node + 1; i < n.next; i = nodes_[i].next, ++at) {
      find_duplicates(at < rules.tuple.size() ? rules.tuple[at] : rules.items, i, {Segment::Kind::index, at, {}});
      find_duplicates(rules.contains, i, {Segment::Kind::index, at, {}});
    }
  }
  if (n.type == JsonType::object && schema.object != kNone) find_duplicates(schema, p.objects[schema.object], node);
  if (schema.other == kNone) return;
  const OtherRules& rules = p.others[schema.other];
  if (rules.reference != kNone) {
    const Reference& reference = p.references[rules.reference];
    const Function& function = p.functions[reference.function];
    if (function.remembered && s.verdicts.at(std::uint64_t{reference.function} << 32 | node).second) return;
    const std::string_view outer = std::exchange(prefix_, reference.prefix);
    find_duplicates(function.schema, node);
    prefix_ = outer;
  }
  find_duplicates(rules.negation, node);
  for (const auto* list : {&rules.any_of, &rules.one_of, &rules.all_of})
    for (const Index branch : *list) find_duplicates(branch, node);
  find_duplicates(rules.condition, node);
  find_duplicates(rules.then_schema, node);
  find_duplicates(rules.else_schema, node);
}

bool has_duplicates(JsonValue event, Scratch& s) {
  bool repeats = false;
  for (Index i = event.index(); i < event.node().next && !repeats; ++i) {
    if (event.nodes()[i].type != JsonType::object) continue;
    repeats = list_members({event.base(), event.nodes(), i}, s);
    s.members.clear();
  }
  return repeats;
}

/// One walk that notes the defaults an event lacks.
class Completion {
 public:
  Completion(const Program& program, JsonValue event, EventPatch& splice, Scratch& kept)
      : p(program), text_(event.base()), nodes_(event.nodes()), splice_(splice), s(kept) {
    s.verdicts.clear();
    s.conditions.clear();
    s.added.clear();
  }

  void complete(Index index, Index node);
  bool any() const { return last_changed_ != kNone; }

 private:
  JsonValue value(Index node) const { return {text_, nodes_, node}; }
  void changed(Index node) { last_changed_ = last_changed_ == kNone ? node : std::max(last_changed_, node); }
  bool has_defaults(Index schema) const { return schema != kNone && p.schemas[schema].has_defaults; }
  [[gnu::noinline]] bool holds(Index condition, Index node);
  [[gnu::noinline]] void complete_object(const ObjectRules& rules, Index node);
  [[gnu::noinline]] void complete_array(const ArrayRules& rules, Index node);
  /// The text of an array with the defaults of the items it lacks; whether it lacks any.
  [[gnu::noinline]] bool complete_tuple(const ArrayRules& rules, Index node);

  const Program& p;
  const char* text_;
  const JsonNode* nodes_;
  EventPatch& splice_;
  Scratch& s;
  Index last_changed_ = kNone;  ///< The last of the text, not of time.
};

void Completion::complete(Index index, Index node) {
  if (!has_defaults(index)) return;
  const Schema& schema = p.schemas[index];
  const JsonNode& n = nodes_[node];
  if (n.type == JsonType::object && schema.object != kNone) complete_object(p.objects[schema.object], node);
  if (n.type == JsonType::array && schema.array != kNone) complete_array(p.arrays[schema.array], node);
  if (schema.other == kNone) return;
  const OtherRules& rules = p.others[schema.other];
  if (rules.reference != kNone) {
    const Index called = p.references[rules.reference].function;
    const Function& function = p.functions[called];
    if (function.remembered && s.verdicts.at(std::uint64_t{called} << 32 | node).second) return;
    complete(function.schema, node);
  }
  for (const Index one : rules.all_of) complete(one, node);
  if (!has_defaults(rules.then_schema) && !has_defaults(rules.else_schema)) return;
  // What was filled in just now may decide the condition: that is for the next round.
  if (any() && last_changed_ >= node) return;
  complete(holds(rules.condition, node) ? rules.then_schema : rules.else_schema, node);
}

bool Completion::holds(Index condition, Index node) {
  Validation validation;
  std::swap(s.verdicts, s.conditions);
  const bool valid = Walk(p, value(node), &validation, s).check<Mode::verdict>(condition, node);
  std::swap(s.verdicts, s.conditions);
  return valid;
}

void Completion::complete_object(const ObjectRules& rules, Index node) {
  const JsonValue object = value(node);
  for (const Index i : rules.defaults) {
    const Property& property = rules.properties[i];
    if (object.find(property.key)) continue;
    if (s.added.at(std::uint64_t{node} << 32 | property.name).second) continue;
    splice_.add_member(object, property.key, p.constants[property.default_value]->json());
    changed(node);
  }
  const Index end = nodes_[node].next;
  for (Index i = node + 1; i < end; i = nodes_[i + 1].next) {
    const std::string_view key = value(i).string(s.key);
    const Index found = rules.find(key);
    const bool declared = found < rules.declared;
    bool matched = false;
    for (const PatternProperty& one : rules.patterns) {
      // The key anew: its buffer is shared.
      const std::string_view name = value(i).string(s.key);
      if (!p.patterns[one.pattern].re2->Match(name, 0, name.size(), RE2::UNANCHORED, nullptr, 0)) continue;
      matched = true;
      complete(one.schema, i + 1);
    }
    if (declared)
      complete(rules.properties[found].schema, i + 1);
    else if (!matched)
      complete(rules.additional, i + 1);
  }
  for (const Dependency& dependency : rules.dependencies)
    if (has_defaults(dependency.schema) &&
        (object.find(rules.properties[dependency.property].key) ||
         s.added.find(std::uint64_t{node} << 32 | rules.properties[dependency.property].name)))
      complete(dependency.schema, node);
}

bool Completion::complete_tuple(const ArrayRules& rules, Index node) {
  const Index end = nodes_[node].next;
  std::size_t count = 0;
  for (Index i = node + 1; i < end; i = nodes_[i].next) ++count;
  std::size_t needed = rules.tuple_defaults.size();
  while (needed > count && rules.tuple_defaults[needed - 1] == kNone) --needed;
  if (needed <= count || s.added.at(std::uint64_t{node} << 32 | kNone).second) return false;
  const std::string_view source = value(node).source();
  std::string text(source.substr(0, source.size() - 1));
  for (std::size_t i = count; i < needed; ++i) {
    if (i) text += ',';
    // JavaScript writes the holes of an array as null.
    text += rules.tuple_defaults[i] == kNone ? "null" : p.constants[rules.tuple_defaults[i]]->json();
  }
  splice_.replace(value(node), text + "]");
  changed(end - 1);
  return true;
}

void Completion::complete_array(const ArrayRules& rules, Index node) {
  const Index end = nodes_[node].next;
  if (!rules.tuple_defaults.empty() && complete_tuple(rules, node)) return;  // What is inside it is for the next round.
  std::size_t at = 0;
  for (Index i = node + 1; i < end; i = nodes_[i].next, ++at)
    complete(at < rules.tuple.size() ? rules.tuple[at] : rules.items, i);
}

/// Whether `found` holds for a schema that applies wherever the one at `index` does: itself, or one behind a reference
/// or an allOf.
template <typename Predicate>
bool any_in_place(const Program& p, Index index, const Predicate& found) {
  if (index == kNone) return false;
  const Schema& schema = p.schemas[index];
  if (found(schema)) return true;
  if (schema.other == kNone) return false;
  const OtherRules& rules = p.others[schema.other];
  if (rules.reference != kNone && any_in_place(p, p.functions[p.references[rules.reference].function].schema, found))
    return true;
  return std::any_of(rules.all_of.begin(), rules.all_of.end(), [&](Index one) { return any_in_place(p, one, found); });
}

/// Whether a schema that applies at `keys` below the one at `index` is one that `found` holds for.
template <typename Predicate>
bool any_at(const Program& p, Index index, std::span<const std::string> keys, const Predicate& found) {
  if (keys.empty()) return any_in_place(p, index, found);
  return any_in_place(p, index, [&](const Schema& schema) {
    if (schema.object == kNone) return false;
    const ObjectRules& rules = p.objects[schema.object];
    const Index property = rules.find(keys[0]);
    return property < rules.declared && any_at(p, rules.properties[property].schema, keys.subspan(1), found);
  });
}

}  // namespace

bool complete_value(const Program& program, Index schema, JsonValue value, EventPatch& splice) {
  Completion completion(program, value, splice, scratch());
  completion.complete(schema, value.index());
  return completion.any();
}

CompiledSchema::CompiledSchema(std::unique_ptr<const Program> program) : program_(std::move(program)) {}
CompiledSchema::~CompiledSchema() = default;

const std::string& CompiledSchema::uri() const { return program_->uri; }
const std::optional<std::string>& CompiledSchema::title() const { return program_->title; }

bool CompiledSchema::declares(const FieldPath& field) const {
  if (field.empty()) return false;
  const std::span<const std::string> keys = field.keys();
  const auto declares_last = [&](const Schema& schema) {
    if (schema.object == kNone) return false;
    const ObjectRules& rules = program_->objects[schema.object];
    const Index property = rules.find(keys.back());
    return property < rules.declared;
  };
  return any_at(*program_, program_->root, keys.first(keys.size() - 1), declares_last);
}

bool CompiledSchema::declares_parent_object(const FieldPath& field) const {
  if (field.empty()) return false;
  const std::span<const std::string> keys = field.keys();
  return any_at(*program_, program_->root, keys.first(keys.size() - 1),
                [](const Schema& schema) { return schema.types == type_bit(JsonType::object); });
}

bool CompiledSchema::complete(JsonValue event, EventPatch& splice) const {
  if (program_->root == kNone || !program_->schemas[program_->root].has_defaults) return false;
  return complete_value(*program_, program_->root, event, splice);
}

bool CompiledSchema::validate(JsonValue event, Validation& validation) const {
  validation.clear();
  Scratch& s = scratch();
  s.verdicts.clear();
  Walk walk(*program_, event, &validation, s);
  if (walk.check<Mode::quick>(program_->root, event.index()) && !walk.met_duplicate()) {
    std::sort(validation.integers.begin(), validation.integers.end());
    validation.integers.erase(std::unique(validation.integers.begin(), validation.integers.end()),
                              validation.integers.end());
    return true;
  }
  validation.integers.clear();
  s.members.clear();
  s.values.clear();
  s.verdicts.clear();
  walk.allow_texts(4 * event.source().size());
  walk.check<Mode::collect>(program_->root, event.index());
  if (has_duplicates(event, s)) {
    s.verdicts.clear();
    s.added.clear();
    walk.find_duplicates(program_->root, event.index());
  }
  return validation.valid();
}

}  // namespace eventgate
