#include "sweeps/plan/study_cells.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "sweeps/plan/planned_cell.h"
#include "sweeps/tuning/recipe.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

struct CellsByHash {
  std::set<std::string> all;
  std::map<std::string, StudyShare::HeldOut> held_out;
};

CellsByHash cells_of(const SweepSpec& spec, DataSetHeaders& data, ExpressionCache& expressions) {
  CellsByHash cells;
  for (SweepPoint& point : expand(spec)) {
    evaluate_point(point, data, expressions);
    const RunIdentity run = identify(resolve(point.config), {}, data);
    cells.all.insert(run.content_hash);
    const auto n_vocab = [&] { return data.open(run.config.data.train).n_vocab; };
    if (!holds(spec.hold_out->where, "hold_out.where", point.config, n_vocab, expressions))
      continue;
    cells.held_out.emplace(
        run.content_hash, StudyShare::HeldOut{run.content_hash, run.folder.path.filename().string(),
                                              but_for_rate(run.config, data)});
  }
  return cells;
}

}  // namespace

StudyShare share_of_study(const SweepSpec& spec, DataSetHeaders& data,
                          ExpressionCache& expressions) {
  SweepSpec study = spec;
  study.settings.clear();
  StudyShare share;
  try {
    const CellsByHash with = cells_of(spec, data, expressions);
    const CellsByHash without = cells_of(study, data, expressions);
    share.is_study =
        with.all == without.all &&
        std::ranges::equal(with.held_out, without.held_out,
                           [](const auto& a, const auto& b) { return a.first == b.first; });
    for (const auto& [content_hash, cell] : with.held_out) {
      if (without.held_out.contains(content_hash)) share.held_out_by_both.push_back(cell);
    }
  } catch (const ConfigError&) {  // the plan tells its own faults
    return {};
  }
  return share;
}

}  // namespace scalelaw
