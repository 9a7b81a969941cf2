#pragma once

#include <optional>
#include <string>

#include "eventgate/http/server.hpp"
#include "request.hpp"
#include "response.hpp"
#include "router.hpp"

namespace eventgate {

/// Answers the routes that only tell something: all but those of events and of the live page.
///
/// Thread-safe: immutable, and what it asks is thread-safe.
class InfoHandler {
 public:
  /// `services` must outlive it.
  InfoHandler(const HttpOptions& options, const HttpServices& services);

  /// The answer to GET or HEAD of `target`, whose route is none of events'. `draining`: the server is stopping.
  Response answer(const Request& request, const Target& target, const Query& query, bool draining) const;

 private:
  Response ready(const Request& request, bool draining) const;

  std::string name_;
  const HttpServices& services_;
};

}  // namespace eventgate
