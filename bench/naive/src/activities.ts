import type { PrismaClient } from "./generated/prisma/client.ts";

export interface StepInput {
  runId: string;
  name: string;
  value: number;
}

export type Activities = ReturnType<typeof createActivities>;

export function createActivities(prisma: PrismaClient) {
  return {
    /** Does its trivial work and records it: by an upsert, because an earlier attempt may have recorded it. */
    async runStep({ runId, name, value }: StepInput): Promise<number> {
      const output = value;
      await prisma.step.upsert({
        where: { runId_name: { runId, name } },
        create: { runId, name, output },
        update: { output },
      });
      return output;
    },
    async finishRun({ runId, status }: { runId: string; status: string }): Promise<void> {
      await prisma.run.update({
        where: { id: runId },
        data: { status, completedAt: new Date() },
      });
    },
  };
}
