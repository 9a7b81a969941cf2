#!/bin/sh
# curl and jq: curl_reader.sh URI. Prints the field `test` of each event, and goes on behind the last id after a break.
id=
while :; do
  curl -sNL ${id:+-H "Last-Event-ID: $id"} "$1" > "$HOME/pipe" &
  while IFS= read -r line; do
    case $line in
      id:*) next=${line#id: } ;;
      data:*)
        printf '%s\n' "${line#data: }" | jq -r '"event " + .test'
        id=$next ;;
    esac
  done < "$HOME/pipe"
  wait
done
