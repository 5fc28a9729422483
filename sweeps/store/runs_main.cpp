// scalelaw-runs: the store of run folders, across sweeps.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "sweeps/plan/reports.h"
#include "sweeps/store/clean_runs.h"
#include "sweeps/store/export_runs.h"
#include "sweeps/store/import_runs.h"
#include "sweeps/store/run_list.h"
#include "sweeps/store/run_pages.h"
#include "sweeps/store/store_runs.h"
#include "sweeps/store/verify_predictions.h"
#include "sweeps/store/verify_runs.h"
#include "trainer/bytes_text.h"
#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/program_exit.h"
#include "trainer/version.h"

namespace {

using namespace scalelaw;

struct Arguments {
  std::string runs = "runs";
  std::vector<std::string> names;
  std::string where, sweep, sort = "name", out, archive, keep = "configured";
  bool json = false, dry_run = false, weights = false, logs = false, reverse = false;
  ArchiveLimits limits;
};

constexpr const char* kFooter =
    "A run may be named by any part of its name or hash that no other run has.\n"
    "A filter compares keys with values and joins with and, or, not and parentheses:\n"
    "  --where 'model.arch == lstm and N > 1e6 and not state == diverged'\n"
    "  == != < <= > >= ; ~ contains a text; `KEY == none`: the run has no such value\n"
    "Example: scalelaw runs list --where 'loss < 2.5' --sort loss";

void add_common(CLI::App* verb, Arguments& a) {
  add_folder(*verb, "--runs", a.runs, "the store: folder of run folders");
}

void add_choice(CLI::App* verb, Arguments& a) {
  verb->add_option("run", a.names, "names, or parts of names or hashes; none: all")
      ->type_name("RUN");
  verb->add_option("--where", a.where, "only runs for which this holds (see scalelaw runs --help)")
      ->type_name("FILTER");
  verb->add_option("--sweep", a.sweep, "only runs of this sweep")->type_name("NAME");
  add_common(verb, a);
}

void add_looks(CLI::App& app, Arguments& a) {
  CLI::App* list = app.add_subcommand("list", "name, state, N, D, loss, wall time, sweeps");
  list->footer(
      "Keys of --where and --sort:\n" + record_keys_text() +
      "\nand every key of a configuration (`scalelaw explain`). test.*: a test set's name.\n"
      "Example: scalelaw runs list --where 'model.arch == lstm and N > 1e6' --sort N");
  add_choice(list, a);
  list->add_option("--sort", a.sort, "by this key, those without it last")
      ->type_name("KEY")
      ->capture_default_str();
  list->add_flag("--reverse", a.reverse, "the largest first");
  list->add_flag("--json", a.json, "for scripts, with every key");

  CLI::App* show = app.add_subcommand("show", "all that is known of a run");
  show->footer("Example: scalelaw runs show 3fa9");
  show->add_option("run", a.names, "name, or a part of it or of its hash")
      ->required()
      ->expected(1)
      ->type_name("RUN");
  show->add_flag("--json", a.json, "for scripts");
  add_common(show, a);

  CLI::App* diff = app.add_subcommand("diff", "in what two runs differ: configuration, results");
  diff->footer("Example: scalelaw runs diff 3fa9 b01c");
  diff->add_option("run", a.names, "two names, or parts of names or hashes")
      ->required()
      ->expected(2)
      ->type_name("RUN");
  diff->add_flag("--json", a.json, "for scripts");
  add_common(diff, a);

  CLI::App* verify = app.add_subcommand("verify", "read every file of every run, and check it");
  verify->footer(
      "Hashes of records, results and safetensors, the configuration's content hash, metrics up "
      "to\n"
      "the last step; in records without hashes losses against what they are computed from.\n"
      "Damaged runs are listed with what to do; ends with 1 when there are any.\n"
      "Example: scalelaw runs verify --sweep quickstart");
  add_choice(verify, a);
  verify->add_flag("--json", a.json, "for scripts");
}

void add_changes(CLI::App& app, Arguments& a) {
  CLI::App* out = app.add_subcommand("export", "runs with a result into one archive");
  out->footer(
      "Records, metrics, configurations and window losses; with --sweep the sweep's record,\n"
      "exclusions and registered predictions too, so that `scalelaw fit` finds the names of the\n"
      "arms and leaves out the same runs, and `scalelaw predict --score` counts as here.\n"
      "Example: scalelaw runs export --sweep quickstart --out quickstart.tar.zst");
  add_choice(out, a);
  out->add_option("--out", a.out, "the archive, which must not be there")
      ->required()
      ->type_name("FILE.tar.zst");
  out->add_flag("--weights", a.weights, "checkpoints too");

  CLI::App* in = app.add_subcommand("import", "runs of an archive into the store");
  in->footer(
      "Everything is checked before anything is seen in the store. Runs that are there stay as "
      "they\n"
      "are; ends with 1 when something else is in the place of one.\n"
      "Example: scalelaw runs import quickstart.tar.zst --dry-run");
  in->add_option("archive", a.archive, "as `scalelaw runs export` wrote it")
      ->required()
      ->type_name("FILE");
  add_common(in, a);
  in->add_flag(
      "--dry-run", a.dry_run,
      "read it and check names, sizes, hashes and sweeps, write nothing; whether a run's "
      "files are the run that they are named after, and the disk has room, is not looked at");
  add_whole(*in, "--max-files", a.limits.files, {}, "refuse an archive of more");
  add_whole(*in, "--max-bytes", a.limits.bytes, {.bytes = true},
            "refuse an archive of more, unpacked");

  CLI::App* clean = app.add_subcommand("clean", "remove what no result depends on");
  clean->footer(
      "Of runs with a result: checkpoints (--keep), those set aside (.rejected and\n"
      "before.0001/checkpoints), drafts, logs (--logs). Records, metrics, window losses and\n"
      "configurations stay, in before.0001/ too; a running run is not touched, and one that\n"
      "diverged keeps its newest two checkpoints but for --keep none. Ends with 1 where something\n"
      "could not be done, and says what was left and why.\n"
      "Example: scalelaw runs clean --keep none --where 'N < 1e6' --dry-run");
  add_choice(clean, a);
  clean
      ->add_option("--keep", a.keep,
                   "of a complete run's checkpoints: none, weights (of the last, without what "
                   "training goes on from), last, all, as configured, by its own how.keep, or as "
                   "asked by the `keep` of the sweeps that use it, of several the most")
      ->check(CLI::IsMember({"configured", "asked", "none", "weights", "last", "all"}))
      ->capture_default_str();
  clean->add_flag("--logs", a.logs, "what the runs' trainers printed, too");
  clean->add_flag("--dry-run", a.dry_run, "say what and how much, remove nothing");
  clean->add_flag("--json", a.json, "for scripts");
}

RunChoice choice_of(const Arguments& a) {
  RunChoice choice{a.names, a.sweep, {}};
  if (!a.where.empty()) choice.where = RunFilter(a.where, fact_keys());
  return choice;
}

StoreRuns chosen_store(const Arguments& a) {
  const RunChoice choice = choice_of(a);  // a bad filter is said before the store is read
  StoreRuns store = read_store(a.runs);
  for (const std::string& warning : store.warnings) {
    std::cerr << "scalelaw runs: warning: " << escaped(warning) << "\n";
  }
  std::vector<std::string> warnings = store.warnings;
  return {choose(std::move(store), a.runs, choice), std::move(warnings)};
}

std::vector<StoreRun> chosen_runs(const Arguments& a) {
  return chosen_store(a).runs;
}

int list_verb(const Arguments& a) {
  key_named(fact_keys(), "--sort", a.sort);
  std::vector<StoreRun> runs = chosen_runs(a);
  sort_runs(runs, a.sort, a.reverse);
  std::cout << (a.json ? list_json(runs) : list_text(runs));
  return kExitComplete;
}

std::vector<RunPage> pages_of(const Arguments& a) {
  const StoreRuns store = read_store(a.runs);
  std::vector<RunPage> pages;
  for (const std::string& name : a.names) {
    const std::vector<StoreRun> found = choose(store, a.runs, {{name}, "", {}});
    if (found.empty()) {
      throw ConfigError(escaped(find_run(a.runs, name)) + ": is in the store and holds no run");
    }
    pages.push_back(read_run_page(a.runs, found.front()));
  }
  return pages;
}

int show_verb(const Arguments& a) {
  const RunPage page = pages_of(a).front();
  std::cout << (a.json ? page_json(page) : page_text(page));
  return kExitComplete;
}

int diff_verb(const Arguments& a) {
  const std::vector<RunPage> pages = pages_of(a);
  std::cout << (a.json ? diff_json(pages[0], pages[1]) : diff_text(pages[0], pages[1]));
  return kExitComplete;
}

int verify_verb(const Arguments& a) {
  VerifyResult result = verify_runs(a.runs, chosen_runs(a));
  if (a.names.empty() && a.where.empty() && a.sweep.empty()) verify_predictions(a.runs, result);
  std::cout << (a.json ? verify_json(result) : verify_text(result));
  return result.faults.empty() ? kExitComplete : kExitOther;
}

int export_verb(const Arguments& a) {
  if (a.names.empty() && a.where.empty() && a.sweep.empty()) {
    throw ConfigError(
        "export: which runs? name them, or give --sweep or --where ('state == complete' for all "
        "that are)");
  }
  ExportOptions options;
  options.weights = a.weights;
  options.program_version = build_version().program;
  if (!a.sweep.empty()) options.sweeps = {a.sweep};
  const Exported done = export_runs(a.runs, chosen_runs(a), a.out, options);
  for (const std::string& run : done.left_out) std::cout << "left out: " << escaped(run) << "\n";
  for (const std::string& what : done.left_behind) {
    std::cout << "left behind: " << escaped(what) << "\n";
  }
  if (done.without_weights > 0) {
    std::cout << "without weights, which were not kept (how.keep, `runs clean --keep none`): "
              << counted(static_cast<int64_t>(done.without_weights), "run") << "\n";
  }
  std::cout << counted(static_cast<int64_t>(done.runs), "run") << ", "
            << counted(static_cast<int64_t>(done.files), "file") << ", "
            << bytes_text(static_cast<double>(done.bytes)) << " in "
            << bytes_text(static_cast<double>(done.archive_bytes)) << ": " << escaped(a.out)
            << "\n";
  return kExitComplete;
}

int import_verb(const Arguments& a) {
  const ImportResult result = import_runs(a.archive, a.runs, a.limits, a.dry_run);
  int64_t imported = 0, kept = 0, refused = 0;
  for (const ImportedItem& item : result.items) {
    switch (item.end) {
      case ImportEnd::kImported:
        ++imported;
        std::cout << (a.dry_run ? "would import " : "imported ") << escaped(item.shown) << "\n";
        break;
      case ImportEnd::kKept:
        ++kept;
        std::cout << "kept, as it is here already: " << escaped(item.shown) << "\n";
        break;
      case ImportEnd::kRefused:
        ++refused;
        std::cout << "not imported: " << escaped(item.shown) << ": " << escaped(item.why) << "\n";
        break;
    }
  }
  std::cout << imported << (a.dry_run ? " to import (" : " imported (")
            << bytes_text(static_cast<double>(result.bytes)) << "), " << kept << " kept, "
            << refused << " not imported\n";
  return refused == 0 ? kExitComplete : kExitOther;
}

int clean_verb(const Arguments& a) {
  CleanOptions options;
  options.keep = a.keep == "none"      ? KeepCheckpoints::kNone
                 : a.keep == "weights" ? KeepCheckpoints::kWeights
                 : a.keep == "last"    ? KeepCheckpoints::kLast
                 : a.keep == "all"     ? KeepCheckpoints::kAll
                 : a.keep == "asked"   ? KeepCheckpoints::kAsked
                                       : KeepCheckpoints::kAsConfigured;
  options.logs = a.logs;
  options.dry_run = a.dry_run;
  options.sweep = a.sweep;
  options.store = a.names.empty() && a.where.empty() && a.sweep.empty();
  StoreRuns store = chosen_store(a);
  options.unread = std::move(store.warnings);
  const CleanResult result = clean_runs(a.runs, store.runs, options);
  std::cout << (a.json ? clean_json(result) : clean_text(result, a.dry_run));
  return result.left.empty() ? kExitComplete : kExitOther;
}

Outcome run_program(const CLI::App& app, const Arguments& a) {
  if (app.got_subcommand("list")) return {list_verb(a)};
  if (app.got_subcommand("show")) return {show_verb(a)};
  if (app.got_subcommand("diff")) return {diff_verb(a)};
  if (app.got_subcommand("verify")) return {verify_verb(a)};
  if (app.got_subcommand("export")) return {export_verb(a), Product::kFiles};
  if (app.got_subcommand("import")) return {import_verb(a), Product::kFiles};
  return {clean_verb(a), Product::kFiles};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The store of run folders, across sweeps", "scalelaw runs");
  app.footer(kFooter);
  app.require_subcommand(1);
  Arguments arguments;
  add_looks(app, arguments);
  add_changes(app, arguments);
  return run_main("scalelaw runs", [&]() -> Outcome {
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return {end_parse(app, error, "scalelaw runs", {argv + 1, argv + argc})};
    }
    return run_program(app, arguments);
  });
}
