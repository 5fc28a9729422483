#include <cmath>
#include <map>
#include <set>

#include "analysis/block_error.h"
#include "analysis/number_text.h"
#include "analysis/report/sections.h"
#include "trainer/number.h"

namespace scalelaw {

void add_noise(Document& document, const Study& study) {
  document.heading("Noise floor");
  const Selection& s = study.options.selection;
  DocumentTable table;
  table.caption =
      "Spread of the final loss between seeds of one size, in percent of the loss. "
      "Hold every difference between single runs against it.";
  table.columns = {{"arm", false}, {"N"}, {"seeds"}, {"losses", false}, {"sd, %"}};
  for (const ArmLaws& arm : study.laws) {
    for (const SizeCell& cell : arm.cells) {
      if (cell.seeds() < 2) continue;
      double squares = 0;
      std::string losses;
      for (const double value : cell.ln_losses) {
        squares += std::pow(value - cell.mean_ln_loss, 2);
        losses += (losses.empty() ? "" : ", ") + fixed(std::exp(value), 3);
      }
      table.rows.push_back({arm.arm, human(cell.n), std::to_string(cell.seeds()), losses,
                            fixed(100 * std::sqrt(squares / (cell.seeds() - 1)), 2)});
    }
  }
  if (table.rows.empty()) {
    document.paragraph("No size has a second seed: the noise between seeds is not known here.");
  } else {
    document.add(table);
    document.paragraph(
        "Pooled over all arms: " + percent(study.noise.seed.sd_ln_loss, 2) + " with " +
        std::to_string(study.noise.seed.df) +
        " degrees of freedom; with few, an estimate of noise is itself uncertain. Beyond that the "
        "sizes lie off their arms' straight lines by " +
        percent(study.noise.size_sd, 2) + " (lack of fit, and noise that a size's seeds share).");
  }
  double largest = 0;
  for (const RunRow& row : study.table.rows) {
    largest = std::max(largest, row.loss_standard_error(s.test_set, s.metric));
  }
  if (study.table.tabled) return;
  document.paragraph(
      "The test text adds up to " + fixed(largest, 3) + " " + std::string(unit(s.metric)) +
      " of standard error to each loss (" +
      (study.noise.evaluation_known
           ? "over " + std::to_string(kBlocks) +
                 " blocks of neighbouring windows, since windows of one document are alike"
           : std::string("windows taken for independent: too small")) +
      "), but all runs read the same text, so most of it cancels in differences.");
}

void add_runs(Document& document, const Study& study) {
  const Selection& s = study.options.selection;
  document.heading("Runs");
  DocumentTable runs;
  runs.caption = "Runs used; loss in " + std::string(unit(s.metric)) + " on test set " + s.test_set;
  runs.columns = {{"run", false},        {"arm", false},    {"N"},   {"D"}, {"loss"}, {"s.e."},
                  {"seeds: init, data"}, {"learning rate"}, {"wall"}};
  const auto told = [](double value, const std::string& text) { return value > 0 ? text : "-"; };
  for (const RunRow& row : study.table.rows) {
    const RunRecord& record = row.record;
    const double error = row.loss_standard_error(s.test_set, s.metric);
    runs.rows.push_back(
        {row.folder_name, row.arm, human(row.n(s.n_count)),
         told(row.d_tokens(), human(row.d_tokens())), fixed(row.loss(s.test_set, s.metric), 4),
         told(error, fixed(error, 4)),
         row.tabled && !row.tabled->has_seed
             ? "-"
             : std::to_string(record.seed_init) + ", " + std::to_string(record.seed_data),
         told(record.learning_rate, human(record.learning_rate)),
         told(record.wall_seconds, duration_text(record.wall_seconds))});
  }
  document.add(runs, true);
  if (study.table.excluded.empty()) {
    document.paragraph("No run was left out.");
    return;
  }
  DocumentTable excluded;
  excluded.caption = "Runs left out, and why";
  excluded.columns = {{"run", false}, {"arm", false}, {"reason", false}};
  for (const Exclusion& e : study.table.excluded) {
    excluded.rows.push_back({e.folder_name, e.arm, e.reason});
  }
  document.add(excluded);
}

void add_provenance(Document& document, const Study& study) {
  document.heading("Provenance");
  if (study.table.tabled) {
    document.paragraph("Losses and counts as they stand in " + study.table.source +
                       ": of how these runs were trained and tested the table tells no more.");
    return;
  }
  std::map<std::string, std::set<std::string>> facts;
  double wall_seconds = 0, flops = 0;
  std::set<std::string> counted;  // a run may stand in several arms
  for (const RunRow& row : study.table.rows) {
    if (!counted.insert(row.record.content_hash).second) continue;
    wall_seconds += row.record.wall_seconds;
    flops += row.training_flops();
    const ModelShape& shape = row.record.shape;
    facts["training text"].insert(row.record.train_set);
    facts["vocabulary"].insert(std::to_string(shape.n_vocab) + " tokens");
    facts["context"].insert(std::to_string(shape.n_ctx) + " tokens");
    facts["batch"].insert(std::to_string(row.record.batch_tokens) + " tokens");
    for (const Attempt& attempt : row.record.attempts) {
      const Provenance& p = attempt.provenance;
      facts["program"].insert(p.program_version);
      facts["commit"].insert(p.git_commit.substr(0, 12) + (p.git_dirty ? " with changes" : ""));
      facts["LibTorch"].insert(p.torch_version);
      facts["device"].insert(p.device);
      facts["host"].insert(p.host);
      facts["threads a run"].insert(std::to_string(p.threads));
    }
  }
  std::vector<std::string> items;
  for (const auto& [what, values] : facts) {
    std::string list;
    for (const std::string& value : values) list += (list.empty() ? "" : ", ") + value;
    items.push_back(what + ": " + list);
  }
  items.push_back("training time of all runs used: " + duration_text(wall_seconds) + ", " +
                  scientific(flops) + " FLOPs (exact_causal)");
  document.list(items);
}

}  // namespace scalelaw
