#include "delivery/targets.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/temporary_folder.h"

namespace trialward::delivery {
namespace {

// Files named "secret" hold two; "short" a short one, "none" cannot be read, the rest is one.
base::Result<std::string> secrets(const SecretPlace& place) {
  if (place.name == "secret") return std::string("0123456789abcdef\r\n\nfedcba9876543210\n");
  if (place.name == "short") return std::string("short\n");
  if (place.name == "empty") return std::string();
  if (place.name == "blank") return std::string("\n\n");
  if (place.name == "none") return base::Error{base::Errc::invalid, "none cannot be read"};
  return std::string("a secret of enough bytes");
}

base::Result<Targets, model::DefinitionFaults> read(const std::string& text) {
  return read_targets({"targets.toml", text}, secrets, {"demo"});
}

const std::string kHook =
    "[[targets]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"https://d.example/h\"\n"
    "secret_file = \"secret\"\n";
const std::string kMail =
    "[[targets]]\nname = \"mail\"\nkind = \"email\"\nserver = \"smtp://m.example\"\n"
    "from = \"a@b\"\nto = [\"c@d\"]\n";

TEST(TargetsTest, AFileIsRead) {
  const auto read_all = read(
      "[delivery]\nretry_first_s = 0.5\nretry_longest_s = 10\nbreaker_first_s = 2\n"
      "breaker_longest_s = 20\nkeep_days = 7\n" +
      kHook + "timeout_s = 5\nin_flight = 2\nseverities = [\"critical\"]\nsites = [\"A\"]\n" +
      "studies = [\"demo\"]\n" + kMail + "user = \"u\"\npassword_env = \"PW\"\n");
  ASSERT_TRUE(read_all.ok()) << model::to_string(read_all.error().front());
  const Targets& targets = *read_all;
  EXPECT_EQ(targets.retry.initial, std::chrono::milliseconds(500));
  EXPECT_EQ(targets.breaker.max, std::chrono::seconds(20));
  EXPECT_EQ(targets.keep, std::chrono::hours(24 * 7));
  ASSERT_EQ(targets.all.size(), 2u);
  const Target& desk = *targets.find("desk");
  EXPECT_EQ(desk.secrets, (std::vector<std::string>{"0123456789abcdef", "fedcba9876543210"}));
  EXPECT_EQ(desk.timeout, std::chrono::seconds(5));
  EXPECT_EQ(desk.in_flight_max, 2u);
  const Target& mail = *targets.find("mail");
  EXPECT_EQ(mail.kind, TargetKind::email);
  EXPECT_EQ(mail.password, "a secret of enough bytes");
  EXPECT_TRUE(mail.starttls);
  EXPECT_EQ(mail.events, std::vector<std::string>{"raised"});
  EXPECT_EQ(targets.find("nobody"), nullptr);
}

TEST(TargetsTest, FaultsAreNamedWithTheirLines) {
  struct Case {
    std::string text, fault;
  };
  const auto hook = [](const std::string& from, const std::string& to) {
    std::string text = kHook;
    return text.replace(text.find(from), from.size(), to);
  };
  const auto mail = [](const std::string& from, const std::string& to) {
    std::string text = kMail;
    return text.replace(text.find(from), from.size(), to);
  };
  const Case cases[] = {
      {"x", "targets.toml:1: "},
      {"[delivery]\nretry_first_s = 0\n",
       "targets.toml:2: retry_first_s must be from 0.01 to 3600"},
      {"[delivery]\nretry_first_s = 90\n",
       "targets.toml:1: retry_longest_s is less than retry_first_s"},
      {"[delivery]\nproxy = \"https://p\"\n", "targets.toml:2: proxy must be http://HOST:PORT"},
      {"[delivery]\nkeep = 1\n", "targets.toml:2: [delivery] has no member keep"},
      {"[[target]]\n", "targets.toml:1: the file has no member target"},
      {kHook + kHook, "targets.toml:7: the target \"desk\" is given twice"},
      {hook("\"desk\"", "\"a b\""), "targets.toml:2: name may have letters"},
      {hook("webhook", "pigeon"), "targets.toml:3: kind must be \"webhook\" or \"email\""},
      {hook("https://d.example/h", "ftp://d"), "targets.toml:4: url must begin with https:// or"},
      {hook("https://d.example", "http://d.example"), "targets.toml:4: without TLS everyone"},
      {hook("https://d.example", "https://u:p@d"), "targets.toml:4: url must name a host, and no"},
      {hook("https://d.example", "https://"), "targets.toml:4: url must name a host, and no user"},
      {hook("\"secret\"", "\"short\""), "targets.toml:5: a secret must have at least 16 bytes"},
      {hook("\"secret\"", "\"none\""), "targets.toml:5: none cannot be read"},
      {hook("\"secret\"", "\"empty\""), "targets.toml:5: empty is empty"},
      {hook("\"secret\"", "\"blank\""), "targets.toml:5: there must be one to 4 secrets"},
      {hook("secret_file = \"secret\"\n", ""),
       "targets.toml:1: secret_file or secret_env is needed"},
      {kHook + "secret_env = \"X\"\n", "targets.toml:6: either secret_file or secret_env"},
      {kHook + "secret = \"0123456789abcdef\"\n",
       "targets.toml:6: [[targets]] has no member secret"},
      {kHook + "timeout_s = 0\n", "targets.toml:6: timeout_s must be from 1 to 300"},
      {kHook + "in_flight = 65\n", "targets.toml:6: in_flight must be from 1 to 64"},
      {kHook + "studies = [\"dem\"]\n", "targets.toml:6: the study \"dem\" is not served"},
      {kHook + "severities = [\"high\"]\n", "targets.toml:6: severities are"},
      {kHook + "events = [\"delivered\"]\n", "targets.toml:6: \"delivered\" is no type of event"},
      {mail("smtp://", "http://"), "targets.toml:4: server must begin with smtps:// or smtp://"},
      {kMail + "starttls = false\n", "targets.toml:4: without TLS everyone on the way reads"},
      {mail("[\"c@d\"]", "[]"), "targets.toml:6: to must name at least one address"},
      {mail("c@d", "c@d>\\nBcc: e@f"), "targets.toml:6: \"c@d>\nBcc: e@f\" is not an address"},
      {mail("a@b", "nobody"), "targets.toml:5: \"nobody\" is not an address"},
      {kMail + "password_file = \"secret\"\n", "targets.toml:1: a password needs its user"},
      {kMail + "user = \"u\"\n", "targets.toml:1: password_file or password_env is needed"},
      {"[subscriptions]\n", "targets.toml:1: endpoints must name at least one"},
      {"[subscriptions]\nendpoints = [\"https://d.example/a\"]\n",
       "targets.toml:2: \"https://d.example/a\" is no URL that can be allowed"},
      {"[subscriptions]\nendpoints = [\"http://d.example/\"]\n",
       "targets.toml:2: without TLS everyone on the way reads"},
      {"[subscriptions]\nendpoints = [\"https://d.example/\"]\nhosts = 1\n",
       "targets.toml:3: [subscriptions] has no member hosts"},
  };
  for (const Case& one : cases) {
    const auto result = read(one.text);
    ASSERT_FALSE(result.ok()) << one.text;
    bool found = false;
    std::string all;
    for (const model::DefinitionFault& fault : result.error()) {
      all += model::to_string(fault) + "\n";
      found = found || model::to_string(fault).starts_with(one.fault);
    }
    EXPECT_TRUE(found) << one.fault << "\n--- but:\n" << all;
  }
}

TEST(TargetsTest, SubscriptionsSendWhereTheyMay) {
  const auto targets = read(
      "[subscriptions]\nendpoints = [\"https://d.example/a/\", \"http://far.example/\"]\n"
      "plain_http = true\nca_file = \"x.pem\"\n");
  ASSERT_TRUE(targets.ok()) << model::to_string(targets.error().front());
  EXPECT_TRUE(targets->endpoints.allows("https://d.example/a/b"));
  EXPECT_TRUE(targets->endpoints.allows("http://far.example/"));
  EXPECT_FALSE(targets->endpoints.allows("https://d.example/b"));
  EXPECT_EQ(targets->endpoints_ca_file, "x.pem");
  EXPECT_TRUE(read(kHook)->endpoints.none());
}

TEST(TargetsTest, PlainHttpIsForThisMachineOrByLeave) {
  const auto with_url = [](const std::string& url) {
    std::string text = kHook;
    return text.replace(text.find("https://d.example/h"), 19, url);
  };
  for (const char* url : {"http://127.0.0.1:9/x", "http://localhost/", "http://[::1]:9/"}) {
    EXPECT_TRUE(read(with_url(url)).ok()) << url;
  }
  EXPECT_TRUE(read(with_url("http://d.example/") + "plain_http = true\n").ok());
  EXPECT_FALSE(read(with_url("http://localhost.example/")).ok());
}

TEST(TargetsTest, EachIsToldWhatItAskedFor) {
  const auto targets = read(kHook + kMail + "severities = [\"critical\"]\n" +
                            "[[targets]]\nname = \"b\"\nkind = \"webhook\"\n"
                            "url = \"https://b/\"\nsecret_env = \"X\"\nsites = [\"B\"]\n");
  ASSERT_TRUE(targets.ok()) << model::to_string(targets.error().front());
  using Names = std::vector<std::string>;
  model::AlertEvent event{.type = model::AlertEventType::raised, .site = "A",
                          .severity = "critical"};
  EXPECT_EQ(targets->targets("demo", event), (Names{"desk", "mail"}));
  event.type = model::AlertEventType::acknowledged;
  EXPECT_EQ(targets->targets("demo", event), Names{"desk"});
  event.type = model::AlertEventType::raised;
  event.severity = "warning";
  event.site = "B";
  EXPECT_EQ(targets->targets("demo", event), (Names{"desk", "b"}));
  // An event that names whom it is for goes to them, be they in the file or not.
  event.detail.targets = {"mail", "on-call"};
  EXPECT_EQ(targets->targets("demo", event), (Names{"mail", "on-call"}));
  event.type = model::AlertEventType::delivered;
  EXPECT_EQ(targets->targets("demo", event), Names{});
}

TEST(TargetsTest, SecretsComeFromFilesAndTheEnvironment) {
  const TemporaryFolder folder;
  std::ofstream(folder.file("s")) << "in a file\n";
  EXPECT_EQ(read_secret({true, folder.file("s")}).value(), "in a file\n");
  EXPECT_FALSE(read_secret({true, folder.file("t")}).ok());
  std::ofstream(folder.file("l")) << std::string(kSecretBytesMax + 1, 'x');
  EXPECT_FALSE(read_secret({true, folder.file("l")}).ok());
  ::setenv("TRIALWARD_TEST_SECRET", "in the environment", 1);
  EXPECT_EQ(read_secret({false, "TRIALWARD_TEST_SECRET"}).value(), "in the environment");
  ::unsetenv("TRIALWARD_TEST_SECRET");
  EXPECT_FALSE(read_secret({false, "TRIALWARD_TEST_SECRET"}).ok());
}

TEST(TargetsTest, NamesInAnEscalationThatAreNoTargetsAreFoundWithTheirLines) {
  const auto study = model::load_study(std::vector<model::DefinitionFile>{
      {"escalation.toml",
       "[[escalation]]\nseverity = \"critical\"\ntiers = [\n"
       "  { targets = [\"desk\", \"chef\"], after = \"1 s\" },\n"
       "  { targets = [\"nobody\"], after = \"1 s\" },\n]\n"},
      {"study.toml", "[study]\nid = \"s\"\n[[sites]]\nid = \"A\"\ntime_zone = \"UTC\"\n"}});
  ASSERT_TRUE(study.ok()) << model::to_string(study.error().front());
  Targets targets;
  for (const char* name : {"desk", "chief"}) {
    targets.all.emplace_back();
    targets.all.back().name = name;
  }
  const auto faults = unknown_targets(*study->escalation, targets);
  ASSERT_EQ(faults.size(), 2u);
  EXPECT_EQ(model::to_string(faults[0]),
            "escalation.toml:4: tier 1 of critical alerts: there is no target 'chef'; the targets "
            "are 'desk', 'chief'");
  EXPECT_EQ(faults[1].line, 5);
  for (const char* name : {"chef", "nobody"}) {
    targets.all.emplace_back();
    targets.all.back().name = name;
  }
  EXPECT_TRUE(unknown_targets(*study->escalation, targets).empty());
}

}  // namespace
}  // namespace trialward::delivery
