#include "tests/support/small_corpus.h"

#include <array>
#include <fstream>
#include <random>
#include <string>
#include <string_view>

namespace scalelaw {
namespace {

using Words = std::array<std::string_view, 8>;
constexpr Words kSubjects = {"the sailor", "a miller",   "the old king", "her brother",
                             "the fox",    "a traveler", "the baker",    "nobody"};
constexpr Words kVerbs = {"saw", "followed", "sold", "remembered", "wanted", "lost", "drew", "hid"};
constexpr Words kObjects = {"a lantern",  "the grey horse", "seven coins", "the harbour",
                            "his letter", "a silver ring",  "the bread",   "an empty house"};
constexpr Words kEndings = {"before dawn", "in the rain", "without a word", "by the river",
                            "once more",   "at the gate", "after supper",   "that winter"};

// std::uniform_int_distribution differs between standard libraries; this does not.
std::string_view pick(const Words& words, std::mt19937& random) {
  return words[random() % words.size()];
}

}  // namespace

void write_small_corpus(const std::filesystem::path& file, int documents, uint32_t seed) {
  std::mt19937 random(seed);
  std::ofstream out(file);
  for (int i = 0; i < documents; ++i) {
    std::string text = "Tale " + std::to_string(i) + ".";
    while (text.size() < 1000) {
      text += " Then " + std::string(pick(kSubjects, random)) + " " +
              std::string(pick(kVerbs, random)) + " " + std::string(pick(kObjects, random)) + " " +
              std::string(pick(kEndings, random)) + ".";
    }
    out << "{\"text\": \"" << text << "\"}\n";
  }
}

}  // namespace scalelaw
