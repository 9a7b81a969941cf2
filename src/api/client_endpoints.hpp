#pragma once

#include "client_files.hpp"
#include "immediate_endpoint.hpp"

namespace eventgate {

/// `GET /client.js` and the other files of the browser client. Any page may load them, whatever `cors` is.
///
/// Thread-safe: immutable.
class ClientFileEndpoint final : public ImmediateEndpoint {
 public:
  explicit ClientFileEndpoint(const ClientFile& file) : file_(file) {}

 protected:
  Response respond(const Exchange& exchange) const override;

 private:
  const ClientFile file_;
};

}  // namespace eventgate
