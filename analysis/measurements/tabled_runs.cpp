#include "analysis/measurements/tabled_runs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "analysis/measurements/measured_column.h"
#include "analysis/measurements/measurement_filter.h"
#include "analysis/measurements/measurements.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/hash.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

// What one file of the table has for a run.
class RunColumns {
 public:
  RunColumns(Measurements& table, std::size_t source, const TabledReading& reading,
             const Selection& selection, std::vector<std::string>& warnings)
      : table_(table),
        source_(source),
        count_(selection.n_count),
        map_(column_map(table, source, reading.maps)) {
    const bool per_byte = selection.metric == LossMetric::kBitsPerByte;
    if (per_byte) map_["L"] = bits_per_byte();
    loss_.emplace(table, map_, "L");
    for (const NCount count :
         {NCount::kNonEmbedding, NCount::kNonEmbeddingPlusHead, NCount::kTotal}) {
      const auto own = own_column("n_" + std::string(name(count)));
      if (own) n_.emplace(count, MeasuredColumn(table, {{"N", {*own}}}, "N"));
    }
    const bool asked = map_.contains("N") && map_.at("N").named;
    if (asked || !n_.contains(selection.n_count)) {
      MeasuredColumn n(table, map_, "N");
      if (!asked) {
        warnings.push_back(escaped(table.sources[source]) + ": what " + n.words(table) +
                           " counts is not told; it is taken for " +
                           std::string(in_words(selection.n_count)) +
                           " (--n-count says otherwise)");
      }
      n_.insert_or_assign(selection.n_count, std::move(n));
    }
    if (map_.contains("D") || map_.contains("C")) d_ = MeasuredColumn(table, map_, "D");
    if (map_.contains("C")) c_ = MeasuredColumn(table, map_, "C");
    run_ = reading.run.empty() ? own_column("run")
                               : column_named(table, "--run-column", reading.run, map_);
    arm_ = own_column("arm");
    for (const char* key : {"seed", "seed_init"}) {
      if (!seed_) seed_ = own_column(key);
    }
    for (const char* key : {"tokenizer", "tokenizer_hash"}) {
      if (!tokenizer_) tokenizer_ = own_column(key);
    }
  }

  const ColumnMap& map() const { return map_; }
  std::string loss_column() const { return escaped(table_.columns[map_.at("L").column]); }
  bool has_seeds() const { return seed_.has_value(); }

  // "" and the run, or why there is none. N, D, C and L are finite and above 0.
  std::string read(const Measurement& row, RunRow& run, double& loss) const {
    run.folder_name = table_.place(row);
    run.arm = arm_ ? std::string(table_.cell(row, *arm_)) : file_name();
    if (run.arm.empty()) return "column arm: is missing";
    std::string fault = given_reason(row);
    const auto take = [&](const MeasuredColumn& column) {
      const MeasuredValue found = column.of(table_, row, true);
      if (fault.empty()) fault = found.fault;
      return found.value;
    };
    TabledRun& tabled = run.tabled.emplace();
    for (const auto& [count, column] : n_) {
      const double n = count == count_ ? take(column) : column.of(table_, row).value;
      if (n > 0) tabled.n[count] = n;
    }
    if (c_) tabled.flops = take(*c_);
    const double d = d_ ? take(*d_) : 0;
    loss = take(*loss_);
    if (fault.empty() && d > 1e18) fault = "D = " + human(d) + " tokens are more than were written";
    if (!fault.empty()) return fault;
    RunRecord& record = run.record;
    record.train_tokens = std::llround(d);
    record.learning_rate = number(row, "lr");
    record.batch_tokens = std::llround(std::clamp(number(row, "batch"), 0.0, 1e15));
    record.unique_train_tokens = std::llround(std::clamp(number(row, "U"), 0.0, 1e18));
    record.shape.n_layer = std::llround(std::clamp(number(row, "n_layer"), 0.0, 1e9));
    record.shape.d_model = std::llround(std::clamp(number(row, "d_model"), 0.0, 1e9));
    record.shape.arch = text(row, own_column("arch"));
    record.seed_init = record.seed_data = seed_ ? seed_of(row) : row.line;
    if (tokenizer_) record.tokenizer_hash = text(row, tokenizer_);
    record.recipe_hash = recipe_of(run);
    record.content_hash = hash_hex(run.folder_name);
    tabled.has_seed = seed_.has_value();
    return "";
  }

