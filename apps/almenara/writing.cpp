#include "writing.hpp"

#include "wire/json.hpp"

#include <fmt/format.h>

namespace almenara::cli {

std::string written_text(const client::answer& how) {
    return fmt::format("index {}, epoch {}, on the disks of {} of {} servers", how.index, how.epoch,
                       how.durable_on, how.voters);
}

boost::json::object written_json(const client::answer& how) {
    boost::json::object object;
    object["index"] = how.index.value();
    object["epoch"] = how.epoch.value();
    object["durable_on"] = how.durable_on;
    object["voters"] = how.voters;
    object["session"] = wire::to_json(how.session);
    object["seq"] = how.seq.value();
    return object;
}

} // namespace almenara::cli
