#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "eventgate/fetch/http_post.hpp"
#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {

struct FetchStop;
struct HttpUri;

/// Fetches documents by HTTP GET, and posts JSON. Skips responses with status 1xx, and decodes gzip and deflate within
/// the limit of the size.
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

  /// Posts `body`, JSON, and returns the answer, whatever its status. Follows no redirects.
  boost::system::result<HttpAnswer, ReadError> post(const std::string& uri, const std::string& body) const;

  /// Ends every `get`, now and from now on. They return `unavailable`.
  void stop();

  /// See ObjectReader::reload_credentials.
  std::function<void()> reload_credentials();

  struct Answer;

 private:
  struct Tls;
  /// Sends one request. `send_headers` says whether the host is that of the URI that was asked for.
  /// Posts `body` unless it is null.
  boost::system::result<Answer, ReadError> ask(const HttpUri& place, bool send_headers, Tls& tls,
                                               std::chrono::steady_clock::time_point end,
                                               const std::string* body = nullptr) const;
  std::shared_ptr<Tls> current_tls() const;
  UriReaderOptions options_;
  mutable std::mutex mutex_;
  std::shared_ptr<Tls> tls_;  ///< Protected by `mutex_`.
  std::shared_ptr<FetchStop> stop_;
};

}  // namespace eventgate
