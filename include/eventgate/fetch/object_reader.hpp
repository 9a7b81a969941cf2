#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

// Reads the documents that people write (the config, stream configs, schemas): JSON or YAML, from a file or by http(s).

namespace eventgate {

/// The reason why a document could not be read.
struct ReadError {
  enum class Kind {
    not_found,    ///< The place has no such document: no file, or status 404 or 410.
    unavailable,  ///< There was no answer, or a failure that may pass: connection, timeout, status 5xx, permission.
    invalid,      ///< It is not a JSON or YAML object within the limits (grammar, duplicate key, size, depth, UTF-8).
  };
  Kind kind;
  std::string message;  ///< What was expected. Does not name the URI.
};

/// Reads the document that a URI names.
///
/// Thread-safe. Blocks: do not call it on an I/O thread.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;

  /// Returns the document at `uri`: a path, a `file://` URI, or an `http(s)://` URI.
  virtual boost::system::result<nlohmann::ordered_json, ReadError> read(const std::string& uri) = 0;

  /// Does the same, but ends with `unavailable` if a host has not answered by `deadline`. A reader that asks no hosts
  /// may ignore the deadline.
  virtual boost::system::result<nlohmann::ordered_json, ReadError> read_until(
      const std::string& uri, std::chrono::steady_clock::time_point deadline);

  /// Ends all reads that wait for a host, now and from now on. They return `unavailable`.
  virtual void stop() {}

  /// Reads the file of trusted certificates again. Call the result to use them for later reads. Throws
  /// std::invalid_argument if they cannot be used.
  virtual std::function<void()> reload_credentials() {
    return [] {};
  }
};

/// How plain scalars of YAML are read.
enum class YamlRules : std::uint8_t {
  core,     ///< By the core schema of YAML 1.2.
  js_yaml,  ///< As js-yaml 3 reads them: js_yaml_scalar.hpp.
};

struct UriReaderOptions {
  std::string user_agent = "eventgate";
  std::chrono::milliseconds fetch_connect_timeout{2000};  ///< For the name lookup and for the connection, each.
  std::chrono::milliseconds fetch_timeout{10000};         ///< For one fetch with all its redirects.
  std::string ca_file;                                    ///< PEM. Empty: the certificates of the system.
  /// Header fields of http requests. `Host` replaces that of the URI.
  std::vector<std::pair<std::string, std::string>> headers;
  std::size_t max_size = 1024 * 1024;  ///< Bytes of a document.
  std::size_t max_depth = 64;          ///< Levels of objects and arrays.
  YamlRules yaml_rules = YamlRules::core;
};

/// Returns a reader of files and of http(s) URIs. It verifies the names of TLS hosts and sends them (SNI).
///
/// Throws std::invalid_argument if `ca_file` has no certificates or a header is not valid in a request.
std::unique_ptr<ObjectReader> make_uri_reader(UriReaderOptions options);

/// Parses `text` as JSON or else as YAML 1.2 with the core schema. Quoted scalars are strings. Anchors and merge keys
/// are resolved as js-yaml does, within limits. Duplicate keys and invalid UTF-8 are errors. Not recursive for JSON.
/// Thread-safe.
boost::system::result<nlohmann::ordered_json, ReadError> parse_object_text(std::string_view text,
                                                                           std::size_t max_depth = 64,
                                                                           YamlRules rules = YamlRules::core);

/// The way to a value: the place of each member or item on it, from 0.
using ValuePath = std::vector<std::uint32_t>;

/// A document as a person wrote it.
struct AuthoredDocument;

/// Reads `text` as js-yaml 3 does, and keeps which objects and lists are one and the same, because they are written
/// once with an anchor and stand elsewhere by an alias.
boost::system::result<AuthoredDocument, ReadError> parse_authored_text(std::string_view text,
                                                                       std::size_t max_depth = 64);

/// The line, from 1, of each member and item of a document in JSON or YAML, by its JSON pointer. As far as it can be
/// read.
std::unordered_map<std::string, std::size_t> lines_of(std::string_view text);

/// The text of a file: at most `max_size` bytes, of a regular file.
boost::system::result<std::string, ReadError> read_file_text(const std::string& path, std::size_t max_size = 1 << 20);

}  // namespace eventgate
