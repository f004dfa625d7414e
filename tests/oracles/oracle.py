"""PyJWT and joserfc as judges.

In: one JSON question per line: {jwt, jwks, issuer, audience, typ, now, skew}.
Out: one JSON answer per line: for each library null when it accepts, or why it refuses.
"""

import json
import sys
import warnings
from datetime import datetime, timezone
from unittest import mock

import joserfc.jwt
import jwt
from joserfc.jwk import KeySet

ALGORITHMS = ["EdDSA", "Ed25519", "ES256", "PS256", "RS256"]


def pyjwt(question):
    keys = jwt.PyJWKSet.from_dict(question["jwks"])
    header = jwt.get_unverified_header(question["jwt"])
    key = keys[header["kid"]]
    # PyJWT reads the machine's clock; the question brings its own.
    clock = mock.Mock()
    clock.now.return_value = datetime.fromtimestamp(question["now"], tz=timezone.utc)
    with mock.patch("jwt.api_jwt.datetime", clock):
        jwt.decode(
            question["jwt"],
            key,
            algorithms=[key.algorithm_name],
            issuer=question["issuer"],
            audience=question["audience"],
            leeway=question["skew"],
            options={"require": ["iss", "sub", "aud", "exp"]},
        )
    expect_typ(header, question["typ"])


def joserfc_(question):
    keys = KeySet.import_key_set(question["jwks"])
    token = joserfc.jwt.decode(question["jwt"], keys, algorithms=ALGORITHMS)
    claims = joserfc.jwt.JWTClaimsRegistry(
        now=question["now"],
        leeway=question["skew"],
        iss={"essential": True, "value": question["issuer"]},
        aud={"essential": True, "value": question["audience"]},
        sub={"essential": True},
        exp={"essential": True},
    )
    claims.validate(token.claims)
    expect_typ(token.header, question["typ"])


def expect_typ(header, typ):
    """Neither library judges `typ`; whoever uses them has to. As RFC 7515 §4.1.9 reads."""
    given = str(header.get("typ")).lower().removeprefix("application/")
    if given != typ:
        raise ValueError("typ")


def judge(library, question):
    try:
        library(question)
        return None
    except Exception as error:  # whatever it is, it is a refusal
        return f"{type(error).__name__}: {error}"


warnings.simplefilter("ignore")
for line in sys.stdin:
    question = json.loads(line)
    answer = {"PyJWT": judge(pyjwt, question), "joserfc": judge(joserfc_, question)}
    print(json.dumps(answer), flush=True)
