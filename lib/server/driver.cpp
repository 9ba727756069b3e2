#include "server/driver.hpp"

#include "base/check.hpp"
#include "log/log.hpp"
#include "net/address.hpp"
#include "net/clock.hpp"
#include "server/log_words.hpp"
#include "wire/print.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <variant>

namespace almenara::server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// D.3: timers are judged when all that has come was read, but a flood must not keep them waiting.
constexpr duration longest_reading = std::chrono::milliseconds{20};

/// A loop that did not run for so long says so, whatever is due.
constexpr duration notable_gap = std::chrono::milliseconds{1};

/// Entries of which the overlay lets go in one turn.
constexpr std::size_t forgotten_at_once = 128;

/// From threads that work for the driver.
storage::post_function post_to(net::postbox& box) {
    return [&box](std::function<void()> answer) { box.post(std::move(answer)); };
}

address_book book_of(const start_up& begun) {
    address_book book;
    for (const wire::member_address& one : begun.cluster.servers) {
        book.learn(one.id, one.addresses);
    }
    book.learn(begun.core.self, begun.core.addresses);
    return book;
}

} // namespace

driver::driver(reactor& turns,
               start_up begun,
               const cluster_options& wanted,
               std::unique_ptr<journal> writes)
    : turns_(turns),
      moment_{.monotonic = turns.now(), .wall = net::wall_now()},
      addresses_(book_of(begun)),
      listed_(begun.core.listed),
      self_(begun.core.self),
      priority_(begun.core.priority),
      go_after_(wanted.go_after),
      directory_(std::move(begun.directory)),
      posted_(turns.context()),
      core_(std::move(begun.core), {}, moment_),
      status_(core_.status()),
      log_(std::move(begun.log), post_to(posted_)),
      story_(std::move(writes)),
      links_(std::make_shared<peer_links>(
          turns.executor(), [this](replica::event what) { happened(std::move(what)); })),
      base_(std::move(begun.state)),
      reception_(*base_, services_, {}, *this),
      apply_(*base_,
             post_to(posted_),
             [this](const storage::apply_thread::news& what) { base_told(what); }),
      rows_(*base_, post_to(posted_)),
      cuts_(wanted.batches_in_flight),
      committed_upto_(base_->applied().index),
      feed_(committed_upto_),
      timer_(turns.context()),
      go_timer_(turns.context()) {
    recyclable_.flushed = base_->applied().index;
    recyclable_.kept = storage::core::retention_of(wanted.kept_log);
}

driver::~driver() {
    close();
}

void driver::begin() {
    if (!listed_.empty()) {
        log_.tend(); // Who belongs to nothing writes nothing.
        space_.emplace(storage::space_watch::settings{.directory = directory_}, post_to(posted_),
                       [this](const storage::space_watch::news& what) {
                           happened(replica::disk_report{.free_space = what.free_space});
                           if (what.gives_up_reserve) {
                               log::warning("the file system of '{}' cannot keep room for a file: "
                                            "there is no reserve for when it is full",
                                            directory_);
                           }
                       });
    }
    if (go_after_) {
        go_timer_.expires_after(*go_after_);
        go_timer_.async_wait([this](const error_code& cancelled) {
            if (!cancelled) {
                happened(replica::go{});
            }
        });
    }
    story_.tell(teller(), "start");
    wake_ = now();
    set_timer();
}

void driver::close() {
    is_closed_ = true;
    space_.reset();
    links_->close_all();
    timer_.cancel();
    go_timer_.cancel();
    posted_.close();
}

// -- What happens ---------------------------------------------------------------------------------

void driver::look_at_the_clock() const {
    if (moment_.monotonic != turns_.now()) {
        moment_ = {.monotonic = turns_.now(), .wall = net::wall_now()};
    }
}

const replica::moment& driver::moment() const {
    look_at_the_clock();
    return moment_;
}

void driver::happened(replica::event what) {
    if (core_is_over_) {
        return;
    }
    if (const auto* const frame = std::get_if<replica::frame_received>(&what)) {
        stamps_.observe(frame->hlc, moment().wall);
    }
    inbox_.push_back(std::move(what)); // The end of the turn comes.
}

void driver::terminate(std::function<void()> when_over) {
    when_over_ = std::move(when_over);
    happened(replica::terminate{});
}

void driver::transfer(std::optional<server_id> target) {
    happened(replica::transfer{.target = target});
}

