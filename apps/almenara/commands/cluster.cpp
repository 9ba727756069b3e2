#include "base/text.hpp"
#include "commands/commands.hpp"
#include "runtime.hpp"
#include "status_text.hpp"
#include "wire/json.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace almenara::cli {

namespace asio = boost::asio;

namespace {

std::string printed(const wire::status_reply& status, bool json, const table_look& look) {
    return json ? members_json(status) : members_text(status, look);
}

asio::awaitable<exit_code> members(runtime& here, const invocation&) {
    return show_status(here, printed);
}

void print_done(runtime& here, const std::string& text) {
    if (here.asked().json) {
        boost::json::object object;
        object["text"] = wire::json_text(text);
        here.out().print(boost::json::serialize(object) + '\n');
    } else {
        here.out().print(base::escaped(text) + '\n');
    }
}

asio::awaitable<exit_code> transfer(runtime& here, const invocation& asked) {
    wire::admin what;
    what.verb = wire::admin_verb::transfer;
    if (!asked.words.empty()) {
        const auto id =
            base::parse_number(asked.words.front(), 1, std::numeric_limits<server_id::rep>::max());
        if (!id) {
            const complaint why =
                usage_complaint("ID", id.error().message(), "'almenara status' shows the servers.");
            here.out().complain(why, asked.json);
            co_return why.exit;
        }
        what.target = server_id{static_cast<server_id::rep>(*id)};
    }
    runtime::cluster cluster{here};
    const client::answer how = co_await cluster.administer(what, here.deadline());
    exit_code exit = exit_code::ok;
    if (how.code == wire::result_code::ok) {
        print_done(here, how.why);
    } else {
        const complaint why = complaint_about(std::string{asked.what->name}, how, asked.timeout);
        exit = here.fail_write(why, how);
    }
    co_await cluster.close();
    co_return exit == exit_code::ok ? here.done() : exit;
}

/// There is no primary yet: the server that was named is asked, and passes it on.
asio::awaitable<exit_code> go(runtime& here, const invocation& asked) {
    runtime::link link{here};
    const auto opened = co_await link.open();
    if (!opened) {
        co_return here.fail(opened.error());
    }
    const auto known = co_await link->log_in(asked.user, here.deadline());
    if (!known && known.error().kind != client::failure_kind::elsewhere &&
        known.error().kind != client::failure_kind::no_primary) {
        co_return here.fail(known.error());
    }
    wire::admin what;
    what.verb = wire::admin_verb::go;
    const auto done = co_await link->administer(what, here.deadline());
    if (!done) {
        co_return here.fail(done.error());
    }
    print_done(here, done->text);
    co_await link->close();
    co_return here.done();
}

constexpr std::array<example, 2> members_examples{{
    {"almenara --plaintext cluster members", "who belongs to it"},
    {"almenara --plaintext cluster members --json", "for a script"},
}};
constexpr std::array<example, 2> transfer_examples{{
    {"almenara --plaintext -u admin cluster transfer", "to whoever is best"},
    {"almenara --plaintext -u admin cluster transfer 2", "to server 2"},
}};
constexpr std::array<example, 1> go_examples{{
    {"almenara --plaintext -u admin cluster go", "servers that wait begin"},
}};

} // namespace

constinit const command cluster_members_command{
    .name = "cluster members",
    .words = "",
    .summary = "List the members.",
    .examples = members_examples,
    .options = {},
    .run = members,
};
constinit const command cluster_transfer_command{
    .name = "cluster transfer",
    .words = "[ID]",
    .most_words = 1,
    .summary = "Make another server the primary.",
    .examples = transfer_examples,
    .options = {},
    .run = transfer,
};
constinit const command cluster_go_command{
    .name = "cluster go",
    .words = "",
    .summary = "Let servers begin that were started with --wait.",
    .examples = go_examples,
    .options = {},
    .run = go,
};

} // namespace almenara::cli
