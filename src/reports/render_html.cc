// The renderer of the page: see render.h.
#include <algorithm>

#include "reports/render.h"
#include "reports/renderers.h"

namespace trialward::reports {
namespace {

using base::Status;

constexpr std::string_view kStyle =
    "body{font:14px/1.4 system-ui,sans-serif;color:#111;margin:2em;max-width:80em}"
    "h1{font-size:1.5em}h2{font-size:1.2em;margin-top:2em}"
    "dl{display:grid;grid-template-columns:max-content auto;gap:.1em 1em;font-size:.85em}"
    "dt{color:#555}dd{margin:0;overflow-wrap:anywhere}"
    "table{border-collapse:collapse;margin:1em 0;font-variant-numeric:tabular-nums}"
    "caption{text-align:left;font-weight:600;padding:.3em 0}caption small{font-weight:400}"
    "th,td{padding:.15em .6em;text-align:right;vertical-align:top}"
    "thead th{border-bottom:1px solid #111;vertical-align:bottom}"
    "thead th.g{text-align:center}"
    ".w{text-align:left}tbody tr:nth-child(even){background:#f4f4f4}"
    "td,.n{white-space:nowrap}.w,tfoot td{white-space:normal}.w.n{white-space:nowrap}"
    ".t{overflow-x:auto}"
    "tfoot td{text-align:left;font-size:.85em;color:#333}"
    "tfoot tr:first-child td{border-top:1px solid #111}"
    "tr.s>*{font-weight:600}tbody th{font-weight:400}"
    "svg{max-width:100%;height:auto}figure{margin:1em 0}"
    "figcaption{font-size:.85em;color:#333}"
    "@page{size:A4 landscape;margin:12mm}@page upright{size:A4 portrait;margin:12mm}"
    "@media print{body{margin:0;max-width:none;font-size:10px}dl{column-gap:2em}"
    "thead{display:table-header-group}tfoot{display:table-row-group}"  // notes stand once
    ".t{overflow:visible}th,td{padding:.15em .4em}tr,figure{break-inside:avoid}"
    "h1,h2,caption{break-after:avoid}figure svg{max-height:165mm}a{color:inherit}"
    // A profile begins upright, with its time line; then come its lists.
    "body:has(.time)>*{page:upright}.time svg{max-height:none}"
    "body>.time~h2,body>.time~h2~*{page:auto}}";

// Ids and dates are not broken at their hyphens.
constexpr std::size_t kUnbrokenCharsMax = 24;

// Ids that are shown when a cell is pointed at; the others are in the JSON.
constexpr std::size_t kShownIds = 40;

std::string escaped(std::string_view text) {
  std::string out;
  escape_markup(out, text);
  return out;
}

template <class Ids, class Text>
std::string ids_text(const Ids& ids, bool cut, const Text& text) {
  std::string out;
  const std::size_t count = std::min(ids.size(), kShownIds);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ' ';
    out += text(ids[i]);
  }
  return ids.size() > kShownIds || cut ? out + " …" : out;
}

std::string drill_text(const Drill& drill) {
  std::string text;
  if (!drill.subjects.empty()) {
    text = "subjects " +
           ids_text(drill.subjects, drill.cut, [](auto id) { return std::string(id); });
  }
  if (!drill.records.empty()) {
    if (!text.empty()) text += "; ";
    text += "records " +
            ids_text(drill.records, drill.cut, [](auto id) { return std::to_string(id); });
  }
  return text;
}

class HtmlRenderer final : public Sink {
 public:
  explicit HtmlRenderer(Output& output) : output_(output) {}

  Status begin(const Head& head) override {
    const std::string title = escaped(head.title);
    std::string html = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                       "<meta name=\"viewport\" content=\"width=device-width\"><title>" +
                       title + "</title><style>" + std::string(kStyle) +
                       "</style></head>\n<body><h1>" + title + "</h1>\n<dl>";
    for (const auto& [name, text] : head.statements) {
      html += "<dt>" + escaped(name) + "</dt><dd>" + escaped(text) + "</dd>\n";
    }
    return output_.write(html + "</dl>\n");
  }

