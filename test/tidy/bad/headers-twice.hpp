// headers refuses this as lib/base/twice.hpp

struct only_once {}; // refused
