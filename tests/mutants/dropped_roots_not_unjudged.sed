# What dropped roots have held is not looked at again.
# file: src/store/retained.c
# tests: retained reclaim retention
s/succeed(vs_version_set_add_ranges(&retained->unjudged, ranges, count));/(void)ranges;/
