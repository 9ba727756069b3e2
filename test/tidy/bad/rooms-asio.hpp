// rooms refuses this as lib/wire/asio.hpp
#pragma once

#include <boost/asio/buffer.hpp> // refused
