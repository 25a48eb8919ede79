/// @file zus_fwd.hpp
/// The names of zus.hpp without their definitions: for headers of yours that only mention them. Includes no more than
/// <cstdint>. See zus.hpp.
#ifndef ZUS_FWD_HPP
#define ZUS_FWD_HPP

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 201703L
#  error "zus.hpp needs C++17 or newer: -std=c++17, or /std:c++17 with MSVC. zus.h works with C++11."
#endif

#include <cstdint>

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#  define ZUS_HPP_EXCEPTIONS 1
#else
#  define ZUS_HPP_EXCEPTIONS 0
#endif

namespace zus {
// Named apart, so that a program may link files built with and without exceptions.
#if ZUS_HPP_EXCEPTIONS
inline namespace throwing {
#else
inline namespace nothrow {
#endif

enum class code : std::int32_t;
enum class action : std::int32_t;
enum class user_status : std::int32_t;
enum class delivery : std::int32_t;
enum class encoding : std::int32_t;
enum class log_level : std::int32_t;
enum class event_kind : std::int32_t;

class error;
class config;
class cancel;
class result_view;
class result;
struct summary;
class queue;
class event;
class client;

}  // inline namespace throwing or nothrow
}  // namespace zus

#endif
