# Completion of popsync for fish: popsync completion fish | source

function __popsync_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] __complete -- $words[2..] 2>/dev/null
end

complete -c popsync -f -a '(__popsync_complete)'
complete -c popsync -l config -r -F -d 'the configuration'
