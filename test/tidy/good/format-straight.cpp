// format accepts this as lib/base/straight.cpp
int straight(int a) {
    return a + 1;
}
