#include "legacy/beacon_text.hpp"

#include <gtest/gtest.h>

#include "legacy/cut_object.hpp"

namespace eventgate {
namespace {

TEST(BeaconText, Escapes_AreBytesInEitherCase) {
  EXPECT_EQ(decode_beacon("%7B%22a%22%3a1%7d").text, R"({"a":1})");
  EXPECT_EQ(decode_beacon("%E2%98%86").text, "\xE2\x98\x86");
}

TEST(BeaconText, Plus_IsASpaceAndItsEscapeIsAPlus) { EXPECT_EQ(decode_beacon("a+b%2Bc").text, "a b+c"); }

TEST(BeaconText, PercentThatBeginsNoEscape_Stays) {
  EXPECT_EQ(decode_beacon("%ZZ%%7B%4").text, "%ZZ%{%4");
  EXPECT_TRUE(decode_beacon("a%").has_cut_escape);
  EXPECT_TRUE(decode_beacon("a%2").has_cut_escape);
  EXPECT_FALSE(decode_beacon("a%22").has_cut_escape);
  EXPECT_FALSE(decode_beacon("%Z").has_cut_escape);
}

TEST(BeaconText, MarksAtTheEnds_AreLeftOut) {
  const BeaconText beacon = decode_beacon("??&;a;b;;&");
  EXPECT_EQ(beacon.text, "a;b");
  EXPECT_TRUE(beacon.has_end_mark);
  EXPECT_FALSE(decode_beacon("a;b&").has_end_mark);
  EXPECT_EQ(decode_beacon(";?&").text, "");
  EXPECT_EQ(decode_beacon("").text, "");
}

TEST(CutObject, EveryStartOfAnObject_IsCut) {
  const std::string whole =
      R"( {"a" : [1, -0.5e+10, {}, [], true, false, null, "x\u00e9\"\\"], "b":{"c":{"d":-1.25E-3}}, "e":"" })";
  for (std::size_t size = 2; size < whole.size(); ++size)
    EXPECT_TRUE(is_cut_object(whole.substr(0, size), 128)) << whole.substr(0, size);
  EXPECT_FALSE(is_cut_object(whole, 128));
}

TEST(CutObject, WhatNoTextCouldComplete_IsNotCut) {
  for (const char* const text : {"",
                                 " ",
                                 "[",
                                 "1",
                                 "{1",
                                 "{,",
                                 R"({"a" 1)",
                                 R"({"a":,)",
                                 R"({"a":1 2)",
                                 R"({"a":tru )",
                                 R"({"a":01)",
                                 R"({"a":1.x)",
                                 R"({"a":1ex)",
                                 R"({"a":"\x)",
                                 R"({"a":"\u12G)",
                                 "{\"a\":\"\n",
                                 R"({"a":1]})",
                                 R"({"a":[1})",
                                 R"({"a":1,})",
                                 R"({"a":NaN)",
                                 R"({"a":1}x)",
                                 R"({"a":1}{)"})
    EXPECT_FALSE(is_cut_object(text, 128)) << text;
}

TEST(CutObject, DepthIsBounded) {
  const std::string start = R"({"a":)";
  EXPECT_TRUE(is_cut_object(start + std::string(127, '['), 128));
  EXPECT_FALSE(is_cut_object(start + std::string(128, '['), 128));
  EXPECT_FALSE(is_cut_object(start + std::string(1'000'000, '['), 128));
}

}  // namespace
}  // namespace eventgate
