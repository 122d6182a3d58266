# A lock is not given up while a child of fork() lives that shares the file.
# file: src/os/posix_file.c
# tests: fork
s/if (posix(file)->locker == getpid()) {/if (false) {/
