#include "sim/check/client.hpp"

#include "sim/check/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <concepts>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace almenara::sim::check {

namespace {

using namespace std::chrono_literals;
namespace library = almenara::client;

// I23: a client that begins nothing new has its answers by then.
constexpr duration time_to_serve = 5s;

/// Servers of the simulator are found by their numbers.
std::string address_of(server_id server) {
    return fmt::format("{}", server);
}

server_id server_at(const std::string& address) {
    server_id::rep number = 0;
    std::from_chars(address.data(), address.data() + address.size(), number);
    return server_id{number};
}

library::failover_options options_of(const client_habits& habits, base::generator& random) {
    library::failover_options options{.user = "ann", .client_name = "sim"};
    for (const server_id server : habits.servers) {
        options.servers.push_back(address_of(server));
    }
    options.seed = random.next();
    options.opens_session = true;
    options.follow = habits.follow;
    options.keeps_state = habits.dies_every.has_value();
    return options;
}

} // namespace

kv_client::kv_client(const client_habits& habits, history& record, findings& found, instant now)
    : habits_(habits),
      history_(record),
      found_(found),
      random_(habits.seed),
      ideas_(habits.number, habits.keys, random_.next()),
      core_(std::in_place, options_of(habits, random_), now),
      fate_(habits.seed + 1),
      next_begin_(now) {
    die_if_due(now);
}

// -- Connections ----------------------------------------------------------------------------------

void kv_client::dial(link_id link, const std::string& address) {
    const server_id server = server_at(address);
    if (dialling_.insert_or_assign(server, link).second) {
        out_.dial.push_back(server);
    }
}

void kv_client::dialled(instant now, server_id server, connection_id connection) {
    const std::optional<link_id> link = dialling_.extract(server).mapped();
    if (!link) {
        out_.close.push_back(connection);
        return;
    }
    lines_.emplace(connection, line{.link = *link, .server = server, .asked = {}});
    connections_.emplace(*link, connection);
    core_->connected(now, *link);
}

void kv_client::dial_failed(instant now, server_id server) {
    if (const auto link = dialling_.extract(server).mapped()) {
        core_->dial_failed(now, *link, {library::failure_kind::refused, "nobody listens there"});
    }
}

void kv_client::connection_ended(instant now, connection_id connection) {
    const auto place = lines_.find(connection);
    if (place != lines_.end()) {
        const link_id link = place->second.link;
        lines_.erase(place);
        connections_.erase(link);
        core_->link_ended(now, link, {});
    }
}

void kv_client::close(link_id link) {
    for (auto& [server, wanted] : dialling_) {
        if (wanted == link) {
            wanted.reset();
        }
    }
    if (const auto place = connections_.find(link); place != connections_.end()) {
        out_.close.push_back(place->second);
        lines_.erase(place->second);
        connections_.erase(place);
    }
}

// -- What is said and heard -----------------------------------------------------------------------

wire::welcome kv_client::open_door(server_id server, request_id hello) const {
    wire::welcome in;
    in.request = hello;
    in.server = server;
    in.cluster = habits_.cluster;
    for (const server_id each : habits_.servers) {
        in.members.push_back({.id = each, .addresses = {address_of(each)}});
    }
    return in;
}

void kv_client::send(link_id link, library::to_server message, instant) {
    const auto place = connections_.find(link);
    if (place == connections_.end()) {
        return;
    }
    line& to = lines_.at(place->second);
    std::visit(
        [&]<class Message>(Message& what) {
            if constexpr (std::same_as<Message, wire::c_hello>) {
                said_here_.emplace_back(link, open_door(to.server, what.request));
            } else if constexpr (std::same_as<Message, wire::ping>) {
                wire::pong alive;
                alive.request = what.request;
                said_here_.emplace_back(link, alive);
            } else if constexpr (std::constructible_from<client_request, Message>) {
                if constexpr (std::same_as<Message, wire::operation>) {
                    check_written_down(what.seq);
                }
                client_request asked{std::move(what)};
                to.asked.emplace(almenara::server::number_of(asked), asked);
                out_.send.push_back({.connection = place->second, .request = std::move(asked)});
            }
        },
        message);
}

