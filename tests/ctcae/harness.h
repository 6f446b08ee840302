// What the tests of ctcae/ share: the files of cases, and grades as text. One thread.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "ctcae/grade.h"

namespace trialward::ctcae {

// The lines of a file that are neither empty nor remarks (#).
inline std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path;
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  }
  return lines;
}

inline std::string test_file(const std::string& name) {
  return TRIALWARD_SOURCE "/tests/ctcae/" + name;
}

// "3", "2 least=1 most=4", "- the LLN", "- see: TEXT".
inline std::string to_text(const Term& term, const Grade& grade) {
  switch (grade.reason) {
    case Reason::missing:
      return "- " + names_of(grade.missing);
    case Reason::referred:
      return "- see: " + term.refer_text;
    case Reason::graded:
      break;
  }
  std::string text = std::to_string(*grade.grade);
  if (grade.judgement) {
    text += " least=" + std::to_string(grade.least) + " most=" + std::to_string(grade.most);
  }
  if (grade.missing != 0) text += " without " + names_of(grade.missing);
  return text;
}

}  // namespace trialward::ctcae
