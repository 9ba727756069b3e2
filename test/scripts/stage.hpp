#pragma once

#include "replica/core.hpp"
#include "replica/settings.hpp"
#include "scripts/network.hpp"
#include "scripts/server.hpp"
#include "scripts/watch.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::scripts {

class stage;

/// Who keeps the state of a server and serves clients, if a script has any. Without one the
/// payload of an entry is only a word.
class service {
  public:
    virtual ~service() = default;
    virtual void started(server& s) = 0;
    virtual void applied(server& s, const replica::entry_ptr& what) = 0;
    virtual void confirmed(server& s, const replica::confirmation& what) = 0;
    virtual void readable(server& s, replica::read_ticket ticket) = 0;
    virtual void office(server& s, const replica::office_event& what) = 0;
    /// Everything that a turn put out was executed.
    virtual void turned(server& s) = 0;

    virtual void command(words& said) = 0;
    [[nodiscard]] virtual bool was_told(const std::string& name,
                                        std::uint64_t seq,
                                        const std::string& code) const = 0;
    [[nodiscard]] virtual std::string last_read(const std::string& name) const = 0;
    [[nodiscard]] virtual std::string value_at(server_id id, const std::string& key) const = 0;
    [[nodiscard]] virtual std::optional<epoch> told_epoch(const std::string& name) const = 0;
};

/// Some cores, their disks and the network between them, in virtual time and in one thread. All
/// delays are fixed and nothing is random: what happens is what the script says.
class stage {
  public:
    stage();

    std::map<server_id, server> servers;
    network net;
    watch god{servers};
    replica::settings settings;
    replica::confirm_policy confirm = replica::confirm_policy::sync_set;
    std::set<server_id> may_abort; ///< where a broken invariant is what the script is about
    std::set<server_id> aborted;
    bool tells_routine = false;
    bool silent = false;
    std::unique_ptr<service> serves;

    /// Every entry that was ever written anywhere, by its hash: a core keeps only the newest.
    std::map<replica::hash64, replica::entry_ptr> entries;
    /// The log of a server as its process has it, or as its disk has it if none runs.
    [[nodiscard]] std::vector<replica::entry_ptr> log_of(const server& s) const;

    [[nodiscard]] instant now() const { return now_; }
    [[nodiscard]] replica::moment moment() const;
    [[nodiscard]] server& at(server_id id);
    [[nodiscard]] server& running(server_id id);
    [[nodiscard]] std::vector<server_id> all_ids() const;

    void start(server& s);
    /// kill -9: the kernel closes its connections.
    void kill(server& s);
    void cut_power(server& s);
    void pause(server& s);
    void resume(server& s);
    void close(connection& c, server_id at, bool both_know);

    /// One event for one server, and everything that it puts out.
    void turn(server& s, std::optional<replica::event> what);
    /// Proposals between two cuts: one write, one APPEND to each.
    std::optional<log_index> propose(server& s, const std::vector<replica::proposal>& what);

    void run_until(instant end);
    /// Whether `reached` became true before `end`.
    bool run_until(instant end, const std::function<bool()>& reached);
    /// Lets the first parcel of this direction through, held or not; false if there is none.
    std::optional<std::string> deliver_one(direction way, bool newest);

    /// A line of the transcript, with the time since the block began.
    void tell(std::string_view line);
    void tell_plain(std::string_view line);
    [[nodiscard]] std::string take_transcript();
    /// An expectation of the script, or one of the god's, does not hold.
    void fail(std::string_view what);
    [[nodiscard]] bool failed() const { return failed_; }
    /// How often a message of this name was sent in this direction, since the last count_anew().
    [[nodiscard]] unsigned sent(direction way, std::string_view name) const;
    void count_anew() { sent_.clear(); }

  private:
    bool step_to(instant end);
    void arrive(const network::arrival& which);
    void reset_back(connection& c, std::size_t from);
    void finish_dial();
    void expire(const network::expiry& which);
    void finish_disk(server& s);
    void wake(server& s);
    void execute(server& s, const replica::output& out);
    void send(server& s, const replica::outgoing& what);
    void read_log(server& s, const replica::log_request& request);
    void apply(server& s, const std::vector<replica::entry_ptr>& committed);
    void tell_outcome(server& s, const replica::output& out);
    void tell_office(server& s, const replica::office_event& what);
    void end_process(server& s);

    instant now_;
    instant block_began_;
    std::string transcript_;
    bool failed_ = false;
    bool violation_told_ = false;
    std::map<std::pair<direction, std::string>, unsigned> sent_;
};

} // namespace almenara::scripts
