import { expect, test } from "vitest";
import {
  API_KEY_SCOPES,
  generateApiKey,
  hashApiKey,
  hideApiKeys,
  isApiKeyScope,
  isWellFormedApiKey,
} from "./api-keys.ts";

test("a generated key has the published form and knows itself", () => {
  const { text, hash } = generateApiKey();
  expect(text).toMatch(/^ak_live_[0-9A-Za-z]{38}$/);
  expect(isWellFormedApiKey(text)).toBe(true);
  expect(hash).toEqual(hashApiKey(text));
  expect(hash).toHaveLength(32);
  expect(generateApiKey().text).not.toBe(text);
});

test("a key with any one character changed is malformed", () => {
  const { text } = generateApiKey();
  for (let at = "ak_live_".length; at < text.length; at += 1) {
    const other = text[at] === "x" ? "y" : "x";
    expect(isWellFormedApiKey(text.slice(0, at) + other + text.slice(at + 1))).toBe(false);
  }
});

test.each([
  "",
  "ak_live_",
  "ak_live_nonsense",
  `ak_test_${"0".repeat(38)}`,
  `ak_live_${"0".repeat(39)}`,
])("%j is no key", (text) => {
  expect(isWellFormedApiKey(text)).toBe(false);
});

test("keys can be hidden wherever they stand in a text", () => {
  const { text } = generateApiKey();
  expect(hideApiKeys(`/v1?a=${text}&b=${text}#c`)).toBe("/v1?a=ak_live_...&b=ak_live_...#c");
  expect(hideApiKeys("/v1/workflows/ak_lives")).toBe("/v1/workflows/ak_lives");
});

test("the scopes are a closed set", () => {
  expect(API_KEY_SCOPES.every(isApiKeyScope)).toBe(true);
  expect(isApiKeyScope("workflows:read")).toBe(false);
});
