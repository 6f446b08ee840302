#include "cdisc/dataset_json.h"

#include <vector>

#include "tests/files.h"

namespace trialward::cdisc {
namespace {

// An invented dataset of two columns. `records` is a JSON value.
std::string members(const std::string& records) {
  return R"("datasetJSONCreationDateTime":"2024-01-01T00:00:00","datasetJSONVersion":"1.1.0",)"
         R"("sourceSystem":{"name":"x \"rows\":[] ]","version":"1"},"studyOID":"ST.1",)"
         R"("itemGroupOID":"IG.XX","name":"XX","label":"Inventéd","records":)" +
         records +
         R"(,"columns":[{"itemOID":"IT.A","name":"A","label":"Text","dataType":"string",)"
         R"("length":8,"keySequence":1},{"itemOID":"IT.B","name":"B","label":"Number",)"
         R"("dataType":"double"}])";
}

std::string ndjson(const std::string& records, const std::string& rows) {
  return "{" + members(records) + "}\n" + rows;
}

std::string json(const std::string& records, const std::string& rows) {
  return "{" + members(records) + ",\n \"rows\": " + rows + "\n}\n";
}

class DatasetJsonTest : public Files {
 protected:
  struct Read {
    std::vector<Row> rows;
    std::string fault;  // without the file's name
  };

  Read read_all(const std::string& bytes) {
    const std::string file = write("dataset", bytes);
    Read read;
    auto reader = DatasetReader::open(file);
    if (!reader) return {{}, without_path(reader.error())};
    Row row;
    for (;;) {
      const auto more = reader->next(row);
      if (!more) {
        read.fault = without_path(more.error());
        return read;
      }
      if (!*more) break;
      read.rows.push_back(row);
      EXPECT_EQ(row.number, read.rows.size());
    }
    EXPECT_FALSE(*reader->next(row)) << "the end is passed twice";
    return read;
  }

  std::string without_path(const base::Error& error) const {
    const std::string place = path("dataset") + ": ";
    EXPECT_TRUE(error.message.starts_with(place)) << error.message;
    EXPECT_EQ(error.code, base::Errc::invalid);
    return error.message.substr(place.size());
  }
};

TEST_F(DatasetJsonTest, ReadsTheMetadata) {
  for (const std::string& bytes : {ndjson("0", ""), json("0", "[]")}) {
    const auto reader = DatasetReader::open(write("dataset", bytes));
    ASSERT_TRUE(reader.ok()) << reader.error().message;
    const Metadata& metadata = reader->metadata();
    EXPECT_EQ(metadata.item_group_oid, "IG.XX");
    EXPECT_EQ(metadata.name, "XX");
    EXPECT_EQ(metadata.label, "Inventéd");
    EXPECT_EQ(metadata.study_oid, "ST.1");
    EXPECT_EQ(metadata.records, 0u);
    ASSERT_EQ(metadata.columns.size(), 2u);
    EXPECT_EQ(metadata.columns[0].item_oid, "IT.A");
    EXPECT_EQ(metadata.columns[1].name, "B");
    EXPECT_EQ(metadata.columns[1].label, "Number");
    EXPECT_EQ(metadata.columns[1].data_type, "double");
  }
}

TEST_F(DatasetJsonTest, ReadsTheSameRowsFromEveryForm) {
  const std::string first = R"([ "a\u00e9\" ]\\", 1.50 ])";
  const std::string second = R"([null,-0.0010])";
  const std::string third = R"([true,1E+2])";
  const std::string fourth = R"(["","x"])";
  const std::string lines = first + "\n" + second + "\r\n\n" + third + "\n" + fourth;
  const std::string array = "[" + first + ",\n" + second + " , " + third + "," + fourth + "]";
  for (const std::string& plain :
       {ndjson("4", lines), json("4", array), "{\"rows\":" + array + "," + members("4") + "}"}) {
    if (plain.starts_with("{\"rows\"")) {
      EXPECT_NE(read_all(plain).fault, "") << "rows before the metadata cannot be streamed";
      continue;
    }
    for (const std::string& bytes : {plain, compressed(plain, kGzip), compressed(plain, kZlib)}) {
      const Read read = read_all(bytes);
      EXPECT_EQ(read.fault, "");
      ASSERT_EQ(read.rows.size(), 4u);
      EXPECT_EQ(read.rows[0].cells, (std::vector<std::string>{"aé\" ]\\", "1.50"}));
      EXPECT_EQ(read.rows[1].cells, (std::vector<std::string>{"", "-0.0010"}));
      EXPECT_EQ(read.rows[2].cells, (std::vector<std::string>{"true", "1E+2"}));
      EXPECT_EQ(read.rows[3].cells, (std::vector<std::string>{"", "x"}));
      EXPECT_EQ(read.rows[0].original, first);
      EXPECT_EQ(read.rows[3].original, fourth);
    }
  }
}

