# cli_asserts.sh - what the tests of the command share: to be sourced, with the test's own arguments.
#
# Arguments: VERSO [FOLDER]    FOLDER is made anew; default: a temporary one. The test goes on in it.
set -u

verso=$1
case $verso in
/*) ;;
*) verso=$PWD/$verso ;;
esac
if [ $# -gt 1 ]; then
    folder=$2
    rm -rf "$folder"
    mkdir -p "$folder"
else
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi
cd "$folder" || exit 3

LC_ALL=C
export LC_ALL
tab=$(printf '\t')
failures=0
theme=

# ---- asserts: each looks at the last run ---------------------------------------------------------

about()
{
    theme=$1
}

run()
{
    last="verso $*"
    "$verso" "$@" >out 2>err </dev/null
    code=$?
}

# run_with INPUT ARGUMENT...: INPUT, read by printf %b, on standard input.
run_with()
{
    printf '%b' "$1" >in
    shift
    last="verso $*"
    "$verso" "$@" >out 2>err <in
    code=$?
}

failed()
{
    failures=$((failures + 1))
    [ $failures -le 10 ] || return 0 # the first few tell enough
    echo "FAILED: $theme: $last: $1"
    echo "  exit code $code"
    head -n 20 out | sed 's/^/  out: /'
    head -n 20 err | sed 's/^/  err: /'
}

ends_with()
{
    [ "$code" -eq "$1" ] || failed "exit code $1 expected"
}

prints()
{
    [ "$(cat out)" = "$1" ] || failed "expected output: $1"
}

prints_like()
{
    grep -q -e "$1" out || failed "expected in the output: $1"
}

says()
{
    grep -q -e "$1" err || failed "expected on standard error: $1"
    [ "$(wc -l <err)" -le 2 ] || failed "expected a line or two on standard error"
}

is_silent()
{
    [ ! -s err ] || failed "expected nothing on standard error"
}

# holds WHAT CONDITION...: a condition of test(1).
holds()
{
    what=$1
    shift
    test "$@" || failed "$what: $*"
}

# lines_of TEXT...: the words as lines, their escapes read by printf.
lines_of()
{
    printf '%b\n' "$@"
}

# finish: the test's last line.
finish()
{
    if [ $failures -gt 0 ]; then
        echo "$failures asserts failed"
        exit 1
    fi
    echo "all asserts hold"
}
