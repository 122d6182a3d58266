# A writer may overtake those who came before.
# file: src/store/fair_lock.h
# tests: fair_lock stalled_disk
s/uint64_t ticket = lock->next++;/uint64_t ticket = lock->next++; ticket = lock->serving;/
