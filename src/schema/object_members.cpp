#include "object_members.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "eventgate/json/json_text.hpp"
#include "eventgate/schema/ajv_text.hpp"

namespace eventgate {
namespace {

std::uint64_t hash_of(std::string_view text) {
  SeededHash hash;
  hash.add(text);
  return hash.value();
}

/// Returns false if no two of the members of `object` have the same key. Returns true if it cannot tell: it keeps a bit
/// a key, as a Bloom filter does, and most objects need no more.
bool may_repeat(JsonValue object, std::span<const ObjectMember> members) {
  std::array<std::uint64_t, 256> taken;
  const int bits = members.size() <= kMaxPairwise ? 9 : 14;
  std::memset(taken.data(), 0, std::size_t{1} << (bits - 3));
  for (const ObjectMember& member : members) {
    const JsonNode& key = object.nodes()[member.key];
    if (key.flags & JsonNode::kEscaped) return true;
    const char* const text = object.base() + key.begin + 1;
    const std::size_t size = std::size_t{key.end} - key.begin - 2;
    std::uint64_t first, last;  // kJsonPadding bytes follow every text
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

}  // namespace

bool append_members(JsonValue object, ValidationScratch& scratch) {
  const std::size_t begin = scratch.members.size();
  const JsonNode* nodes = object.nodes();
  const Index end = object.node().next;
  for (Index i = object.index() + 1; i < end; i = nodes[i + 1].next) scratch.members.push_back({i});
  const std::size_t count = scratch.members.size() - begin;
  if (!may_repeat(object, std::span(scratch.members).subspan(begin))) return false;
  bool repeats = false;
  const auto key = [&](Index i, std::string& buffer) { return JsonValue(object.base(), nodes, i).string(buffer); };
  std::size_t kept = begin;
  if (count > kMaxPairwise) scratch.names.clear();
  // If two different keys have the same hash, the second is stored under the next number.
  for (std::size_t i = begin; i < begin + count; ++i) {
    const Index node = scratch.members[i].key;
    const std::string_view name = key(node, scratch.key);
    std::size_t same = kept;
    if (count <= kMaxPairwise) {
      for (same = begin; same < kept && key(scratch.members[same].key, scratch.other_key) != name;) ++same;
    } else {
      for (std::uint64_t hash = hash_of(name);; ++hash) {
        const auto [place, known] = scratch.names.find_or_insert(hash);
        if (!known) {
          *place = static_cast<std::uint32_t>(kept);
          break;
        }
        if (key(scratch.members[*place].key, scratch.other_key) == name) {
          same = *place;
          break;
        }
      }
    }
    if (same < kept) {
      scratch.members[same] = {node, true};
      repeats = true;
    } else {
      scratch.members[kept++] = {node};
    }
  }
  scratch.members.resize(kept);
  return repeats;
}

void sort_members(JsonValue object, std::size_t begin, ValidationScratch& scratch) {
  const auto key = [&](const ObjectMember& member, std::string& buffer) {
    return JsonValue(object.base(), object.nodes(), member.key).string(buffer);
  };
  const auto first = scratch.members.begin() + static_cast<std::ptrdiff_t>(begin);
  if (std::none_of(first, scratch.members.end(),
                   [&](const ObjectMember& one) { return array_index(key(one, scratch.key)); }))
    return;
  std::stable_sort(first, scratch.members.end(), [&](const ObjectMember& a, const ObjectMember& b) {
    return !precedes(key(b, scratch.key), key(a, scratch.other_key));
  });
}

}  // namespace eventgate
