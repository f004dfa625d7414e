"""A notebook with plain HTML forms and no JavaScript. Who writes is known by a JWT, and no other site can write in their name.

    pip install "pyjwt[crypto]"
    python service.py http://127.0.0.1:8080 --proxy-checks-forms                   # behind Vestibule's own proxy
    python service.py http://127.0.0.1:8000 --ask http://127.0.0.1:8081/csrf       # behind nginx, Caddy or HAProxy
"""

import argparse
import json
import urllib.error
import urllib.parse
import urllib.request
from collections import defaultdict
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Notes</title>
<h1>Notes of {subject}</h1>
<ul>{notes}</ul>
<p role="alert">{complaint}</p>
<form method="post" action="/notes/">
  <input type="hidden" name="csrf_token" value="{csrf_token}">
  <label>Note <input name="note"></label>
  <button>Write down</button>
</form>
"""

# The page runs nothing, loads nothing, sends its form to itself alone, and nobody shows it inside a page of theirs.
POLICY = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

parser = argparse.ArgumentParser()
parser.add_argument("issuer", help="what browsers see: Vestibule's public_url")
parser.add_argument("--keys", help="where the keys are, when not at the issuer")
# One of the two: a service that nobody has told who checks its forms must not guess that somebody does.
checks = parser.add_mutually_exclusive_group(required=True)
checks.add_argument("--ask", help="Vestibule's internal /csrf, when the proxy in front does not see forms")
checks.add_argument("--proxy-checks-forms", action="store_true", help='Vestibule\'s own proxy is in front, with csrf = "token"')
parser.add_argument("--port", type=int, default=9000)
options = parser.parse_args()

key_set = jwt.PyJWKClient(options.keys or options.issuer + "/.well-known/jwks.json")
notes = defaultdict(list)


def claims_of(headers):
    """The claims of the JWT that came with a request. Raises when there is none that is good."""
    token = (headers.get("Authorization") or "").removeprefix("Bearer ")
    if jwt.get_unverified_header(token).get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("typ")
    key = key_set.get_signing_key_from_jwt(token)
    required = {"require": ["exp", "iat", "sub", "sid"]}
    return jwt.decode(token, key, algorithms=["ES256"], issuer=options.issuer, audience="notes", options=required)


def is_from_a_page_of(session, csrf_token):
    """Whether a form carries the token that a page of this session was given. 204 is the only yes."""
    if options.proxy_checks_forms:
        return True  # The proxy in front has read the form before us, and refused those without.
    form = urllib.parse.urlencode({"session": session, "csrf_token": csrf_token}).encode()
    try:
        with urllib.request.urlopen(options.ask, form, timeout=5) as answer:
            return answer.status == 204
    except urllib.error.URLError:
        return False


class Notebook(BaseHTTPRequestHandler):
    def do_GET(self):
        if claims := self.signed_in():
            # A fresh token for the page that is being loaded; earlier ones stay good.
            self.show(200, claims, self.headers.get("X-CSRF-Token", ""))

    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 65536))
        form = dict(urllib.parse.parse_qsl(body.decode(errors="replace")))
        if not (claims := self.signed_in()):
            return
        csrf_token = form.get("csrf_token", "")
        if not is_from_a_page_of(claims["sid"], csrf_token):
            return self.answer(403, "This form is not from a page of yours. Load the page again.")
        note = form.get("note", "").strip()
        if not note:
            # Only a page load brings a token. The one that came with the form is still good: it goes into the form again.
            return self.show(422, claims, csrf_token, "Write something first.")
        notes[claims["sub"]].append(note)
        self.answer(303, "", Location="/notes/")

    def signed_in(self):
        try:
            return claims_of(self.headers)
        except jwt.PyJWTError as error:
            self.answer(401, f"No JWT that can be believed: {escape(str(error))}")

    def show(self, status, claims, csrf_token, complaint=""):
        shown = "".join(f"<li>{escape(note)}</li>" for note in notes[claims["sub"]])
        values = {"subject": escape(claims["sub"]), "csrf_token": escape(csrf_token), "complaint": complaint}
        self.answer(status, PAGE.format(notes=shown, **values))

    def answer(self, status, text, **headers):
        body = text.encode()
        self.send_response(status)
        always = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY}
        for name, value in {**always, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = ThreadingHTTPServer(("127.0.0.1", options.port), Notebook)
print(json.dumps({"listening": server.server_port}), flush=True)
server.serve_forever()