void kv_client::heard(instant now, connection_id connection, const server_answer& answer) {
    const auto place = lines_.find(connection);
    if (place == lines_.end()) {
        return;
    }
    line& from = place->second;
    const request_id number = almenara::server::number_of(answer);
    const auto asked = from.asked.find(number);
    if (asked == from.asked.end()) {
        found_.report("C.0", "client {}: server {} answers a request {} that nobody made",
                      habits_.number, from.server, number);
        return;
    }
    check_answer(from.server, asked->second, answer);
    const auto* const attached = std::get_if<wire::attached>(&answer);
    const auto* const attach = std::get_if<wire::attach>(&asked->second);
    const bool is_served = attach != nullptr && attach->mode == wire::attach_mode::service;
    const epoch before = core_->epoch_seen();
    from.asked.erase(asked);
    const auto* const login = std::get_if<wire::login_ok>(&answer);
    if (login != nullptr && login->beacon) {
        passes_.insert_or_assign(login->beacon->tag, login->beacon->key);
    }
    std::visit([&](const auto& told) { core_->heard(now, from.link, told); }, answer);
    // I19, the client's part: an answer of an older epoch that comes late does not count.
    const bool is_late = attached != nullptr && attached->epoch < before;
    if (is_served && is_late && core_->followed() == from.link) {
        found_.report("I19", "client {} has seen epoch {} and lets server {} of epoch {} serve it",
                      habits_.number, before, from.server, attached->epoch);
    }
}

void kv_client::check_answer(server_id server,
                             const client_request& asked,
                             const server_answer& answer) {
    // I19: who is told of a newer epoch finds out by a probe round that its own is over (B.5.1).
    // What the client has heard since it asked, nobody could know.
    const auto* const attach = std::get_if<wire::attach>(&asked);
    const auto* const attached = std::get_if<wire::attached>(&answer);
    const bool is_served = attach != nullptr && attach->mode == wire::attach_mode::service;
    if (is_served && attached != nullptr && attached->epoch < attach->epoch_seen) {
        found_.report("I19", "client {} has seen epoch {} and is served by server {} of epoch {}",
                      habits_.number, attach->epoch_seen, server, attached->epoch);
    }
    const auto* const login = std::get_if<wire::login>(&asked);
    const auto* const opened = std::get_if<wire::login_ok>(&answer);
    if (login != nullptr && opened != nullptr && login->nonce) {
        check_session(*login, *opened);
    }
}

/// I19: what an announcement must be to be looked at, as this client's judge sees it.
bool kv_client::may_be_followed(base::byte_view bytes) const {
    const auto what = wire::parse_datagram(bytes);
    const auto* const news = what ? std::get_if<wire::u_coord>(&*what) : nullptr;
    const auto pass = news != nullptr ? passes_.find(news->device) : passes_.end();
    return pass != passes_.end() && news->cluster == wire::tag_of(habits_.cluster) &&
           wire::is_authentic(bytes, pass->second) && news->epoch >= core_->epoch_seen();
}

/// I19: a datagram is a hint at most. Whom this client follows, and what it has seen, changes with
/// answers alone.
void kv_client::datagram(instant now, base::byte_view bytes) {
    const epoch seen = core_->epoch_seen();
    const auto followed = core_->followed();
    const std::uint64_t taken = core_->hints().taken;
    const bool good = may_be_followed(bytes);
    core_->datagram(now, bytes);
    if (core_->epoch_seen() != seen || core_->followed() != followed) {
        found_.report("I19", "client {} had seen epoch {} and believes a datagram: {} now",
                      habits_.number, seen, core_->epoch_seen());
    }
    follows_.bad += good ? 0U : 1U;
    if (!good && core_->hints().taken != taken) {
        found_.report("I19", "client {} has seen epoch {} and follows an announcement that is none",
                      habits_.number, seen);
    }
}

follow_counts kv_client::follows() const {
    follow_counts all = follows_;
    all.hints = core_->hints();
    return all;
}

/// C.1: the same nonce gives the same session, whoever opens it and however often.
void kv_client::check_session(const wire::login& asked, const wire::login_ok& told) {
    if (!told.session) {
        found_.report("C.1", "client {}: a login with a nonce opened no session", habits_.number);
        return;
    }
    const auto first = sessions_.emplace(*asked.nonce, *told.session).first;
    if (first->second != *told.session && !habits_.sessions_expire_soon) {
        found_.report("C.1", "client {} opened session {} and, by the same nonce, {}",
                      habits_.number, first->second, *told.session);
    }
}

// -- Operations -----------------------------------------------------------------------------------

void kv_client::begin_operations(instant now) {
    const duration apart = duration{1s} / static_cast<std::int64_t>(habits_.per_second);
    while (!finishing_since_ && now >= next_begin_ && open_.size() < habits_.in_flight &&
           core_->session()) {
        begin(now);
        // A client that was held up does not catch up with what it did not ask.
        next_begin_ =
            std::max(next_begin_, now - apart) + random_.between(apart / 2, apart * 3 / 2);
    }
}

