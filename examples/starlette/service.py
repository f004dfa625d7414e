"""A service behind Vestibule in Python that knows who is asking. Start it where a route's `upstream` points:

    pip install starlette uvicorn joserfc
    python service.py http://127.0.0.1:8080 orders 9000
"""

import json, sys, threading, time, urllib.request
import uvicorn
from joserfc import errors, jwt
from joserfc.jwk import KeySet
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

issuer, audience, port = (sys.argv[1:] + ["9000"])[:3]
required = {name: {"essential": True} for name in ("sub", "exp", "iat")}
claims_of = jwt.JWTClaimsRegistry(leeway=30, iss={"essential": True, "value": issuer}, aud={"essential": True, "value": audience}, **required)

class Keys:
    """The issuer's keys, where its metadata (RFC 8414) says they are; asked for every five minutes, for unknown keys twice a minute at most."""

    lock, kept, asked = threading.Lock(), None, float("-inf")

    def get(self, kid):
        with self.lock:
            age = time.monotonic() - self.asked
            if age > 300 or (age > 30 and kid not in [key.kid for key in self.kept or []]):
                self.asked, self.kept = time.monotonic(), None
                metadata = fetch(issuer + "/.well-known/oauth-authorization-server")
                if metadata["issuer"] != issuer:
                    raise OSError("the metadata is that of another issuer")
                self.kept = KeySet.import_key_set(fetch(metadata["jwks_uri"]))
            if self.kept is None:
                raise OSError("there are no keys to tell by")
            return self.kept

def fetch(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.loads(answer.read(262144))

keys = Keys()

def known(request):
    """The claims of who is asking, or None for strangers. A JWT that is no good is never just a stranger."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        return None
    try:
        token = jwt.decode(value, lambda it: keys.get(it.headers().get("kid")), algorithms=["ES256"])
        claims_of.validate(token.claims)
        if scheme.lower() == "bearer" and token.header.get("typ") == "at+jwt":
            return token.claims
    except OSError as error:  # The issuer cannot be asked, which says nothing about the JWT.
        raise HTTPException(503, str(error), {"Retry-After": "5"})
    except (errors.JoseError, ValueError, TypeError):
        pass
    raise HTTPException(401, "jwt", {"WWW-Authenticate": 'Bearer error="invalid_token"'})

def orders(request):
    if not (claims := known(request)):
        raise HTTPException(401, "no-credential", {"WWW-Authenticate": "Bearer"})
    return JSONResponse({"subject": claims["sub"], "email": claims.get("email"), "department": claims.get("department")})

def public(request):
    claims = known(request)
    return PlainTextResponse(f"Hello, {claims['sub']}" if claims else "Hello, stranger")

app = Starlette(routes=[Route("/orders/", orders), Route("/public/", public)])
if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")
