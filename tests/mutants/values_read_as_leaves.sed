# Of a value replayed for a reader the pages may be read as leaves.
# file: src/store/pages.h
# tests: runs
s/return frame == 0 || frame >= VS_FRAME_OF_VALUE/frame \&= ~VS_FRAME_OF_VALUE; return frame == 0/
