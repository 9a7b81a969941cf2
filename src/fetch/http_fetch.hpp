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
struct HttpUri;

/// Fetches documents by HTTP GET. Skips responses with status 1xx, and decodes gzip and deflate within the limit of the
/// size.
///
/// Thread-safe. Blocks for at most `fetch_timeout`. Destroy it only when no `get` is in progress.
class HttpFetch {
 public:
  /// Throws std::invalid_argument if `ca_file` cannot be used.
  explicit HttpFetch(UriReaderOptions options);
  ~HttpFetch();

  /// Returns the body of a response with status 200. Follows at most five redirects, none from https to http. Sends
  /// `headers` only to the host of `uri`. Ends at `deadline` at the latest.
  boost::system::result<std::string, ReadError> get(
      const std::string& uri,
      std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max()) const;

  /// Ends every `get`, now and from now on. They return `unavailable`.
  void stop();

  /// See ObjectReader::reload_credentials.
  std::function<void()> reload_credentials();

  struct Answer;

 private:
  struct Tls;
  /// Sends one request. `send_headers` says whether the host is that of the URI that was asked for.
  boost::system::result<Answer, ReadError> ask(const HttpUri& place, bool send_headers, Tls& tls,
                                               std::chrono::steady_clock::time_point end) const;
  UriReaderOptions options_;
  mutable std::mutex mutex_;
  std::shared_ptr<Tls> tls_;  ///< Protected by `mutex_`.
  std::shared_ptr<FetchStop> stop_;
};

}  // namespace eventgate
