// What the store's verbs know of a run by one flat key each: columns, filters, --json. Taken from
// run.json and config.yaml, each by its own, so that an index can keep them (run_index.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "trainer/run_config.h"
#include "trainer/run_filter.h"
#include "trainer/run_record.h"

namespace scalelaw {

using RunFacts = std::map<std::string, Fact>;

// state, hashes, N, D, C, loss, ...: what fact_keys() lists of a record. `loss` is the final one,
// in nats, on `test_set`: the training set's own test split where the run read it.
RunFacts record_facts(const RunRecord& record);
// Keys whose value differs from the default, and `spec`, under the names of the configuration.
RunFacts config_facts(const RunConfig& config);

// Every key that a filter may name: those of record_facts and of the configuration, and name,
// state, sweeps and step of the run's place in the store.
const std::vector<FilterKey>& fact_keys();
inline constexpr const char* kFactsHelp =
    "name state sweeps step N N_with_head N_total D C loss test_set wall_seconds steps "
    "content_hash\n"
    "recipe_hash train_set train_tokens unique_train_tokens batch_tokens learning_rate seed_init\n"
    "seed_data final_train_loss_nats attempts events pack host device started_at program_version\n"
    "n_vocab, test.SET.loss_nats (standard_error_nats, bits_per_byte, top1_accuracy), and every "
    "key\n"
    "of a configuration (`scalelaw explain`)";

// nullptr: the run has none. A configuration's key that it left out has its default.
const Fact* fact_of(const RunFacts& facts, const std::string& key);
const std::string& text_fact(const RunFacts& facts, const std::string& key);  // "" without one
double number_fact(const RunFacts& facts, const std::string& key);            // NaN without one

}  // namespace scalelaw
