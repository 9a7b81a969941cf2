#include "http/chunked_body.hpp"

#include <gtest/gtest.h>

#include <string>

namespace eventgate {
namespace {

using State = ChunkedBody::State;

struct Decoded {
  State state;
  std::string data;
  std::string rest;  ///< What is not used.
};

/// Decodes `bytes` given in pieces of `piece` bytes.
Decoded decoded(std::string_view bytes, std::size_t piece = std::string_view::npos, std::size_t limit = 100,
                std::size_t max_extras = 100) {
  std::string data;
  ChunkedBody body(&data, limit, max_extras);
  while (!bytes.empty() && body.state() == State::incomplete) {
    const std::string_view next = bytes.substr(0, piece);
    const std::size_t used = body.decode(next);
    bytes.remove_prefix(used);
    if (body.state() == State::incomplete) {
      EXPECT_EQ(used, next.size());
    }
  }
  EXPECT_EQ(body.size(), data.size());
  return {body.state(), data, std::string(bytes)};
}

/// The state, which must be the same however the bytes come.
State state(std::string_view bytes, std::size_t limit = 100, std::size_t max_extras = 100) {
  const State at_once = decoded(bytes, std::string_view::npos, limit, max_extras).state;
  EXPECT_EQ(decoded(bytes, 1, limit, max_extras).state, at_once) << bytes;
  return at_once;
}

TEST(ChunkedBody, ChunksAreJoinedAndExtensionsAndTrailersDropped) {
  const std::string_view bytes =
      "2;a=b;c=\"d;\\\" \t\"\r\n{\"\r\n003 \t;x\r\na\"}\r\n0;last\r\nX-Late: 1\r\nX-Empty:\r\n\r\nGET";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, bytes.size()}) {
    const Decoded whole = decoded(bytes, piece);
    EXPECT_EQ(whole.state, State::complete);
    EXPECT_EQ(whole.data, "{\"a\"}");
    EXPECT_EQ(whole.rest, "GET");
  }
}

TEST(ChunkedBody, EveryStartOfABodyIsIncomplete) {
  const std::string bytes = "A;x\r\n0123456789\r\n0\r\nX: y\r\n\r\n";
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(state(bytes.substr(0, size)), State::incomplete) << size;
  EXPECT_EQ(state(bytes), State::complete);
}

TEST(ChunkedBody, ControlCharactersButTabAreMalformedInLinesAndTrailers) {
  for (int c = 0; c < 256; ++c) {
    const std::string byte(1, static_cast<char>(c));
    const bool control = (c < 0x20 && c != '\t') || c == 0x7f;
    const State expected = control ? State::malformed : State::complete;
    EXPECT_EQ(state("1;a" + byte + "b\r\n1\r\n0\r\n\r\n"), expected) << c;
    EXPECT_EQ(state("1;a=\"" + byte + " \"\r\n1\r\n0\r\n\r\n"), expected) << c;
    EXPECT_EQ(state("0;a=\"" + byte + " \"\r\n\r\n"), expected) << c;
    EXPECT_EQ(state("0\r\nX: a" + byte + "b\r\n\r\n"), expected) << c;
  }
}

TEST(ChunkedBody, WhatIsNoChunkIsMalformedAtTheFirstByteThatTells) {
  for (const char* bytes : {"\r",
                            ";",
                            " ",
                            "g",
                            "-",
                            "+",
                            "0x",
                            "1g",
                            "1 2",
                            "1\n",
                            "1\ra",
                            "1;a\n",
                            "1;a\rb",
                            "11111111111111111",
                            "1\r\nab",
                            "1\r\na\n",
                            "1\r\na\rb",
                            "0\r\n ",
                            "0\r\nX: y\r\n ",
                            "0\r\nX: y\r\n\t",
                            "0\r\n:",
                            "0\r\nX ",
                            "0\r\nX\r",
                            "0\r\n\n",
                            "0\r\n\ra",
                            "0\r\nX: y\n",
                            "0\r\nX: y\rz"}) {
    EXPECT_EQ(state(bytes), State::malformed) << bytes;
    EXPECT_EQ(state(std::string_view(bytes).substr(0, std::string_view(bytes).size() - 1)), State::incomplete) << bytes;
  }
}

TEST(ChunkedBody, MoreDataThanTheLimitIsKnownByTheSizeOfTheChunk) {
  EXPECT_EQ(state("3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", 4), State::complete);
  EXPECT_EQ(state("3\r\nabc\r\n2\r\n", 4), State::too_large);
  EXPECT_EQ(state("ffffffffffffffff\r\n", 4), State::too_large);
  EXPECT_EQ(state("3\r\nabc\r\nffffffffffffffff\r\n", 4), State::too_large);
}

TEST(ChunkedBody, ExtensionsAndTrailersMayHaveSoManyBytesMoreThanTheData) {
  const std::string ten = "0123456789";
  EXPECT_EQ(state("1;" + ten.substr(0, 9) + "\r\n1\r\n0\r\n\r\n", 100, 10), State::complete);
  EXPECT_EQ(state("1;" + ten, 100, 10), State::too_large);
  EXPECT_EQ(state("5\r\n01234\r\n0;" + ten + "012", 100, 10), State::incomplete);
  EXPECT_EQ(state("5\r\n01234\r\n0;" + ten + "0123456", 100, 10), State::too_large);
  EXPECT_EQ(state("0\r\nX: " + ten, 100, 10), State::too_large);
  EXPECT_EQ(state("1" + std::string(20, ' '), 100, 10), State::too_large);
}

TEST(ChunkedBody, WithoutAStringDataAreCounted) {
  ChunkedBody body(nullptr, 10, 10);
  EXPECT_EQ(body.decode("3\r\nabc\r\n0\r\n\r\n"), 13u);
  EXPECT_EQ(body.state(), State::complete);
  EXPECT_EQ(body.size(), 3u);
}

}  // namespace
}  // namespace eventgate
