// rooms accepts this as lib/storage/state_db.cpp
#include <rocksdb/db.h>
