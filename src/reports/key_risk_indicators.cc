// Key risk indicators of the sites, each with a funnel plot: sites by their size against what is
// likely if all are as the study's mean is (Spiegelhalter, Funnel plots for comparing institutional
// performance, Statistics in Medicine 2005; 24: 1185-1202). Limits are of exact Poisson and
// binomial probabilities, without interpolation: a site beyond them has a count that is as unlikely
// or more.
//
// It is always of the whole study, because a site alone has no mean to be held against. For one
// site, others have no names and no numbers but their points in the plots.
#include <algorithm>
#include <cmath>

#include "reports/catalogue.h"
#include "reports/decimal.h"
#include "reports/indicators.h"

namespace trialward::reports {
namespace {

using base::Status;

constexpr double kTail95 = 0.025, kTail998 = 0.001;  // on either side
constexpr int kGrid = 80, kFineGrid = 8;             // places where the limits are drawn
constexpr double kHeadroom = 1.15;                   // of the plot above its highest point
constexpr int kRateDecimals = 2, kShareDecimals = 1, kFunnelDecimals = 3;
constexpr int kRareDecimals = 3;  // of shares where the study has less than one per cent

constexpr int kBlue = 0, kOrange = 1, kGreen = 2, kGrey = 5, kRed = 6;  // document.h, Series::like

// Which limit a site is beyond.
enum class Beyond : std::uint8_t { none, low_95, high_95, low_998, high_998 };

struct Judged {
  double low = 1, high = 1;  // the probabilities of as few and of as many
  double p() const { return std::min(1.0, 2 * std::min(low, high)); }
  Beyond beyond() const {
    if (low <= kTail998) return Beyond::low_998;
    if (high <= kTail998) return Beyond::high_998;
    if (low <= kTail95) return Beyond::low_95;
    return high <= kTail95 ? Beyond::high_95 : Beyond::none;
  }
};

const char* to_text(Beyond beyond) {
  switch (beyond) {
    case Beyond::none:
      return "";
    case Beyond::low_95:
      return "below 95 %";
    case Beyond::high_95:
      return "above 95 %";
    case Beyond::low_998:
      return "below 99.8 %";
    case Beyond::high_998:
      return "above 99.8 %";
  }
  return "";
}

// One indicator: its table and its plot.
class Funnel {
 public:
  Funnel(const Context& context, const Indicator& what)
      : context_(context), what_(what), total_(what.total()) {
    for (const SiteCount& site : what.sites) {
      Judged judged;
      if (amount(site) > 0) {
        const Chance chance = what.chance(total_, amount(site));
        judged = {at_most(chance, site.count), at_least(chance, site.count)};
      }
      judged_.push_back(judged);
    }
  }

  const Indicator& what() const { return what_; }
  bool named(std::size_t i) const {
    const std::string& own = context_.parameters.site;
    return own.empty() || what_.sites[i].site == own;
  }

  // "Adverse events per subject-year", "Dropouts (% of subjects with an arm)"
  std::string heading() const {
    return what_.title + (what_.by_time ? " per subject-year" : " (% of " + what_.per + ")");
  }

  // "12.5 %, above 95 %"
  std::string summary(std::size_t i) const {
    const SiteCount& site = what_.sites[i];
    if (!(amount(site) > 0)) return "";
    const std::string flag = to_text(judged_[i].beyond());
    return rate_text(rate(site)) + (flag.empty() ? "" : ", " + flag);
  }

  Status write_table(Sink& sink) const {
    const std::string rate = what_.by_time ? "Per subject-year" : "% of " + what_.per;
    const TableHead head{what_.id,
                         what_.title,
                         {{.label = "Site", .words = true},
                          {.label = what_.counted},
                          {.label = what_.amount},
                          {.label = rate},
                          {.label = "from", .group = "95 % limits"},
                          {.label = "to", .group = "95 % limits"},
                          {.label = "from", .group = "99.8 % limits"},
                          {.label = "to", .group = "99.8 % limits"},
                          {.label = "p"},
                          {.label = "Beyond", .words = true}}};
    if (auto done = sink.table(head); !done) return done;
    for (std::size_t i = 0; i < what_.sites.size(); ++i) {
      if (!named(i)) continue;
      if (auto done = sink.row(site_row(i)); !done) return done;
    }
    Row study = row_of("Study", total_);
    study.strong = true;
    study.cells.resize(head.columns.size());
    if (auto done = sink.row(study); !done) return done;
    const std::string notes[] = {
        what_.note,
        std::string(what_.by_time ? "Poisson" : "Binomial") +
            " probabilities, exact, around the study's mean: sites between the limits are as "
            "chance would have it. p: two-sided. Of twenty sites that are alike, one lies beyond "
            "95 %."};
    return sink.end_table(notes);
  }

