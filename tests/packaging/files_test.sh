#!/usr/bin/env bash
# The files of the package that are made of others: the manual has every option and command and no mistake in its markup, the
# config is read without a warning, the completion knows what `eventgate --help` knows.
# usage: files_test.sh EVENTGATE VERSION
set -euo pipefail
gate=$1 version=$2
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
fail() { echo "FAILED: $*" >&2; exit 1; }

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
packaging/make_files "$gate" "$version" "$directory"
for page in eventgate.8 eventgate.yaml.5; do
  gunzip "$directory/$page.gz"
  ! grep -q '@[A-Z_]*@' "$directory/$page" || fail "$page has a place that nothing was put in"
  ! command -v groff > /dev/null || said=$(groff -ww -mandoc -Tutf8 "$directory/$page" 2>&1 > /dev/null)
  [[ -z ${said:-} ]] || fail "$page: $said"
done

# An option is `name:` or `#name:` in config.yaml; its name in the manual ends in that.
options=$(sed -nE 's/^ *#?([a-z_]+):( .*)?$/\1/p' config/config.yaml | grep -vx 'meta\|stream\|test' | sort -u)
(($(wc -l <<< "$options") > 60)) || fail "config/config.yaml has few options: $options"
for option in $options; do
  grep -qE "^\\\\fB([a-z_]+\.)*$option\\\\fR" "$directory/eventgate.yaml.5" || fail "eventgate.yaml(5) has no $option"
done

commands=$("$gate" --help | awk '$1 == "eventgate" { print $2 }' | sort -u)
for command in $commands; do
  grep -qE "^eventgate ${command//-/\\\\-}" "$directory/eventgate.8" || fail "eventgate(8) has no $command"
done
sed -i 's|/usr/share/eventgate/schemas|schemas|; s|/etc/eventgate/|config/|; s|^cache_dir: cache|cache_dir: '"$directory/cache"'|' \
  "$directory/config.yaml"
said=$("$gate" check -c "$directory/config.yaml") || fail "the package's config: $said"
[[ $said == 'no problems' ]] || fail "the package's config: $said"

complete() { :; }
compopt() { :; }
source packaging/completion.bash
completions() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _eventgate; printf '%s\n' "${COMPREPLY[@]}" | sort; }
[[ $(completions "$gate" '') == "$commands" ]] || fail "commands completed: $(completions "$gate" '')"
[[ $(completions "$gate" spool d) == drop ]] || fail "'spool d' is completed to: $(completions "$gate" spool d)"
[[ $(completions "$gate" serve --) == --dev ]] || fail "'serve --' is completed to: $(completions "$gate" serve --)"
[[ $(completions "$gate" check --) == $'--json\n--wiki' ]] || fail "'check --' is completed to: $(completions "$gate" check --)"
[[ $(completions "$gate" serve -c config/config) == config/config.yaml ]] || fail "a file is not completed"

# The other shells complete the same. zsh has no way to ask for completions but a terminal, so compadd prints them.
if command -v zsh > /dev/null; then
  zsh_completions() {
    zsh -f -c 'compadd() { shift; print -l -- ${(P)1} | sort }; _files() { print FILES }; words=("$@"); CURRENT=$#
               source packaging/completion.zsh' zsh "$@"
  }
  [[ $(zsh_completions "$gate" '') == "$commands" ]] || fail "zsh: commands completed: $(zsh_completions "$gate" '')"
  [[ $(zsh_completions "$gate" spool d) == *drop* ]] || fail "zsh: 'spool d' is completed to: $(zsh_completions "$gate" spool d)"
  [[ $(zsh_completions "$gate" serve --) == *--dev* ]] || fail "zsh: 'serve --' is completed to: $(zsh_completions "$gate" serve --)"
  [[ $(zsh_completions "$gate" serve -c x) == FILES ]] || fail "zsh: files are not completed"
else
  echo "NOT TESTED: completion for zsh, which is not installed"
fi
if command -v fish > /dev/null; then
  fish_completions() {  # $1: the line; "eventgate" in it is the gate
    XDG_CONFIG_HOME=$directory XDG_DATA_HOME=$directory PATH=$(dirname "$gate"):$PATH fish --no-config -c \
      'source packaging/completion.fish; complete -C $argv[1]' "$1" | cut -f1 | sort
  }
  [[ $(fish_completions 'eventgate ') == "$commands" ]] || fail "fish: commands completed: $(fish_completions 'eventgate ')"
  [[ $(fish_completions 'eventgate spool d') == *drop* ]] || fail "fish: 'spool d': $(fish_completions 'eventgate spool d')"
  [[ $(fish_completions 'eventgate serve --') == *--dev* ]] || fail "fish: 'serve --': $(fish_completions 'eventgate serve --')"
else
  echo "NOT TESTED: completion for fish, which is not installed"
fi
