# Completion of eventgate(8) for bash. Commands and options are those that `eventgate --help` prints.
_eventgate() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} help words
  COMPREPLY=()
  if [[ $previous == -c || $previous == --config ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    return
  fi
  help=$("${COMP_WORDS[0]}" --help 2>/dev/null) || return
  if ((COMP_CWORD == 1)); then
    words=$(awk '$1 == "eventgate" { print $2 }' <<< "$help" | sort -u)
  else
    # The command's lines, and those that go on from them.
    help=$(awk -v c="${COMP_WORDS[1]}" '/^  [^ ]/ { on = $2 == c } /^[^ ]/ { on = 0 } on' <<< "$help")
    words=$(grep -oE -- '(^|[ []|\|)--?[a-z][a-z-]*' <<< "$help" | tr -d ' [|' | sort -u)
    # Of `spool`: list|cat|...
    ((COMP_CWORD > 2)) || words+=" $(awk '/^  [^ ]/ && $3 ~ /^[a-z|]+$/ { gsub(/\|/, " ", $3); print $3 }' <<< "$help")"
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _eventgate eventgate