  Plot plot() const {
    Plot plot{"funnel-" + what_.id, what_.title + " by site", {}, {}, {}, {}};
    double most = 0, highest = amount(total_) > 0 ? 2 * rate(total_) : 0;
    for (const SiteCount& site : what_.sites) {
      if (!(amount(site) > 0)) continue;
      most = std::max(most, amount(site));
      highest = std::max(highest, rate(site));
    }
    if (!(most > 0) || !(highest > 0)) return plot;  // nothing to see
    plot.x = {.label = what_.by_time ? what_.amount : "Number of " + what_.per,
              .low = 0,
              .high = most * 1.05,
              .ticks = {}};
    plot.y = {.label = heading(), .low = 0, .high = highest * kHeadroom, .ticks = {}};
    if (!what_.by_time) plot.y.high = std::min(plot.y.high, 100.0);
    add_sites(plot);
    add_limits(plot);
    plot.notes = {"Point at a site for its name and numbers."};
    return plot;
  }

 private:
  double amount(const SiteCount& site) const { return what_.amount_of(site); }
  double scaled(double share) const { return what_.by_time ? share : 100 * share; }
  double rate(const SiteCount& site) const {
    return scaled(static_cast<double>(site.count) / amount(site));
  }
  std::string rate_text(double rate) const {
    return format_fixed(rate, decimals()) + (what_.by_time ? " per subject-year" : " %");
  }
  Cell rate_cell(double rate) const { return context_.number(rate, decimals()); }
  int decimals() const {
    if (what_.by_time) return kRateDecimals;
    return amount(total_) > 0 && rate(total_) < 1 ? kRareDecimals : kShareDecimals;
  }

  Row row_of(std::string name, const SiteCount& site) const {
    Row row;
    Cell count = Cell::of_count(site.count);
    count.drill = site.drill;
    row.cells = {
        Cell::words(std::move(name)), std::move(count),
        what_.by_time ? context_.number(site.years, kRateDecimals) : Cell::of_count(site.of),
        amount(site) > 0 ? rate_cell(rate(site)) : Cell()};
    return row;
  }

  Row site_row(std::size_t i) const {
    const SiteCount& site = what_.sites[i];
    Row row = row_of(site.site, site);
    if (!(amount(site) > 0)) {
      row.cells.resize(10);
      return row;
    }
    const Chance chance = what_.chance(total_, amount(site));
    for (const double tail : {kTail95, kTail998}) {
      for (const std::int64_t limit : {lower_limit(chance, tail), upper_limit(chance, tail)}) {
        row.cells.push_back(rate_cell(scaled(static_cast<double>(limit) / amount(site))));
      }
    }
    row.cells.push_back(Cell::of_p(judged_[i].p(), kFunnelDecimals));
    row.cells.push_back(Cell::words(to_text(judged_[i].beyond())));
    return row;
  }

  static bool far(Beyond beyond) { return beyond == Beyond::low_998 || beyond == Beyond::high_998; }

  // The farther from the mean, the stronger. Of one site, the site stands out, in the colour of
  // what it is beyond.
  void add_sites(Plot& plot) const {
    const bool of_one = !context_.parameters.site.empty();
    Series plain{.name = of_one ? "Other sites" : "Sites", .like = kBlue, .points = {}},
        beyond_95{.name = of_one ? "Site " + context_.parameters.site : "Beyond 95 %",
                  .strong = of_one,
                  .like = kOrange,
                  .points = {}},
        beyond_998{
            .name = of_one ? "" : "Beyond 99.8 %", .strong = true, .like = kRed, .points = {}};
    for (std::size_t i = 0; i < what_.sites.size(); ++i) {
      const SiteCount& site = what_.sites[i];
      if (!(amount(site) > 0)) continue;
      Point point{amount(site), rate(site), ""};
      if (named(i)) {
        point.label = site.site + ": " + std::to_string(site.count) + ", " + summary(i);
      }
      const Beyond beyond = judged_[i].beyond();
      const bool marked = of_one ? named(i) : beyond != Beyond::none;
      if (marked) point.name = site.site;
      if (of_one && marked) {
        beyond_95.like = far(beyond) ? kRed : beyond == Beyond::none ? kGreen : kOrange;
      }
      (!of_one && far(beyond) ? beyond_998
       : marked               ? beyond_95
                              : plain)
          .points.push_back(std::move(point));
    }
    for (Series* one : {&plain, &beyond_95, &beyond_998}) {
      if (one->points.empty()) one->name.clear();
      plot.series.push_back(std::move(*one));
    }
  }

