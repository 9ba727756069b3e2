#include "client/keeper.hpp"

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "wire/user_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <random>
#include <utility>
#include <variant>

namespace almenara::client {

namespace {

constexpr std::string_view device_title = "almenara device 1\n";
constexpr std::size_t largest_text_file = std::size_t{1} << 18U;
constexpr std::size_t session_digits = 32;

failure not_kept(const error& why) {
    return failure{failure_kind::not_kept, why.message()};
}

template <class Id>
std::optional<Id> id_from(std::string_view digits) {
    const auto bytes = base::from_hex(digits);
    typename Id::rep id{};
    if (!bytes || bytes->size() != id.size()) {
        return std::nullopt;
    }
    std::copy(bytes->begin(), bytes->end(), id.begin());
    return Id{id};
}

device_nonce random_nonce() {
    std::random_device device;
    device_nonce::rep bytes{};
    for (std::byte& each : bytes) {
        each = static_cast<std::byte>(device());
    }
    return device_nonce{bytes};
}

std::optional<device_nonce> device_in(std::string_view text) {
    const auto content = without_checksum(text);
    if (!content || !content->starts_with(device_title)) {
        return std::nullopt;
    }
    return id_from<device_nonce>(base::trimmed(content->substr(device_title.size())));
}

/// Nothing: it is not there. What is longer than any that was written is as good as damaged.
result<std::optional<std::string>> read_text(const std::string& path) {
    auto text = read_own_file(path, largest_text_file);
    if (!text && text.error().code == errc::too_large) {
        text = std::optional{std::string{}};
    }
    return text;
}

bool is_session_file(const std::string& name) {
    return name.size() == session_digits && base::from_hex(name).has_value();
}

bool holds_records(const std::string& path) {
    std::error_code gone;
    const auto size = std::filesystem::file_size(path, gone);
    return !gone && size > session_header_size;
}

} // namespace

std::string directory_name(std::string_view user) {
    constexpr std::string_view themselves = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789-_@+.";
    std::string name;
    for (const char each : user) {
        // Neither "." nor "..", nor a file that is hidden.
        const bool hides = each == '.' && name.empty();
        if (themselves.find(each) != std::string_view::npos && !hides) {
            name += each;
        } else {
            name += fmt::format("%{:02x}", static_cast<unsigned char>(each));
        }
    }
    return name;
}

keeper::keeper(std::string directory, std::string user)
    : directory_(std::move(directory)), user_(std::move(user)) {}

std::string keeper::cluster_path() const {
    return fmt::format("{}/{}", clusters_path(), *cluster_);
}

std::string keeper::user_path() const {
    return fmt::format("{}/users/{}", cluster_path(), directory_name(user_));
}

std::string keeper::session_path(session_id session) const {
    return fmt::format("{}/{}", sessions_path(), session);
}

void keeper::note(std::string text) {
    if (noted_.insert(text).second) {
        notes_.push_back(std::move(text));
    }
}

std::vector<std::string> keeper::take_notes() {
    return std::exchange(notes_, {});
}

// -- What is known --------------------------------------------------------------------------------

/// Fails if it may not be touched.
result<std::optional<known_cluster>> keeper::read_cluster(const std::string& directory) {
    const std::string path = directory + "/cluster";
    const auto text = read_text(path);
    if (!text) {
        note(text.error().message());
        return text.error();
    }
    if (!*text) {
        return std::optional<known_cluster>{};
    }
    auto known = parse_known_cluster(**text);
    if (known) {
        return std::optional{std::move(*known)};
    }
    const auto aside = set_aside(path);
    note(fmt::format("'{}' cannot be read ({}) and {}. The addresses of the cluster's servers and "
                     "the newest epoch are lost, and learned again from the servers",
                     path, known.error().message(),
                     aside ? fmt::format("lies in '{}.damaged' now", path)
                           : fmt::format("stays where it is: {}", aside.error().message())));
    return std::optional<known_cluster>{};
}

std::vector<known_cluster> keeper::read_clusters() {
    std::vector<known_cluster> all;
    for (const std::string& name : names_in(clusters_path())) {
        const auto id = id_from<cluster_id>(name);
        if (!id) {
            continue;
        }
        auto known = read_cluster(clusters_path() + "/" + name);
        if (known && *known && (*known)->id == *id) {
            all.push_back(std::move(**known));
        }
    }
    std::sort(all.begin(), all.end(),
              [](const known_cluster& a, const known_cluster& b) { return a.used > b.used; });
    return all;
}

std::optional<known_cluster> keeper::hint(const std::vector<std::string>& servers) {
    for (known_cluster& each : read_clusters()) {
        if (each.is_reached_by(servers)) {
            return std::move(each);
        }
    }
    return std::nullopt;
}

recollection keeper::enter(cluster_id cluster) {
    recollection found;
    cluster_ = cluster;
    if (!wire::is_user_name(user_)) {
        found.trouble = failure{failure_kind::not_kept, std::string{wire::user_name_rule}};
        return found;
    }
    if (const auto made = make_directories(); !made) {
        found.trouble = not_kept(made.error());
        return found;
    }
    note_use();
    found.seen = known_.seen;
    const auto device = read_device();
    if (!device) {
        found.trouble = not_kept(device.error());
        return found;
    }
    found.device = *device;
    found.session = take_session(found.lost);
    return found;
}

result<void> make_state_directory(const std::string& directory) {
    if (directory.empty()) {
        return error{errc::not_found,
                     "looking for a place for the client's state: there is no home "
                     "directory",
                     {},
                     "Set HOME, XDG_STATE_HOME or ALMENARA_STATE_DIRECTORY"};
    }
    const std::string above = std::filesystem::path{directory}.parent_path().string();
    std::error_code failed;
    if (!above.empty()) {
        std::filesystem::create_directories(above, failed);
    }
    if (failed) {
        return error{errc::system_failed, fmt::format("making the directory '{}'", above), failed,
                     "Let ALMENARA_STATE_DIRECTORY name another place"};
    }
    return make_own_directory(directory);
}

result<void> keeper::make_directories() {
    auto made = make_state_directory(directory_);
    for (const std::string& path : {clusters_path(), cluster_path(), cluster_path() + "/users",
                                    user_path(), sessions_path()}) {
        if (made) {
            made = make_own_directory(path);
        }
    }
    return made;
}

/// The cluster that was used last is the one that is meant by a name that two have had.
void keeper::note_use() {
    std::uint64_t newest = 0;
    for (known_cluster& each : read_clusters()) {
        if (each.id == *cluster_) {
            known_ = std::move(each);
        } else {
            newest = std::max(newest, each.used);
        }
    }
    known_.id = *cluster_;
    if (known_.used <= newest) {
        known_.used = newest + 1;
        must_write_cluster_ = true;
        forget_old_clusters();
    }
}

/// A demo makes a cluster each time.
void keeper::forget_old_clusters() {
    const std::vector<known_cluster> all = read_clusters();
    for (std::size_t place = most_clusters; place < all.size(); ++place) {
        const std::string path = fmt::format("{}/{}", clusters_path(), all[place].id);
        bool is_in_use = false;
        for (const std::string& user : names_in(path + "/users")) {
            const std::string sessions = path + "/users/" + user + "/sessions/";
            for (const std::string& name : names_in(sessions)) {
                is_in_use = is_in_use || holds_records(sessions + name);
            }
        }
        if (!is_in_use && all[place].id != *cluster_) {
            std::error_code ignored; // What stays is tried again the next time.
            std::filesystem::remove_all(path, ignored);
        }
    }
}

result<device_nonce> keeper::read_device() {
    const std::string path = user_path() + "/device";
    constexpr int attempts = 3; // Another process may be about it too.
    for (int attempt = 0; attempt < attempts; ++attempt) {
        const auto text = read_text(path);
        if (!text) {
            return text.error();
        }
        if (*text) {
            if (const auto known = device_in(**text)) {
                return *known;
            }
            if (auto aside = set_aside(path); !aside) {
                return aside.error();
            }
            note(fmt::format("'{0}' cannot be read and lies in '{0}.damaged' now. The servers see "
                             "another device from now on",
                             path));
        }
        const device_nonce fresh = random_nonce();
        const auto made =
            make_own_file(path, with_checksum(fmt::format("{}{}\n", device_title, fresh)));
        if (!made) {
            return made.error();
        }
        if (*made) {
            return fresh;
        }
    }
    return error{errc::conflict, fmt::format("making '{}': others keep on making it", path)};
}

// -- Sessions -------------------------------------------------------------------------------------

/// What cannot be read to its end is never used again.
std::optional<session_file> keeper::take_file(const std::string& name,
                                              std::vector<kept_operation>& lost) {
    const std::string path = sessions_path() + "/" + name;
    auto taken = session_file::take(path);
    if (!taken) {
        note(taken.error().message());
        return std::nullopt;
    }
    if (!*taken) {
        return std::nullopt;
    }
    session_file& file = **taken;
    const session_content& content = file.content();
    const bool is_itself =
        content.header.cluster == *cluster_ && id_from<session_id>(name) == content.header.session;
    if (!content.damage && is_itself) {
        return std::move(*taken);
    }
    const std::string why =
        content.damage ? content.damage->message() : std::string{"it is another session's"};
    const auto aside = file.set_aside();
    note(fmt::format("'{}' cannot be used ({}) and {}. Its session is given up; {}", path, why,
                     aside ? fmt::format("lies in '{}.damaged' now", path)
                           : fmt::format("stays where it is: {}", aside.error().message()),
                     content.open.empty()
                         ? "whether an operation was open in it is unknown"
                         : "what became of the operations that stand in it is unknown"));
    for (kept_operation& each : open_in(content)) {
        lost.push_back(std::move(each));
    }
    return std::nullopt;
}

/// One that waits for an answer, or else the first that nobody uses. Others are not touched: a lock
/// that is held for a moment would make somebody else open one more.
std::optional<kept_session> keeper::take_session(std::vector<kept_operation>& lost) {
    std::vector<std::string> names = names_in(sessions_path());
    std::erase_if(names, [](const std::string& name) { return !is_session_file(name); });
    has_too_many_ = names.size() > most_sessions;
    // Those with records come first.
    const auto is_empty = [this](const std::string& name) {
        return !holds_records(sessions_path() + "/" + name);
    };
    std::vector<std::string> empty;
    std::copy_if(names.begin(), names.end(), std::back_inserter(empty), is_empty);
    std::erase_if(names, is_empty);
    names.insert(names.end(), empty.begin(), empty.end());
    std::optional<session_file> chosen;
    for (const std::string& name : names) {
        const bool may_be_open = holds_records(sessions_path() + "/" + name);
        if (chosen && !may_be_open) {
            break;
        }
        auto file = take_file(name, lost);
        if (file && (!chosen || file->has_open())) {
            chosen = std::move(file);
        }
        if (chosen && chosen->has_open()) {
            break;
        }
    }
    if (!chosen) {
        has_too_many_ = names.size() >= most_sessions;
        return std::nullopt;
    }
    session_ = std::move(chosen);
    session_->cut();
    const session_content& content = session_->content();
    return kept_session{.session = content.header.session,
                        .window = content.header.window,
                        .next = content.next,
                        .open = open_in(content)};
}

std::optional<kept_session> keeper::another_session() {
    std::vector<kept_operation> lost;
    return cluster_ ? take_session(lost) : std::nullopt;
}

result<std::size_t> keeper::forget_user() {
    session_.reset();
    if (!cluster_) {
        return std::size_t{0};
    }
    std::size_t used = 0;
    for (const std::string& name : names_in(sessions_path())) {
        const std::string path = sessions_path() + "/" + name;
        const auto file = open_own_file(path);
        if (!file || (*file && !(*file)->lock())) {
            ++used;
            continue;
        }
        std::error_code ignored; // It is gone, or the directory says so below.
        std::filesystem::remove(path, ignored);
    }
    std::error_code failed;
    std::filesystem::remove(user_path() + "/device", failed);
    if (failed) {
        return error{errc::system_failed, fmt::format("removing '{}/device'", user_path()), failed};
    }
    if (used == 0) {
        std::filesystem::remove_all(user_path(), failed);
    }
    return used;
}

// -- Orders ---------------------------------------------------------------------------------------

void keeper::execute(std::vector<keep_order>& orders, failover& core) {
    for (keep_order& each : orders) {
        if (!std::holds_alternative<keep_operation>(each)) {
            write_down(core); // What is written down together stands together.
        }
        std::visit([&](auto& order) { act(order, core); }, each);
    }
    write_down(core);
    write_cluster();
}

void keeper::act(keep_cluster& order, failover&) {
    known_.learn(order.what);
    must_write_cluster_ = true;
}

void keeper::act(keep_session& order, failover& core) {
    if (const auto there = make_directories(); !there) { // After a logout they are gone.
        core.session_kept(not_kept(there.error()));
        return;
    }
    const std::string path = session_path(order.session);
    auto made = session_file::make(path, {.cluster = *cluster_,
                                          .session = order.session,
                                          .window = order.window,
                                          .next = order.next});
    if (!made) {
        core.session_kept(not_kept(made.error()));
        return;
    }
    session_ = std::move(*made);
    core.session_kept();
}

void keeper::act(keep_operation& order, failover&) {
    waiting_.push_back(std::move(order.what));
}

/// As many as there is room for, in one piece. What must wait is written down when all that is open
/// has ended, and what has ended is cut off.
void keeper::write_down(failover& core) {
    if (waiting_.empty() || !session_) {
        return;
    }
    if (session_->size() > largest_file && session_->has_open()) {
        return;
    }
    const std::vector<kept_operation> all{std::make_move_iterator(waiting_.begin()),
                                          std::make_move_iterator(waiting_.end())};
    waiting_.clear();
    const auto written = session_->write_down(all);
    for (const kept_operation& each : all) {
        core.operation_kept(each.seq,
                            written ? std::nullopt : std::optional{not_kept(written.error())});
    }
}

void keeper::act(keep_numbers& order, failover& core) {
    if (session_) {
        const auto written = session_->use_numbers(order.upto);
        core.numbers_kept(order.upto,
                          written ? std::nullopt : std::optional{not_kept(written.error())});
    }
}

void keeper::act(forget_operation& order, failover&) {
    std::erase_if(waiting_, [&](const kept_operation& each) { return each.seq == order.seq; });
    if (!session_) {
        return;
    }
    if (const auto noted = session_->note_end(order.seq); !noted) {
        note(fmt::format("operation {} may be sent again by the next run: {}", order.seq,
                         noted.error().message()));
    }
}

void keeper::act(forget_session& order, failover&) {
    waiting_.clear();
    if (session_ && session_->content().header.session == order.session) {
        session_->remove();
        session_.reset();
    }
}

/// Who finds another process at it tries again later: both know the same cluster.
void keeper::write_cluster() {
    if (!must_write_cluster_ || !cluster_) {
        return;
    }
    const open_file directory = directory_to_lock(cluster_path());
    if (!directory || !directory.lock()) {
        return;
    }
    must_write_cluster_ = false;
    const auto there = read_cluster(cluster_path());
    if (!there) {
        return;
    }
    if (*there) {
        known_.learn(**there);
    }
    if (*there == known_) {
        return;
    }
    if (const auto written = replace_own_file(cluster_path() + "/cluster", to_text(known_));
        !written) {
        note(fmt::format("where the servers are is not kept: {}", written.error().message()));
    }
}

void keeper::leave() {
    write_cluster();
    if (session_) {
        session_->cut();
    }
}

} // namespace almenara::client