TEST_F(DatasetJsonTest, ReadsRowsAcrossBuffers) {
  std::string rows;
  constexpr int kRows = 5000;
  for (int i = 0; i < kRows; ++i) {
    rows += "[\"" + std::string(static_cast<std::size_t>(i) % 97, 'x') + "\"," + std::to_string(i) +
            "]\n";
  }
  const Read read = read_all(ndjson(std::to_string(kRows), rows));
  EXPECT_EQ(read.fault, "");
  ASSERT_EQ(read.rows.size(), std::size_t{kRows});
  for (int i = 0; i < kRows; ++i) {
    const Row& row = read.rows[static_cast<std::size_t>(i)];
    ASSERT_EQ(row.cells[0].size(), static_cast<std::size_t>(i) % 97);
    ASSERT_EQ(row.cells[1], std::to_string(i));
  }
}

TEST_F(DatasetJsonTest, TakesRowsUpToTheLimit) {
  const auto row_of = [](std::size_t bytes) {
    return "[\"" + std::string(bytes - 6, 'x') + "\",1]";
  };
  const std::string largest = row_of(kRowBytesMax);
  EXPECT_EQ(read_all(ndjson("1", largest)).fault, "");
  EXPECT_EQ(read_all(ndjson("2", largest + "\n" + row_of(kRowBytesMax + 1))).fault,
            "row 2: has a value of more than 65536 bytes");
  // Without an end it costs no more memory than one that has an end.
  EXPECT_EQ(read_all(ndjson("1", "[\"" + std::string(1 << 20, '['))).fault,
            "row 1: has a value of more than 65536 bytes");
}

TEST_F(DatasetJsonTest, NamesFaultsOfTheMetadata) {
  std::string wide = "{" + members("0");
  wide += ",\"x\":\"" + std::string(kMetadataBytesMax, 'x') + "\"}";
  const std::string version = R"("datasetJSONVersion":"1.1.0",)";
  const struct {
    std::string bytes, fault;
  } cases[] = {
      {"", "is not Dataset-JSON: it does not begin with {"},
      {"[1]", "is not Dataset-JSON: it does not begin with {"},
      {"{}", "is not Dataset-JSON 1.1: datasetJSONVersion is missing"},
      {R"({"datasetJSONVersion":"1.0.0"})",
       R"(is not Dataset-JSON 1.1: datasetJSONVersion is "1.0.0")"},
      {"{" + version + R"("name":"X","columns":[{"name":"A"}]})",
       "does not say how many records it has"},
      {"{" + version + R"("records":1,"columns":[{"name":"A"}]})", "has no name"},
      {"{" + version + R"("name":"X","records":1})", "has no columns"},
      {"{" + version + R"("name":"X","records":1,"columns":[]})", "has no columns"},
      {"{" + version + R"("name":"X","records":1,"columns":[{"label":"A"}]})",
       "has a column without a name"},
      {"{" + version + R"("name":"X","records":1,"columns":[{"name":"A"},{"name":"A"}]})",
       "has the column A twice"},
      {"{" + version + R"("name":1})", "name must be a text"},
      {"{" + version + R"("columns":{}})", "columns must be an array of objects"},
      {"{" + version + R"("columns":["A"]})", "columns must be an array of objects"},
      {"{" + version + R"("records":-1})", "records must be a count"},
      {"{" + version + R"("records":"1"})", "records must be a count"},
      {"{" + members("0"), "ends in the middle of a value"},
      {"{\"a\":\"rows", "ends in the middle of a value"},
      {"{" + members("0") + ",\"rows\"}", "rows has no value"},
      {"{" + members("0") + ",\"rows\":{}}", "rows must be an array"},
      {"{\"rows\":[]," + members("0") + "}",
       "is not Dataset-JSON 1.1: datasetJSONVersion is missing"},
      {wide, "has a value of more than 1048576 bytes"},
  };
  for (const auto& [bytes, fault] : cases) EXPECT_EQ(read_all(bytes).fault, fault) << bytes;
  for (const char* broken : {"{1:2}", "{\"name\" \"X\"}", "{\"name\":\"\xff\"}", "{\"name\":\"X\"]",
                             "{\"columns\":[{]}}"}) {
    EXPECT_TRUE(read_all(broken).fault.starts_with("is not JSON: ")) << broken;
  }
}

