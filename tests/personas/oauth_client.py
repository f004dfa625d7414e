"""An OAuth client of others in Python: Authlib's session for `requests`.

In: one JSON question per line. Out: one JSON answer per line.
"""

import json
import os
import sys
import time

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT, private_key_jwt_sign
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from joserfc.jwk import ECKey

# The stories speak http on loopback.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


class Refused(Exception):
    pass


class OwnKey(PrivateKeyJWT):
    """By the library's own hand, but for a minute: left to itself it makes them good for an hour, which is more than we take."""

    def sign(self, auth, token_endpoint):
        claims = {"exp": int(time.time()) + 60}
        return private_key_jwt_sign(auth.client_secret, auth.client_id, token_endpoint, alg=self.alg, claims=claims, header=self.headers)


class Client:
    def discover(self, issuer, client_id, secret=None, key=None, alg=None):
        answer = requests.get(get_well_known_url(issuer, external=True), timeout=30)
        answer.raise_for_status()
        self.server = AuthorizationServerMetadata(answer.json())
        if self.server["issuer"] != issuer:
            raise Refused("the metadata is that of another issuer", None)
        for name in ["token_endpoint_auth_methods_supported", "revocation_endpoint_auth_methods_supported", "grant_types_supported"]:
            getattr(self.server, f"validate_{name}")()
        method = "client_secret_basic" if secret else "private_key_jwt" if key else "none"
        methods = {"token_endpoint_auth_method": method, "revocation_endpoint_auth_method": method}
        self.session = OAuth2Session(client_id, secret or (key and ECKey.import_key(key)), **methods)
        if key:
            # RFC 7523 as it is being revised: the audience is the issuer, and nothing else.
            self.session.register_client_auth_method(OwnKey(issuer, alg=alg, headers={"kid": key["kid"]}))
        return dict(self.server)

    def grant(self, grant_type, **parameters):
        url = self.server["token_endpoint"]
        return self.session.fetch_token(url, grant_type=grant_type, **parameters)

    def refresh(self, refresh_token, **more):
        return self.session.refresh_token(self.server["token_endpoint"], refresh_token=refresh_token, **more)

    def revoke(self, token):
        return self.read(self.session.revoke_token(self.server["revocation_endpoint"], token=token))

    def client_credentials(self, **parameters):
        return self.grant("client_credentials", **parameters)

    def exchange(self, **parameters):
        return self.grant(EXCHANGE, **parameters)

    def introspect(self, token):
        return self.read(self.session.introspect_token(self.server["introspection_endpoint"], token=token))

    @staticmethod
    def read(answer):
        if answer.ok:
            return answer.json()
        raise Refused(answer.json()["error"], answer.status_code)


client = Client()
for line in sys.stdin:
    question = json.loads(line)
    try:
        answer = {"ok": getattr(client, question.pop("ask"))(**question)}
    except OAuthError as error:
        answer = {"error": error.error, "status": None}
    except Refused as error:
        answer = dict(zip(["error", "status"], error.args))
    print(json.dumps(answer), flush=True)
