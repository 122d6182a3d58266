# A symbolic link in place of a companion file is followed.
# file: src/os/posix_file.c
# tests: planted_names
s/\[VS_OPEN_WRITE_OWN\] = O_RDWR | O_NOFOLLOW,/[VS_OPEN_WRITE_OWN] = O_RDWR,/
