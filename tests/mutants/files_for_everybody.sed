# New files may be read by others.
# file: src/os/posix_file.c
# tests: planted_names os_posix
s/S_IRUSR | S_IWUSR/0666/