  // Rows of one value are one run; "": each row is.
  std::string run_of(const Measurement& row) const { return text(row, run_); }

 private:
  std::optional<std::size_t> own_column(const std::string& name) const {
    const auto found = find_column(table_, name);
    return found && table_.has(source_, *found) ? found : std::nullopt;
  }

  // Of a table that `report` wrote, which holds the runs that were left out too.
  std::string given_reason(const Measurement& row) const {
    if (text(row, own_column("state")) != "excluded") return "";
    const std::string reason = text(row, own_column("reason"));
    return reason.empty() ? "excluded" : reason;
  }

  ColumnSource bits_per_byte() {
    if (map_.contains("L") && map_.at("L").named) return map_.at("L");
    for (const char* name : {"bits_per_byte", "bpb", "val_bpb"}) {
      if (const auto own = own_column(name)) return {*own};
    }
    throw ConfigError(
        escaped(table_.sources[source_]) +
        ": --metric bits_per_byte needs a column bits_per_byte, or --map loss=COLUMN; "
        "there are " +
        escaped_list(table_.columns));
  }

  std::string file_name() const { return fs::path(table_.sources[source_]).stem().string(); }

  std::string text(const Measurement& row, std::optional<std::size_t> column) const {
    return column ? std::string(table_.cell(row, *column)) : std::string();
  }

  // 0 where it is not there: these tell recipes apart and are in no law.
  double number(const Measurement& row, const std::string& name) const {
    const auto mapped = map_.find(name);
    const auto column =
        mapped != map_.end() ? std::optional(mapped->second.column) : own_column(name);
    const auto value = parse_real(text(row, column));
    return value ? *value * (mapped != map_.end() ? mapped->second.times : 1) : 0;
  }

  int64_t seed_of(const Measurement& row) const {
    const auto value = parse_real(text(row, seed_));
    return value && std::abs(*value) < 1e15 ? std::llround(*value) : 0;
  }

  // Runs that differ in seeds alone are of one.
  std::string recipe_of(const RunRow& run) const {
    const RunRecord& r = run.record;
    std::string all = table_.sources[source_] + '\n' + run.arm + '\n' + r.tokenizer_hash;
    for (const auto& [count, n] : run.tabled->n) all += '\n' + canonical(n);
    for (const double value :
         {run.d_tokens(), r.learning_rate, static_cast<double>(r.batch_tokens),
          static_cast<double>(r.unique_train_tokens), static_cast<double>(r.shape.n_layer),
          static_cast<double>(r.shape.d_model)}) {
      all += '\n' + canonical(value);
    }
    return hash_hex(all);
  }

  Measurements& table_;
  std::size_t source_;
  NCount count_;
  ColumnMap map_;
  std::optional<MeasuredColumn> loss_, d_, c_;
  std::map<NCount, MeasuredColumn> n_;
  std::optional<std::size_t> run_, arm_, seed_, tokenizer_;
};

// Of one source: runs in order of their first rows, with their curves.
class RunsOfSource {
 public:
  RunsOfSource(RunTable& table, const Selection& selection)
      : table_(table), selection_(selection) {}

  void add(RunRow row, double loss, const std::string& run) {
    TestResult& result = row.record.test[selection_.test_set];
    result.loss_nats = result.bits_per_byte = std::numeric_limits<double>::quiet_NaN();
    (selection_.metric == LossMetric::kBitsPerByte ? result.bits_per_byte : result.loss_nats) =
        loss;
    if (run.empty()) {
      table_.rows.push_back(std::move(row));
      return;
    }
    const auto [at, is_new] = at_.try_emplace(run, table_.rows.size());
    if (is_new) {
      table_.rows.push_back(std::move(row));
      return;
    }
    join(table_.rows[at->second], std::move(row), run);
  }

