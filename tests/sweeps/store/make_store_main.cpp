// make-store FOLDER CELLS: a data set, a sweep file and a store of as many complete runs, for
// scripts/bench_store.py.
#include <fstream>
#include <iostream>

#include "sweeps/language/sweep_spec.h"
#include "tests/support/tiny_data_set.h"
#include "tests/support/trained_runs.h"
#include "trainer/number.h"

int main(int argc, char** argv) {
  using namespace scalelaw;
  const auto cells = argc == 3 ? parse_whole(argv[2]) : std::nullopt;
  if (!cells || *cells < 1) {
    std::cerr << "usage: make-store FOLDER CELLS\n";
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "many.yaml") << many_runs_spec(*cells);
  write_tiny_data_set(folder / "data");
  PlanOptions options;
  options.runs = folder / "runs";
  options.data = folder / "data";
  write_trained_runs(make_plan(read_sweep_spec((folder / "many.yaml").string()), options));
  return 0;
}
