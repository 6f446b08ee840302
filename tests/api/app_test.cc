#include "api/app.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <sstream>

#include "tests/api/app_bench.h"

namespace trialward::api {
namespace {

class AppTest : public AppBench {};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_F(AppTest, P1P2ARecordIsStoredRepeatedAndInConflict) {
  const std::string feed = token("feed");
  auto answer = call("POST", records_, feed, lab("1", 50));
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, R"({"id":1,"status":"stored","alerts":[]})");
  answer = call("POST", records_, feed, lab("1", 50));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"id":1,"status":"repeated","alerts":[]})");
  answer = call("POST", records_, feed, lab("1", 51));
  EXPECT_EQ(answer.status, 409);
  EXPECT_TRUE(has(answer.body, R"({"faults":[{"path":"/source_id")")) << answer.body;
}

TEST_F(AppTest, FaultsAreListedWithTheirPaths) {
  const auto answer = call("POST", records_, token("feed"),
                           R"({"source":"lab","source_id":"1","subject":"X","kind":"lab",)"
                           R"("code":"NOPE","value":1,"unit":"U/L"})");
  EXPECT_EQ(answer.status, 422);
  EXPECT_TRUE(has(answer.body, R"("path":"/subject")")) << answer.body;
  EXPECT_TRUE(has(answer.body, R"("path":"/code")")) << answer.body;
  EXPECT_EQ(call("POST", records_, token("feed"), "not json").status, 422);
}

TEST_F(AppTest, EveryDoorIsShutWithoutAKey) {
  struct Case {
    const char *method, *path, *role;
    int status;
  };
  const Case cases[] = {
      {"GET", "/v1/studies/s/records", "", 401},
      {"GET", "/v1/studies/s/records", "patient", 403},
      {"POST", "/v1/studies/s/records", "monitor", 403},
      {"GET", "/v1/studies/s/alerts", "feed", 403},
      {"GET", "/v1/studies/s/alerts", "patient", 403},
      {"POST", "/v1/studies/s/alerts/1/acknowledge", "coordinator", 403},
      {"POST", "/v1/studies/s/tokens", "safety", 403},
      {"GET", "/v1/studies/other/records", "feed", 404},
      {"GET", "/v1/nothing", "feed", 404},
      {"PUT", "/v1/studies/s/records", "feed", 405},
      {"GET", "/v1/studies/s/records?unknown=1", "feed", 400},
      {"GET", "/v1/studies/s/records?limit=0", "feed", 400},
      {"GET", "/v1/%zz", "feed", 400},
      {"GET", "/v1/studies/s/alerts?status=maybe", "safety", 400},
  };
  for (const Case& one : cases) {
    const std::string role = one.role;
    const std::string more = role == "patient" ? R"(,"subject":"P-1")" : "";
    const std::string key = role.empty() ? "" : token(role, more);
    EXPECT_EQ(call(one.method, one.path, key).status, one.status) << one.method << one.path;
  }
  EXPECT_EQ(call("GET", records_, "tw_wrong").status, 401);
  EXPECT_EQ(call("POST", records_, token("feed"), "x", {{"Content-Type", "text/plain"}}).status,
            415);
  EXPECT_EQ(call("POST", records_, admin_, lab("1", 50), {{"Content-Encoding", "gzip"}}).status,
            415);
}

TEST_F(AppTest, TokensAreBoundToSiteSubjectAndSource) {
  const std::string patient = token("patient", R"(,"subject":"P-1")");
  const std::string event = R"({"source":"patient:P-1","source_id":"1","subject":"P-1",)"
                            R"("kind":"adverse_event","code":"Headache"})";
  EXPECT_EQ(call("POST", records_, patient, event).status, 201);
  EXPECT_EQ(call("POST", records_, patient, lab("1", 50)).status, 403);
  const auto foreign = call("POST", records_, patient, lab("2", 50, "P-2"));
  EXPECT_EQ(foreign.status, 403);
  EXPECT_TRUE(has(foreign.body, R"("path":"/subject")")) << foreign.body;
  const std::string of_b = token("coordinator", R"(,"site":"B")");
  EXPECT_EQ(call("POST", records_, of_b, lab("3", 50)).status, 403);  // P-1 is of site A
  const std::string own = "/v1/studies/s/subjects/P-1/records";
  EXPECT_EQ(call("GET", own, patient).status, 200);
  EXPECT_EQ(call("GET", own, of_b).status, 404);
  const std::string bound = token("feed", R"(,"source":"other")");
  EXPECT_EQ(call("POST", records_, bound, lab("4", 50)).status, 403);
  EXPECT_EQ(call("GET", records_ + "?source=lab", bound).status, 403);
}

