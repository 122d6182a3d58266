# A copy names an epoch that the log beside a restored store may have.
# file: src/history/copy.c
# tests: copy
s/\*epoch = copy->roots->epoch + 1 + distance;/*epoch = copy->roots->epoch;\n    (void)distance;/
