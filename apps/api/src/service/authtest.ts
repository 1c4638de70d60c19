import { z } from "zod";
import { authCte } from "../http/authenticate.ts";
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
    const rows = await db.$queryRaw<{ org_id: string }[]>`
      WITH ${authCte(request.credential)} SELECT org_id FROM auth`;
    request.confirm(rows[0]?.org_id);
    return json(200, { msg: "Auth successful" });
  },
});