void kv_client::begin(instant now) {
    pending one{.request = ideas_.next()};
    const instant deadline = now + a_deadline();
    operation asked{.client = habits_.number, .request = one.request, .called = now};
    const bool is_read = one.request.what == verb::get;
    const auto which = is_read
                           ? core_->read(body_of(one.request), wire::read_mode::quorum, deadline)
                           : core_->write(body_of(one.request), deadline);
    if (!is_read) {
        one.seq = core_->open().all().at(which.value()).seq;
        asked.session = core_->session()->value();
        asked.seq = one.seq->value();
    }
    one.ticket = history_.called(std::move(asked));
    open_.emplace(which.value(), std::move(one));
}

void kv_client::ended(const library::ended_errand& what, instant now) {
    const auto place = open_.find(what.ticket);
    if (place == open_.end()) {
        return;
    }
    const pending one = place->second;
    open_.erase(place);
    judge(one, what.answer, now);
}

void kv_client::judge(const pending& one, const library::answer& answer, instant now) {
    const wire::result_code code = answer.code;
    if (code == wire::result_code::stale) {
        // C.1: only what ended falls below first_unacked.
        found_.report("C.1", "client {} is told STALE for seq {} and waits for its result",
                      habits_.number, answer.seq);
    }
    const bool is_read = one.request.what == verb::get;
    if (!is_read && answer.session) {
        history_.numbered(one.ticket, answer.session->value(), answer.seq.value());
    }
    if (habits_.dies_every && code == wire::result_code::cancelled && !is_read &&
        !one.written_down) {
        return history_.never_sent(one.ticket); // The next life may use its number.
    }
    const bool nobody_told =
        code == wire::result_code::uncertain || (code == wire::result_code::cancelled && is_read);
    const bool was_given_up =
        nobody_told || code == wire::result_code::cancelled || code == wire::result_code::busy;
    if (was_given_up && finishing_since_ && now >= *finishing_since_ + time_to_serve) {
        ++unserved_;
    }
    if (nobody_told) {
        history_.given_up(one.ticket);
    } else {
        // What is cancelled, like what is refused, certainly never takes effect (C.3).
        reply heard = reply_of(one.request, code, answer.index, answer.body);
        ideas_.learn(one.request, heard);
        history_.returned(one.ticket, now, std::move(heard));
    }
}

/// Who goes by the beacon alone waits for a datagram that may be lost for good: C.2 is the quick
/// way, C.3 the safe one.
std::size_t kv_client::overdue(instant now) const {
    const auto& open = core_->open().all();
    const auto is_overdue = [now](const auto& one) { return now >= one.second.deadline; };
    const bool is_owed = habits_.follow != library::ways{library::source::beacon};
    return (is_owed ? unserved_ : 0) +
           static_cast<std::size_t>(std::count_if(open.begin(), open.end(), is_overdue));
}

// -- One turn -------------------------------------------------------------------------------------

client_output kv_client::take_output(instant now) {
    die_if_due(now);
    begin_operations(now);
    take(core_->take_output(now), now);
    while (!said_here_.empty()) {
        for (auto& [link, message] : std::exchange(said_here_, {})) {
            core_->heard(now, link, std::move(message));
        }
        take(core_->take_output(now), now);
    }
    // What has ended makes room for the next.
    if (!finishing_since_ && open_.size() < habits_.in_flight && core_->session()) {
        out_.wake = std::min(out_.wake, std::max(next_begin_, now));
    }
    out_.wake = std::min(out_.wake, finishing_since_ ? instant::max() : dies_at_);
    return std::exchange(out_, client_output{});
}

void kv_client::take(library::failover_output output, instant now) {
    for (library::keep_order& each : output.keep) {
        keep(each);
    }
    for (library::said& each : output.send) {
        send(each.link, std::move(each.message), now);
    }
    for (const link_id link : output.close) {
        close(link);
    }
    for (const library::dial_order& order : output.dial) {
        dial(order.link, order.addresses.front());
    }
    for (library::datagram_order& each : output.datagrams) {
        out_.datagrams.push_back(
            {.to = server_at(each.addresses.front()), .bytes = std::move(each.bytes)});
    }
    for (const library::news& each : output.news) {
        if (const auto* const found = std::get_if<library::reconnected>(&each)) {
            ++follows_.told_by[found->told_by];
        }
        if (const auto* const what = std::get_if<library::ended_errand>(&each)) {
            ended(*what, now);
        } else if (const auto* const earlier = std::get_if<library::resumed>(&each)) {
            ended(*earlier, now);
        } else if (std::holds_alternative<library::entered_cluster>(each)) {
            remember();
        }
    }
    // What was kept or remembered changes what is due.
    const bool goes_on = output.news.size() + output.keep.size() > 0 && habits_.dies_every;
    out_.wake = goes_on ? now : output.wake;
    note_numbers();
}

