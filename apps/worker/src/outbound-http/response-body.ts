import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import { ApplicationFailure } from "@temporalio/common";
import type { Json } from "@truerun/shared/contracts/json";

/** Byte limit for an answer, both before and after it is decompressed. */
const MAX_RESPONSE_BYTES = 1_048_576;

const DECODERS = new Map([
  ["gzip", promisify(gunzip)],
  ["x-gzip", promisify(gunzip)],
  ["deflate", promisify(inflate)],
  ["br", promisify(brotliDecompress)],
]);

/** Reads a whole body. @throws `ResponseTooLarge`, non-retryable */
export async function readBody(body: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError("A body's chunks are buffers");
    bytes += chunk.byteLength;
    if (bytes > MAX_RESPONSE_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const MAX_ERROR_BYTES = 16_384;

/**
 * The beginning of an error's body, for a message. The status alone decides what becomes of the
 * request, so a body that is too long, broken off or badly compressed is shown as far as it goes.
 */
export async function readErrorBody(
  body: AsyncIterable<unknown>,
  encoding: string | undefined,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      if (!Buffer.isBuffer(chunk)) continue;
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes >= MAX_ERROR_BYTES) break;
    }
    return await decodeContent(Buffer.concat(chunks), encoding);
  } catch {
    return encoding === undefined ? Buffer.concat(chunks) : Buffer.alloc(0);
  }
}

/** Undoes `Content-Encoding`; servers may compress unasked. An unknown encoding is left as it is. */
export async function decodeContent(body: Buffer, encoding: string | undefined): Promise<Buffer> {
  const decode = DECODERS.get((encoding ?? "").trim().toLowerCase());
  if (decode === undefined || body.byteLength === 0) return body;
  try {
    return await decode(body, { maxOutputLength: MAX_RESPONSE_BYTES });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    throw code === "ERR_BUFFER_TOO_LARGE" ? tooLarge() : error;
  }
}

function tooLarge(): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `The answer is larger than the ${MAX_RESPONSE_BYTES} bytes that are allowed`,
    "ResponseTooLarge",
  );
}

/**
 * A body as a JSON value: parsed if it is declared as JSON and valid, else its text in the declared
 * charset (UTF-8 if none). Bytes that are not text become a `data:` URL in base64; no bytes, null.
 */
export function toBodyValue(body: Buffer, contentType: string | undefined): Json {
  if (body.byteLength === 0) return null;
  const [essence = "", ...parameters] = (contentType ?? "").split(";").map((part) => part.trim());
  const charset = parameters.find((part) => /^charset=/i.test(part))?.slice("charset=".length);
  const text = decodeText(body, charset?.replaceAll('"', "") ?? "utf-8");
  if (text === null) {
    return `data:${essence || "application/octet-stream"};base64,${body.toString("base64")}`;
  }
  return /^application\/([^;]+\+)?json$/i.test(essence) ? parseOrText(text) : text;
}

function decodeText(body: Buffer, charset: string): string | null {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(body);
  } catch (error) {
    // RangeError: the charset is unknown. TypeError: the bytes are not valid in it.
    return error instanceof RangeError ? decodeText(body, "utf-8") : null;
  }
}

function parseOrText(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
