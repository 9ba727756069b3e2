#include "fuzz/replica_seeds.hpp"

#include "base/check.hpp"
#include "base/text.hpp"
#include "fuzz/replica_input.hpp"

#include <boost/describe.hpp>
#include <fmt/format.h>

#include <sstream>
#include <string_view>
#include <vector>

namespace almenara::fuzz {

namespace {

using options = replica_options;

struct story {
    std::string_view name;
    unsigned options = 0;
    std::string_view steps; ///< names of steps, each with its numbers; `3*[ ... ]` is thrice
};

// Of equal logs the highest id rules: that is place 2. `hold` said twice is taken back.
const std::vector<story> stories{
    {"updates", options::heals, "run 100 propose 2 20 1 run 20 read 2 run 20 read 1 propose 1 3 1"},
    {"updates-small-windows", options::small | options::heals,
     "run 100 propose 2 31 1 propose 2 31 1 run 50"},
    {"updates-all-must-confirm", options::policy * 2U,
     "run 100 propose 2 5 1 hold 2 0 propose 2 5 1 run 100"},
    {"updates-a-majority-confirms", options::policy * 1U,
     "run 100 propose 2 5 1 hold 2 0 propose 2 5 1 run 100"},

    {"bootstrap", options::empty | options::heals, "run 200 propose 2 3 1 run 9"},
    {"bootstrap-one-is-late", options::empty | options::heals,
     "crash 0 0 0 run 100 restart 0 0 run 200"},
    {"bootstrap-crash-at-each-step", options::empty | options::heals,
     "crash_later 0 0 run 30 restart 0 0 crash_later 1 1 run 30 restart 1 0 crash_later 2 2 run 30 "
     "restart 2 0 crash_later 2 4 run 60 restart 2 0 run 100"},
    {"bootstrap-new-disk", options::empty, "run 5 crash 1 0 0 wipe 1 restart 1 0 run 200"},

    {"kill-primary", options::heals,
     "run 100 propose 2 9 1 crash 2 1 0 run 60 propose 1 9 1 run 9 restart 2 0 run 90"},
    {"power-cut-for-all", options::heals,
     "run 100 propose 2 9 1 crash 0 0 2 crash 1 0 2 crash 2 0 2 restart 0 1 restart 1 1 "
     "restart 2 3 run 200"},
    {"tail-of-an-old-primary", options::heals,
     "run 100 hold 2 0 hold 2 1 propose 2 9 1 run 10 crash 2 3 2 run 99 propose 1 4 1 run 9 "
     "restart 2 0 hold 2 0 hold 2 1 run 99"},
    {"crash-between-fields", options::heals,
     "run 100 propose 2 9 0 crash_later 2 1 run 90 restart 2 4 crash_later 1 2 run 90 restart 1 0 "
     "crash_later 0 0 run 90"},
    {"crash-when-the-disk-has-begun", options::heals,
     "run 100 propose 2 9 0 crash_later 2 17 run 90 restart 2 4 crash_later 1 82 run 90 restart 1 "
     "0 "
     "crash_later 0 113 run 90"},
    {"slow-meta", options::heals,
     "run 100 crash 2 0 0 wait 10 deliver 0 9 deliver 0 9 tick 1 0 deliver 0 9 deliver 0 9 "
     "wait 200 tick 1 20 sync_meta 0 deliver 0 9 sync_meta 1 deliver 0 9 run 90"},
    {"acks-after-a-promise", options::heals,
     "run 100 propose 2 9 1 deliver 0 9 deliver 1 9 deliver 2 9 sync_log 0 sync_log 1 wait 250 "
     "wait 250 tick 0 0 tick 1 0 deliver 0 9 deliver 1 9 deliver 2 9 sync_meta 0 sync_meta 1 "
     "run 90"},

    // Found by trying how often to deliver; each needs a rule (test/fuzz/CMakeLists.txt).
    {"own-promise-syncs-last", options::heals,
     "run 100 crash 2 0 0 3*[ deliver 0 9 deliver 1 9 ] sync_meta 0 2*[ deliver 0 9 deliver 1 9 ] "
     "sync_meta 1 run 90"},
    // Figure 8 of the Raft paper, with three.
    {"old-entries-by-count", options::small | options::heals,
     "run 100 hold 2 0 hold 2 1 propose 2 12 1 3*[ sync_log 2 ] crash 2 3 2 "
     "wait 250 wait 200 tick 1 0 "
     "4*[ deliver 0 0 deliver 1 0 sync_meta 0 sync_meta 1 wait 20 tick 1 0 ] "
     "sync_log 1 crash 1 3 2 hold 2 0 hold 2 1 wait 250 wait 250 tick 0 0 restart 2 0 run 1 "
     "11*[ deliver 0 0 deliver 1 0 sync_meta 0 sync_meta 2 sync_log 0 sync_log 2 wait 5 tick 2 0 "
     "tick 0 0 ] crash 2 0 2 restart 1 0 run 90"},
    // The voter has more than the candidate by the time that it is asked.
    {"log-grows-before-the-claim", options::policy * 1U | options::heals,
     "run 100 wait 250 wait 200 tick 0 0 tick 1 0 6*[ deliver 0 0 deliver 1 0 wait 20 tick 1 0 ] "
     "propose 2 3 1 sync_log 2 deliver 1 2 sync_log 0 deliver 1 2 wait 250 wait 200 tick 0 0 "
     "5*[ deliver 0 0 deliver 1 0 deliver 2 0 deliver 3 0 sync_meta 0 sync_meta 1 sync_log 0 ] "
     "run 90"},

    {"damaged", options::heals,
     "run 100 propose 2 20 1 run 20 crash 1 3 1 rot 1 7 1 restart 1 0 run 50 crash 2 0 0 run 90"},
    {"damaged-without-end", options::heals,
     "run 100 propose 2 20 1 run 20 crash 1 3 1 rot 1 7 0 crash 2 0 0 restart 1 2 run 90 "
     "restart 2 0 run 90"},
    {"damaged-repair-killed", options::small | options::heals,
     "run 100 propose 2 31 1 run 20 crash 0 3 1 rot 0 5 1 restart 0 0 run 1 crash 0 1 0 "
     "crash 2 0 0 restart 0 0 run 90 restart 2 0"},
    {"wiped", options::heals,
     "run 100 propose 2 5 1 run 20 crash 0 0 0 wipe 0 restart 0 0 run 90 crash 2 0 0 run 90"},
    {"failed-sync", options::heals,
     "run 100 propose 2 9 1 fail_sync 2 run 50 fail_sync 1 propose 1 4 1 run 50"},

    {"partition", options::heals,
     "run 100 hold 2 0 hold 2 1 hold 0 2 hold 1 2 propose 2 4 1 run 90 propose 1 4 1 run 20 "
     "hold 2 0 hold 2 1 hold 0 2 hold 1 2 run 90"},
    {"deaf-primary", options::heals, "run 100 hold 0 2 hold 1 2 run 200"},
    {"deaf-backup", options::heals, "run 100 hold 2 0 run 200 propose 2 4 1 run 30"},
    {"chain", options::heals, "hold 0 2 hold 2 0 run 200 crash 1 0 0 run 50 restart 1 0 run 90"},
    {"resets", options::heals,
     "run 100 reset 0 7 reset 1 3 reset 2 1 run 30 reset 1 2 reset 2 0 run 60"},
    {"refused-calls", options::heals, "dial 0 0 dial 1 0 dial 2 0 run 5 dial 0 0 dial 1 0 run 90"},
    {"slept", options::heals,
     "run 100 wait 200 tick 2 20 run 9 wait 250 wait 250 tick 0 50 run 90"},

    {"transfer", options::heals, "run 100 propose 2 9 1 transfer 2 1 run 9 transfer 0 0 run 90"},
    {"transfer-lost", options::heals,
     "run 100 propose 2 9 1 transfer 2 1 deliver 0 9 deliver 0 9 hold 2 0 hold 0 2 run 90"},
    {"terminate", options::heals, "run 100 propose 2 9 1 terminate 2 run 90 terminate 0 run 200"},

    {"strangers", options::heals,
     "run 100 stranger 0 0 6 1 129 1 stranger 2 1 12 2 129 1 stranger 1 2 13 3 130 2 "
     "stranger 2 3 7 4 129 3 stranger 0 4 10 5 129 0 stranger 2 5 12 6 129 255 "
     "stranger 1 6 14 7 129 1 run 50"},
    {"strangers-at-bootstrap", options::empty | options::heals,
     "stranger 0 0 19 1 129 1 run 3 stranger 1 65 21 2 129 1 run 3 stranger 2 160 20 3 129 1 "
     "run 200"},
    {"strangers-insist", options::heals,
     "run 100 stranger 2 195 12 1 129 1 stranger 1 230 10 2 129 1 run 50"},
    {"other-process-of-a-member", options::heals,
     "run 100 stranger 2 7 0 0 0 0 stranger 2 71 0 0 0 0 crash 0 0 2 wait 200 wait 250 tick 2 0 "
     "stranger 2 71 0 0 0 0 restart 0 0 run 50 propose 2 3 1 run 90"},
    {"impostors", options::heals,
     "impostor 0 0 6 1 129 1 impostor 1 1 14 2 129 1 impostor 2 5 1 3 129 1 run 100"},

    {"lost-doubled-overtaken", options::loose,
     "run 100 propose 2 9 1 lose 0 1 lose 0 0 propose 2 9 1 lose 1 2 run 50 crash 2 0 0 wait 5 "
     "deliver 0 1 tick 1 0 lose 0 1 lose 1 2 run 90"},
    {"lies", options::lying,
     "run 100 propose 2 9 1 forge 0 6 1 129 1 forge 1 12 2 129 2 forge 0 14 3 130 1 "
     "forge 0 99 5 1 0 run 50 tick 2 6 forge 0 18 4 129 1 forge 1 99 9 255 255 run 90"},
    {"lies-about-history", options::lying,
     "run 100 propose 2 9 1 run 20 propose 2 1 1 forge 0 254 3 0 1 run 9 propose 1 1 1 "
     "forge 1 254 2 0 2 run 90"},
    {"lies-of-another-process", options::lying,
     "run 100 crash 0 0 2 wait 250 wait 250 tick 2 0 stranger 2 199 12 1 129 1 "
     "stranger 2 231 19 2 129 1 run 50"},
    {"flood-of-claims", options::lying,
     "run 100 propose 2 1 1 flood 0 100 12 1 129 3 flood 0 100 10 2 129 1 run 60"},
};

std::byte byte_of(std::string_view word) {
    using names = boost::describe::describe_enumerators<replica_step>;
    std::optional<unsigned> number;
    boost::mp11::mp_for_each<names>([&](auto name) {
        if (word == name.name) {
            number = static_cast<unsigned>(name.value);
        }
    });
    if (!number) {
        const auto parsed = base::parse_number(word, 0, 255);
        ALMENARA_CHECK(parsed);
        number = static_cast<unsigned>(*parsed);
    }
    return static_cast<std::byte>(*number);
}

/// Appends the bytes of all words up to the end of the list, or of the text.
void append_steps(std::istringstream& words, base::byte_vector& bytes) {
    for (std::string word; words >> word && word != "]";) {
        if (!word.ends_with("*[")) {
            bytes.push_back(byte_of(word));
            continue;
        }
        base::byte_vector again;
        append_steps(words, again);
        const auto times =
            base::parse_number(std::string_view{word}.substr(0, word.size() - 2), 1, 99);
        ALMENARA_CHECK(times);
        for (std::uint64_t i = 0; i < *times; ++i) {
            bytes.insert(bytes.end(), again.begin(), again.end());
        }
    }
}

} // namespace

std::map<std::string, base::byte_vector> replica_seeds() {
    std::map<std::string, base::byte_vector> all;
    for (const story& one : stories) {
        base::byte_vector bytes{static_cast<std::byte>(one.options)};
        std::istringstream words{std::string{one.steps}};
        append_steps(words, bytes);
        all[fmt::format("replica/{}", one.name)] = bytes;
    }
    return all;
}

} // namespace almenara::fuzz
