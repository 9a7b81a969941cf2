#include "json_equality.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <tuple>

#include "object_members.hpp"

namespace eventgate {
namespace {

int compare_numbers(JsonValue a, JsonValue b, ValidationScratch& scratch) {
  scratch.number.read(a.source());
  scratch.other_number.read(b.source());
  return compare(scratch.number, scratch.other_number);
}

bool equal_strings(JsonValue a, JsonValue b, ValidationScratch& scratch) {
  if (!b.escaped()) return a.string_equals(b.raw_string());
  if (!a.escaped()) return b.string_equals(a.raw_string());
  return a.string(scratch.key) == b.string(scratch.other_key);
}

}  // namespace

bool equal_values(JsonValue a, JsonValue b, ValidationScratch& scratch) {
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case JsonType::null:
      return true;
    case JsonType::boolean:
      return a.is_true() == b.is_true();
    case JsonType::number: {
      const auto x = small_integer(a), y = small_integer(b);
      return x && y ? *x == *y : compare_numbers(a, b, scratch) == 0;
    }
    case JsonType::string:
      return equal_strings(a, b, scratch);
    case JsonType::array: {
      auto i = a.begin(), j = b.begin();
      for (; !(i == a.end()) && !(j == b.end()); ++i, ++j)
        if (!equal_values(*i, *j, scratch)) return false;
      return i == a.end() && j == b.end();
    }
    case JsonType::object: {
      const std::size_t first = scratch.members.size();
      append_members(a, scratch);
      const std::size_t second = scratch.members.size();
      append_members(b, scratch);
      const std::size_t end = scratch.members.size();
      const std::size_t count = second - first;
      bool same = count == end - second;
      if (same && count > kMaxPairwise) {
        // Sorted by name, so that equal members have equal places.
        for (const auto& [from, to, object] : {std::tuple{first, second, a}, std::tuple{second, end, b}})
          std::sort(scratch.members.begin() + static_cast<std::ptrdiff_t>(from),
                    scratch.members.begin() + static_cast<std::ptrdiff_t>(to),
                    [&scratch, of = object](const ObjectMember& x, const ObjectMember& y) {
                      return JsonValue(of.base(), of.nodes(), x.key).string(scratch.key) <
                             JsonValue(of.base(), of.nodes(), y.key).string(scratch.other_key);
                    });
      }
      for (std::size_t i = first; same && i < second; ++i) {
        const JsonValue key(a.base(), a.nodes(), scratch.members[i].key);
        std::size_t other = second + (i - first);
        if (count <= kMaxPairwise)
          for (other = second;
               other < end && !equal_strings(key, {b.base(), b.nodes(), scratch.members[other].key}, scratch);)
            ++other;
        same = other < end && equal_strings(key, {b.base(), b.nodes(), scratch.members[other].key}, scratch) &&
               equal_values({a.base(), a.nodes(), scratch.members[i].key + 1},
                            {b.base(), b.nodes(), scratch.members[other].key + 1}, scratch);
      }
      scratch.members.resize(first);
      return same;
    }
  }
  return false;
}

std::uint64_t hash_value(JsonValue value, ValidationScratch& scratch) {
  SeededHash hash;
  hash.add(static_cast<std::uint64_t>(value.type()));
  switch (value.type()) {
    case JsonType::null:
      break;
    case JsonType::boolean:
      hash.add(value.is_true());
      break;
    case JsonType::number: {
      scratch.number.read(value.source());
      if (scratch.number.exact) {
        hash.add(scratch.number.digits);
        hash.add(static_cast<std::uint64_t>(scratch.number.exponent) * 2 + scratch.number.negative);
      } else {
        hash.add(std::bit_cast<std::uint64_t>(scratch.number.value));
      }
      break;
    }
    case JsonType::string:
      hash.add(value.string(scratch.key));
      break;
    case JsonType::array:
      for (const JsonValue item : value) hash.add(hash_value(item, scratch));
      break;
    case JsonType::object: {
      const std::size_t first = scratch.members.size();
      append_members(value, scratch);
      const std::size_t end = scratch.members.size();
      std::uint64_t sum = 0;
      for (std::size_t i = first; i < end; ++i) {
        SeededHash member;
        member.add(JsonValue(value.base(), value.nodes(), scratch.members[i].key).string(scratch.key));
        member.add(hash_value({value.base(), value.nodes(), scratch.members[i].key + 1}, scratch));
        sum += member.value();
      }
      hash.add(sum);
      scratch.members.resize(first);
      break;
    }
  }
  return hash.value();
}

std::optional<std::pair<Index, Index>> find_equal_items(JsonValue array, TypeSet types, ValidationScratch& scratch) {
  const JsonNode* const nodes = array.nodes();
  const Index end = array.node().next;
  const bool typed = types != 0;
  const auto value = [&](Index node) { return JsonValue(array.base(), nodes, node); };
  scratch.items.clear();
  for (Index i = array.index() + 1; i < end; i = nodes[i].next) scratch.items.push_back(i);
  const auto counts = [&](Index i) {
    return !typed || (types & type_bit(nodes[i].type)) ||
           (nodes[i].type == JsonType::number && (types & kIntegerBit) && is_whole(value(i).source()));
  };
  const auto count = static_cast<Index>(scratch.items.size());
  std::optional<std::pair<Index, Index>> found;
  if (count <= kMaxPairwise) {
    for (Index i = count; i-- > 0;) {
      if (!counts(scratch.items[i])) continue;
      if (typed) {
        for (Index j = i + 1; j < count; ++j)
          if (counts(scratch.items[j]) && equal_values(value(scratch.items[i]), value(scratch.items[j]), scratch))
            return std::pair{i, j};
      } else {
        for (Index j = i; j-- > 0;)
          if (equal_values(value(scratch.items[i]), value(scratch.items[j]), scratch)) return std::pair{i, j};
      }
    }
    return std::nullopt;
  }
  scratch.hashes.clear();
  for (Index i = 0; i < count; ++i)
    if (counts(scratch.items[i])) scratch.hashes.emplace_back(hash_value(value(scratch.items[i]), scratch), i);
  if (typed) std::reverse(scratch.hashes.begin(), scratch.hashes.end());
  scratch.equals.clear();
  // If two different items have the same hash, the second is stored under the next number.
  for (const auto& [item_hash, i] : scratch.hashes) {
    for (std::uint64_t hash = item_hash;; ++hash) {
      const auto [place, known] = scratch.equals.find_or_insert(hash);
      if (known && !equal_values(value(scratch.items[i]), value(scratch.items[*place]), scratch)) continue;
      if (known) found = {i, *place};
      *place = i;
      break;
    }
    if (typed && found) break;
  }
  return found;
}

}  // namespace eventgate
