"""Serves the component `score_vendor_risk` (components/external/score-vendor-risk.yaml)."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.worker import Worker

import risk

TASK_QUEUE = "python-risk-score"
# Seconds for each factor: stands in for the registers that a real score would query.
PACE = float(os.environ.get("RISK_PACE_SECONDS", "0"))


# The name is the action type, the only argument the step's `with`, which has already been checked.
@activity.defn(name="score_vendor_risk")
async def score_vendor_risk(given: dict[str, Any]) -> dict[str, Any]:
    info = activity.info()
    # The same across attempts, and no other step's: pass it to the systems that you call.
    idempotency_key = f"{info.workflow_id.split('/')[0]}:{info.activity_id}"
    activity.logger.info("scoring %s, attempt %d", idempotency_key, info.attempt)
    found: list[risk.Factor] = []
    for factor in risk.factors(given):
        # Says that this worker is alive; the answer may bring a cancellation, raised here as asyncio.CancelledError.
        activity.heartbeat({"factors": len(found)})
        await asyncio.sleep(PACE)
        found.append(factor)
    vendor_id = given["vendor"].get("id")
    artifacts = [{"artifact_type": "vendor", "id": vendor_id, "role": "trigger"}] if vendor_id else []
    return {"output": risk.to_result(found), "artifacts": artifacts}


async def main() -> None:
    # TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_...; see the SDK's `envconfig`.
    client = await Client.connect(**ClientConfig.load_client_connect_config())
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        activities=[score_vendor_risk],
        # Heartbeats go out at most this often, and a cancellation arrives only with the answer to one.
        max_heartbeat_throttle_interval=timedelta(seconds=1),
        graceful_shutdown_timeout=timedelta(seconds=20),
    )
    async with worker:
        print(f"Serving score_vendor_risk on the task queue {TASK_QUEUE}", flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
