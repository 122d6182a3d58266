# The log goes on in an epoch that is on disk already.
# file: src/store/log.c
# tests: log_crash log
s/epoch = file->header.epoch >= epoch ? file->header.epoch + 1 : epoch;/epoch = file->header.epoch > epoch ? file->header.epoch : epoch;/
