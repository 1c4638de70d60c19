import { expect, test } from "vitest";
import { createRouteMatcher, type Route } from "./route-matcher.ts";

const table: Route<string>[] = [
  { method: "GET", path: "/v1/workflows/runs", target: "list-runs" },
  { method: "GET", path: "/v1/workflows/runs/{id}", target: "get-run" },
  { method: "POST", path: "/v1/workflows/{name}/run", target: "run" },
  { method: "GET", path: "/v1/workflows/{name}", target: "get" },
  { method: "PUT", path: "/v1/workflows/{name}", target: "put" },
];
const match = createRouteMatcher(table);

test.each([
  ["GET", "/v1/workflows/runs", "list-runs", {}],
  ["HEAD", "/v1/workflows/runs", "list-runs", {}],
  ["PUT", "/v1/workflows/runs", "put", { name: "runs" }],
  ["GET", "/v1/workflows/%72uns", "get", { name: "runs" }],
  ["GET", "/v1/workflows/runs/run", "get-run", { id: "run" }],
  ["POST", "/v1/workflows/runs/run", "run", { name: "runs" }],
  ["POST", "/v1/workflows/a%2Fb%20%25/run", "run", { name: "a/b %" }],
  ["POST", "/v1/workflows/constructor/run", "run", { name: "constructor" }],
  ["POST", "/v1/workflows/__proto__/run", "run", { name: "__proto__" }],
  ["POST", "/v1/workflows/%E0%A4%A/run", "run", { name: null }],
])("%s %s is %s", (method, path, target, params) => {
  const found = match(method, path);
  if (found.kind !== "found") throw new Error(found.kind);
  expect(found.target).toBe(target);
  const texts = [...found.params].map(([name, param]) => [name, param.text]);
  expect(Object.fromEntries(texts)).toEqual(params);
});

test.each([
  "/v1/workflows/runs/",
  "/v1/Workflows/runs",
  "/v1/workflows//run",
  "/v1//workflows/runs",
  "/v1/workflows/a/b/run",
  "/",
  "*",
  "",
])("%j is no route", (path) => {
  expect(match("GET", path)).toEqual({ kind: "no_route" });
});

test.each([
  ["POST", "/v1/workflows/runs", ["GET", "HEAD", "PUT"]],
  ["DELETE", "/v1/workflows/runs/run", ["GET", "HEAD", "POST"]],
  ["DELETE", "/v1/workflows/x/run", ["POST"]],
  ["OPTIONS", "/v1/workflows/x", ["GET", "HEAD", "PUT"]],
])("%s %s is another method's path", (method, path, allow) => {
  expect(match(method, path)).toEqual({ kind: "wrong_method", allow });
});