TEST_F(AppTest, OnlyWhatIsOnesOwnCanBeCorrected) {
  const std::string serious = R"({"source":"site","source_id":"1","subject":"P-1","serious":true,)"
                              R"("kind":"adverse_event","code":"Syncope"})";
  ASSERT_EQ(call("POST", records_, token("investigator"), serious).status, 201);
  const std::string patient = token("patient", R"(,"subject":"P-1")");
  const auto correction = [](const std::string& source) {
    return R"({"source":")" + source + R"(","source_id":"2","subject":"P-1","serious":false,)"
           R"("kind":"adverse_event","code":"Syncope","amends":1,"reason":"no"})";
  };
  const auto refused = call("POST", records_, patient, correction("patient:P-1"));
  EXPECT_EQ(refused.status, 403);
  EXPECT_TRUE(has(refused.body, R"("path":"/amends")")) << refused.body;
  EXPECT_EQ(call("POST", records_, patient, correction("site")).status, 403);
  const std::string bound = token("feed", R"(,"source":"device")");
  EXPECT_EQ(call("POST", records_, bound, correction("device")).status, 403);
  const std::string same = token("feed", R"(,"source":"site")");
  EXPECT_EQ(call("POST", records_, same, correction("site")).status, 201);
}

// Else whoever tries each arm is told by the answer which one it is.
TEST_F(AppTest, ARepeatTellsNobodyTheArm) {
  const auto enrolment = [](const std::string& arm) {
    return R"({"source":"ivrs","source_id":"1","subject":"P-1","kind":"demographics","code":"DM",)"
           R"("site":"A","attributes":{"arm":")" + arm + "\"}}";
  };
  const std::string feed = token("feed");
  ASSERT_EQ(call("POST", records_, feed, enrolment("active")).status, 201);
  EXPECT_EQ(call("POST", records_, feed, enrolment("active")).status, 200);
  EXPECT_EQ(call("POST", records_, token("feed"), enrolment("active")).status, 200);
  const std::string coordinator = token("coordinator");
  const auto right = call("POST", records_, coordinator, enrolment("active"));
  const auto wrong = call("POST", records_, coordinator, enrolment("placebo"));
  EXPECT_EQ(right.status, 409);
  EXPECT_EQ(wrong.status, 409);
  EXPECT_EQ(right.body, wrong.body);
  const auto foreign = call("POST", records_, token("coordinator", R"(,"site":"B")"),
                            enrolment("active"));
  EXPECT_EQ(foreign.status, 403);
}

TEST_F(AppTest, ARevokedTokenIsRefusedAtOnce) {
  const std::string feed = token("feed");
  EXPECT_EQ(call("POST", records_, feed, lab("1", 50)).status, 201);
  EXPECT_EQ(call("DELETE", "/v1/studies/s/tokens/2", admin_).status, 204);
  EXPECT_EQ(call("POST", records_, feed, lab("2", 50)).status, 401);
  EXPECT_EQ(call("DELETE", "/v1/studies/s/tokens/2", admin_).status, 404);
}

