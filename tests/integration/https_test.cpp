// Schemas and stream configs from https hosts, which must be who they are called.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/http_test_server.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_certificate.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;

constexpr const char* kEvent = R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event"}})";

/// A host of the schema `test` and of the stream configs.
class Host {
 public:
  Host(const std::string& alternative_name)
      : certificate_(alternative_name),
        ca_file_(folder_.write("ca.pem", certificate_.pem())),
        server_([](const ServedRequest& request) { return answer(request.target()); }, &certificate_) {}

  std::string uri(const std::string& path, const std::string& name = "localhost") const {
    return server_.uri(path, name);
  }
  const std::string& ca_file() const { return ca_file_; }

  /// A config of schemas at `schemas`, of stream configs at `streams`, with `ca_file`.
  std::string config(const std::string& schemas, const std::string& streams, const std::string& ca_file) const {
    return "schema_base_uris: ['" + schemas + "']\nstream_config_uri: '" + streams +
           "'\nstream_config_retries: 0\nstream_config_object_path: streams\nca_file: " + ca_file +
           "\noutput_path: " + folder_.path() + "/events\n";
  }

 private:
  static std::string answer(const std::string& target) {
    if (target == "/schemas/test/1.0.0")
      return http_answer(R"({"title": "test", "type": "object", "properties": {
        "$schema": {"type": "string"}, "meta": {"type": "object", "properties": {"stream": {"type": "string"}}}}})");
    if (target == "/streams") return http_answer(R"({"streams": {"test.event": {"schema_title": "test"}}})");
    return http_answer("", "404 Not Found");
  }

  TemporaryFolder folder_;
  TestCertificate certificate_;
  std::string ca_file_;
  HttpTestServer server_;
};

TEST(Https, HostsThatCaFileVouchesForAreRead) {
  const Host host("DNS:localhost");
  const GateProcess gate({}, host.config(host.uri("/schemas"), host.uri("/streams"), host.ca_file()));
  EXPECT_EQ(HttpClient(gate.port()).post("/v1/events", kEvent).status, 201u);
}

TEST(Https, AStreamConfigHostOfAnotherNameFailsTheStart) {
  const Host host("DNS:localhost");
  EXPECT_THAT(
      [&] {
        const GateProcess gate({},
                               host.config(host.uri("/schemas"), host.uri("/streams", "127.0.0.1"), host.ca_file()));
      },
      testing::ThrowsMessage<std::runtime_error>(
          HasSubstr("expected a certificate for 127.0.0.1 that ca_file vouches for")));
}

TEST(Https, ASchemaHostOfAnotherNameFailsItsSchemas) {
  const Host host("DNS:localhost");
  const GateProcess gate({}, host.config(host.uri("/schemas", "127.0.0.1"), host.uri("/streams"), host.ca_file()));
  const HttpReply reply = HttpClient(gate.port()).post("/v1/events", kEvent);
  EXPECT_EQ(reply.status, 500u);
  EXPECT_THAT(reply.body, HasSubstr("Failed loading schema at /test/1.0.0: "));
  EXPECT_THAT(reply.body, HasSubstr("expected a certificate for 127.0.0.1 that ca_file vouches for"));
}

TEST(Https, AHostThatAnotherAuthorityVouchesForIsRefused) {
  const Host host("DNS:localhost");
  const Host other("DNS:localhost");
  const GateProcess gate({}, host.config(other.uri("/schemas"), host.uri("/streams"), host.ca_file()));
  EXPECT_THAT(HttpClient(gate.port()).post("/v1/events", kEvent).body,
              HasSubstr("expected a certificate for localhost that ca_file vouches for"));
}

}  // namespace
}  // namespace eventgate
