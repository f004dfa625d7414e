"""A service in Python that believes JWTs by PyJWT.

In: the URL of the key set, issuer, audience. Out: a port on stdout; then claims as JSON, or 401.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt

keys, issuer, audience = sys.argv[1:]
# As short a pause between two looks at the keys as a story can wait for; half a minute by default.
key_set = jwt.PyJWKClient(keys, cooldown_duration=0.1)


class Service(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            key = key_set.get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token,
                key,
                algorithms=["ES256"],
                issuer=issuer,
                audience=audience,
                options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"]},
            )
            # PyJWT leaves `typ` to whoever uses it.
            if jwt.get_unverified_header(token).get("typ") != "at+jwt":
                raise jwt.InvalidTokenError("typ")
            status, answer = 200, json.dumps(claims)
        except jwt.PyJWTError as error:
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
