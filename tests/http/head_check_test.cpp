#include "http/head_check.hpp"

#include <gtest/gtest.h>

#include <string>

namespace eventgate {
namespace {

TEST(HeadCheck, EveryStartOfAHeadMayGoOn) {
  const std::string head = "POST /v1/events?a=%20 HTTP/1.1\r\nHost: a\r\nX-A:  b\tc\r\nX-B:\r\n\r\n";
  for (std::size_t size = 0; size <= head.size(); ++size)
    EXPECT_FALSE(is_malformed_start(head.substr(0, size))) << size;
  EXPECT_FALSE(is_malformed_start("FOO / HTTP/1.0\r\n"));
}

TEST(HeadCheck, FieldsBehindARequestLineAreHeldToTheSame) {
  for (const char* fields : {"", "A", "A: b\r", "A: b\r\n", "A: b\r\nC:\r\n\r\n"})
    EXPECT_FALSE(has_malformed_field(fields)) << fields;
  for (const char* fields : {" A", "A: b\r\n c", "A: b\n", "A\x01"}) EXPECT_TRUE(has_malformed_field(fields)) << fields;
}

TEST(HeadCheck, WhatNoBytesCanMakeAHeadIsKnownWithItsLine) {
  for (const char* start :
       {"GET / \r\n", "GET /\r\n", "GET\r\n", "\r\n", "GET / HTTP/1.1\n", "GET / HTTP/2.0\r\n", "GET / HTTP/0.9\r\n",
        "GET / http/1.1\r\n", "GET  / HTTP/1.1\r\n", "GET /a b HTTP/1.1\r\n", " GET / HTTP/1.1\r\n",
        "G(T / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\n", "GET / HTTP/1.1\r\nHost: a\r\n b", "GET / HTTP/1.1\r\n\t",
        "GET / HTTP/1.1\r\nA: \x01", "GET / HTTP/1.1\r\nA: b\rc", "GET / HTTP/1.1\r\nA: \x7f", "\x16\x03\x01"})
    EXPECT_TRUE(is_malformed_start(start)) << start;
  EXPECT_TRUE(is_malformed_start(std::string_view("GET / HTTP/1.1\r\nA: \0", 21)));
}

}  // namespace
}  // namespace eventgate
