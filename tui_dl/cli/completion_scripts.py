"""What a shell is told once: a small script of its own that asks `tui-dl` what may follow."""

from __future__ import annotations

from typing import Final

_BASH: Final = r"""# tui-dl completion for bash (4.4 or newer)
_tui_dl_completion() {
    local kind value text
    local program="${1/#\~\//$HOME/}"
    COMPREPLY=()
    # The line as it stands: bash's own words end at every ':' and '='.
    while IFS=$'\t' read -r kind value text; do
        case $kind in
            file)
                compopt -o filenames
                while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$value")
                ;;
            dir)
                compopt -o filenames
                while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -d -- "$value")
                ;;
            *)
                [[ $kind == more ]] && compopt -o nospace
                case $value in
                    *[[:space:]\"\'\\\`\$\&\;\|\<\>\(\)\*\?]*) printf -v value %q "$value" ;;
                esac
                COMPREPLY+=("$value")
                ;;
        esac
    done < <(_TUI_DL_COMPLETE=bash "$program" "$COMP_WORDBREAKS" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}
complete -o nosort -F _tui_dl_completion tui-dl
"""

_ZSH: Final = r"""#compdef tui-dl
# tui-dl completion for zsh
_tui_dl() {
    local line kind value text
    local -a parts plain plain_shown more more_shown
    for line in "${(@f)$(_TUI_DL_COMPLETE=zsh ${~words[1]} "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        parts=("${(@ps:\t:)line}")
        kind=$parts[1] value=$parts[2] text=$parts[3]
        case $kind in
            file) [[ $PREFIX == -*=* ]] && compset -P '*='; _files ;;
            dir) [[ $PREFIX == -*=* ]] && compset -P '*='; _files -/ ;;
            plain) plain+=("$value"); plain_shown+=("$value${text:+  -- $text}") ;;
            more) more+=("$value"); more_shown+=("$value${text:+  -- $text}") ;;
        esac
    done
    local -a how
    (( ${#plain} + ${#more} > 40 )) || how=(-l)
    (( $#plain )) && compadd -V words $how -d plain_shown -a plain
    (( $#more )) && compadd -V terms $how -S '' -d more_shown -a more
    return 0
}
if [[ ${funcstack[1]} == _tui_dl ]]; then
    _tui_dl "$@"
else
    compdef _tui_dl tui-dl
fi
"""

_FISH: Final = r"""# tui-dl completion for fish (3.1 or newer)
function __tui_dl_complete
    set -l typed (commandline -opc)
    set -l current (commandline -ct | string trim -l -c '"\'')
    for line in (_TUI_DL_COMPLETE=fish $typed[1] $typed[2..-1] "$current" 2>/dev/null)
        set -l parts (string split \t -- $line)
        switch $parts[1]
            case file
                for one in (__fish_complete_path $parts[2])
                    echo -- $parts[3]$one
                end
            case dir
                for one in (__fish_complete_directories $parts[2])
                    echo -- $parts[3]$one
                end
            case '*'
                echo -- $parts[2]\t$parts[3]
        end
    end
end
complete -c tui-dl -f -k -a '(__tui_dl_complete)'
"""

SCRIPTS: Final = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
"""The script of each shell. It runs `tui-dl` with `_TUI_DL_COMPLETE` set and reads lines of three fields between tabs:
what kind of word it is (`plain`, `more` where no blank follows, `file`, `dir`), the word, what is said of it."""
