"""Writes every AWS call that reaches the emulator as a JSON line, for the check of permissions (test/iam).

Installed as ministack.core.recorder by world/tools/emulator.ts and called by its patches. It judges nothing. A call is one of

    {"type": "function", "key", "function", "role"}             whose an access key is
    {"type": "session", "key", "by", "role", "name", "policy", "tags"}   what AssumeRole gave out
    {"type": "call", "at", "key", "method", "path", ...}        a request at the door, with its status
    {"type": "service", "at", "by", "action", "resource", ...}  what a service did inside the emulator

No secret is written: of headers and bodies only what is listed here. A call that differs from an earlier one in nothing but
ids and times is not written again. HOLDFAST_RECORDING names the file; without it nothing is recorded.
"""

import json
import os
import re
import threading
import time
import urllib.parse
from contextvars import ContextVar

# The state machine's execution on whose behalf the emulator works, set by a patch.
EXECUTION = ContextVar("EXECUTION", default=None)

FILE = os.environ.get("HOLDFAST_RECORDING")
# Far above what a run of all tests writes; a recording that reaches it says so and fails the check.
LIMIT = 200_000

HEADERS = (
    "if-match",
    "if-none-match",
    "x-amz-acl",
    "x-amz-bypass-governance-retention",
    "x-amz-checksum-mode",
    "x-amz-copy-source",
    "x-amz-object-attributes",
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-tagging",
)
# Members of a JSON body or a form that name what is acted on.
MEMBERS = re.compile(
    r"^(Action|AliasName|DurationSeconds|FunctionName|KeyId|MessageType|Name|QueueUrl|RoleArn|RoleSessionName|SecretId"
    r"|SigningAlgorithm|TargetArn|TopicArn|VersionStage|clientRequestToken|executionArn|name|stateMachineArn|statusFilter"
    r"|TransitiveTagKeys\.member\.\d+|Tags\.member\.\d+\.(Key|Value))$"
)
ANY = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "U"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?"), "T"),
    (re.compile(r"/[0-9a-f]{2}/[0-9a-f]{64}"), "/H/H"),
    (re.compile(r"[0-9a-f]{6,}"), "H"),
]

_lock = threading.Lock()
_seen = set()
_shape_of = {}
_lines = 0


def _write(line, shape=None):
    """Appends a line; with a shape, only the first of its kind."""
    global _lines
    if not FILE:
        return
    with _lock:
        if shape is not None:
            if shape in _seen:
                return
            _seen.add(shape)
        if _lines > LIMIT:
            return
        _lines += 1
        if _lines > LIMIT:
            line = {"type": "full"}
        with open(FILE, "a", encoding="utf-8") as out:
            out.write(json.dumps(line, separators=(",", ":")) + "\n")


def _plain(value):
    text = json.dumps(value, sort_keys=True)
    for pattern, word in ANY:
        text = pattern.sub(word, text)
    return text


def function(key, name, role):
    """An access key was given to a function."""
    line = {"type": "function", "key": key, "function": name, "role": role}
    _shape_of[key] = name
    _write(line, json.dumps(line))


def session(key, by, role, name, policy, tags):
    """AssumeRole gave out an access key."""
    line = {"type": "session", "key": key, "by": by, "role": role, "name": name, "policy": policy, "tags": tags}
    shape = _plain([_shape_of.get(by, by), role, policy, tags])
    _shape_of[key] = shape
    _write(line)


def service(action, resource, context=None, by=None):
    """A service of the emulator did something without a request, on behalf of a role or of the execution that it runs."""
    try:
        line = {"type": "service", "by": by or EXECUTION.get(), "action": action, "resource": resource}
        if context:
            line["context"] = context
        _write({**line, "at": time.time()}, _plain(line))
    except Exception:  # the emulator must not fail by being watched
        _write({"type": "broken"}, "broken")


def door(send, scope, headers, body):
    """The sender of a response: what was asked is written with the status of the answer."""
    if not FILE or scope["path"].startswith("/_"):
        return send

    async def sent(message):
        if message["type"] == "http.response.start":
            try:
                _request(scope, headers, body, message["status"])
            except Exception:
                _write({"type": "broken"}, "broken")
        await send(message)

    return sent


def _request(scope, headers, body, status):
    query = urllib.parse.parse_qsl(scope.get("query_string", b"").decode("utf-8"), keep_blank_values=True)
    named = dict(query)
    credential = named.get("X-Amz-Credential") or headers.get("authorization", "")
    found = re.search(r"(?:Credential=)?([^/=,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request", credential)
    key, region, signed = found.groups() if found else (None, None, None)
    if key not in _shape_of:
        return  # a person's, a test's or the deployment's
    line = {
        "type": "call",
        "key": key,
        "region": region,
        "service": signed,
        "method": scope["method"],
        "host": headers.get("host", ""),
        "path": (scope.get("raw_path") or scope["path"].encode()).decode("ascii", "replace"),
        "query": {k: _kept(k, v) for k, v in query if not k.startswith("X-Amz-")},
        "headers": {name: headers[name] for name in HEADERS if name in headers},
        "status": status,
    }
    if "x-amz-target" in headers:
        line["target"] = headers["x-amz-target"]
    line["agent"] = headers.get("user-agent", "")[:40]
    line["body"] = _members(signed, named, headers, body)
    shape = _plain([_shape_of.get(key, key)] + [line[k] for k in line if k not in ("key", "agent")])
    _write({**line, "at": time.time()}, shape)


def _kept(name, value):
    """Of a query what permissions can depend on; tokens are of no use."""
    return "" if name in ("uploadId", "continuation-token", "key-marker", "version-id-marker", "partNumber", "start-after") else value


def _members(signed, query, headers, body):
    if not body or len(body) > 1_000_000:
        return {}
    if signed == "s3":
        text = body.decode("utf-8", "replace") if ("delete" in query or "retention" in query) else ""
        return {
            name: found
            for name, found in (
                ("keys", [urllib.parse.unquote(k) for k in re.findall(r"<Key>([^<]*)</Key>", text)][:1000]),
                ("versions", len(re.findall(r"<VersionId>", text)) or None),
                ("retainUntil", next(iter(re.findall(r"<RetainUntilDate>([^<]*)<", text)), None)),
                ("mode", next(iter(re.findall(r"<Mode>([^<]*)<", text)), None)),
            )
            if found
        }
    kind = headers.get("content-type", "")
    if "json" in kind:
        try:
            given = json.loads(body)
        except ValueError:
            return {}
        return {k: v for k, v in given.items() if MEMBERS.match(k) and isinstance(v, (str, int))} if isinstance(given, dict) else {}
    form = urllib.parse.parse_qsl(body.decode("utf-8", "replace"))
    return {k: v for k, v in form if MEMBERS.match(k)}
