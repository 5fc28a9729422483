#include "trainer/data/default_corpus.h"

#include <initializer_list>

#include "trainer/config_error.h"

namespace scalelaw {

namespace fs = std::filesystem;

namespace {

bool has_python(const fs::path& torch) {
  std::error_code none;
  return fs::is_regular_file(torch / "nn/__init__.py", none);
}
bool has_headers(const fs::path& torch) {
  std::error_code none;
  return fs::is_directory(torch / "include/c10", none);
}
bool is_torch(const fs::path& folder) {
  return !folder.empty() && (has_python(folder) || has_headers(folder));
}

// Empty when it has none.
fs::path torch_of_venv(const fs::path& venv) {
  std::error_code none;
  for (const auto& python : fs::directory_iterator(venv / "lib", none)) {
    fs::path torch = python.path() / "site-packages/torch";
    if (is_torch(torch)) return torch;
  }
  return {};
}

}  // namespace

fs::path find_torch(const fs::path& given, const fs::path& built_with) {
  if (given.empty()) {
    for (const fs::path& folder : {built_with, torch_of_venv(".venv")}) {
      if (is_torch(folder)) return folder;
    }
    throw ConfigError("the default corpus is made from LibTorch, and there is none " +
                      (built_with.empty() ? "" : "in " + built_with.string() + ", nor ") +
                      "in .venv here: run scripts/setup.sh first, or pass --torch PATH");
  }
  const bool is_file = fs::is_regular_file(given);  // VENV/bin/python
  const fs::path venv = is_file ? given.parent_path().parent_path() : given;
  for (const fs::path& folder : {given, given / "libtorch", torch_of_venv(venv)}) {
    if (is_torch(folder)) return folder;
  }
  throw ConfigError("--torch " + given.string() +
                    ": is no torch folder (neither nn/__init__.py nor include/c10 in it), nor a "
                    "virtual environment that has torch, nor its Python");
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
