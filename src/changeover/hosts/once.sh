# The runner for what must happen once. A folder per key: `lock` (held while it runs), `pid`, `in`,
# `out`, `err`, `rc`. Lock held: it runs. Lock free and no pid: it never started. pid and rc: done.
# pid without rc: nobody can know.

# co_once folder setting word...: start it unless it was started before; say what was found. What
# `co_feed` leaves in `in` is its standard input; nobody else ever sees it.
co_once() {
    co_run=$1
    shift
    co_make_dir "$co_run" || return
    {
        if ! flock -n 8; then
            co_note "$co_number" found runs
        elif [ ! -e "$co_run/pid" ]; then
            co_prepare && co_start "$@" && co_note "$co_number" found new
        else
            co_note "$co_number" found old
        fi
    } 8>>"$co_run/lock"
}

# Space for the exit code is taken now: a disk that fills later cannot lose it.
co_prepare() (
    umask 077
    : >"$co_run/out" && : >"$co_run/err" && printf '%-31s\n' '' >"$co_run/rc" &&
        co_feed >"$co_run/in" && sync -- "$co_run/rc" "$co_run"
)

# The runner and the command are sessions of their own: neither a lost connection nor the end of the
# command's group reaches the runner, which writes the exit code. The command records itself before
# it becomes the program, and does not inherit the lock: a daemon it leaves behind must not hold it.
co_start() {
    setsid -f sh -c '
        run=$1 setting=$2
        shift 2
        exec <"$run/in" && rm -f -- "$run/in" || exit
        (
            read -r stat </proc/self/stat
            read -r boot </proc/sys/kernel/random/boot_id
            field() { shift 19; printf "%s" "$1"; }
            born=$(field ${stat##*) })
            printf "%s %s %s\n" "${stat%% *}" "$born" "$boot" >"$run/pid.new" &&
                sync -- "$run/pid.new" && mv -fT -- "$run/pid.new" "$run/pid" &&
                sync -- "$run" || exit 125
            exec >"$run/out" 2>"$run/err" 8>&-
            eval "$setting" || exit 125
            exec setsid -- "$@"
        )
        code=$?
        [ -e "$run/pid" ] || exit
        printf "%-15s" "$code" 1<>"$run/rc"
        sync -- "$run/rc"
    ' sh "$co_run" "$@" </dev/null >/dev/null 2>&1
}

# co_follow seconds: until the runner ends, say so often how much was printed: a sign of life both
# ways, since a follower whose listener is gone ends at its next word.
co_follow() {
    while ! flock -w "$1" -s "$co_run/lock" true; do
        co_sizes=$(stat -c %s -- "$co_run/out" "$co_run/err" 2>/dev/null)
        co_note "$co_number" size "${co_sizes%%
*}+${co_sizes##*
}"
    done
}

# co_outcome cap: the recorded code, how long the outputs are, and at most the ends of both.
co_outcome() {
    co_code=
    [ ! -e "$co_run/rc" ] || read -r co_code <"$co_run/rc"
    if [ ! -e "$co_run/pid" ]; then
        co_note "$co_number" outcome never
    elif [ -z "$co_code" ]; then
        co_note "$co_number" outcome unknown
    else
        co_note "$co_number" outcome "$co_code"
        tail -c "$1" -- "$co_run/out"
        tail -c "$1" -- "$co_run/err" >&2
    fi
}

# co_cancel folder signal: to the command of a run that is still under way.
co_cancel() {
    if flock -n "$1/lock" true || [ ! -r "$1/pid" ]; then return; fi
    read -r co_one co_start co_rest <"$1/pid"
    co_end_leftover "$co_one" "$co_start" "$2"
}

# co_retire prefix: forget the finished runs whose folder begins so.
co_retire() {
    set +f
    for co_run in "$1"*; do
        if [ -d "$co_run" ] && flock -n "$co_run/lock" true; then rm -rf -- "$co_run"; fi
    done
    set -f
}

# co_running prefix: print the names of the runs under way.
co_running() {
    set +f
    for co_run in "$1"*; do
        if [ -d "$co_run" ] && ! flock -n "$co_run/lock" true; then printf '%s\n' "${co_run##*/}"; fi
    done
    set -f
}