 private:
  double loss_of(const RunRow& row) const {
    return row.loss(selection_.test_set, selection_.metric);
  }

  void join(RunRow& known, RunRow row, const std::string& run) {
    if (known.arm != row.arm || known.tabled->n != row.tabled->n) {
      throw ConfigError(row.folder_name + ": run " + escaped(run) + " has another " +
                        (known.arm != row.arm ? "arm" : "N") + " in " + known.folder_name);
    }
    RunRow& earlier = row.d_tokens() < known.d_tokens() ? row : known;
    std::vector<TabledRun::Point> curve = std::move(known.tabled->curve);
    curve.push_back({earlier.d_tokens(), loss_of(earlier)});
    if (&earlier == &known) known = std::move(row);
    std::ranges::sort(curve, {}, &TabledRun::Point::d_tokens);
    known.tabled->curve = std::move(curve);
  }

  RunTable& table_;
  const Selection& selection_;
  std::map<std::string, std::size_t> at_;  // run to row
};

void warn_of_replicates(RunTable& table) {
  std::set<std::string> recipes;
  for (const RunRow& row : table.rows) recipes.insert(row.record.recipe_hash);
  if (recipes.size() == table.rows.size()) return;
  table.warnings.push_back(
      "no column seed: rows of one arm, N, D and whatever else the table tells are taken for runs "
      "that differ in their seeds");
}

// Of equal ones all but the first are one row written twice.
std::string numbers_of(const RunRow& run, double loss) {
  const RunRecord& record = run.record;
  return record.recipe_hash + ' ' + canonical(loss) +
         (run.tabled->has_seed ? ' ' + std::to_string(record.seed_init) : "");
}

}  // namespace

RunTable tabled_runs(Measurements table, const TabledReading& reading, Selection& selection) {
  if (!selection.test_set.empty()) {
    throw ConfigError("--test-set " + escaped(selection.test_set) +
                      ": a table has none; choose its loss with --map loss=COLUMN");
  }
  RunTable out;
  std::vector<RunColumns> columns;
  std::vector<ColumnMap> maps;
  for (std::size_t source = 0; source < table.sources.size(); ++source) {
    out.source += (source == 0 ? "" : ", ") + fs::path(table.sources[source]).filename().string();
    columns.emplace_back(table, source, reading, selection, out.warnings);
    maps.push_back(columns.back().map());
  }
  selection.test_set = columns.front().loss_column();
  selection.c_words = "as the table has it, else 6 N D";
  const MeasurementFilter filter(table, maps, reading.where);
  for (const LeftOutRow& row : table.excluded) out.excluded.push_back({row.place, "", row.reason});
  out.tabled = true;
  std::map<std::string, std::string> seen;
  std::vector<RunsOfSource> runs(table.sources.size(), RunsOfSource(out, selection));
  for (const Measurement& row : table.rows) {
    RunRow run;
    double loss = 0;
    std::string why = columns[row.source].read(row, run, loss);
    if (!filter.passes(row)) {
      why = "--where " + reading.where;
    } else if (why.empty()) {
      const auto [first, is_new] = seen.try_emplace(numbers_of(run, loss), run.folder_name);
      if (!is_new) why = "the same numbers as " + first->second;
    }
    if (why.empty()) {
      runs[row.source].add(std::move(run), loss, columns[row.source].run_of(row));
    } else {
      out.excluded.push_back({run.folder_name, run.arm, why});
    }
  }
  out.warnings.insert(out.warnings.end(), table.warnings.begin(), table.warnings.end());
  if (std::ranges::none_of(columns, &RunColumns::has_seeds)) warn_of_replicates(out);
  return out;
}

}  // namespace scalelaw