TEST_F(AppTest, LinesAreSummedUp) {
  const std::string body = lab("1", 50) + "\n\n" + lab("1", 50) + "\r\n" + lab("2", 150) +
                           "\nnonsense\n" + lab("1", 60);
  const auto answer = call("POST", records_, token("feed"), body,
                           {{"Content-Type", "application/x-ndjson"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(has(answer.body, R"("read":5,"stored":2,"repeated":1,"refused":2,"alerts":1)"))
      << answer.body;
  EXPECT_TRUE(has(answer.body, R"({"line":5,"status":"invalid")")) << answer.body;
  EXPECT_TRUE(has(answer.body, R"({"line":6,"status":"conflict")")) << answer.body;
}

TEST_F(AppTest, LinesAreAnsweredInOrderWhenAsked) {
  std::string body;
  for (int i = 0; i < 2000; ++i) body += lab(std::to_string(i), i % 7 == 0 ? 150 : 50) + "\n";
  body += std::string(70000, 'x') + "\n" + lab("last", 50) + "\n";
  const auto answer = call("POST", records_ + "?results=all", token("feed"), body,
                           {{"Content-Type", "application/x-ndjson"}});
  EXPECT_EQ(answer.status, 200);
  std::istringstream lines(answer.body);
  std::string line;
  for (int i = 1; i <= 2002; ++i) {
    ASSERT_TRUE(std::getline(lines, line));
    ASSERT_TRUE(line.starts_with("{\"line\":" + std::to_string(i) + ",")) << line;
    EXPECT_EQ(has(line, "refused") || has(line, "invalid"), i == 2001) << line;
  }
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(line, R"({"summary":{"read":2002,"stored":2001,"repeated":0,"refused":1,"alerts":1}})");
  const auto exported = call("GET", records_ + "?source=lab", token("feed"), "",
                             {{"Accept", "application/x-ndjson"}});
  EXPECT_EQ(std::count(exported.body.begin(), exported.body.end(), '\n'), 2001);
}

// Adverse events have a lane of their own, but what enrols their subject stands before them.
TEST_F(AppTest, ALineDoesNotOvertakeAnEarlierOneOfItsSubject) {
  std::string body;
  for (int i = 0; i < 300; ++i) {
    const std::string n = std::to_string(i);
    const std::string named = R"({"source":"s","subject":"P-)" + n + R"(","source_id":")" + n;
    body += named + R"(-dm","kind":"demographics","code":"DM","site":"B"})" + "\n";
    body += named + R"(-ae","kind":"adverse_event","code":"X","value":"x","serious":true})" + "\n";
  }
  const auto answer = call("POST", records_, token("feed"), body,
                           {{"Content-Type", "application/x-ndjson"}});
  EXPECT_TRUE(has(answer.body, R"("read":600,"stored":600,"repeated":0,"refused":0)"))
      << answer.body.substr(0, 500);
}

