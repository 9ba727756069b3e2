// rooms accepts this as lib/server/session.hpp
#pragma once

#include "base/id.hpp"

#include <boost/asio/buffer.hpp>

#include <mutex>
#include <thread>
