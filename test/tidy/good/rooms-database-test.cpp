// rooms accepts this as test/unit/storage/state_db_test.cpp
#include <rocksdb/db.h>