bool driver::go() {
    if (status_.role != replica::role_name::boot || listed_.empty()) {
        return false;
    }
    happened(replica::go{});
    return true;
}

// -- One turn -------------------------------------------------------------------------------------

void driver::end_of_turn() {
    if (is_closed_) {
        return;
    }
    if (!core_is_over_) {
        enter_further();
    }
    serve_clients();
    if (!core_is_over_) {
        give_to_base();
        step_events();
        step_time();
        flush();
    }
    log_.run(now());
    links_->bury();
    send_answers();
    tell_if_changed();
    tell_new_primary();
    if (const auto due = story_.left_out_due(); due && *due <= now()) {
        story_.tell_left_out(teller());
    }
    set_timer();
    see_if_over();
}

/// Before everything else: the core and the desk agree about the office until the first step.
void driver::serve_clients() {
    has_more_to_serve_ = clients_ != nullptr && clients_->serve(reception_);
    if (has_more_to_serve_) {
        turns_.look_again_until(now());
    }
    if (const auto due = reception_.wake(); due && *due <= now()) {
        reception_.tick();
    }
}

void driver::step_events() {
    for (replica::event& what : log_.take_answers()) {
        inbox_.push_back(std::move(what));
    }
    stepping_.swap(inbox_);
    for (replica::event& what : stepping_) {
        core_.step(moment(), std::move(what));
    }
    stepping_.clear(); // It keeps its room for the next turn.
}

/// D.3: how long nobody looked, because the loop came late or was busy with something else.
duration driver::gap() const {
    const duration late = wake_ == instant::max() ? duration{0} : now() - wake_;
    return std::max({late, turns_.last_turn(), duration{0}});
}

void driver::step_time() {
    const duration slept = gap();
    if (now() < wake_ && slept < notable_gap) {
        return;
    }
    if (!turns_.is_dry()) {
        tick_owed_since_ = tick_owed_since_.value_or(now());
        if (now() - *tick_owed_since_ < longest_reading) {
            return;
        }
    }
    tick_owed_since_.reset();
    core_.step(moment(), replica::tick{.gap = slept});
}

void driver::flush() {
    cuts_.committed(core_.commit());
    const cut_policy::decision now_or_later = cuts_.decide(now(), has_more_to_serve_);
    replica::output out = core_.take_output(moment(), now_or_later.cut);
    status_ = core_.status();
    look_around();
    execute(out);
    if (now_or_later.gather_until) {
        turns_.look_again_until(*now_or_later.gather_until);
    }
}

// -- One output -----------------------------------------------------------------------------------

void driver::execute(replica::output& out) {
    persist(out);
    send(out);
    log_.run(now());
    for (const replica::log_request& wanted : out.read_log) {
        log_.read(wanted);
    }
    apply(out);
    answer(out);
    change_office(out);
    connect(out);
    for (const replica::note& what : out.notes) {
        story_.tell(teller(), what);
    }
    wake_ = out.wake.value_or(instant::max());
    if (out.die) {
        end(*out.die);
    }
}

void driver::persist(replica::output& out) {
    if (out.meta) {
        log_.write(std::move(*out.meta));
    }
    log_.committed(status_.commit);
    recyclable_.floor = status_.floor;
    log_.may_recycle(recyclable_);
    log_.may_make_spares(!status_.no_space);
    for (replica::log_write& write : out.log) {
        log_.write(std::move(write));
    }
}

void driver::send(const replica::output& out) {
    if (out.send.empty()) {
        return;
    }
    // One stamp for all of a turn: then the same message is the same bytes for everybody.
    const hlc_stamp stamp = stamps_.stamp(moment().wall);
    for (const replica::outgoing& what : out.send) {
        links_->send(what, stamp);
    }
    links_->flush();
}

void driver::apply(const replica::output& out) {
    for (const replica::entry_ptr& entry : out.apply) {
        if (const auto bad = reception_.committed(record_of(*entry))) {
            return state_damaged(*bad);
        }
        committed_upto_ = entry->index;
    }
}

void driver::answer(const replica::output& out) {
    for (const replica::confirmation& what : out.confirmed) {
        reception_.confirmed(
            {.last = what.last, .durable_on = what.durable_on, .voters = what.voters});
    }
    for (const replica::read_ticket ticket : out.readable) {
        reception_.readable(probe_ticket{ticket.value()});
    }
    for (const replica::read_ticket ticket : out.refused_reads) {
        reception_.refused_read(probe_ticket{ticket.value()});
    }
    send_answers();
}

