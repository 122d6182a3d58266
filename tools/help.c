/*
 * help.c - the texts of --help; docs/cli.md tells the same at more length.
 */
#include "help.h"

#include <stddef.h>
#include <string.h>

struct help {
    const char *verb;
    const char *text;
};

static const struct help texts[] = {
    {"",
     "Usage: verso VERB STORE [WORD...] [--OPTION...]\n"
     "\n"
     "Look into and change a store of ordered, versioned keys and values. Every change makes a\n"
     "new root with the next number; every root that is kept can be read again by its number.\n"
     "\n"
     "  load STORE [FILE...]    put lines 'key<TAB>value' from files or standard input\n"
     "  put STORE KEY VALUE     set one key\n"
     "  get STORE KEY           print the value of one key\n"
     "  del STORE KEY           delete one key, or those of a range\n"
     "  scan STORE              print or count the entries of a range\n"
     "  count STORE             count the keys of a range\n"
     "  nth STORE N             print the entry with N keys below it\n"
     "  rank STORE KEY          print how many keys are below a key\n"
     "  roots STORE             list the kept roots, with what each costs\n"
     "  tag STORE [NAME]        list the tags; name a root; delete a name\n"
     "  keep STORE              print, set or try the rule by which roots are kept\n"
     "  diff STORE A B          print what changed from root A to root B\n"
     "  history STORE KEY       print the values that a key has had\n"
     "  revert STORE ROOT       make the content equal to that of an older root again\n"
     "  trees STORE             list, drop or rename the named trees\n"
     "  backup STORE DEST       copy the store while others may use it\n"
     "  apply STORE INCREMENT   bring a copy up to date with what changed since\n"
     "  compact STORE DEST      copy chosen roots into the smallest file\n"
     "  stat STORE              print the figures of the store\n"
     "  check STORE             prove that the store is whole\n"
     "  salvage STORE NEW       get out of a damaged store what can be read\n"
     "\n"
     "  verso VERB --help       all about one verb\n"
     "  verso --version         the version of the library\n"
     "\n"
     "STORE is the path of one file. load and put create it.\n"
     "\n"
     "Where a root is a word (ROOT, A, B) it is a number, tag:NAME or @TIME. TIME is as\n"
     "2026-11-21, 2026-11-21T12:30:00Z or with +02:00, or back from now: -90s, -15m, -2h, -3d, "
     "-1w.\n"
     "It stands for the newest root committed at or before it.\n"
     "\n"
     "Keys, values and notes are read with the escapes \\xHH (any byte), \\t, \\n and \\\\. On "
     "output\n"
     "control bytes, backslashes and invalid UTF-8 are escaped, so that an entry is one line and\n"
     "reads back as the same bytes. After '--' no word is taken for an option.\n"
     "\n"
     "Exit codes: 0 done; 1 not found, or a fault found; 2 called wrongly; 3 any other "
     "error.\n"
     "What went wrong and where is said on standard error.\n"},
    {"load",
     "Usage: verso load STORE [FILE...] [--tree NAME] [--batch N] [--note TEXT] [--keep N]\n"
     "\n"
     "Put every line 'key<TAB>value' of the files, or of standard input if none is named ('-' "
     "names\n"
     "it too). The key ends at the first tab; the value is the rest of the line. A key that is\n"
     "there already gets the new value. The store is created if there is none.\n"
     "\n"
     "  --tree NAME  into the tree of that name, which is created if there is none\n"
     "  --batch N    commit after every N lines, each time printing 'root ID: N entries';\n"
     "               without it the whole load is one commit\n"
     "  --note TEXT  kept with every root that this load makes (up to 1,024 bytes)\n"
     "  --keep N     keep only the newest N roots from now on; in a store that exists already and\n"
     "               keeps another number, that is changed, and said\n"
     "\n"
     "Prints the last root and what was loaded. A malformed line stops the load: it is reported\n"
     "by file and line, and nothing is committed beyond the batches already printed.\n"},
    {"put",
     "Usage: verso put STORE KEY VALUE [--tree NAME] [--note TEXT]\n"
     "\n"
     "Set the value of one key, new or not, and print the new root. The store is created if there\n"
     "is none.\n"
     "\n"
     "  --tree NAME  in the tree of that name, which is created if there is none\n"
     "  --note TEXT  kept with the root (up to 1,024 bytes)\n"},
    {"get", "Usage: verso get STORE KEY [--root ID | --tag NAME | --at TIME] [--tree NAME]\n"
            "\n"
            "Print the value of one key.\n"
            "\n"
            "  --root ID    in that root; without it, in the newest\n"
            "  --tag NAME, --at TIME   or in the root of that tag, or the newest of that time\n"
            "  --tree NAME  in the tree of that name\n"
            "\n"
            "Exit code 1 if there is no such key, root or tree.\n"},
    {"del",
     "Usage: verso del STORE KEY [--tree NAME] [--note TEXT]\n"
     "       verso del STORE [--from K] [--to K] [--prefix P] [--tree NAME] [--note TEXT]\n"
     "\n"
     "Delete one key and print the new root; exit code 1 if there is no such key. Or delete\n"
     "all keys of a range and print the new root with the number of keys that went: none is\n"
     "no error, and makes no new root.\n"
     "\n"
     "  --from K     begin at this key (inclusive)\n"
     "  --to K       end before this key (exclusive)\n"
     "  --prefix P   only keys that begin with P\n"
     "  --tree NAME  in the tree of that name\n"
     "  --note TEXT  kept with the root (up to 1,024 bytes)\n"},
    {"scan",
     "Usage: verso scan STORE [--from K] [--to K] [--prefix P] [--reverse] [--limit N] [--count]\n"
     "                        [--root ID | --tag NAME | --at TIME] [--tree NAME]\n"
     "\n"
     "Print entries as 'key<TAB>value', in the order of the bytes of their keys.\n"
     "\n"
     "  --from K     begin at this key (inclusive)\n"
     "  --to K       end before this key (exclusive)\n"
     "  --prefix P   only keys that begin with P\n"
     "  --reverse    the last first\n"
     "  --limit N    at most N entries\n"
     "  --count      print only how many there are\n"
     "  --root ID    in that root; without it, in the newest\n"
     "  --tag NAME, --at TIME   or in the root of that tag, or the newest of that time\n"
     "  --tree NAME  in the tree of that name\n"
     "\n"
     "Options narrow each other. No entry in the range is no error. Exit code 1 if there is no\n"
     "such root or tree.\n"},
    {"count",
     "Usage: verso count STORE [--from K] [--to K] [--prefix P] [--root ID | --tag NAME | --at "
     "TIME] [--tree NAME]\n"
     "\n"
     "Print how many keys a range has, all keys without one. This reads a few pages, whatever the\n"
     "number is. The options are those of scan.\n"},
    {"nth", "Usage: verso nth STORE N [--root ID | --tag NAME | --at TIME] [--tree NAME]\n"
            "\n"
            "Print the entry that has N keys below it, as scan does: 0 is the first. Exit code 1 "
            "if there\n"
            "are not so many keys.\n"
            "\n"
            "  --root ID    in that root; without it, in the newest\n"
            "  --tag NAME, --at TIME   or in the root of that tag, or the newest of that time\n"
            "  --tree NAME  in the tree of that name\n"},
    {"rank", "Usage: verso rank STORE KEY [--root ID | --tag NAME | --at TIME] [--tree NAME]\n"
             "\n"
             "Print how many keys are below KEY, which need not be there.\n"
             "\n"
             "  --root ID    in that root; without it, in the newest\n"
             "  --tag NAME, --at TIME   or in the root of that tag, or the newest of that time\n"
             "  --tree NAME  in the tree of that name\n"},
    {"roots",
     "Usage: verso roots STORE [--cost]\n"
     "\n"
     "List the kept roots, oldest first, one a line, separated by tabs: number, time of the "
     "commit\n"
     "(ISO 8601, UTC), number of keys, fingerprint, note. Roots with equal fingerprints have "
     "equal\n"
     "content.\n"
     "\n"
     "  --cost       three numbers more, in bytes: what only this root keeps, so that dropping it\n"
     "               frees it; what it shares with the kept root before it; with the one after "
     "it\n"},
    {"tag",
     "Usage: verso tag STORE\n"
     "       verso tag STORE NAME [ROOT | --root ID | --tag NAME | --at TIME]\n"
     "       verso tag STORE NAME --delete\n"
     "\n"
     "List the tags in the order of their names, one a line, separated by tabs: name, root, time "
     "when\n"
     "it was set. Or name a root (the newest, unless one is given): it is kept until the tag is\n"
     "deleted. A name that another root has must be deleted first. Or delete a name.\n"},
    {"keep",
     "Usage: verso keep STORE [--last N] [--within DURATION] [--thin SPEC] [--checkpoints]\n"
     "                  [--budget SIZE|RATIO] [--dry-run]\n"
     "       verso keep STORE --all | --default [--dry-run]\n"
     "\n"
     "Print the rule by which roots are kept; or set it, which drops at once what it does not "
     "keep,\n"
     "and print it. The options say the whole rule. Tagged roots are always kept.\n"
     "\n"
     "  --last N           the newest N (without it: 1)\n"
     "  --within DURATION  all up to that age: 36h, 1d12h (units w, d, h, m, s, ms)\n"
     "  --thin SPEC        up to an AGE the last in each SPACING: AGE/SPACING[,AGE/SPACING...], "
     "as\n"
     "                     1d/1h,30d/1d,forever/1w; 1s alone means forever/1s\n"
     "  --checkpoints      the roots of checkpoints, whose pages are written anyway\n"
     "  --budget B         older roots than the newest N go, oldest first, while history holds "
     "more:\n"
     "                     a size (64M, 1.5G, in powers of 1,024), a share of the newest root's "
     "pages\n"
     "                     (100%, 1.0), or both separated by a comma: the larger counts\n"
     "  --all              all of them\n"
     "  --default          the rule of new stores: --last 100 --thin 1s --checkpoints\n"
     "                     --budget 64M,100%\n"
     "  --dry-run          only say which roots would go now, and how many bytes that frees\n"},
    {"diff",
     "Usage: verso diff STORE A B [--from K] [--to K] [--prefix P] [--summary] [--tree NAME]\n"
     "\n"
     "Print what changed from root A to root B, either of which may be the newer, in the order of "
     "the\n"
     "keys, one line a change:\n"
     "\n"
     "  +KEY<TAB>NEW          only in B\n"
     "  -KEY<TAB>OLD          only in A\n"
     "  ~KEY<TAB>OLD<TAB>NEW  in both, with different values\n"
     "\n"
     "  --from K, --to K, --prefix P   only keys of that range, as in scan\n"
     "  --summary    print only how many keys were added, removed and changed, and how many pages\n"
     "               of both roots were visited to find that out\n"
     "  --tree NAME  in the tree of that name\n"},
    {"history",
     "Usage: verso history STORE KEY [--limit N] [--root ID | --tag NAME | --at TIME] [--tree "
     "NAME]\n"
     "\n"
     "Print the values that the key has had in the kept roots, newest first, one a line, "
     "separated\n"
     "by tabs: root that set it, time of the commit, note, 'put' and the value; or 'del' if the\n"
     "commit deleted the key. Exit code 1 if no kept root has had it.\n"
     "\n"
     "  --limit N    at most N lines\n"
     "  --root ID    from that root back; without it, from the newest\n"
     "  --tag NAME, --at TIME   or in the root of that tag, or the newest of that time\n"
     "  --tree NAME  in the tree of that name\n"},
    {"revert",
     "Usage: verso revert STORE ROOT [--from K] [--to K] [--prefix P] [--tree NAME] [--note TEXT]\n"
     "\n"
     "Make a new root whose content equals that of ROOT, in all trees, and print it with the "
     "number\n"
     "of changes. Nothing newer is lost: the roots in between stay as they are.\n"
     "\n"
     "  --from K, --to K, --prefix P   only keys of that range, as in scan, of one tree\n"
     "  --tree NAME  only the tree of that name; if it was dropped since, it is created\n"
     "  --note TEXT  kept with the root (up to 1,024 bytes)\n"
     "  --root ID, --tag NAME, --at TIME   instead of ROOT\n"},
    {"trees",
     "Usage: verso trees STORE [--root ID | --tag NAME | --at TIME]\n"
     "       verso trees STORE --drop NAME [--note TEXT]\n"
     "       verso trees STORE --rename OLD NEW [--note TEXT]\n"
     "\n"
     "List the named trees of a root in the order of their names, one a line, separated by tabs:\n"
     "name, number of keys, fingerprint, levels. Or drop one with all its keys, or rename one, "
     "and\n"
     "print the new root; older roots still show it. Trees are created by load and put --tree.\n"
     "\n"
     "  --root ID    of that root; without it, of the newest\n"
     "  --tag NAME, --at TIME   or in the root of that tag, or the newest of that time\n"
     "  --note TEXT  kept with the root (up to 1,024 bytes)\n"},
    {"backup",
     "Usage: verso backup STORE DEST [--newest]\n"
     "       verso backup STORE DEST --since ROOT\n"
     "\n"
     "Write a copy of the store to DEST, where nothing may be yet: every kept root under its "
     "number.\n"
     "The copy is checked before it gets its name. Or write an increment: what changed from ROOT\n"
     "to each kept root after it, for a copy whose newest root is ROOT (see 'verso apply "
     "--help').\n"
     "\n"
     "  --newest      only the newest root\n"
     "  --since ROOT  an increment; ROOT is a number, tag:NAME or @TIME\n"},
    {"apply",
     "Usage: verso apply STORE INCREMENT\n"
     "\n"
     "Apply what 'backup --since ROOT' wrote to a copy whose newest root is that ROOT. It has the "
     "same\n"
     "roots after it then, with the same numbers, times, notes and fingerprints. An increment of\n"
     "another store, or since another root, changes nothing.\n"},
    {"compact",
     "Usage: verso compact STORE DEST [--newest | --roots LIST]\n"
     "\n"
     "Write the smallest file that holds the roots, sharing between them what they share in "
     "STORE.\n"
     "\n"
     "  --newest      only the newest root\n"
     "  --roots LIST  these and the newest: numbers and ranges of them, as 3,7-12; also tag:NAME "
     "and\n"
     "                @TIME. A number must be kept; of a range, those that are\n"
     "\n"
     "DEST is as for backup.\n"},
    {"stat", "Usage: verso stat STORE\n"
             "\n"
             "Print the figures of the store, one a line: name, tab, number. Sizes are in bytes. "
             "What holds\n"
             "the space of the file stands last: live_bytes to ahead_bytes sum to file_bytes.\n"},
    {"check",
     "Usage: verso check STORE\n"
     "\n"
     "Read every page of every kept root and prove that the store is whole: order, checksums, "
     "links,\n"
     "counts, and that each page belongs to somebody. Prints what was proved, or the first fault\n"
     "with its root and page; then the exit code is 1.\n"},
    {"salvage",
     "Usage: verso salvage STORE NEW\n"
     "\n"
     "Write what can still be read of the newest root to NEW, where nothing may be yet: the last\n"
     "checkpoint, and the log up to its first damage. STORE is only read. Older roots are left "
     "out:\n"
     "try 'verso backup' first, which brings all of them if the store opens.\n"
     "\n"
     "What is lost is printed, one range of keys a line, separated by tabs: lost, tree, first "
     "key,\n"
     "first key behind it, how many (0: not known), page, reason. lost_names: of the list of "
     "trees.\n"
     "The exit code is 1 if anything is missing. Nothing can be done if both meta pages are\n"
     "damaged.\n"},
};

const char *help_text(const char *verb)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(texts[i].verb, verb) == 0) {
            return texts[i].text;
        }
    }
    return NULL;
}
