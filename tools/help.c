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
     "  roots STORE             list the kept roots\n"
     "  diff STORE A B          print what changed from root A to root B\n"
     "  history STORE KEY       print the values that a key has had\n"
     "  revert STORE ROOT       make the content equal to that of an older root again\n"
     "  trees STORE             list, drop or rename the named trees\n"
     "  backup STORE DEST       copy the store while others may use it\n"
     "  compact STORE DEST      copy chosen roots into the smallest file\n"
     "  stat STORE              print the figures of the store\n"
     "  check STORE             prove that the store is whole\n"
     "\n"
     "  verso VERB --help       all about one verb\n"
     "  verso --version         the version of the library\n"
     "\n"
     "STORE is the path of one file. load and put create it.\n"
     "\n"
     "Keys, values and notes are read with the escapes \\xHH (any byte), \\t, \\n and \\\\. On "
     "output\n"
     "control bytes, backslashes and invalid UTF-8 are escaped, so that an entry is one line and\n"
     "reads back as the same bytes. After '--' no word is taken for an option.\n"
     "\n"
     "Exit codes: 0 done; 1 not found, or check found a fault; 2 called wrongly; 3 any other "
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
    {"get", "Usage: verso get STORE KEY [--root ID] [--tree NAME]\n"
            "\n"
            "Print the value of one key.\n"
            "\n"
            "  --root ID    in that root; without it, in the newest\n"
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
     "                        [--root ID] [--tree NAME]\n"
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
     "  --tree NAME  in the tree of that name\n"
     "\n"
     "Options narrow each other. No entry in the range is no error. Exit code 1 if there is no\n"
     "such root or tree.\n"},
    {"count",
     "Usage: verso count STORE [--from K] [--to K] [--prefix P] [--root ID] [--tree NAME]\n"
     "\n"
     "Print how many keys a range has, all keys without one. This reads a few pages, whatever the\n"
     "number is. The options are those of scan.\n"},
    {"nth", "Usage: verso nth STORE N [--root ID] [--tree NAME]\n"
            "\n"
            "Print the entry that has N keys below it, as scan does: 0 is the first. Exit code 1 "
            "if there\n"
            "are not so many keys.\n"
            "\n"
            "  --root ID    in that root; without it, in the newest\n"
            "  --tree NAME  in the tree of that name\n"},
    {"rank", "Usage: verso rank STORE KEY [--root ID] [--tree NAME]\n"
             "\n"
             "Print how many keys are below KEY, which need not be there.\n"
             "\n"
             "  --root ID    in that root; without it, in the newest\n"
             "  --tree NAME  in the tree of that name\n"},
    {"roots", "Usage: verso roots STORE\n"
              "\n"
              "List the kept roots, oldest first, one a line, separated by tabs: number, time of "
              "the commit\n"
              "(ISO 8601, UTC), number of keys, fingerprint, note. Roots with equal fingerprints "
              "have equal\n"
              "content.\n"},
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
     "Usage: verso history STORE KEY [--limit N] [--root ID] [--tree NAME]\n"
     "\n"
     "Print the values that the key has had in the kept roots, newest first, one a line, "
     "separated\n"
     "by tabs: root that set it, time of the commit, note, 'put' and the value; or 'del' if the\n"
     "commit deleted the key. Exit code 1 if no kept root has had it.\n"
     "\n"
     "  --limit N    at most N lines\n"
     "  --root ID    from that root back; without it, from the newest\n"
     "  --tree NAME  in the tree of that name\n"},
    {"revert",
     "Usage: verso revert STORE ROOT [--from K] [--to K] [--prefix P] [--tree NAME] [--note TEXT]\n"
     "\n"
     "Make a new root whose content equals that of ROOT, and print it with the number of keys put "
     "or\n"
     "deleted. Nothing newer is lost: the roots in between stay as they are.\n"
     "\n"
     "  --from K, --to K, --prefix P   only keys of that range, as in scan\n"
     "  --tree NAME  in the tree of that name; if it was dropped since, it is created\n"
     "  --note TEXT  kept with the root (up to 1,024 bytes)\n"
     "  --root ID    instead of ROOT\n"},
    {"trees",
     "Usage: verso trees STORE [--root ID]\n"
     "       verso trees STORE --drop NAME [--note TEXT]\n"
     "       verso trees STORE --rename OLD NEW [--note TEXT]\n"
     "\n"
     "List the named trees of a root in the order of their names, one a line, separated by tabs:\n"
     "name, number of keys, fingerprint, levels. Or drop one with all its keys, or rename one, "
     "and\n"
     "print the new root; older roots still show it. Trees are created by load and put --tree.\n"
     "\n"
     "  --root ID    of that root; without it, of the newest\n"
     "  --note TEXT  kept with the root (up to 1,024 bytes)\n"},
    {"backup", "Usage: verso backup STORE DEST [--newest]\n"
               "\n"
               "Write a copy of the store to DEST, where nothing may be yet: every kept root under "
               "its number.\n"
               "The copy is checked before it gets its name.\n"
               "\n"
               "  --newest     only the newest root\n"},
    {"compact",
     "Usage: verso compact STORE DEST [--newest | --roots LIST]\n"
     "\n"
     "Write the smallest file that holds the roots, sharing between them what they share in "
     "STORE.\n"
     "\n"
     "  --newest      only the newest root\n"
     "  --roots LIST  these and the newest: numbers and ranges of them, as 7,8-12. A number must "
     "be\n"
     "                kept; of a range, those that are. None may be left out between two\n"
     "\n"
     "DEST is as for backup.\n"},
    {"stat",
     "Usage: verso stat STORE\n"
     "\n"
     "Print the figures of the store, one a line: name, tab, number. Sizes are in bytes.\n"},
    {"check",
     "Usage: verso check STORE\n"
     "\n"
     "Read every page of every kept root and prove that the store is whole: order, checksums, "
     "links,\n"
     "counts, and that each page belongs to somebody. Prints what was proved, or the first fault\n"
     "with its root and page; then the exit code is 1.\n"},
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
