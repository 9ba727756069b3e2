#include "cluster/kept_files.hpp"

#include "base/bytes.hpp"
#include "cluster/client_program.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace almenara::test {

namespace fs = std::filesystem;

kept_files::kept_files(std::vector<std::string> words, std::string user)
    : words_(std::move(words)) {
    words_.insert(words_.end(), {"-u", std::move(user)});
}

program kept_files::with(const std::vector<std::string>& words) const {
    std::vector<std::string> all = words_;
    all.insert(all.end(), words.begin(), words.end());
    return almenara_with(state_, all);
}

std::vector<std::string> kept_files::sessions() const {
    std::vector<std::string> paths;
    std::error_code none;
    for (fs::recursive_directory_iterator place{state_, none}, end; !none && place != end;
         place.increment(none)) {
        if (place->path().parent_path().filename() == "sessions") {
            paths.push_back(place->path().string());
        }
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

bool kept_files::holds_records(const std::vector<std::string>& sessions) {
    return std::any_of(sessions.begin(), sessions.end(), [](const std::string& path) {
        std::error_code gone;
        const auto size = fs::file_size(path, gone);
        return !gone && size > client::session_header_size;
    });
}

kept_files::counted kept_files::records() const {
    counted found;
    for (const std::string& path : sessions()) {
        const std::string bytes = content_of(path);
        const auto content = client::read_session_file(base::as_bytes(bytes));
        REQUIRE(content.has_value());
        REQUIRE_FALSE(content->damage.has_value());
        found.open += content->open.size();
        // They count on from the header's number, one after the other.
        found.all += content->next.value() - content->header.next.value();
    }
    return found;
}

} // namespace almenara::test
