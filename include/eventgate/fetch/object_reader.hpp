#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventgate {

/// Why an object could not be read.
struct ReadError {
  enum class Kind {
    not_found,    ///< The place answers, and there is no such thing (no file; 404, 410).
    unavailable,  ///< No answer, or a failure that may pass (connection, timeout, 5xx, permission).
    invalid,      ///< Read, but it is no JSON or YAML object as required (grammar, duplicate key, size, depth, UTF-8).
  };
  Kind kind;
  std::string message;  ///< Says what was expected; without the URI.
};

/// Reads what people write, JSON or YAML, from where a URI points.
///
/// Thread-safe. Blocks: never on an I/O thread.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;

  /// The document at `uri`: a path, a `file://` URI, or an `http(s)://` URI.
  virtual boost::system::result<nlohmann::ordered_json, ReadError> read(const std::string& uri) = 0;

  /// The same, but what waits for a host ends at `deadline` at the latest, and is `unavailable` then. A reader that
  /// asks no host need not know of it.
  virtual boost::system::result<nlohmann::ordered_json, ReadError> read_until(
      const std::string& uri, std::chrono::steady_clock::time_point deadline);

  /// Ends the reads that wait for a host, and fails at once those that would: both are `unavailable`. For good.
  virtual void stop() {}

  /// Reads the certificates that hosts are held to again. What it returns puts them to use for the reads after that.
  /// Throws std::invalid_argument if they cannot be used.
  virtual std::function<void()> reload_credentials() {
    return [] {};
  }
};

struct UriReaderOptions {
  std::string user_agent = "eventgate";
  std::chrono::milliseconds fetch_connect_timeout{2000};     ///< For name lookup and connection, each.
  std::chrono::milliseconds fetch_timeout{10000};            ///< For the whole of one fetch, redirects included.
  std::string ca_file;                                       ///< PEM; empty: the system's.
  std::vector<std::pair<std::string, std::string>> headers;  ///< Sent with http requests; `Host` replaces the URI's.
  std::size_t max_size = 1024 * 1024;                        ///< Bytes of a document.
  std::size_t max_depth = 64;
};

/// The reader of files and of http(s) URIs. TLS verifies the host's name and sends it (SNI).
/// Throws std::invalid_argument if `ca_file` holds no certificates or a header could not stand in a request.
std::unique_ptr<ObjectReader> make_uri_reader(UriReaderOptions options);

/// Reads `text` as JSON and, failing that, as YAML 1.2 core: quoted scalars are strings, duplicate keys and invalid
/// UTF-8 are refused, aliases are bounded, merge keys are as js-yaml reads them.
boost::system::result<nlohmann::ordered_json, ReadError> parse_object_text(std::string_view text,
                                                                           std::size_t max_depth = 64);

}  // namespace eventgate
