#pragma once

#include "scripts/stage.hpp"
#include "scripts/words.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace almenara::scripts {

/// Understands the commands of a script and does them on a stage.
class director {
  public:
    director();

    /// What this command told; an error of the script is thrown.
    void command(std::string_view line);
    [[nodiscard]] std::string take_transcript() { return stage_.take_transcript(); }
    /// At the end of a script: nothing confirmed is missing at whoever rules then.
    void curtain();
    [[nodiscard]] bool failed() const { return stage_.failed(); }

  private:
    using action = void (director::*)(words&);
    struct entry {
        std::string_view name;
        action act;
    };
    [[nodiscard]] static action find(std::string_view name);
    void run_command(words& said);

    // Setting the stage.
    void servers(words& said);
    void log(words& said);
    void meta(words& said);
    void damaged(words& said);
    void priority(words& said);
    void confirm(words& said);
    void timer(words& said);
    void limit(words& said);
    void state(words& said);
    void may_abort(words& said);
    void count_anew(words& said);

    // Processes and time.
    void start(words& said);
    void restart(words& said);
    void kill(words& said);
    void power_cut(words& said);
    void wipe(words& said);
    void pause(words& said);
    void resume(words& said);
    void terminate(words& said);
    void transfer(words& said);
    void state_damaged(words& said);
    void recycle(words& said);
    void run(words& said);
    void until(words& said);
    void expect(words& said);

    // Network and disks.
    void cut(words& said);
    void heal(words& said);
    void hold(words& said);
    void release(words& said);
    void deliver(words& said);
    void drop(words& said);
    void close(words& said);
    void reset(words& said);
    void inject(words& said);
    void slow(words& said);
    void fail_disk(words& said);
    void rot(words& said);

    // Operations and looking.
    void propose(words& said);
    void load(words& said);
    void read(words& said);
    void kv(words& said);
    void client(words& said);
    void show(words& said);
    void tell(words& said);
    void quietly(words& said);

    [[nodiscard]] std::vector<server*> some_servers(words& said, bool running);
    void hold_something(words& said, bool on);
    void show_roles();
    void show_logs();

    stage stage_;
};

} // namespace almenara::scripts
