#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench.hpp"

namespace eventgate::bench {

/// Requests in bursts at a fixed rate, as production sends them. A burst of one is an even pace.
struct Pace {
  std::string name;
  std::size_t burst;
  std::chrono::microseconds period;  ///< From one burst to the next.
};

/// A server that the paced client asks.
struct PacedServer {
  std::string name;
  const Process& process;
  std::uint16_t port;
  std::string target;     ///< Path and query.
  int status;             ///< Of every reply.
  std::size_t yardstick;  ///< The place of the server to which this one is compared, perhaps its own.
  std::optional<double> goal = std::nullopt;  ///< Multiples of the yardstick's CPU time.
};

struct PacedMeasurement {
  double requests_per_second;
  double cpu_microseconds;  ///< Of all threads of the server, for one request: the median of the slices.
  double ratio;             ///< To the yardstick's CPU time in the same round: the median of the rounds.
  double p50_microseconds;
  double p99_microseconds;
  std::optional<double> system_calls;  ///< For one request. Nullopt if the kernel does not let us count them.
};

/// Posts `body` to the servers in turn, for a slice of 100 ms each, over 64 connections to each, in many rounds. What
/// else the machine does disturbs all servers of a round alike, so their ratios hold where absolute times do not. After
/// each slice the server has 30 ms to finish its work. Throws std::runtime_error if a reply has another status, or does
/// not come within three seconds.
std::vector<PacedMeasurement> measure_paced(const std::vector<PacedServer>& servers, const std::string& body,
                                            const Pace& pace, const std::function<void()>& between);

/// Measures the gate, the wire and, where there is a Kafka, the relay at several paces, and prints a row for each
/// (paced_rows.cpp). Files go to `directory`.
void measure_paces(const std::filesystem::path& directory);

}  // namespace eventgate::bench
