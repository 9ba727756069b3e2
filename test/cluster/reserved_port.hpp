#pragma once

#include <cstdint>

namespace almenara::test {

/// A free port of 127.0.0.1 that nobody else is given while this exists: for TCP it is bound and
/// does not listen, so a server of the test may take it, end, and take it again. For UDP that
/// cannot be; so it is none of those that the kernel gives to who asks for any.
class reserved_port {
  public:
    reserved_port();
    ~reserved_port();
    reserved_port(const reserved_port&) = delete;
    reserved_port& operator=(const reserved_port&) = delete;

    [[nodiscard]] std::uint16_t number() const { return number_; }

  private:
    int socket_ = -1;
    std::uint16_t number_ = 0;
};

} // namespace almenara::test
