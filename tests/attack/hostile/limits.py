"""What no hostile input may need."""

#: Seconds of processor time and MB of memory.
SECONDS, MEGABYTES = 5, 1000
