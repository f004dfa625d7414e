"""joserfc on encrypted tokens.

In: one JSON question per line: {do: "encrypt", jwk, header, content} or {do: "decrypt", jwk, alg, enc, jwe}.
Out: one JSON answer per line: {joserfc: {jwe}}, {joserfc: {content}} or {joserfc: {error}}.
"""

import json
import sys
import warnings

from joserfc import jwe
from joserfc.jwk import JWKRegistry


def work(question):
    key = JWKRegistry.import_key(question["jwk"])
    if question["do"] == "encrypt":
        header = question["header"]
        algorithms = [header["alg"], header["enc"]]
        return {"jwe": jwe.encrypt_compact(header, question["content"], key, algorithms=algorithms)}
    algorithms = [question["alg"], question["enc"]]
    opened = jwe.decrypt_compact(question["jwe"], key, algorithms=algorithms)
    return {"content": opened.plaintext.decode()}


warnings.simplefilter("ignore")
for line in sys.stdin:
    try:
        answer = work(json.loads(line))
    except Exception as error:  # whatever it is, it is a refusal
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps({"joserfc": answer}), flush=True)
