"""Reads tokens with Python's cryptography: the keys (comma-separated) and a list of tokens as JSON on standard input, the
plain texts as JSON on standard output. A token that no key decrypts is null. Exits with 3 where there is no cryptography.
"""

import json
import sys

try:
    from cryptography.fernet import Fernet, InvalidToken, MultiFernet
except ImportError:
    sys.exit(3)

asked = json.load(sys.stdin)
keys = MultiFernet([Fernet(k) for k in asked["keys"].split(",")])


def read(token):
    try:
        return keys.decrypt(token.encode()).decode()
    except InvalidToken:
        return None


json.dump([read(t) for t in asked["tokens"]], sys.stdout)
