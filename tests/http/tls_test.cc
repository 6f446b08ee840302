#include "http/tls.h"

#include <openssl/ssl.h>

#include "tests/http/harness.h"
#include "tests/http/identity.h"

namespace trialward::http {
namespace {

using std::chrono::milliseconds;

// A blocking TLS client over a Peer's socket.
class TlsPeer {
 public:
  TlsPeer(std::uint16_t port, int version_max) : peer_(port) {
    SSL_CTX_set_security_level(context_, 0);  // so that old versions are offered at all
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, version_max);
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, peer_.fd());
  }
  ~TlsPeer() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  bool connect() { return SSL_connect(ssl_) == 1; }
  bool send(const std::string& bytes) {
    return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) ==
           static_cast<int>(bytes.size());
  }
  // Up to the end; whether the server said that it was the end.
  std::string read_all(bool& said_so) {
    std::string all;
    char bytes[4096];
    int n = 0;
    while ((n = SSL_read(ssl_, bytes, sizeof bytes)) > 0)
      all.append(bytes, static_cast<std::size_t>(n));
    said_so = SSL_get_error(ssl_, n) == SSL_ERROR_ZERO_RETURN;
    return all;
  }
  std::string version() const { return SSL_get_version(ssl_); }

 private:
  Peer peer_;
  SSL_CTX* context_ = SSL_CTX_new(TLS_client_method());
  SSL* ssl_ = nullptr;
};

TEST(Tls, RoundTrip) {
  const Identity identity("round");
  TestServer server(identity.options(), echo());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsPeer peer(server.port(), version);
    ASSERT_TRUE(peer.connect());
    const std::string body(500'000, 'x');
    ASSERT_TRUE(peer.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n" + body +
                          "GET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    bool said_so = false;
    const std::string all = peer.read_all(said_so);
    EXPECT_NE(all.find("POST /a " + body), std::string::npos);
    EXPECT_TRUE(all.ends_with("GET /b ")) << all.substr(all.size() - 20);
    EXPECT_TRUE(said_so);
  }
}

TEST(Tls, OldVersionsAreRefused) {
  const Identity identity("old");
  TestServer server(identity.options(), echo());
  TlsPeer peer(server.port(), TLS1_1_VERSION);
  EXPECT_FALSE(peer.connect());
}

TEST(Tls, AHandshakeHasItsTime) {
  const Identity identity("slow");
  ServerOptions options = identity.options();
  options.header_timeout = milliseconds(40);
  TestServer server(options, echo());
  Peer silent(server.port());
  ASSERT_TRUE(eventually([&] { return server.stats().connections_open == 1; }));
  server.clock.advance(milliseconds(41));
  EXPECT_TRUE(silent.ended());
  EXPECT_EQ(server.stats().handshake_timeouts, 1U);
  Peer plain(server.port());
  ASSERT_TRUE(plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(plain.read_all().find("HTTP"), std::string::npos);
}

TEST(Tls, StopEndsWithPeersThatSayNothing) {
  const Identity identity("stop");
  TestServer server(identity.options());
  TlsPeer idle(server.port(), TLS1_3_VERSION);
  ASSERT_TRUE(idle.connect());
  TlsPeer waits(server.port(), TLS1_3_VERSION);
  ASSERT_TRUE(waits.connect());
  ASSERT_TRUE(waits.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  const auto exchange = server.exchanges.take();
  Channel<int> closed;
  exchange->on_closed([&] { closed.put(1); });
  server.server->stop(milliseconds(20));
  closed.take();
  EXPECT_EQ(server.stats().connections_open, 0U);
}

TEST(Tls, FilesThatAreOfNoUseAreNamed) {
  const Identity one("one");
  const Identity other("other");
  const struct {
    std::string cert;
    std::string key;
    std::string named;
  } cases[] = {
      {"/nowhere", one.key_path, "/nowhere"},
      {one.cert_path, "/nowhere", "/nowhere"},
      {one.key_path, one.key_path, one.key_path},
      {one.cert_path, other.key_path, other.key_path},
  };
  for (const auto& c : cases) {
    const auto result = load_tls(c.cert, c.key);
    ASSERT_FALSE(result.ok());
    EXPECT_NE(result.error().message.find(c.named), std::string::npos) << result.error().message;
  }
  EXPECT_TRUE(load_tls(one.cert_path, one.key_path).ok());
}

}  // namespace
}  // namespace trialward::http