void driver::change_office(const replica::output& out) {
    if (out.office.empty() && !out.announce) {
        return;
    }
    for (const replica::office_event& change : out.office) {
        cuts_.office_changed();
        if (const auto* const entered = std::get_if<replica::entered_office>(&change)) {
            if (const auto bad = reception_.entered_office(entered->first_uncommitted)) {
                state_damaged(*bad);
            }
        } else {
            reception_.left_office();
        }
    }
    if (out.announce) {
        addresses_.learn(out.announce->primary, out.announce->addresses);
        announced_ = out.announce;
    }
    look_around();
    if ((out.announce || reception_.in_office()) && here().primary) {
        reception_.announced();
    }
    send_answers();
}

/// D.3: a long log is looked at in shares, one a turn, so that heartbeats and timers go on.
void driver::enter_further() {
    if (!reception_.is_entering()) {
        return;
    }
    if (const auto bad = reception_.enter_further()) {
        state_damaged(*bad);
    }
    look_around();
    if (reception_.in_office()) {
        reception_.announced(); // What is answered leaves at the end of the turn.
    }
}

void driver::connect(const replica::output& out) {
    for (const replica::dial_request& wanted : out.dial) {
        const wire::member_address peer = addresses_.find(wanted.peer);
        const auto where = peer.addresses.empty()
                               ? result<net::host_port>{error{errc::not_found, "no address"}}
                               : net::parse_host_port(peer.addresses.front());
        if (where) {
            links_->dial(wanted, *where);
        } else {
            happened(replica::dial_failed{.peer = wanted.peer, .kind = wanted.kind});
        }
    }
    for (const connection_id connection : out.close) {
        links_->close(connection);
    }
}

story::teller driver::teller() {
    return {.at = stamps_.stamp(moment().wall), .now = now(), .status = status_};
}

/// E.1: with a disk that failed nothing is tidied up, for nothing may be written.
void driver::end(const replica::fatal& how) {
    core_is_over_ = true;
    switch (how.how) {
    case replica::ending::stopped:
        log_.stop();
        break;
    case replica::ending::disk_failed:
        log::last_words(log::level::error,
                        fmt::format("the disk failed, and this server ends: {}",
                                    log_.failure() ? log_.failure()->message() : how.text));
        std::_Exit(EXIT_FAILURE);
    case replica::ending::safety_broken:
        log::last_words(log::level::error, fmt::format("defect: {}", how.text));
        std::abort();
    }
}

// -- State ----------------------------------------------------------------------------------------

void driver::give_to_base() {
    if (reception_.is_entering()) {
        return; // Clients wait for that, and for this nobody does.
    }
    state::desk& desk = reception_.desk();
    desk.forget_applied(forgotten_at_once);
    if (apply_.is_full()) {
        return;
    }
    feed_.committed(committed_upto_, desk.log_beyond_base().memory(), now());
    const auto slice = feed_.next(now());
    if (!slice) {
        return;
    }
    if (auto batch = desk.take_for_base(slice->upto)) {
        group_.push_back(std::move(*batch));
    }
    if (slice->ends_group) {
        apply_.give(std::exchange(group_, {}));
    }
}

void driver::base_told(const storage::apply_thread::news& what) {
    if (what.failure) {
        return end({.how = replica::ending::disk_failed, .text = what.failure->message()});
    }
    recyclable_.flushed = std::max(recyclable_.flushed, what.flushed);
    reception_.desk().base_holds(what.applied, forgotten_at_once);
    happened(replica::applied{.index = what.applied});
}

// B.8: what cannot be applied is neither skipped nor a reason to abort: the core ends in good
// order.
void driver::state_damaged(const state::unusable_entry& what) {
    log::error("entry {} cannot be applied: {}", what.index, wire::to_text(what.why));
    happened(replica::state_damaged{});
}

// -- What the reception asks ----------------------------------------------------------------------

const standing& driver::here() const {
    if (reception_.in_office() != seen_in_office_) {
        look_around();
    }
    if (seen_in_office_) {
        here_.primary_heard = now();
    }
    return here_;
}

