#include "eventgate/streams/missing_schema_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "eventgate/telemetry/telemetry.hpp"
#include "support/becomes.hpp"
#include "support/fake_object_reader.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

class MissingSchemaReporterTest : public testing::Test {
 protected:
  MissingSchemaReporterTest() {
    std::ofstream(folder.path() + "/there.json") << R"({"title": "there"})";
    options.schema_base_uris = {folder.path()};
  }

  static std::shared_ptr<const StreamConfigs> configs(const std::string& text) {
    return std::make_shared<const StreamConfigs>(nlohmann::ordered_json::parse(text));
  }

  /// Returns true once `count` streams were reported.
  bool has_reported(int count) {
    const std::string line = "eventgate_streams_without_schema_total{service=\"test\"} " + std::to_string(count) + "\n";
    return becomes([&] { return metrics.text().find(line) != std::string::npos; });
  }

  TemporaryFolder folder;
  SchemaOptions options;
  Metrics metrics{"test"};
  Telemetry telemetry{metrics};
  std::shared_ptr<FakeObjectReader> reader = std::make_shared<FakeObjectReader>();
};

TEST_F(MissingSchemaReporterTest, StreamWhoseTitleNoSchemaHas_IsReportedOnce) {
  MissingSchemaReporter reporter(options, reader, telemetry);
  const auto first = configs(R"({"a": {"schema_title": "there"}, "b": {"schema_title": "missing"}, "c": {}})");
  reporter.check(first);
  EXPECT_TRUE(has_reported(1));
  reporter.check(first);
  reporter.check(configs(R"({"b": {"schema_title": "missing"}, "d": {"schema_title": "missing"}})"));
  EXPECT_TRUE(has_reported(2));
}

/// Answers a read when it is stopped.
class HangingReader final : public ObjectReader {
 public:
  boost::system::result<nlohmann::ordered_json, ReadError> read(const std::string&) override {
    reading_.set_value();
    stopped_.get_future().wait();
    return ReadError{ReadError::Kind::unavailable, "stopped"};
  }
  void stop() override { stopped_.set_value(); }
  void await_read() { reading_.get_future().wait(); }

 private:
  std::promise<void> reading_, stopped_;
};

TEST_F(MissingSchemaReporterTest, EndsWhileAHostDoesNotAnswer) {
  options.schema_base_uris = {"http://host"};
  const auto hanging = std::make_shared<HangingReader>();
  MissingSchemaReporter reporter(options, hanging, telemetry);
  reporter.check(configs(R"({"b": {"schema_title": "missing"}})"));
  hanging->await_read();
}

}  // namespace
}  // namespace eventgate
