#include "shell/order_queue.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <thread>
#include <variant>
#include <vector>

using namespace almenara::cli;

namespace {

/// What the editor's thread is told to print, until the queue is closed.
std::vector<std::string> printed_from(order_queue& orders) {
    std::vector<std::string> texts;
    bool is_last = false;
    while (!is_last) {
        orders.wait();
        is_last = orders.is_closed(); // What was pushed before that is there by now.
        for (editor_order& each : orders.take_all()) {
            if (auto* const text = std::get_if<print_order>(&each)) {
                texts.push_back(std::move(text->text));
            }
        }
    }
    return texts;
}

} // namespace

TEST_CASE("the editor's thread gets every order once, in order, until the queue is closed") {
    constexpr int many = 20'000;
    order_queue orders;
    std::vector<std::string> texts;
    std::thread editor{[&] { texts = printed_from(orders); }};
    for (int number = 0; number < many; ++number) {
        orders.push(print_order{line_editor::channel::out, std::to_string(number)});
        if (number % 64 == 0) {
            orders.push(read_order{});
        }
    }
    orders.close();
    editor.join();
    REQUIRE(texts.size() == many);
    for (int number = 0; number < many; ++number) {
        REQUIRE(texts[static_cast<std::size_t>(number)] == std::to_string(number));
    }
}
