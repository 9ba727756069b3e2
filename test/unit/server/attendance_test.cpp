#include "server/attendance.hpp"

#include <catch2/catch_all.hpp>

#include <vector>

namespace almenara::server {

namespace {

constexpr connection_id first{1};
constexpr connection_id second{2};
constexpr device_tag laptop{10};
constexpr device_tag phone{20};

using changes = std::vector<attendance::change>;

} // namespace

TEST_CASE("C.2: a device is here as long as one connection of it is attached") {
    attendance who;
    who.attached(first, laptop);
    CHECK(who.take_changes() == changes{{laptop, true}});
    who.attached(second, laptop);
    who.ended(first);
    CHECK(who.take_changes().empty());
    who.ended(second);
    CHECK(who.take_changes() == changes{{laptop, false}});
    who.ended(second);
    CHECK(who.take_changes().empty());
}

TEST_CASE("C.2: a connection that attaches again is one connection") {
    attendance who;
    who.attached(first, laptop);
    who.attached(first, laptop);
    who.ended(first);
    CHECK(who.take_changes() == changes{{laptop, true}, {laptop, false}});
}

TEST_CASE("C.2: a connection that speaks for another device now has left the one before") {
    attendance who;
    who.attached(first, laptop);
    who.attached(first, phone);
    CHECK(who.take_changes() == changes{{laptop, true}, {laptop, false}, {phone, true}});
}

TEST_CASE("C.1: a change of office voids all attachments") {
    attendance who;
    who.attached(first, laptop);
    who.office_changed();
    CHECK(who.take_changes().empty());
    who.ended(first);
    CHECK(who.take_changes().empty());
    who.attached(second, laptop);
    CHECK(who.take_changes() == changes{{laptop, true}});
}

} // namespace almenara::server
