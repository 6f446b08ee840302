#include "reports/render.h"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace trialward::reports {
namespace {

base::Status write_sample(Sink& sink) {
  const auto write = [&]() -> base::Status {
    if (auto done = sink.begin({"r", "Title <1>", {{"study", "s & t"}}}); !done) return done;
    if (auto done = sink.section("Part \"1\""); !done) return done;
    const TableHead head{
        "t", "Table", {{.label = "", .words = true}, {"n (%)", "Arm"}, {"p", "Arm"}}};
    if (auto done = sink.table(head); !done) return done;
    Row row;
    row.level = 1;
    row.cells = {Cell::words("=SUM(A1)"), Cell::of_share(1, 400, 0), Cell::of_p(0.00004, 3)};
    row.cells[1].drill.add_subject("S-1");
    row.cells[1].drill.add_record(7);
    if (auto done = sink.row(row); !done) return done;
    Row second;
    second.cells = {Cell::words("<b>\"x\"</b>\x01"), Cell::of_count(2), Cell::of_number(-1.25, 1)};
    if (auto done = sink.row(second); !done) return done;
    const std::string notes[] = {"@note"};
    if (auto done = sink.end_table(notes); !done) return done;
    Plot plot{"p", "Plot & more", {.label = "x", .low = 1, .high = 100, .log10 = true}, {}, {}, {}};
    plot.series.push_back({.name = "<a>", .points = {{10, 0.5, "S-1"}}});
    plot.labels.push_back({100, 1, "<corner>"});
    if (auto done = sink.plot(plot); !done) return done;
    Timeline line{.id = "l", .title = "Line & more", .from = -1, .to = 9};
    line.lanes.push_back({.label = "<lane>", .note = "n", .bars = {}, .points = {}});
    line.lanes[0].bars.push_back({.from = 0, .to = 2.5, .open_to = true, .label = "<bar>"});
    line.lanes[0].points.push_back({.at = 3, .label = "point"});
    if (auto done = sink.timeline(line); !done) return done;
    return sink.end();
  };
  return write();
}

std::string sample(Format format) {
  StringOutput output;
  EXPECT_TRUE(write_sample(*make_renderer(format, output)).ok());
  return output.text();
}

TEST(Render, CsvIsSafeForSpreadsheets) {
  EXPECT_EQ(sample(Format::csv),
            "\"#\",\"Title <1>\"\r\n\"#\",\"study\",\"s & t\"\r\n\r\n\"#\",\"Part \"\"1\"\"\"\r\n"
            "\r\n\"#\",\"Table\"\r\n\"\",\"Arm\",\"Arm\"\r\n\"\",\"n (%)\",\"p\"\r\n"
            "\"'  =SUM(A1)\",\"1 (<1%)\",\"<.001\"\r\n"
            "\"<b>\"\"x\"\"</b>\x01\",\"2\",\"-1.3\"\r\n\"#\",\"'@note\"\r\n\r\n"
            "\"#\",\"End of report\"\r\n");
}

TEST(Render, CsvLeavesNegativeNumbersAsTheyAre) {
  const std::pair<const char*, const char*> texts[] = {
      {"-61", "-61"}, {"-0.5", "-0.5"}, {" -7", " -7"},    {"-1+1", "'-1+1"},
      {"-", "'-"},    {"-5.", "'-5."},  {"-.5", "'-.5"},   {"-a", "'-a"},
      {"+1", "'+1"},  {"--1", "'--1"},  {"-1 -", "'-1 -"}, {"-1.2.3", "'-1.2.3"}};
  for (const auto& [text, written] : texts) {
    StringOutput output;
    Row row;
    row.cells = {Cell::words(text)};
    ASSERT_TRUE(make_renderer(Format::csv, output)->row(row).ok());
    EXPECT_EQ(output.text(), '"' + std::string(written) + "\"\r\n");
  }
}

TEST(Render, JsonKeepsTypes) {
  const std::string json = sample(Format::json);
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  ASSERT_EQ(parser.parse(json).get(document), simdjson::SUCCESS) << json;
  EXPECT_TRUE(bool(document["complete"]));
  const auto text = [&](const char* pointer) {
    return std::string(std::string_view(document.at_pointer(pointer)));
  };
  EXPECT_EQ(text("/statements/study"), "s & t");
  EXPECT_EQ(text("/content/0/section"), "Part \"1\"");
  EXPECT_EQ(text("/content/1/table/columns/1/group"), "Arm");
  const std::string cell = "/content/1/table/rows/0/cells/1";
  EXPECT_EQ(text((cell + "/shown").c_str()), "1 (<1%)");
  EXPECT_EQ(std::int64_t(document.at_pointer(cell + "/of")), 400);
  EXPECT_EQ(text((cell + "/subjects/0").c_str()), "S-1");
  EXPECT_EQ(std::int64_t(document.at_pointer(cell + "/records/0")), 7);
  EXPECT_EQ(double(document.at_pointer("/content/1/table/rows/0/cells/2/p")), 0.00004);
  EXPECT_EQ(double(document.at_pointer("/content/1/table/rows/1/cells/2/number")), -1.25);
  EXPECT_TRUE(text("/content/2/plot/svg").starts_with("<svg "));
  EXPECT_EQ(text("/content/2/plot/labels/0"), "<corner>");
  const std::string lane = "/content/3/timeline/lanes/0";
  EXPECT_EQ(text((lane + "/label").c_str()), "<lane>");
  EXPECT_EQ(double(document.at_pointer(lane + "/bars/0/to")), 2.5);
  EXPECT_TRUE(bool(document.at_pointer(lane + "/bars/0/open_to")));
  EXPECT_EQ(double(document.at_pointer(lane + "/points/0/at")), 3);
  EXPECT_TRUE(text("/content/3/timeline/svg").starts_with("<svg "));
}

TEST(Render, TheHtmlPageHoldsNoForeignMarkupAndNeedsNothingElse) {
  const std::string html = sample(Format::html);
  EXPECT_NE(html.find("Title &lt;1&gt;"), std::string::npos);
  EXPECT_NE(html.find("&lt;b&gt;&quot;x&quot;&lt;/b&gt;\xEF\xBF\xBD"), std::string::npos);
  EXPECT_NE(html.find("title=\"subjects S-1; records 7\""), std::string::npos);
  EXPECT_NE(html.find("<title>S-1</title></circle>"), std::string::npos);
  EXPECT_NE(html.find("&lt;corner&gt;</text>"), std::string::npos);
  EXPECT_NE(html.find("<title>&lt;bar&gt;</title></rect>"), std::string::npos);
  for (const char* part :
       {"<b>", "<lane>", "<script", "<link", "src=", "href=", "url(", "@import"}) {
    EXPECT_EQ(html.find(part), std::string::npos) << part;
  }
  EXPECT_TRUE(html.ends_with("<p>End of report</p></body></html>\n"));
}

TEST(Render, ThePageIsMadeToBePrinted) {
  StringOutput output;
  const auto page = make_renderer(Format::html, output);
  ASSERT_TRUE(page->begin({"r", "Title", {}}).ok());
  ASSERT_TRUE(page->table({"t", "Table", {{"", ""}, {"", ""}}, "To be read <first>"}).ok());
  Row row;
  row.cells = {Cell::words("01-701-1015"), Cell::words("APPLICATION SITE ERYTHEMA")};
  ASSERT_TRUE(page->row(row).ok());
  ASSERT_TRUE(page->end_table({}).ok());
  for (const char* part :
       {"@page{size:A4 landscape", "<div class=\"t\"><table id=\"t\">", "</table></div>",
        "<caption>Table<br><small>To be read &lt;first&gt;</small></caption>",
        "class=\"w n\">01-701-1015</th>", "class=\"w\">APPLICATION SITE ERYTHEMA</td>"}) {
    EXPECT_NE(output.text().find(part), std::string::npos) << part << "\n" << output.text();
  }
}

TEST(Render, ALegendThatIsTooLongHasSeveralRows) {
  Plot plot{"p", "Plot", {}, {}, {}, {}};
  const std::string name = "Xanomeline transdermal system, high dose of 81 mg";
  for (int i = 0; i < 3; ++i) plot.series.push_back({.name = name, .points = {{0, 0, ""}}});
  const std::string svg = to_svg(plot);
  std::vector<std::string> rows;
  for (std::size_t at = svg.find(">" + name); at != svg.npos; at = svg.find(">" + name, at + 1)) {
    const std::size_t from = svg.rfind("<text x=", at);
    rows.push_back(svg.substr(from, svg.find(" >", from) - from));
  }
  // Above the others, and the picture is as much higher.
  EXPECT_EQ(rows,
            (std::vector<std::string>{"<text x=\"88.0\" y=\"-14.0\"", "<text x=\"88.0\" y=\"2.0\"",
                                      "<text x=\"88.0\" y=\"18.0\""}));
  EXPECT_NE(svg.find("viewBox=\"0 -32.0 720.0 472.0\""), svg.npos) << svg.substr(0, 200);
}

TEST(Render, ASeriesMayHaveAnothersColourAndAPointAName) {
  Plot plot{"p", "Plot", {}, {}, {}, {}};
  for (const int like : {-1, -1, 0}) {
    plot.series.push_back({.name = "", .line = true, .marks = false, .like = like,
                           .points = {{0, 0, ""}, {1, 1, ""}}});
  }
  plot.series.push_back({.name = "", .points = {{0.5, 0.5, "Site 7", "7 & 8"}}});
  const std::string svg = to_svg(plot);
  const auto colour_of_line = [&](int place) {
    std::size_t at = 0;
    for (int i = 0; i <= place; ++i) at = svg.find("<polyline", at + 1);
    at = svg.find("stroke=\"#", at);
    return svg.substr(at, svg.find('"', at + 8) - at);
  };
  EXPECT_EQ(colour_of_line(2), colour_of_line(0));
  EXPECT_NE(colour_of_line(1), colour_of_line(0));
  EXPECT_NE(svg.find(">7 &amp; 8</text>"), std::string::npos) << svg;
}

// Of a line that leaves the plot each part ends at its edge: y goes from 30 (high) to 390 (low).
TEST(Render, ALineIsCutAtTheEdge) {
  Plot plot{"p", "Plot", {}, {}, {}, {}};
  plot.x.high = 6;
  plot.series.push_back({.name = "",
                         .line = true,
                         .marks = false,
                         .points = {{0, 2, ""},
                                    {1, 0, ""},
                                    {2, 0.5, ""},
                                    {3, 1.5, ""},
                                    {4, 2, ""},
                                    {5, -1, ""},
                                    {6, 0.5, ""}}});
  const std::string svg = to_svg(plot);
  std::vector<std::string> lines;
  for (std::size_t at = svg.find("points=\""); at != svg.npos; at = svg.find("points=\"", at + 1)) {
    lines.push_back(svg.substr(at + 8, svg.find('"', at + 8) - at - 8));
  }
  EXPECT_EQ(lines,
            (std::vector<std::string>{"122.5,30.0 175.0,390.0 280.0,210.0 332.5,30.0 ",
                                      "525.0,30.0 560.0,390.0 ", "665.0,390.0 700.0,210.0 "}));
}

TEST(Render, EqualDocumentsAreEqualBytes) {
  for (const Format format : {Format::json, Format::csv, Format::html}) {
    EXPECT_EQ(sample(format), sample(format));
    EXPECT_EQ(parse_format(to_string(format)), format);
  }
  EXPECT_FALSE(parse_format("pdf"));
}

TEST(Render, SeveralSinksEachGetAll) {
  StringOutput json, csv;
  const auto to_json = make_renderer(Format::json, json), to_csv = make_renderer(Format::csv, csv);
  SeveralSinks both({to_json.get(), to_csv.get()});
  ASSERT_TRUE(write_sample(both).ok());
  EXPECT_EQ(json.text(), sample(Format::json));
  EXPECT_EQ(csv.text(), sample(Format::csv));
}

TEST(Render, WhatIsTooLargeIsRefusedByName) {
  for (const Format format : {Format::json, Format::csv, Format::html}) {
    const std::size_t size = sample(format).size();
    StringOutput output;
    BoundedOutput fits(output, size), small(output, size - 1);
    EXPECT_TRUE(write_sample(*make_renderer(format, fits)).ok());
    EXPECT_EQ(fits.bytes(), size);
    const auto refused = write_sample(*make_renderer(format, small));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, base::Errc::refused);
    EXPECT_EQ(refused.error().message, "the report is larger than " +
                                           std::to_string(size - 1) +
                                           " bytes; that of one site is smaller");
  }
}

TEST(Render, ADrillNamesTheFirstOnly) {
  Drill drill;
  for (std::size_t i = 0; i < kDrillMax + 2; ++i) drill.add_record(static_cast<std::int64_t>(i));
  EXPECT_EQ(drill.records.size(), kDrillMax);
  EXPECT_TRUE(drill.cut);
}

}  // namespace
}  // namespace trialward::reports
