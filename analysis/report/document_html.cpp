#include <sstream>

#include "analysis/figures/figure_json.h"
#include "analysis/figures/gnuplot.h"
#include "analysis/report/document.h"
#include "analysis/report/page_parts.h"
#include "trainer/escaped.h"

namespace scalelaw {
namespace {

// Text that a reader needs room for wraps; names and numbers do not.
bool is_wide(const std::string& cell) {
  return cell.size() > 22;
}

// Lets long names of conventions wrap in a column's header.
std::string with_breaks(const std::string& escaped) {
  if (escaped.size() <= 16) return escaped;
  std::string out;
  for (const char c : escaped) out += c == '_' ? std::string("_<wbr>") : std::string(1, c);
  return out;
}

void write_table(std::ostream& out, const DocumentTable& table, bool folded) {
  if (folded) {
    out << "<details><summary>" << html_escaped(table.caption) << " (" << table.rows.size()
        << " rows)</summary>\n";
  }
  out << "<div class=\"scroll\" tabindex=\"0\"><table>";
  if (!folded && !table.caption.empty())
    out << "<caption>" << html_escaped(table.caption) << "</caption>";
  out << "\n<thead><tr>";
  for (const auto& column : table.columns) {
    out << "<th scope=\"col\"" << (column.numeric ? " class=\"n\"" : "") << '>'
        << with_breaks(html_escaped(column.header)) << "</th>";
  }
  out << "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    out << "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool numeric = table.columns[i].numeric;
      const char* style = is_wide(row[i]) ? (numeric ? " class=\"wide n\"" : " class=\"wide\"")
                                          : (numeric ? " class=\"n\"" : "");
      out << "<td" << style << '>' << html_escaped(row[i]) << "</td>";
    }
    out << "</tr>\n";
  }
  out << "</tbody></table></div>\n" << (folded ? "</details>\n" : "");
}

constexpr const char* kStill =
    "These figures stand still: the program was built without Plotly, which scripts/setup.sh "
    "installs. With it they name the run under the pointer and can be zoomed.";

struct Figures {
  const std::map<std::string, std::string>& svg;
  bool interactive;
};

// The still figure is for paper, and for where no script runs.
void write_figure(std::ostream& out, const Figure& figure, const Figures& figures) {
  const auto still = figures.svg.find(figure.id);
  if (still == figures.svg.end() && !figures.interactive) return;
  out << "<figure id=\"figure-" << figure.id << "\">";
  if (still != figures.svg.end()) {
    out << "<div class=\"scroll still\" tabindex=\"0\">" << inline_svg(still->second, figure)
        << "</div>\n";
  }
  if (figures.interactive) out << "<div class=\"plot\"></div>\n";
  out << "<figcaption>" << html_escaped(figure.caption) << "</figcaption></figure>\n";
}

void write_scripts(std::ostream& out, const Document& document, std::string_view plotly) {
  std::string figures;
  for (const DocumentBlock& block : document.blocks) {
    if (block.kind != DocumentBlock::Kind::kFigure) continue;
    figures += (figures.empty() ? "" : ",\n") + figure_json(block.figure);
  }
  if (plotly.empty() || figures.empty()) return;
  out << "<script type=\"application/json\" id=\"figures\">{\"themes\":" << themes_json()
      << ",\n\"figures\":[" << figures << "]}</script>\n<script>" << plotly << "</script>\n<script>"
      << figure_script() << "</script>\n";
}

void write_block(std::ostream& out, const DocumentBlock& block, const Figures& figures) {
  switch (block.kind) {
    case DocumentBlock::Kind::kHeading:
      out << "<h2>" << html_escaped(block.text) << "</h2>\n";
      break;
    case DocumentBlock::Kind::kLead:
      out << "<p class=\"lead\">" << html_escaped(block.text) << "</p>\n";
      break;
    case DocumentBlock::Kind::kParagraph:
      out << "<p>" << html_escaped(block.text) << "</p>\n";
      break;
    case DocumentBlock::Kind::kNotice:
      out << "<p class=\"notice\">" << html_escaped(block.text) << "</p>\n";
      break;
    case DocumentBlock::Kind::kList:
      out << "<ul>\n";
      for (const std::string& item : block.items) out << "<li>" << html_escaped(item) << "</li>\n";
      out << "</ul>\n";
      break;
    case DocumentBlock::Kind::kCode:
      out << "<pre><code>" << html_escaped(block.text) << "</code></pre>\n";
      break;
    case DocumentBlock::Kind::kTable:
      write_table(out, block.table, block.folded);
      break;
    case DocumentBlock::Kind::kFigure:
      write_figure(out, block.figure, figures);
      break;
  }
}

}  // namespace

std::string html_escaped(const std::string& text) {
  std::string out;
  for (const char c : escaped_lines(text)) {  // what turns writing around would turn numbers too
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string to_html(const Document& document, const std::map<std::string, std::string>& svg,
                    std::string_view plotly) {
  std::ostringstream out;
  out << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:\">\n<title>"
      << html_escaped(document.title) << "</title>\n<style>" << page_style()
      << "</style>\n</head>\n<body>\n<h1>" << html_escaped(document.title)
      << "</h1>\n<p class=\"subtitle\">" << html_escaped(document.subtitle) << "</p>\n";
  // The first section, the conclusions, stands out.
  int headings = 0;
  const Figures figures{svg, !plotly.empty()};
  bool told = figures.interactive;
  for (const DocumentBlock& block : document.blocks) {
    if (block.kind == DocumentBlock::Kind::kHeading && ++headings <= 2) {
      out << (headings == 1 ? "<section class=\"first\">\n" : "</section>\n");
    }
    if (block.kind == DocumentBlock::Kind::kFigure && !told && svg.contains(block.figure.id)) {
      out << "<p class=\"notice\">" << kStill << "</p>\n";
      told = true;
    }
    write_block(out, block, figures);
  }
  if (headings == 1) out << "</section>\n";
  write_scripts(out, document, plotly);
  out << "</body>\n</html>\n";
  return out.str();
}

}  // namespace scalelaw
