#compdef eventgate
# Completion of eventgate(8) for zsh. Commands and options are those that `eventgate --help` prints.
_eventgate() {
  local help
  local -a names
  help=$(${words[1]} --help 2>/dev/null) || return 1
  if [[ ${words[CURRENT-1]} == (-c|--config) ]]; then
    _files
    return
  fi
  if ((CURRENT == 2)); then
    names=(${(fu)"$(awk '$1 == "eventgate" { print $2 }' <<< $help)"})
  else
    # The command's lines, and those that go on from them.
    help=$(awk -v c=${words[2]} '/^  [^ ]/ { on = $2 == c } /^[^ ]/ { on = 0 } on' <<< $help)
    names=(${(fu)"$(grep -oE -- '(^|[ []|\|)--?[a-z][a-z-]*' <<< $help | tr -d ' [|')"})
    # Of `spool`: list|cat|...
    ((CURRENT > 3)) || names+=(${(fu)"$(awk '/^  [^ ]/ && $3 ~ /^[a-z|]+$/ { gsub(/\|/, "\n", $3); print $3 }' <<< $help)"})
    [[ ${words[CURRENT]} == -* ]] || _files
  fi
  compadd -a names
}
_eventgate "$@"
