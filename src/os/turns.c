/*
 * turns.c - the thread's turns, and the names of points; see turns.h.
 */
#include "os/turns.h"

#if VS_HAS_TURNS
_Thread_local struct vs_turns *vs_turns;
#endif

const char *vs_point_name(enum vs_point point)
{
    static const char *const name[VS_POINTS] = {
        [VS_POINT_LOCK] = "lock",
        [VS_POINT_GIVE_WAY] = "give way",
        [VS_POINT_FILL_PLACE] = "fill place",
        [VS_POINT_COUNT_PUBLICATION] = "count publication",
        [VS_POINT_NAME_PUBLISHED] = "name published",
        [VS_POINT_COPY_PUBLISHED] = "copy published",
        [VS_POINT_PIN_COPIED] = "pin copied",
        [VS_POINT_LOOK_AGAIN] = "look again",
        [VS_POINT_APPEND_ROOT] = "append root",
        [VS_POINT_FREE_ROOTS] = "free roots",
        [VS_POINT_CLAIM_SLOT] = "claim slot",
        [VS_POINT_ADD_SLOT] = "add slot",
        [VS_POINT_STAMP_SLOT] = "stamp slot",
        [VS_POINT_LEAVE_SLOT] = "leave slot",
        [VS_POINT_SURVEY_SLOT] = "survey slot",
        [VS_POINT_ASK_RETAINED] = "ask retained",
        [VS_POINT_FIND_ROOT] = "find root",
        [VS_POINT_DROP_ROOTS] = "drop roots",
        [VS_POINT_COLLECT_RETAINED] = "collect retained",
        [VS_POINT_COLLECT_PINS] = "collect pins",
        [VS_POINT_JUDGE] = "judge",
        [VS_POINT_FREE_PAGE] = "free page",
        [VS_POINT_READ_VERIFIED] = "read verified",
        [VS_POINT_READ_FRAME] = "read frame",
        [VS_POINT_READ_UNVERIFIED] = "read unverified",
        [VS_POINT_MARK_VERIFIED] = "mark verified",
        [VS_POINT_BEAR_PAGE] = "bear page",
        [VS_POINT_PLACE_PAGE] = "place page",
        [VS_POINT_SPILL_PAGE] = "spill page",
        [VS_POINT_CHANGE_WORD] = "change word",
        [VS_POINT_READ_BLOCK] = "read block",
        [VS_POINT_PLACE_BLOCK] = "place block",
        [VS_POINT_MOVE_BLOCK] = "move block",
        [VS_POINT_MOVE_BLOCK_BACK] = "move block back",
        [VS_POINT_BECOME_TIP] = "become tip",
        [VS_POINT_RAISE_DURABLE] = "raise durable",
        [VS_POINT_UNPIN_WRITER] = "unpin writer",
        [VS_POINT_FREEZE] = "freeze",
        [VS_POINT_WRITE_META] = "write meta",
        [VS_POINT_VACATE_FRAME] = "vacate frame",
        [VS_POINT_RAISE_EPOCH] = "raise epoch",
        [VS_POINT_FILL_LIMBO] = "fill limbo",
        [VS_POINT_SETTLE_LIMBO] = "settle limbo",
        [VS_POINT_CHECKPOINT_OVER] = "checkpoint over",
        [VS_POINT_EXCHANGE_MAPPING] = "exchange mapping",
        [VS_POINT_APPEND_FRAME] = "append frame",
        [VS_POINT_LEAD] = "lead",
        [VS_POINT_WRITE_LOG] = "write log",
        [VS_POINT_SYNC_LOG] = "sync log",
        [VS_POINT_HAND_OVER] = "hand over",
        [VS_POINT_RECYCLE] = "recycle",
    };
    return name[point];
}
