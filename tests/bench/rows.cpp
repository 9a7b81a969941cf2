#include <algorithm>
#include <array>
#include <cstdio>

#include "bench.hpp"

namespace eventgate::bench {

void print_row(const std::string& what, double cpu, const std::string& multiple, const std::string& goal) {
  std::printf("%-58s %9.3f  %-22s %s\n", what.c_str(), cpu, multiple.c_str(), goal.c_str());
  std::fflush(stdout);
}

std::string times(double value, const char* yardstick) {
  char text[64];
  std::snprintf(text, sizeof text, value < 1 ? "%.3f %s" : "%.2f %s", value, yardstick);
  return text;
}

std::string goal_of(double value, double goal, const char* yardstick) {
  char text[64];
  std::snprintf(text, sizeof text, "<= %.3g %s: %s", goal, yardstick, value <= goal ? "kept" : "MISSED");
  return text;
}

std::pair<double, double> in_turn(const std::function<double()>& one, const std::function<double()>& other) {
  std::array<double, 5> first{}, second{};
  for (std::size_t i = 0; i < first.size(); ++i) {
    first[i] = one();
    second[i] = other();
  }
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  return {first[2], second[2]};
}

}  // namespace eventgate::bench
