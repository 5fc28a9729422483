// A report as a list of blocks, apart from its form: Markdown (document_markdown.cpp), HTML
// (document_html.cpp) and JSON (document_json.cpp) come from the same blocks, so they cannot
// disagree. Text is plain; each form escapes it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/figures/figure.h"

namespace scalelaw {

struct DocumentTable {
  std::string caption;
  struct Column {
    std::string header;
    bool numeric = true;  // aligned right
  };
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;

  // Rows become columns, headed by their first `keys` cells: for few rows of many quantities.
  DocumentTable transposed(std::size_t keys) const;
};

struct DocumentBlock {
  enum class Kind { kHeading, kLead, kParagraph, kList, kTable, kFigure, kCode, kNotice };
  Kind kind = Kind::kParagraph;
  std::string text;                // heading, lead, paragraph, code, notice
  std::vector<std::string> items;  // list
  DocumentTable table;
  Figure figure;        // its id, title and caption
  bool folded = false;  // HTML: long tables behind a summary line
};

struct Document {
  std::string title, subtitle;
  std::vector<DocumentBlock> blocks;

  void heading(const std::string& text);
  void lead(const std::string& text);  // the one sentence to read
  void paragraph(const std::string& text);
  void notice(const std::string& text);  // a warning
  void list(const std::vector<std::string>& items);
  void code(const std::string& text);
  void add(const DocumentTable& table, bool folded = false);
  void add(const Figure& figure);
};

// Figures are linked as FIGURES/ID.png; none when `figures` is empty.
std::string to_markdown(const Document& document, const std::string& figures);

// One self-contained page: no external request, light and dark, printable, narrow screens. `svg`
// maps a figure's id to its rendered SVG. `plotly` is the library that draws the figures anew where
// scripts run (page_parts.h); without it the SVGs stay, and a figure that has none is left out.
std::string to_html(const Document& document, const std::map<std::string, std::string>& svg,
                    std::string_view plotly);

// {"title", "subtitle", "blocks": [{"kind": "heading", "text"}, ...]}; a list has "items", a table
// "caption", "columns" and "rows", a figure "caption" and "figure" (figures/figure_json.h).
std::string to_json(const Document& document);

std::string html_escaped(const std::string& text);

}  // namespace scalelaw
