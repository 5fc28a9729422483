#include "analysis/propose/proposals_text.h"

#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

std::string counted(std::size_t number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

std::string model_text(const ProposedCell& cell) {
  if (!cell.shape) return "";
  return cell.shape->arch + " l" + std::to_string(cell.shape->n_layer) + "w" +
         std::to_string(cell.shape->d_model);
}

std::string rate_text(double rate) {
  if (!(rate > 0)) return "-";
  std::ostringstream text;
  text << std::setprecision(3) << rate;
  return text.str();
}

Json or_null(double value) {
  return value > 0 ? Json(value) : Json();
}

}  // namespace

Document document_of(const Proposals& proposals) {
  Document document;
  if (proposals.proposals.empty()) {
    document.lead("Nothing to propose after " + proposals.source + ".");
  } else {
    document.lead(
        counted(proposals.proposals.size(), "proposal") + " after " + proposals.source +
        (proposals.flops() > 0 ? ", " + scientific(proposals.flops()) + " FLOPs in all" : "") +
        ".");
    DocumentTable table;
    table.caption = "What to run next";
    if (!proposals.horizon.empty()) {
      table.caption += "; slopes and seeds at " + proposals.horizon;
    }
    table.columns = {{"#"},     {"for", false},   {"arm", false}, {"N"},
                     {"D"},     {"model", false}, {"rate"},       {"runs"},
                     {"FLOPs"}, {"gain"},         {"why", false}};
    for (const Proposal& p : proposals.proposals) {
      const ProposedCell& cell = p.cell;
      table.rows.push_back({std::to_string(table.rows.size() + 1), std::string(name(p.kind)), p.arm,
                            human(cell.n), cell.d_tokens > 0 ? human(cell.d_tokens) : "-",
                            model_text(cell), rate_text(cell.learning_rate), std::to_string(p.runs),
                            cell.flops > 0 ? scientific(p.flops()) : "-",
                            p.gain ? percent(*p.gain, 1) : "-", p.reason});
    }
    document.add(table);
    document.paragraph(
        "N counts " + proposals.n_words +
        ". The gain is how much narrower the interval named becomes, each after those before it, "
        "if "
        "the scatter stays what these runs show; - where there is no interval yet. First what "
        "is needed and what lies past an edge, then by gain per FLOP.");
  }
  std::vector<std::string> notes = proposals.notes;
  if (proposals.beyond > 0) {
    notes.push_back(counted(static_cast<std::size_t>(proposals.beyond), "further proposal") +
                    " left out by --most or --flops.");
  }
  if (!notes.empty()) document.list(notes);
  return document;
}

std::string to_json(const Proposals& proposals) {
  Json list = Json::array();
  for (const Proposal& p : proposals.proposals) {
    const ProposedCell& cell = p.cell;
    Json seeds = Json::array();
    for (int i = 0; i < p.runs; ++i) seeds.push_back(cell.first_seed + i);
    Json one = {{"for", name(p.kind)},
                {"arm", p.arm},
                {"n", cell.n},
                {"train_tokens", or_null(cell.d_tokens)},
                {"learning_rate", or_null(cell.learning_rate)},
                {"measured_size", cell.measured},
                {"runs", p.runs},
                {"seeds", seeds},
                {"flops", or_null(p.flops())},
                {"gain", p.gain ? Json(*p.gain) : Json()},
                {"why", p.reason}};
    if (cell.shape) {
      one["model"] = {{"arch", cell.shape->arch},
                      {"n_layer", cell.shape->n_layer},
                      {"d_model", cell.shape->d_model},
                      {"n_head", cell.shape->n_head}};
    }
    list.push_back(std::move(one));
  }
  const Json all = {{"source", proposals.source},   {"n_counts", proposals.n_words},
                    {"horizon", proposals.horizon}, {"flops", or_null(proposals.flops())},
                    {"proposals", std::move(list)}, {"left_out", proposals.beyond},
                    {"notes", proposals.notes},     {"warnings", proposals.warnings}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace scalelaw
