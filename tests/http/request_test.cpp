#include "eventgate/http/request.hpp"

#include <gtest/gtest.h>

namespace eventgate {
namespace {

TEST(Request, ClearedOneHasNothing) {
  Request request;
  request.method = Method::post;
  request.hosts = 3;
  request.keep_alive = true;
  request.clear();
  EXPECT_EQ(request.method, Method::other);
  EXPECT_EQ(request.hosts, 0u);
  EXPECT_FALSE(request.keep_alive);
  EXPECT_EQ(request.target(), "");
  EXPECT_EQ(request.field("host"), std::nullopt);
}

}  // namespace
}  // namespace eventgate
