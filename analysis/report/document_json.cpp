#include <nlohmann/json.hpp>

#include "analysis/figures/figure_json.h"
#include "analysis/report/document.h"

namespace scalelaw {
namespace {

using nlohmann::ordered_json;

ordered_json table_json(const DocumentTable& table) {
  std::vector<std::string> columns;
  for (const auto& column : table.columns) columns.push_back(column.header);
  return {
      {"kind", "table"}, {"caption", table.caption}, {"columns", columns}, {"rows", table.rows}};
}

ordered_json block_json(const DocumentBlock& block) {
  switch (block.kind) {
    case DocumentBlock::Kind::kHeading:
      return {{"kind", "heading"}, {"text", block.text}};
    case DocumentBlock::Kind::kLead:
      return {{"kind", "lead"}, {"text", block.text}};
    case DocumentBlock::Kind::kParagraph:
      return {{"kind", "paragraph"}, {"text", block.text}};
    case DocumentBlock::Kind::kNotice:
      return {{"kind", "notice"}, {"text", block.text}};
    case DocumentBlock::Kind::kCode:
      return {{"kind", "code"}, {"text", block.text}};
    case DocumentBlock::Kind::kList:
      return {{"kind", "list"}, {"items", block.items}};
    case DocumentBlock::Kind::kTable:
      return table_json(block.table);
    case DocumentBlock::Kind::kFigure:
      return {{"kind", "figure"},
              {"caption", block.figure.caption},
              {"figure", ordered_json::parse(figure_json(block.figure))}};
  }
  return {};
}

}  // namespace

std::string to_json(const Document& document) {
  ordered_json blocks = ordered_json::array();
  for (const DocumentBlock& block : document.blocks) blocks.push_back(block_json(block));
  const ordered_json all = {
      {"title", document.title}, {"subtitle", document.subtitle}, {"blocks", blocks}};
  return all.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace scalelaw
