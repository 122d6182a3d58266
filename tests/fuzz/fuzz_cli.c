/*
 * fuzz_cli.c - the command with any words and any input, in this process and on a simulated disk.
 *
 * An input is text. A line that begins with '$' is a command, its words parted by bytes of value 1;
 * the lines up to the next such line are its standard input. All work on one disk, on which a small
 * store lies. A slash in a word becomes a minus, so that no file of the machine is meant.
 *
 * The linker hands the command's calls of vs_os_real() to __wrap_vs_os_real() below.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_target.h"
#include "message.h"
#include "os/os.h"
#include "seed_stores.h"
#include "store_reading.h"
#include "verdict.h"

enum {
    COMMANDS_MAX = 8,
    WORDS_MAX = 24,
    TEXT_MAX = 16 * 1024,
    DISK_BYTES = 32 << 20,
    WORD_END = 1,
};

/* tools/verso.c, whose main() the build renames. */
int verso_main(int argc, char **argv);

const struct vs_os *__wrap_vs_os_real(void); // NOLINT(bugprone-reserved-identifier): the linker's

static struct simulated_disk *disk;

const struct vs_os *__wrap_vs_os_real(void) // NOLINT(bugprone-reserved-identifier)
{
    return simulated_disk_os(disk);
}

/* ---- one command ---- */

struct command {
    char text[TEXT_MAX + 1]; /* its words, each ended by a zero */
    char *words[WORDS_MAX + 2];
    int count;
    char *input;
    size_t input_size;
};

/* The command may write into its words. */
static void read_words(struct command *command, const uint8_t *line, size_t size)
{
    static char name[] = "verso";
    size = size < TEXT_MAX ? size : TEXT_MAX;
    memcpy(command->text, line, size);
    command->text[size] = '\0';
    command->words[0] = name;
    command->words[1] = command->text;
    command->count = 2;
    for (size_t i = 0; i < size; i++) {
        char *at = &command->text[i];
        *at = (char)(*at == '/' ? '-' : *at);
        if (*at == WORD_END) {
            *at = '\0';
            if (command->count > WORDS_MAX) {
                break;
            }
            command->words[command->count++] = at + 1;
        }
    }
    command->words[command->count] = NULL;
}

static FILE *must_open(FILE *stream)
{
    verdict_require(stream != NULL, "no stream for the command");
    return stream;
}

static int run_with_streams(struct command *command)
{
    FILE *streams[] = {stdin, stdout, stderr};
    stdin = command->input_size > 0 ? must_open(fmemopen(command->input, command->input_size, "r"))
                                    : must_open(fopen("/dev/null", "re"));
    stdout = must_open(fopen("/dev/null", "we"));
    stderr = must_open(fopen("/dev/null", "we"));
    int code = verso_main(command->count, command->words);
    (void)fclose(stdin);
    (void)fclose(stdout);
    (void)fclose(stderr);
    stdin = streams[0];
    stdout = streams[1];
    stderr = streams[2];
    return code;
}

static void run(struct command *command)
{
    int code = run_with_streams(command);
    verdict_require(code >= ENDS_DONE && code <= ENDS_ERROR, "a code that no command ends with");
    verdict_require(simulated_disk_open_files(disk) == 0, "files are left open");
}

/* ---- all of them ---- */

static const uint8_t *line_end(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *found = memchr(at, '\n', (size_t)(end - at));
    return found == NULL ? end : found;
}

/* Where the next command begins, or the end. */
static const uint8_t *next_command(const uint8_t *at, const uint8_t *end)
{
    while (at < end && *at != '$') {
        at = line_end(at, end);
        at += at < end;
    }
    return at;
}

static void run_all(const uint8_t *at, const uint8_t *end)
{
    static struct command command;
    at = next_command(at, end);
    for (unsigned i = 0; i < COMMANDS_MAX && at < end; i++) {
        const uint8_t *line = at + 1;
        at = line_end(line, end);
        read_words(&command, line, (size_t)(at - line));
        at += at < end;
        const uint8_t *input = at;
        at = next_command(at, end);
        command.input_size = (size_t)(at - input);
        command.input = malloc(command.input_size + 1);
        verdict_require(command.input != NULL, "no memory");
        memcpy(command.input, input, command.input_size);
        run(&command);
        free(command.input);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct simulated_disk *template;
    if (template == NULL) {
        template = seed_store_closed(SEED_TREES, 512);
    }
    disk = simulated_disk_clone(template);
    simulated_disk_set_capacity(disk, DISK_BYTES);
    simulated_disk_set_written_through(disk, true);
    run_all(data, data + size);
    verso_store *store = seed_store_open(disk, 0);
    verdict_require(store_is_sound(store), "the command has left a store that is not sound");
    verdict_require(verso_close(store) == VERSO_OK, "closing fails");
    simulated_disk_close(disk);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static const char *const pieces[] = {
        "$put\1store\1key\1value\n", "$scan\1store\1--root\1",   "$load\1store\n",
        "\1--tree\1users",           "\1--tag\1second",          "\1--at\1@-1d",
        "\1--from\1k\1--to\1l",      "\1--prefix\1key",          "\1--note\1\\x00\\n",
        "$diff\1store\0011\0012",    "$history\1store\1key\n",   "$check\1store\n",
        "$keep\1store\1--last\0012", "$tag\1store\1name\0011\n", "$backup\1store\1copy\n",
        "key\tvalue\\x41\n",         "18446744073709551616",     "\1--"};
    size_t length = strlen(pieces[seed / 4 % (sizeof pieces / sizeof pieces[0])]);
    if (seed % 4 != 0 || size == 0 || size + length > max_size) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    size_t at = seed / 4096 % size;
    memmove(data + at + length, data + at, size - at);
    memcpy(data + at, pieces[seed / 4 % (sizeof pieces / sizeof pieces[0])], length);
    return size + length;
}
