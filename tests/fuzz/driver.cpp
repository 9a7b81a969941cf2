// Runs a fuzz target without libFuzzer: every seed, then a number of mutated ones, always the same. So a short run is
// a test, and any compiler and sanitizer will do.
//
//   TARGET_fuzz SEED_FOLDER RUNS    every seed, then RUNS mutations
//   TARGET_fuzz FILE...             these inputs

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

constexpr std::size_t kLargestInput = 1 << 16;
constexpr const char* kCrashFile = "crash";

/// What is being run, for the report of a crash.
std::string input;

extern "C" void save_input() {
  if (std::FILE* file = std::fopen(kCrashFile, "wb")) {
    std::fwrite(input.data(), 1, input.size(), file);
    std::fclose(file);
    std::fprintf(stderr, "the input, of %zu bytes, is in the file '%s' of the current directory\n", input.size(),
                 kCrashFile);
  }
}

extern "C" void save_input_of_abort(int) {
  save_input();
  _exit(1);
}

void run() { LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size()); }

std::string file_content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read '%s'\n", path.c_str());
    std::exit(2);
  }
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class Mutator {
 public:
  explicit Mutator(std::vector<std::string> seeds) : seeds_(std::move(seeds)) {}

  std::string next() {
    std::string text = seed();
    for (std::size_t times = 1 + below(4); times > 0; --times) mutate(text);
    text.resize(std::min(text.size(), kLargestInput));
    return text;
  }

 private:
  // mt19937_64 gives the same numbers everywhere; the standard's distributions do not.
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }
  const std::string& seed() { return seeds_[below(seeds_.size())]; }

  void mutate(std::string& text) {
    static constexpr std::string_view kPieces[] = {"{",
                                                   "}",
                                                   "[",
                                                   "]",
                                                   ",",
                                                   ":",
                                                   "\"",
                                                   "\\",
                                                   "\\\\",
                                                   "\\\"",
                                                   "\\n",
                                                   "\\u00e9",
                                                   "true",
                                                   "false",
                                                   "null",
                                                   "0",
                                                   "-",
                                                   "-0",
                                                   "01",
                                                   "1.0",
                                                   "1e400",
                                                   "e",
                                                   ".",
                                                   "+",
                                                   " ",
                                                   "\n",
                                                   "\t",
                                                   "\x01",
                                                   "\\ud83d",
                                                   "\\ude00",
                                                   "\x7F",
                                                   "\xEF\xBB\xBF",
                                                   "\xC3\xA9",
                                                   "\xED\xA0\x80",
                                                   "\xC0\x80",
                                                   "\xF0\x9F\x98\x80",
                                                   "\xFF",
                                                   "\"a\":",
                                                   "{}",
                                                   "[]",
                                                   "{\"a\":{\"b\":",
                                                   "9007199254740993",
                                                   "18446744073709551616",
                                                   "                                ",
                                                   "\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\"
                                                   "\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\"};
    const std::size_t at = below(text.size() + 1);
    const std::size_t size = below(std::min<std::size_t>(text.size() - at, 80) + 1);
    switch (below(7)) {
      case 0:
        text.insert(at, kPieces[below(std::size(kPieces))]);
        break;
      case 1:
        text.replace(at, size, kPieces[below(std::size(kPieces))]);
        break;
      case 2:
        text.erase(at, size);
        break;
      case 3:
        text.insert(at, text.substr(at, size));
        break;
      case 4:
        if (at < text.size()) text[at] = static_cast<char>(random_());
        break;
      case 5: {
        const std::string& other = seed();
        const std::size_t from = below(other.size() + 1);
        text.insert(at, other, from, below(other.size() - from + 1));
        break;
      }
      default:
        text.insert(0, std::string(below(130), ' '));
        break;  // elsewhere in a SIMD block
    }
  }

  std::vector<std::string> seeds_;
  std::mt19937_64 random_{20221123};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s SEED_FOLDER RUNS, or %s FILE...\n", argv[0], argv[0]);
    return 2;
  }
  if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(save_input);
  std::signal(SIGABRT, save_input_of_abort);

  if (!std::filesystem::is_directory(argv[1])) {
    for (int i = 1; i < argc; ++i) {
      input = file_content(argv[i]);
      run();
    }
    return 0;
  }

  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> seeds;
  for (const auto& path : paths) seeds.push_back(file_content(path));
  if (seeds.empty()) {
    std::fprintf(stderr, "no seeds in '%s'\n", argv[1]);
    return 2;
  }
  for (const std::string& seed : seeds) {
    input = seed;
    run();
  }
  const long runs = argc > 2 ? std::atol(argv[2]) : 0;
  Mutator mutator(seeds);
  for (long i = 0; i < runs; ++i) {
    input = mutator.next();
    run();
  }
  std::printf("%zu seeds and %ld mutations\n", seeds.size(), runs);
}
