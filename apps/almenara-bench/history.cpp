#include "history.hpp"

#include "wire/json.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <string_view>

namespace almenara::bench {

effect effect_of(wire::result_code code) {
    switch (code) {
    case wire::result_code::ok:
        return effect::ok;
    case wire::result_code::uncertain:
    case wire::result_code::retry_elsewhere:
        return effect::unknown;
    default:
        return effect::failed;
    }
}

namespace {

std::string_view to_string(effect what) {
    switch (what) {
    case effect::ok:
        return "ok";
    case effect::failed:
        return "failed";
    case effect::unknown:
        return "unknown";
    }
    return "unknown";
}

/// A key that is not there was read all the same.
effect effect_on_key(const history_entry& what) {
    const bool read_nothing =
        what.asked.what == verb::get && what.how.code == wire::result_code::not_found;
    return read_nothing ? effect::ok : effect_of(what.how.code);
}

} // namespace

std::string line_of(const history_entry& what) {
    const effect how = effect_on_key(what);
    boost::json::object line;
    line["client"] = what.client;
    line["op"] = to_string(what.asked.what);
    line["key"] = what.asked.key;
    line["call_ns"] = what.called.since_origin().count();
    line["return_ns"] = nullptr;
    if (how != effect::unknown) {
        line["return_ns"] = what.returned.since_origin().count();
    }
    line["outcome"] = to_string(how);
    line["code"] = wire::to_json(what.how.code);
    if (what.asked.what != verb::get) {
        line["value"] = unique_part(what.asked.value);
    }
    if (what.asked.expected_version) {
        line["expected_version"] = what.asked.expected_version->value();
    }
    if (what.asked.what == verb::get && how == effect::ok) {
        line["found"] = what.heard.found;
        line["read"] = nullptr;
        if (what.heard.found) {
            line["read"] = unique_part(what.heard.value);
        }
    }
    line["version"] = what.heard.version.value();
    line["index"] = what.how.index.value();
    line["session"] = wire::to_json(what.how.session);
    line["seq"] = what.how.seq.value();
    return boost::json::serialize(line) + '\n';
}

} // namespace almenara::bench
