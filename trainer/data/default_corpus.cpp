#include "trainer/data/default_corpus.h"

#include <glob.h>

#include <memory>

#include "trainer/config_error.h"

namespace scalelaw {

namespace fs = std::filesystem;

namespace {

constexpr const char* kVenvTorch = ".venv/lib/python3*/site-packages/torch";

std::optional<fs::path> torch_of_venv() {
  glob_t matches{};
  const int result = ::glob(kVenvTorch, 0, nullptr, &matches);
  const std::unique_ptr<glob_t, decltype(&::globfree)> owner(&matches, &::globfree);
  if (result != 0 || matches.gl_pathc == 0) return std::nullopt;
  return fs::path(matches.gl_pathv[0]);
}

bool has_python(const fs::path& torch) {
  return fs::is_regular_file(torch / "nn/__init__.py");
}
bool has_headers(const fs::path& torch) {
  return fs::is_directory(torch / "include/c10");
}

}  // namespace

fs::path find_torch(const std::optional<fs::path>& given) {
  const std::optional<fs::path> torch = given ? given : torch_of_venv();
  if (!torch) {
    throw ConfigError(std::string("the default corpus is made from LibTorch, and there is no ") +
                      kVenvTorch + " here: run scripts/setup.sh first, or pass --torch FOLDER");
  }
  if (!has_python(*torch) && !has_headers(*torch)) {
    throw ConfigError("--torch " + torch->string() +
                      ": is no torch folder (neither nn/__init__.py nor include/c10 in it)");
  }
  return *torch;
}

std::vector<BuildOptions> default_corpora(const fs::path& torch, const BuildOptions& build) {
  BuildOptions common = build;
  common.corpus.split_by = SplitBy::kFolder;
  common.corpus.cap_per_file = 32768;
  common.corpus.validation_share = 0.05;
  common.corpus.test_share = 0.05;
  common.tokenizer_sample_bytes = 2'000'000;

  BuildOptions python = common;
  python.sources = {torch.string()};
  python.corpus.sources.text_suffixes = {".py"};

  BuildOptions headers = common;
  headers.sources = {(torch / "include").string()};
  headers.corpus.sources.text_suffixes = {".h"};
  headers.corpus.test_share = 0.1;  // it is read for tests, above all
  // One generated file an operator, seven thousand that differ in a name.
  headers.corpus.sources.exclude = {"include/ATen/ops/*"};

  std::vector<BuildOptions> corpora = {has_python(torch) ? python : headers};
  corpora.front().name = "default";
  corpora.front().tokenizer = "bpe:512";
  if (has_headers(torch)) {
    corpora.push_back(headers);
    corpora.back().name = "headers";
    corpora.back().tokenizer = "set:default";
  }
  return corpora;
}

}  // namespace scalelaw
