# simdjson's stage 1 is internal to simdjson, so a newer one may have changed it. src/json/stage1.hpp, which alone uses it, is
# compiled and run here: a message at once is better than errors in the middle of a build.
if(NOT DEFINED EVENTGATE_STAGE1 OR NOT EVENTGATE_STAGE1 STREQUAL simdjson_VERSION)
  file(WRITE ${CMAKE_BINARY_DIR}/stage1/check.cpp [=[
#include "stage1.hpp"

int main() {
  static char text[256] = R"({"a\"":[1,true]})";
  eventgate::Stage1 stage1;
  if (!stage1.run({text, 16})) return 2;
  // { "a\"" : [ 1 , true ] }
  const unsigned expected[] = {0, 1, 6, 7, 8, 9, 10, 14, 15};
  if (stage1.count() != 9) return 3;
  for (unsigned i = 0; i < 9; ++i)
    if (stage1.indexes()[i] != expected[i]) return 4;
  return 0;
}
]=])
  try_run(stage1_ran stage1_compiled ${CMAKE_BINARY_DIR}/stage1 SOURCES ${CMAKE_BINARY_DIR}/stage1/check.cpp
          CMAKE_FLAGS -DINCLUDE_DIRECTORIES=${PROJECT_SOURCE_DIR}/src/json
          LINK_LIBRARIES simdjson::simdjson COMPILE_OUTPUT_VARIABLE stage1_said
          CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON)
  if(NOT stage1_compiled)
    message(FATAL_ERROR "src/json/stage1.hpp does not fit simdjson ${simdjson_VERSION}, whose stage 1 it uses:\n${stage1_said}")
  elseif(NOT stage1_ran EQUAL 0)
    message(FATAL_ERROR "simdjson ${simdjson_VERSION} finds other structural characters than src/json/stage1.hpp expects")
  endif()
  unset(stage1_ran CACHE)
  set(EVENTGATE_STAGE1 ${simdjson_VERSION} CACHE INTERNAL "The simdjson whose stage 1 fits")
  message(STATUS "simdjson ${simdjson_VERSION}: its stage 1 fits")
endif()
