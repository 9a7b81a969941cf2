#include "accept.hpp"

#include <array>
#include <cstddef>
#include <optional>

#include "eventgate/base/ascii.hpp"

namespace eventgate {
namespace {

constexpr std::array<AcceptedFormat, 3> kOffers{{{StreamFormat::sse, "text/event-stream; charset=utf-8"},
                                                 {StreamFormat::lines, "application/json; charset=utf-8"},
                                                 {StreamFormat::lines, "application/x-ndjson"}}};
constexpr std::size_t kMaxRanges = 100;

/// Reads a weight, `0` to `1` with three digits, in thousandths. Anything else counts as 1.
int weight_of(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 1000;
  if (text.size() > 1 && text[1] != '.') return 1000;
  int weight = (text[0] - '0') * 1000;
  int digit = 100;
  for (const char c : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (!is_ascii_digit(c)) return 1000;
    weight += (c - '0') * digit;
    digit /= 10;
  }
  return std::min(weight, 1000);
}

/// One media range of an Accept.
struct Range {
  std::string_view type;
  int weight = 1000;  ///< Thousandths.
};

Range range_of(std::string_view text) {
  Range range;
  const std::size_t parameters = text.find(';');
  range.type = trim(text.substr(0, parameters));
  while (!text.empty()) {
    const std::size_t semicolon = text.find(';');
    const std::string_view parameter = trim(text.substr(0, semicolon));
    if (parameter.size() > 2 && to_ascii_lower(parameter[0]) == 'q' && parameter[1] == '=')
      range.weight = weight_of(trim(parameter.substr(2)));
    text = semicolon == std::string_view::npos ? std::string_view() : text.substr(semicolon + 1);
  }
  return range;
}

/// How exactly a range names a media type: 3 as it is, 2 by `type/*`, 1 by `*/*`, 0 not at all.
int precision(std::string_view range, std::string_view media_type) {
  const std::string_view name = media_type.substr(0, media_type.find(';'));
  if (equals_ignoring_case(range, name)) return 3;
  if (range == "*/*") return 1;
  const std::size_t slash = name.find('/');
  return range.size() == slash + 2 && range.ends_with("/*") &&
                 equals_ignoring_case(range.substr(0, slash), name.substr(0, slash))
             ? 2
             : 0;
}

/// How much a client wants an offer.
struct Wish {
  int weight = 0;
  int precision = 0;
  std::size_t place = 0;  ///< Of the range in the Accept.
};

bool is_better(const Wish& a, const Wish& b) {
  if (a.weight != b.weight) return a.weight > b.weight;
  if (a.precision != b.precision) return a.precision > b.precision;
  return a.precision == 3 && a.place < b.place;
}

}  // namespace

AcceptedFormat accepted_format(std::string_view accept) {
  std::array<Wish, kOffers.size()> wishes{};
  for (std::size_t place = 0; !accept.empty() && place < kMaxRanges; ++place) {
    const std::size_t comma = accept.find(',');
    const Range range = range_of(accept.substr(0, comma));
    for (std::size_t i = 0; i < kOffers.size(); ++i) {
      const int precise = precision(range.type, kOffers[i].content_type);
      if (precise > wishes[i].precision) wishes[i] = {range.weight, precise, place};
    }
    accept = comma == std::string_view::npos ? std::string_view() : accept.substr(comma + 1);
  }
  std::size_t best = 0;
  for (std::size_t i = 1; i < kOffers.size(); ++i)
    if (wishes[i].weight > 0 && is_better(wishes[i], wishes[best])) best = i;
  return kOffers[best];
}

}  // namespace eventgate
