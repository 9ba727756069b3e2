#include "net/byte_pump.hpp"

#include "base/check.hpp"
#include "net/spawn.hpp"

#include <array>
#include <utility>

namespace almenara::net {

namespace asio = boost::asio;
using boost::system::error_code;

byte_pump::byte_pump(asio::any_io_executor executor,
                     std::unique_ptr<byte_stream> stream,
                     owner& bytes_owner,
                     std::string name)
    : executor_(std::move(executor)),
      stream_(std::move(stream)),
      owner_(&bytes_owner),
      name_(std::move(name)) {}

void byte_pump::await_first_bytes() {
    spawn(executor_, name_ + " waiting", wait_for_first(shared_from_this()));
}

std::unique_ptr<byte_stream> byte_pump::release() {
    ALMENARA_CHECK(!reading_ && !write_loop_runs_ && !closed_);
    closed_ = true;
    owner_ = nullptr;
    return std::move(stream_);
}

void byte_pump::start_reading() {
    paused_ = false;
    if (!reading_ && !closed_) {
        reading_ = true;
        spawn(executor_, name_ + " reader", read_loop(shared_from_this()));
    }
}

void byte_pump::pause_reading() {
    paused_ = true;
}

void byte_pump::send(base::byte_vector& out) {
    if (closed_ || out.empty()) {
        out.clear();
        return;
    }
    if (write_loop_runs_) {
        next_.insert(next_.end(), out.begin(), out.end());
        out.clear();
        return;
    }
    const transferred done = stream_->write_now(out);
    if (done.failure) {
        out.clear();
        ended(done.failure);
        return;
    }
    sent_ += done.bytes;
    if (done.bytes == out.size()) {
        out.clear();
        everything_written();
        return;
    }
    std::swap(writing_, out);
    out.clear();
    written_ = done.bytes;
    write_loop_runs_ = true;
    spawn(executor_, name_ + " writer", write_loop(shared_from_this()));
}

void byte_pump::finish() {
    if (finishing_ || closed_) {
        return;
    }
    finishing_ = true;
    if (write_loop_runs_) {
        start_reading();
    } else if (heard_all_) {
        ended(asio::error::eof);
    } else {
        stream_->end_sending();
        start_reading();
    }
}

void byte_pump::close() {
    owner_ = nullptr;
    if (!std::exchange(closed_, true)) {
        stream_->close();
    }
}

asio::awaitable<void> byte_pump::wait_for_first(std::shared_ptr<byte_pump> self) {
    const error_code failure = co_await self->stream_->readable();
    // finish() reads by itself.
    if (self->closed_ || self->finishing_ || self->owner_ == nullptr) {
        co_return;
    }
    if (failure) {
        self->ended(failure);
    } else {
        self->owner_->first_bytes_wait();
    }
}

asio::awaitable<void> byte_pump::read_loop(std::shared_ptr<byte_pump> self) {
    std::array<std::byte, 4096> nobody_wants{};
    while (!self->closed_ && (!self->paused_ || self->finishing_)) {
        const bool wanted = self->owner_ != nullptr && !self->finishing_;
        const std::span<std::byte> into =
            wanted ? self->owner_->read_into() : std::span<std::byte>{nobody_wants};
        const transferred done = co_await self->stream_->read_some(into);
        if (self->closed_) {
            break;
        }
        if (done.failure) {
            self->read_failed(done.failure);
            break;
        }
        // finish() may have come while this read was under way; its bytes are not wanted then.
        if (wanted && self->owner_ != nullptr && !self->finishing_) {
            self->owner_->bytes_arrived(done.bytes);
        }
    }
    self->reading_ = false;
}

asio::awaitable<void> byte_pump::write_loop(std::shared_ptr<byte_pump> self) {
    while (!self->closed_ && self->written_ < self->writing_.size()) {
        const auto rest = base::byte_view{self->writing_}.subspan(self->written_);
        const transferred done = co_await self->stream_->write_some(rest);
        if (self->closed_) {
            break;
        }
        if (done.failure) {
            self->ended(done.failure);
            break;
        }
        self->written_ += done.bytes;
        self->sent_ += done.bytes;
        if (self->written_ == self->writing_.size()) {
            self->writing_.clear();
            self->written_ = 0;
            std::swap(self->writing_, self->next_);
        }
    }
    self->write_loop_runs_ = false;
    if (!self->closed_) {
        self->everything_written();
    }
}

void byte_pump::everything_written() {
    if (owner_ != nullptr) {
        owner_->all_sent();
    }
    if (!finishing_ || closed_) {
        return;
    }
    if (heard_all_) {
        ended(asio::error::eof);
    } else {
        stream_->end_sending();
    }
}

void byte_pump::read_failed(const error_code& why) {
    // The other end says no more, but still waits for what it was promised.
    if (why == asio::error::eof &&
        (finishing_ ? write_loop_runs_ : owner_ != nullptr && owner_->half_closed())) {
        heard_all_ = true;
    } else {
        ended(why);
    }
}

void byte_pump::ended(const error_code& why) {
    closed_ = true;
    stream_->close();
    if (owner* const listener = std::exchange(owner_, nullptr); listener != nullptr) {
        listener->stream_ended(why);
    }
}

} // namespace almenara::net
