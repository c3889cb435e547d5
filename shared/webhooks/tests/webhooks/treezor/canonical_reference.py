#!/usr/bin/env python3
"""PHP's form of JSON texts, token by token, with Python's own strings: what our canonical form is compared with.

Reads texts from standard input, each in hex on a line of its own, and writes their forms, each on a line of its own.
"""
import json.decoder
import json.encoder
import sys

DELETE = "\x7f"


def php_string(text):
    # Python escapes 0x7f, PHP does not; PHP escapes the slash, Python does not.
    parts = (json.encoder.py_encode_basestring_ascii(part)[1:-1] for part in text.split(DELETE))
    return '"' + DELETE.join(parts).replace("/", "\\/") + '"'


def php_form(text):
    form, at = [], 0
    while at < len(text):
        if text[at] == '"':
            string, at = json.decoder.py_scanstring(text, at + 1)
            form.append(php_string(string))
        else:
            form.append(text[at].strip(" \t\r\n"))
            at += 1
    return "".join(form)


def main():
    for line in sys.stdin:
        sys.stdout.write(php_form(bytes.fromhex(line).decode()) + "\n")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="ascii")
    main()
