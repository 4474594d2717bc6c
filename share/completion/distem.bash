# SPDX-License-Identifier: Apache-2.0
# Completion of distem(1) for bash.

_distem() {
    local word=${COMP_WORDS[COMP_CWORD]} command='' options='--url --json --quiet --help' i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            -u | --url) ((i++)) ;;
            -*) ;;
            *)
                command=${COMP_WORDS[i]}
                break
                ;;
        esac
    done
    case $command in
        '')
            options+=' --version'
            COMPREPLY=($(compgen -W "up down validate diff status exec shell show set unset verify trace pnode replan doctor cleanup version help $options" -- "$word"))
            return
            ;;
        up) options+=' --layout --compensate --no-wait --timeout --give-up --verbose' ;;
        down) options+=' --no-wait --timeout' ;;
        validate) options+=' --layout' ;;
        diff) options+=' --compensate --layout --exit-code' ;;
        exec) options+=' --tty' ;;
        show) options+=' --matrix' ;;
        set) options+=' --no-wait --timeout --verbose --matrix --replace' ;;
        unset) options+=' --no-wait --timeout --verbose --matrix' ;;
        verify) options+=' --pairs --sample --seed --only --tolerance --timeout' ;;
        pnode)
            options+=' --label --max-vnodes --max-vifaces --force --no-wait --timeout'
            if [[ ${COMP_WORDS[COMP_CWORD - 1]} == pnode && $word != -* ]]; then
                COMPREPLY=($(compgen -W 'list add remove' -- "$word"))
                return
            fi
            ;;
        replan) options+=' --move-lost --no-wait --timeout' ;;
        cleanup) options+=' --dry-run' ;;
        help)
            COMPREPLY=($(compgen -W 'up down validate diff status exec shell show set unset verify trace pnode replan doctor cleanup version help' -- "$word"))
            return
            ;;
    esac
    case $command:$word in
        set:i* | set:o* | set:b* | unset:i* | unset:o* | unset:b*) COMPREPLY=($(compgen -W 'input output both' -- "$word")) ;;
        *:-*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
        up:* | validate:* | diff:*) COMPREPLY=($(compgen -f -- "$word")) ;;
        *) COMPREPLY=() ;;
    esac
}
complete -o filenames -F _distem distem