// Their answers are longer than what may wait for a peer at once.
TEST_F(AppTest, LinesWithManyFaultsAreAllAnswered) {
  std::string line = "{";
  for (int i = 0; i < 40; ++i) line += "\"unknown_" + std::to_string(i) + "\":1,";
  line.back() = '}';
  std::string body;
  for (int i = 0; i < 1500; ++i) body += line + "\n";
  const auto answer = call("POST", records_ + "?results=all", token("feed"), body,
                           {{"Content-Type", "application/x-ndjson"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(has(answer.body, R"({"summary":{"read":1500,"stored":0,"repeated":0,"refused":1500)"))
      << answer.body.size();
}

// Lines that are answered at once make room without anything that would go on by itself.
TEST_F(AppTest, NoLineBehindAWindowOfFaultyOnesIsLost) {
  for (const char* results : {"", "?results=all"}) {
    std::string lines;
    for (int i = 0; i < 2000; ++i) lines += "x\n";
    lines += lab(*results == '\0' ? "1" : "2", 50) + "\n";
    const auto answer = call("POST", records_ + results, admin_, lines,
                             {{"Content-Type", "application/x-ndjson"}});
    EXPECT_TRUE(has(answer.body, R"("read":2001,"stored":1,)")) << answer.body.size();
  }
}

TEST_F(AppTest, PagesGoOnWhereTheyEnded) {
  for (int i = 0; i < 5; ++i) call("POST", records_, admin_, lab(std::to_string(i), 50));
  auto page = call("GET", records_ + "?limit=2", admin_);
  EXPECT_TRUE(has(page.body, R"("next":"2")")) << page.body;
  page = call("GET", records_ + "?limit=2&after=4", admin_);
  EXPECT_FALSE(has(page.body, "next")) << page.body;
  page = call("GET", "/v1/studies/s/subjects/P-1/records?limit=3", admin_);
  EXPECT_TRUE(has(page.body, R"("next":2)")) << page.body;
  page = call("GET", "/v1/studies/s/subjects/P-1/records?from=2", admin_);
  EXPECT_TRUE(has(page.body, R"("id":2)") && !has(page.body, R"("id":3)")) << page.body;
}

// Follows the alert stream and waits for lines.
class Follower {
 public:
  Follower(http::Client& client, std::string request) {
    client.follow(
        std::move(request),
        [this](std::string_view line) {
          const std::lock_guard lock(mutex_);
          lines_.emplace_back(line);
          changed_.notify_all();
        },
        [this](const http::ClientAnswer& answer) {
          const std::lock_guard lock(mutex_);
          status_ = answer.status;
          ended_ = true;
          changed_.notify_all();
        });
  }
  // The first line after `skip` others that begins so; waits for it.
  std::string wait_for(const std::string& beginning) {
    std::unique_lock lock(mutex_);
    std::string found;
    const bool came = changed_.wait_for(lock, std::chrono::seconds(30), [&] {
      for (const std::string& line : lines_) {
        if (line.starts_with(beginning)) found = line;
      }
      return !found.empty() || ended_;
    });
    EXPECT_TRUE(came);
    return found;
  }
  // Until the whole event of that number is here.
  void wait_for_event(const std::string& id) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(30), [&] {
      const auto at = std::find(lines_.begin(), lines_.end(), "id: " + id);
      return ended_ || std::any_of(at, lines_.end(), [](const std::string& line) {
               return line.starts_with("data: ");
             });
    }));
  }
  bool wait_for_end() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return ended_; });
  }
  // Of the events; not the places that are told without one.
  std::vector<std::string> ids() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> ids;
    std::string id;
    for (const std::string& line : lines_) {
      if (line.starts_with("event: ")) ids.push_back(id);
      if (line.starts_with("id: ")) id = line.substr(4);
    }
    return ids;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  int status_ = 0;
  bool ended_ = false;
};

TEST_F(AppTest, AlertsAreStreamedListedAndAcknowledged) {
  const std::string safety = token("safety");
  const http::HostPort address{"127.0.0.1", app_->port()};
  const auto request = [&](const std::string& after) {
    http::Headers headers{{"Authorization", "Bearer " + safety}};
    if (!after.empty()) headers.emplace_back("Last-Event-ID", after);
    return http::request_bytes("GET", "/v1/studies/s/alerts/stream", address, headers);
  };
  auto listener = connect(app_->port());
  Follower live(*listener, request(""));
  live.wait_for("retry:");
  EXPECT_EQ(call("POST", records_, admin_, lab("1", 150)).body,
            R"({"id":1,"status":"stored","alerts":[1]})");
  live.wait_for_event("1");
  EXPECT_TRUE(has(live.wait_for("data: "), R"("rule":"hundred")"));

  const std::string acknowledge = "/v1/studies/s/alerts/1/acknowledge";
  EXPECT_EQ(call("POST", acknowledge, safety, R"({"note":" "})").status, 422);
  EXPECT_EQ(call("POST", acknowledge, safety, R"({"note":"seen","x":1})").status, 422);
  const auto blind = call("POST", acknowledge, safety, R"({"note":"site called"})");
  EXPECT_EQ(blind.status, 409);
  EXPECT_TRUE(has(blind.body, R"(\"150\" in U/L (record 1), has to be read back)")) << blind.body;
  const std::string read_back =
      R"({"note":"site called","values":)"
      R"([{"record":1,"value":150,"unit":"U/L","effective":"2024-03-01"}]})";
  EXPECT_EQ(call("POST", acknowledge, safety, read_back).status, 200);
  EXPECT_EQ(call("POST", acknowledge, safety, read_back).status, 409);
  EXPECT_EQ(call("POST", "/v1/studies/s/alerts/7/acknowledge", safety, R"({"note":"x"})").status,
            404);
  live.wait_for("event: alert.acknowledged");

  for (int i = 10; i < 15; ++i) call("POST", records_, admin_, lab(std::to_string(i), 150));
  live.wait_for_event("7");
  // One that resumes sees everything after what it names, once and in order.
  Follower resumed(*listener, request("2"));
  resumed.wait_for_event("7");
  EXPECT_EQ(resumed.ids(), (std::vector<std::string>{"3", "4", "5", "6", "7"}));
  EXPECT_EQ(live.ids(), (std::vector<std::string>{"1", "2", "3", "4", "5", "6", "7"}));

  const auto listed = call("GET", "/v1/studies/s/alerts?status=open", safety);
  EXPECT_TRUE(has(listed.body, R"("id":2)") && !has(listed.body, R"("id":1,"rule")"))
      << listed.body;
  EXPECT_EQ(call("GET", "/v1/studies/s/alerts/stream", safety, "", {{"Last-Event-ID", "x"}}).status,
            400);
  listener.reset();
}

