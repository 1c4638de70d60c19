import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { parse as parseContentType } from "content-type";
import express, { type Request, type Response } from "express";
import { ApiError, invalidRequest, payloadTooLarge } from "./errors.ts";
import { type Body, NO_BODY, toDecodeFault } from "./parse-json-body.ts";

export interface BodyReader {
  read(req: Request, res: Response): Promise<Body>;
  /** The most memory that a request's body may take: its announced length, or the limit if that says nothing. */
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
 * @returns a fault for corrupt compressed data: a repeat of an idempotent request is answered nevertheless
 * @throws 413, 415 for another encoding or media type, 422 for an incomplete body
 */
export function createBodyReader(limit: number): BodyReader {
  const readRaw = express.raw({ type: () => true, limit, inflate: true });
  const read: BodyReader["read"] = async (req, res) => {
    // Nothing at all counts as no body, not as a truncated compressed one.
    if (!hasBody(req)) return NO_BODY;
    const isCompressed = settleEncoding(req.headers) !== "identity";
    const mostSent = isCompressed ? mostCompressed(limit) : limit;
    // A compressed one would be read to its end first.
    if (Number(req.headers["content-length"]) > mostSent) throw tooLarge(limit);
    if (req.headers.expect !== undefined && req.httpVersion === "1.1") res.writeContinue();
    let isNothing = true;
    req.once("data", () => {
      isNothing = false;
    });
    const isCorrupt = await new Promise<boolean>((resolve, reject) => {
      // While reading a compressed body, Express does not notice that the caller hung up, and would wait forever.
      req.once("close", () => {
        if (!req.complete) reject(incomplete());
      });
      readRaw(req, res, (error?: unknown) => {
        if (error === undefined || isCorruption(error)) resolve(error !== undefined);
        else reject(toBodyError(error, limit));
      });
    });
    if (isCorrupt && isNothing) return NO_BODY;
    if (isCorrupt) {
      assertJsonMediaType(req.headers["content-type"]);
      return { fault: toDecodeFault(0, "the compressed data is corrupt") };
    }
    const body: unknown = req.body;
    // Express reports no error if the caller left before reading began, but that is not an empty body either.
    if (!(body instanceof Uint8Array)) throw incomplete();
    if (body.byteLength === 0) return NO_BODY;
    assertJsonMediaType(req.headers["content-type"]);
    const { buffer, byteOffset, byteLength } = body;
    return { bytes: new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength) };
  };
  return {
    read,
    mostBytes(req) {
      if (!hasBody(req)) return 0;
      const { "content-length": length, "content-encoding": encoding } = req.headers;
      if (length === undefined || toEncoding(encoding) !== "identity") return limit;
      return Math.min(Number(length), limit);
    },
  };
}

/** By zlib's codes for an invalid stream: Z_DATA_ERROR, Z_BUF_ERROR, ERR__ERROR_FORMAT_... */
function isCorruption(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /^(Z_|ERR_)/.test(code);
}

function toBodyError(error: unknown, limit: number): unknown {
  const { type, status } = error as { type?: unknown; status?: unknown };
  if (type === "entity.too.large") {
    return tooLarge(limit);
  }
  // The caller hung up, or sent a different length than announced.
  if (status === 400) return incomplete();
  return error;
}

function tooLarge(limit: number): ApiError {
  return payloadTooLarge(`The request body exceeds ${limit} bytes.`);
}

const ENCODINGS = new Set(["identity", "gzip", "deflate", "br"]);

/** As Express names it. An empty header says nothing, and x-gzip is gzip (RFC 9110, section 8.4.1.3). */
function toEncoding(header = ""): string {
  const encoding = header.toLowerCase();
  if (encoding === "") return "identity";
  return encoding === "x-gzip" ? "gzip" : encoding;
}

/**
 * Gives the header the name by which Express knows the encoding. Express would also take what newer versions of Node
 * can decompress, with errors of its own kind.
 *
 * @throws 415
 */
function settleEncoding(headers: IncomingHttpHeaders): string {
  const encoding = toEncoding(headers["content-encoding"]);
  if (!ENCODINGS.has(encoding)) {
    throw unsupported("The request body's Content-Encoding is not supported.");
  }
  headers["content-encoding"] = encoding;
  return encoding;
}

/** What cannot be compressed grows: deflate by 5 bytes a block, of 16 kB at least, plus headers; brotli by less. */
function mostCompressed(limit: number): number {
  return limit + Math.ceil(limit / 1_000) + 1_024;
}

function incomplete(): ApiError {
  return invalidRequest([toDecodeFault(0, "the body is incomplete")]);
}

const JSON_TYPE = /^application\/(?:[\w.!#$&^-]+\+)?json$/i;

function assertJsonMediaType(header = ""): void {
  const { type, parameters } = parseContentType(header);
  const { charset = "utf-8" } = parameters;
  if (!JSON_TYPE.test(type) || !/^utf-?8$/i.test(charset)) {
    throw unsupported(
      "The request body has to be JSON in UTF-8: send Content-Type: application/json.",
    );
  }
}

function unsupported(message: string): ApiError {
  return new ApiError("unsupported_media_type", { message });
}
