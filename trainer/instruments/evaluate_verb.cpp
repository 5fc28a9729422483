#include "trainer/instruments/evaluate_verb.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/data/data_set.h"
#include "trainer/device.h"
#include "trainer/evaluate.h"
#include "trainer/kernel_library.h"
#include "trainer/loaded_model.h"
#include "trainer/model_files.h"
#include "trainer/program_exit.h"
#include "trainer/run_identity.h"
#include "trainer/run_record.h"
#include "trainer/stop_signals.h"

namespace scalelaw {
namespace {

// What a run's train set was made with. Until a run has its record, its data sets alone tell.
struct KnownTokenizer {
  std::string hash, train_set;
};

KnownTokenizer tokenizer_of(const ModelFiles& files, const RunFolder& folder,
                            const std::filesystem::path& data) {
  if (const auto record = try_read_run_record(folder)) {
    return {record->tokenizer_hash, record->train_set};
  }
  try {
    const DataSetInfo train = open_train_set(files.config, files.content_hash, folder, data);
    return {train.tokenizer_hash, train.name};
  } catch (const ConfigError& error) {
    throw ConfigError(folder.path.string() +
                      ": the run is not complete and its data sets do not say which tokenizer it "
                      "has: " +
                      error.what() + "; name their folder by --data, or finish the run");
  }
}

// Equal ids must be equal text. Of a model from elsewhere the number of ids is all that is known.
void check_tokenizer(const ModelFiles& files, const std::optional<KnownTokenizer>& known,
                     const DataSetInfo& set) {
  const int64_t n_vocab = files.shape.n_vocab;
  if (set.n_vocab > n_vocab || (files.run_step && set.n_vocab < n_vocab)) {
    throw ConfigError(set.folder.string() + ": has a vocabulary of " + std::to_string(set.n_vocab) +
                      ", the model " + std::to_string(n_vocab) +
                      "; build the set with the model's tokenizer");
  }
  if (known && known->hash != set.tokenizer_hash) {
    throw ConfigError(set.folder.string() +
                      ": was made with another tokenizer than the run's train set; build it with "
                      "--tokenizer set:" +
                      known->train_set);
  }
}

TestSet open_test_set(const DataSetInfo& set, int64_t n_ctx, int64_t tokens) {
  const std::string folder = set.folder.string();
  if (!set.splits.contains(Split::kTest)) throw ConfigError(folder + ": has no test split");
  TestSet test{set.name, TokenShard(shard_file(set, Split::kTest)), tokens};
  const int64_t held = (test.shard.info().n_tokens - 1) / n_ctx * n_ctx;
  if (held == 0) {
    throw ConfigError(folder + ": the test split of " + set.name + " holds " +
                      std::to_string(test.shard.info().n_tokens) +
                      " tokens, and a window of the model takes " + std::to_string(n_ctx + 1));
  }
  if (tokens == 0) test.final_tokens = held;
  if (test.final_tokens < n_ctx || test.final_tokens > held) {
    throw ConfigError("--tokens " + std::to_string(tokens) + ": must be from " +
                      std::to_string(n_ctx) + ", a window of the model, to " +
                      std::to_string(held) + ", those of " + set.name + " in whole windows");
  }
  return test;
}

std::vector<TestSet> open_test_sets(const EvaluateArguments& a, const ModelFiles& files,
                                    const RunFolder& folder) {
  std::optional<KnownTokenizer> tokenizer;
  if (files.run_step) tokenizer = tokenizer_of(files, folder, a.data);
  std::vector<TestSet> sets;
  std::set<std::string> names;
  for (const std::string& given : a.sets) {
    const DataSetInfo set = open_data_set(a.data, given);
    if (!names.insert(set.name).second) {
      throw ConfigError(set.folder.string() + ": is named " + set.name +
                        " as another of SETS is, and results go by that name; leave one out");
    }
    check_tokenizer(files, tokenizer, set);
    sets.push_back(open_test_set(set, files.shape.n_ctx, a.tokens));
  }
  return sets;
}

std::string to_text(const std::string& name, const TestResult& result) {
  char text[160], bits[40] = "";
  if (!std::isnan(result.bits_per_byte)) {  // else nobody knows how many bytes there were
    std::snprintf(bits, sizeof bits, "  %.4f bits a byte", result.bits_per_byte);
  }
  std::snprintf(text, sizeof text, "  %lld tokens  %.4f +- %.4f nats a token%s  top-1 %.1f%%",
                static_cast<long long>(result.tokens), result.loss_nats, result.standard_error_nats,
                bits, 100 * result.top1_accuracy);
  return name + text;
}

// Named as in run.json.
nlohmann::ordered_json to_json(const TestResult& result) {
  nlohmann::ordered_json json = {{"token_hash", result.token_hash},
                                 {"tokens", result.tokens},
                                 {"windows", result.windows},
                                 {"loss_nats", result.loss_nats},
                                 {"standard_error_nats", result.standard_error_nats},
                                 {"bits_per_byte", result.bits_per_byte},
                                 {"top1_accuracy", result.top1_accuracy}};
  if (result.split_tokens) json["split_tokens"] = *result.split_tokens;
  if (result.text_bytes) json["text_bytes"] = *result.text_bytes;
  for (const PositionBin& bin : result.by_position) {
    json["by_position"].push_back({{"first", bin.first},
                                   {"last", bin.last},
                                   {"loss_nats", bin.loss_nats},
                                   {"standard_error_nats", bin.standard_error_nats}});
  }
  return json;
}

}  // namespace

void add_evaluate(CLI::App& app, EvaluateArguments& a) {
  CLI::App* verb = app.add_subcommand("evaluate", "loss of a run's or a model's weights");
  verb->footer(
      "Examples: scalelaw evaluate models/gpt2 books\n"
      "          scalelaw evaluate runs/RUN books/val --tokens 65536 --json");
  verb->add_option("MODEL", a.model,
                   "a run's folder (its newest checkpoint), or one that `model import` made")
      ->required();
  verb->add_option("SETS", a.sets, "data sets, whose test splits are read; NAME/val: val")
      ->required();
  add_whole(*verb, "--tokens", a.tokens, {0}, "of each; 0: all that make whole windows");
  add_folder(*verb, "--data", a.data, "folder of data sets");
  verb->add_option("--device", a.device, "auto, cpu or cuda")->capture_default_str();
  add_whole(*verb, "--threads", a.threads, kThreadCounts, kThreadsHelp);
  verb->add_flag("--json", a.json, "for scripts: results named as in run.json");
}

int run_evaluate_verb(const EvaluateArguments& a) {
  const std::filesystem::path folder = folder_value("MODEL", a.model);
  const at::Device device = choose_device(a.device);
  if (const std::string note = missing_kernels(device); !note.empty()) std::cerr << note << '\n';
  if (a.threads > 0) at::set_num_threads(a.threads);
  const ModelFiles files = open_model(folder);
  const std::vector<TestSet> sets = open_test_sets(a, files, {folder});
  const LoadedModel loaded(files, device);
  const auto ranks = alone();
  const Evaluator evaluator{loaded.model(), 1, device, *ranks};
  nlohmann::ordered_json all;
  for (const TestSet& set : sets) {
    const std::vector<WindowScores> scores = score_test_set(evaluator, set, stop_on_signals());
    if (scores.empty()) return kExitInterrupted;
    const TestResult& result = scores.front().result;
    if (a.json) {
      all[set.name] = to_json(result);
    } else {
      std::cout << to_text(set.name, result) << '\n';
    }
  }
  if (a.json) std::cout << all.dump(2) << '\n';
  return kExitComplete;
}

}  // namespace scalelaw