TEST_F(AppTest, AResumedStreamIsReadFromTheStoreAfterARestart) {
  for (int i = 0; i < 450; ++i) call("POST", records_, admin_, lab(std::to_string(i), 150));
  stop();
  start({});
  auto listener = connect(app_->port());
  Follower resumed(*listener,
                   http::request_bytes("GET", "/v1/studies/s/alerts/stream?after=0",
                                       {"127.0.0.1", app_->port()},
                                       {{"Authorization", "Bearer " + admin_}}));
  resumed.wait_for_event("450");
  EXPECT_EQ(resumed.ids().size(), 450u);
  listener.reset();
}

// More than a connection's buffer may be missed, whether it is still in memory or not.
TEST_F(AppTest, ASubscriberFarBehindCatchesUp) {
  for (const bool from_store : {false, true}) {
    stop();
    AppOptions options;
    options.server.answer_buffer_bytes_max = 80 << 10;
    start(std::move(options));
    if (!from_store) {
      for (int i = 0; i < 400; ++i) call("POST", records_, admin_, lab(std::to_string(i), 150));
    }
    auto listener = connect(app_->port());
    Follower resumed(*listener,
                     http::request_bytes("GET", "/v1/studies/s/alerts/stream?after=0",
                                         {"127.0.0.1", app_->port()},
                                         {{"Authorization", "Bearer " + admin_}}));
    resumed.wait_for_event("400");
    call("POST", records_, admin_, lab(from_store ? "live" : "new", 150));
    resumed.wait_for_event(from_store ? "402" : "401");
    EXPECT_EQ(resumed.ids().size(), from_store ? 402u : 401u);
    listener.reset();
  }
}

TEST_F(AppTest, ARevokedTokenLosesItsStreamAndItsUpload) {
  const auto made = call("POST", "/v1/studies/s/tokens", admin_, R"({"role":"admin"})");
  const std::size_t at = made.body.find("tw_");
  const std::string token = made.body.substr(at, made.body.find('"', at) - at);
  const std::string id = made.body.substr(6, made.body.find(',') - 6);
  const http::HostPort address{"127.0.0.1", app_->port()};
  const http::Headers headers{{"Authorization", "Bearer " + token}};
  auto listener = connect(app_->port());
  Follower stream(*listener, http::request_bytes("GET", "/v1/studies/s/alerts/stream", address,
                                                 headers));
  stream.wait_for("retry:");
  ASSERT_EQ(call("DELETE", "/v1/studies/s/tokens/" + id, admin_).status, 204);
  EXPECT_TRUE(stream.wait_for_end());
  listener.reset();
}

TEST_F(AppTest, ATokenMakesNoneThatMayDoMore) {
  const std::string path = "/v1/studies/s/tokens";
  const std::string bound = token("admin", R"(,"site":"B","source":"lab","expires_days":2)");
  for (const char* wish :
       {R"({"role":"monitor"})", R"({"role":"monitor","site":"A","source":"lab"})",
        R"({"role":"monitor","site":"B"})",
        R"({"role":"monitor","site":"B","source":"lab","expires_days":3})"}) {
    EXPECT_EQ(call("POST", path, bound, wish).status, 403) << wish;
  }
  EXPECT_EQ(call("POST", path, bound, R"({"role":"monitor","site":"B","source":"lab"})").status,
            201);
  // The study's first admin is none of a site's.
  EXPECT_EQ(call("DELETE", path + "/1", bound).status, 404);
  EXPECT_EQ(call("DELETE", path + "/3", bound).status, 204);
}

