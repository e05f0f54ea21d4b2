# What a host's shell knows. Sent once when it is opened; POSIX sh with coreutils and util-linux.
# Every answer is a note: $co_mark number kind text. Notes are short, so that they are written in
# one piece. Programs the shell runs for itself read nothing from its standard input.
set -f
umask 022
unset ENV BASH_ENV CDPATH LANGUAGE
for co_bin in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do
    case :$PATH: in *:"$co_bin":*) ;; *) PATH=$PATH:$co_bin ;; esac
done
TERM=dumb LC_ALL=C
[ ! -d /usr/lib/locale/C.UTF-8 ] && [ ! -d /usr/lib/locale/C.utf8 ] || LC_ALL=C.UTF-8
export PATH TERM LC_ALL
cd /

co_note() { printf '%s%s %s %s\n' "$co_mark" "$1" "$2" "$3"; }

# co_answer number text: of the text, its first line.
co_answer() {
    co_note "$1" answer "${2%%
*}"
}

# co_signal signal pid: to the group the command leads; it may still be about to lead it, and where
# it runs as another user, an ordinary user needs sudo.
co_signal() {
    kill -s "$1" -- "-$2" 2>/dev/null || kill -s "$1" "$2" 2>/dev/null ||
        sudo -n kill -s "$1" -- "-$2"
}

