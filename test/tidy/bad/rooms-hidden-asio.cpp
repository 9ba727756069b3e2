// rooms refuses this as lib/storage/hidden_asio.cpp
// Only the compiler's dependency output shows what this library brings along.
#include <third_party/hides_asio.hpp> // refused
