# What the retention drops is not logged.
# file: src/api/transaction.c
# tests: retention store_model
/^static void choose_drops/,/^}/s/vs_operations_note(.*/(void)operation;/
