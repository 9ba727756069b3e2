#include "settings.hpp"

#include <array>

/// Everything that can be set.
namespace almenara::almenarad {

namespace {

constexpr std::array kinds{
    setting_kind{.key = "data-dir",
                 .short_option = "d",
                 .value_name = "DIR",
                 .fallback = "/var/lib/almenara",
                 .help = "where everything is kept; made if it is not there"},
    setting_kind{.key = "listen",
                 .short_option = "l",
                 .value_name = "HOST:PORT",
                 .fallback = "127.0.0.1:7400",
                 .help = "address to serve at; port 0 takes a free one"},
    setting_kind{.key = "advertise",
                 .short_option = "a",
                 .value_name = "HOST:PORT",
                 .help = "where other servers and clients reach this one (where it listens); a "
                         "loopback address"},
    setting_kind{.key = "id",
                 .value_name = "N",
                 .help = "number of this server, 1 to 65535; kept in the data directory (1 in a "
                         "new one)"},
    setting_kind{.key = "primary",
                 .short_option = "p",
                 .help = "begin a new cluster of this server alone; means nothing to one that "
                         "belongs to a cluster"},
    setting_kind{.key = "peers",
                 .value_name = "ID=HOST:PORT,...",
                 .help = "begin a new cluster of these servers, this one among them; to one that "
                         "belongs to a cluster: where the others are"},
    setting_kind{.key = "secret-file",
                 .value_name = "FILE",
                 .help =
                     "the cluster's secret, the same for all: 64 hex digits, mode 0600; kept in "
                     "the data directory"},
    setting_kind{.key = "wait",
                 .help = "with --primary or --peers: begin when 'GO' is typed here, after "
                         "'almenara cluster go', or as --go-after says"},
    setting_kind{.key = "go-after",
                 .value_name = "TIME",
                 .help = "with --wait: begin after this time by itself"},
    setting_kind{.key = "priority",
                 .value_name = "N",
                 .fallback = "0",
                 .help = "of servers that know the same, the highest one rules, 0 to 65535"},
    setting_kind{.key = "confirm",
                 .value_name = "POLICY",
                 .fallback = "sync-set",
                 .help = "when a write counts as done: sync-set, majority or all; the same for all "
                         "servers, taken when a cluster begins"},
    setting_kind{.key = "auth",
                 .value_name = "HOW",
                 .fallback = "trust",
                 .help = "trust: a user name is enough; this version knows nothing else"},
    setting_kind{.key = "wal-segment",
                 .value_name = "SIZE",
                 .fallback = "64MiB",
                 .help = "size of the log's files, 4MiB to 64MiB"},
    setting_kind{.key = "wal-keep",
                 .value_name = "SIZE",
                 .fallback = "256MiB",
                 .help = "so much of the log, and up to four times that for 100,000 entries, stays "
                         "although nobody is known to need it"},
    setting_kind{.key = "batches-in-flight",
                 .value_name = "N",
                 .fallback = "1",
                 .help = "batches that may wait for the other servers at a time, 1 to 8; more than "
                         "1 pays when they are far away"},
    setting_kind{.key = "max-clients",
                 .value_name = "N|auto",
                 .fallback = "auto",
                 .help = "most clients at a time; auto: as descriptors, memory and load allow",
                 .reloadable = true},
    setting_kind{.key = "on-primary-change",
                 .value_name = "SCRIPT",
                 .help = "run SCRIPT when another server, or this one, has become primary",
                 .reloadable = true},
    setting_kind{.key = "plaintext",
                 .help = "no TLS: needed, because this version has none; loopback addresses only"},
    setting_kind{.key = "log-level",
                 .value_name = "LEVEL",
                 .fallback = "info",
                 .help = "debug, info, notice, warning or error",
                 .reloadable = true},
    setting_kind{.key = "log-file",
                 .value_name = "FILE",
                 .help = "write the log to FILE too; rotated, 8 files are kept"},
    setting_kind{.key = "log-file-size",
                 .value_name = "SIZE",
                 .fallback = "8MiB",
                 .help = "size at which the log file is rotated"},
};

} // namespace

std::span<const setting_kind> setting_kinds() {
    return kinds;
}

} // namespace almenara::almenarad
