#include "shell/key_look_up.hpp"

#include "services/kv/bodies.hpp"

#include <utility>

namespace almenara::cli {

namespace kv = services::kv::body;

base::byte_vector key_look_up::question() const {
    return kv::list({.prefix = asked_.word, .after = after_});
}

bool key_look_up::take(const client::answer& how) {
    auto page = kv::in<kv::service::page>(how.body);
    if (!page) {
        return false; // What the page before said of more keys still holds.
    }
    for (kv::service::listed_key& each : page->keys) {
        asked_.candidates.push_back(std::move(each.key));
    }
    after_ = std::move(page->more_after);
    asked_.has_more = after_.has_value();
    return asked_.has_more && ++pages_ < most_pages;
}

} // namespace almenara::cli
