# eval "$(lookback completion)"
_lookback() {
    local word="${COMP_WORDS[COMP_CWORD]}"
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "$(lookback --help | awk '/^  [a-z]+ +[A-Z]/ {printf "%s ", $1}')" -- "$word"))
        return
    fi
    # Bash takes "=" for the end of a word; Hydra is asked for the whole of it.
    local line="${COMP_LINE:0:$COMP_POINT}"
    local whole="${line##* }"
    local before="${whole%"$word"}"
    local asked="pipelines/${COMP_WORDS[1]}.py ${line#*"${COMP_WORDS[1]} "}"
    local found
    found=$(COMP_LINE="python $asked" COMP_POINT=$((7 + ${#asked})) lookback "${COMP_WORDS[1]}" -sc query=bash 2>/dev/null)
    COMPREPLY=()
    local one
    for one in $found; do
        COMPREPLY+=("${one#"$before"}")
    done
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=./] ]] && compopt -o nospace
    return 0
}
complete -o default -F _lookback lookback