TEST_F(DatasetJsonTest, NamesFaultsOfRows) {
  const std::string ok = "[\"a\",1]";
  const struct {
    std::string bytes, fault;
    std::size_t rows_before;
  } cases[] = {
      {ndjson("2", ok), "has 1 rows, but its metadata says 2", 1},
      {ndjson("1", ok + "\n" + ok), "has 2 rows, but its metadata says 1", 2},
      {json("2", "[" + ok + "]"), "has 1 rows, but its metadata says 2", 1},
      {ndjson("2", ok + "\n[\"a\"]"), "row 2: has 1 values for 2 columns", 1},
      {ndjson("2", ok + "\n[]"), "row 2: has 0 values for 2 columns", 1},
      {ndjson("1", "[\"a\",1,2]"), "row 1: has more values than there are columns, 2", 0},
      {ndjson("1", "[[\"a\"],1]"), "row 1: A must be a text, a number, true, false or null", 0},
      {ndjson("1", "[\"a\",{}]"), "row 1: B must be a text, a number, true, false or null", 0},
      {ndjson("2", ok + "\n{}"), "row 2: is no array", 1},
      {ndjson("2", ok + "," + ok), "row 2: is no array", 1},
      {ndjson("1", "[\"a\",1"), "row 1: ends in the middle of a value", 0},
      {json("1", "[" + ok + "," + "]"), "row 2: is no array", 1},
      {json("1", "[" + ok + ok + "]"), "expected , or ] after a row", 1},
      {json("1", "[1]"), "row 1: is no array", 0},
      {json("1", "[" + ok + "],\"label\":\"late\""), "rows must be the last member", 1},
      {json("1", "[" + ok + "]") + "x", "something follows the dataset", 1},
      {"{" + members("1") + ",\"rows\":[" + ok + "]", "rows must be the last member", 1},
      {"{" + members("1") + ",\"rows\":[" + ok, "expected , or ] after a row", 1},
  };
  for (const auto& [bytes, fault, rows_before] : cases) {
    const Read read = read_all(bytes);
    EXPECT_EQ(read.fault, fault) << bytes;
    EXPECT_EQ(read.rows.size(), rows_before) << bytes;
  }
  for (const char* broken : {"[\"a\",01]", "[\"a\",+1]", "[\"a\",1 2]", "[\"a\",,1]", "[\"a\" 1]",
                             "[\"a\",tru]", "[\"a\",nil]", "[\"a\",1.]", "[\"\xff\",1]",
                             "[\"a\",1}", "[\"\\x\",1]", "[\"\n\",1]", "[\"a\",]"}) {
    const std::string fault = read_all(ndjson("1", broken)).fault;
    EXPECT_TRUE(fault.starts_with("row 1: ")) << broken << " " << fault;
    EXPECT_NE(fault.find("is not JSON: "), std::string::npos) << broken << " " << fault;
  }
}

TEST_F(DatasetJsonTest, NamesDamageOfTheFile) {
  std::string rows;
  for (int i = 0; i < 20'000; ++i) rows += "[\"" + std::to_string(i * 7919) + "\",1]\n";
  const std::string gzip = compressed(ndjson("20000", rows), kGzip);
  const Read cut = read_all(gzip.substr(0, gzip.size() / 2));
  EXPECT_GT(cut.rows.size(), 0u);
  EXPECT_EQ(cut.fault, "row " + std::to_string(cut.rows.size() + 1) +
                           ": ends in the middle of its compressed data");
  const auto missing = DatasetReader::open(path("missing"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, base::Errc::not_found);
  EXPECT_EQ(missing.error().message,
            path("missing") + ": cannot be opened: No such file or directory");
}

using DatasetJsonDeathTest = DatasetJsonTest;

TEST_F(DatasetJsonDeathTest, DoesNotGoOnAfterAFault) {
  auto reader = DatasetReader::open(write("dataset", ndjson("2", "{}")));
  ASSERT_TRUE(reader.ok());
  Row row;
  ASSERT_FALSE(reader->next(row).ok());
  EXPECT_DEATH((void)reader->next(row), "broken");
}

}  // namespace
}  // namespace trialward::cdisc
