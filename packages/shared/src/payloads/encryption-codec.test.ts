import { randomBytes } from "node:crypto";
import { defaultPayloadConverter, type Payload } from "@temporalio/common";
import { describe, expect, it } from "vitest";
import { createEncryptionCodec, DecryptionError } from "./encryption-codec.ts";
import { type EncryptionKey, parseEncryptionKey } from "./encryption-key.ts";

function newKey(): EncryptionKey {
  const key = parseEncryptionKey(randomBytes(32).toString("base64"));
  if (key === null) throw new Error("32 bytes are a key");
  return key;
}

const CANARY = "canary-6e2f";
const plain = (): Payload => defaultPayloadConverter.toPayload({ secret: CANARY, list: [1, null] });
const only = (payloads: Payload[]): Payload => payloads[0] ?? {};
const textOf = (payload: Payload): string =>
  [payload.data, ...Object.values(payload.metadata ?? {})]
    .map((bytes) => Buffer.from(bytes ?? []).toString("latin1"))
    .join("\n");

describe("the codec", () => {
  it("gives back what it hid, metadata included, and never the same bytes twice", async () => {
    const codec = createEncryptionCodec([newKey()]);
    const [first, second] = await codec.encode([plain(), plain()]);
    expect(textOf(first ?? {})).not.toMatch(/canary|json/);
    expect(Buffer.from(first?.data ?? [])).not.toEqual(Buffer.from(second?.data ?? []));
    const back = only(await codec.decode([first ?? {}]));
    expect(defaultPayloadConverter.fromPayload(back)).toEqual({ secret: CANARY, list: [1, null] });
  });

  it("keeps a payload without data", async () => {
    const codec = createEncryptionCodec([newKey()]);
    const nothing = defaultPayloadConverter.toPayload(undefined);
    const back = only(await codec.decode(await codec.encode([nothing])));
    expect(defaultPayloadConverter.fromPayload(back)).toBeUndefined();
  });

  it("passes what nobody encrypted", async () => {
    const payload = plain();
    expect(await createEncryptionCodec([newKey()]).decode([payload])).toEqual([payload]);
  });

  it("passes what another team encrypted in its own way", async () => {
    const payload = only(await createEncryptionCodec([newKey()]).encode([plain()]));
    const theirs = {
      ...payload,
      metadata: { ...payload.metadata, "encryption-key-id": Buffer.from("team-a") },
    };
    expect(await createEncryptionCodec([newKey()]).decode([theirs])).toEqual([theirs]);
  });

  it("encrypts with the first key and reads with all", async () => {
    const [old, fresh] = [newKey(), newKey()];
    const before = await createEncryptionCodec([old]).encode([plain()]);
    const rotated = createEncryptionCodec([fresh, old]);
    expect(await createEncryptionCodec([old]).decode(before)).toEqual(await rotated.decode(before));
    const after = await rotated.encode([plain()]);
    await expect(createEncryptionCodec([old]).decode(after)).rejects.toThrow(
      `the key ${fresh.id}, which PAYLOAD_ENCRYPTION_KEY does not hold`,
    );
  });

  it.each([
    ["a changed bit", (data: Uint8Array) => data.map((byte, at) => (at === 20 ? byte ^ 1 : byte))],
    [
      "a changed tag",
      (data: Uint8Array) => data.map((byte, at) => byte ^ (at === data.length - 1 ? 1 : 0)),
    ],
    ["a missing end", (data: Uint8Array) => data.subarray(0, -1)],
    ["hardly anything", (data: Uint8Array) => data.subarray(0, 5)],
    ["nothing", () => new Uint8Array(0)],
  ])("refuses %s", async (_, damage) => {
    const codec = createEncryptionCodec([newKey()]);
    const payload = only(await codec.encode([plain()]));
    const damaged = { ...payload, data: damage(payload.data ?? new Uint8Array(0)) };
    await expect(codec.decode([damaged])).rejects.toThrow(DecryptionError);
  });
});

describe("a key", () => {
  it.each([
    "",
    "secret",
    randomBytes(31).toString("base64"),
    randomBytes(33).toString("base64"),
    randomBytes(32).toString("hex"),
    `${randomBytes(32).toString("base64")} `,
  ])("is base64 of 32 bytes, not %j", (text) => {
    expect(parseEncryptionKey(text)).toBeNull();
  });

  it("is named the same everywhere", () => {
    const text = Buffer.alloc(32, 7).toString("base64");
    // What docs/encryption.md tells other workers to compute: it is in every payload of every history.
    expect(parseEncryptionKey(text)?.id).toBe("b603f99e690fc1a8");
  });
});
