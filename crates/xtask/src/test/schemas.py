"""Compares the API's description of itself with what the service answers, once for each kind of caller.

schemathesis makes requests out of the OpenAPI document, good ones and bad ones, and checks each answer: no status 5xx, no
status, header or body that is not described, no route that answers without the credentials that it names. This script makes
the callers, runs it for each, and prints how many operations passed and failed.

Environment: BACKEND, the address of the service, whose providers are simulators; SERVICE, the service's program, and
DATABASE_URL, for its commands.
"""

import http.cookiejar
import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from pathlib import Path

BACKEND = os.environ["BACKEND"]

# What a personal key may be made for: everything but signing others in.
SCOPES = ["connections:read", "connections:write", "content:publish", "messages:manage", "tokens:read"]

# Everybody's password.
PASSWORD = "correct horse battery"

# A user of the host application.
HOST_USER = "user-123"

# What ends the caller's own session or connection would leave nothing to try the others with. It has a run of its own, last.
ENDINGS = ["signOut", "endConnection"]

# Whether a well-formed value is accepted depends on more than its form: a state has to be one that was given out, a signature
# has to fit, a cursor has to be ours.
LEFT_OUT = ["positive_data_acceptance"]

# The same requests every time, so that a failure can be looked into and a success means the same as yesterday's.
SEED = 1


class Caller:
    """A program with a cookie jar, that follows no redirects."""

    class NoRedirects(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    def __init__(self, key=None):
        self.key = key
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(
            self.NoRedirects, urllib.request.HTTPCookieProcessor(self.cookies)
        )

    def ask(self, method, url, body=None, form=None):
        """The answer's body; a redirect's target."""
        data, headers = None, {"Accept": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        if form is not None:
            data = urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with self.opener.open(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 303:
                return error.headers["Location"]
            raise SystemExit(f"{method} {url}: {error.code} {error.read().decode()}") from None

    def credentials(self):
        """In the form of schemathesis's configuration."""
        if self.key:
            return f'[auth.openapi.key]\nbearer = "{self.key}"\n'
        (cookie,) = (cookie for cookie in self.cookies if cookie.name == "connect_session")
        return f'[auth.openapi.session]\napi_key = "{cookie.value}"\n'

    def connect(self, user, provider, account):
        """Connects an account of a simulator's for a user that this caller acts for."""
        query = urllib.parse.urlencode({"userId": user})
        auth_url = urllib.parse.urlsplit(self.ask("GET", f"{BACKEND}/auth/{provider}/login?{query}")["authUrl"])
        choice = urllib.parse.parse_qsl(auth_url.query)
        choice += [("account", account), ("decision", "allow"), ("permission", "instagram_business_basic")]
        page = auth_url._replace(query="").geturl()
        callback = urllib.parse.urlsplit(Caller().ask("POST", page, form=choice))
        # The redirect URI may have another name of this machine, where the session's cookie does not go.
        exchanged = self.ask("GET", f"{BACKEND}/auth/{provider}/callback?{callback.query}&{query}")
        self.ask("POST", f"{BACKEND}/api/integrations/{provider}/callback", {**exchanged, "userId": user})


def person_with_account(name):
    """Somebody who has signed up."""
    person = Caller()
    details = {"email": f"{name}@example.com", "password": PASSWORD, "name": name}
    person.ask("POST", f"{BACKEND}/api/users", details)
    return person


def program_of(person):
    """A program with a key of this person's."""
    body = {"name": "schemas", "scopes": SCOPES, "password": PASSWORD}
    return Caller(key=person.ask("POST", f"{BACKEND}/api/api-keys", body)["key"])


def host_application():
    """A program with a service key, as the operator makes one."""
    scopes = [*SCOPES, "sessions:create"]
    command = [os.environ["SERVICE"], "keys", "create-service", "--name", "host", "--scope", ",".join(scopes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Caller(key=done.stdout.strip())


def run(name, caller=None, user="me", options=(), examples=60):
    """Runs schemathesis once; half of the requests about a user are about this one. Whether all was as described."""
    print(f"\n--- {name} ---", flush=True)
    report = Path(f"{name.replace(' ', '-')}.xml")
    # In the tool's own configuration rather than as a header, so that it can also leave them out, and send wrong ones.
    configuration = report.with_suffix(".toml")
    configuration.write_text(caller.credentials() if caller else "")
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(configuration)),
        *("run", f"{BACKEND}/api/openapi.json"),
        *("--checks", "all", "--exclude-checks", ",".join(LEFT_OUT)),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", str(examples), "--seed", str(SEED)),
        # Which operations refuse a caller is not what this is about.
        *("--warnings", "off", "--no-color", "--report", "junit", "--report-junit-path", str(report)),
        *options,
    ]
    hooks = {"PYTHONPATH": str(Path(__file__).parent), "SCHEMATHESIS_HOOKS": "schemas_hooks", "USER_ID": user}
    done = subprocess.run(command, env={**os.environ, **hooks, "PYTHONDONTWRITEBYTECODE": "1"}, check=False)
    suite = ElementTree.parse(report).getroot()
    cases = list(suite.iter("testcase"))
    failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
    failed = failed or int(done.returncode != 0)
    skipped = sum(1 for case in cases if case.find("skipped") is not None)
    # What was only skipped shows nothing.
    if len(cases) == skipped:
        failed = 1
    print(f"schemas: {max(0, len(cases) - failed - skipped)} passed, {failed} failed, {skipped} skipped", flush=True)
    return failed == 0


def main():
    ada = person_with_account("ada")
    ada.connect("me", "instagram", "wreckshoprecords")
    ada.connect("me", "spotify", "wizzler")
    # Somebody else's: what is tried with Ada's session may change her password, and her keys with it.
    bob = person_with_account("bob")
    bob.connect("me", "instagram", "brandnew_bakery")
    bob.connect("me", "spotify", "zoe.nguyen")
    program = program_of(bob)
    host = host_application()
    host.connect(HOST_USER, "instagram", "mara.paints")
    host.connect(HOST_USER, "spotify", "old.timer")
    without_endings = [part for ending in ENDINGS for part in ("--exclude-operation-id", ending)]
    endings_alone = [part for ending in ENDINGS for part in ("--include-operation-id", ending)]
    runs = [
        run("nobody"),
        run("a person with a session", ada, options=without_endings),
        run("a personal key", program, options=without_endings),
        run("a service key", host, HOST_USER, without_endings),
        run("endings", ada, options=endings_alone),
        run("endings by a service key", host, HOST_USER, endings_alone),
    ]
    return 0 if all(runs) else 1


if __name__ == "__main__":
    sys.exit(main())
