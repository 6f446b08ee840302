// Where the bytes of a rendered report go, and the bound on how many there may be. Of one thread at
// a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "reports/document.h"

namespace trialward::reports {

class Output {
 public:
  virtual ~Output() = default;
  // Errors: as of a Sink.
  virtual base::Status write(std::string_view bytes) = 0;
};

class StringOutput final : public Output {
 public:
  base::Status write(std::string_view bytes) override;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Passes on up to so many bytes; what would go beyond is refused whole, with the limit's name.
// `inner` must live as long.
class BoundedOutput final : public Output {
 public:
  BoundedOutput(Output& inner, std::uint64_t bytes_max) : inner_(inner), bytes_max_(bytes_max) {}
  base::Status write(std::string_view bytes) override;
  std::uint64_t bytes() const { return bytes_; }

 private:
  Output& inner_;
  const std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
};

// Gives each piece to several sinks, so that one run of a report is rendered several ways. They
// must live as long.
class SeveralSinks final : public Sink {
 public:
  explicit SeveralSinks(std::vector<Sink*> sinks) : sinks_(std::move(sinks)) {}
  base::Status begin(const Head& head) override;
  base::Status section(std::string_view title) override;
  base::Status table(const TableHead& head) override;
  base::Status row(const Row& row) override;
  base::Status end_table(std::span<const std::string> footnotes) override;
  base::Status plot(const Plot& plot) override;
  base::Status timeline(const Timeline& timeline) override;
  base::Status end() override;

 private:
  template <class Call>
  base::Status each(const Call& call);
  std::vector<Sink*> sinks_;
};

}  // namespace trialward::reports
