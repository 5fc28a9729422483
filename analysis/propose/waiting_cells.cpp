#include "analysis/propose/waiting_cells.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>

#include "trainer/run_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSweeps = "sweeps";

// Of a sweep's record, a store, or one of its runs.
fs::path store_of(const fs::path& path) {
  std::error_code error;
  const fs::path whole = fs::absolute(path).lexically_normal();
  const fs::path named = whole.has_filename() ? whole : whole.parent_path();
  if (!fs::is_directory(named, error)) return named.parent_path().parent_path();
  return fs::is_directory(named / kSweeps, error) ? named : named.parent_path();
}

void add_of_store(const fs::path& store, std::vector<HeldOut>& waiting) {
  std::error_code error;
  std::set<fs::path> records;
  for (fs::directory_iterator at(store / kSweeps, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() == ".json") records.insert(at->path());
  }
  for (const fs::path& file : records) {
    try {
      for (const SweepCell& cell : read_sweep_record(file).cells) {
        if (cell.hold_out && !fs::exists(RunFolder{store / cell.folder}.record(), error)) {
          waiting.push_back(*cell.hold_out);
        }
      }
    } catch (const std::runtime_error&) {
      // Whoever reads that sweep is told.
    }
  }
}

}  // namespace

std::vector<HeldOut> waiting_cells(const std::vector<fs::path>& paths) {
  std::set<fs::path> stores;
  for (const fs::path& path : paths) stores.insert(store_of(path));
  std::vector<HeldOut> waiting;
  for (const fs::path& store : stores) add_of_store(store, waiting);
  return waiting;
}

}  // namespace scalelaw
