import http from "node:http";
import type { Express } from "express";

/**
 * Classes whose instances have Express' own prototypes from their birth, for `http.createServer`.
 *
 * Express gives each request and response its prototype when it gets them. V8 takes objects whose prototype
 * was changed out of its fast paths, for as long as they live: that was four fifths of the time that Node and
 * Express took for a request. To set the prototype that an object has is nothing.
 */
export function toExpressClasses(app: Express): {
  IncomingMessage: typeof http.IncomingMessage;
  ServerResponse: typeof http.ServerResponse;
} {
  class Request extends http.IncomingMessage {}
  class Response<Asked extends http.IncomingMessage> extends http.ServerResponse<Asked> {
    /** Express would make one without a prototype, which is slow to copy. */
    locals = {};
  }
  Object.setPrototypeOf(Request.prototype, app.request);
  Object.setPrototypeOf(Response.prototype, app.response);
  Object.assign(app, { request: Request.prototype, response: Response.prototype });
  return { IncomingMessage: Request, ServerResponse: Response };
}
