#include "reports/output.h"

namespace trialward::reports {

base::Status StringOutput::write(std::string_view bytes) {
  text_.append(bytes);
  return {};
}

base::Status BoundedOutput::write(std::string_view bytes) {
  if (bytes.size() > bytes_max_ - bytes_) {
    return base::Error{base::Errc::refused, "the report is larger than " +
                                                std::to_string(bytes_max_) +
                                                " bytes; that of one site is smaller"};
  }
  bytes_ += bytes.size();
  return inner_.write(bytes);
}

template <class Call>
base::Status SeveralSinks::each(const Call& call) {
  for (Sink* sink : sinks_) {
    if (auto done = call(*sink); !done) return done;
  }
  return {};
}

base::Status SeveralSinks::begin(const Head& head) {
  return each([&](Sink& sink) { return sink.begin(head); });
}
base::Status SeveralSinks::section(std::string_view title) {
  return each([&](Sink& sink) { return sink.section(title); });
}
base::Status SeveralSinks::table(const TableHead& head) {
  return each([&](Sink& sink) { return sink.table(head); });
}
base::Status SeveralSinks::row(const Row& row) {
  return each([&](Sink& sink) { return sink.row(row); });
}
base::Status SeveralSinks::end_table(std::span<const std::string> footnotes) {
  return each([&](Sink& sink) { return sink.end_table(footnotes); });
}
base::Status SeveralSinks::plot(const Plot& plot) {
  return each([&](Sink& sink) { return sink.plot(plot); });
}
base::Status SeveralSinks::timeline(const Timeline& timeline) {
  return each([&](Sink& sink) { return sink.timeline(timeline); });
}
base::Status SeveralSinks::end() {
  return each([](Sink& sink) { return sink.end(); });
}

}  // namespace trialward::reports
