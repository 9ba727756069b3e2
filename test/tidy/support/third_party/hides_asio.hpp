#pragma once

// Stands for a library whose headers bring Asio along without saying so.
#include <boost/asio/buffer.hpp>
