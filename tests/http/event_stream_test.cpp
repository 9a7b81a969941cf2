#include "eventgate/http/event_stream.hpp"

#include <gtest/gtest.h>

namespace eventgate {
namespace {

TEST(EventStream, EventHasItsLinesAndAnEmptyOne) {
  std::string out;
  append_event_retry(out, std::chrono::seconds(2));
  append_event_id(out, "17-3");
  append_event_type(out, "dropped");
  append_event_data(out, R"({"dropped":17})");
  end_event(out);
  append_event_comment(out, "heartbeat");
  end_event(out);
  EXPECT_EQ(out, "retry: 2000\nid: 17-3\nevent: dropped\ndata: {\"dropped\":17}\n\n: heartbeat\n\n");
}

}  // namespace
}  // namespace eventgate
