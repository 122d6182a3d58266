# A full disk is called a broken one.
# file: src/os/posix_fault.c
# tests: os_posix small_disk
s/return VERSO_NOSPC;/return VERSO_IO;/
