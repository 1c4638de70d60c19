import type { IncomingMessage } from "node:http";
import { ApiError, invalidRequest, payloadTooLarge } from "@truerun/shared/errors";
import express, { type Request, type Response } from "express";
import { toDecodeFault } from "./parse-json-body.ts";

const EMPTY = new Uint8Array(0);

export interface BodyReader {
  read(req: Request, res: Response): Promise<Uint8Array<ArrayBuffer>>;
  /** What a request's body may come to in memory: what was announced, or the limit where that says nothing. */
  mostBytes(req: Request): number;
}

/** Whether a body was announced. */
export function hasBody({ headers }: IncomingMessage): boolean {
  if (headers["transfer-encoding"] !== undefined) return true;
  const length = headers["content-length"];
  return length !== undefined && Number(length) > 0;
}

/**
 * Reads bodies of at most `limit` bytes, decompressed (gzip, deflate, br).
 *
 * @throws 413, 415 for another encoding or media type, 422 for compressed data that is corrupt and for a body
 * that did not come to its end
 */
export function createBodyReader(limit: number): BodyReader {
  const readRaw = express.raw({ type: () => true, limit, inflate: true });
  const read: BodyReader["read"] = async (req, res) => {
    // Nothing at all is no body, not a compressed one that was cut short.
    if (!hasBody(req)) return EMPTY;
    if (req.headers.expect !== undefined && req.httpVersion === "1.1") res.writeContinue();
    await new Promise<void>((resolve, reject) => {
      // The reader of a compressed body does not hear of a caller who hangs up, and would hold its place for ever.
      req.once("close", () => {
        if (!req.complete) reject(incomplete());
      });
      readRaw(req, res, (error?: unknown) => {
        if (error === undefined) resolve();
        else reject(toBodyError(error, limit));
      });
    });
    const body: unknown = req.body;
    // A caller who had gone before it was read is no error to the reader, but nor has he sent nothing.
    if (!(body instanceof Uint8Array)) throw incomplete();
    if (body.byteLength === 0) return EMPTY;
    assertJsonMediaType(req.headers["content-type"]);
    return new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength);
  };
  return {
    read,
    mostBytes(req) {
      if (!hasBody(req)) return 0;
      const { "content-length": length, "content-encoding": encoding } = req.headers;
      if (length === undefined || (encoding ?? "identity") !== "identity") return limit;
      return Math.min(Number(length), limit);
    },
  };
}

function toBodyError(error: unknown, limit: number): unknown {
  const { type, code, status } = error as { type?: unknown; code?: unknown; status?: unknown };
  if (type === "entity.too.large") {
    return payloadTooLarge(`The request body exceeds ${limit} bytes.`);
  }
  if (type === "encoding.unsupported") {
    return unsupported("The request body's Content-Encoding is not supported.");
  }
  // What zlib says of data that is no valid stream: Z_DATA_ERROR, Z_BUF_ERROR, ERR__ERROR_FORMAT_...
  if (typeof code === "string" && /^(Z_|ERR_)/.test(code)) {
    return invalidRequest([toDecodeFault(0, "the compressed data is corrupt")]);
  }
  // The caller went away, or sent another length than announced.
  if (status === 400) return incomplete();
  return error;
}

function incomplete(): ApiError {
  return invalidRequest([toDecodeFault(0, "the body is incomplete")]);
}

const JSON_TYPE = /^application\/(?:[\w.!#$&^-]+\+)?json$/i;

function assertJsonMediaType(header: string | undefined): void {
  const [mediaType = "", ...parameters] = (header ?? "").split(";").map((part) => part.trim());
  const charset = parameters.find((parameter) => /^charset\s*=/i.test(parameter));
  const isUtf8 = charset === undefined || /^charset\s*=\s*"?utf-?8"?$/i.test(charset);
  if (!JSON_TYPE.test(mediaType) || !isUtf8) {
    throw unsupported(
      "The request body has to be JSON in UTF-8: send Content-Type: application/json.",
    );
  }
}

function unsupported(message: string): ApiError {
  return new ApiError("unsupported_media_type", { message });
}
