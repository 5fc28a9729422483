// The run table as CSV and JSON.
#include <nlohmann/json.hpp>

#include <cmath>
#include <sstream>

#include "analysis/block_error.h"
#include "analysis/run_table.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// RFC 4180: quoted where needed, quotes doubled. A leading =, +, - or @ would be run as a formula
// by a spreadsheet.
std::string csv_field(std::string text) {
  if (!text.empty() && std::string("=+-@").find(text[0]) != std::string::npos) text = "'" + text;
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

// "" where the windows' losses are not known.
std::string block_error_text(const RunRow& row, const Selection& selection) {
  if (row.window_losses.size() < kFewestWindowsForBlocks) return "";
  return canonical(row.loss_standard_error(selection.test_set, LossMetric::kNatsPerToken));
}

}  // namespace

std::string runs_csv(const RunTable& table, const Selection& selection) {
  std::ostringstream out;
  out << "folder,arm,state,arch,n_layer,d_model,n_non_embedding,n_non_embedding_plus_head,n_total,"
         "train_tokens,training_flops_exact_causal,test_set,loss_nats,loss_standard_error_nats,"
         "loss_block_error_nats,"
         "bits_per_byte,top1_accuracy,seed_init,seed_data,learning_rate,batch_tokens,wall_seconds,"
         "content_hash,reason\n";
  for (const RunRow& row : table.rows) {
    const TestResult& test = row.record.test.at(selection.test_set);
    const ModelShape& shape = row.record.shape;
    out << csv_field(row.folder_name) << ',' << csv_field(row.arm) << ",used,"
        << csv_field(shape.arch) << ',' << shape.n_layer << ',' << shape.d_model << ','
        << canonical(row.n(NCount::kNonEmbedding)) << ','
        << canonical(row.n(NCount::kNonEmbeddingPlusHead)) << ','
        << canonical(row.n(NCount::kTotal)) << ',' << row.record.train_tokens << ','
        << canonical(row.training_flops()) << ',' << csv_field(selection.test_set) << ','
        << canonical(test.loss_nats) << ',' << canonical(test.standard_error_nats) << ','
        << block_error_text(row, selection) << ','
        << (std::isnan(test.bits_per_byte) ? "" : canonical(test.bits_per_byte)) << ','
        << canonical(test.top1_accuracy) << ',' << row.record.seed_init << ','
        << row.record.seed_data << ',' << canonical(row.record.learning_rate) << ','
        << row.record.batch_tokens << ',' << canonical(row.record.wall_seconds) << ','
        << row.record.content_hash << ",\n";
  }
  for (const Exclusion& e : table.excluded) {
    out << csv_field(e.folder_name) << ',' << csv_field(e.arm) << ",excluded"
        << std::string(21, ',') << csv_field(e.reason) << '\n';
  }
  return out.str();
}

std::string runs_json(const RunTable& table, const Selection& selection) {
  nlohmann::json out = nlohmann::json::array();
  for (const RunRow& row : table.rows) {
    const TestResult& test = row.record.test.at(selection.test_set);
    out.push_back({{"folder", row.folder_name},
                   {"arm", row.arm},
                   {"arch", row.record.shape.arch},
                   {"n_non_embedding", row.n(NCount::kNonEmbedding)},
                   {"n_non_embedding_plus_head", row.n(NCount::kNonEmbeddingPlusHead)},
                   {"n_total", row.n(NCount::kTotal)},
                   {"train_tokens", row.record.train_tokens},
                   {"training_flops_exact_causal", row.training_flops()},
                   {"loss_nats", test.loss_nats},
                   {"loss_standard_error_nats", test.standard_error_nats},
                   {"bits_per_byte", test.bits_per_byte},
                   {"seed_init", row.record.seed_init},
                   {"seed_data", row.record.seed_data},
                   {"wall_seconds", row.record.wall_seconds}});
  }
  nlohmann::json excluded = nlohmann::json::array();
  for (const Exclusion& e : table.excluded) {
    excluded.push_back({{"folder", e.folder_name}, {"arm", e.arm}, {"reason", e.reason}});
  }
  return nlohmann::json{{"runs", out}, {"excluded", excluded}}.dump(
             2, ' ', false, nlohmann::json::error_handler_t::replace) +
         "\n";
}

}  // namespace scalelaw
