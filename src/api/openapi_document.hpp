#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "eventgate/http/router.hpp"

namespace eventgate {

class SchemaRepository;
class StreamReaders;

/// The OpenAPI document of `/?spec`: the operations that there are, and a path for each stream that can be read, with
/// the schema and an example.
///
/// The schemas of streams are read by the threads of the schema repository, one after the other. They are read again
/// when the streams have changed, and after a minute, but only if somebody asks.
///
/// Thread-safe.
class OpenApiDocument {
 public:
  /// An operation of the document with the path of its route.
  struct Operation {
    std::string id;
    std::string path;
  };

  /// `readers` and `schemas` may be null, and must outlive this.
  OpenApiDocument(const std::vector<Operation>& operations, const StreamReaders* readers, SchemaRepository* schemas);
  ~OpenApiDocument();

  /// Returns the document, or null if `renew` has to be called first.
  std::shared_ptr<const std::string> current() const;

  /// Begins to make the document anew, unless that is under way. Calls `done` once, when it is made: from a thread of
  /// the repository, or before this returns. `done` must not block.
  void renew(std::function<void()> done);

  /// Returns the document as it was made last. Streams that were not described yet have no schema.
  std::shared_ptr<const std::string> latest() const;

 private:
  struct State;
  const StreamReaders* const readers_;
  const std::shared_ptr<State> state_;  // shared with the reads under way, which may end after this
};

}  // namespace eventgate
