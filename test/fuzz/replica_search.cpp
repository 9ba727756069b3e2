// Proves that fuzz-replica can see: the same play with a safety rule switched off. Starts from the
// corpus and changes its inputs by chance, always by the same, until an oracle says something.
//
//     search-replica --without ack_after_sync --finds I11 test/fuzz/corpus/replica
//     search-replica test/fuzz/corpus/replica             with all rules, nothing may be found
#include "base/random.hpp"
#include "base/text.hpp"
#include "fuzz/replica/oracles.hpp"
#include "fuzz/replica/play.hpp"
#include "fuzz/replica_input.hpp"
#include "replica/rules.hpp"

#include <boost/describe.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::fuzz {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_input = 400;

struct wishes {
    std::optional<replica::rule> without;
    std::string finds; ///< invariants, with commas between; empty: nothing may be found
    std::uint64_t inputs = 1000;
    std::string corpus;
    std::string keep; ///< where the input that was found is written
};

std::optional<replica::rule> rule_named(std::string_view name) {
    std::optional<replica::rule> found;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<replica::rule>>([&](auto one) {
        if (name == one.name) {
            found = one.value;
        }
    });
    return found;
}

std::optional<wishes> wishes_from(int argc, char** argv) {
    wishes wanted;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        const std::string_view next = i + 1 < argc ? argv[i + 1] : "";
        if (word == "--without") {
            wanted.without = rule_named(next);
            if (!wanted.without) {
                return std::nullopt;
            }
        } else if (word == "--finds") {
            wanted.finds = next;
        } else if (word == "--keep") {
            wanted.keep = next;
        } else if (word == "--inputs") {
            const auto number = base::parse_number(next, 1, 1'000'000'000);
            if (!number) {
                return std::nullopt;
            }
            wanted.inputs = static_cast<std::uint64_t>(*number);
        } else {
            wanted.corpus = word;
            continue;
        }
        ++i;
    }
    return wanted.corpus.empty() ? std::nullopt : std::optional{wanted};
}

std::vector<base::byte_vector> inputs_in(const fs::path& place) {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(place)) {
        paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    std::vector<base::byte_vector> inputs;
    for (const fs::path& path : paths) {
        std::ifstream file{path, std::ios::binary};
        const std::string text{std::istreambuf_iterator<char>{file}, {}};
        const auto bytes = std::as_bytes(std::span{text});
        inputs.emplace_back(bytes.begin(), bytes.end());
    }
    return inputs;
}

bool is_among(const std::string& invariant, const std::string& list) {
    return fmt::format(",{},", list).find(fmt::format(",{},", invariant)) != std::string::npos;
}

class search {
  public:
    explicit search(const wishes& wanted)
        : wanted_(wanted), known_(inputs_in(wanted.corpus)), chance_(1) {}

    /// Whether it found what it was sent for.
    [[nodiscard]] bool run() {
        for (const base::byte_vector& input : known_) {
            if (ends_with(input)) {
                return !wanted_.finds.empty();
            }
        }
        for (std::uint64_t i = 0; i < wanted_.inputs; ++i) {
            if (ends_with(changed(known_[chance_.below(known_.size())]))) {
                return !wanted_.finds.empty();
            }
        }
        fmt::print("{} inputs played, {} other findings\n", played_, others_);
        return wanted_.finds.empty();
    }

  private:
    bool ends_with(const base::byte_vector& input) {
        ++played_;
        try {
            play_input(input);
        } catch (const violation& found) {
            if (!wanted_.finds.empty() && !is_among(found.invariant(), wanted_.finds)) {
                ++others_; // Another consequence of the same rule.
                return false;
            }
            fmt::print("input {}: {}\n", played_, found.what());
            keep(input);
            return true;
        }
        return false;
    }

    void keep(const base::byte_vector& input) const {
        if (!wanted_.keep.empty()) {
            std::ofstream file{wanted_.keep, std::ios::binary};
            file.write(reinterpret_cast<const char*>(input.data()),
                       static_cast<std::streamsize>(input.size()));
        }
    }

    base::byte_vector changed(base::byte_vector input) {
        const std::uint64_t changes = 1 + chance_.below(4);
        for (std::uint64_t i = 0; i < changes && !input.empty(); ++i) {
            change(input);
        }
        input.resize(std::min(input.size(), longest_input));
        return input;
    }

    void change(base::byte_vector& input) {
        const std::size_t at = chance_.below(input.size());
        const auto place = input.begin() + static_cast<std::ptrdiff_t>(at);
        switch (chance_.below(4)) {
        case 0:
            *place = small_byte();
            break;
        case 1: // A step more, behind the options.
            input.insert(at == 0 ? place + 1 : place,
                         {static_cast<std::byte>(
                              chance_.below(static_cast<std::uint64_t>(replica_step::count_))),
                          small_byte(), small_byte()});
            break;
        case 2:
            input.erase(place, place + static_cast<std::ptrdiff_t>(std::min<std::size_t>(
                                           1 + chance_.below(8), input.size() - at)));
            break;
        default: // The end of another story.
            const base::byte_vector& other = known_[chance_.below(known_.size())];
            const auto from = static_cast<std::ptrdiff_t>(chance_.below(other.size()));
            input.erase(place, input.end());
            input.insert(input.end(), other.begin() + from, other.end());
            break;
        }
    }

    /// Servers, ways and counts are small more often than not.
    std::byte small_byte() {
        return static_cast<std::byte>(chance_.chance(3, 4) ? chance_.below(12)
                                                           : chance_.below(256));
    }

    wishes wanted_;
    std::vector<base::byte_vector> known_;
    base::generator chance_;
    std::uint64_t played_ = 0;
    std::uint64_t others_ = 0;
};

} // namespace

} // namespace almenara::fuzz

int main(int argc, char** argv) {
    using namespace almenara;
    const auto wanted = fuzz::wishes_from(argc, argv);
    if (!wanted) {
        std::fputs("search-replica [--without RULE --finds I11,I7] [--inputs N] [--keep FILE] "
                   "CORPUS\n",
                   stderr);
        return 2;
    }
    if (wanted->without) {
        base::break_rule(*wanted->without);
    }
    return fuzz::search{*wanted}.run() ? 0 : 1;
}
