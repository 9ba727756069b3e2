// rooms refuses this as lib/cellar/wine.hpp
#pragma once
