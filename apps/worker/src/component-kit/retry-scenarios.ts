// Each scenario makes its fault happen at an exact point of an early attempt, and leaves the later ones alone.
import type { Gate } from "./attempt-gates.ts";
import type { Scenario } from "./retry-safety-report.ts";
import type { Play, Stage } from "./retry-stage.ts";

/**
 * Plays every scenario, most of them at the same time: what takes long is Temporal's wait for workers that
 * are gone.
 *
 * @returns the ended plays, the undisturbed one first
 * @throws an Error when the component does not even work undisturbed, or has no effect that the ledger sees
 */
export async function playScenarios(stage: Stage): Promise<Play[]> {
  const { cutOff, killed, surviving } = stage.workers;
  await cutOff.work();
  const undisturbed = await playUndisturbed(stage);
  const twice = await stage.start("delivered twice", (play) => {
    stage.gates.shut(gateOf(play, 1, "start"));
    stage.gates.shut(gateOf(play, 2, "start"));
  });
  await stage.reached(gateOf(twice, 1, "start"));
  stage.cut();

  await killed.work();
  const doomed = await bringToKill(stage);
  await killed.kill();
  doomed.release();

  await surviving.work();
  const [canceled, timedOut] = await Promise.all([
    playCanceled(stage),
    playTimedOut(stage),
    deliverAgain(stage, twice),
    ...doomed.plays.map((play) => stage.ended(play)),
  ]);
  return [undisturbed, ...doomed.plays, twice, canceled, timedOut];
}

async function playUndisturbed(stage: Stage): Promise<Play> {
  const play = await stage.start("undisturbed");
  await stage.ended(play);
  const { runStatus, message, effects } = await stage.endOf(play);
  if (runStatus !== "completed") {
    throw new Error(`Without any fault the run ended ${runStatus}: ${message ?? "no message"}`);
  }
  if (effects.length === 0) {
    throw new Error(`Without any fault the ledger shows no effect for ${play.idempotencyKey}`);
  }
  return play;
}

/** Three runs whose first attempts are stopped before, during and after their effect. */
async function bringToKill(stage: Stage): Promise<{ plays: Play[]; release: () => void }> {
  const [before, during, after] = await Promise.all([
    stage.start("killed before the effect", (play) => {
      stage.gates.shut(gateOf(play, 1, "start"));
    }),
    startHeld(stage, "killed during the effect"),
    stage.start("killed after the effect", (play) => stage.gates.shut(gateOf(play, 1, "end"))),
  ]);
  await Promise.all([
    stage.reached(gateOf(before, 1, "start")),
    stage.firstEffect(during.play),
    stage.reached(gateOf(after, 1, "end")),
  ]);
  return { plays: [before, during.play, after], release: during.release };
}

async function playCanceled(stage: Stage): Promise<Play> {
  const { play, release } = await startHeld(stage, "canceled during the effect");
  await stage.firstEffect(play);
  await stage.cancel(play);
  await stage.ended(play);
  release();
  return play;
}

/** Two attempts time out: by the time the second one does, the first has heard of its own. */
async function playTimedOut(stage: Stage): Promise<Play> {
  const { play, release } = await startHeld(stage, "timed out during the effect", [1, 2]);
  await stage.firstEffect(play);
  await stage.reached(gateOf(play, 3, "start"));
  release();
  await stage.ended(play);
  return play;
}

/** The first attempt goes on beside the second one, in a worker that cannot know of it. */
async function deliverAgain(stage: Stage, play: Play): Promise<void> {
  await stage.reached(gateOf(play, 2, "start"));
  stage.gates.open(gateOf(play, 1, "start"));
  stage.gates.open(gateOf(play, 2, "start"));
  await stage.reached(gateOf(play, 1, "end"));
  await stage.ended(play);
}

/** A run whose effects are not answered, and whose given attempts do not end, until it is released. */
async function startHeld(
  stage: Stage,
  scenario: Scenario,
  attempts: readonly number[] = [1],
): Promise<{ play: Play; release: () => void }> {
  let answer: (() => void) | undefined;
  const play = await stage.start(scenario, (held) => {
    answer = stage.ledger.hold?.(held.idempotencyKey);
    for (const attempt of attempts) stage.gates.shut(gateOf(held, attempt, "end"));
  });
  return {
    play,
    release() {
      answer?.();
      for (const attempt of attempts) stage.gates.open(gateOf(play, attempt, "end"));
    },
  };
}

function gateOf({ idempotencyKey }: Play, attempt: number, point: Gate["point"]): Gate {
  return { idempotencyKey, attempt, point };
}