TEST_F(AppTest, TheOperationsListenerTellsHowItIs) {
  EXPECT_EQ(ops("/livez").status, 200);
  EXPECT_EQ(ops("/readyz").status, 200);
  call("POST", records_, admin_, lab("1", 150));
  const std::string metrics = ops("/metrics").body;
  for (const char* name :
       {"trialward_records_stored_total 1", "trialward_lane_items{lane=\"safety\"}",
        "trialward_batch_items_count 1", "trialward_commit_seconds_count 1",
        "trialward_subject_cache_subjects 1", "trialward_subject_cache_bytes ",
        "trialward_alert_latency_seconds_count 1", "trialward_connections ",
        "trialward_tasks{state=\"live\"}", "trialward_lane_wait_seconds_count{lane=\"live\"} 1",
        "trialward_lane_refusals_total{lane=\"bulk\",reason=\"items_full\"} 0"}) {
    EXPECT_TRUE(has(metrics, name)) << name << "\n" << metrics;
  }
  EXPECT_TRUE(has(ops("/ops/tasks").body, R"("name":"commit-0")")) << ops("/ops/tasks").body;
  EXPECT_TRUE(has(ops("/ops/routes").body, R"("permission":"write_records")"));
  EXPECT_EQ(ops("/v1/token").status, 404);
}

TEST_F(AppTest, FiguresAndTheOwnTokenAreTold) {
  call("POST", records_, admin_, lab("1", 150));
  const auto figures = call("GET", "/v1/studies/s/figures", admin_);
  EXPECT_TRUE(has(figures.body, R"("subjects":1,"alerts":1,"open_alerts":1)")) << figures.body;
  const auto own = call("GET", "/v1/token", token("safety", R"(,"site":"B")"));
  EXPECT_TRUE(has(own.body, R"("role":"safety","site":"B")")) << own.body;
  EXPECT_TRUE(has(own.body, R"("studies":[{"id":"s","title":"A study",)")) << own.body;
}

TEST_F(AppTest, TokenWishesAreChecked) {
  const std::string path = "/v1/studies/s/tokens";
  for (const char* wish :
       {"[]", R"({"role":"king"})", R"({"role":"patient"})", R"({"role":"feed","subject":"P-1"})",
        R"({"role":"patient","subject":"X"})", R"({"role":"feed","site":"Z"})",
        R"({"role":"feed","expires_days":0})", R"({"role":"feed","what":"?"})"}) {
    EXPECT_EQ(call("POST", path, admin_, wish).status, 422) << wish;
  }
  const std::string blinded = token("admin");
  EXPECT_EQ(call("POST", path, blinded, R"({"role":"monitor","unblinded":true})").status, 403);
  // A feed's retries tell what is stored, so they would unblind whoever made its token.
  EXPECT_EQ(call("POST", path, blinded, R"({"role":"feed"})").status, 403);
  EXPECT_EQ(call("POST", path, admin_, R"({"role":"feed","name":"7"})").status, 422);
  // A name says in the audit trail who it was.
  EXPECT_EQ(call("POST", path, admin_, R"({"role":"feed","name":"lab"})").status, 201);
  EXPECT_EQ(call("POST", path, admin_, R"({"role":"feed","name":"lab"})").status, 409);
  EXPECT_EQ(call("POST", path, admin_, R"({"role":"monitor","name":"lab"})").status, 201);
}

TEST_F(AppTest, AFullLaneIsRefusedBeforeTheBodyIsRead) {
  stop();
  AppOptions options;
  options.intake.live.items_max = 0;
  options.admission.doubtful_bodies_max = 0;
  start(std::move(options));
  const auto answer = call("POST", records_, admin_, lab("1", 50));
  EXPECT_EQ(answer.status, 429);
  EXPECT_TRUE(has(answer.body, "too much waits")) << answer.body;
}

