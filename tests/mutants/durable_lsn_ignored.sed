# Acknowledged damage is taken for a torn tail.
# file: src/store/log_evidence.c
# tests: log_crash log store_damage
s/frame->durable_lsn > search->lsn;/false;/
