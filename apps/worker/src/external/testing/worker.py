"""For tests only: another team's worker whose activity behaves as it is told."""

import asyncio
import os
import sys
from datetime import timedelta

from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker


def say(*words):
    print(*words, flush=True)


@activity.defn(name="act")
async def act(given):
    info = activity.info()
    say("key", f"{info.workflow_id.split('/')[0]}:{info.activity_id}", info.attempt)
    do = given["do"]
    if do == "echo":
        artifacts = [{"artifact_type": "thing", "id": "t1", "role": "result"}]
        return {"output": {"value": given.get("value")}, "artifacts": artifacts}
    if do == "give":
        return given["value"]
    if do == "nan":
        return {"output": {"value": float("nan")}}
    if do == "protobuf":
        return WorkflowExecution(workflow_id="w", run_id="r")
    if do == "deep":
        value = None
        for _ in range(600):
            value = [value]
        return {"output": {"value": value}}
    if do == "size":
        return {"output": {"value": "x" * given["value"]}}
    if do == "retry":
        if info.attempt < given["value"]:
            raise RuntimeError(f"attempt {info.attempt} is not enough")
        return {"output": {"value": info.attempt}}
    if do == "refuse":
        raise ApplicationError("No such vendor", float("nan"), type="NoSuchVendor", non_retryable=True)
    if do == "raise":
        raise ValueError("x" * 5000)
    if do == "wait":
        try:
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.2)
        except asyncio.CancelledError:
            say("canceled", info.activity_id)
            raise
    raise AssertionError(do)


async def main():
    address, task_queue = sys.argv[1:]
    client = await Client.connect(address)
    worker = Worker(
        client,
        task_queue=task_queue,
        activities=[act],
        max_heartbeat_throttle_interval=timedelta(milliseconds=200),
    )
    async with worker:
        say("ready", os.getpid())
        await asyncio.Event().wait()


asyncio.run(main())
