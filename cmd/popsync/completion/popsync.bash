# Completion of popsync for bash: source <(popsync completion bash)

_popsync() {
    local word reply last=""
    local -a words=()
    COMPREPLY=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        # bash takes --color=auto apart
        if [[ ${#words[@]} -gt 0 && ($word == "=" || $last == *=) ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
        last=$word
    done
    last=${words[${#words[@]} - 1]}
    if [[ $last == --config=* || ${#words[@]} -gt 1 && ${words[${#words[@]} - 2]} == --config ]]; then
        compopt -o filenames
        while read -r reply; do
            COMPREPLY+=("$reply")
        done < <(compgen -f -- "${last#--config=}")
        return
    fi
    while IFS=$'\t' read -r reply _; do
        COMPREPLY+=("${reply##*=}")
    done < <("$1" __complete -- "${words[@]}" 2>/dev/null)
}

complete -F _popsync popsync
