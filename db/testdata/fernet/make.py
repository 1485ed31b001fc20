"""Makes tokens.json: tokens as the earlier service made them, by Python's cryptography itself, with random IVs and the
time of the day. Run again, it makes other tokens of the same plain texts:

    python3 db/testdata/fernet/make.py > db/testdata/fernet/tokens.json
"""

import json

import cryptography
from cryptography.fernet import Fernet, MultiFernet

first, second = Fernet.generate_key(), Fernet.generate_key()
plain = ["", "s", "your_api_secret", "schl\u00fcssel-\u20ac", json.dumps({"pixel_id": "123", "access_token": "EAAB" * 60}), "x" * 5000]

tokens = [{"key": "first", "plain": p, "token": Fernet(first).encrypt(p.encode()).decode()} for p in plain]
tokens += [{"key": "second", "plain": p, "token": Fernet(second).encrypt(p.encode()).decode()} for p in plain[:3]]
tokens += [{"key": "first", "plain": "of both", "token": MultiFernet([Fernet(first), Fernet(second)]).encrypt(b"of both").decode()}]
# MultiFernet's own rotation keeps the token's time.
old = Fernet(second).encrypt(b"rotated by Python")
tokens += [{"key": "first", "plain": "rotated by Python", "token": MultiFernet([Fernet(first), Fernet(second)]).rotate(old).decode()}]

print(json.dumps({"made_by": "cryptography " + cryptography.__version__, "first": first.decode(), "second": second.decode(),
                  "tokens": tokens}, indent=2))
