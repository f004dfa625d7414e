"""Somebody who holds both the database and the seal key: what the installation signs with is theirs.

In: the database file, the seal key file, whose keys to take (edge or services). Out: one JSON object: the key id, and the private key as PKCS #8 in hexadecimal.
"""

import base64
import json
import sqlite3
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

database, seal_key, purpose = sys.argv[1:]
line = open(seal_key).read().strip()
key = base64.urlsafe_b64decode(line + "=" * (-len(line) % 4))
rows = sqlite3.connect(database).execute(
    "SELECT key_id, algorithm, sealed FROM signing_keys WHERE gone_at IS NULL AND purpose = ? ORDER BY active_from DESC",
    [purpose],
)
key_id, algorithm, sealed = rows.fetchone()
bound_to = f"vestibule signing key 1\0{algorithm}\0{key_id}".encode()
if purpose == "edge":
    bound_to += b"\0edge"
private = AESGCM(key).decrypt(sealed[:12], sealed[12:], bound_to)
print(json.dumps({"key_id": key_id, "pkcs8": private.hex()}))
