# The lock is the process's, and goes with any close of the file.
# file: src/os/posix_file.c
# tests: os_posix
s/fcntl(fd, F_OFD_SETLK, &range)/fcntl(fd, F_SETLK, \&range)/
