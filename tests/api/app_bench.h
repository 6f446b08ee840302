// A running App over a StudyBench's store, and a client that waits for its answers.
#pragma once

#include <future>

#include "api/app.h"
#include "api/token_table.h"
#include "http/client.h"
#include "tests/intake/bench_study.h"

namespace trialward::api {

class AppBench : public intake::StudyBench {
 protected:
  void SetUp() override {
    StudyBench::SetUp();
    make_admin();
    start({});
  }
  void TearDown() override { stop(); }

  void start(AppOptions options) {
    options.control_path = folder_.file("s.db.sock");
    options.reports.jobs.folder = folder_.file("s.db.reports");
    auto app = App::start(*store_, {{"s", study_}}, std::move(options), tasks_, random_);
    ASSERT_TRUE(app.ok()) << app.error().message;
    app_ = std::move(*app);
    client_ = connect(app_->port());
    ops_ = connect(app_->ops_port());
  }
  void stop() {
    client_.reset();
    ops_.reset();
    if (app_ != nullptr) app_->stop(std::chrono::seconds(2));
    app_.reset();
  }

  std::unique_ptr<http::Client> connect(std::uint16_t port) {
    auto client = http::Client::start({.address = {"127.0.0.1", port}}, tasks_, system_clock_);
    EXPECT_TRUE(client.ok());
    return std::move(*client);
  }

  // A token of a role, made by the committing thread as the API does it.
  std::string token(const std::string& role, const std::string& more = "") {
    const auto made = call("POST", "/v1/studies/s/tokens", admin_,
                           "{\"role\":\"" + role + "\"" + more + "}");
    EXPECT_EQ(made.status, 201) << made.body;
    const std::size_t at = made.body.find("tw_");
    return made.body.substr(at, made.body.find('"', at) - at);
  }

  http::ClientAnswer call(std::string_view method, const std::string& target,
                          const std::string& token, const std::string& body = "",
                          http::Headers headers = {}) {
    if (!token.empty()) headers.emplace_back("Authorization", "Bearer " + token);
    const bool typed = http::find_header(headers, "Content-Type") != nullptr;
    if (!body.empty() && !typed) headers.emplace_back("Content-Type", "application/json");
    return send(*client_, http::request_bytes(method, target, {"127.0.0.1", app_->port()},
                                              headers, body));
  }
  http::ClientAnswer ops(const std::string& target) {
    return send(*ops_, http::request_bytes("GET", target, {"127.0.0.1", app_->ops_port()}));
  }
  static http::ClientAnswer send(http::Client& client, std::string request) {
    std::promise<http::ClientAnswer> answered;
    client.send(0, std::move(request), std::chrono::seconds(30),
                [&](http::ClientAnswer answer) { answered.set_value(std::move(answer)); });
    return answered.get_future().get();
  }

  static std::string lab(const std::string& id, int value, const std::string& subject = "P-1") {
    return R"({"source":"lab","source_id":")" + id + R"(","subject":")" + subject +
           R"(","kind":"lab","code":"ALT","unit":"U/L","value":)" + std::to_string(value) + "}";
  }

  // An admin's token, put into the store before the App starts.
  void make_admin() {
    // Unblinded, or it could make no feed's token.
    store::TokenRow row{.role = "admin", .study = study_->row, .unblinded = true};
    admin_ = make_token(random_, row);
    store::Writer& writer = store_->writer();
    ASSERT_TRUE(writer.begin().ok());
    const store::Act act{.actor = "test", .action = "token.created"};
    ASSERT_TRUE(store::append_token(writer, row, act).ok());
    ASSERT_TRUE(writer.commit().ok());
  }

  const std::string records_ = "/v1/studies/s/records";
  std::string admin_;
  base::SystemClock system_clock_;
  runtime::TaskList tasks_{system_clock_};
  std::unique_ptr<App> app_;
  std::unique_ptr<http::Client> client_, ops_;
};

}  // namespace trialward::api
