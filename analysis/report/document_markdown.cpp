#include <sstream>

#include "analysis/report/document.h"
#include "trainer/escaped.h"

namespace scalelaw {
namespace {

// Keeps text from turning into markup, and table cells in one line; "p < 0.05" and "[0.1, 0.2]"
// stay as they are, because people read this form as text too.
std::string marked(const std::string& plain) {
  const std::string text = escaped_lines(plain);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i], next = i + 1 < text.size() ? text[i + 1] : ' ';
    if (static_cast<unsigned char>(c) < 0x20) {
      out += ' ';
    } else if (c == '<' && next != ' ') {
      out += "&lt;";
    } else if (std::string("\\`*|").find(c) != std::string::npos || (c == '#' && i == 0) ||
               (c == ']' && (next == '(' || next == '['))) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

void write_table(std::ostream& out, const DocumentTable& table) {
  if (!table.caption.empty()) out << "**" << marked(table.caption) << "**\n\n";
  out << '|';
  for (const auto& column : table.columns) out << ' ' << marked(column.header) << " |";
  out << "\n|";
  for (const auto& column : table.columns) out << (column.numeric ? "---:|" : "---|");
  out << '\n';
  for (const auto& row : table.rows) {
    out << '|';
    for (const std::string& cell : row) out << ' ' << marked(cell) << " |";
    out << '\n';
  }
  out << '\n';
}

}  // namespace

DocumentTable DocumentTable::transposed(std::size_t keys) const {
  DocumentTable out;
  out.caption = caption;
  out.columns.push_back({"", false});
  for (const auto& row : rows) {
    std::string header;
    for (std::size_t k = 0; k < keys; ++k) header += (k ? ", " : "") + row[k];
    out.columns.push_back({header, true});
  }
  for (std::size_t c = keys; c < columns.size(); ++c) {
    out.rows.push_back({columns[c].header});
    for (const auto& row : rows) out.rows.back().push_back(row[c]);
  }
  return out;
}

void Document::heading(const std::string& text) {
  blocks.push_back({});
  blocks.back().kind = DocumentBlock::Kind::kHeading;
  blocks.back().text = text;
}

void Document::lead(const std::string& text) {
  paragraph(text);
  blocks.back().kind = DocumentBlock::Kind::kLead;
}

void Document::paragraph(const std::string& text) {
  blocks.push_back({});
  blocks.back().text = text;
}

void Document::notice(const std::string& text) {
  blocks.push_back({});
  blocks.back().kind = DocumentBlock::Kind::kNotice;
  blocks.back().text = text;
}

void Document::list(const std::vector<std::string>& items) {
  if (items.empty()) return;
  blocks.push_back({});
  blocks.back().kind = DocumentBlock::Kind::kList;
  blocks.back().items = items;
}

void Document::code(const std::string& text) {
  blocks.push_back({});
  blocks.back().kind = DocumentBlock::Kind::kCode;
  blocks.back().text = text;
}

void Document::add(const DocumentTable& table, bool folded) {
  blocks.push_back({});
  blocks.back().kind = DocumentBlock::Kind::kTable;
  blocks.back().table = table;
  blocks.back().folded = folded;
}

void Document::add(const Figure& figure) {
  blocks.push_back({});
  blocks.back().kind = DocumentBlock::Kind::kFigure;
  blocks.back().figure = figure;
}

std::string to_markdown(const Document& document, const std::string& figures) {
  std::ostringstream out;
  if (!document.title.empty()) out << "# " << marked(document.title) << "\n\n";
  if (!document.subtitle.empty()) out << marked(document.subtitle) << "\n\n";
  for (const DocumentBlock& block : document.blocks) {
    switch (block.kind) {
      case DocumentBlock::Kind::kHeading:
        out << "## " << marked(block.text) << "\n\n";
        break;
      case DocumentBlock::Kind::kLead:
        out << "**" << marked(block.text) << "**\n\n";
        break;
      case DocumentBlock::Kind::kParagraph:
        out << marked(block.text) << "\n\n";
        break;
      case DocumentBlock::Kind::kNotice:
        out << "> **Note.** " << marked(block.text) << "\n\n";
        break;
      case DocumentBlock::Kind::kList:
        for (const std::string& item : block.items) out << "- " << marked(item) << '\n';
        out << '\n';
        break;
      case DocumentBlock::Kind::kCode:
        out << "    ";
        for (const char c : block.text) out << c << (c == '\n' ? "    " : "");
        out << "\n\n";
        break;
      case DocumentBlock::Kind::kTable:
        write_table(out, block.table);
        break;
      case DocumentBlock::Kind::kFigure:
        if (figures.empty()) break;
        out << "![" << marked(block.figure.title) << "](" << figures << '/' << block.figure.id
            << ".png)\n\n*" << marked(block.figure.caption) << "*\n\n";
        break;
    }
  }
  return out.str();
}

}  // namespace scalelaw
