#include "cluster/load.hpp"

#include "client/api.hpp"
#include "cluster/network.hpp"
#include "cluster/worker.hpp"
#include "net/clock.hpp"
#include "services/kv/bodies.hpp"
#include "support/check/kv_words.hpp"
#include "support/wait.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cerrno>
#include <exception>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <variant>

namespace almenara::test {

namespace asio = boost::asio;

namespace {

client::api_options options_of(const std::vector<std::string>& servers,
                               std::string name,
                               client::ways follow = client::all_ways) {
    client::failover_options how;
    how.servers = servers;
    how.user = "test";
    how.client_name = name;
    how.device_name = std::move(name);
    how.seed = client::random_seed();
    how.follow = follow;
    client::api_options options;
    options.how = std::move(how);
    options.plaintext = true;
    return options;
}

} // namespace

/// The clients and the thread in which they live. Between begin() and the end of the thread nobody
/// else touches what they write into.
class load::crew {
  public:
    crew(const std::vector<std::string>& servers, const load_habits& habits) : habits_(habits) {
        for (std::uint32_t i = 0; i < habits_.writers + habits_.readers; ++i) {
            const check::client_number number{habits_.first_client + i};
            hands_.push_back(std::make_unique<hand>(*this, servers, number, i >= habits_.writers));
        }
        thread_ = std::thread{[this] { work(); }};
    }

    ~crew() { end(); }
    crew(const crew&) = delete;
    crew& operator=(const crew&) = delete;

    void end() {
        if (thread_.joinable()) {
            asio::post(reactor_, [this] { ending_ = true; });
            thread_.join();
        }
    }

    [[nodiscard]] std::uint64_t confirmed() const { return confirmed_; }
    [[nodiscard]] const check::history& book() const { return book_; }
    [[nodiscard]] const told_by_counts& told_by() const { return told_by_; }
    /// After end(): what came out of the thread instead of an end.
    [[nodiscard]] const std::exception_ptr& trouble() const { return trouble_; }

  private:
    /// One client and what it is at.
    struct hand {
        hand(crew& owner,
             const std::vector<std::string>& servers,
             check::client_number number,
             bool only_reads)
            : mind(number, only_reads, owner.habits_),
              library(owner.reactor_.get_executor(),
                      options_of(servers, "load of a test", owner.habits_.follow)),
              pause(owner.reactor_) {
            library.listen([&owner](const client::news& what) {
                if (const auto* const found = std::get_if<client::reconnected>(&what)) {
                    ++owner.told_by_[found->told_by];
                }
            });
        }

        worker mind;
        client::api library;
        asio::steady_timer pause;
    };

    void work() {
        try {
            if (habits_.network) {
                enter_space(*habits_.network);
            }
            if (!show(habits_.instead_of)) {
                throw std::system_error{errno, std::system_category(), "showing other files"};
            }
            for (const auto& each : hands_) {
                step(*each);
            }
            reactor_.run();
        } catch (...) {
            // Style 8: whoever waits for the end is told.
            trouble_ = std::current_exception();
        }
    }

    void step(hand& who) {
        if (ending_) {
            who.library.give_up();
            return;
        }
        const instant now = net::monotonic_now();
        who.mind.ask(book_, now);
        const auto heard = [this, &who](const client::answer& told) { hear(who, told); };
        auto body = check::body_of(who.mind.asked());
        if (who.mind.asked().what == check::verb::get) {
            who.library.read(std::move(body), now + habits_.deadline, heard);
        } else {
            who.library.write(std::move(body), now + habits_.deadline, heard);
        }
    }

    void hear(hand& who, const client::answer& told) {
        if (who.mind.hear(book_, net::monotonic_now(), told)) {
            ++confirmed_;
        }
        who.pause.expires_after(habits_.pause);
        who.pause.async_wait([this, &who](const boost::system::error_code&) { step(who); });
    }

    load_habits habits_;
    asio::io_context reactor_{1};
    check::history book_;
    told_by_counts told_by_;
    std::vector<std::unique_ptr<hand>> hands_;
    bool ending_ = false; ///< in the thread
    std::atomic<std::uint64_t> confirmed_{0};
    std::exception_ptr trouble_;
    std::thread thread_;
};

load::load(std::vector<std::string> servers, load_habits habits)
    : crew_(std::make_unique<crew>(servers, habits)), begun_(net::monotonic_now()) {}

load::~load() = default;

std::uint64_t load::confirmed() const {
    return crew_->confirmed();
}

void load::goes_on(std::uint64_t writes) const {
    const std::uint64_t wanted = confirmed() + writes;
    // A thousand writes take seconds on a busy machine.
    const auto within = 2 * patience + std::chrono::milliseconds{20} * writes;
    eventually([&] { return confirmed() >= wanted; }, within, "clients' writes are confirmed");
}

void load::finish() {
    ended_ = net::monotonic_now();
    crew_->end();
    if (crew_->trouble()) {
        std::rethrow_exception(crew_->trouble());
    }
}

const check::history& load::heard() const {
    return crew_->book();
}

const told_by_counts& load::told_by() const {
    return crew_->told_by();
}

namespace {

/// Asks for page after page.
class lister {
  public:
    lister(const std::vector<std::string>& servers, std::string prefix)
        : prefix_(std::move(prefix)),
          library_(reactor_.get_executor(), options_of(servers, "reader of a test")) {}

    all_rows read() {
        found_.asked = net::monotonic_now();
        ask(std::nullopt);
        const auto latest = test_clock::now() + 2 * patience;
        while (!is_done_ && test_clock::now() < latest) {
            reactor_.run_one_until(latest);
        }
        if (!is_done_) {
            FAIL("the rows could not be read: " << trouble_);
        }
        found_.answered = net::monotonic_now();
        return std::move(found_);
    }

  private:
    void ask(std::optional<std::string> after) {
        services::kv::list wanted;
        wanted.prefix = prefix_;
        wanted.after = std::move(after);
        wanted.with_values = true;
        library_.read(services::kv::body::list(std::move(wanted)), net::monotonic_now() + patience,
                      [this](const client::answer& told) { hear(told); });
    }

    void hear(const client::answer& told) {
        const auto page = services::kv::body::in<services::kv::page>(told.body);
        if (told.code != wire::result_code::ok || !page) {
            trouble_ = std::string{wire::enumerator_name(told.code)} + " " + told.why;
            return;
        }
        found_.index = told.index;
        found_.in = told.epoch;
        for (const auto& row : page->keys) {
            found_.rows[row.key] = {
                .value = std::string{base::as_text(row.value.value_or(base::byte_vector{}))},
                .version = row.version};
        }
        if (page->more_after) {
            ask(page->more_after);
        } else {
            is_done_ = true;
        }
    }

    std::string prefix_;
    asio::io_context reactor_{1};
    client::api library_;
    all_rows found_;
    bool is_done_ = false;
    std::string trouble_;
};

} // namespace

all_rows read_all(const std::vector<std::string>& servers, const std::string& prefix) {
    return lister{servers, prefix}.read();
}

} // namespace almenara::test
