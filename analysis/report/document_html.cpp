#include <sstream>

#include "analysis/figures/gnuplot.h"
#include "analysis/report/document.h"

namespace scalelaw {
namespace {

constexpr const char* kStyle = R"css(
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #5c6269; --paper: #ffffff; --line: #d9dce0;
  --tint: #f4f6f8; --notice: #fff6e0; --notice-line: #d99a00; --accent: #00558c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6e9; --soft: #a2a8b0; --paper: #15181c;
  --line: #363c44; --tint: #1e2329; --notice: #2d2614; --notice-line: #c8961e; --accent: #6db8ea; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 62rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: .5rem 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 .6rem; padding-bottom: .25rem;
  border-bottom: 1px solid var(--line); }
p, li { max-width: 46rem; overflow-wrap: anywhere; }
.subtitle { color: var(--soft); margin-top: 0; }
ul { padding-left: 1.2rem; } li { margin: .45rem 0; }
section.first { background: var(--tint); border-left: 4px solid var(--accent); padding: .2rem 1.1rem .6rem;
  border-radius: 4px; margin-top: 1.2rem; }
section.first h2 { border: 0; margin: .8rem 0 .2rem; }
.lead { font-size: 1.12rem; font-weight: 600; }
.notice { background: var(--notice); border-left: 4px solid var(--notice-line); padding: .5rem .9rem;
  border-radius: 4px; max-width: 46rem; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: .4rem 0 1.4rem; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding: .5rem 0; max-width: 46rem; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; white-space: nowrap; }
td.wide { white-space: normal; min-width: 8rem; overflow-wrap: anywhere; }
th { border-bottom: 2px solid var(--line); vertical-align: bottom; white-space: normal; }
td.n, th.n { text-align: right; }
figure { margin: 1.2rem 0 2rem; } 
/* Figures keep their paper: their colours are chosen for it. */
figure .scroll { margin: 0; background: #fff; border-radius: 4px; }
figure svg { display: block; width: 100%; min-width: 38rem; height: auto; }
figcaption { color: var(--soft); font-size: .92rem; max-width: 46rem; margin-top: .5rem; }
pre { background: var(--tint); padding: .8rem 1rem; overflow-x: auto; border-radius: 4px;
  font-size: .88rem; }
summary { cursor: pointer; color: var(--accent); }
@media (max-width: 40rem) { body { padding: 1rem .9rem 3rem; } h1 { font-size: 1.35rem; } }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --paper: #fff; --line: #bbb;
  --tint: #fff; --notice: #fff; } body { max-width: none; font-size: 10pt; padding: 0; }
  .scroll { overflow: visible; } table { font-size: 8pt; } th, td { padding: .15rem .35rem; }
  figure svg { min-width: 0; } figure, tr { break-inside: avoid; } h2 { break-after: avoid; } }
)css";

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

void write_block(std::ostream& out, const DocumentBlock& block,
                 const std::map<std::string, std::string>& svg) {
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
    case DocumentBlock::Kind::kFigure: {
      const auto rendered = svg.find(block.figure.id);
      if (rendered == svg.end()) break;
      out << "<figure><div class=\"scroll\" tabindex=\"0\">"
          << inline_svg(rendered->second, block.figure) << "</div>\n<figcaption>"
          << html_escaped(block.figure.caption) << "</figcaption></figure>\n";
      break;
    }
  }
}

}  // namespace

std::string html_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
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
      default:  // other control characters are none of HTML's
        out += static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t' ? c : ' ';
    }
  }
  return out;
}

std::string to_html(const Document& document, const std::map<std::string, std::string>& svg) {
  std::ostringstream out;
  out << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'\">\n<title>"
      << html_escaped(document.title) << "</title>\n<style>" << kStyle
      << "</style>\n</head>\n<body>\n<h1>" << html_escaped(document.title)
      << "</h1>\n<p class=\"subtitle\">" << html_escaped(document.subtitle) << "</p>\n";
  // The first section, the conclusions, stands out.
  int headings = 0;
  for (const DocumentBlock& block : document.blocks) {
    if (block.kind == DocumentBlock::Kind::kHeading && ++headings <= 2) {
      out << (headings == 1 ? "<section class=\"first\">\n" : "</section>\n");
    }
    write_block(out, block, svg);
  }
  if (headings == 1) out << "</section>\n";
  out << "</body>\n</html>\n";
  return out.str();
}

}  // namespace scalelaw
