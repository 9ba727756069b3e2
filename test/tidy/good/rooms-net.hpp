// rooms accepts this as lib/net/stream.hpp
#pragma once

#include <boost/asio/buffer.hpp>
