"""A service in Python that believes JWTs by joserfc, signed inside and encrypted to it outside.

In: the URL of the key set, issuer, audience, a file with its private JWK. Out: a port on stdout; then claims as JSON, or 401.
"""

import json
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from joserfc import jwe, jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

keys, issuer, audience, private = sys.argv[1:]
with open(private) as file:
    own_jwk = json.load(file)
own_key = JWKRegistry.import_key(own_jwk)
# One algorithm for the key, and those of the encryptions that are configured.
decryption = [own_jwk["alg"], "A256GCM", "A128GCM", "A256CBC-HS512"]


def key_set():
    with urllib.request.urlopen(keys) as answer:
        return KeySet.import_key_set(json.load(answer))


class Service(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            outside = jwe.decrypt_compact(token, own_key, algorithms=decryption)
            if outside.headers().get("cty") != "JWT":
                raise ValueError("cty")
            inside = jwt.decode(outside.plaintext.decode(), key_set(), algorithms=["ES256"])
            if inside.header.get("typ") != "at+jwt":
                raise ValueError("typ")
            needed = {"essential": True}
            rules = jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": issuer},
                aud={"essential": True, "value": audience},
                sub=needed,
                exp=needed,
                iat=needed,
                jti=needed,
            )
            rules.validate(inside.claims)
            status, answer = 200, json.dumps(inside.claims)
        except (JoseError, ValueError) as error:
            status, answer = 401, str(error)
        body = answer.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
print(f"listening on {server.server_port}")
server.serve_forever()
