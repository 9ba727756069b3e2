// rooms refuses this as lib/storage/database.hpp
#pragma once

#include <rocksdb/db.h> // refused
