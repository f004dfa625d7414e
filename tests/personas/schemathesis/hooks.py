"""What schemathesis cannot know of an installation: who can sign in, and how, and which client there is.

Sessions come as bearer credentials and as cookies, in turn. One is used until a call may have ended or replaced it, and every sign-in is
another account's, from another network, so that no call is refused for what an earlier one did.
"""

import base64
import itertools
import os

import requests
import schemathesis

PASSWORD = "correct horse battery staple"
ORIGIN = os.environ["VESTIBULE_ORIGIN"]
ACCOUNTS = int(os.environ["VESTIBULE_ACCOUNTS"])
CLIENT = "Basic " + base64.b64encode(os.environ["VESTIBULE_CLIENT"].encode()).decode()
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
SESSION = "urn:vestibule:token-type:session"
WITH_SESSION = [
    "changeIdentifier", "changePassword", "confirm", "csrfToken", "endOtherSessions", "endSession", "logout", "session",
    "sessions"
]

calls, goods, renames, sessions, sign_ins = (itertools.count() for _ in range(5))
held = {}


def source():
    number = next(calls)
    return f"10.{number & 255}.{number >> 8 & 255}.1"


def identifier():
    return f"tester-{next(sign_ins) % ACCOUNTS}@example.com"


def sign_in(case, **how):
    # Some have another password or identifier by now: then the next one.
    for _ in range(20):
        login = {"identifier": identifier(), "password": PASSWORD, **how}
        url = case.operation.base_url.rstrip("/") + "/auth/api/v1/login"
        answer = requests.post(url, json=login, headers={"X-Forwarded-For": source()}, timeout=30)
        if answer.ok:
            return answer
    raise RuntimeError(f"nobody can sign in: {answer.status_code} {answer.text}")


def cookies_of(answer):
    # The jar of `requests` does not take Secure ones over plain http.
    lines = answer.raw.headers.getlist("Set-Cookie")
    return dict(line.partition(";")[0].split("=", 1) for line in lines)


@schemathesis.auth(refresh_interval=None).apply_to(operation_id=WITH_SESSION)
class Session:
    def get(self, case, context):
        if not held:
            deliver = "body" if next(sessions) % 2 else "cookie"
            answer = sign_in(case, deliver=deliver)
            held.update(answer.json(), cookies=answer.headers.get("Set-Cookie", ""))
        return dict(held)

    def set(self, case, session, context):
        if "session_token" in session:
            case.headers["Authorization"] = f"Bearer {session['session_token']}"
        else:
            name, _, rest = session["cookies"].partition("=")
            case.cookies[name] = rest.partition(";")[0]
            case.headers["Origin"] = ORIGIN
            case.headers["X-CSRF-Token"] = session["csrf_token"]


@schemathesis.auth(refresh_interval=None).apply_to(operation_id=["refresh"])
class TokensInCookies:
    # Each refresh token is good once.
    def get(self, case, context):
        answer = sign_in(case, mode="token", deliver="cookie")
        return answer.json()["csrf_token"], cookies_of(answer)

    def set(self, case, tokens, context):
        csrf_token, cookies = tokens
        case.cookies.update({name: value for name, value in cookies.items() if name.endswith("_refresh")})
        case.headers["Origin"] = ORIGIN
        case.headers["X-CSRF-Token"] = csrf_token


@schemathesis.auth(refresh_interval=None).apply_to(operation_id=["introspect"])
class Client:
    def get(self, case, context):
        return CLIENT

    def set(self, case, proof, context):
        case.headers["Authorization"] = proof


@schemathesis.hook
def before_call(context, case, kwargs):
    case.headers["X-Forwarded-For"] = source()
    is_good = case.meta is not None and case.meta.generation.mode.is_positive
    if not (is_good and isinstance(case.body, dict)):
        return
    # No generator can guess a secret: a request that is a good one otherwise gets those that are, most of the time.
    body = case.body
    if body.get("grant_type", "refresh_token") != "refresh_token" and not body.get("client_assertion"):
        # One of the grants for clients: with the client's proof and an audience of its own, and something to trade.
        body.pop("client_assertion_type", None)
        body.pop("client_id", None)
        body.update(audience="orders", scope="orders:read")
        case.headers["Authorization"] = CLIENT
        kind = body.get("subject_token_type")
        if kind == ACCESS_TOKEN:
            body["subject_token"] = sign_in(case, mode="token").json()["access_token"]
        elif kind == SESSION:
            body["subject_token"] = sign_in(case, deliver="body").json()["session_token"]
    elif case.operation.definition.raw["operationId"] == "introspect":
        for name in ["client_assertion", "client_assertion_type", "client_id"]:
            body.pop(name, None)
        if next(goods) % 3 != 0:
            body["token"] = sign_in(case, deliver="body").json()["session_token"]
    elif "refresh_token" in body:
        body["refresh_token"] = sign_in(case, mode="token").json()["refresh_token"]
    elif next(goods) % 3 == 0:
        return
    elif case.operation.definition.raw["operationId"] == "changeIdentifier":
        body.update(current_password=PASSWORD, identifier=f"renamed-{next(renames)}@example.com")
    elif "current_password" in body:
        body.update(current_password=PASSWORD, new_password="a quite different long password")
    elif "password" in body:
        body["password"] = PASSWORD
        if "identifier" in body and case.operation.definition.raw["operationId"] == "login":
            body["identifier"] = identifier()


@schemathesis.hook
def after_call(context, case, response):
    if case.operation.method.upper() != "GET" or response.status_code == 401:
        held.clear()
