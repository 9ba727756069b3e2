#include "storage/file_reader.hpp"

#include "storage/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace almenara::storage {

namespace {

constexpr std::size_t buffer_size = std::size_t{1} << 20U;

struct freed {
    void operator()(std::byte* memory) const { std::free(memory); } // As aligned_alloc wants it.
};
using aligned_buffer = std::unique_ptr<std::byte, freed>;

aligned_buffer make_buffer() {
    aligned_buffer made{static_cast<std::byte*>(std::aligned_alloc(core::block_size, buffer_size))};
    if (!made) {
        throw std::bad_alloc{};
    }
    return made;
}

class file_reader final : public readable_file {
  public:
    file_reader(descriptor file, std::uint64_t size, bool direct)
        : file_(std::move(file)), size_(size), direct_(direct) {}

    [[nodiscard]] std::uint64_t size() const override { return size_; }
    [[nodiscard]] bool past_cache() const override { return direct_; }
    [[nodiscard]] bool read(std::uint64_t offset, std::span<std::byte> into) override;

  private:
    [[nodiscard]] bool read_aligned(std::uint64_t offset, std::span<std::byte> into);
    /// How many bytes came; 0 is a failure, errno says which.
    [[nodiscard]] std::size_t read_up_to(std::uint64_t offset, std::span<std::byte> into) const;

    descriptor file_;
    std::uint64_t size_;
    bool direct_;
    aligned_buffer buffer_;
};

bool file_reader::read(std::uint64_t offset, std::span<std::byte> into) {
    while (!into.empty()) {
        const std::size_t piece = std::min(into.size(), buffer_size - core::block_size);
        if (direct_ && !read_aligned(offset, into.first(piece))) {
            // Some file systems refuse only when it comes to reading. Nothing is trusted that the
            // cache had before.
            if (errno != EINVAL || ::fdatasync(file_.number()) != 0 ||
                ::fcntl(file_.number(), F_SETFL, 0) != 0) {
                return false;
            }
            ::posix_fadvise(file_.number(), 0, 0, POSIX_FADV_DONTNEED);
            direct_ = false;
        }
        if (!direct_ && read_up_to(offset, into.first(piece)) < piece) {
            return false;
        }
        into = into.subspan(piece);
        offset += piece;
    }
    return true;
}

bool file_reader::read_aligned(std::uint64_t offset, std::span<std::byte> into) {
    if (!buffer_) {
        buffer_ = make_buffer();
    }
    const std::uint64_t from = offset / core::block_size * core::block_size;
    const std::uint64_t to = core::up_to_block(offset + into.size());
    const std::span<std::byte> whole{buffer_.get(), to - from};
    // At the end of the file less than whole blocks may come.
    if (read_up_to(from, whole) < offset + into.size() - from) {
        return false;
    }
    std::memcpy(into.data(), buffer_.get() + (offset - from), into.size());
    return true;
}

std::size_t file_reader::read_up_to(std::uint64_t offset, std::span<std::byte> into) const {
    std::size_t done = 0;
    while (done < into.size()) {
        const ssize_t got = ::pread(file_.number(), into.data() + done, into.size() - done,
                                    static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            errno = got == 0 ? ENODATA : errno;
            break;
        }
        done += static_cast<std::size_t>(got);
        if (direct_ && done % core::block_size != 0) {
            break; // Only the end of a file is no whole block.
        }
    }
    return done;
}

} // namespace

result<std::unique_ptr<readable_file>> open_to_read(const std::string& path, read_from where) {
    constexpr int flags = O_RDONLY | O_CLOEXEC;
    bool direct = where == read_from::medium;
    descriptor file{direct ? ::open(path.c_str(), flags | O_DIRECT) : -1};
    if (!file && (!direct || errno == EINVAL)) {
        direct = false;
        file = descriptor{::open(path.c_str(), flags)};
    }
    struct stat facts{};
    if (!file || ::fstat(file.number(), &facts) != 0) {
        return last_system_error(fmt::format("opening '{}' to read it", path));
    }
    if (where == read_from::medium && !direct) {
        if (::fdatasync(file.number()) != 0) {
            return last_system_error(fmt::format("syncing '{}' before it is read", path));
        }
        ::posix_fadvise(file.number(), 0, 0, POSIX_FADV_DONTNEED);
    }
    return std::unique_ptr<readable_file>{std::make_unique<file_reader>(
        std::move(file), static_cast<std::uint64_t>(facts.st_size), direct)};
}

} // namespace almenara::storage
