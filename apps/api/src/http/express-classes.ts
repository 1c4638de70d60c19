import http from "node:http";
import type { Express } from "express";

/**
 * Classes for `http.createServer` whose instances have Express' own prototypes from the start.
 *
 * Express sets the prototype of each request and response it receives. V8 takes objects whose prototype was
 * changed off its fast paths for good, which was four fifths of the time that Node and Express spent on a
 * request. Setting the prototype that an object already has costs nothing.
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
