// format refuses this as lib/base/crooked.cpp
int  crooked( int a )
{
  return a+1 ; }
