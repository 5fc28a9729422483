#include "trainer/data/source_files.h"

#include <fnmatch.h>
#include <glob.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <tuple>
#include <utility>

#include "trainer/config_error.h"
#include "trainer/data/stored_file.h"

namespace scalelaw {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 3> kCompressions = {".gz", ".xz", ".zst"};

[[noreturn]] void fail(const fs::path& file, const std::string& fault) {
  throw ConfigError(file.string() + ": " + fault);
}

void add_file(const fs::path& path, std::string label, bool named, const SourceOptions& options,
              SourceList& list) {
  if (text_format(path.filename().string(), options) == TextFormat::kOther) {
    if (!named) {
      ++list.other_files;
      return;
    }
    std::string suffixes = ".jsonl";
    for (const std::string& suffix : options.text_suffixes) suffixes += " " + suffix;
    fail(path, "is of a kind that is not read (" + suffixes +
                   ", each also with .gz .xz .zst); --text-suffix, once for each, names others in "
                   "place of .txt");
  }
  const bool excluded =
      std::any_of(options.exclude.begin(), options.exclude.end(), [&](const std::string& pattern) {
        return ::fnmatch(pattern.c_str(), label.c_str(), 0) == 0;
      });
  if (excluded) {
    ++list.excluded_files;
    return;
  }
  list.files.push_back({.path = path,
                        .label = std::move(label),
                        .bytes = static_cast<int64_t>(fs::file_size(path))});
}

void add_folder(const fs::path& folder, const SourceOptions& options, SourceList& list) {
  const fs::path base = fs::absolute(folder).lexically_normal();
  const fs::path root = base.has_filename() ? base.filename() : base.parent_path().filename();
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (!it->is_regular_file()) continue;
    const fs::path label = root / it->path().lexically_relative(folder);
    add_file(it->path(), label.generic_string(), false, options, list);
  }
  if (error) fail(folder, "cannot be searched: " + error.message());
}

void add_glob(const std::string& pattern, const SourceOptions& options, SourceList& list) {
  glob_t matches{};
  const int result = ::glob(pattern.c_str(), 0, nullptr, &matches);
  const std::unique_ptr<glob_t, decltype(&::globfree)> owner(&matches, &::globfree);
  if (result != 0) fail(pattern, "is not there, and no pattern that matches a file");
  for (std::size_t i = 0; i < matches.gl_pathc; ++i) {
    const fs::path path = matches.gl_pathv[i];
    if (fs::is_directory(path)) {
      add_folder(path, options, list);
    } else {
      add_file(path, path.filename().string(), false, options, list);
    }
  }
}

void add_source(const std::string& source, const SourceOptions& options, SourceList& list) {
  std::error_code ignored;
  if (fs::is_directory(source, ignored)) {
    add_folder(source, options, list);
  } else if (fs::is_regular_file(source, ignored)) {
    add_file(source, fs::path(source).filename().string(), true, options, list);
  } else {
    add_glob(source, options, list);
  }
}

}  // namespace

bool is_compressed(const std::string& file_name) {
  return std::any_of(kCompressions.begin(), kCompressions.end(),
                     [&](std::string_view suffix) { return file_name.ends_with(suffix); });
}

TextFormat text_format(std::string file_name, const SourceOptions& options) {
  for (const std::string_view suffix : kCompressions) {
    if (file_name.ends_with(suffix)) {
      file_name.resize(file_name.size() - suffix.size());
      break;
    }
  }
  if (file_name.ends_with(".jsonl")) return TextFormat::kJsonLines;
  for (const std::string& suffix : options.text_suffixes) {
    if (file_name.ends_with(suffix)) return TextFormat::kText;
  }
  return TextFormat::kOther;
}

SourceList find_sources(const std::vector<std::string>& sources, const SourceOptions& options) {
  SourceList list;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::size_t before = list.files.size();
    try {
      add_source(sources[i], options, list);
    } catch (const fs::filesystem_error& error) {  // a loop of links, a folder that is closed
      fail(error.path1(), "cannot be read: " + error.code().message());
    }
    for (std::size_t of = before; of < list.files.size(); ++of) {
      list.files[of].source = static_cast<int>(i);
    }
  }
  if (list.files.empty()) {
    throw ConfigError("no file to read in " + (sources.empty() ? "no source" : sources.front()) +
                      ": " + std::to_string(list.other_files) + " of other kinds, " +
                      std::to_string(list.excluded_files) + " excluded");
  }
  std::sort(list.files.begin(), list.files.end(), [](const SourceFile& a, const SourceFile& b) {
    return std::tie(a.label, a.path, a.source) < std::tie(b.label, b.path, b.source);
  });
  return list;
}

void hash_sources(SourceList& list, int64_t& done_bytes,
                  const std::function<void(int64_t)>& progress) {
  for (SourceFile& file : list.files) {
    StoredFile stored(file.path);
    file.bytes = 0;
    for (std::string_view chunk; !(chunk = stored.next()).empty();) {
      file.bytes += static_cast<int64_t>(chunk.size());
      progress(done_bytes += static_cast<int64_t>(chunk.size()));
    }
    stored.check();
    file.hash = stored.hash();
  }
}

}  // namespace scalelaw
