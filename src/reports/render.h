// The ways to write a document down. A renderer is a Sink that writes to an Output piece by piece:
// it holds one row at a time. Of one thread.
//
//   json  one object: {"report","title","statements":{…},"content":[…],"complete":true}; content
//         holds {"section":T}, {"table":{"id","title","subtitle","columns":[{"label","group"}],
//         "rows":[…],"footnotes":[…]}}, {"plot":{…,"svg":"…"}}, {"timeline":{"id","title","from",
//         "to","lanes":[{"label","note","heading","bars":[…],"points":[…]}],"notes":[…],
//         "svg":"…"}}.
//         A row is {"level":n,"cells":[…]}, a cell null, a text, or an object with "shown" and its
//         type's numbers: {"count"}, {"count","of"}, {"number"}, {"p"}; "subjects" and "records"
//         list whom it counts, "cut":true when not all. "complete" stands last: a file without it
//         was cut off.
//   csv   RFC 4180, UTF-8, CRLF: for each table a line "#",title, one with its subtitle and the
//         columns' groups when there are any, their labels, the rows, its footnotes as lines
//         "#",text; an empty line between tables. Plots and time lines are left out. A text that a
//         spreadsheet would take for a formula, and that is no negative number, has an apostrophe
//         before it. The statements stand first, the line "#","End of report" last.
//   html  one page without script or outer parts, to be read and printed, its plots as inline SVG.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "reports/document.h"
#include "reports/output.h"

namespace trialward::reports {

enum class Format : std::uint8_t { json, csv, html };
std::string_view to_string(Format format);
std::optional<Format> parse_format(std::string_view text);
std::string_view media_type(Format format);  // with its charset

// `output` must live as long.
std::unique_ptr<Sink> make_renderer(Format format, Output& output);

// The plot as one <svg> element.
std::string to_svg(const Plot& plot);

}  // namespace trialward::reports
