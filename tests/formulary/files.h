// What the tests of formulary/ have in common: files of a formulary in a folder of their own, and
// what is read of them.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include "base/random.h"
#include "formulary/gather.h"
#include "tests/temporary_folder.h"

namespace trialward::formulary {

inline std::string drug(const std::string& code, const std::string& name,
                        const std::string& plans = "") {
  return R"({"rxnorm_id":")" + code + R"(","drug_name":")" + name + R"(","plans":[)" + plans + "]}";
}
inline std::string in_plan(const std::string& plan, const std::string& tier = "GENERIC",
                           const std::string& years = "2020") {
  return R"({"plan_id_type":"HIOS-PLAN-ID","plan_id":")" + plan + R"(","drug_tier":")" + tier +
         R"(","prior_authorization":false,"step_therapy":true,"years":[)" + years + "]}";
}

class FormularyFiles : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& bytes) const {
    const std::string path = folder_.file(name);
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  base::Result<Gathered, Refusal> read(const std::vector<std::string>& places) const {
    Fetcher fetcher({.spool = folder_.file("spool")}, nullptr);
    return gather({.places = places}, fetcher, {}, {});
  }
  // Of one file of that text: its list, or "" and what is wrong with it.
  base::Result<Gathered, Refusal> read_text(const std::string& bytes) const {
    return read({write("file.json", bytes)});
  }
  DrugList list_of(const std::string& bytes) const {
    auto gathered = read_text(bytes);
    EXPECT_TRUE(gathered) << gathered.error().reason;
    return gathered ? std::move(*gathered->list) : DrugList();
  }

  const TemporaryFolder folder_;
};

}  // namespace trialward::formulary
