// rooms accepts this as lib/server/daemon.hpp
#pragma once
