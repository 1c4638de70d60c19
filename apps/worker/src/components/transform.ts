import { z } from "zod";
import { defineComponent } from "../component.ts";

/** Gives back its `value`: references in it are resolved before it gets here. */
export default defineComponent({
  action: "transform",
  title: "Transform",
  description:
    "Builds a value out of the run's input and the outputs of earlier steps. Its output is the value with every reference resolved.",
  input: z.strictObject({
    value: z
      .unknown()
      .describe("Any JSON; its texts may hold references such as ${{ input.name }}"),
  }),
  output: z.unknown().describe("The value"),
  execution: "local",
  run: ({ input }) => Promise.resolve({ output: input.value }),
});
