// The one place where Asio and Beast are compiled; see the two *_SEPARATE_COMPILATION definitions.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
