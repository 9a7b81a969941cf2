# Completion of eventgate(8) for fish. Commands and options are those that `eventgate --help` prints.
function __eventgate_words
    set -l typed (commandline -opc)
    set -l help (command $typed[1] --help 2>/dev/null)
    if test (count $typed) -eq 1
        printf '%s\n' $help | awk '$1 == "eventgate" { print $2 }' | sort -u
        return
    end
    # The command's lines, and those that go on from them.
    set -l lines (printf '%s\n' $help | awk -v c=$typed[2] '/^  [^ ]/ { on = $2 == c } /^[^ ]/ { on = 0 } on')
    printf '%s\n' $lines | grep -oE -- '(^|[ []|\|)--?[a-z][a-z-]*' | tr -d ' [|' | sort -u
    # Of `spool`: list|cat|...
    if test (count $typed) -eq 2
        printf '%s\n' $lines | awk '/^  [^ ]/ && $3 ~ /^[a-z|]+$/ { gsub(/\|/, "\n", $3); print $3 }' | sort -u
    end
end

complete -c eventgate -n 'test (count (commandline -opc)) -eq 1' -f
complete -c eventgate -a '(__eventgate_words)'