/// After everything that may have changed it.
void driver::look_around() const {
    seen_in_office_ = reception_.in_office();
    here_.self = self_;
    here_.epoch = status_.epoch;
    here_.commit = status_.commit;
    here_.may_grow = status_.may_grow;
    here_.primary.reset();
    if (seen_in_office_) {
        here_.primary = addresses_.find(self_);
    } else if (status_.known_primary && *status_.known_primary != self_) {
        here_.primary = addresses_.find(*status_.known_primary);
        for (const replica::peer_status& peer : status_.peers) {
            if (peer.id == *status_.known_primary) {
                here_.primary_heard = peer.last_heard.value_or(here_.primary_heard);
            }
        }
    }
}

std::optional<state::slot> driver::next_slot() const {
    const auto next = core_.next_slot(moment());
    if (!next) {
        return std::nullopt;
    }
    return state::slot{.index = next->index, .time = next->time};
}

state::random_bytes driver::random() {
    return randoms_.take();
}

log_piece driver::own_log(log_index from, const log_share& most) const {
    return piece_of(core_, from, most);
}

void driver::propose(state::proposed&& entry) {
    const auto next = core_.next_slot(moment());
    ALMENARA_CHECK(next.has_value());
    cuts_.proposed(next->index, entry.payload.size());
    core_.step(moment(), replica::proposal{.type = type_of(entry.label),
                                           .session = entry.session.value(),
                                           .seq = entry.seq.value(),
                                           .first_unacked = entry.first_unacked.value(),
                                           .payload = std::move(entry.payload)});
}

void driver::probe(probe_ticket ticket, almenara::epoch seen) {
    core_.step(moment(), replica::read_request{.ticket = replica::read_ticket{ticket.value()},
                                               .epoch_seen = seen});
}

/// The end of the turn serves who waited (reception::wake).
void driver::fetch(fetch_ticket ticket, state::needs wanted) {
    rows_.fetch(std::move(wanted), [this, ticket](result<state::inputs> found) {
        if (!found) {
            // E.1: no answer is made of a state that cannot be read.
            return end({.how = replica::ending::disk_failed, .text = found.error().message()});
        }
        reception_.fetched(ticket, std::move(*found));
    });
}

// -- What others see ------------------------------------------------------------------------------

cluster_view driver::view() const {
    return {.self = self_,
            .status = status_,
            .config = core_.config(),
            .listed = listed_,
            .addresses = addresses_,
            .priority = priority_,
            .now = now(),
            .wall = moment().wall};
}

void driver::send_answers() {
    if (clients_ == nullptr) {
        return;
    }
    reception_.take_answers(leaving_);
    for (leaving& what : leaving_) {
        clients_->answer(std::move(what));
    }
    for (const connection_id connection : reception_.take_closing()) {
        clients_->close_client(connection);
    }
}

void driver::tell_if_changed() {
    cluster_known now_known = known_of(view());
    if (now_known != told_) {
        told_ = std::move(now_known);
        if (clients_ != nullptr) {
            wire::members all;
            all.config_index = status_.config_index;
            all.epoch = status_.epoch;
            all.servers = states_of(view());
            clients_->push_members(all);
        }
    }
}

/// An epoch has one primary.
void driver::tell_new_primary() {
    const standing& seen = here();
    if (!on_primary_ || !seen.primary || seen.primary->addresses.empty() ||
        seen.epoch <= told_primary_of_) {
        return;
    }
    told_primary_of_ = seen.epoch;
    on_primary_(seen);
}

/// One timer for everything that is due by itself.
void driver::set_timer() {
    if (is_closed_) {
        return;
    }
    instant next = core_is_over_ ? instant::max() : wake_;
    if (!core_is_over_ && (!inbox_.empty() || tick_owed_since_ || reception_.is_entering())) {
        next = now();
    }
    if (!core_is_over_ && !apply_.is_full()) {
        next = std::min(next, feed_.due().value_or(instant::max()));
    }
    next = std::min({next, log_.wake().value_or(instant::max()),
                     reception_.wake().value_or(instant::max()),
                     story_.left_out_due().value_or(instant::max())});
    if (!due_.is_to_be_set(next, now())) {
        return;
    }
    timer_.expires_at(net::timer_point(next));
    timer_.async_wait([this](const error_code& cancelled) {
        if (!cancelled) {
            due_.came(); // The end of the turn does what is due.
        }
    });
}

void driver::see_if_over() {
    if (core_is_over_ && log_.failure()) {
        end({.how = replica::ending::disk_failed, .text = {}});
    }
    if (core_is_over_ && log_.stopped() && when_over_) {
        story_.tell(teller(), "stop");
        std::exchange(when_over_, nullptr)();
    }
}

} // namespace almenara::server
