#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/json/decimal.hpp"
#include "program.hpp"

// Memory that validation reuses: one ValidationScratch a thread, so that a valid event costs no allocation.

namespace eventgate {

/// Objects and arrays with at most so many elements are compared pair by pair, which is faster than a hash table.
inline constexpr std::size_t kMaxPairwise = 8;

/// A hash of 64 bits with a random seed, so that a client cannot construct events whose values collide.
class SeededHash {
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

/// A hash table from 64-bit keys to 32-bit values. `clear` takes constant time, because every slot names the epoch in
/// which it was filled. Keeps its memory up to `kMaxKeptSlots`.
class EpochHashMap {
 public:
  void clear() {
    if (slots_.size() > kMaxKeptSlots) slots_ = {};
    if (++epoch_ == 0) {
      slots_ = {};
      epoch_ = 1;
    }
    count_ = 0;
  }
  /// Returns the value of `key` and whether the map had it. Inserts 0 if it did not. The pointer is valid until the
  /// next insertion.
  std::pair<std::uint32_t*, bool> find_or_insert(std::uint64_t key) {
    if ((count_ + 1) * 2 > slots_.size()) grow();
    Slot& slot = slots_[slot_index(key)];
    if (slot.epoch == epoch_) return {&slot.value, true};
    slot = {key, epoch_, 0};
    ++count_;
    return {&slot.value, false};
  }
  /// Returns the value of `key`, or null.
  const std::uint32_t* find(std::uint64_t key) const {
    if (count_ == 0) return nullptr;
    const Slot& slot = slots_[slot_index(key)];
    return slot.epoch == epoch_ ? &slot.value : nullptr;
  }

 private:
  static constexpr std::size_t kMaxKeptSlots = 1 << 16;  // 1 MB
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t epoch = 0;
    std::uint32_t value = 0;
  };
  std::size_t slot_index(std::uint64_t key) const {
    const std::size_t mask = slots_.size() - 1;
    SeededHash hash;
    hash.add(key);
    std::size_t i = static_cast<std::size_t>(hash.value()) & mask;
    while (slots_[i].epoch == epoch_ && slots_[i].key != key) i = (i + 1) & mask;
    return i;
  }
  void grow() {
    std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(std::max<std::size_t>(slots_.size() * 2, 64)));
    for (const Slot& slot : old)
      if (slot.epoch == epoch_) slots_[slot_index(slot.key)] = slot;
  }
  std::vector<Slot> slots_;
  std::uint32_t epoch_ = 1;
  std::size_t count_ = 0;
};

/// A member of an object. Of several members with one name there is one ObjectMember, with the last value.
struct ObjectMember {
  Index key;  ///< Node of the key. The node of the value is the next one.
  bool repeated = false;
};

/// Buffers of one thread. Their content is meaningless once a call has returned.
struct ValidationScratch {
  std::string text;
  std::string key, other_key;
  ExactNumber number, other_number;
  std::vector<ObjectMember> members;  ///< A stack: the members of each object that is being validated.
  std::vector<Index> values;          ///< A stack: for those objects, the value of each property, or kNone.
  std::vector<std::pair<std::uint64_t, Index>> hashes;
  std::vector<Index> items;
  EpochHashMap names;       ///< From the hash of a name to its place in `members`.
  EpochHashMap equals;      ///< From the hash of an array's item to its place in `items`.
  EpochHashMap verdicts;    ///< From a RefTarget and a value to whether it is valid.
  EpochHashMap conditions;  ///< The same for the conditions (`if`) that the DefaultsFiller evaluates.
  EpochHashMap added;       ///< From a node and a name to "done": a default added, a duplicate key reported.
};

/// Returns the scratch of this thread with its lists cleared; the maps keep their content. Frees what a huge event made
/// it allocate. The reference is valid until the thread ends.
ValidationScratch& thread_scratch();

/// Returns a key of EpochHashMap for a pair of numbers.
inline std::uint64_t pair_key(Index first, Index second) { return std::uint64_t{first} << 32 | second; }

}  // namespace eventgate
