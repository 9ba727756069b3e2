// rooms refuses this as lib/server/driver.cpp
#include <rocksdb/db.h> // refused
