#include "sim/wire_check.hpp"

#include "base/check.hpp"
#include "wire/frame.hpp"
#include "wire/message_list.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

namespace almenara::sim {

namespace {

base::byte_vector encode(almenara::epoch epoch, hlc_stamp hlc, const replica::message& message) {
    base::byte_vector bytes;
    std::visit(
        [&](const auto& body) {
            wire::append_message<replica::link_messages>(
                body, bytes, {.type = {}, .flags = {}, .epoch = epoch, .hlc = hlc});
        },
        message);
    return bytes;
}

} // namespace

replica::message_ptr through_the_wire(almenara::epoch epoch,
                                      hlc_stamp hlc,
                                      const replica::message& message) {
    const base::byte_vector bytes = encode(epoch, hlc, message);
    wire::frame_decoder decoder{wire::largest_bulk_frame};
    std::size_t given = 0;
    while (given < bytes.size()) {
        const auto space = decoder.free_space();
        const std::size_t part = std::min(space.size(), bytes.size() - given);
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(given), part, space.begin());
        decoder.received(part);
        given += part;
    }
    const auto frame = decoder.next();
    ALMENARA_CHECK(frame.has_value() && frame->has_value());
    ALMENARA_CHECK((*frame)->header.epoch == epoch && (*frame)->header.hlc == hlc);
    auto decoded = std::make_shared<replica::message>();
    const auto read = wire::dispatch<replica::link_messages>(
        **frame, [&](auto body, base::byte_view) { *decoded = std::move(body); });
    ALMENARA_CHECK(read.has_value());
    ALMENARA_CHECK(*decoded == message);
    return decoded;
}

} // namespace almenara::sim
