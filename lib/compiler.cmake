# How everything is compiled: warnings, defences, and the tools that make it quicker.

# One interface target carries the flags, so that a room's CMakeLists.txt only says what it links.
add_library(almenara_flags INTERFACE)
target_include_directories(almenara_flags INTERFACE ${CMAKE_CURRENT_LIST_DIR})
target_compile_options(almenara_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor
  -Woverloaded-virtual -Wcast-align -Wimplicit-fallthrough
  # Members have defaults; naming only the others is the point of designated initialisers.
  -Wno-missing-field-initializers)
if(ALMENARA_WERROR)
  target_compile_options(almenara_flags INTERFACE -Werror)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ looks into inlined code of libraries and of its own coroutine frames and sees overruns and
  # mismatches that are not there; clang and the sanitizers look at the same code and do not.
  target_compile_options(almenara_flags INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:-Wno-stringop-overflow;-Wno-stringop-overread;-Wno-array-bounds;-Wno-mismatched-new-delete>)
endif()

if(ALMENARA_HARDENED)
  # F: what ships defends itself. _FORTIFY_SOURCE needs optimisation; some compilers predefine it.
  target_compile_options(almenara_flags INTERFACE
    -fstack-protector-strong -fstack-clash-protection -fPIE
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|AMD64")
    target_compile_options(almenara_flags INTERFACE -fcf-protection=full)
  endif()
  target_compile_definitions(almenara_flags INTERFACE _GLIBCXX_ASSERTIONS)
  target_link_options(almenara_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()

# ccache when present. A precompiled header changes what it may assume about time stamps. Checkouts
# share what they have in common: paths below this folder are looked up without it.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
      ${CMAKE_CURRENT_LIST_DIR}/compile.sh ${CCACHE_PROGRAM})
endif()
