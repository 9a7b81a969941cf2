#pragma once

#include <prometheus/family.h>
#include <prometheus/histogram.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace eventgate {

/// Finds the metrics of one family by the values of their labels. Each thread caches the metrics it has used: finding
/// one again takes a hash but no lock and no allocation, and the last one not even a hash.
///
/// Thread-safe.
template <typename Metric, std::size_t N>
class Series {
 public:
  using Values = std::array<std::string_view, N>;

  Series(prometheus::Family<Metric>& family, std::array<const char*, N> names, std::vector<double> buckets = {})
      : family_(family), names_(names), buckets_(std::move(buckets)) {}
  Series(const Series&) = delete;
  Series& operator=(const Series&) = delete;

  /// Returns the metric with these values, and makes it at the first use.
  Metric& of(const Values& values) {
    // The keys contain the number of this series, because another series may get the same address later.
    using Used = std::unordered_map<Key, Metric*, Hash, Equal>;
    thread_local Used used;
    thread_local std::vector<const typename Used::value_type*> last_used;  // by number
    if (number_ >= last_used.size()) last_used.resize(number_ + 1);
    const typename Used::value_type*& last = last_used[number_];
    if (last != nullptr && Equal()(last->first, View{number_, values})) return *last->second;
    const auto found = used.find(View{number_, values});
    if (found != used.end()) {
      last = &*found;
      return *found->second;
    }
    prometheus::Labels labels;
    Key key{number_, {}};
    for (std::size_t i = 0; i < N; ++i) {
      labels.emplace(names_[i], values[i]);
      key.values[i] = values[i];
    }
    Metric* metric = nullptr;
    if constexpr (std::is_same_v<Metric, prometheus::Histogram>) {
      metric = &family_.Add(labels, buckets_);
    } else {
      metric = &family_.Add(labels);
    }
    used.emplace(std::move(key), metric);
    return *metric;
  }

 private:
  struct View {
    std::uint64_t number;
    const Values& values;
  };
  struct Key {
    std::uint64_t number;
    std::array<std::string, N> values;
  };
  struct Hash {
    using is_transparent = void;
    template <typename Of>
    std::size_t operator()(const Of& key) const {
      std::size_t hash = key.number;
      for (const auto& value : key.values) {
        hash = hash * 0x9E3779B97F4A7C15U + std::hash<std::string_view>()(value);
      }
      return hash;
    }
  };
  struct Equal {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      if (a.number != b.number) return false;
      for (std::size_t i = 0; i < N; ++i) {
        if (a.values[i] != b.values[i]) return false;
      }
      return true;
    }
  };

  static std::uint64_t next_number() {
    static std::atomic<std::uint64_t> numbers{0};
    return numbers.fetch_add(1, std::memory_order_relaxed);
  }

  prometheus::Family<Metric>& family_;
  const std::array<const char*, N> names_;
  const std::vector<double> buckets_;
  const std::uint64_t number_ = next_number();
};

}  // namespace eventgate
