// The gate with a librdkafka that no test has seen. Needs no Kafka.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "kafka_gate.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kWarning = "is not one of the versions tested, 2.0.2 and 2.8.0";
constexpr const char* kNoBroker =
    "kafka: {conf: {metadata.broker.list: '127.0.0.1:1'}}\n"
    "topic_prefix: ''\nproduce_timeout: 2s\n";

TEST(KafkaVersion, UntestedLibrdkafka_WarnsOnceAndWhatIsNotTakenIsUnknown) {
  const auto library = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "libother_librdkafka.so";
  ASSERT_TRUE(std::filesystem::exists(library)) << library;
  const GateProcess gate({kShippedConfig}, kNoBroker, {"LD_PRELOAD=" + library.string()});
  const std::string log = gate.log();
  const std::size_t warning = log.find(kWarning);
  ASSERT_NE(warning, std::string::npos) << log;
  EXPECT_EQ(log.find(kWarning, warning + 1), std::string::npos) << log;
  const std::string line = log.substr(log.rfind('\n', warning) + 1, warning - log.rfind('\n', warning));
  EXPECT_THAT(line, HasSubstr("librdkafka 127.0.0"));
  EXPECT_THAT(line, HasSubstr("\"level\":40"));
  const HttpReply reply = HttpClient(gate.port()).post("/v1/events", keyed_event("version", 1));
  EXPECT_EQ(reply.status, 500u);
  EXPECT_THAT(reply.body, HasSubstr(R"("delivery":"unknown")"));
}

TEST(KafkaVersion, TestedLibrdkafka_WarnsNotAndWhatIsNotTakenIsNotProduced) {
  const GateProcess gate({kShippedConfig}, kNoBroker);
  EXPECT_THAT(gate.log(), Not(HasSubstr(kWarning)));
  const HttpReply reply = HttpClient(gate.port()).post("/v1/events", keyed_event("version", 1));
  EXPECT_EQ(reply.status, 500u);
  EXPECT_THAT(reply.body, HasSubstr(R"("delivery":"not_produced")"));
}

}  // namespace
}  // namespace eventgate
