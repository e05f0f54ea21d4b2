# The lease on the host: `lock` holds `token boot until ttl holder`, times in seconds of uptime. Wall
# clocks jump; uptime does not, and a new boot gives the holder one full ttl to come back.
co_now() {
    read -r co_uptime co_rest </proc/uptime
    co_uptime=${co_uptime%.*}
    read -r co_boot </proc/sys/kernel/random/boot_id
}

# Sets co_left to the seconds the lease still has; 0 when it lapsed or there is none.
co_lease() {
    co_holder='' co_left=0 co_name=''
    [ -r "$co_dir/lock" ] || return 0
    read -r co_holder co_then co_until co_ttl co_name <"$co_dir/lock" || return 0
    co_now
    co_left=$((co_until - co_uptime))
    # More than a whole ttl ahead: the uptime began anew (a container without a boot of its own).
    if [ "$co_then" != "$co_boot" ] || [ "$co_left" -gt "$co_ttl" ]; then
        co_left=$((co_ttl - co_uptime))
    fi
    [ "$co_left" -gt 0 ] || co_left=0
}

co_under_mutex() {
    co_make_dir "$co_dir/shells" || return
    {
        flock 9 && "$@" 9>&-
    } 9>>"$co_dir/lock.mutex"
}

# co_take token ttl own holder: `own` is a lease we may replace; `force` takes anybody's.
co_take() {
    co_lease
    case $3 in
    force | "$co_holder") co_left=0 ;;
    esac
    if [ "$co_left" -gt 0 ]; then
        printf 'held %s %s %s' "$co_holder" "$co_left" "$co_name"
        return
    fi
    co_sweep
    co_write_lease "$1" "$2" "$4" && printf taken
}

# Remove the input of requests that were cut off before they could use it.
co_sweep() {
    set +f
    for co_file in "$co_dir"/changeover.*; do
        [ ! -f "$co_file" ] || find "$co_file" -mmin +60 -delete
    done
    set -f
}

# co_renew token ttl holder
co_renew() {
    co_lease
    if [ "$co_holder" = "$1" ]; then co_write_lease "$1" "$2" "$3" && printf renewed; else printf lost; fi
}

co_release() {
    co_lease
    [ "$co_holder" != "$1" ] || rm -f -- "$co_dir/lock"
}

co_show() {
    co_lease
    [ "$co_left" -eq 0 ] || printf 'held %s %s %s' "$co_holder" "$co_left" "$co_name"
}

co_write_lease() {
    co_now
    printf '%s %s %s %s %s\n' "$1" "$co_boot" "$((co_uptime + $2))" "$2" "$3" >"$co_dir/lock.new" &&
        sync -- "$co_dir/lock.new" && mv -fT -- "$co_dir/lock.new" "$co_dir/lock"
}

# co_leftovers own...: print `id pid born what` of every command that runs for another shell of ours.
co_leftovers() {
    set +f
    for co_file in "$co_dir"/shells/*; do
        [ -f "$co_file" ] || continue
        case " $* " in *" ${co_file##*/} "*) continue ;; esac
        read -r co_one co_start co_what <"$co_file" || continue
        [ "$co_one" != idle ] || continue
        if co_runs "$co_one" "$co_start"; then
            printf '%s %s %s %s\n' "${co_file##*/}" "$co_one" "$co_start" "$co_what"
        else
            rm -f -- "$co_file"
        fi
    done
    set -f
}

# co_runs pid born: whether this very process is there and has not ended.
co_runs() {
    [ -r "/proc/$1/stat" ] && read -r co_stat 2>/dev/null <"/proc/$1/stat" || return 1
    co_born=''
    co_whoami "$co_stat"
    [ "$co_born" = "$2" ] || return 1
    case ${co_stat##*) } in Z*) return 1 ;; esac
}

# co_end_leftover pid born signal
co_end_leftover() {
    if co_runs "$1" "$2"; then co_signal "$3" "$1"; fi
}
