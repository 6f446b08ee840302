#include "http/socket_stream.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>

#include "base/log.h"

namespace trialward::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Unix = asio::local::stream_protocol;
// One type for TCP and unix sockets, with an executor that is not type-erased.
using Socket =
    asio::basic_stream_socket<asio::generic::stream_protocol, asio::io_context::executor_type>;

constexpr auto kAcceptPause = std::chrono::milliseconds(100);

StreamError to_stream_error(const error_code& error) {
  if (!error) return StreamError::none;
  // A TLS peer that leaves without close_notify has ended too: HTTP says itself where answers end.
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
    return StreamError::end;
  }
  return StreamError::lost;
}

class SocketStream final : public Stream, public std::enable_shared_from_this<SocketStream> {
 public:
  SocketStream(Socket socket, const std::shared_ptr<asio::ssl::context>& tls)
      : context_(tls), socket_(std::move(socket)) {
    if (tls) tls_.emplace(socket_, *tls);
  }

  void handshake(std::shared_ptr<Events> events) override {
    if (!tls_) return events->on_ready(StreamError::none);
    tls_->async_handshake(asio::ssl::stream_base::server,
                          [self = shared_from_this(), events](const error_code& error) {
                            events->on_ready(to_stream_error(error));
                          });
  }

  void read(std::span<char> to, std::shared_ptr<Events> events) override {
    const auto buffer = asio::buffer(to.data(), to.size());
    auto done = [self = shared_from_this(), events = std::move(events)](const error_code& error,
                                                                        std::size_t n) {
      events->on_read(to_stream_error(error), n);
    };
    if (tls_) {
      tls_->async_read_some(buffer, std::move(done));
    } else {
      socket_.async_read_some(buffer, std::move(done));
    }
  }

  void write(std::span<const std::string_view> pieces, std::shared_ptr<Events> events) override {
    std::array<asio::const_buffer, kPiecesMax> buffers;
    std::size_t count = 0;
    for (const std::string_view piece : pieces) {
      if (count == buffers.size()) break;
      buffers[count++] = asio::buffer(piece.data(), piece.size());
    }
    auto done = [self = shared_from_this(), events = std::move(events)](const error_code& error,
                                                                        std::size_t n) {
      events->on_write(to_stream_error(error), n);
    };
    if (tls_) {
      tls_->async_write_some(buffers, std::move(done));
    } else {
      socket_.async_write_some(buffers, std::move(done));
    }
  }

  void shutdown_write() override {
    if (tls_) {
      // Sends close_notify; the answer to it, or the deadline of the connection, ends the reading.
      tls_->async_shutdown([self = shared_from_this()](const error_code&) {});
      return;
    }
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }

  void close() override {
    error_code ignored;
    socket_.close(ignored);
  }

  Socket& socket() { return socket_; }

 private:
  const std::shared_ptr<asio::ssl::context> context_;
  Socket socket_;
  std::optional<asio::ssl::stream<Socket&>> tls_;
};

std::string address_of(const tcp::endpoint& peer) {
  const auto address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}
std::string address_of(const Unix::endpoint&) { return {}; }

template <class Protocol>
class SocketListener final : public Listener {
 public:
  SocketListener(ListenOptions options, std::vector<std::shared_ptr<Loop>> loops,
                 OnStream on_stream)
      : options_(std::move(options)),
        loops_(std::move(loops)),
        on_stream_(std::move(on_stream)),
        state_(std::make_shared<State>(loops_.front()->io())) {}

  ~SocketListener() override {
    close();
    if (bound_ && !options_.unix_path.empty()) ::unlink(options_.unix_path.c_str());
  }

  base::Status listen(const typename Protocol::endpoint& endpoint) {
    error_code error;
    auto& acceptor = state_->acceptor;
    acceptor.open(endpoint.protocol(), error);
    if constexpr (std::is_same_v<Protocol, tcp>) {
      if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    } else {
      // Before bind(), so that the file is never there with another mode.
      if (!error && ::fchmod(acceptor.native_handle(), S_IRUSR | S_IWUSR) != 0) {
        error.assign(errno, boost::system::system_category());
      }
    }
    if (!error) acceptor.bind(endpoint, error);
    bound_ = !error;
    if (!error) acceptor.listen(options_.backlog, error);
    if (error) return base::Error{base::Errc::unavailable, "cannot listen: " + error.message()};
    if constexpr (std::is_same_v<Protocol, tcp>) port_ = acceptor.local_endpoint(error).port();
    accept();
    return {};
  }

  std::uint16_t port() const override { return port_; }

  void close() override {
    loops_.front()->post([state = state_] {
      state->closed = true;
      error_code ignored;
      state->acceptor.close(ignored);
      state->pause.cancel();
    });
  }

