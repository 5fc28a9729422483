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
// state, sweeps, excluded (the sweeps that leave it out) and step of the run's place in the store.
const std::vector<FilterKey>& fact_keys();
// The keys of them that are no configuration's, for --help: lines of words.
std::string record_keys_text();

// nullptr: the run has none. A configuration's key that it left out has its default.
const Fact* fact_of(const RunFacts& facts, const std::string& key);
const std::string& text_fact(const RunFacts& facts, const std::string& key);  // "" without one
double number_fact(const RunFacts& facts, const std::string& key);            // NaN without one

}  // namespace scalelaw