  // The limits at places all over the width, and where the sites lie.
  void add_limits(Plot& plot) const {
    std::vector<double> places;
    for (int i = 1; i <= kGrid; ++i) places.push_back(plot.x.high * i / kGrid);
    // Of small sites the limits are far away, and change fast.
    for (int i = 1; i < kFineGrid; ++i) places.push_back(plot.x.high / kGrid * i / kFineGrid);
    for (const SiteCount& site : what_.sites) places.push_back(amount(site));
    if (!what_.by_time) {
      for (double& place : places) place = std::floor(place);
    }
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    std::erase_if(places, [](double place) { return !(place > 0); });
    const double mean = rate(total_);
    plot.series.push_back({.name = "Study's mean",
                           .line = true,
                           .marks = false,
                           .like = kGrey,
                           .points = {{0, mean, ""}, {plot.x.high, mean, ""}}});
    for (const double tail : {kTail95, kTail998}) {
      const bool outer = tail == kTail998;
      Series low{.name = outer ? "99.8 % limits" : "95 % limits",
                 .line = true,
                 .dashed = !outer,
                 .marks = false,
                 .like = outer ? 3 : 4,
                 .points = {}};
      Series high = low;
      high.name.clear();
      for (const double place : places) {
        const Chance chance = what_.chance(total_, place);
        const auto at = [&](std::int64_t limit) {
          return scaled(static_cast<double>(limit) / place);
        };
        low.points.push_back({place, at(lower_limit(chance, tail)), ""});
        high.points.push_back({place, at(upper_limit(chance, tail)), ""});
      }
      plot.series.push_back(std::move(low));
      plot.series.push_back(std::move(high));
    }
  }

  const Context& context_;
  const Indicator& what_;
  const SiteCount total_;
  std::vector<Judged> judged_;  // of each site
};

Status write_overview(const std::vector<Funnel>& funnels, Sink& sink) {
  TableHead head{"overview", "Key risk indicators by site", {{.label = "Site", .words = true}}};
  for (const Funnel& funnel : funnels) {
    head.columns.push_back({.label = funnel.heading(), .words = true});
  }
  if (auto done = sink.table(head); !done) return done;
  const auto& sites = funnels.front().what().sites;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    if (!funnels.front().named(i)) continue;
    Row row;
    row.cells = {Cell::words(sites[i].site)};
    for (const Funnel& funnel : funnels) row.cells.push_back(Cell::words(funnel.summary(i)));
    if (auto done = sink.row(row); !done) return done;
  }
  const std::string notes[] = {
      "Sites that have subjects. A flag says that the site's figure lies beyond what chance would "
      "let it be around the study's mean: a reason to look, not a finding."};
  return sink.end_table(notes);
}

}  // namespace

Status write_key_risk_indicators(const Context& context, Sink& sink) {
  const auto indicators = indicators_of(context);
  if (!indicators) return indicators.error();
  std::vector<Funnel> funnels;
  for (const Indicator& one : *indicators) funnels.emplace_back(context, one);
  if (auto done = write_overview(funnels, sink); !done) return done;
  for (const Funnel& funnel : funnels) {
    if (auto going = context.check(); !going) return going;
    if (auto done = sink.section(funnel.what().title); !done) return done;
    if (auto done = funnel.write_table(sink); !done) return done;
    const Plot plot = funnel.plot();
    if (plot.series.empty()) continue;
    if (auto done = sink.plot(plot); !done) return done;
  }
  return {};
}

}  // namespace trialward::reports