 private:
  using Acceptor = asio::basic_socket_acceptor<Protocol, asio::io_context::executor_type>;
  using Accepted = asio::basic_stream_socket<Protocol, asio::io_context::executor_type>;
  // Apart, because close() may reach the loop after the listener is gone.
  struct State {
    explicit State(asio::io_context& io) : acceptor(io), pause(io) {}
    Acceptor acceptor;
    asio::steady_timer pause;
    bool closed = false;
  };

  void accept() {
    const std::size_t target = next_++ % loops_.size();
    state_->acceptor.async_accept(
        loops_[target]->io(),
        [this, state = state_, target](const error_code& error, Accepted socket) {
          if (state->closed) return;  // then `this` may be gone
          if (error) {
            pause(error);
            return;
          }
          hand_over(target, std::move(socket));
          accept();
        });
  }

  // Out of descriptors, mostly: trying again at once would only spin.
  void pause(const error_code& error) {
    base::log_warning("cannot accept a connection: " + error.message());
    state_->pause.expires_after(kAcceptPause);
    state_->pause.async_wait([this, state = state_](const error_code&) {
      if (!state->closed) accept();
    });
  }

  void hand_over(std::size_t target, Accepted socket) {
    error_code error;
    const auto endpoint = socket.remote_endpoint(error);
    if (error) return;  // gone already
    if constexpr (std::is_same_v<Protocol, tcp>) {
      socket.set_option(tcp::no_delay(true), error);
    }
    auto stream = std::make_shared<SocketStream>(Socket(std::move(socket)), options_.tls);
    auto task = [this, target, stream = std::move(stream), peer = address_of(endpoint)] {
      on_stream_(target, stream, peer);
    };
    if (target == 0) {
      task();
    } else {
      loops_[target]->post(std::move(task));
    }
  }

  const ListenOptions options_;
  const std::vector<std::shared_ptr<Loop>> loops_;
  const OnStream on_stream_;
  const std::shared_ptr<State> state_;
  bool bound_ = false;
  std::uint16_t port_ = 0;
  std::size_t next_ = 0;
};

base::Result<tcp::endpoint> endpoint_of(const HostPort& address) {
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  error_code error;
  const auto ip = asio::ip::make_address(host, error);
  if (error) {
    return base::Error{base::Errc::invalid,
                       "\"" + address.host + "\" is neither an IP address nor localhost"};
  }
  return tcp::endpoint(ip, address.port);
}

template <class Protocol>
base::Result<std::unique_ptr<Listener>> listen_on(const typename Protocol::endpoint& endpoint,
                                                  ListenOptions options,
                                                  std::vector<std::shared_ptr<Loop>> loops,
                                                  Listener::OnStream on_stream) {
  auto listener = std::make_unique<SocketListener<Protocol>>(std::move(options), std::move(loops),
                                                             std::move(on_stream));
  const base::Status status = listener->listen(endpoint);
  if (!status) return status.error();
  return std::unique_ptr<Listener>(std::move(listener));
}

}  // namespace

base::Result<std::unique_ptr<Listener>> Listener::open(ListenOptions options,
                                                       std::vector<std::shared_ptr<Loop>> loops,
                                                       OnStream on_stream) {
  if (options.unix_path.empty()) {
    const auto endpoint = endpoint_of(options.address);
    if (!endpoint) return endpoint.error();
    return listen_on<tcp>(*endpoint, std::move(options), std::move(loops), std::move(on_stream));
  }
  const std::string path = options.unix_path;
  if (path.size() > 107) {  // sockaddr_un has room for no more
    return base::Error{base::Errc::invalid, path + ": longer than 107 bytes"};
  }
  // A socket that a killed server left. Only one server runs per store (PATH.lock), so it is ours.
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode)) ::unlink(path.c_str());
  return listen_on<Unix>(Unix::endpoint(path), std::move(options), std::move(loops),
                         std::move(on_stream));
}

base::Status check_address(const HostPort& address) {
  const auto endpoint = endpoint_of(address);
  if (!endpoint) return endpoint.error();
  return {};
}

base::Result<std::shared_ptr<Stream>> connect(Loop& loop, const HostPort& address,
                                              OnConnected on_connected) {
  const auto endpoint = endpoint_of(address);
  if (!endpoint) return endpoint.error();
  auto stream = std::make_shared<SocketStream>(Socket(loop.io()), nullptr);
  stream->socket().async_connect(*endpoint,
                                 [stream, done = std::move(on_connected)](const error_code& error) {
                                   if (!error) {
                                     error_code ignored;
                                     stream->socket().set_option(tcp::no_delay(true), ignored);
                                   }
                                   done(!error, error ? error.message() : std::string());
                                 });
  return std::shared_ptr<Stream>(stream);
}

}  // namespace trialward::http
