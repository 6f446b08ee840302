// Result<T, E>: a value or the reason why there is none. Expected failures travel as results and
// cannot be ignored; exceptions are left to broken third-party code and to out-of-memory.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"

namespace trialward::base {

// What kind of failure it is; api/ turns it into an HTTP status in one place.
enum class Errc {
  invalid,      // the input is wrong; the message says where and why
  not_found,    // the thing named does not exist
  conflict,     // the thing exists with other content
  refused,      // a limit was reached; try later
  deadline,     // its time had passed
  cancelled,    // somebody stopped it
  unavailable,  // the store or a remote cannot be used now
  corrupt,      // stored data is not what was written
  retry,        // it gave way to others; the same again may succeed
};

struct Error {
  Errc code = Errc::invalid;
  std::string message;
};

inline Error invalid(std::string message) { return {Errc::invalid, std::move(message)}; }

template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    check_ok();
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    check_ok();
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    check_ok();
    return std::move(*std::get_if<0>(&state_));
  }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }

  const E& error() const {
    TW_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  // The reason is printed too: without it nobody could tell what went wrong.
  void check_ok() const {
    if (ok()) return;
    if constexpr (std::is_same_v<E, Error>) {
      check_failed(__FILE__, __LINE__, ("ok(); " + error().message).c_str());
    } else {
      check_failed(__FILE__, __LINE__, "ok()");
    }
  }

  std::variant<T, E> state_;
};

template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() = default;
  Result(E error) : error_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return error_.index() == 0; }
  explicit operator bool() const { return ok(); }
  const E& error() const {
    TW_CHECK(!ok());
    return *std::get_if<1>(&error_);
  }

 private:
  std::variant<std::monostate, E> error_;
};

using Status = Result<void, Error>;

}  // namespace trialward::base