# co_begin what line...: note who works; with a lease, record it and prove the lease; append
# the journal lines. The record comes before the proof: whoever takes the lease away then looks at
# the records, so that one of the two always sees the other.
co_begin() {
    co_what=$1
    shift
    read -r co_stat </proc/self/stat
    co_whoami "$co_stat"
    co_note "$co_number" begin "$co_pid"
    co_note "$co_number" begin '' >&2
    if [ -n "$co_token" ]; then
        if [ -n "$co_what" ]; then
            printf '%s %s %s\n' "$co_pid" "$co_born" "$co_what" >"$co_record" ||
                { co_note "$co_number" full ''; return 1; }
        fi
        co_holder=
        [ ! -r "$co_dir/lock" ] || read -r co_holder co_rest <"$co_dir/lock"
        [ "$co_holder" = "$co_token" ] || { co_note "$co_number" fenced ''; return 1; }
    fi
    [ $# -eq 0 ] || co_journal "$@" || { co_note "$co_number" full ''; return 1; }
}

# The 22nd field of /proc/PID/stat is the start time: with the id it names one process for good.
co_whoami() {
    co_pid=${1%% *}
    set -- ${1##*) }
    co_born=${20}
}

# A torn line of a full disk or a dead shell must not spoil the next: hence the newline in front.
co_journal() {
    co_make_dir "$co_dir" || return 1
    umask 077
    for co_line; do
        printf '\n%s\n' "$co_line" >>"$co_dir/journal" || { umask 022; return 1; }
    done
    umask 022
}

co_make_dir() { [ -d "$1" ] || (umask 077 && exec mkdir -p -- "$1") </dev/null; }

co_end() {
    co_note "$co_number" end '' >&2
    co_note "$co_number" end "$1"
}

# For what the shell does itself: the record must not go on naming it.
co_idle() { [ -z "$co_token" ] || printf 'idle\n' >"$co_record"; }

co_folder() {
    co_parent=${1%/*}
    [ -n "$co_parent" ] || co_parent=/
}

# co_missing path: say so where it is not missing but hidden (a folder above may not be searched).
co_missing() {
    co_folder "$1"
    while [ ! -e "$co_parent" ] && [ "$co_parent" != / ]; do co_folder "$co_parent"; done
    if [ -d "$co_parent" ] && [ ! -x "$co_parent" ]; then
        printf '%s: may not be searched\n' "$co_parent" >&2
        return 1
    fi
}

# co_look path largest: one line of state, then the content, the digest of a larger one, or the
# target of a link.
co_look() {
    if [ -L "$1" ]; then
        printf 'link\n'
        readlink -n -- "$1"
    elif [ -d "$1" ]; then
        co_stat=$(stat -c '%a %U %G %u %g' -- "$1") && printf 'dir %s\n' "$co_stat"
    elif [ -f "$1" ]; then
        co_stat=$(stat -c '%a %U %G %u %g %s' -- "$1") || return
        printf 'file %s\n' "$co_stat"
        if [ "${co_stat##* }" -le "$2" ]; then cat -- "$1"; else sha256sum <"$1"; fi
    elif [ -e "$1" ]; then
        co_stat=$(stat -c '%a %U %G %u %g' -- "$1") && printf 'other %s\n' "$co_stat"
    else
        co_missing "$1" && printf 'absent\n'
    fi
}

# co_place new path mode owner: give the new file mode and owner, then rename it: every moment
# has the whole old file or the whole new one, also after a power cut.
co_place() {
    co_folder "$2"
    co_own "$1" "$2" "$4" && chmod -- "$3" "$1" && sync -- "$1" &&
        mv -fT -- "$1" "$2" && sync -- "$co_parent" && return
    rm -f -- "$1"
    return 1
}

# co_own new path owner: `a:b`, `a` or `:b`; what is left out is that of the path, if there is one.
co_own() {
    case $3 in
    ?*:?*) ;;
    *) [ ! -e "$2" ] || [ -L "$2" ] || chown --reference="$2" -- "$1" || return ;;
    esac
    [ -z "$3" ] || chown -- "$3" "$1"
}

# co_write new path mode owner: standard input becomes the path.
co_write() {
    (umask 077 && set -C && exec cat >"$1") && co_place "$@" && return
    rm -f -- "$1"
    return 1
}

# co_print new path mode owner format: what printf makes of the format becomes the path.
co_print() {
    (umask 077 && set -C && printf -- "$5" >"$1") && co_place "$1" "$2" "$3" "$4" && return
    rm -f -- "$1"
    return 1
}

co_remove() {
    co_folder "$1"
    if [ -d "$1" ] && [ ! -L "$1" ]; then
        rmdir -- "$1" && sync -- "$co_parent"
    elif [ -e "$1" ] || [ -L "$1" ]; then
        rm -f -- "$1" && sync -- "$co_parent"
    else
        co_missing "$1"
    fi
}

# co_link new path target
co_link() {
    co_folder "$2"
    if ln -s -- "$3" "$1"; then
        mv -fT -- "$1" "$2" && sync -- "$co_parent" && return
        rm -f -- "$1"
    fi
    return 1
}

# co_make_folder path mode owner
co_make_folder() {
    co_folder "$1"
    mkdir -p -- "$1" || return
    [ -z "$3" ] || chown -- "$3" "$1" || return
    chmod -- "$2" "$1" && sync -- "$1" "$co_parent"
}

# co_keep path new: copy into the store under the digest of the copy, and print that.
co_keep() {
    co_make_dir "$co_dir/store" || return
    co_new=$co_dir/store/$2
    [ -f "$1" ] || { printf '%s: not a file\n' "$1" >&2; return 1; }
    if (umask 077 && set -C && exec cat -- "$1" >"$co_new"); then
        co_digest=$(sha256sum <"$co_new") && co_digest=${co_digest%% *} && sync -- "$co_new" &&
            mv -fT -- "$co_new" "$co_dir/store/$co_digest" && sync -- "$co_dir/store" &&
            printf '%s' "$co_digest" && return
    fi
    rm -f -- "$co_new"
    return 1
}

# co_restore digest new path mode owner
co_restore() {
    (umask 077 && set -C && exec cat -- "$co_dir/store/$1" >"$2") || { rm -f -- "$2"; return 1; }
    co_digest=$(sha256sum <"$2")
    if [ "${co_digest%% *}" != "$1" ]; then
        printf 'what is kept as %s is no longer what it was\n' "$1" >&2
        rm -f -- "$2"
        return 1
    fi
    shift
    co_place "$@"
}