  Status section(std::string_view title) override {
    return output_.write("<h2>" + escaped(title) + "</h2>\n");
  }

  Status table(const TableHead& head) override {
    columns_ = head.columns;
    std::string subtitle;
    if (!head.subtitle.empty()) subtitle = "<br><small>" + escaped(head.subtitle) + "</small>";
    std::string html = "<div class=\"t\"><table id=\"" + escaped(head.id) + "\"><caption>" +
                       escaped(head.title) + subtitle + "</caption>\n<thead>" + groups() + "<tr>";
    for (const Column& column : columns_) {
      html += "<th scope=\"col\"";
      if (column.words) html += " class=\"w\"";
      html += '>' + escaped(column.label) + "</th>";
    }
    return output_.write(html + "</tr></thead>\n<tbody>\n");
  }

  Status row(const Row& row) override {
    std::string html = row.strong ? "<tr class=\"s\">" : "<tr>";
    for (std::size_t i = 0; i < row.cells.size(); ++i) put_cell(html, row, i);
    return output_.write(html + "</tr>\n");
  }

  Status end_table(std::span<const std::string> footnotes) override {
    std::string html = "</tbody>";
    if (!footnotes.empty()) {
      html += "<tfoot>";
      for (const std::string& note : footnotes) {
        html += "<tr><td colspan=\"" + std::to_string(columns_.size()) + "\">" + escaped(note) +
                "</td></tr>";
      }
      html += "</tfoot>";
    }
    return output_.write(html + "</table></div>\n");
  }

  Status plot(const Plot& plot) override {
    std::string html = "<figure id=\"" + escaped(plot.id) + "\">" + to_svg(plot) + "<figcaption>" +
                       escaped(plot.title);
    for (const std::string& note : plot.notes) html += "<br>" + escaped(note);
    return output_.write(html + "</figcaption></figure>\n");
  }

  Status timeline(const Timeline& timeline) override {
    std::string html = "<figure class=\"time\" id=\"" + escaped(timeline.id) +
                       "\"><figcaption><strong>" + escaped(timeline.title) + "</strong>";
    for (const std::string& note : timeline.notes) html += "<br>" + escaped(note);
    return output_.write(html + "</figcaption>" + to_svg(timeline) + "</figure>\n");
  }

  Status end() override { return output_.write("<p>End of report</p></body></html>\n"); }

 private:
  // The row of headings over columns of the same group; nothing when there are none.
  std::string groups() const {
    std::string html;
    bool any = false;
    for (std::size_t i = 0; i < columns_.size();) {
      std::size_t end = i + 1;
      while (end < columns_.size() && columns_[end].group == columns_[i].group) ++end;
      any |= !columns_[i].group.empty();
      html += columns_[i].group.empty() ? "<td" : "<th scope=\"colgroup\" class=\"g\"";
      html += " colspan=\"" + std::to_string(end - i) + "\">" + escaped(columns_[i].group);
      html += columns_[i].group.empty() ? "</td>" : "</th>";
      i = end;
    }
    return any ? "<tr>" + html + "</tr>" : "";
  }

  void put_cell(std::string& html, const Row& row, std::size_t i) const {
    const Cell& cell = row.cells[i];
    const bool heads = i == 0 && cell.type == Cell::Type::text;
    html += heads ? "<th scope=\"row\"" : "<td";
    if (cell.type == Cell::Type::text) {
      const bool whole =
          cell.text.size() <= kUnbrokenCharsMax && cell.text.find(' ') == std::string::npos;
      html += whole ? " class=\"w n\"" : " class=\"w\"";
    }
    if (i == 0 && row.level > 0) {
      html += " style=\"padding-left:" + std::to_string(row.level * 2) + "em\"";
    }
    if (!cell.drill.empty()) html += " title=\"" + escaped(drill_text(cell.drill)) + '"';
    html += '>' + escaped(shown(cell)) + (heads ? "</th>" : "</td>");
  }

  Output& output_;
  std::vector<Column> columns_;
};

}  // namespace

std::unique_ptr<Sink> make_html_renderer(Output& output) {
  return std::make_unique<HtmlRenderer>(output);
}

}  // namespace trialward::reports
