#compdef popsync
# Completion of popsync for zsh: source <(popsync completion zsh), or as _popsync in $fpath

_popsync() {
    local -a candidates
    if [[ $words[CURRENT-1] == --config ]]; then
        _files
        return
    elif [[ $words[CURRENT] == --config=* ]]; then
        compset -P '*='
        _files
        return
    fi
    candidates=("${(@f)$("$words[1]" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    [[ -n $candidates[1] ]] || return 1
    candidates=("${(@)candidates/$'\t'/:}")
    _describe popsync candidates
}

if [[ $funcstack[1] == _popsync ]]; then
    _popsync "$@"
else
    compdef _popsync popsync
fi
