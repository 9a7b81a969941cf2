# Writes the options of config/config.yaml, which has each with its default and a comment, as sections of a man page:
# awk -f options.awk config.yaml. What is before the first section (`# --- NAME`) is the page's to say.

function roff(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  # `name` is bold.
  while (match(text, /`[^`]*`/))
    text = substr(text, 1, RSTART - 1) "\\fB" substr(text, RSTART + 1, RLENGTH - 2) "\\fR" substr(text, RSTART + RLENGTH)
  if (text ~ /^[.']/) text = "\\&" text
  return text
}

# The option names that wait, and the comment that stood before them.
function flush_option(    i) {
  for (i = 1; i <= names; ++i) print (i == 1 ? ".TP" : ".TQ") "\n" name[i]
  if (names) {
    if (comments) for (i = 1; i <= comments; ++i) print comment[i]
    else print "See above."
    comments = 0
  }
  names = 0
}

# A comment that belongs to no option.
function flush_comment(    i) {
  if (comments) print ".PP"
  for (i = 1; i <= comments; ++i) print comment[i]
  comments = 0
}

function option(line,    indent, key, value) {
  indent = match(line, /[^ ]/) - 1
  line = substr(line, indent + 1)
  key = line; sub(/:.*/, "", key)
  value = line; sub(/^[^:]*: */, "", value)
  if (indent == 0) parent = key
  else key = parent "." key
  if (indent > 2) key = parent "." child substr(key, length(parent) + 1)
  if (indent == 2) child = substr(key, length(parent) + 2)
  name[++names] = "\\fB" roff(key) "\\fR" (value == "" ? "" : ": " roff(value))
}

/^# --- / { flush_option(); flush_comment(); started = 1; print ".SH \"" toupper(substr($0, 7)) "\""; next }
!started { next }
/^ *$/ { flush_option(); flush_comment(); next }
/^ *# / || /^ *#$/ {
  flush_option()
  text = $0; sub(/^ *# ?/, "", text)
  # An example, indented in the comment, stays as it is.
  if (text ~ /^ /) comment[++comments] = ".br\n" roff(text)
  else if (text != "") comment[++comments] = roff(text)
  next
}
# A list: what its elements hold is not shown, nor are those that are no single words.
/^ *- / {
  value = substr($0, match($0, /[^ ]/) + 2)
  in_list = match($0, /[^ ]/)
  if (value !~ /: /) name[names] = name[names] (name[names] ~ /\\fR$/ ? ": " : ", ") roff(value)
  next
}
in_list && match($0, /[^ ]/) > in_list { next }
{ in_list = 0 }
/^ *#?[a-z_]+:/ { line = $0; sub(/#/, "", line); option(line); next }
END { flush_option(); flush_comment() }
