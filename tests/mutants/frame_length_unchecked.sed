# The length of a frame is used before it is checked.
# file: src/format/frame.c
# tests: frame
s/if (frame->operations.size > VS_FRAME_SIZE_MAX || vs_frame_size(frame) > VS_FRAME_SIZE_MAX) {/if (false) {/
