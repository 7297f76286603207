import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WorldError } from '../base/errors.ts';

/** One edit of the installed emulator. `find` must occur exactly once, or the pinned version is not the one we know. */
interface Patch {
  readonly why: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const nodeWorkerErrors: Patch[] = [
  {
    why: 'a rejected handler must say the name of its error, because Retry and Catch match on names',
    file: 'core/lambda_runtime.py',
    find: 'status: "error", error: String(err.message || err), trace: err.stack || ""',
    replace:
      'status: "error", errorType: err.name, error: String(err.message || err), trace: err.stack || ""',
  },
  {
    why: 'the same for a handler that throws before its first await',
    file: 'core/lambda_runtime.py',
    find: '        status: "error", error: e.message, trace: e.stack\n',
    replace: '        status: "error", errorType: e.name, error: e.message, trace: e.stack\n',
  },
  {
    why: 'the name must replace the one word the emulator has for every error of a warm function',
    file: 'services/lambda_svc.py',
    find:
      '            error_type = "Runtime.HandlerError"\n' +
      '            if _RIE_TIMEOUT_TEXT_RE.fullmatch(error_msg):\n',
    replace:
      '            error_type = result.get("errorType") or "Runtime.HandlerError"\n' +
      '            if _RIE_TIMEOUT_TEXT_RE.fullmatch(error_msg):\n',
  },
];

const scheduledTime: Patch[] = [
  {
    why: 'backups are named after the scheduled time, which EventBridge Scheduler puts into the input',
    file: 'services/scheduler.py',
    find: '            _schedule_last_fired[state_key] = now\n            target = sched.get("Target") or {}\n',
    replace: `            if at_epoch is not None:
                scheduled = at_epoch
            elif interval is not None:
                scheduled = _schedule_last_fired[state_key] + interval
            else:
                scheduled = next_fire.timestamp()
            _schedule_last_fired[state_key] = now
            target = dict(sched.get("Target") or {})
            if isinstance(target.get("Input"), str):
                target["Input"] = target["Input"].replace(
                    "<aws.scheduler.scheduled-time>",
                    datetime.fromtimestamp(scheduled, tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                )
`,
  },
];

const distributedMap: Patch[] = [
  {
    why: 'a distributed Map of a JSONata machine gives its reader JSONata arguments',
    file: 'services/stepfunctions.py',
    find: '    params = _resolve_params_obj(reader.get("Parameters") or reader.get("Arguments") or {}, effective, ctx)\n',
    replace: `    if "Arguments" in reader:
        params = _apply_jsonata_template(reader["Arguments"], effective, ctx)
    else:
        params = _resolve_params_obj(reader.get("Parameters") or {}, effective, ctx)
`,
  },
  {
    why: 'and selects its items by JSONata',
    file: 'services/stepfunctions.py',
    find: '        child_input = _resolve_params_obj(item_selector, effective, item_ctx) if item_selector else item\n',
    replace: `        if item_selector and _state_query_language(state_def, ctx) == "JSONata":
            child_input = _apply_jsonata_template(item_selector, effective, item_ctx)
        else:
            child_input = _resolve_params_obj(item_selector, effective, item_ctx) if item_selector else item
`,
  },
  {
    why: 'and says by JSONata what comes out of it',
    file: 'services/stepfunctions.py',
    find:
      '                              "The specified tolerated failure threshold was exceeded")\n' +
      '    result = _apply_result_selector(state_def, results)\n',
    replace: `                              "The specified tolerated failure threshold was exceeded")
    if _state_query_language(state_def, ctx) == "JSONata":
        output = _apply_jsonata_output(state_def, raw_input, ctx, result=results, default=results)
        return output, _next_or_end(state_def)
    result = _apply_result_selector(state_def, results)
`,
  },
];

const clientContext: Patch[] = [
  {
    why: 'machines tell functions beside the input which execution calls them',
    file: 'services/stepfunctions.py',
    find: '        result = _call_lambda(func_ref, payload)\n',
    replace: `        from ministack.core import lambda_runtime
        told = input_data.get("ClientContext")
        lambda_runtime.CLIENT_CONTEXT.set(json.loads(base64.b64decode(told)) if told else None)
        result = _call_lambda(func_ref, payload)
`,
  },
  {
    why: 'it is kept where the thread that calls the function finds it',
    file: 'core/lambda_runtime.py',
    find: 'import zipfile\n',
    replace:
      'import zipfile\nfrom contextvars import ContextVar\n\nCLIENT_CONTEXT = ContextVar("CLIENT_CONTEXT", default=None)\n',
  },
  {
    why: 'it goes to the worker with what else is of one invocation',
    file: 'core/lambda_runtime.py',
    find: '                    "durable": durable or {},\n',
    replace:
      '                    "durable": durable or {},\n                    "client_context": CLIENT_CONTEXT.get(),\n',
  },
  {
    why: 'and into the context of a Node function',
    file: 'core/lambda_runtime.py',
    find: '      clientContext: null,\n',
    replace: '      clientContext: ctx.client_context || undefined,\n',
  },
];

const recording: Patch[] = [
  {
    why: 'the recorder sees each request with the status of its answer',
    file: 'app.py',
    find: '    if await _send_if_handled(\n        send, await _handle_post_body_shortcuts(',
    replace: `    from ministack.core import recorder

    send = recorder.door(send, scope, headers, body)
    if await _send_if_handled(
        send, await _handle_post_body_shortcuts(`,
  },
  {
    why: 'each function has an access key of its own, as a role of its own has on AWS',
    file: 'core/lambda_runtime.py',
    find: '    if not app.AUTH:\n        return {\n            "AWS_ACCESS_KEY_ID": account_id,',
    replace: `    from ministack.core import recorder

    own_key = "ASIA" + hashlib.sha256(config.get("FunctionArn", "").encode()).hexdigest()[:16].upper()
    if not app.AUTH:
        recorder.function(own_key, config.get("FunctionName", ""), config.get("Role", ""))
        return {
            "AWS_ACCESS_KEY_ID": own_key,`,
  },
  {
    why: 'the recorder learns whose the credentials of a session are, and what limits them',
    file: 'services/sts.py',
    find:
      '            "SessionPolicies": session_policies if any(session_policies.values()) else None,\n' +
      '        })\n        if use_json:\n' +
      '            return json_response({\n' +
      '                "Credentials": {"AccessKeyId": access_key, "SecretAccessKey": secret_key, "SessionToken": session_token, "Expiration": int(time.time() + duration)},\n',
    replace: `            "SessionPolicies": session_policies if any(session_policies.values()) else None,
        })
        from ministack.core import recorder

        recorder.session(
            access_key, caller["accessKey"], role_arn, session_name, session_policies["Policy"], session_tags
        )
        if use_json:
            return json_response({
                "Credentials": {"AccessKeyId": access_key, "SecretAccessKey": secret_key, "SessionToken": session_token, "Expiration": int(time.time() + duration)},
`,
  },
  {
    why: 'a call of a state machine is its role’s: the thread of an execution knows whose it is',
    file: 'services/stepfunctions.py',
    find: '    """Background thread: walk the ASL definition to completion."""\n',
    replace: `    """Background thread: walk the ASL definition to completion."""
    from ministack.core import recorder

    recorder.EXECUTION.set(exec_arn)
`,
  },
  {
    why: 'a machine that is waited for runs in the thread of the one that waits, which goes on afterwards',
    file: 'services/stepfunctions.py',
    find: '    _executions[exec_arn]["sync"] = True\n\n    _run_execution(exec_arn)\n',
    replace:
      '    _executions[exec_arn]["sync"] = True\n\n    contextvars.copy_context().run(_run_execution, exec_arn)\n',
  },
  {
    why: 'a machine invokes functions without a request',
    file: 'services/stepfunctions.py',
    find: '    func, config, func_name = lambda_svc._get_func_record_for_ref(func_ref)\n    if not func or not config:\n        raise _ExecutionError(\n            "Lambda.ResourceNotFoundException",\n',
    replace: `    func, config, func_name = lambda_svc._get_func_record_for_ref(func_ref)
    from ministack.core import recorder

    recorder.service("lambda:InvokeFunction", (config or {}).get("FunctionArn", func_ref))
    if not func or not config:
        raise _ExecutionError(
            "Lambda.ResourceNotFoundException",
`,
  },
  {
    why: 'and starts machines',
    file: 'services/stepfunctions.py',
    find: '    nested_input = input_data.get("Input", input_data.get("input", {}))\n',
    replace: `    from ministack.core import recorder

    recorder.service("states:StartExecution", state_machine_arn)
    nested_input = input_data.get("Input", input_data.get("input", {}))
`,
  },
  {
    why: 'and reads the items of a Map',
    file: 'services/stepfunctions.py',
    find: '    status, _headers, body = s3._get_object(bucket, key, {}, {})\n    if status != 200:\n        raise _ExecutionError("States.ItemReaderFailed", f"The specified key',
    replace: `    status, _headers, body = s3._get_object(bucket, key, {}, {})
    from ministack.core import recorder

    recorder.service("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
    if status != 200:
        raise _ExecutionError("States.ItemReaderFailed", f"The specified key`,
  },
  {
    why: 'and lists them',
    file: 'services/stepfunctions.py',
    find: '        bucket = s3._buckets.get(params.get("Bucket"))\n        if bucket is None:\n            raise _ExecutionError("States.ItemReaderFailed"',
    replace: `        bucket = s3._buckets.get(params.get("Bucket"))
        from ministack.core import recorder

        recorder.service(
            "s3:ListBucket", f"arn:aws:s3:::{params.get('Bucket')}", {"s3:prefix": params.get("Prefix", "")}
        )
        if bucket is None:
            raise _ExecutionError("States.ItemReaderFailed"`,
  },
  {
    why: 'a schedule starts its target with its role',
    file: 'services/scheduler.py',
    find: '            try:\n                _eb._invoke_target(target, event, sched)\n',
    replace: `            from ministack.core import recorder

            target_action = "states:StartExecution" if ":states:" in target["Arn"] else "lambda:InvokeFunction"
            recorder.service(target_action, target["Arn"], by=sched.get("Arn", ""))
            try:
                _eb._invoke_target(target, event, sched)
`,
  },
  {
    why: 'S3 replicates with the role of the bucket’s configuration',
    file: 'services/s3.py',
    find: '    target = _replication_destination(bucket_name, key, rule, role)\n    if target is None:\n        obj["replication_status"] = "FAILED"\n        return\n    dest_name, dest_account, dest_bucket = target\n',
    replace: `    target = _replication_destination(bucket_name, key, rule, role)
    if target is None:
        obj["replication_status"] = "FAILED"
        return
    dest_name, dest_account, dest_bucket = target
    from ministack.core import recorder

    recorder.service("s3:GetObjectVersionForReplication", f"arn:aws:s3:::{bucket_name}/{key}", by=role)
    recorder.service("s3:ReplicateObject", f"arn:aws:s3:::{dest_name}/{key}", by=role)
`,
  },
];

/** All patches of the emulator; docs/local-world.md explains them. */
const patches: readonly Patch[] = [
  ...nodeWorkerErrors,
  ...scheduledTime,
  ...distributedMap,
  ...clientContext,
  ...recording,
];

/** Applies every patch to an installed package folder. */
export function applyPatches(packageFolder: string): void {
  for (const patch of patches) {
    const path = join(packageFolder, patch.file);
    const parts = readFileSync(path, 'utf8').split(patch.find);
    if (parts.length !== 2) {
      throw new WorldError(
        'PatchMismatch',
        `${patch.file} holds the text to change ${parts.length - 1} times, not once (${patch.why}).`,
        'The version of the emulator changed: update world/tools/emulator-patches.ts.',
      );
    }
    writeFileSync(path, parts.join(patch.replace));
  }
}
