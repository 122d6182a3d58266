/*
 * retained.c - roots leave the retained set; see retained.h.
 */
#include "store/retained.h"

#include <assert.h>

#include "os/turns.h"

verso_err vs_retained_init(struct vs_retained *retained, const verso_retention *policy)
{
    vs_lock_init(&retained->lock, VS_LOCK_RETAINED);
    retained->policy = *policy;
    return vs_version_set_add(&retained->set, 1, UINT64_MAX);
}

void vs_retained_clear(struct vs_retained *retained)
{
    vs_version_set_clear(&retained->set);
    vs_version_set_clear(&retained->unjudged);
    vs_version_set_clear(&retained->unentered);
    vs_tags_clear(&retained->tags);
    vs_lock_clear(&retained->lock);
}

verso_err vs_retained_reserve(struct vs_retained *retained, size_t count)
{
    verso_err err = vs_version_set_reserve(&retained->unjudged, count);
    if (err == VERSO_OK) {
        err = vs_version_set_reserve(&retained->unentered, count);
    }
    if (err == VERSO_OK) {
        vs_lock_take(&retained->lock);
        err = vs_version_set_reserve(&retained->set, count);
        vs_lock_release(&retained->lock);
    }
    return err;
}

/* What there is room for cannot fail. */
static void succeed(verso_err err)
{
    assert(err == VERSO_OK);
    (void)err;
}

verso_err vs_retained_drop(struct vs_retained *retained, const struct vs_version_range *ranges,
                           size_t count)
{
    verso_err err = vs_retained_reserve(retained, count);
    if (err != VERSO_OK || count == 0) {
        return err;
    }
    vs_turn(VS_POINT_DROP_ROOTS);
    vs_lock_take(&retained->lock);
    succeed(vs_version_set_drop_ranges(&retained->set, ranges, count));
    vs_lock_release(&retained->lock);
    succeed(vs_version_set_add_ranges(&retained->unjudged, ranges, count));
    succeed(vs_version_set_add_ranges(&retained->unentered, ranges, count));
    retained->changed = true;
    return VERSO_OK;
}

verso_err vs_retained_skip(struct vs_retained *retained, uint64_t from, uint64_t to)
{
    vs_lock_take(&retained->lock);
    verso_err err = vs_version_set_reserve(&retained->set, 2); /* one for the way back */
    vs_lock_release(&retained->lock);
    if (err == VERSO_OK) {
        err = vs_version_set_reserve(&retained->unjudged, 2);
    }
    if (err == VERSO_OK) {
        err = vs_version_set_reserve(&retained->unentered, 2);
    }
    return err == VERSO_OK ? vs_retained_drop(retained, &(struct vs_version_range){from, to}, 1)
                           : err;
}

/* Each of the three comes to have the ranges again that it had before: room is there. */
void vs_retained_unskip(struct vs_retained *retained, uint64_t from, uint64_t to)
{
    vs_lock_take(&retained->lock);
    succeed(vs_version_set_add(&retained->set, from, to));
    vs_lock_release(&retained->lock);
    succeed(vs_version_set_drop(&retained->unjudged, from, to));
    succeed(vs_version_set_drop(&retained->unentered, from, to));
}

void vs_retained_set_policy(struct vs_retained *retained, const verso_retention *policy)
{
    vs_lock_take(&retained->lock);
    retained->policy = *policy;
    vs_lock_release(&retained->lock);
    retained->policy_stamp++;
    retained->changed = true;
    retained->walk = 0;
    retained->budget_pages = 0;
}

verso_err vs_retained_reserve_tag(struct vs_retained *retained, verso_slice name)
{
    vs_lock_take(&retained->lock);
    verso_err err = vs_tags_reserve(&retained->tags, name);
    vs_lock_release(&retained->lock);
    return err;
}

verso_err vs_retained_set_tag(struct vs_retained *retained, verso_slice name, uint64_t root,
                              int64_t time_us)
{
    vs_lock_take(&retained->lock);
    verso_err err = vs_tags_set(&retained->tags, name, root, time_us);
    vs_lock_release(&retained->lock);
    retained->changed = true;
    return err;
}

bool vs_retained_delete_tag(struct vs_retained *retained, verso_slice name)
{
    vs_lock_take(&retained->lock);
    bool found = vs_tags_delete(&retained->tags, name);
    vs_lock_release(&retained->lock);
    retained->changed = true;
    retained->budget_pages = 0; /* what only the tag protected may go now */
    return found;
}

void vs_retained_tags_entered(struct vs_retained *retained)
{
    vs_lock_take(&retained->lock); /* others copy whole tags */
    vs_tags_entered(&retained->tags);
    vs_lock_release(&retained->lock);
}

verso_retention vs_retained_policy(struct vs_retained *retained)
{
    vs_lock_take(&retained->lock);
    verso_retention policy = retained->policy;
    vs_lock_release(&retained->lock);
    return policy;
}

bool vs_retained_find_tag(struct vs_retained *retained, verso_slice name, bool after,
                          struct vs_tag *tag)
{
    vs_lock_take(&retained->lock);
    const struct vs_tag *found =
        after ? vs_tags_after(&retained->tags, name) : vs_tags_find(&retained->tags, name);
    if (found != NULL) {
        *tag = *found;
    }
    vs_lock_release(&retained->lock);
    return found != NULL;
}

bool vs_retained_has(struct vs_retained *retained, uint64_t version)
{
    vs_lock_take(&retained->lock);
    bool has = vs_version_set_has(&retained->set, version);
    vs_lock_release(&retained->lock);
    return has;
}

bool vs_retained_at_or_above(struct vs_retained *retained, uint64_t version, uint64_t *found)
{
    vs_lock_take(&retained->lock);
    bool any = vs_version_set_at_or_above(&retained->set, version, found);
    vs_lock_release(&retained->lock);
    return any;
}

bool vs_retained_at_or_below(struct vs_retained *retained, uint64_t version, uint64_t *found)
{
    vs_lock_take(&retained->lock);
    bool any = vs_version_set_at_or_below(&retained->set, version, found);
    vs_lock_release(&retained->lock);
    return any;
}

bool vs_retained_is_tagged(struct vs_retained *retained, uint64_t version)
{
    uint64_t root;
    return vs_tags_root_at_or_above(&retained->tags, version, &root) && root == version;
}
