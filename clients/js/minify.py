#!/usr/bin/env python3
"""Writes client.min.js and client.classic.min.js, which the gate serves, from client.js, and their hashes into README.md.

usage: minify.py [--check]      --check writes nothing, and exits with 1 if a file is not what it would write

It removes comments and white space, and gives short names to names that are declared in the file. It knows no scopes: a
name has the same short name everywhere. So a name stays as it is if it is ever a property, or is in a pattern or an object
as a shorthand. The source may have no template literals.
"""

import base64
import hashlib
import itertools
import pathlib
import re
import string
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
TOKEN = re.compile(
    r"(?P<comment>//[^\n]*)"
    r"|(?P<space>\s+)"
    r"|(?P<string>'(?:\\.|[^'\\\n])*')"
    r"|(?P<name>[A-Za-z_$][\w$]*)"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<punctuator>=>|\.\.\.|\*\*|\+\+|--|&&|\|\||[=!<>]=|>>|[-+*/%]=|.)"
)
REGEX = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*")
WORDS = set(
    "async await break case catch const continue do else export false finally for if in let new null of return throw true try"
    " typeof undefined while".split()
)


def tokens(source):
    at, found = 0, []
    while at < len(source):
        # A slash is a division behind a value, and begins a regular expression elsewhere.
        value = found and (found[-1] in (")", "]") or re.fullmatch(r"[\w$]+|'.*'", found[-1])) and found[-1] not in WORDS
        if source[at] == "/" and source[at + 1] != "/" and not value:
            text = REGEX.match(source, at)[0]
        else:
            match = TOKEN.match(source, at)
            text = match[0]
            if text == "`":
                sys.exit("minify.py: expected no template literals")
            if match.lastgroup in ("comment", "space"):
                at += len(text)
                continue
        found.append(text)
        at += len(text)
    return found


def is_name(token):
    return re.fullmatch(r"[A-Za-z_$][\w$]*", token) and token not in WORDS


def short_names(found):
    """The names to replace, each with its short name: the most frequent ones have the shortest."""
    declared, kept, objects = set(), set(), []
    for i, token in enumerate(found):
        before, after = found[i - 1] if i else "", found[i + 1] if i + 1 < len(found) else ""
        if token == "{":
            objects.append(before not in (")", "=>", "else", "try", "finally", "catch", ";", "{", "}"))
        elif token == "(" or token == "[":
            objects.append(False)
        elif token in (")", "]", "}"):
            objects.pop()
        if not is_name(token):
            continue
        if before in ("const", "let") or after == "=>":
            declared.add(token)
        if after == ")" or after == "," or before == "," or before == "(":
            declared |= parameters(found, i)
        if found[i - 2 : i] == ["export", "const"] or before == "." or after == ":" and found[i - 2] != "?" and before in ("{", ","):
            kept.add(token)
        if objects and objects[-1] and before in ("{", ","):
            kept.add(token)
    counts = {name: found.count(name) for name in declared - kept}
    used = set(found)
    short = (
        name
        for size in (1, 2)
        for name in map("".join, itertools.product(string.ascii_letters, repeat=size))
        if name not in used and name not in WORDS
    )
    return {name: next(short) for name in sorted(counts, key=lambda name: (-counts[name], name)) if len(name) > 1}


def parameters(found, at):
    """The token `at` if it is a parameter of an arrow function: the parenthesis around it ends before `=>`."""
    depth, i = 0, at
    while i < len(found) and depth >= 0:
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(found[i], 0)
        i += 1
    begin, depth = at, 0
    while begin >= 0 and depth >= 0:
        depth += {")": 1, "]": 1, "}": 1, "(": -1, "[": -1, "{": -1}.get(found[begin], 0)
        begin -= 1
    is_list = i < len(found) and found[i - 1] == ")" and found[i] == "=>" and found[begin + 1] == "("
    return {found[at]} if is_list else set()


def with_numbers(found):
    """The tokens without constants that are a number, which stands in their places."""
    numbers, out, i = {}, [], 0
    while i < len(found):
        if found[i] == "const" and found[i + 2] == "=" and re.fullmatch(r"\d\w*", found[i + 3]) and found[i + 4] == ";":
            numbers[found[i + 1]] = found[i + 3]
            i += 5
        else:
            out.append(found[i])
            i += 1
    return [numbers.get(token, token) for token in out]


def joined(found):
    """The tokens, with `const a = 1; const b = 2;` as `const a = 1, b = 2;`, and the same for `let`."""
    out, starts, begins = [], [""], True
    for i, token in enumerate(found):
        if begins and token != ";":
            starts[-1] = token
        begins = token in (";", "{", "}")
        if token in ("(", "[", "{"):
            starts.append("")
        elif token in (")", "]", "}"):
            starts.pop()
        elif token == ";" and starts[-1] in ("const", "let") and found[i + 1 : i + 2] == [starts[-1]]:
            token = ","
        elif token in ("const", "let") and out and out[-1] == "," and found[i - 1] == ";":
            continue
        out.append(token)
    return out


def minified(source):
    found = with_numbers(tokens(source))
    short = short_names(found)
    found = joined(found)
    text = ""
    for i, token in enumerate(found):
        before = found[i - 1] if i else ""
        is_property = before == "." or (i + 1 < len(found) and found[i + 1] == ":" and before in ("{", ","))
        word = token if is_property else short.get(token, token)
        if text and re.match(r"[\w$]", word) and re.search(r"[\w$]$", text):
            text += " "
        if text and word[0] in "+-" and text[-1] == word[0]:
            text += " "
        text += word
    # A comma, or a semicolon, before a closing bracket adds nothing. (An empty statement would need it: there is none.)
    return re.sub(r"[,;](?=[}\])])", "", text) + "\n"


def main():
    source = (FOLDER / "client.js").read_text()
    module = minified(source)
    classic = minified("(() => {" + source.replace("export const", "const") + "window.eventGate = { createClient };})();")
    # The path of the gate (src/CMakeLists.txt), and what browsers check (W3C Subresource Integrity).
    readme = (FOLDER / "README.md").read_text()
    path = "client.classic-" + hashlib.sha256(classic.encode()).hexdigest()[:16] + ".js"
    integrity = "sha384-" + base64.b64encode(hashlib.sha384(classic.encode()).digest()).decode()
    readme = re.sub(r"client\.classic-\w+\.js", path, readme)
    readme = re.sub(r'integrity="[^"]*"', lambda _: f'integrity="{integrity}"', readme)
    good = True
    for name, text in (("client.min.js", module), ("client.classic.min.js", classic), ("README.md", readme)):
        file = FOLDER / name
        if file.exists() and file.read_text() == text:
            continue
        if "--check" in sys.argv[1:]:
            print(f"{file}: expected what clients/js/minify.py writes; run it")
            good = False
        else:
            file.write_text(text)
    sys.exit(0 if good else 1)


main()
