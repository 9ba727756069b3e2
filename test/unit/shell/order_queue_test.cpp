#include "shell/order_queue.hpp"

#include <catch2/catch_all.hpp>

#include <string>

using namespace almenara::cli;

namespace {

void print(order_queue& orders, std::string text) {
    orders.push(print_order{line_editor::channel::out, std::move(text)});
}

std::string all_printed(order_queue& orders) {
    std::string text;
    for (editor_order& each : orders.take_all()) {
        if (const auto* const print = std::get_if<print_order>(&each)) {
            text += print->text;
        }
    }
    return text;
}

} // namespace

TEST_CASE("what is to be printed comes in order") {
    order_queue orders;
    print(orders, "one\n");
    orders.push(read_order{});
    print(orders, "two\n");
    const auto all = orders.take_all();
    REQUIRE(all.size() == 3);
    CHECK(std::holds_alternative<read_order>(all[1]));
    CHECK(orders.take_all().empty());
}

TEST_CASE("what nobody takes is bounded, and what was left out is counted") {
    order_queue orders;
    const std::string half(order_queue::most_waiting_bytes / 2, 'x');
    print(orders, half);
    print(orders, half);
    print(orders, "one\ntwo\n");
    print(orders, "three\n");
    orders.push(read_order{}); // Only what is printed can be too much.
    CHECK(orders.take_all().size() == 4);
    print(orders, "four\n");
    CHECK(all_printed(orders) == "four\n");
}

TEST_CASE("lines that were left out are told before the next one") {
    order_queue orders;
    print(orders, std::string(order_queue::most_waiting_bytes, 'x'));
    print(orders, "one\ntwo\n");
    const std::string text = all_printed(orders);
    CHECK(text.ends_with("almenara: 2 lines were left out here: the terminal did not take them in "
                         "time.\n"));
}
