#include "http/content_coding.hpp"

#include <gtest/gtest.h>
#include <zstd.h>

#include "eventgate/json/json_nodes.hpp"
#include "support/deflated.hpp"

namespace eventgate {
namespace {

std::string gzipped(std::string_view text) { return deflated(text, 31); }

std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

/// The decoded text, or the name of the error.
std::string decoded(ContentCoding coding, std::string_view body, std::size_t max_size = 100000) {
  std::string out;
  const auto error = decode_body(coding, body, max_size, out);
  if (!error) return out;
  return *error == DecodeError::too_large ? "too large" : "malformed";
}

const std::string kText = std::string(R"({"a": ")") + std::string(5000, 'x') + "\"}";

TEST(BodyDecoder, NamesOfCodings) {
  EXPECT_EQ(content_coding(""), ContentCoding::identity);
  EXPECT_EQ(content_coding("Identity"), ContentCoding::identity);
  EXPECT_EQ(content_coding("GZIP"), ContentCoding::gzip);
  EXPECT_EQ(content_coding("x-gzip"), ContentCoding::gzip);
  EXPECT_EQ(content_coding("deflate"), ContentCoding::deflate);
  EXPECT_EQ(content_coding("zstd"), ContentCoding::zstd);
  EXPECT_EQ(content_coding("br"), std::nullopt);
  EXPECT_EQ(content_coding("gzip, gzip"), std::nullopt);
}

TEST(BodyDecoder, DecodesEveryCoding) {
  EXPECT_EQ(decoded(ContentCoding::identity, kText), kText);
  EXPECT_EQ(decoded(ContentCoding::gzip, gzipped(kText)), kText);
  EXPECT_EQ(decoded(ContentCoding::deflate, deflated(kText, 15)), kText);
  EXPECT_EQ(decoded(ContentCoding::zstd, zstd(kText)), kText);
}

TEST(BodyDecoder, DeflateMayLackItsWrapper) { EXPECT_EQ(decoded(ContentCoding::deflate, deflated(kText, -15)), kText); }

TEST(BodyDecoder, MembersAndFramesAreJoined) {
  EXPECT_EQ(decoded(ContentCoding::gzip, gzipped("[1") + gzipped(",2]")), "[1,2]");
  EXPECT_EQ(decoded(ContentCoding::zstd, zstd("[1") + zstd(",2]")), "[1,2]");
}

TEST(BodyDecoder, NulBytesBehindGzipAndDeflateArePadding) {
  for (const std::size_t count : {1, 511, 20000}) {
    const std::string padding(count, '\0');
    EXPECT_EQ(decoded(ContentCoding::gzip, gzipped(kText) + padding), kText);
    EXPECT_EQ(decoded(ContentCoding::gzip, gzipped("[1") + gzipped(",2]") + padding), "[1,2]");
    EXPECT_EQ(decoded(ContentCoding::deflate, deflated(kText, 15) + padding), kText);
    EXPECT_EQ(decoded(ContentCoding::deflate, deflated(kText, -15) + padding), kText);
    EXPECT_EQ(decoded(ContentCoding::gzip, gzipped(kText) + padding + "x"), "malformed");
    EXPECT_EQ(decoded(ContentCoding::deflate, deflated(kText, 15) + padding + "x"), "malformed");
    EXPECT_EQ(decoded(ContentCoding::gzip, padding), "malformed");
    EXPECT_EQ(decoded(ContentCoding::gzip, padding + gzipped(kText)), "malformed");
  }
}

TEST(BodyDecoder, NothingInsideIsNothing) {
  EXPECT_EQ(decoded(ContentCoding::gzip, gzipped("")), "");
  EXPECT_EQ(decoded(ContentCoding::zstd, zstd("")), "");
}

TEST(BodyDecoder, LeavesRoomForTheParser) {
  for (const auto& [coding, body] :
       {std::pair(ContentCoding::identity, kText), std::pair(ContentCoding::gzip, gzipped(kText)),
        std::pair(ContentCoding::zstd, zstd(kText))}) {
    std::string out;
    ASSERT_EQ(decode_body(coding, body, 100000, out), std::nullopt);
    EXPECT_GE(out.capacity(), out.size() + kJsonPadding);
  }
}

TEST(BodyDecoder, WhatIsNotInTheCodingIsMalformed) {
  for (const ContentCoding coding : {ContentCoding::gzip, ContentCoding::deflate, ContentCoding::zstd}) {
    EXPECT_EQ(decoded(coding, "not compressed"), "malformed");
    EXPECT_EQ(decoded(coding, ""), "malformed");
  }
}

TEST(BodyDecoder, CutOffIsMalformed) {
  const std::string zlib = deflated(kText, 15);
  EXPECT_EQ(decoded(ContentCoding::gzip, gzipped(kText).substr(0, 30)), "malformed");
  EXPECT_EQ(decoded(ContentCoding::gzip, gzipped(kText).substr(0, gzipped(kText).size() - 1)), "malformed");
  EXPECT_EQ(decoded(ContentCoding::deflate, std::string_view(zlib).substr(0, zlib.size() - 1)), "malformed");
  EXPECT_EQ(decoded(ContentCoding::zstd, zstd(kText).substr(0, 15)), "malformed");
}

TEST(BodyDecoder, BytesBehindTheEndAreMalformed) {
  EXPECT_EQ(decoded(ContentCoding::gzip, gzipped(kText) + "x"), "malformed");
  EXPECT_EQ(decoded(ContentCoding::deflate, deflated(kText, 15) + "x"), "malformed");
  EXPECT_EQ(decoded(ContentCoding::zstd, zstd(kText) + "x"), "malformed");
}

TEST(BodyDecoder, ExactlyTheLimitIsTakenAndOneMoreIsNot) {
  for (const auto& [coding, body] :
       {std::pair(ContentCoding::identity, kText), std::pair(ContentCoding::gzip, gzipped(kText)),
        std::pair(ContentCoding::deflate, deflated(kText, 15)), std::pair(ContentCoding::zstd, zstd(kText))}) {
    EXPECT_EQ(decoded(coding, body, kText.size()), kText);
    EXPECT_EQ(decoded(coding, body, kText.size() - 1), "too large");
  }
}

TEST(BodyDecoder, BombsStopAtTheLimit) {
  const std::string zeros(50 << 20, '0');
  for (const auto& [coding, bomb] :
       {std::pair(ContentCoding::gzip, gzipped(zeros)), std::pair(ContentCoding::deflate, deflated(zeros, 15)),
        std::pair(ContentCoding::zstd, zstd(zeros))}) {
    std::string out;
    EXPECT_EQ(decode_body(coding, bomb, 100 * 1024, out), DecodeError::too_large);
    EXPECT_LE(out.capacity(), 1u << 20);
  }
}

TEST(ContentCoding, AcceptEncodingIsReadWithItsWeights) {
  EXPECT_EQ(accepted_coding("deflate, gzip;q=1.0, *;q=0.5"), "gzip");
  EXPECT_EQ(accepted_coding("gzip;q=0, deflate"), "deflate");
  EXPECT_EQ(accepted_coding("GZIP; q=0.001"), "gzip");
  EXPECT_EQ(accepted_coding("*"), "gzip");
  EXPECT_EQ(accepted_coding("gzip;q=0, *"), "");
  EXPECT_EQ(accepted_coding("identity"), "");
  EXPECT_EQ(accepted_coding(""), "");
  EXPECT_EQ(accepted_coding(",;,;q=0"), "");
}

}  // namespace
}  // namespace eventgate
