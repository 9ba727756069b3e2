#include "fuzz/kept_seeds.hpp"

#include "client/known_cluster.hpp"
#include "client/session_record.hpp"

#include <cstdint>
#include <string_view>

namespace almenara::fuzz {

namespace {

base::byte_vector of_kind(std::uint8_t kind, base::byte_view bytes) {
    base::byte_vector seed{std::byte{kind}};
    seed.insert(seed.end(), bytes.begin(), bytes.end());
    return seed;
}

client::known_cluster three_servers() {
    client::known_cluster what;
    what.id = cluster_id{{std::byte{0x3f}}};
    what.seen = epoch{8};
    what.config = log_index{12};
    what.members = {{.id = server_id{1}, .addresses = {"127.0.0.1:7401", "[::1]:7401"}},
                    {.id = server_id{2}, .addresses = {"127.0.0.1:7402"}}};
    what.names = {"localhost:7401"};
    what.used = 2;
    return what;
}

base::byte_vector session_file() {
    base::byte_vector file = client::encode_header({.window = 256, .next = sequence{1}});
    for (sequence::rep seq = 1; seq <= 3; ++seq) {
        const std::size_t place = file.size();
        client::append_record(
            file, place, {.seq = sequence{seq}, .body = base::byte_vector(seq, std::byte{0x61})});
        if (seq == 2) {
            file[place + client::mark_of_record(0)] = client::ended_mark;
        }
    }
    return file;
}

} // namespace

std::map<std::string, base::byte_vector> kept_seeds() {
    const std::string text = client::to_text(three_servers());
    const base::byte_vector session = session_file();
    std::map<std::string, base::byte_vector> seeds;
    seeds["kept/cluster"] = of_kind(0, base::as_bytes(text));
    seeds["kept/cluster-without-its-end"] =
        of_kind(0, base::as_bytes(std::string_view{text}.substr(0, text.size() / 2)));
    seeds["kept/cluster-sealed"] =
        of_kind(1, base::as_bytes(std::string_view{text}.substr(0, text.rfind("checksum"))));
    seeds["kept/session"] = of_kind(2, session);
    seeds["kept/session-torn"] = of_kind(2, base::byte_view{session}.first(session.size() - 1));
    base::byte_vector with_zeros = session;
    with_zeros.resize(with_zeros.size() + 32);
    seeds["kept/session-with-zeros"] = of_kind(2, with_zeros);
    seeds["kept/session-changed-body"] = of_kind(3, base::as_bytes("\x01\x02\x03 body"));
    seeds["kept/session-changed-mark"] =
        of_kind(3, base::byte_vector{std::byte{0}, std::byte{68}, std::byte{0xff}, std::byte{7}});
    return seeds;
}

} // namespace almenara::fuzz
