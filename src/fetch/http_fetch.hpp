#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {

struct FetchStop;

/// Gets what an http(s) URI names, by GET.
///
/// Answers with a status of 1xx are skipped; gzip and deflate are taken off, within the bound of the size.
///
/// Thread-safe. Blocks for at most `fetch_timeout`. No `get` may be under way when it is destroyed.
class HttpFetch {
 public:
  /// Throws std::invalid_argument if `ca_file` cannot be used.
  explicit HttpFetch(UriReaderOptions options);
  ~HttpFetch();

  /// The body of the 200 answer, after at most five redirects (none from https to http). `Host` and the other
  /// `headers` go only to the host of `uri` itself. Ends at `deadline` if that is before `fetch_timeout` has passed.
  boost::system::result<std::string, ReadError> get(
      const std::string& uri,
      std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max()) const;

  /// Ends every `get` under way, and those to come at once, as `unavailable`.
  void stop();

  /// As that of `ObjectReader`.
  std::function<void()> reload_credentials();

 private:
  struct Tls;
  UriReaderOptions options_;
  mutable std::mutex mutex_;
  std::shared_ptr<Tls> tls_;  ///< Under `mutex_`.
  std::shared_ptr<FetchStop> stop_;
};

}  // namespace eventgate
