#pragma once

#include "scripts/stage.hpp"
#include "scripts/words.hpp"
#include "services/kv/service.hpp"
#include "state/desk.hpp"
#include "state/memory_key_space.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace almenara::scripts {

/// The state of every server and the clients that it serves: the driver's part of "the way of one
/// write", done by hand so that a script can do it in another order.
class clients final : public service {
  public:
    explicit clients(stage& on) : stage_(on) {}

    void started(server& s) override;
    void applied(server& s, const replica::entry_ptr& what) override;
    void confirmed(server& s, const replica::confirmation& what) override;
    void readable(server& s, replica::read_ticket ticket) override;
    void office(server& s, const replica::office_event& what) override;
    void turned(server& s) override;

    /// `NAME opens 3`, `NAME attaches 3`, `NAME at 3 put k v`, `NAME retries 3 SEQ`,
    /// `NAME late 3 put k v`, `NAME reads 3 k`; `attaches 3` and `at 3` with `epoch-seen E` behind.
    void command(words& said) override;

    /// Whether the client heard this of the operation.
    [[nodiscard]] bool was_told(const std::string& name,
                                std::uint64_t seq,
                                const std::string& code) const override;
    /// What the last read of the client brought.
    [[nodiscard]] std::string last_read(const std::string& name) const override;
    /// What is applied at a server.
    [[nodiscard]] std::string value_at(server_id id, const std::string& key) const override;
    /// What it heard when it said that it had seen a higher one.
    [[nodiscard]] std::optional<epoch> told_epoch(const std::string& name) const override;

  private:
    /// What a server knows about its state; base outlives the process, the desk does not.
    struct place {
        state::memory_key_space base;
        std::unique_ptr<state::desk> desk;
    };

    struct client {
        std::string name;
        state::open_nonce nonce;
        std::optional<state::session_id> session;
        std::uint64_t seq = 0;
        std::map<std::uint64_t, base::byte_vector> bodies;
        std::map<std::uint64_t, std::vector<std::string>> heard;
        std::map<std::uint64_t, std::string> result; ///< the one and only (I14)
        std::map<server_id, std::vector<connection_id>> connections;
        std::string last_read;
        std::optional<epoch> told_epoch;
    };

    /// What waits for a probe round.
    struct question {
        std::string name;
        std::optional<base::byte_vector> body; ///< none: why an operation was not taken
        std::optional<state::sequence> seq;
        std::function<void()> held = {}; ///< B.5.1: what the client asked for
    };

    [[nodiscard]] client& who(const std::string& name);
    [[nodiscard]] connection_id newest(client& c, server_id at);
    void open(client& c, server& at);
    void attach(client& c, server& at);
    void operate(client& c, server& at, words& said, epoch seen);
    void hold(client& c, server& at, epoch seen, std::function<void()> what);
    void operate_late(client& c, server& at, words& said);
    void retry(client& c, server& at, words& said);
    void send(client& c, server& at, connection_id over, std::uint64_t seq);
    void read(client& c, server& at, const std::string& key);
    void become(client& c, server& at, const state::decision& what);
    void hear(
        client& c, const server& at, std::uint64_t seq, log_index index, const state::reply& reply);
    void damaged(server& s, const state::unusable_entry& what);
    void deliver(const server& at, const std::vector<state::delivery>& all);
    [[nodiscard]] std::optional<state::turn> turn_of(server& at);
    void ask(server& at, question what, epoch seen = {});

    stage& stage_;
    services::kv::service kv_;
    std::map<server_id, place> places_;
    std::map<std::string, client> clients_;
    std::map<std::pair<server_id, std::uint64_t>, question> questions_;
    std::vector<std::function<void()>> released_;
    std::map<log_index, std::uint64_t> digests_;
    std::uint64_t last_connection_ = 1000;
    std::uint64_t last_ticket_ = 1000;
    std::uint8_t last_random_ = 0;
};

} // namespace almenara::scripts
