// words refuses this as lib/base/people.cpp
// TODO: think of the end. // refused
// FIXME it is wrong. // refused
int answer = 42; /* XXX why */ // refused
int cast = (int)4.2;           // NOLINT // refused
// clang-format off // refused
const char* place = "/home/anna/almenara"; // refused