// It takes as much of a processor as a write, and is never urgent.
TEST_F(AppTest, P4WhatIsOnlyValidatedIsRefusedAsWritesAre) {
  const std::string path = "/fhir/AdverseEvent/$validate";
  const std::string event = R"({"resourceType":"AdverseEvent","actuality":"actual",)"
                            R"("event":{"text":"Syncope"},"subject":{"reference":"Patient/P-1"}})";
  EXPECT_EQ(call("POST", path, admin_, event).status, 200);
  stop();
  AppOptions options;
  options.intake.live.items_max = 0;
  start(std::move(options));
  const auto answer = call("POST", path, admin_, event);
  EXPECT_EQ(answer.status, 429);
  EXPECT_TRUE(answer.retry_after);
  EXPECT_TRUE(has(answer.body, "OperationOutcome")) << answer.body;
  EXPECT_EQ(call("POST", "/fhir/AdverseEvent", admin_, event).status, 201);
}

TEST_F(AppTest, P4AFullLiveLaneStillTakesAnAdverseEvent) {
  stop();
  AppOptions options;
  options.intake.live.items_max = 0;
  start(std::move(options));
  EXPECT_EQ(call("POST", records_, admin_, lab("1", 50)).status, 429);
  const std::string event = R"({"source":"site","source_id":"1","subject":"P-1","serious":true,)"
                            R"("kind":"adverse_event","code":"Syncope"})";
  EXPECT_EQ(call("POST", records_, admin_, event).status, 201);
}

TEST_F(AppTest, P4ShortOfMemoryOnlyWhatIsUrgentIsTaken) {
  const std::string event = R"({"source":"site","source_id":"1","subject":"P-1","serious":true,)"
                            R"("kind":"adverse_event","code":"Syncope"})";
  const http::Headers lines{{"Content-Type", "application/x-ndjson"}};
  for (const bool scarce : {false, true}) {
    stop();
    AppOptions options;
    options.memory = {.bytes_max = runtime::resident_bytes(),
                      .tight_percent = 50,
                      .scarce_percent = scarce ? 60u : 1000u};
    start(std::move(options));
    // The first look at the memory comes soon after the start.
    http::ClientAnswer stream;
    while (stream.status != 429) stream = call("POST", records_, admin_, "\n", lines);
    EXPECT_TRUE(has(stream.body, "short of memory")) << stream.body;
    EXPECT_EQ(call("GET", records_, admin_, "", {{"Accept", "application/x-ndjson"}}).status, 429);
    EXPECT_EQ(call("POST", records_, admin_, lab("1", 50)).status, scarce ? 429 : 201);
  }
  EXPECT_EQ(call("POST", records_, admin_, event).status, 201);
}

TEST_F(AppTest, NoTokenTakesAllPlacesForBodies) {
  stop();
  AppOptions options;
  options.admission.bodies_per_token_max = 2;
  start(std::move(options));
  const auto slow = [&](const std::string& token) {
    return http::request_bytes("POST", records_, {"127.0.0.1", app_->port()},
                               {{"Authorization", "Bearer " + token},
                                {"Content-Type", "application/json"},
                                {"Content-Length", "9999"}});
  };
  const std::string feed = token("feed");
  std::vector<std::unique_ptr<http::Client>> senders;
  for (int i = 0; i < 2; ++i) {
    senders.push_back(connect(app_->port()));
    senders.back()->send(0, slow(feed), std::chrono::seconds(30), [](http::ClientAnswer) {});
  }
  // The heads are read soon after; until then a third body finds a place.
  http::ClientAnswer third;
  for (int i = 0; i < 500 && third.status != 429; ++i) {
    third = call("POST", records_, feed, lab(std::to_string(i), 50));
  }
  EXPECT_EQ(third.status, 429);
  EXPECT_EQ(call("POST", records_, admin_, lab("other", 50)).status, 201);
  senders.clear();
}

TEST_F(AppTest, P5StoppingLeavesNoTask) {
  auto listener = connect(app_->port());
  Follower live(*listener, http::request_bytes("GET", "/v1/studies/s/alerts/stream",
                                               {"127.0.0.1", app_->port()},
                                               {{"Authorization", "Bearer " + admin_}}));
  live.wait_for("retry:");
  stop();
  listener.reset();
  EXPECT_EQ(tasks_.count(), 0u);
}

}  // namespace
}  // namespace trialward::api
