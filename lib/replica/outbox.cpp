#include "replica/outbox.hpp"

#include <utility>
#include <variant>

namespace almenara::replica {

namespace {

/// A later answer of the same kind on the same connection says all that the earlier one did. An
/// APPEND_ACK that waits for another batch does not: the earlier one may leave earlier.
bool replaces(const outgoing& later, until when, const outgoing& earlier, until then) {
    if (later.connection != earlier.connection || later.epoch != earlier.epoch ||
        later.message->index() != earlier.message->index()) {
        return false;
    }
    if (std::holds_alternative<append_ack>(*later.message)) {
        return when.batch == then.batch && when.meta == then.meta;
    }
    return std::holds_alternative<heartbeat_ack>(*later.message) ||
           std::holds_alternative<append_nack>(*later.message) ||
           std::holds_alternative<init_ack>(*later.message) ||
           std::holds_alternative<promise>(*later.message);
}

} // namespace

void outbox::put(outgoing what, until when) {
    if (!when.meta && !when.batch) {
        ready_.push_back(std::move(what));
        return;
    }
    for (held& earlier : waiting_) {
        if (replaces(what, when, earlier.message, earlier.when)) {
            earlier = {.message = std::move(what), .when = when};
            return;
        }
    }
    waiting_.push_back({.message = std::move(what), .when = when});
}

void outbox::meta_synced(meta_number number) {
    for (held& h : waiting_) {
        if (h.when.meta && *h.when.meta <= number) {
            h.when.meta.reset();
        }
    }
    release();
}

void outbox::log_synced(batch_number batch) {
    for (held& h : waiting_) {
        if (h.when.batch && *h.when.batch <= batch) {
            h.when.batch.reset();
        }
    }
    release();
}

void outbox::release() {
    const auto free = [](const held& h) { return !h.when.meta && !h.when.batch; };
    for (held& h : waiting_) {
        if (free(h)) {
            ready_.push_back(std::move(h.message));
        }
    }
    std::erase_if(waiting_, free);
}

void outbox::drop_below(almenara::epoch epoch) {
    std::erase_if(waiting_, [&](const held& h) { return h.message.epoch < epoch; });
}

void outbox::drop_acks() {
    std::erase_if(waiting_, [](const held& h) {
        return std::holds_alternative<append_ack>(*h.message.message) ||
               std::holds_alternative<heartbeat_ack>(*h.message.message);
    });
}

void outbox::drop(connection_id connection) {
    std::erase_if(waiting_, [&](const held& h) { return h.message.connection == connection; });
}

std::vector<outgoing> outbox::take() {
    return std::exchange(ready_, {});
}

} // namespace almenara::replica
