"""A service on Flask with CSRF tokens of its own, Flask-WTF's, and a header credential of its own.

In: issuer and audience, which it does not look at, and the port.
"""

import sys

from flask import Flask, request
from flask_wtf.csrf import CSRFProtect, generate_csrf

app = Flask(__name__)
app.config["SECRET_KEY"] = "a key for tests"
CSRFProtect(app)


@app.get("/notes/")
def page():
    return generate_csrf(), 200, {"X-CSRF-Token": generate_csrf(), "Content-Type": "text/plain"}


@app.post("/notes/")
def write():
    return "written"


@app.get("/whoami/")
def who():
    jwt = request.headers.get("X-Auth-Jwt", "")
    return f"{request.headers.get('Authorization')} jwt={jwt.count('.')}", 200, {"Content-Type": "text/plain"}


app.run(port=int(sys.argv[3]))
