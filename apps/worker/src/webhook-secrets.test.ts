import { inspect } from "node:util";
import { parseEnvironment } from "@truerun/shared/config";
import { describe, expect, it } from "vitest";
import { workerConfig } from "./config.ts";
import { toSecretVariable } from "./webhook-secrets.ts";

const DATABASE_URL = "postgresql://user@127.0.0.1:5432/db";

function parse(environment: Record<string, string>) {
  return parseEnvironment(workerConfig, { DATABASE_URL, ...environment });
}

function bytesOf(environment: Record<string, string>, variable: string): string | undefined {
  return parse(environment).webhookSecrets.get(variable)?.export().toString();
}

describe("webhook secrets", () => {
  it("are the bytes of base64 after whsec_, and the text itself otherwise", () => {
    const whsec = `whsec_${Buffer.from("bytes").toString("base64")}`;
    expect(bytesOf({ WEBHOOK_SECRET_A: whsec }, "WEBHOOK_SECRET_A")).toBe("bytes");
    expect(bytesOf({ WEBHOOK_SECRET_B_2: "grüß " }, "WEBHOOK_SECRET_B_2")).toBe("grüß ");
  });

  it("stand beside the other variables, and none are needed", () => {
    expect(parse({ WEBHOOK_SECRET_A: "x" })).toMatchObject({ DATABASE_URL, DATA_DIR: ".data" });
    expect(parse({ WEBHOOK_SECRET_EMPTY: "", OTHER: "x" }).webhookSecrets.size).toBe(0);
  });

  it("show nothing of themselves", () => {
    const { webhookSecrets } = parse({ WEBHOOK_SECRET_A: "hush-hush" });
    expect(inspect(webhookSecrets, { depth: null, showHidden: true })).not.toContain("hush");
    expect(JSON.stringify([...webhookSecrets])).not.toContain("hush");
  });

  it("that cannot be used are refused by name, with all other faults, and not shown", () => {
    const environment = {
      WEBHOOK_SECRET_A: "whsec_not base64!",
      WEBHOOK_SECRET_B: "whsec_",
      WEBHOOK_SECRET_low: "whatever",
      WORKER_MAX_ACTIVITIES: "none",
    };
    let message = "";
    try {
      parse(environment);
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain("WEBHOOK_SECRET_A is set (not shown): expected base64 after whsec_");
    expect(message).toContain("WEBHOOK_SECRET_B is set (not shown): expected base64 after whsec_");
    expect(message).toContain("WEBHOOK_SECRET_low is set (not shown): expected a name of capitals");
    expect(message).toContain("WORKER_MAX_ACTIVITIES");
    expect(message).not.toMatch(/not base64!|whatever/);
  });

  it("have variables in capitals", () => {
    expect(toSecretVariable("billing_v2")).toBe("WEBHOOK_SECRET_BILLING_V2");
  });
});
