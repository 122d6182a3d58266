# Threads of the engine take the signals of the host.
# file: src/os/thread.c
# tests: thread
s/pthread_sigmask(SIG_BLOCK, &blocked, before);/pthread_sigmask(SIG_BLOCK, NULL, before);/