/// C.1: what has not left when its session ends gets another number in the next one.
void kv_client::note_numbers() {
    const auto& held = core_->open().all();
    for (auto& [which, one] : open_) {
        if (const auto found = held.find(which); found != held.end()) {
            one.seq = found->second.seq;
        }
    }
}

// -- Dying ----------------------------------------------------------------------------------------

void kv_client::die_if_due(instant now) {
    if (!habits_.dies_every || finishing_since_) {
        return;
    }
    if (now >= dies_at_) {
        die(now);
    }
    if (dies_at_ == instant::max() || now >= dies_at_) {
        dies_at_ = now + fate_.between(*habits_.dies_every / 4, *habits_.dies_every * 7 / 4);
    }
}

/// C.3: what was written down and not answered, or answered and not told, is asked by the next
/// life. What was not written down was not sent.
void kv_client::die(instant now) {
    for (const auto& [connection, each] : lines_) {
        out_.close.push_back(connection);
    }
    lines_.clear();
    connections_.clear();
    said_here_.clear();
    for (auto& [server, wanted] : dialling_) {
        wanted.reset();
    }
    for (const auto& [which, one] : std::exchange(open_, {})) {
        if (one.seq && is_written_down(*one.seq)) {
            left_.emplace(*one.seq, one);
        } else if (one.seq) {
            history_.never_sent(one.ticket);
        } else {
            history_.given_up(one.ticket);
        }
    }
    core_.emplace(options_of(habits_, fate_), now);
}

/// C.3: what was sent is known to the next life.
void kv_client::check_written_down(sequence seq) {
    if (habits_.dies_every && !is_written_down(seq)) {
        found_.report("C.3", "client {} sends operation {}, which is not written down",
                      habits_.number, seq);
    }
}

bool kv_client::is_written_down(sequence seq) const {
    const auto is_it = [seq](const library::kept_operation& each) { return each.seq == seq; };
    return disk_.session &&
           std::any_of(disk_.session->open.begin(), disk_.session->open.end(), is_it);
}

void kv_client::remember() {
    library::recollection what;
    what.seen = disk_.seen;
    what.session = disk_.session;
    core_->remember(std::move(what));
}

void kv_client::keep(library::keep_order& order) {
    if (auto* const one = std::get_if<library::keep_operation>(&order)) {
        keep(*one);
    } else if (const auto* const made = std::get_if<library::keep_session>(&order)) {
        disk_.session = library::kept_session{
            .session = made->session, .window = made->window, .next = made->next, .open = {}};
        core_->session_kept();
    } else if (const auto* const what = std::get_if<library::forget_operation>(&order)) {
        std::erase_if(disk_.session->open, [&](const auto& each) { return each.seq == what->seq; });
    } else if (std::holds_alternative<library::forget_session>(order)) {
        disk_.session.reset();
    } else if (const auto* const known = std::get_if<library::keep_cluster>(&order)) {
        disk_.seen = known->what.seen;
    }
}

/// C.1: a number is written down once.
void kv_client::keep(library::keep_operation& order) {
    const sequence seq = order.what.seq;
    if (seq < disk_.session->next) {
        found_.report("C.1", "client {} uses the number {} again", habits_.number, seq);
    }
    disk_.session->next = seq.next();
    disk_.session->open.push_back(std::move(order.what));
    note_numbers();
    for (auto& [which, one] : open_) {
        one.written_down = one.written_down || one.seq == seq;
    }
    core_->operation_kept(seq);
}

void kv_client::ended(const library::resumed& what, instant now) {
    const auto place = left_.find(what.seq);
    if (place == left_.end()) {
        found_.report("C.3", "client {} is told of operation {}, which no life before has left",
                      habits_.number, what.seq);
        return;
    }
    const pending one = place->second;
    left_.erase(place);
    judge(one, what.answer, now);
}

/// Some are impatient: what becomes of their operations nobody ever hears (C.3).
duration kv_client::a_deadline() {
    return random_.chance(habits_.impatient_of_100, 100)
               ? random_.between(50ms, 500ms)
               : random_.between(habits_.deadline_least, habits_.deadline_most);
}

} // namespace almenara::sim::check
