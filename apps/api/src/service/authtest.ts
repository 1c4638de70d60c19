import { z } from "zod";
import { checkKey } from "../http/authenticate.ts";
import { defineEndpoint, json } from "../http/define-endpoint.ts";

/** Tells a caller that the key is good. */
export const authtest = defineEndpoint({
  operationId: "authtest",
  summary: "Check an API key",
  tag: "Service",
  access: "any_key",
  responses: {
    200: {
      description: "The key is good",
      schema: z.strictObject({ msg: z.literal("Auth successful") }),
    },
  },
  errors: [],
  async handler(request, { db }) {
    await checkKey(request, db);
    return json(200, { msg: "Auth successful" });
  },
});
